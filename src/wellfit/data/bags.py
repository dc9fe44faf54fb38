"""Rows for several networks that are trained side by side, each on rows of its own.

Legend: ``member`` is one of the networks. A batch has inputs ``[row, member, column]`` and a target ``[row, member]``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import KFold, StratifiedKFold
from torch import Tensor

from wellfit.data.batches import Batch, Resident, bounds
from wellfit.errors import DataError
from wellfit.runtime import keyed_generator

__all__ = ["Bagged", "Fold", "deal_folds"]

Ids = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The rows that one member learns from, and the others, on which it is judged; both by number."""

    train: Ids
    valid: Ids


def deal_folds(target: np.ndarray[tuple[int], np.dtype[np.generic]], folds: int, seed: int) -> tuple[Fold, ...]:
    """Deal rows into folds, each of which is judged by a member that did not learn from it.

    Args:
        target: Class ids, whose shares every fold keeps, or numbers, ``[row]``.
        folds: How many there are, 2 or more.
        seed: The seed of the draw.

    >>> [fold.valid.size for fold in deal_folds(np.zeros(10), 5, seed=0)]
    [2, 2, 2, 2, 2]
    """
    rows = np.zeros((len(target), 1))
    classes = target.dtype.kind != "f"
    if classes and np.bincount(target.astype(np.int64)).max() >= folds:
        dealer = StratifiedKFold(folds, shuffle=True, random_state=seed)
    else:
        dealer = KFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer rows than folds is in as many folds as it has rows: no more can be had.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return tuple(Fold(train=train, valid=valid) for train, valid in dealer.split(rows, target))


class Bagged:
    """Rows in memory from which every member draws its own batches.

    >>> table = Resident((torch.arange(6.0).reshape(6, 1),), torch.zeros(6))
    >>> data = Bagged(table, [torch.tensor([0, 1, 2, 3]), torch.tensor([2, 3, 4, 5])])
    >>> [tuple(batch.inputs[0].shape) for batch in data.epoch(batch_rows=2, seed=0, epoch=0)]
    [(2, 2, 1), (2, 2, 1)]
    """

    def __init__(self, table: Resident, members: Sequence[Tensor]) -> None:
        """Take a table, and for each member the numbers of its rows."""
        sizes = [len(ids) for ids in members]
        if not sizes or not min(sizes):
            raise DataError("Every member needs at least one row.", got=sizes)
        self.table, self.members = table, tuple(ids.to(table.target.device) for ids in members)
        self.rows: int | None = min(sizes)
        """Rows of an epoch: as many as the member with the fewest has, so that all make the same updates."""

    def steps(self, batch_rows: int) -> int:
        """Give the number of batches an epoch has."""
        return len(bounds(min(map(len, self.members)), batch_rows))

    def epoch(self, *, batch_rows: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Walk through a shuffled epoch from batch ``start`` on; every member has an order of its own."""
        fewest = min(map(len, self.members))
        chosen = torch.stack(
            [ids[self._order(seed, epoch, place, len(ids))[:fewest]] for place, ids in enumerate(self.members)], dim=1
        )
        for first, last in bounds(fewest, batch_rows)[start:]:
            yield self._gather(chosen[first:last])

    def _order(self, seed: int, epoch: int, member: int, rows: int) -> Tensor:
        order: Tensor = torch.randperm(rows, generator=keyed_generator(seed, "order", epoch, member))
        return order.to(self.table.target.device)

    def _gather(self, chosen: Tensor, present: Tensor | None = None) -> Batch:
        """Give rows ``[row, member]``; where ``present`` is 0 a row stands only to fill the shape."""
        flat, shape = chosen.reshape(-1), chosen.shape
        inputs = tuple(part.index_select(0, flat).reshape(*shape, *part.shape[1:]) for part in self.table.inputs)
        target = self.table.target.index_select(0, flat).reshape(*shape, *self.table.target.shape[1:])
        weight = self.table.weight
        given = None if weight is None else weight.index_select(0, flat).reshape(shape)
        if present is not None:
            given = present if given is None else given * present
        return Batch(inputs, target, given)

    def walk(self, batch_rows: int) -> Iterator[Batch]:
        """Walk through every member's rows as they stand; members with fewer are filled up with rows of weight 0."""
        longest = max(map(len, self.members))
        chosen = torch.stack([_filled(ids, longest) for ids in self.members], dim=1)
        places = torch.arange(longest, device=chosen.device)[:, None]
        lengths = torch.tensor([len(ids) for ids in self.members], device=chosen.device)
        present = None if bool((lengths == longest).all()) else (places < lengths).float()
        rows = max(1, batch_rows // len(self.members))
        for first in range(0, longest, rows):
            part = slice(first, first + rows)
            yield self._gather(chosen[part], None if present is None else present[part])

    def peek(self) -> Batch:
        """Give at most two rows, to try a module on."""
        return self._gather(torch.stack([_filled(ids, max(2, len(ids)))[:2] for ids in self.members], dim=1))

    def sample(self, count: int) -> Batch:
        """Give at most so many rows of every member, spread evenly over all of its own."""
        rows = min(count, *map(len, self.members))
        chosen = [ids[torch.linspace(0, len(ids) - 1, rows).round().long().to(ids.device)] for ids in self.members]
        return self._gather(torch.stack(chosen, dim=1))

    def member(self, place: int) -> Resident:
        """Give the rows of one member alone."""
        batch = self._gather(self.members[place])
        return Resident(batch.inputs, batch.target, batch.weight)

    def with_table(self, table: Resident) -> Bagged:
        """Give the same rows of a table whose target was checked, or which is on another device."""
        return Bagged(table, self.members)


def _filled(ids: Tensor, rows: int) -> Tensor:
    """Repeat the last row up to a length."""
    return torch.cat([ids, ids[-1:].expand(rows - len(ids))]) if len(ids) < rows else ids
