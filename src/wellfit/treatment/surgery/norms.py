"""Norms put between layers and their activations."""

from __future__ import annotations

from torch import nn

from wellfit.errors import ConfigError
from wellfit.treatment.surgery.anatomy import Part, anatomy
from wellfit.treatment.surgery.edit import Edit, Sample, attach

__all__ = ["insert_norms"]

_BATCH = {3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


def insert_norms(kind: str = "batch") -> Edit:
    """Put a norm after each linear or convolutional layer that an activation follows; ``kind``: batch or layer.

    Batch norm is of channels for convolutions; linear layers on sequences get layer norm in any case.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> insert_norms().apply(net, [torch.zeros(2, 2)])[0][1].num_features
    3
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        found = anatomy(module, sample)
        bare = [
            part
            for part in found.layers
            if part.own and part.kind in ("linear", "conv") and found.activation_after(part) and not found.normed(part)
        ]
        if not bare:
            raise ConfigError("A norm goes between a layer and its activation.", got="no such place without a norm")
        for part in bare:
            attach(module, part.where, _norm(part, kind))
        return module

    return Edit(f"{kind} norm", apply)


def _norm(part: Part, kind: str) -> nn.Module:
    if part.kind == "conv":
        return _BATCH[len(part.shape)](part.shape[1]) if kind == "batch" else nn.GroupNorm(1, part.shape[1])
    if kind == "batch" and len(part.shape) == 2:
        return nn.BatchNorm1d(part.shape[-1])
    return nn.LayerNorm(part.shape[-1])
