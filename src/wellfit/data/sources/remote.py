"""Sources that are brought here before they are read: what is fetched is removed after the reading."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wellfit.data.sources.entry import Reading, RemoteEntry
from wellfit.data.sources.paths import masked
from wellfit.data.table import Table
from wellfit.errors import DataError, RunFailed

__all__ = ["read_remote"]


def read_remote(entry: RemoteEntry, address: str, reading: Reading, read: Callable[[str], Table]) -> Table:
    """Fetch a source, and read what it gave with ``read``; the record and errors name the address.

    Raises:
        DataError: the source refuses, or what it gives is no table.
        RunFailed: it could not be reached, or there is no room for it.
    """
    with tempfile.TemporaryDirectory(prefix="wellfit-") as made:
        folder = Path(made).resolve()
        try:
            fetched = entry.make(address, folder, reading)
            table = read(fetched.source)
        except OSError as error:
            rule = "What the source sends can't be written down."
            raise RunFailed(rule, got=str(folder), do=f"The system says: {error.strerror or error}.") from None
        except DataError as error:
            raise _named(error, folder, masked(address)) from None
    details = {"format": table.record.kind, **table.record.details, **fetched.details}
    record = replace(table.record, uri=masked(address), kind=entry.name, details=details)
    return replace(table, record=record, notes=(*fetched.notes, *table.notes))


def _named(error: DataError, folder: Path, shown: str) -> DataError:
    """Name the address in the place of a file that is gone by then."""
    if str(folder) not in str(error):
        return error
    rule, do = (text.replace(f"{folder}/", "") for text in (error.rule, error.do))
    got = shown if isinstance(error.got, str) and str(folder) in error.got else error.got
    return DataError(rule, got=got, do=do)
