"""Outputs, losses and metrics over a whole set of rows, with no gradient and no randomness."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wellfit.data.bags import Bagged
from wellfit.data.batches import Batch, Batches, Resident
from wellfit.training.recipe import LossLike, Score

__all__ = ["evaluate", "evaluating", "prepared"]

_ROWS_AT_ONCE = 4096
"""Large enough for full matrix products, small enough to stay in the cache."""


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put every part of a module in evaluation mode, and each back into the mode it was in."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def evaluate(
    forward: Callable[..., Any],
    rows: Batches,
    loss: LossLike,
    *,
    device: torch.device,
    batch_rows: int = _ROWS_AT_ONCE,
    outputs: int = 1,
    score: Score | None = None,
) -> dict[str, float]:
    """Give the mean loss over all rows as ``loss``, and the metric under its name.

    The mean is over rows (or their weights), whatever the sizes of the batches.
    """
    total, weight = 0.0, 0.0
    targets: list[Tensor] = []
    predictions: list[Tensor] = []
    with torch.inference_mode():
        for batch in rows.walk(max(batch_rows, _ROWS_AT_ONCE)):
            part = prepared(batch.to(device), loss, rows, outputs)
            output = forward(*part.inputs)
            part_total, part_weight = loss.total(output, part.target, part.weight)
            total += float(part_total)
            weight += float(part_weight)
            if score is not None:
                truth, said = _by_row(rows, part, loss.activate(output).float())
                targets.append(truth)
                predictions.append(said)
    figures = {"loss": total / weight if weight else math.nan}
    if score is not None:
        figures[score.name] = score.function(_joined(targets), _joined(predictions))
    return figures


def _by_row(rows: Batches, part: Batch, said: Tensor) -> tuple[Tensor, Tensor]:
    """Give target and answers a row; of members with rows of their own, one after the other, without the fillers."""
    if not isinstance(rows, Bagged):
        return part.target, said
    truth, said = part.target.flatten(0, 1), said.flatten(0, 1)
    if part.weight is None:
        return truth, said
    present = part.weight.flatten() > 0
    return truth[present], said[present]


def prepared(batch: Batch, loss: LossLike, rows: Batches, outputs: int) -> Batch:
    """Check the targets of rows that come batch by batch; resident ones were checked as a whole."""
    if isinstance(rows, (Resident, Bagged)):
        return batch
    return Batch(batch.inputs, loss.prepare(batch.target, outputs), batch.weight)


def _joined(parts: list[Tensor]) -> np.ndarray[Any, Any]:
    return torch.cat(parts).cpu().numpy()
