"""The second pass over a table: the plans are replayed batch by batch, and the rows laid down in shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning import RowsLeft
from wellfit.data.cleaning.set_aside import SetAside
from wellfit.data.features import Matrix
from wellfit.data.features.vocabulary import UNSEEN
from wellfit.data.large.ahead import ahead
from wellfit.data.large.shards import SPLITS, ShardWriter
from wellfit.data.large.stream import RowStream
from wellfit.errors import DataError
from wellfit.preparation_settings import without_columns
from wellfit.sharding.learning import REASONS, Learned

__all__ = ["Laid", "laid_down", "row_bytes"]

MOST_ASIDE = 100_000
"""Rows that were set aside and are kept with the reason; beyond them only their number is told."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Laid:
    """What the second pass saw."""

    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Least and greatest training value of each number column."""
    unseen: dict[str, int] = field(default_factory=dict)
    """Training cells whose level the sample did not have, or seldom, by column of levels."""
    aside: dict[int, list[tuple[Array, pl.DataFrame]]] = field(default_factory=dict)
    """Rows that were set aside, by the code of the reason."""

    def see(self, typed: pl.DataFrame, ids: Array, names: tuple[str, ...]) -> None:
        """Look at training rows."""
        for series in typed.get_columns():
            if series.dtype == pl.Float64 and series.count():
                low, high = float(series.min()), float(series.max())  # type: ignore[arg-type]
                before = self.ranges.get(series.name, (low, high))
                self.ranges[series.name] = (min(before[0], low), max(before[1], high))
        for place, name in enumerate(names):
            self.unseen[name] = self.unseen.get(name, 0) + int((ids[:, place] == UNSEEN).sum())

    def set_aside(self, batch: pl.DataFrame, codes: Array, first: int) -> None:
        """Keep rows that were set aside, as many as are kept."""
        for code in REASONS:
            parts = self.aside.setdefault(code, [])
            left = MOST_ASIDE - sum(len(rows) for rows, _ in parts)
            rows = np.flatnonzero(codes == code)[:left]
            if len(rows):
                parts.append((rows + first + 1, batch[rows]))

    def table(self, columns: list[str]) -> pl.DataFrame:
        """Give the rows set aside with their number and the reason, as `RowsLeft` does."""
        aside = [
            SetAside(
                reason=REASONS[code],
                rows=np.concatenate([rows for rows, _ in parts]),
                frame=pl.concat([frame for _, frame in parts]),
            )
            for code, parts in self.aside.items()
            if parts
        ]
        left = RowsLeft(pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), np.empty(0, dtype=np.int64), (*aside,))
        return left.table()


def row_bytes(learned: Learned) -> int:
    """Give the bytes that a row takes in shards."""
    return 4 * (learned.features.n_numeric + len(learned.features.categorical_names) + 1)


def laid_down(
    learned: Learned, stream: RowStream, own: Mapping[str, RowStream], folder: Path
) -> tuple[Laid, ShardWriter]:
    """Lay all rows down in a folder; the writer is to be finished.

    Raises:
        DataError: the source changed between the passes.
    """
    features = learned.features
    target = "float32" if learned.target.task == "regression" else "int32"
    columns = len(features.categorical_names)
    writer = ShardWriter(folder, numeric=features.n_numeric, categorical=columns, target=target)
    laid = Laid()
    try:
        first = 0
        for batch in ahead(stream):
            _lay(batch, first, learned, writer, laid)
            first += batch.height
        if first != len(learned.places):
            raise _changed(stream)
        for split, table in own.items():
            _lay_own(split, table, learned, writer)
    finally:
        writer.close()
    return laid, writer


def _lay(batch: pl.DataFrame, first: int, learned: Learned, writer: ShardWriter, laid: Laid) -> None:
    codes = learned.places[first : first + batch.height]
    dealt = np.flatnonzero(codes < len(SPLITS))
    if len(dealt) < batch.height:
        laid.set_aside(batch, codes, first)
    if not len(dealt):
        return
    rows = batch if len(dealt) == batch.height else batch[dealt]
    typed, _ = learned.cleaning.apply(without_columns(rows, learned.apart))
    matrix = _as_trained(learned.features.apply(typed), dealt + first, learned)
    of_split, target = codes[dealt], learned.encoded[dealt + first]
    for number, split in enumerate(SPLITS):
        mine = np.flatnonzero(of_split == number)
        if split == "train" and len(mine):
            laid.see(typed[mine], matrix.categorical[mine], learned.features.categorical_names)
        writer.add(split, Matrix(matrix.numeric[mine], matrix.categorical[mine]), target[mine])


def _as_trained(matrix: Matrix, rows: Array, learned: Learned) -> Matrix:
    """Give sampled training rows what the fit gave them: an encoder that learned from targets hides a row's own."""
    places = np.searchsorted(learned.sampled, rows)
    places[places == len(learned.sampled)] = 0
    found = np.flatnonzero(learned.sampled[places] == rows)
    if len(found):
        matrix.numeric[found] = learned.matrix.numeric[places[found]]
        matrix.categorical[found] = learned.matrix.categorical[places[found]]
    return matrix


def _lay_own(split: str, stream: RowStream, learned: Learned, writer: ShardWriter) -> None:
    first, target = 0, learned.own[split]
    for batch in ahead(stream):
        typed, _ = learned.cleaning.apply(without_columns(batch, learned.apart))
        part = target[first : first + batch.height]
        if len(part) < batch.height:
            raise _changed(stream)
        writer.add(split, learned.features.apply(typed), part)
        first += batch.height


def _changed(stream: RowStream) -> DataError:
    return DataError("The source changed while it was read.", got=stream.record.uri, do="Start again when it is still.")
