"""Dropout put in, set to another share, taken out."""

from __future__ import annotations

from torch import nn

from wellfit.errors import ConfigError
from wellfit.treatment.surgery.anatomy import anatomy
from wellfit.treatment.surgery.edit import Edit, Sample, attach

__all__ = ["set_dropout"]

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def set_dropout(share: float) -> Edit:
    """Let every dropout drop a share of units, in [0, 1); where there is none, put it behind hidden activations.

    >>> set_dropout(0.0).apply(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)), [])[1].p
    0.0
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        there = [part for part in module.modules() if isinstance(part, _DROPOUTS) and part.p != share]
        for part in there:
            part.p = share
        if there:
            return module
        hidden = [part for part in anatomy(module, sample).hidden if part.own] if share else []
        if not hidden:
            raise ConfigError("Dropout goes behind hidden activations that are modules.", got="none without it")
        for spot in hidden:
            attach(module, spot.where, nn.Dropout(share))
        return module

    return Edit(f"dropout {share:g}", apply)
