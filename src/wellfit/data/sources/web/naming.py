"""What a fetched file is called, so that its kind is known: by its address, its own name, or its type."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from wellfit.data.sources.paths import masked
from wellfit.data.sources.web.client import Answer
from wellfit.errors import DataError

__all__ = ["file_name"]

_TYPES = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".ndjson",
    "application/ndjson": ".ndjson",
    "application/jsonl": ".ndjson",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.apache.arrow.file": ".arrow",
    "application/vnd.apache.arrow.stream": ".arrows",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/zip": ".zip",
    "application/x-tar": ".tar",
}
_NAMED = re.compile(r"filename\*?\s*=\s*(?:UTF-8'')?\"?([^\";]+)", re.IGNORECASE)
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 100


def file_name(answer: Answer, address: str) -> str:
    """Give a plain file name whose suffix says what the file is.

    Raises:
        DataError: the answer is a page for a browser.
    """
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        do = "Give the address of the file itself; a login may be missing."
        raise DataError("The address gives a web page and no table.", got=masked(address), do=do)
    named = _NAMED.search(answer.headers.get("content-disposition", ""))
    stem = unquote(named[1]) if named else unquote(urlsplit(answer.url).path)
    name = _SAFE.sub("-", PurePosixPath(stem).name).lstrip(".-")[-_LONGEST:] or "table"
    if kind in _TYPES and not PurePosixPath(name).suffix:
        return name + _TYPES[kind]
    if answer.value is not None and not name.lower().endswith((".json", ".ndjson", ".jsonl")):
        return name + ".json"
    return name
