"""Module and loss, tried on two rows before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.data.batches import Batches
from wellfit.errors import BadInput, DataError
from wellfit.runtime import restored_random_state
from wellfit.training.evaluation import evaluating
from wellfit.training.recipe import LossLike

__all__ = ["tried"]


def tried(module: nn.Module, loss: LossLike, train: Batches, device: torch.device) -> int:
    """Try module and loss on two rows, so that a wrong shape is said before anything is trained.

    Gives the number of the output's columns.
    """
    module.to(device)
    # With gradients, so that a loss from which none would come is seen too.
    with restored_random_state(), torch.enable_grad(), evaluating(module):
        sample = train.peek().to(device)
        shapes = [tuple(part.shape) for part in sample.inputs]
        output = _asked("The module must take the inputs", shapes, lambda: module(*sample.inputs))
        columns = int(output.shape[-1]) if isinstance(output, Tensor) and output.ndim > 1 else 1
        target = loss.prepare(sample.target, columns)
        shape = [tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__, tuple(target.shape)]
        _asked("The loss must take output and target", shape, lambda: loss.total(output, target))
    return columns


def _asked(rule: str, shapes: list[Any], work: Callable[[], Any]) -> Any:
    try:
        return work()
    except BadInput:
        raise
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(f"{rule}; on two rows it said: {first.rstrip('.')}.", got=shapes) from error
