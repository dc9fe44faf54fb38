"""Where the records are in a JSON answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wellfit.errors import DataError, did_you_mean

__all__ = ["at", "find_records", "records_at"]

_USUAL = ("data", "items", "results", "records", "rows", "value", "values", "entries", "objects", "hits", "features")
_DEEPEST = 3
MISSING = object()


def at(value: Any, way: str) -> Any:
    """Follow keys and places with dots between; `MISSING` where there is nothing.

    >>> at({"data": [{"id": 7}]}, "data.0.id")
    7
    """
    for part in way.split(".") if way else ():
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def records_at(value: Any, way: str) -> list[Any]:
    """Give the list at a way that was told; null is an empty one.

    Raises:
        DataError: there is no list of records.
    """
    held = at(value, way)
    if held is None:
        return []
    if not isinstance(held, list) or not _are_records(held):
        ways = [known for known, _ in _lists(value, "", _DEEPEST) if known]
        do = did_you_mean(way, ways) or "The answer holds no list of records."
        raise DataError("'records' of data must lead to a list of records in the answer.", got=way, do=do)
    return held


def find_records(value: Any) -> str | None:
    """Find the way to the list of records; None where the answer holds none, and is no page of an API.

    Raises:
        DataError: there are several lists, and none has a usual name.

    >>> find_records({"data": {"items": [{"a": 1}]}, "next": None})
    'data.items'
    """
    if isinstance(value, list):
        return "" if _are_records(value) else None
    found = list(_lists(value, "", _DEEPEST))
    full = [way for way, held in found if held]
    if len(full) == 1:
        return full[0]
    usual = [way for way, _ in found if way.rpartition(".")[2].lower() in _USUAL and (not full or way in full)]
    if usual:
        return min(usual, key=lambda way: (way.count("."), _USUAL.index(way.rpartition(".")[2].lower())))
    if not full:
        return None
    raise DataError(
        "The answer holds several lists of records.", got=full[0], do=f"Name one as data.records: {', '.join(full)}."
    )


def _lists(value: Any, way: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, list):
        if _are_records(value):
            yield way, value
    elif isinstance(value, dict) and depth:
        for key, held in value.items():
            yield from _lists(held, f"{way}.{key}" if way else key, depth - 1)


def _are_records(value: list[Any]) -> bool:
    return all(isinstance(record, dict) for record in value)
