"""Which columns a run's predictions hang on: by permuting each, and by the network's gradients; `explain`.

Legend: ``n`` rows, ``c`` raw columns.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from wellfit.data.cleaning import rows_without_target
from wellfit.data.features import Matrix
from wellfit.errors import ConfigError, DataError
from wellfit.losses import LOSSES
from wellfit.metrics import METRICS, default_metric
from wellfit.prediction import Predictor
from wellfit.runtime import keyed_seed

__all__ = ["ROWS", "Explanation", "Importance", "explain"]

ROWS = 2_000
"""Rows that are read at the most: the error of a mean over so many is far below the differences that matter."""
_ROWS_AT_ONCE = 128
"""Rows whose slopes are found at once: a network that looks among known rows makes one for each pair."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Importance:
    """What the predictions owe to one raw column."""

    column: str
    permuted: float
    """How much worse the metric gets, in its own unit, where the column's cells are dealt anew among the rows; 0 and
    less: nothing is lost."""
    spread: float
    """Standard deviation of that over the repeats."""
    gradient: float
    """How far the output moves when the column moves by its own spread; see `explain`."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The importance of each raw column that the network reads, the greatest first."""

    metric: str
    score: float
    """The metric of the rows as they are."""
    rows: int
    of: str
    """Which rows they are."""
    repeats: int
    seed: int
    columns: tuple[Importance, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Give the explanation as JSON holds it."""
        own = {name: getattr(self, name) for name in ("metric", "score", "rows", "of", "repeats", "seed")}
        return {**own, "columns": [dict(vars(column)) for column in self.columns]}


def explain(
    predictor: Predictor,
    frame: pl.DataFrame,
    *,
    metric: str = "auto",
    of: str = "the rows given",
    repeats: int = 5,
    rows: int = ROWS,
    seed: int = 0,
) -> Explanation:
    """Measure what the predictions owe to each raw column.

    By permutation (Breiman 2001): the cells of one raw column are dealt anew among the rows, before cleaning, so that
    all that is made of the column changes together; the importance is what the metric loses. Of two columns that say
    the same, each looks unimportant, since the other is still there.

    By gradients: mean_n |d output / d x| times the standard deviation of x, for each scaled input x, summed over the
    inputs that a raw column feeds. The output is the probability of each class, averaged over the classes, or the
    scaled value. The ids of a category have no derivative: theirs is mean_n |change of the output| when the embedding
    of another row's level is put in. It needs no target and sees the network alone, near the rows as they are: a step
    that lies further off is not seen, and inputs that work against each other are added up.

    Args:
        predictor: the run's plans and network.
        frame: raw rows with the target.
        metric: a metric's name; auto: the task's own.
        of: which rows they are, in words.
        repeats: how often each column is permuted, 1 or more.
        rows: rows that are read at the most, drawn by the seed.
        seed: what the draws depend on.

    Raises:
        ConfigError: there is no such metric for the task.
        DataError: no row has a target that the model knows.
        ContractError: a column that the model needs is missing.
    """
    if repeats < 1:
        raise ConfigError("'repeats' must be 1 or more.", got=repeats, do="Try 5.")
    score = _scorer(predictor, metric)
    frame = _readable(predictor, frame, rows, seed)
    truth = _truth(predictor, frame)
    matrix, _ = predictor.matrix(frame)
    base = score.of(truth, predictor.outputs(matrix))
    slopes = _Slopes(predictor, matrix, seed)
    measured = []
    for name in [column.name for column in predictor.cleaning.used]:
        order = np.random.default_rng(keyed_seed(seed, "permutation", name))
        losses, touched = [], _nothing(matrix)
        for _ in range(repeats):
            cells = frame.get_column(name)[order.permutation(frame.height)]
            moved, _ = predictor.matrix(frame.with_columns(cells.alias(name)))
            touched |= _changed(matrix, moved)
            losses.append(score.sign * (base - score.of(truth, predictor.outputs(moved))))
        spread = float(np.std(losses))
        found = Importance(column=name, permuted=float(np.mean(losses)), spread=spread, gradient=slopes.of(touched))
        measured.append(found)
    ordered = sorted(measured, key=lambda one: (-one.permuted, -one.gradient, one.column))
    return Explanation(
        metric=score.name, score=base, rows=frame.height, of=of, repeats=repeats, seed=seed, columns=tuple(ordered)
    )


@dataclass(frozen=True)
class _Scorer:
    name: str
    sign: float
    function: Any

    def of(self, truth: Array, predicted: Array) -> float:
        return float(self.function(truth, predicted))


def _scorer(predictor: Predictor, metric: str) -> _Scorer:
    task = predictor.target.task
    entry = METRICS[default_metric(task) if metric == "auto" else metric]
    if task not in entry.tasks:
        others = [name for name, other in METRICS.items() if task in other.tasks]
        raise ConfigError(f"'{entry.name}' is no metric for a {task} target.", do=f"Try {', '.join(others)}.")
    return _Scorer(entry.name, 1.0 if entry.greater_is_better else -1.0, entry.make())


def _readable(predictor: Predictor, frame: pl.DataFrame, rows: int, seed: int) -> pl.DataFrame:
    """Give the rows whose target is known, and of many a sample."""
    name = predictor.target.name
    if name not in frame.columns:
        rule = f"Columns are permuted to see what the score loses, which needs the target, '{name}'."
        raise DataError(rule, got=frame.columns, do="Add the column.")
    encoded, _ = predictor.target.encode(frame.get_column(name))
    known = np.isfinite(encoded) if encoded.dtype.kind == "f" else encoded >= 0
    kept = np.flatnonzero(known & ~rows_without_target(frame, name))
    if len(kept) < 2:
        raise DataError("Two rows or more must have a target that the model knows.", got=len(kept), do="Give more.")
    if len(kept) > rows:
        draw = np.random.default_rng(keyed_seed(seed, "rows"))
        kept = np.sort(draw.choice(kept, rows, replace=False))
    return frame[kept]


def _truth(predictor: Predictor, frame: pl.DataFrame) -> Array:
    encoded, _ = predictor.target.encode(frame.get_column(predictor.target.name))
    decoded: Array = predictor.target.decode(encoded) if predictor.target.task == "regression" else encoded
    return decoded


@dataclass
class _Touched:
    """Which inputs of the network a raw column changes."""

    numeric: Array
    categorical: Array

    def __or__(self, other: _Touched) -> _Touched:
        return _Touched(self.numeric | other.numeric, self.categorical | other.categorical)


def _nothing(matrix: Matrix) -> _Touched:
    return _Touched(np.zeros(matrix.numeric.shape[1], bool), np.zeros(matrix.categorical.shape[1], bool))


def _changed(matrix: Matrix, moved: Matrix) -> _Touched:
    return _Touched((matrix.numeric != moved.numeric).any(0), (matrix.categorical != moved.categorical).any(0))


class _Slopes:
    """How far the output moves with each input of the network."""

    def __init__(self, predictor: Predictor, matrix: Matrix, seed: int) -> None:
        self._module: nn.Module = copy.deepcopy(predictor.module).double().eval().requires_grad_(False)
        choice = LOSSES.choose(predictor.loss)
        self._activate = choice.entry.make(**choice.options).activate
        device = next(self._module.parameters()).device
        self._numeric = torch.from_numpy(matrix.numeric).double().to(device)
        self._ids = torch.from_numpy(matrix.categorical).to(device)
        self._seed = seed
        self.numeric = self._of_numbers()
        self.categorical = self._of_categories()

    def of(self, touched: _Touched) -> float:
        """Give the sum over the inputs that a raw column changes."""
        return float(self.numeric[touched.numeric].sum() + self.categorical[touched.categorical].sum())

    def _outputs(self, numeric: Tensor, ids: Tensor) -> Tensor:
        """Give probabilities or scaled values, ``[row, output]``."""
        made: Tensor = self._activate(self._module(numeric, ids))
        return made.reshape(len(numeric), -1)

    def _of_numbers(self) -> Array:
        if not self._numeric.shape[1]:
            return np.zeros(0)
        pieces = zip(self._numeric.split(_ROWS_AT_ONCE), self._ids.split(_ROWS_AT_ONCE), strict=True)
        slopes = torch.stack([self._slopes(*piece) for piece in pieces]).sum(0) / len(self._numeric)
        moved = slopes * self._numeric.std(0, correction=0)
        return np.asarray(moved.detach().cpu().numpy())

    def _slopes(self, numeric: Tensor, ids: Tensor) -> Tensor:
        """Give the size of the outputs' slopes in each number, the mean of the outputs', summed over rows."""
        numeric = numeric.clone().requires_grad_()
        outputs = self._outputs(numeric, ids)
        # A row's output depends on that row alone: the gradient of a sum over the rows is each row's own.
        slopes = [
            torch.autograd.grad(outputs[:, place].sum(), numeric, retain_graph=True)[0].abs().sum(0)
            for place in range(outputs.shape[1])
        ]
        return torch.stack(slopes).mean(0)

    @torch.no_grad()
    def _of_categories(self) -> Array:
        usual = self._outputs(self._numeric, self._ids)
        moved = [(self._outputs(self._numeric, ids) - usual).abs().mean().item() for ids in self._exchanged()]
        return np.asarray(moved)

    def _exchanged(self) -> Iterator[Tensor]:
        """Give the ids with one column's dealt anew among the rows, for each column."""
        draw = np.random.default_rng(keyed_seed(self._seed, "levels"))
        for place in range(self._ids.shape[1]):
            ids = self._ids.clone()
            ids[:, place] = ids[torch.from_numpy(draw.permutation(len(ids))).to(ids.device), place]
            yield ids
