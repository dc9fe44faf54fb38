"""Targets checked once, before training: class ids in range, no gaps, the right shape."""

from __future__ import annotations

from typing import NoReturn

import torch
from torch import Tensor

from wellfit.errors import DataError

__all__ = ["binary", "class_ids", "class_shares", "values"]

SHARES_SUM = 1e-3
"""How far from 1 the shares of a row may sum: half-precision shares are still let in."""


def values(target: Tensor, n_outputs: int, owner: str) -> Tensor:
    """Give finite values as floats: [row] for one output, [row, output] for several.

    >>> values(torch.tensor([[1], [2]]), 1, "mse")
    tensor([1., 2.])
    """
    target = _rows(target, owner)
    shape = (len(target),) if n_outputs == 1 else (len(target), n_outputs)
    if tuple(target.shape) != shape:
        _wrong_shape(target, owner, f"{shape}, one value for each row and output")
    floats = target.to(torch.get_default_dtype())
    _refuse(~torch.isfinite(floats), target, f"The target of {owner} must be finite numbers")
    return floats


def binary(target: Tensor, owner: str) -> Tensor:
    """Give class ids 0 and 1, or the probability of class 1, as floats [row].

    >>> binary(torch.tensor([True, False]), "bce")
    tensor([1., 0.])
    """
    target = _rows(target, owner)
    if target.ndim != 1:
        _wrong_shape(target, owner, f"({len(target)},), one number from 0 to 1 a row")
    floats = target.to(torch.get_default_dtype())
    inside = (floats >= 0) & (floats <= 1)
    _refuse(~inside, target, f"The target of {owner} must be 0, 1 or a number between")
    return floats


def class_ids(target: Tensor, n_classes: int, owner: str) -> Tensor:
    """Give class ids from 0 to ``n_classes - 1`` as int64 [row].

    >>> class_ids(torch.tensor([2.0, 0.0]), 3, "cce")
    tensor([2, 0])
    """
    target = _rows(target, owner)
    if target.ndim != 1:
        _wrong_shape(target, owner, f"({len(target)},), one class id a row")
    rule = f"The target of {owner} must be class ids, whole numbers from 0 to {n_classes - 1}"
    if target.is_floating_point():
        _refuse(~(target == target.floor()), target, rule)
    ids = target.to(torch.int64)
    _refuse((target < 0) | (target >= n_classes), target, rule)
    return ids


def class_shares(target: Tensor, n_classes: int, owner: str) -> Tensor:
    """Give one-hot or soft targets as floats [row, class]; the shares of a row sum to 1.

    >>> class_shares(torch.tensor([[0, 1], [1, 0]]), 2, "cce")
    tensor([[0., 1.],
            [1., 0.]])
    """
    if tuple(target.shape) != (len(target), n_classes):
        _wrong_shape(target, owner, f"({len(target)}, {n_classes}), one share for each row and class")
    floats = target.to(torch.get_default_dtype())
    whole = (floats.sum(1) - 1).abs() <= SHARES_SUM
    bad = ~(whole & (floats >= 0).all(1))
    _refuse(bad, target, f"The shares of the classes that {owner} learns from must be 0 or more and sum to 1")
    return floats


def _rows(target: Tensor, owner: str) -> Tensor:
    """Give [row, 1] as [row]; refuse what has no rows."""
    if target.is_complex() or target.ndim == 0 or len(target) == 0:
        _wrong_shape(target, owner, "at least one row of real numbers")
    return target.squeeze(-1) if target.ndim == 2 and target.shape[1] == 1 else target


def _wrong_shape(target: Tensor, owner: str, wanted: str) -> NoReturn:
    raise DataError(
        f"The target of {owner} must have the shape {wanted}.",
        got=tuple(target.shape),
        do="Check the target and the number of outputs of the last layer.",
    )


def _refuse(bad: Tensor, target: Tensor, rule: str) -> None:
    """Raise `DataError` with the number of bad rows and the first of them, if there is one."""
    rows = bad.reshape(len(bad), -1).any(1)
    count = int(rows.sum())
    if count:
        first = int(rows.nonzero()[0])
        raise DataError(
            f"{rule}; {count} of {len(rows)} rows break this, row {first} first.",
            got=target[first].tolist(),
            do="Mend these rows or leave them out.",
        )
