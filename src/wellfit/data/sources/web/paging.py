"""How an API goes from one page to the next: by a Link header, an address, a cursor, a page's number or an offset.

The Link header is RFC 8288's. What the answer itself says is taken before what the parameter's name suggests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from wellfit.data.sources.entry import Reading
from wellfit.data.sources.web.client import Answer
from wellfit.data.sources.web.fields import MORE, NEXT, OFFSETS, PAGE, PAGE_SIZES, PAGES, TOKENS, TOTALS, found, whole
from wellfit.data.sources.web.records import at
from wellfit.errors import RunFailed

__all__ = ["Pager", "linked", "with_parameter"]

_CURSOR_WORDS = re.compile(r"cursor|token|after|continu|next|bookmark", re.IGNORECASE)
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^,;=\s]+\s*(?:=\s*(?:\"[^\"]*\"|[^,;\"]*))?)*)")
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s,;]+))", re.IGNORECASE)


def linked(header: str) -> str | None:
    """Give the address that a Link header calls the next one.

    >>> linked('<https://host/x?page=1>; rel="prev", </x?page=3>; rel="last next"')
    '/x?page=3'
    """
    for target, parameters in _LINK.findall(header):
        relation = _RELATION.search(parameters)
        if relation and "next" in (relation[1] or relation[2] or "").lower().split():
            return str(target)
    return None


def with_parameter(url: str, name: str, value: str) -> str:
    """Give an address with one parameter set; the others stay.

    >>> with_parameter("https://host/x?a=1&page=2", "page", "3")
    'https://host/x?a=1&page=3'
    """
    parts = urlsplit(url)
    kept = [(key, held) for key, held in parse_qsl(parts.query, keep_blank_values=True) if key != name]
    return urlunsplit(parts._replace(query=urlencode([*kept, (name, value)])))


@dataclass
class Pager:
    """Finds the next page's address from the first one, the answers, and what was told."""

    url: str
    """The first page's address, as it was given."""
    reading: Reading
    kind: str = ""
    """How pages follow each other, once it is known; empty before, and where there is one page."""
    rows: int = 0
    """Records read so far."""
    total: int | None = None
    """Records that there are, where the answers say so."""
    probing: bool = False
    """Whether page 1 was asked for to see if counting begins there: then it is the first page once more."""
    _number: int | None = field(default=None, repr=False)

    def next(self, answer: Answer, page: list[Any]) -> str | None:
        """Give the next page's address; None after the last page."""
        self.rows += len(page)
        self._count(answer.value)
        if not page and self.kind in ("offset", "page"):
            self._refuse_half(answer.value)
        if self.reading.paging == "none" or any(found(answer.value, keys) is False for keys in MORE):
            return None
        target = self._target(answer, page)
        return None if target is None else urljoin(answer.url, target)

    def _refuse_half(self, value: Any) -> None:
        """Raise `RunFailed` where an answer without records says itself that there are more."""
        total = whole(value, TOTALS)
        if total is not None and total > self.rows:
            raise RunFailed(
                f"The server broke off: it says that there are {total:,} records.",
                got=f"{self.rows:,}, and then an empty page",
                do="Try again; where its count is wrong, save the records to a file and read that.",
            )

    def past_probe(self) -> str:
        """Give the address of page 2, after page 1 was the first one once more."""
        self.probing = False
        return self._numbered(2)

    def _target(self, answer: Answer, page: list[Any]) -> str | None:
        ways = {"link": self._by_link, "next": self._by_address, "cursor": self._by_cursor}
        told = self._told()
        for kind, way in ways.items():
            if told in ("auto", kind) and (target := way(answer)):
                self.kind = kind
                return target
        if told in ways or self.kind in ways or not page:
            return None
        return self._by_count(answer.value, told)

    def _told(self) -> str:
        """Give the kind of paging that was told, or that the parameter's name tells."""
        name, paging = self.reading.page_param, self.reading.paging
        if self.reading.cursor:
            return "cursor"
        if paging is not None or name is None:
            return paging or "auto"
        if name.lower() in {keys[-1].lower() for keys in OFFSETS}:
            return "offset"
        return "cursor" if _CURSOR_WORDS.search(name) else "page"

    def _by_link(self, answer: Answer) -> str | None:
        return linked(answer.headers.get("link", ""))

    def _by_address(self, answer: Answer) -> str | None:
        held = (found(answer.value, keys) for keys in NEXT)
        return next((text for text in held if isinstance(text, str) and re.match(r"https?://|/|\?", text)), None)

    def _by_cursor(self, answer: Answer) -> str | None:
        told = self.reading.cursor
        held = (
            [(at(answer.value, told), "cursor")] if told else [(found(answer.value, k), p) for k, p in TOKENS.items()]
        )
        for token, parameter in held:
            if isinstance(token, (str, int)) and not isinstance(token, bool) and token != "":
                return with_parameter(self.url, self.reading.page_param or parameter, str(token))
        return None

    def _by_count(self, value: Any, told: str) -> str | None:
        """Go on by number or by offset, as told or as the answer's own counts say."""
        page, pages, offset = whole(value, PAGE), whole(value, PAGES), whole(value, OFFSETS)
        if told == "offset" or (told == "auto" and offset is not None and self.total is not None):
            return self._by_offset(value)
        if told == "page" or (told == "auto" and page is not None and (pages is not None or self.total is not None)):
            return self._by_number(page, pages)
        return None

    def _by_offset(self, value: Any) -> str | None:
        named = next((keys[-1] for keys in OFFSETS if whole(value, (keys,)) is not None), "offset")
        name = self.reading.page_param or named
        start = _given(self.url, name) or 0
        self.kind = "offset"
        if self.total is not None and start + self.rows >= self.total:
            return None
        return with_parameter(self.url, name, str(start + self.rows))

    def _by_number(self, page: int | None, pages: int | None) -> str | None:
        self.kind = "page"
        given = _given(self.url, self._page_param())
        if self._number is None:
            self._number = page if page is not None else given
        if self._number is None:
            self.probing = True
            return self._numbered(1)
        from_zero = 0 in (page, given) or self._from_zero
        self._from_zero = from_zero
        last = None if pages is None else pages - from_zero
        if (last is not None and self._number >= last) or (self.total is not None and self.rows >= self.total):
            return None
        return self._numbered(self._number + 1)

    _from_zero: bool = field(default=False, repr=False)

    def _numbered(self, number: int) -> str:
        self._number = number
        return with_parameter(self.url, self._page_param(), str(number))

    def _page_param(self) -> str:
        return self.reading.page_param or "page"

    def _count(self, value: Any) -> None:
        """Take the number of all records from an answer; a page's own size is none."""
        if self.total is not None:
            return
        total, size = whole(value, TOTALS), whole(value, PAGE_SIZES)
        if total is not None and total >= self.rows:
            self.total = total
        elif size is not None and size > self.rows:
            self.total = size


def _given(url: str, name: str) -> int | None:
    held = dict(parse_qsl(urlsplit(url).query)).get(name, "")
    return int(held) if held.isdecimal() else None
