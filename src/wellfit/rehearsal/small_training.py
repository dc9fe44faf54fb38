"""A small training of a copy: the settings of the real one, without what only a long training needs."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.data.batches import Batch, Resident
from wellfit.history import History
from wellfit.training import Recipe, Trainer
from wellfit.training.constant_guess import constant_output
from wellfit.training.decoding import decoder_of
from wellfit.training.evaluation import evaluating
from wellfit.training.survey import sample_rows

__all__ = ["constant_loss", "mean_loss", "row_losses", "rows_of", "train_copy"]


def rows_of(trainer: Trainer, count: int, *, valid: bool = False) -> Batch:
    """Give rows, evenly spread over the training or the validation rows, with targets as the loss wants them."""
    rows = trainer.valid if valid and trainer.valid is not None else trainer.train
    return sample_rows(rows, count).to(trainer.recipe.device)


def train_copy(
    trainer: Trainer, rows: Batch, beside: Batch, *, epochs: int, batch_rows: int, **changes: Any
) -> tuple[nn.Module, History]:
    """Train a copy of a trainer's module, as it is now, and keep the weights of the epoch best on the rows beside.

    The rate stays the same throughout, and nothing that holds a network back is at work: penalties, noise, averages.
    """
    module = copy.deepcopy(trainer.module)
    recipe: Recipe = replace(
        trainer.recipe,
        **{
            "epochs": epochs,
            "batch_rows": batch_rows,
            "steps": None,
            "epoch_steps": None,
            "factor": None,
            "l1": 0.0,
            "l2": 0.0,
            "weight_decay": 0.0,
            "noise": 0.0,
            "accumulate": 1,
            "ema": None,
            "compile": False,
            "watch": False,
            "score": None,
            "monitored": "loss",
            "greater_is_better": False,
            "patience": None,
            "restore_best": True,
            **changes,
        },
    )
    small = Trainer(module, _resident(rows), _resident(beside), recipe)
    small.run()
    return module, small.history


def _resident(batch: Batch) -> Resident:
    return Resident(batch.inputs, batch.target, batch.weight)


def constant_loss(trainer: Trainer, rows: Batch) -> float | None:
    """Give the mean loss of the best constant output on rows; None where there is none."""
    loss = trainer.recipe.loss
    with torch.no_grad(), evaluating(trainer.module):
        output = trainer.module(*rows.inputs)
    decoder = decoder_of(loss, output, rows.target) if isinstance(output, Tensor) else None
    best = None if decoder is None else constant_output(loss, decoder, rows.target, output.shape[1:])
    if best is None:
        return None
    total, weight = loss.total(best.expand(rows.rows, *best.shape), rows.target)
    return float(total) / float(weight)


def mean_loss(trainer: Trainer, module: nn.Module, rows: Batch) -> float:
    """Give the mean loss of rows, in evaluation mode."""
    with torch.inference_mode(), evaluating(module):
        total, weight = trainer.recipe.loss.total(module(*rows.inputs), rows.target, rows.weight)
    return float(total) / float(weight)


def row_losses(trainer: Trainer, module: nn.Module, rows: Batch) -> Tensor:
    """Give the loss of each row by itself, in evaluation mode."""
    loss = trainer.recipe.loss
    with torch.inference_mode(), evaluating(module):
        output = module(*rows.inputs)
        parts = [slice(row, row + 1) for row in range(rows.rows)]
        return torch.stack([loss.total(output[part], rows.target[part])[0].reshape(()) for part in parts]).double()
