"""Files in cloud storage, brought here through the object stores of `obstore`.

Credentials, region and endpoint come from the environment alone, under the names that each provider's own tools use:
``AWS_ACCESS_KEY_ID``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``; ``GOOGLE_APPLICATION_CREDENTIALS``;
``AZURE_STORAGE_ACCOUNT_NAME``, ``AZURE_STORAGE_ACCOUNT_KEY``, ...
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from wellfit.data.sources.cloud.address import Address, parsed
from wellfit.data.sources.cloud.faults import Missing, told
from wellfit.data.sources.cloud.stores import is_cloud, store_of
from wellfit.data.sources.entry import LAID, Fetched, Reading, RemoteEntry
from wellfit.data.sources.room import Room
from wellfit.errors import DataError

__all__ = ["ENTRY"]

_MOST_FILES = 100_000
_BLOCK = 1 << 23
_SHEET = re.compile(r"(?P<book>.*\.xls[xmb]?)(?P<sheet>\?sheet=.*)", re.IGNORECASE)


def fetch(address: str, folder: Path, reading: Reading) -> Fetched:
    """Lay down the file, or the files of a pattern or a folder, that an address names.

    Args:
        address: ``s3://bucket/key``, ``gs://bucket/key``, ``az://container/key``; the key may be a pattern
            (``data/*.csv``, ``**`` for any folders), a folder (``data/``), or a workbook's sheet
            (``book.xlsx?sheet=May``).
        folder: an empty folder to write into.
        reading: nothing of it is needed.

    Raises:
        DataError: there is no such bucket or key, or no right to read it.
        RunFailed: the store could not be reached or failed, or the disk is full.
    """
    workbook = _SHEET.fullmatch(address)
    place = parsed(workbook["book"] if workbook else address)
    store = store_of(place)
    room = Room(folder)
    if workbook:
        book = _one(store, place, folder, room)
        return replace(book, source=f"{book.source}{workbook['sheet']}")
    if not place.is_pattern and not place.is_folder:
        try:
            return _one(store, place, folder, room)
        except Missing:
            found = list(_keys(store, place.as_folder()))
            if not found:
                raise
            place = place.as_folder()
    return _many(store, place, folder, room)


def _one(store: Any, place: Address, folder: Path, room: Room) -> Fetched:
    path = folder / PurePosixPath(place.key).name
    _download(store, place, place.key, path, room)
    return Fetched(source=str(path), details={"files": 1})


def _many(store: Any, place: Address, folder: Path, room: Room) -> Fetched:
    """Lay files down under the folders that they have below the fixed part of the pattern."""
    keys = sorted(_keys(store, place))
    if not keys:
        raise DataError(
            "No key fits the pattern.", got=place.shown, do="Check the bucket's name, and the key's * and ?."
        )
    below = folder / LAID
    for key in keys:
        path = below / PurePosixPath(key).relative_to(place.root)
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(store, place, key, path, room)
    source = str(below) if place.is_folder else f"{glob.escape(str(below))}/**/*"
    return Fetched(source=source, details={"files": len(keys)})


def _keys(store: Any, place: Address) -> Iterator[str]:
    """Give the keys that fit; a key that would leave the folder it is laid down in is a `DataError`."""
    import obstore

    count = 0
    with told(place):
        for batch in obstore.list(store, prefix=place.root or None):
            for entry in batch:
                key = entry["path"]
                if not entry["size"] or not place.fits(key):
                    continue
                if any(part in ("", ".", "..") for part in key.split("/")) or "\0" in key:
                    raise DataError("A key must be a plain path.", got=key, do="Copy the object under another key.")
                count += 1
                if count > _MOST_FILES:
                    rule = f"The pattern fits more than {_MOST_FILES:,} keys."
                    raise DataError(rule, got=place.shown, do="Narrow the pattern.")
                yield key


def _download(store: Any, place: Address, key: str, path: Path, room: Room) -> None:
    import obstore

    room.start()
    with told(place, key), path.open("wb") as file:
        for block in obstore.get(store, key).stream(min_chunk_size=_BLOCK):
            room.take(len(block))
            file.write(block)
    room.keep()


ENTRY = RemoteEntry(
    name="cloud",
    summary="files in a bucket (s3://, gs://, az://), one, a pattern or a folder",
    make=fetch,
    matches=is_cloud,
    reference="https://developmentseed.org/obstore",
)
