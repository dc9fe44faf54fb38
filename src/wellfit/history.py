"""What a run recorded: losses, metrics, rates and statistics, as one tidy table.

A row is ``(step, epoch, name, where, value)``. ``where`` is a layer for statistics of layers and empty for figures
of the whole run. No clock time is in it, so that equal trainings have equal histories.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wellfit.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

__all__ = ["History"]

FORMAT_VERSION = 1
_META_KEY = "wellfit.history"


class History:
    """Figures of a run over steps and epochs.

    >>> history = History()
    >>> history.add(step=10, epoch=1, name="train_loss", value=0.5)
    >>> history.add(step=20, epoch=2, name="train_loss", value=0.25)
    >>> history["train_loss"].tolist()
    [0.5, 0.25]
    """

    def __init__(self, meta: Mapping[str, Any] | None = None) -> None:
        self._meta: dict[str, Any] = dict(meta or {})
        self._step: list[int] = []
        self._epoch: list[int] = []
        self._name: list[str] = []
        self._where: list[str] = []
        self._value: list[float] = []
        self._open: list[tuple[int, Callable[[History], None]]] = []

    @property
    def meta(self) -> dict[str, Any]:
        """Facts that stay the same over the run: task, sizes, the interval of sampled statistics."""
        self._settle()
        return self._meta

    @meta.setter
    def meta(self, facts: dict[str, Any]) -> None:
        self._meta = facts

    def later(self, work: Callable[[History], None]) -> None:
        """Have figures and facts of this moment found only when the history is read, and placed as if found now.

        Args:
            work: writes them into the history that it is given.

        >>> history = History()
        >>> history.later(lambda part: part.add(step=1, epoch=1, name="norm", value=2.0))
        >>> history.add(step=1, epoch=1, name="train_loss", value=0.5)
        >>> history.names()
        ['norm', 'train_loss']
        """
        self._open.append((len(self._step), work))

    def _settle(self) -> None:
        """Have found what was left for later, in the order in which it was asked for."""
        found, self._open, moved = self._open, [], 0
        for place, work in found:
            part = History()
            work(part)
            part._settle()
            at = place + moved
            for name in ("_step", "_epoch", "_name", "_where", "_value"):
                getattr(self, name)[at:at] = getattr(part, name)
            self._meta.update(part._meta)
            moved += len(part._step)

    def add(self, *, step: int, epoch: int, name: str, value: float, where: str = "") -> None:
        """Record one figure; ``step`` and ``epoch`` count what was finished."""
        self._step.append(int(step))
        self._epoch.append(int(epoch))
        self._name.append(name)
        self._where.append(where)
        self._value.append(float(value))

    def replace(self, rows: Sequence[tuple[int, str, float]]) -> None:
        """Put ``(step, name, value)`` rows of the whole run in place of all that have these names."""
        names = {name for _, name, _ in rows}
        kept = [row for row in self.rows() if row[2] not in names]
        self._step, self._epoch, self._name, self._where, self._value = [], [], [], [], []
        for step, epoch, name, where, value in kept:
            self.add(step=step, epoch=epoch, name=name, value=value, where=where)
        for step, name, value in rows:
            self.add(step=step, epoch=0, name=name, value=value)

    def __len__(self) -> int:
        self._settle()
        return len(self._step)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        self._settle()
        other._settle()
        same = self._step == other._step and self._epoch == other._epoch
        same = same and self._name == other._name and self._where == other._where
        return same and np.array_equal(np.array(self._value), np.array(other._value), equal_nan=True)

    __hash__ = None  # type: ignore[assignment]

    def _rows(self, name: str, where: str) -> Iterator[int]:
        self._settle()
        for row, (its_name, its_where) in enumerate(zip(self._name, self._where, strict=True)):
            if its_name == name and its_where == where:
                yield row

    def __getitem__(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Give the values of one figure of the whole run, in order."""
        return self.series(name)[1]

    def series(
        self, name: str, where: str = ""
    ) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.float64]]]:
        """Give the steps and the values of one figure at one place."""
        rows = list(self._rows(name, where))
        return (
            np.array([self._step[row] for row in rows], dtype=np.int64),
            np.array([self._value[row] for row in rows], dtype=np.float64),
        )

    def rows(self) -> Iterator[tuple[int, int, str, str, float]]:
        """Walk through the rows ``(step, epoch, name, where, value)`` in order."""
        self._settle()
        return iter(zip(self._step, self._epoch, self._name, self._where, self._value, strict=True))

    def names(self) -> list[str]:
        """Give the names of the figures recorded, in the order of first appearance."""
        self._settle()
        return list(dict.fromkeys(self._name))

    def places(self, name: str) -> list[str]:
        """Give the places at which a figure was recorded, in the order of first appearance."""
        self._settle()
        pairs = zip(self._name, self._where, strict=True)
        return list(dict.fromkeys(where for its_name, where in pairs if its_name == name))

    def epochs(self) -> list[dict[str, float]]:
        """Give the figures of the whole run as one record an epoch."""
        self._settle()
        records: dict[int, dict[str, float]] = {}
        columns = zip(self._step, self._epoch, self._name, self._where, self._value, strict=True)
        for step, epoch, name, where, value in columns:
            # Epoch 0 is what was found before the first update.
            if where == "" and epoch:
                record = records.setdefault(epoch, {"epoch": epoch})
                record["step"] = step
                record[name] = value
        return list(records.values())

    def to_frame(self) -> pl.DataFrame:
        """Give the tidy table."""
        import polars as pl

        self._settle()
        schema = {"step": pl.Int64, "epoch": pl.Int64, "name": pl.String, "where": pl.String, "value": pl.Float64}
        columns = (self._step, self._epoch, self._name, self._where, self._value)
        return pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)

    def extend(self, frame: pl.DataFrame) -> None:
        """Append the rows of a tidy table, as `to_frame` gives it."""
        self._step.extend(frame["step"].to_list())
        self._epoch.extend(frame["epoch"].to_list())
        self._name.extend(frame["name"].to_list())
        self._where.extend(frame["where"].to_list())
        self._value.extend(frame["value"].to_list())

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps: its columns, each text once."""
        self._settle()
        texts = list(dict.fromkeys([*self._name, *self._where]))
        place = {text: index for index, text in enumerate(texts)}
        return {
            "meta": json.dumps(self._meta),
            "texts": texts,
            "step": list(self._step),
            "epoch": list(self._epoch),
            "name": [place[name] for name in self._name],
            "where": [place[where] for where in self._where],
            "value": list(self._value),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        texts = state["texts"]
        self._open, self._meta = [], json.loads(state["meta"])
        self._step, self._epoch, self._value = list(state["step"]), list(state["epoch"]), list(state["value"])
        self._name = [texts[index] for index in state["name"]]
        self._where = [texts[index] for index in state["where"]]

    def write(self, path: Path) -> None:
        """Write the tidy table as Parquet, its facts in the file's metadata."""
        import pyarrow.parquet as pq

        table = self.to_frame().to_arrow()
        meta = json.dumps({"version": FORMAT_VERSION, **self.meta}, sort_keys=True)
        pq.write_table(table.replace_schema_metadata({_META_KEY: meta}), path)

    @classmethod
    def read(cls, path: Path) -> History:
        """Read what `write` wrote; a file of another kind or version is a `BadInput`."""
        import polars as pl
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise BadInput("A history is a Parquet file that wellfit wrote.", got=str(path), do=str(error)) from None
        raw = (table.schema.metadata or {}).get(_META_KEY.encode())
        meta = json.loads(raw) if raw else {}
        if meta.pop("version", None) != FORMAT_VERSION:
            raise BadInput(
                f"A history of format version {FORMAT_VERSION} is read here.",
                got=str(path),
                do="It was written by another version of wellfit: read it with that one.",
            )
        history = cls(meta)
        history.extend(pl.DataFrame(table))
        return history
