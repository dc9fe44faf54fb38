"""Columns that give the target away: one of them alone predicts it almost perfectly on rows it was not fitted on.

Every column is turned into bins (each level one, numbers by quantiles, missing cells one of their own); the target's
mean in each bin of one half of the training rows is predicted for the other, and the other way round.

    classes     area under the ROC curve, each class against the rest, and the mean recall
    numbers     R2 between ranks, or the square of Spearman's correlation where that is greater
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.naming import safely_named
from wellfit.data.cleaning.target import TargetPlan
from wellfit.data.compact import is_compact, is_worded, level_counts, numbered
from wellfit.data.order_statistics import quantiles
from wellfit.findings import Finding, Remedy

__all__ = ["target_leaks"]

AUC, RECALL, RANK_R2 = 0.99, 0.98, 0.98
"""From these on a column predicts almost perfectly. The best single columns of real tables stay below: the smell of
mushrooms has 0.988 and 0.985, the carats of diamonds 0.93."""

COPY = 0.97
"""The same for a column of no more levels than the target has classes: a copy with a few slips, which no column
that was measured by itself resembles."""

SUM_R2 = 0.999_999
"""From this on the target is a sum of columns, to the last digits that a file keeps."""

LEAST_ROWS, LEAST_OF_CLASS = 50, 10
"""Fewer rows, or fewer of a class, are separated by chance."""

MOST_ROWS = 20_000
MOST_BINS, ROWS_PER_BIN, FEWEST_PER_VALUE = 256, 30, 10
MOST_CLASSES = 30

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class _Score:
    figure: float
    """Area under the curve, or R2 of ranks."""
    recall: float = 1.0
    copied: bool = False
    """Whether the column has no more levels than the target has classes."""


def target_leaks(typed: pl.DataFrame, target: TargetPlan, encoded: np.ndarray[Any, Any]) -> Iterator[Finding]:
    """Name the columns that predict the target almost perfectly, with the evidence.

    Args:
        typed: Typed training rows, as `CleaningPlan.apply` gives them.
        target: The target's plan.
        encoded: The target of each row, as `TargetPlan.encode` gives it.
    """
    rows = _sampled(np.flatnonzero(np.isfinite(encoded) if target.task == "regression" else encoded >= 0))
    truth = _truth(encoded[rows], target)
    if len(rows) < LEAST_ROWS or truth.shape[1] == 0:
        return
    shuffled = truth[np.random.default_rng(0).permutation(len(truth))]
    found: list[str] = []
    for series in typed[rows].get_columns():
        cells = safely_named(series)
        score = _score(cells, truth, target.task)
        if not _is_leak(score, target.task):
            continue
        found.append(series.name)
        yield _finding(series.name, target, score, _score(cells, shuffled, target.task, always=True).figure)
    if target.task == "regression" and not found:
        yield from _sums(typed[rows], encoded[rows].astype(np.float64))


def _sampled(rows: Ids) -> Ids:
    """Take evenly spaced rows, an even number of steps apart in neither half."""
    if len(rows) <= MOST_ROWS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]


def _truth(encoded: np.ndarray[Any, Any], target: TargetPlan) -> Floats:
    """Give ranks in [0, 1] as one column, or a column of zeros and ones for every class of enough rows."""
    if target.task == "regression":
        return _ranks(encoded.astype(np.float64))[:, None]
    counts = np.bincount(encoded, minlength=len(target.classes))
    classes = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    classes = classes[counts[classes] >= LEAST_OF_CLASS]
    if len(classes) < 2:
        return np.empty((len(encoded), 0))
    found: Floats = (encoded[:, None] == classes[None, :]).astype(np.float64)
    return found


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), dtype=np.float64) / len(values)


def _score(series: pl.Series, truth: Floats, task: str, *, always: bool = False) -> _Score:
    """Score a column; without ``always``, one that fails by its recall is spared the sorting for the area."""
    bins = _bins(series)
    guess = _cross_fitted(bins, truth)
    if task == "regression":
        left = ((truth - guess) ** 2).sum() / max(((truth - truth.mean()) ** 2).sum(), 1e-12)
        return _Score(max(1.0 - float(left), _spearman(series, truth[:, 0])))
    chosen, own = guess.argmax(axis=1), truth.argmax(axis=1)
    known = truth.any(axis=1)
    labels = range(truth.shape[1])
    recall = float(np.mean([(chosen[known & (own == label)] == label).mean() for label in labels]))
    if recall < COPY and not always:
        return _Score(0.0, recall)
    area = float(np.mean([_auc(guess[:, label], truth[:, label]) for label in labels]))
    return _Score(area, recall, len(np.unique(bins)) <= truth.shape[1])


def _bins(series: pl.Series) -> Ids:
    """Give the bin of each cell; 0 is for the missing ones."""
    if is_compact(series):
        ranks = {text: rank for rank, text in enumerate(sorted(level_counts(series)), 1)}
        return numbered(series.alias("cell"), ranks, 0)
    if is_worded(series):
        return series.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    values = series.cast(pl.Int64).to_physical() if isinstance(series.dtype, pl.Datetime) else series
    if values.n_unique() <= min(MOST_BINS, values.count() / FEWEST_PER_VALUE):
        return values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    numbers = values.cast(pl.Float64).to_numpy()
    known = numbers[~np.isnan(numbers)]
    most = int(np.clip(len(known) / ROWS_PER_BIN, 8, MOST_BINS))
    edges = np.unique(quantiles(known, np.linspace(0, 1, most + 1)[1:-1]))
    return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(edges, numbers, side="right")).astype(np.int64)


def _cross_fitted(bins: Ids, truth: Floats) -> Floats:
    """Give for each row the mean of its bin on the other half of the rows, drawn to the mean of all."""
    half = np.random.default_rng(1).permutation(len(bins)) % 2 == 0
    guess, size = np.empty_like(truth), int(bins.max()) + 1
    for mine, theirs in ((half, ~half), (~half, half)):
        known, answers = bins[theirs], truth[theirs]
        prior = answers.mean(axis=0)
        counts = np.bincount(known, minlength=size)[:, None]
        sums = np.stack([np.bincount(known, column, size) for column in answers.T], axis=1)
        guess[mine] = ((sums + prior) / (counts + 1.0))[bins[mine]]
    return guess


def _spearman(series: pl.Series, ranks: Floats) -> float:
    """Give the square of Spearman's correlation; missing cells count as no relation at all."""
    if series.dtype != pl.Float64 or series.null_count() > 0.5 * len(series):
        return 0.0
    values = series.to_numpy()
    known = ~np.isnan(values)
    mine, theirs = _ranks(values[known]), _ranks(ranks[known])
    if mine.std() == 0.0 or theirs.std() == 0.0:
        return 0.0
    return float(np.corrcoef(mine, theirs)[0, 1] ** 2) * float(known.mean())


