"""Labels shuffled among the rows: what is learned from them must be worth less than from the real ones."""

from __future__ import annotations

import math
from typing import Any

import torch

from wellfit.data.batches import Batch
from wellfit.findings import Finding, Remedy
from wellfit.rehearsal.small_training import constant_loss, row_losses, rows_of, train_copy
from wellfit.runtime import keyed_generator
from wellfit.training import Trainer

__all__ = ["shuffle_labels"]

TRAIN_ROWS, VALID_ROWS = 4096, 1024
"""Rows learned from and judged by: a difference of a twentieth of the losses' spread is then seen for sure."""
STEPS = 300
"""Updates of each of the two trainings; patience ends them sooner."""
PATIENCE = 5
SURE = 2.0
"""Standard errors by which the real labels must do better."""
WORSE = 1.5
"""Times a constant guess's loss. Labels without meaning leave the best epoch near that guess; what is far above it was
thrown there by its own updates."""

Look = tuple[dict[str, Any], list[str], list[Finding]]


def shuffle_labels(trainer: Trainer) -> Look:
    """Train two copies, one on shuffled labels, and compare them on validation rows.

    Labels are shuffled among the training rows, and among the validation rows: the epoch that is best on real ones
    would be one whose weights are right by chance.
    """
    if trainer.valid is None:
        return {}, [], []
    rows, held = rows_of(trainer, TRAIN_ROWS), rows_of(trainer, VALID_ROWS, valid=True)
    generator = keyed_generator(trainer.recipe.seed, "shuffled", device=rows.target.device)
    mixed = [_shuffled(part, generator) for part in (rows, held)]
    size = min(trainer.recipe.batch_rows, rows.rows)
    epochs = max(PATIENCE + 1, math.ceil(STEPS * size / rows.rows))
    losses = []
    for part, beside in ((Batch(rows.inputs, rows.target, None), held), mixed):
        module, _ = train_copy(trainer, part, beside, epochs=epochs, batch_rows=size, patience=PATIENCE)
        losses.append(row_losses(trainer, module, beside))
    real, shuffled = losses
    gain = shuffled - real
    error = float(gain.std()) / math.sqrt(len(gain)) if len(gain) > 1 else math.inf
    facts = {
        "rows": rows.rows,
        "valid_loss": float(real.mean()),
        "valid_loss_shuffled": float(shuffled.mean()),
        "standard_errors": float(gain.mean()) / error if error > 0 else 0.0,
    }
    said = (
        f"Labels shuffled: validation loss {facts['valid_loss_shuffled']:.4g}, {facts['valid_loss']:.4g} as they are."
    )
    guess = constant_loss(trainer, held)
    if guess is not None and guess > 0 and not facts["valid_loss"] < WORSE * guess:
        return facts, [said], [_unstable({**facts, "constant_loss": guess})]
    return facts, [said], [] if facts["standard_errors"] > SURE else [_without_meaning(facts)]


def _shuffled(rows: Batch, generator: torch.Generator) -> Batch:
    order = torch.randperm(rows.rows, generator=generator, device=rows.target.device)
    return Batch(rows.inputs, rows.target[order], None)


def _unstable(facts: dict[str, Any]) -> Finding:
    return Finding(
        code="learning_rate_too_high",
        severity="warning",
        evidence=facts,
        message=f"A small training ends at a validation loss of {facts['valid_loss']:.4g} at its best, and a constant "
        f"guess has {facts['constant_loss']:.4g}: its updates overshoot.",
        remedies=(Remedy(path="train.optimizer.lr", value="auto", why="the optimizer's own rate"),),
    )


def _without_meaning(facts: dict[str, Any]) -> Finding:
    return Finding(
        code="shuffled_labels",
        severity="warning",
        where="target",
        evidence=facts,
        message=f"With labels shuffled among {facts['rows']:,} training rows the network does as well on validation "
        f"rows (loss {facts['valid_loss_shuffled']:.4g}) as with labels as they are ({facts['valid_loss']:.4g}): "
        "they have nothing to do with the inputs, or too little for so few rows.",
        remedies=(Remedy(path="data.source", value="...", why="check how rows and labels were brought together"),),
    )
