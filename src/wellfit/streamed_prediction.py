"""Predictions of tables larger than memory: batch by batch, in order, each row's the same as in one piece."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wellfit import prediction
from wellfit.data.cleaning import Coerced, CoercionReport, TargetReport
from wellfit.data.cleaning.policy import checked_policy
from wellfit.data.large.ahead import ahead
from wellfit.data.large.arrival import arrived
from wellfit.data.large.sample import Reservoir
from wellfit.data.large.spool import Spool, Spooling
from wellfit.data.large.stream import CELLS, RowStream, outgrows_memory, passes_by, streamed
from wellfit.data.sources.web.headers import reading_for
from wellfit.errors import DataError
from wellfit.metrics import all_scores, decided
from wellfit.prediction import Prediction, Predictor, Scores

__all__ = ["arrived_rows", "is_streamed", "predict_batches", "score_batches"]

DRIFT_ROWS = 200_000
"""Rows of the sample that tells how far a table is from training."""

Write = Callable[[pl.DataFrame], None]


@contextmanager
def arrived_rows(predictor: Any, source: Any) -> Iterator[Any]:
    """Bring rows here where they lie far away, and give what is predicted in their place.

    Args:
        predictor: What predicts.
        source: What a person names: a path, a pattern or an address.
    """
    if not isinstance(predictor, Predictor):
        yield source
        return
    with _spooling() as spooling, _arrived(predictor, source, spooling, whole=True) as rows:
        yield rows


def _arrived(predictor: Predictor, source: Any, spooling: Spooling, *, whole: bool) -> AbstractContextManager[Any]:
    reading = reading_for(source, predictor.reading, predictor.sources)
    return arrived(source, reading, spooling, whole=whole)


@contextmanager
def _spooling() -> Iterator[Spooling]:
    """Lay rows that come once down in a folder that is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="wellfit-") as made:
        yield lambda frames: Spool.within(Path(made), frames)


def is_streamed(predictor: Any, rows: Any) -> bool:
    """Say whether rows are predicted in batches: they would not fit in memory, and their kind passes by in batches.

    Args:
        predictor: What predicts.
        rows: What `arrived_rows` gave.
    """
    return isinstance(predictor, Predictor) and outgrows_memory(rows) and passes_by(rows)


def predict_batches(predictor: Predictor, source: Any, write: Write, policy: str) -> CoercionReport:
    """Predict every row of a source, and hand the answers over batch by batch.

    Args:
        predictor: What predicts.
        source: The path of a file, a pattern or the address of a database.
        write: Takes the columns ``prediction`` and ``probability_<label>`` of the next rows.
        policy: ``warn``, ``error`` or ``coerce``; judged when all rows were seen.

    Raises:
        ContractError: A column that the model needs is missing, or rows don't fit under the policy ``error``.
    """
    fill = checked_policy(policy) == "coerce"
    with _opened(predictor, source) as stream:
        seen = _Seen(fill)
        for batch in ahead(stream):
            matrix, report = predictor.matrix(batch, fill=fill)
            seen.add(batch, report)
            outputs = predictor.outputs(matrix)
            write(_answers(predictor, outputs, report).to_frame(predictor.classes))
    report = seen.report(predictor)
    predictor.apply_policy(report, policy)
    return report


def _answers(predictor: Predictor, outputs: Any, report: CoercionReport) -> Prediction:
    if predictor.target.task == "regression":
        return Prediction(outputs, None, report)
    return Prediction(predictor.target.decode(decided(outputs, predictor.threshold)), outputs, report)


def score_batches(predictor: Predictor, source: Any, policy: str) -> Scores:
    """Score the rows of a source that have the target.

    Args:
        predictor: What predicts.
        source: As in `predict_batches`.
        policy: As in `predict_batches`.

    Raises:
        ContractError: The target is missing, or rows don't fit under the policy ``error``.
    """
    fill = checked_policy(policy) == "coerce"
    with _opened(predictor, source) as stream:
        seen, found, targets = _Seen(fill), [], []
        for batch in ahead(stream):
            # What does not fit is judged when all rows were seen.
            scores = predictor.score(batch, policy="coerce" if fill else None, scored=False)
            assert isinstance(scores.report, CoercionReport)
            seen.add(batch, scores.report)
            found.append(scores)
            targets.append(predictor.target.encode(batch.get_column(predictor.target.name))[1])
    report = seen.report(predictor)
    predictor.apply_policy(report, policy)
    truth = np.concatenate([scores.target for scores in found])
    predicted = np.concatenate([scores.predicted for scores in found])
    metrics = all_scores(predictor.target.task, truth, predicted, threshold=predictor.threshold) if len(truth) else {}
    notes = (*_joint_target(targets).sentences(), *report.sentences())
    return Scores(metrics, truth, predicted, sum(scores.without_target for scores in found), notes, report)


@contextmanager
def _opened(predictor: Predictor, source: Any) -> Iterator[RowStream]:
    with _spooling() as spooling, _arrived(predictor, source, spooling, whole=False) as rows:
        stream = streamed(rows, predictor.header, spooling=spooling, checksum=lambda path: "-")
        if stream is None:
            rule = "Rows are predicted in batches from delimited text, Parquet, Arrow, records a line, and databases."
            raise DataError(rule, got=str(source), do="Give one of these.")
        # Whole passes of the network, so that each row is in the pass in which it is in one piece.
        passes = max(1, CELLS // (len(stream.schema) * prediction.ROWS_AT_ONCE))
        yield replace(stream, most=passes * prediction.ROWS_AT_ONCE)


class _Seen:
    """What was changed in the batches so far, and a sample of their rows."""

    def __init__(self, fill: bool) -> None:
        self._fill = fill
        self._reports: list[CoercionReport] = []
        self._sample = Reservoir(DRIFT_ROWS)
        self._rows = 0

    def add(self, batch: pl.DataFrame, report: CoercionReport) -> None:
        """Take a batch and its report."""
        self._sample.add(batch, self._rows)
        self._rows += batch.height
        self._reports.append(replace(report, drift={}))

    def report(self, predictor: Predictor) -> CoercionReport:
        """Give the report of all rows; a sample tells how far they are from training."""
        drift = predictor.matrix(self._sample.taken()[1], fill=self._fill)[1].drift
        first = self._reports[0]
        columns = {name: _joint([report.columns[name] for report in self._reports]) for name in first.columns}
        return replace(first, rows=self._rows, columns=columns, drift=drift)


def _joint(parts: list[Coerced]) -> Coerced:
    """Add counts up; the first example of each kind stays."""
    examples: dict[str, str] = {}
    for part in reversed(parts):
        examples |= part.examples
    names = [field.name for field in fields(Coerced) if field.name != "examples"]
    return Coerced(**{name: sum(getattr(part, name) for part in parts) for name in names}, examples=examples)


def _joint_target(parts: list[TargetReport]) -> TargetReport:
    examples: Mapping[str, str] = {}
    for part in reversed(parts):
        examples = {**examples, **part.examples}
    names = [field.name for field in fields(TargetReport) if field.name != "examples"]
    return TargetReport(**{name: sum(getattr(part, name) for part in parts) for name in names}, examples=examples)
