"""One batch learned by heart: a network that can't do that learns nothing else."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from wellfit.data.batches import Batch
from wellfit.findings import Finding, Remedy
from wellfit.history import History
from wellfit.optimizers import OPTIMIZERS
from wellfit.rehearsal.small_training import constant_loss, mean_loss, rows_of, train_copy
from wellfit.training import Trainer

__all__ = ["learn_by_heart"]

ROWS = 32
"""Few enough that any network of more weights than that can hold them."""
TURNS, PER_TURN = 100, 10
"""Updates, by turns after which the rows are looked at: a thousand, as TheDeepChecker (Ben Braiek and Khomh 2022)."""
LEARNT = 0.1
"""Share of a constant guess's loss below which the rows are learned; a network that learns comes below a hundredth."""
STUCK = 0.9
"""Share above which nothing was learned."""
ROSE = 2.0
"""Times a constant guess's loss: small steps do not come there from first weights, which are near that guess."""

Look = tuple[dict[str, Any], list[str], list[Finding]]


def learn_by_heart(trainer: Trainer) -> Look:
    """Train a copy on a few rows with the settings of the training; where that fails, with Adam's usual rate."""
    rows = _chosen(rows_of(trainer, 64 * ROWS))
    guess = constant_loss(trainer, rows)
    if guess is None or guess <= 0 or rows.rows < 2:
        return {}, [], []
    share, steps, history = _learned(trainer, rows, guess)
    facts: dict[str, Any] = {"rows": rows.rows, "constant_loss": guess, "share": _finite(share), "steps": steps}
    if share < LEARNT:
        return facts, [f"One batch by heart: {rows.rows} rows learned in {steps:,} updates."], []
    usual, _, _ = _learned(trainer, rows, guess, optimizer=_usual)
    facts["share_with_adam"] = _finite(usual)
    said = f"One batch by heart: after {TURNS * PER_TURN:,} updates the loss is {share:.0%} of a constant guess's."
    found = _of_the_rate(facts, history) if usual < LEARNT else _of_the_network(facts, share)
    return facts, [said], [found]


def _chosen(rows: Batch) -> Batch:
    """Choose rows with different inputs, whose targets are spread over all there are."""
    flat = torch.cat([part.reshape(rows.rows, -1).double() for part in rows.inputs], dim=1)
    _, kinds = torch.unique(flat, dim=0, return_inverse=True)
    first = torch.full((int(kinds.max()) + 1,), rows.rows, device=kinds.device).scatter_reduce(
        0, kinds, torch.arange(rows.rows, device=kinds.device), "amin"
    )
    target = rows.target[first].reshape(len(first), -1)[:, 0]
    order = first[torch.argsort(target, stable=True)]
    if not target.is_floating_point() or target.unique().numel() <= ROWS // 2:
        order = _alternating(order, rows.target.reshape(rows.rows, -1)[:, 0])
        chosen = order[:ROWS]
    else:
        chosen = order[torch.linspace(0, len(order) - 1, min(ROWS, len(order))).long().to(order.device)]
    return Batch(tuple(part[chosen] for part in rows.inputs), rows.target[chosen], None)


def _alternating(order: Tensor, target: Tensor) -> Tensor:
    """Put the first row of each class before the second ones, and so on."""
    ids = target[order]
    start = torch.searchsorted(ids.contiguous(), ids.contiguous())
    turn = torch.arange(len(order), device=order.device) - start
    return order[torch.argsort(turn, stable=True)]


def _learned(trainer: Trainer, rows: Batch, guess: float, **changes: Any) -> tuple[float, int, History]:
    """Give the share of a constant guess's loss that is left, the updates it took to learn, and the history."""
    many = Batch(tuple(torch.cat([part] * PER_TURN) for part in rows.inputs), torch.cat([rows.target] * PER_TURN))
    module, history = train_copy(trainer, many, rows, epochs=TURNS, batch_rows=rows.rows, **changes)
    losses = history["valid_loss"]
    below = [turn for turn, loss in enumerate(losses, start=1) if loss < LEARNT * guess]
    return mean_loss(trainer, module, rows) / guess, PER_TURN * (below[0] if below else len(losses)), history


def _usual(named: Any) -> torch.optim.Optimizer:
    made: torch.optim.Optimizer = OPTIMIZERS["adam"].make(named, lr=1e-3)
    return made


def _finite(share: float) -> float | None:
    return share if math.isfinite(share) else None


def _of_the_rate(facts: dict[str, Any], history: History) -> Finding:
    """Say that another rate learns the rows: this one is too high where it drove the loss up on its way."""
    losses = history["valid_loss"]
    high = "non_finite" in history.meta or not losses.size or not losses.max() < ROSE * facts["constant_loss"]
    return Finding(
        code="learning_rate_too_high" if high else "learning_rate_too_low",
        severity="warning",
        where="one batch",
        evidence=_evidence(facts),
        message=f"The rate is too {'high' if high else 'low'} to learn {facts['rows']} rows by heart in "
        f"{TURNS * PER_TURN:,} updates; Adam with a rate of 0.001 learns them.",
        remedies=(
            Remedy(path="train.optimizer.lr", value="auto", why="the optimizer's own rate"),
            Remedy(path="train.optimizer.name", value="adam", why="it learned these rows"),
        ),
    )


def _of_the_network(facts: dict[str, Any], share: float) -> Finding:
    stuck = not share < STUCK
    return Finding(
        code="not_learning" if stuck else "underfitting",
        severity="error" if stuck else "warning",
        where="one batch",
        evidence=_evidence(facts),
        message=f"The network can't learn {facts['rows']} rows by heart, at this rate or at Adam's 0.001"
        + (": it does no better than a constant guess." if stuck else "."),
        remedies=(
            Remedy(path="model.hidden", value=[256, 256], why="enough units to hold the rows"),
            Remedy(path="model.dropout", value=0.0, why="dropout keeps a network from learning rows by heart"),
            Remedy(path="model.activation", value="relu", why="hands gradients on"),
        ),
    )


def _evidence(facts: dict[str, Any]) -> dict[str, float | int | str]:
    named = {"rows": "rows", "share": "share_of_constant_loss", "share_with_adam": "share_with_adam"}
    return {title: facts[name] for name, title in named.items() if facts.get(name) is not None}