def _auc(guess: Floats, truth: Floats) -> float:
    from scipy.stats import rankdata

    ones = int(truth.sum())
    wins = rankdata(guess)[truth == 1].sum() - ones * (ones + 1) / 2
    return float(wins / (ones * (len(truth) - ones)))


def _is_leak(score: _Score, task: str) -> bool:
    if task == "regression":
        return score.figure >= RANK_R2
    if score.copied:
        return score.figure >= COPY and score.recall >= COPY
    return score.figure >= AUC and score.recall >= RECALL


def _finding(name: str, target: TargetPlan, score: _Score, control: float) -> Finding:
    measure = "R2 of ranks" if target.task == "regression" else "AUC"
    copy = "is the target in another form" if min(score.figure, score.recall) >= 0.9999 else "predicts the target alone"
    return Finding(
        code="target_leakage",
        severity="warning",
        where=name,
        message=(
            f"'{name}' {copy}: {measure} {score.figure:.4f} on rows it was not fitted on, {control:.2f} with the "
            "target shuffled. It may not be known when a prediction is made."
        ),
        evidence={"score": score.figure, "shuffled": control, "measure": measure},
        remedies=(Remedy(path=f"features.columns.{name}.type", value="drop", why="unless it is known beforehand"),),
    )


def _sums(typed: pl.DataFrame, truth: Floats) -> Iterator[Finding]:
    """Name the columns whose weighted sum is the target."""
    numbers = [series for series in typed.get_columns() if series.dtype == pl.Float64 and not series.null_count()]
    if len(numbers) < 2 or len(truth) < 10 * len(numbers):
        return
    matrix = np.column_stack([series.to_numpy() for series in numbers])
    spread = matrix.std(axis=0)
    scaled = (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    weights, *_ = np.linalg.lstsq(np.column_stack([scaled, np.ones(len(truth))]), truth, rcond=None)
    left = truth - scaled @ weights[:-1] - weights[-1]
    score = 1.0 - float((left**2).sum() / ((truth - truth.mean()) ** 2).sum())
    if score < SUM_R2:
        return
    shares = np.abs(weights[:-1]) / np.abs(weights[:-1]).max()
    parts = [series.name for series, share in zip(numbers, shares, strict=True) if share > 1e-3]
    named = ", ".join(map(repr, parts[:6]))
    message = f"The target is a weighted sum of {named}: a linear fit leaves {1 - score:.1e} of its variance."
    remedies = tuple(
        Remedy(path=f"features.columns.{name}.type", value="drop", why="unless it is known beforehand")
        for name in parts
    )
    evidence: dict[str, float | int | str] = {"score": score, "measure": "R2 of a sum", "columns": len(parts)}
    code = "target_leakage"
    yield Finding(code=code, severity="warning", where=parts[0], message=message, evidence=evidence, remedies=remedies)
