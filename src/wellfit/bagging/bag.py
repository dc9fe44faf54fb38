"""A bag: a prepared table whose rows are dealt to members, each of which is judged on rows it did not learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from wellfit.baselines import Baselines
from wellfit.config import Config
from wellfit.data.bags import Bagged, Fold, deal_folds
from wellfit.data.batches import Resident
from wellfit.models import TableInputs
from wellfit.prediction import Predictor, Scores
from wellfit.prepared import Prepared, PreparedTable

__all__ = ["Bag", "Pool", "pooled"]

Array = np.ndarray[Any, np.dtype[Any]]

_MANY_ROWS = 20_000
"""Rows from which on there are fewer folds: each member sees enough of them, and one more fold costs more."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The rows that members learn from and are judged on, and how they are dealt."""

    rows: Resident
    """Training rows, then validation rows."""
    folds: tuple[Fold, ...]
    """One a member; where there are more members than folds, they go round."""
    crossed: bool
    """Whether the folds cross all rows; else every member is judged on the validation rows."""

    def fold(self, member: int) -> Fold:
        """Give the fold of a member."""
        return self.folds[member % len(self.folds)]


def pooled(prepared: PreparedTable, *, crossed: bool = True) -> Pool:
    """Put training and validation rows together, and deal them.

    Rows that belong together (groups, times, tables of their own) were dealt for a reason: then the validation rows
    stay what they are, and every member learns from all training rows; so it is too where ``crossed`` is False.
    """
    parts = [prepared.batches(name) for name in ("train", "valid")]
    inputs = tuple(torch.cat(pair) for pair in zip(*(part.inputs for part in parts), strict=True))
    weights = [part.weight for part in parts if part.weight is not None]
    rows = Resident(inputs, torch.cat([part.target for part in parts]), torch.cat(weights) if weights else None)
    target = rows.target.numpy()
    if crossed and _exchangeable(prepared.config):
        count = 5 if len(target) > _MANY_ROWS else 8
        folds = deal_folds(target, min(count, len(target) // 2), prepared.config.split.seed)
        return Pool(rows=rows, folds=folds, crossed=True)
    learned = int(parts[0].target.shape[0])
    ids = np.arange(len(target))
    return Pool(rows=rows, folds=(Fold(train=ids[:learned], valid=ids[learned:]),), crossed=False)


def _exchangeable(config: Config) -> bool:
    # By files: the test rows are a table of their own, and the validation rows were drawn from the rest.
    dealt = config.split.method in ("random", "stratified", "files") and config.split.folds is None
    return dealt and config.data.valid is None


@dataclass(frozen=True, kw_only=True)
class Bag(Prepared):
    """A table as the members of one architecture see it."""

    table: PreparedTable
    pool: Pool
    members: int
    """How many networks learn side by side, a fold each."""
    first: int = 0
    """The fold of the first."""

    @classmethod
    def of(cls, table: PreparedTable, pool: Pool, members: int, config: Config, first: int = 0) -> Bag:
        """Give a bag of so many members, of the folds from ``first`` on, trained by a config of their own."""
        return cls(
            table=table,
            pool=pool,
            members=members,
            first=first,
            config=config,
            source=table.source,
            target=table.target,
            rows=table.rows,
            set_aside=table.set_aside,
        )

    @property
    def inputs(self) -> TableInputs:
        """What a network reads of a row."""
        return self.table.inputs

    def ids(self, split: str) -> list[torch.Tensor]:
        """Give the numbers of each member's rows in the pool."""
        folds = [self.pool.fold(self.first + member) for member in range(self.members)]
        return [torch.from_numpy(fold.train if split == "train" else fold.valid) for fold in folds]

    def batches(self, split: str, weights: Mapping[str, Array] | None = None) -> Bagged | Resident:
        """Give each member's rows of a split, side by side; a single one's as any network reads them."""
        bagged = Bagged(self.pool.rows, self.ids(split))
        return bagged if self.members > 1 else bagged.member(0)

    def predictor(self, module: nn.Module, loss: Mapping[str, Any], config: Config) -> Predictor:
        """Give what predicts from raw rows with a network."""
        return self.table.predictor(module, loss, config)

    def score(self, predictor: Predictor, split: str) -> Scores:
        """Predict the rows of a split, and score them."""
        return self.table.score(predictor, split)

    def baselines(self, predictor: Predictor, split: str, *, deadline: float | None) -> Baselines:
        """Fit the baselines on the training rows, and score them on the rows of a split."""
        return self.table.baselines(predictor, split, deadline=deadline)

    def plan(self) -> dict[str, Any]:
        """Give what ``plan.json`` holds."""
        return self.table.plan()

    def content(self, split: str) -> str:
        """Give a checksum of the raw rows of a split."""
        return self.table.content(split)
