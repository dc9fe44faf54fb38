"""The file that predictions are written into, a batch at a time, under its name only when it is whole."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from wellfit.errors import RunFailed

__all__ = ["KINDS", "AnswerFile"]

KINDS = (".parquet", ".csv", ".ndjson", ".jsonl", ".arrow", ".feather")
"""Endings of files that predictions are written into."""


class AnswerFile:
    r"""Takes frames of the same columns one after another; nothing is left of a file that was not finished.

    >>> import tempfile, polars as pl
    >>> path = Path(tempfile.mkdtemp()) / "answers.csv"
    >>> with AnswerFile(path) as answers:
    ...     answers.add(pl.DataFrame({"prediction": [1, 2]}))
    ...     answers.add(pl.DataFrame({"prediction": [3]}))
    >>> path.read_text()
    'prediction\n1\n2\n3\n'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._temporary = path.with_name(f".{path.name}.part")
        self._kind = path.suffix.lower()
        self._file: Any = None
        self._writer: Any = None
        self._count = 0

    def __enter__(self) -> Self:
        """Begin the file."""
        try:
            self._file = self._temporary.open("wb")
        except OSError as error:
            raise self._failed(error) from None
        return self

    def add(self, frame: Any) -> None:
        """Write the next rows.

        Raises:
            RunFailed: they could not be written.
        """
        try:
            if self._kind == ".csv":
                frame.write_csv(self._file, include_header=not self._count)
            elif self._kind in (".ndjson", ".jsonl"):
                frame.write_ndjson(self._file)
            else:
                self._add_table(frame.to_arrow())
        except OSError as error:
            raise self._failed(error) from None
        self._count += 1

    def _add_table(self, table: Any) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        if self._writer is None:
            make = parquet.ParquetWriter if self._kind == ".parquet" else pa.ipc.new_file
            self._writer = make(self._file, table.schema)
        self._writer.write_table(table)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give a whole file its name, or remove what there is of it."""
        try:
            if kind is None:
                self._finish()
        except OSError as failure:
            raise self._failed(failure) from None
        finally:
            with suppress(OSError):
                self._file.close()
            self._temporary.unlink(missing_ok=True)

    def _finish(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._file.close()
        os.replace(self._temporary, self.path)

    def _failed(self, error: OSError) -> RunFailed:
        got = f"{error.strerror or error}: {self.path}"
        return RunFailed("Predictions could not be written.", got=got, do="Make room.")
