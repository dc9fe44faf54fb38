"""Muon: orthogonalised momentum for matrices, AdamW for everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim import AdamW, Muon, Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.gradients import evaluated
from wellfit.optimizers.kernels import fused_or_foreach
from wellfit.optimizers.settings import weight_decay
from wellfit.registry import Option

__all__ = ["ENTRY", "MuonWithAdamW"]


class MuonWithAdamW(Optimizer):
    """torch's Muon for the parameters of two dimensions, torch's fused AdamW for all others.

    A group with ``"muon": False`` goes to AdamW whole: embeddings, and where wanted the first and the last layer.
    Every group's ``rule`` says which of the two moves it. Muon's steps are scaled to the size of AdamW's
    (``0.2 sqrt(max(rows, columns))``), so that one rate suits both.

    >>> layer = torch.nn.Linear(3, 2)
    >>> optimizer = ENTRY.make(layer.parameters())
    >>> [(group["rule"], len(group["params"])) for group in optimizer.param_groups]
    [('muon', 1), ('adamw', 1)]
    """

    def __init__(self, params: list[Any], *, lr: float, momentum: float, weight_decay: float) -> None:
        groups = [part for group in _grouped(params) for part in _divided(group)]
        matrices = [group for group in groups if group["rule"] == "muon"]
        others = [group for group in groups if group["rule"] == "adamw"]
        self._parts: dict[str, Optimizer] = {}
        if matrices:
            self._parts["muon"] = Muon(
                matrices, lr=lr, weight_decay=weight_decay, momentum=momentum, adjust_lr_fn="match_rms_adamw"
            )
        if others:
            self._parts["adamw"] = AdamW(others, lr=lr, weight_decay=weight_decay, **fused_or_foreach(others))
        # The dictionaries are those the parts hold, completed with their settings.
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, leaving parameters without a gradient as they are."""
        loss = evaluated(closure)
        for rule, part in self._parts.items():
            # Loading a state replaces groups and states; the parts work on whatever is there now.
            part.param_groups = [group for group in self.param_groups if group["rule"] == rule]
            part.state = self.state
            part.step()
        return loss


def _grouped(params: list[Any]) -> list[dict[str, Any]]:
    return params if isinstance(params[0], Mapping) else [{"params": params}]


def _divided(group: dict[str, Any]) -> list[dict[str, Any]]:
    """Divide a group into the matrices that Muon moves and the rest."""
    settings = {key: value for key, value in group.items() if key not in ("params", "muon")}
    divided: dict[str, list[Any]] = {"muon": [], "adamw": []}
    for item in group["params"]:
        tensor = item[1] if isinstance(item, tuple) else item
        divided["muon" if tensor.ndim == 2 and group.get("muon", True) else "adamw"].append(item)
    return [{**settings, "params": items, "rule": rule} for rule, items in divided.items() if items]


ENTRY = OptimizerEntry(
    name="muon",
    summary="orthogonalised momentum for matrices; biases, norms and kernels go to AdamW",
    build=MuonWithAdamW,
    options=(
        Option(name="momentum", default=0.95, low=0.0, high=1.0, high_open=True, search=(0.8, 0.98), help="decay of m"),
        weight_decay(0.01),
    ),
    formula="m <- b m + (1-b) g; O = NewtonSchulz5(g + b (m - g)); W <- W - a l W - 0.2 a sqrt(max(rows, columns)) O",
    reference="Jordan et al. 2024, Muon; Liu et al. 2025, Muon is scalable for LLM training",
    lr=2e-3,
    lr_range=(2e-4, 2e-2),
    group_keys=("muon",),
)
