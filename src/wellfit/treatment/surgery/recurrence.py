"""Recurrent layers exchanged for ones that carry a signal over more steps."""

from __future__ import annotations

from torch import nn

from wellfit.errors import ConfigError
from wellfit.treatment.surgery.edit import Edit

__all__ = ["gate_recurrence", "rectify_recurrence"]


def gate_recurrence() -> Edit:
    """Put a GRU of the same width in the place of every plain recurrent layer: Cho et al. 2014.

    >>> gate_recurrence().apply(nn.Sequential(nn.RNN(2, 3)), [])[0]
    GRU(2, 3)
    """
    return Edit("gated recurrence", lambda module, _: _exchanged(module, nn.GRU))


def rectify_recurrence() -> Edit:
    """Let plain recurrent layers use ReLU, which with identity weights keeps a signal: Le et al. 2015."""
    return Edit("rectified recurrence", lambda module, _: _exchanged(module, nn.RNN, nonlinearity="relu"))


def _exchanged(module: nn.Module, kind: type[nn.RNN] | type[nn.GRU], **options: str) -> nn.Module:
    plain = [(name, part) for name, part in module.named_modules() if type(part) is nn.RNN and name]
    if not plain:
        raise ConfigError("A plain recurrent layer is exchanged where there is one.", got="none")
    for name, part in plain:
        made = kind(
            part.input_size,
            part.hidden_size,
            num_layers=part.num_layers,
            bias=part.bias,
            batch_first=part.batch_first,
            dropout=part.dropout,
            bidirectional=part.bidirectional,
            **options,
        )
        module.set_submodule(name, made)
    return module
