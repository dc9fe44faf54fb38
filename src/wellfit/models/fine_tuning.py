"""Weights from a local file, and how a network that has them is trained on.

Files are safetensors, or what torch saves, read with ``weights_only``: no code in a file is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.errors import DataError
from wellfit.models.convnet import batch_rows, epochs
from wellfit.models.entry import Occasion
from wellfit.registry import Option

__all__ = ["WEIGHTS", "depth_factors", "fine_tuned", "load_weights"]

WEIGHTS = Option(
    name="weights",
    kind="str",
    default=None,
    optional=True,
    help="a local file of weights, .safetensors or .pt; left out, the network is trained from scratch",
)

_DECAY = 0.7
"""What each stage further from the head learns slower by."""
_LEAST_SHARE = 0.5
"""The share of a network's weights that a file must have, to be one of its."""


def load_weights(module: nn.Module, path: str, *, head: str) -> None:
    """Put the weights of a file into a module, but for the head's: its classes are others.

    A first convolution for other channels gets the sum over the file's, divided by how many there are now.

    Args:
        module: the network.
        path: of a local file.
        head: the name of the last layer.

    Raises:
        DataError: there is no such file, it holds anything but weights, or too few fit.
    """
    held, own = _read(path), module.state_dict()
    fitting = {}
    for name, value in held.items():
        if name not in own or name.split(".")[0] == head:
            continue
        fitted = _fitted(value, own[name])
        if fitted is not None:
            fitting[name] = fitted
    wanted = sum(value.numel() for name, value in own.items() if name.split(".")[0] != head)
    found = sum(value.numel() for value in fitting.values())
    if found < _LEAST_SHARE * wanted:
        got = f"{found:,} of {wanted:,} weights in {path}"
        raise DataError(
            "A file of weights must be one of this network.", got=got, do="Name another file, or leave it out."
        )
    module.load_state_dict(fitting, strict=False)


def _read(path: str) -> Mapping[str, Tensor]:
    if not Path(path).is_file():
        raise DataError("There is no such file of weights.", got=path, do="Name a local file: .safetensors or .pt.")
    try:
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file

            return load_file(path)
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise whatever a strange file leads them to
        reason = f"{path}: {type(error).__name__}"
        do = "Save its state_dict alone, best as .safetensors."
        raise DataError("A file of weights must hold tensors and nothing else.", got=reason, do=do) from None
    held = held.get("state_dict", held.get("model", held)) if isinstance(held, Mapping) else None
    if not isinstance(held, Mapping) or not all(isinstance(value, Tensor) for value in held.values()):
        raise DataError("A file of weights must hold tensors by name.", got=path, do="Save the network's state_dict.")
    return {re.sub(r"^module\.", "", str(name)): value for name, value in held.items()}


def _fitted(value: Tensor, own: Tensor) -> Tensor | None:
    """Give a tensor in the shape of the module's own; None where it can't be."""
    if value.shape == own.shape:
        return value
    of_images = value.ndim == 4 and own.ndim == 4 and value.shape[0] == own.shape[0]
    if of_images and value.shape[2:] == own.shape[2:] and value.shape[1] <= 4:
        return value.sum(1, keepdim=True).expand_as(own) / own.shape[1]
    return None


def depth_factors(module: nn.Module, stages: Sequence[Sequence[str]]) -> dict[str, tuple[float, float]]:
    """Give factors of rate and decay by parameter: 1 in the last stage, 0.7 times less in each before.

    Args:
        module: the network.
        stages: names of its parts, from the input to the head.
    """
    rates = {part: _DECAY ** (len(stages) - 1 - place) for place, parts in enumerate(stages) for part in parts}
    return {name: (rates[part], 1.0) for name, _ in module.named_parameters() if (part := name.split(".")[0]) in rates}


def fine_tuned(occasion: Occasion) -> dict[str, Any]:
    """Give the training of a deep network: AdamW, one cycle, smoothed labels."""
    smoothed = 0.0 if occasion.metric in ("log_loss", "auc") else 0.1
    losses = {"binary": "bce", "multiclass": "cce"}
    loss = {"name": losses[occasion.task], "label_smoothing": smoothed} if occasion.task in losses else "mse"
    return {
        "train.loss": loss,
        "train.optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 0.05},
        "train.batch_size": min(64, batch_rows(occasion.rows)),
        "train.epochs": epochs(occasion.rows),
        "train.schedule": {"name": "one_cycle", "share": 0.1, "start": 0.01, "final": 0.0},
        "train.clip_norm": 1.0,
        "train.early_stopping": None,
    }
