"""How many rows an update takes: what an optimizer's name says against what was asked for."""

from __future__ import annotations

from typing import Any

from wellfit.errors import ConfigError
from wellfit.optimizers.entry import OptimizerEntry

__all__ = ["check_batch_size", "default_batch_size"]


def default_batch_size(rows: int) -> int:
    """Give a power of two between 16 and 256 that makes about 64 updates an epoch, and at most all rows.

    >>> default_batch_size(50_000), default_batch_size(1_000), default_batch_size(10)
    (256, 16, 10)
    """
    wanted = max(16, min(256, rows // 64))
    return min(rows, 1 << (wanted.bit_length() - 1))


def check_batch_size(entry: OptimizerEntry, batch_size: int | None, rows: int) -> int:
    """Give the rows an update takes: the given number, or, for None, what the optimizer's rule says.

    Args:
        entry: the optimizer.
        batch_size: rows asked for, at least 1, or None.
        rows: rows of the training set, at least 1.

    Raises:
        ConfigError: the number contradicts the rule; the error names the optimizer that fits.

    >>> from wellfit.optimizers import OPTIMIZERS
    >>> check_batch_size(OPTIMIZERS["sgd"], None, 1000), check_batch_size(OPTIMIZERS["bgd"], None, 1000)
    (1, 1000)
    >>> check_batch_size(OPTIMIZERS["sgd"], 32, 1000)
    Traceback (most recent call last):
    ...
    wellfit.errors.ConfigError: sgd takes one row per update, batch_size 1. Got 32. Use minibatch.
    """
    if batch_size is None:
        return {"full": rows, "single": 1}.get(entry.batch_rule, default_batch_size(rows))
    _require_count(batch_size)
    if entry.batch_rule == "any":
        return min(batch_size, rows)
    problem = _CONTRADICTIONS[entry.batch_rule](entry, batch_size, rows)
    if problem:
        rule, remedy = problem
        raise ConfigError(f"{entry.name} takes {rule}.", got=batch_size, do=remedy)
    return batch_size


def _require_count(batch_size: Any) -> None:
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ConfigError("'batch_size' must be a whole number from 1 on.", got=batch_size, do="Try 256.")


def _against_full(entry: OptimizerEntry, batch_size: int, rows: int) -> tuple[str, str] | None:
    if batch_size == rows:
        return None
    rule = f"the whole set per update, batch_size {rows} here"
    if entry.refuses_combinations.get("batch_size"):
        return f"{rule}: {entry.refuses_combinations['batch_size']}", "Leave batch_size out, or use adam."
    return rule, "Use sgd." if batch_size == 1 else "Use minibatch." if batch_size < rows else "Leave batch_size out."


def _against_single(entry: OptimizerEntry, batch_size: int, rows: int) -> tuple[str, str] | None:
    if batch_size == 1:
        return None
    return "one row per update, batch_size 1", "Use minibatch." if batch_size < rows else "Use bgd."


def _against_mini(entry: OptimizerEntry, batch_size: int, rows: int) -> tuple[str, str] | None:
    if 1 < batch_size < rows:
        return None
    rule = f"more than one row and fewer than all {rows} per update"
    return rule, "Use sgd." if batch_size == 1 else "Use bgd."


_CONTRADICTIONS = {"full": _against_full, "single": _against_single, "mini": _against_mini}
