"""Sources that are brought here before they are read: what is fetched is removed after the reading."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from wellfit.data.sources.entry import LAID, Fetched, Reading, RemoteEntry
from wellfit.data.sources.paths import masked
from wellfit.data.sources.room import MEND
from wellfit.data.table import SourceRecord, Table
from wellfit.errors import DataError, RunFailed

__all__ = ["Near", "brought_near"]


@dataclass(frozen=True, kw_only=True)
class Near:
    """A source from far away whose files lie in a folder here."""

    entry: RemoteEntry
    address: str
    """As errors and records show it, without secrets."""
    folder: Path
    fetched: Fetched

    def __str__(self) -> str:
        """Give the address."""
        return self.address

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Have errors name the address, and not a file that is gone by then."""
        with _naming(self.folder, self.address):
            yield

    def table(self, read: Callable[[str], Table]) -> Table:
        """Read what was fetched with ``read``; the record names the address."""
        with self.naming():
            table = read(self.fetched.source)
        return replace(table, record=self.recorded(table.record), notes=(*self.fetched.notes, *table.notes))

    def recorded(self, record: SourceRecord) -> SourceRecord:
        """Give the record of the files as one of the source."""
        details = {"format": record.kind, **record.details, **self.fetched.details}
        return replace(record, uri=self.address, kind=self.entry.name, details=details)


@contextmanager
def brought_near(entry: RemoteEntry, address: str, reading: Reading) -> Iterator[Near]:
    """Fetch a source; its files are removed in the end.

    Raises:
        DataError: the source refuses, or what it gives is no table.
        RunFailed: it could not be reached, or there is no room for it.
    """
    with tempfile.TemporaryDirectory(prefix="wellfit-") as made:
        folder, shown = Path(made).resolve(), masked(address)
        with _naming(folder, shown):
            fetched = entry.make(address, folder, reading)
        yield Near(entry=entry, address=shown, folder=folder, fetched=fetched)


@contextmanager
def _naming(folder: Path, shown: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        rule = "What the source sends can't be written down."
        raise RunFailed(rule, got=f"{error.strerror or error}: {folder}", do=MEND) from None
    except DataError as error:
        raise _named(error, folder, shown) from None


def _named(error: DataError, folder: Path, shown: str) -> DataError:
    """Name the address in the place of a file that is gone by then."""
    if str(folder) not in str(error):
        return error
    rule, do = (re.sub(rf"{re.escape(str(folder))}/(?:{LAID}/)?", "", text) for text in (error.rule, error.do))
    got = shown if isinstance(error.got, str) and str(folder) in error.got else error.got
    return DataError(rule, got=got, do=do)
