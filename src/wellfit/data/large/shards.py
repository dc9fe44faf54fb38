"""Shards: the rows of each split on disk as a network reads them, in files of plain numbers.

<split>.numeric      float32 [row, number]
<split>.categorical  int32   [row, category]
<split>.target       int32 [row]: class ids, -1 a label not seen in training, -2 none; or float32 [row], NaN none
shards.json          what they were made of, and the sha256 of each file
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wellfit.data.features import Matrix
from wellfit.data.large.cache import Held
from wellfit.errors import DataError

__all__ = ["ABSENT", "SPLITS", "Part", "Shards", "ShardWriter"]

SPLITS = ("train", "valid", "test")
ABSENT = -2
"""The class id of a row without a target."""
RECORD = "shards.json"

Array = np.ndarray[Any, np.dtype[Any]]


class ShardWriter:
    """Writes the rows of each split as they come."""

    def __init__(self, folder: Path, *, numeric: int, categorical: int, target: str) -> None:
        """Make the files; ``target`` is ``int32`` or ``float32``."""
        self.folder = folder
        self.layout = {"numeric": ("float32", numeric), "categorical": ("int32", categorical), "target": (target, 1)}
        self._files = {
            (split, kind): (folder / f"{split}.{kind}").open("wb") for split in SPLITS for kind in self.layout
        }
        self._digests = {name: hashlib.sha256() for name in self._files}
        self.rows = dict.fromkeys(SPLITS, 0)

    def add(self, split: str, matrix: Matrix, target: Array) -> None:
        """Add rows to a split."""
        arrays: dict[str, Array] = {"numeric": matrix.numeric, "categorical": matrix.categorical, "target": target}
        for kind, array in arrays.items():
            if array.size:
                data = np.ascontiguousarray(array, dtype=self.layout[kind][0]).data.cast("B")
                self._files[split, kind].write(data)
                self._digests[split, kind].update(data)
        self.rows[split] += len(target)

    def finish(self, record: Mapping[str, Any]) -> None:
        """Close the files, and write down what they hold."""
        self.close()
        checksums = {f"{split}.{kind}": digest.hexdigest() for (split, kind), digest in self._digests.items()}
        facts = {"layout": self.layout, "rows": self.rows, "checksums": checksums}
        (self.folder / RECORD).write_text(json.dumps({"shards": facts, **record}))

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


@dataclass(frozen=True)
class Part:
    """The rows of one split on disk."""

    folder: Path
    split: str
    rows: int
    layout: Mapping[str, tuple[str, int]]
    checksums: Mapping[str, str]

    @property
    def digest(self) -> str:
        """A checksum of all its rows."""
        parts = [self.checksums[f"{self.split}.{kind}"] for kind in self.layout]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()

    def read(self, kind: str, first: int, last: int) -> Array:
        """Read some rows of one kind into memory."""
        dtype, width = self.layout[kind]
        array = np.empty((last - first, width), dtype=dtype)
        if array.nbytes:
            with (self.folder / f"{self.split}.{kind}").open("rb", buffering=0) as file:
                file.seek(first * array.itemsize * width)
                _fill(file, array.data.cast("B"))
        return array[:, 0] if kind == "target" else array

    def matrix(self, first: int, last: int) -> Matrix:
        """Read some rows as a network takes them."""
        ids = self.read("categorical", first, last).astype(np.int64)
        return Matrix(self.read("numeric", first, last), ids)

    def target(self) -> Array:
        """Read the targets of all rows."""
        return self.read("target", 0, self.rows)

    def pieces(self, at_once: int) -> Iterator[tuple[int, int]]:
        """Give the first and the last row of pieces of so many."""
        for first in range(0, self.rows, at_once):
            yield first, min(first + at_once, self.rows)


def _fill(file: Any, view: memoryview) -> None:
    place = 0
    while place < len(view):
        count = file.readinto(view[place:])
        if not count:
            raise OSError("the file is shorter than it was")
        place += count


class Shards:
    """The shards in a folder, which is not removed while this is held.

    Raises:
        DataError: a file is missing or altered.
    """

    def __init__(self, held: Held, *, fresh: bool = False) -> None:
        """Read what is there; files that this process has just written are not read for their checksums."""
        self._held = held
        self.folder = held.folder
        try:
            self.record: dict[str, Any] = json.loads((self.folder / RECORD).read_text())
            facts = self.record["shards"]
            layout = {kind: (str(dtype), int(width)) for kind, (dtype, width) in facts["layout"].items()}
            self.parts = {
                split: Part(self.folder, split, int(facts["rows"][split]), layout, facts["checksums"])
                for split in SPLITS
            }
            checksums = {} if fresh else facts["checksums"]
            altered = [name for name, checksum in checksums.items() if self._checksum(name) != checksum]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError("Shards must be whole.", got=str(error), do="They are made anew.") from None
        if altered:
            raise DataError("Shards must not be altered.", got=altered[0], do="They are made anew.")

    def _checksum(self, name: str) -> str:
        with (self.folder / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
