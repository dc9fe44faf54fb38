"""What APIs call the fields that lead from one page to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["MORE", "NEXT", "OFFSETS", "PAGE", "PAGES", "PAGE_SIZES", "TOKENS", "TOTALS", "found", "whole"]

Keys = tuple[str, ...]

_AROUND: tuple[Keys, ...] = tuple(
    (key,) if key else ()
    for key in ("", "meta", "links", "_links", "paging", "pagination", "page_info", "pageInfo", "response_metadata")
)
"""Where the fields stand: at the top, or in one of these."""


def _each(*names: str) -> tuple[Keys, ...]:
    return tuple((name,) for name in names)


NEXT = (
    *_each("next", "next_url", "nextUrl", "next_page_url", "next_link", "nextLink", "@odata.nextLink"),
    ("next", "href"),
)
"""An address."""
TOKENS: dict[Keys, str] = {
    ("next_cursor",): "cursor",
    ("nextCursor",): "cursor",
    ("next_page_token",): "page_token",
    ("nextPageToken",): "pageToken",
    ("next_token",): "next_token",
    ("nextToken",): "nextToken",
    ("continuation_token",): "continuation_token",
    ("continuationToken",): "continuationToken",
    ("end_cursor",): "after",
    ("endCursor",): "after",
    ("cursors", "after"): "after",
    ("cursor",): "cursor",
}
"""What names the next page, and the parameter that takes it."""
MORE = _each("has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage")
PAGE = _each("page", "current_page", "currentPage", "page_number", "pageNumber", "number")
PAGES = _each("total_pages", "totalPages", "page_count", "pageCount", "last_page", "lastPage", "num_pages", "pages")
TOTALS = _each("total", "total_count", "totalCount", "total_results", "totalResults", "total_records", "totalElements")
PAGE_SIZES = _each("count")
"""The number of all records in some APIs, of the page's in others."""
OFFSETS = _each("offset", "skip", "start", "startIndex", "from")


def found(value: Any, keys: Keys) -> Any:
    """Look for a field at the top and where APIs keep their paging; None where it is not.

    >>> found({"meta": {"next_cursor": "x"}}, ("next_cursor",))
    'x'
    """
    for place in _AROUND:
        held = value
        for key in (*place, *keys):
            held = held.get(key) if isinstance(held, dict) else None
        if held is not None:
            return held
    return None


def whole(value: Any, names: Iterable[Keys]) -> int | None:
    """Give the first of some fields that holds a whole number."""
    for keys in names:
        held = found(value, keys)
        if isinstance(held, int) and not isinstance(held, bool) and held >= 0:
            return held
    return None
