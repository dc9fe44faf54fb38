"""Sources far away, brought here so that their size is known.

Nothing far away tells how many rows it has and how wide they are before they were sent. So files are laid down first,
and rows are gathered in memory while they take no more than they may, and on disk from there on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from wellfit.data.large.memory import COPIES, memory_share
from wellfit.data.large.spool import Spool, Spooling
from wellfit.data.large.stream import RowStream
from wellfit.data.sources import located, remote_entry
from wellfit.data.sources.entry import Reading
from wellfit.data.sources.finish import finished
from wellfit.data.sources.remote import brought_near
from wellfit.data.sources.sql import database_batches, database_table, names_one
from wellfit.data.sources.sql.rows import joined_batches
from wellfit.data.table import Table

__all__ = ["arrived"]


@contextmanager
def arrived(source: Any, reading: Reading, spooling: Spooling, *, whole: bool) -> Iterator[Any]:
    """Bring a source here, and give what is read in its place; what was laid down is removed in the end.

    Args:
        source: anything that `wellfit.data.sources.read_table` takes.
        reading: how the web is read.
        spooling: lays down the rows of a database that are too many.
        whole: whether rows of a database may stay in memory where they are few.

    Returns:
        A `Near` in the place of files far away, a `Table` or a `RowStream` in that of a database, what
        `wellfit.data.sources.located` gives in that of anything else.

    Raises:
        DataError: the source is missing or at fault.
        RunFailed: it could not be reached, or there is no room for it.
    """
    place = located(source)
    if names_one(place):
        yield _rows(place, spooling, memory_share() if whole else 0)
    elif (remote := remote_entry(place)) is not None:
        with brought_near(remote, place, reading) as near:
            yield near
    else:
        yield place


def _rows(source: str | Path, spooling: Spooling, most: float) -> Table | RowStream:
    """Gather a database's rows; from the batch on with which a preparation in memory takes over ``most``, on disk."""

    def take(batches: Iterator[pl.DataFrame]) -> pl.DataFrame | Spool:
        held: list[pl.DataFrame] = []
        size = 0
        for batch in batches:
            held.append(batch)
            size += int(batch.estimated_size())
            if COPIES * size > most:
                return spooling(itertools.chain(_emptied(held), batches))
        return joined_batches(held)

    taken, details = database_batches(source, take)
    if isinstance(taken, pl.DataFrame):
        return database_table(source, taken, details)
    record = finished(pl.DataFrame({"rows": [0]}), uri=str(source), kind="sql", checksum=taken.checksum).record
    record = replace(record, rows=taken.rows, columns=len(taken.kinds), details=details)
    return RowStream(record=record, notes=(), schema=taken.kinds, parts=[taken])


def _emptied(frames: list[pl.DataFrame]) -> Iterable[pl.DataFrame]:
    """Give frames, none of which is held when the next one is asked for."""
    while frames:
        yield frames.pop(0)
