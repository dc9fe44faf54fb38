"""An edit of a module: applied whole, or refused with the reason."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wellfit.errors import BadInput, ConfigError
from wellfit.runtime import restored_random_state
from wellfit.training.evaluation import evaluating

__all__ = ["Edit", "STRUCTURE", "WEIGHTS", "WRAPPING", "attach", "perform"]

STRUCTURE, WEIGHTS, WRAPPING = 0, 1, 2
"""The order of edits: layers are exchanged first, then weights drawn, then what scales inputs and target put around."""

Sample = Sequence[Tensor]


@dataclass(frozen=True)
class Edit:
    """``apply(module, sample)`` changes a module, in place or by putting it into another, and gives the new one.

    It raises `ConfigError` where it can't be done. ``sample`` is the inputs of a few rows.
    """

    what: str
    apply: Callable[[nn.Module, Sample], nn.Module]
    stage: int = STRUCTURE
    reshapes: bool = False
    """Whether the output's columns may change."""


def perform(edits: Sequence[Edit], module: nn.Module, sample: Sample) -> nn.Module:
    """Give a module with all edits made; the one that was given is left as it is.

    Raises:
        ConfigError: an edit can't be made, or the edited module fails on the sample.

    >>> double = Edit("doubled", lambda module, sample: nn.Sequential(module, module))
    >>> len(perform([double], nn.Linear(2, 2), [torch.zeros(3, 2)]))
    2
    """
    shape = _shape(module, sample)
    edited = copy.deepcopy(module)
    for edit in sorted(edits, key=lambda edit: edit.stage):
        edited = edit.apply(edited, sample)
        shape = _checked(edit, edited, sample, shape)
    return edited


def _checked(edit: Edit, module: nn.Module, sample: Sample, before: tuple[int, ...]) -> tuple[int, ...]:
    try:
        after = _shape(module, sample)
    except BadInput:
        raise
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"'{edit.what}' does not fit this module: {first}.") from error
    if after != before and not edit.reshapes:
        raise ConfigError(f"'{edit.what}' must not change the output's shape.", got=[before, after])
    return after


def _shape(module: nn.Module, sample: Sample) -> tuple[int, ...]:
    with restored_random_state(), torch.no_grad(), evaluating(module):
        output = module(*sample)
    first = output[0] if isinstance(output, (tuple, list)) else output
    return tuple(first.shape)


def attach(module: nn.Module, where: str, *after: nn.Module) -> None:
    """Let further modules take the output of the one named, in its place."""
    module.set_submodule(where, nn.Sequential(module.get_submodule(where), *after))
