"""The draws of scikit-learn's shuffling splits, replayed in a few bytes a row: the same rows, for the same seed.

scikit-learn holds the rows in lists of Python's numbers on the way, and permutations of 8 bytes a row. A shuffle draws
the same numbers whatever it shuffles, so the rows' own numbers are shuffled here, in as few bytes as hold them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["Labels", "all_rows", "class_counts", "drawn_alike", "drawn_by_class"]

AT_ONCE = 1 << 20
"""Rows that are looked up at once: NumPy takes eight bytes for each index on the way."""

Rows = np.ndarray[Any, np.dtype[Any]]
Labels = np.ndarray[Any, np.dtype[Any]]
Counts = np.ndarray[Any, np.dtype[np.int64]]


def all_rows(count: int) -> Rows:
    """Give the numbers of so many rows, in as few bytes as hold them."""
    return np.arange(count, dtype=np.min_scalar_type(count))


def drawn_alike(rows: Rows, wanted: int, seed: int) -> tuple[Rows, Rows]:
    """Draw so many rows as ``train_test_split(rows, test_size=wanted, random_state=seed)`` does.

    >>> stays, goes = drawn_alike(np.arange(5), 2, seed=0)
    >>> stays.tolist(), goes.tolist()
    ([1, 3, 4], [2, 0])
    """
    order = rows.copy()
    np.random.RandomState(seed).shuffle(order)
    return order[wanted:], order[:wanted]


def drawn_by_class(rows: Rows, labels: Labels, counts: Counts, wanted: int, seed: int) -> tuple[Rows, Rows]:
    """Draw so many rows as ``train_test_split(rows, stratify=labels[rows], ...)`` does.

    Args:
        rows: The rows that are divided, in the order in which they were given before.
        labels: The class of each row of the table, from 0 on.
        counts: How many of ``rows`` each class has; those of a class of fewer than two stay.
        wanted: How many are drawn: at least one of each class that is divided, and not the last one.
        seed: The seed of the draw.

    Returns:
        The rows that stay, in scikit-learn's order, and those that go, in some order.

    >>> stays, goes = drawn_by_class(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), np.array([3, 3]), 2, seed=0)
    >>> stays.tolist(), goes.tolist()
    ([2, 5, 1, 3], [0, 4])
    """
    generator = np.random.RandomState(seed)
    order, ends = _by_class(rows, labels, counts), np.cumsum(counts)
    sizes = counts[counts >= 2]
    stay = _apportioned(sizes, int(sizes.sum()) - wanted, generator)
    go = _apportioned(sizes - stay, wanted, generator)
    parts = [order[end - size : end] for end, size in zip(ends[counts >= 2], sizes, strict=True)]
    for part in parts:
        generator.shuffle(part)
    alone = order[ends[counts == 1] - 1]
    goes = np.concatenate([part[kept : kept + gone] for part, kept, gone in zip(parts, stay, go, strict=True)])
    stays = _closed_up(order, [part[:kept] for part, kept in zip(parts, stay, strict=True)])
    generator.shuffle(stays)
    return np.concatenate([stays, rows[np.isin(rows, alone)]]) if len(alone) else stays, goes


def class_counts(rows: Rows, labels: Labels) -> Counts:
    """Count the rows of each class."""
    counts = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.int64)
    for _, classes in _pieces(rows, labels):
        counts += np.bincount(classes, minlength=len(counts))
    return counts


def _pieces(rows: Rows, labels: Labels) -> Iterator[tuple[Rows, Labels]]:
    """Give some rows at a time, with their classes."""
    for first in range(0, len(rows), AT_ONCE):
        part = rows[first : first + AT_ONCE]
        yield part, labels[part]


def _by_class(rows: Rows, labels: Labels, counts: Counts) -> Rows:
    """Sort rows by class; those of one class stand as they did."""
    grouped = np.empty_like(rows)
    following = np.cumsum(counts) - counts
    for part, classes in _pieces(rows, labels):
        found = np.bincount(classes, minlength=len(counts))
        places = np.arange(len(part)) + np.repeat(following - (np.cumsum(found) - found), found)
        grouped[places] = part[np.argsort(classes, kind="stable")]
        following += found
    return grouped


def _apportioned(sizes: Counts, wanted: int, generator: np.random.RandomState) -> Counts:
    """Share a number of rows out to classes by their sizes, those of equal remainders by lot.

    Source: ``_approximate_mode`` of scikit-learn, which ``StratifiedShuffleSplit`` draws with.
    """
    shares = sizes / sizes.sum() * wanted
    whole = np.floor(shares)
    left = int(wanted - whole.sum())
    remainders = shares - whole
    for remainder in np.unique(remainders)[::-1] if left > 0 else ():
        alike = np.flatnonzero(remainders == remainder)
        taken = min(len(alike), left)
        whole[generator.choice(alike, size=taken, replace=False)] += 1
        left -= taken
        if left == 0:
            break
    return np.asarray(whole, dtype=np.int64)


def _closed_up(order: Rows, parts: list[Rows]) -> Rows:
    """Move parts of an array to its front, in their order, and give them; no second array is taken for it."""
    end = 0
    for part in parts:
        for first in range(0, len(part), AT_ONCE):
            piece = part[first : first + AT_ONCE]
            order[end : end + len(piece)] = piece
            end += len(piece)
    return order[:end]
