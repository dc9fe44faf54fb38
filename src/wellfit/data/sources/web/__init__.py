"""Tables on the web: files, and JSON APIs page by page.

A file is laid down and read like any other; an API's records are laid down as they come, one a line, so that memory
holds one page at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wellfit.data.sources.entry import Fetched, Reading, RemoteEntry
from wellfit.data.sources.room import Room
from wellfit.data.sources.secrets import filled
from wellfit.data.sources.web.client import Answer, Client, Nothing, origin_of
from wellfit.data.sources.web.naming import file_name
from wellfit.data.sources.web.paging import Pager
from wellfit.data.sources.web.records import find_records, records_at
from wellfit.errors import DataError

__all__ = ["ENTRY"]

_ERRORS = {"error", "errors"}
"""Keys by which an object says that it is no record but a refusal."""


def fetch(address: str, folder: Path, reading: Reading) -> Fetched:
    """Lay down the file, or all records of the API, that an address gives.

    Args:
        address: ``https://...`` or ``http://...``; secrets stand in it as ``${env:NAME}``.
        folder: an empty folder to write into.
        reading: the way to the records, the paging and the headers.

    Raises:
        DataError: the server refuses, or what it gives is no table.
        RunFailed: the server could not be reached or failed, however often it was asked.
    """
    told = reading.records is not None or reading.cursor or reading.page_param or reading.paging not in (None, "none")
    headers = {name: filled(value) for name, value in reading.headers.items()}
    client = Client(filled(address, quoted=True), headers, shown=address, expects_json=bool(told))
    room = Room(folder)
    answer = client.get(client.url, folder / "answer", room)
    way = _records_of(client, answer, reading)
    if way is not None:
        return _api(client, answer, way, reading, room)
    room.keep()
    path = answer.path.rename(folder / file_name(answer, address))
    notes = ("The address gives a file: what was told of records and paging is not used.",) if told else ()
    return Fetched(source=str(path), details={"retries": client.retries}, notes=notes)


def _records_of(client: Client, answer: Answer, reading: Reading) -> str | None:
    """Give the way to the records; None for what is a file."""
    if answer.value is None:
        return None
    if reading.records is not None:
        records_at(answer.value, reading.records)
        return reading.records
    way = find_records(answer.value)
    if way is None and isinstance(answer.value, dict) and _ERRORS & answer.value.keys():
        # Not told is what it says: it may repeat a token.
        rule = "The server answers with an error in the place of records."
        raise DataError(rule, got=client.shown, do="Check the address, its parameters and the token.")
    return way


def _api(client: Client, answer: Answer, way: str, reading: Reading, room: Room) -> Fetched:
    """Lay down the records of all pages, one a line."""
    pager = Pager(url=client.url, reading=reading)
    path = answer.path.with_name("records.ndjson")
    pages = 0
    with path.open("w", encoding="utf-8") as file:
        for page in _pages(client, pager, answer, way, room):
            pages += bool(page)
            for record in page:
                line = json.dumps(record, ensure_ascii=False) + "\n"
                room.take(len(line))
                file.write(line)
    answer.path.unlink()
    if not pager.rows:
        raise DataError("The address gives no records.", got=client.shown, do="Check the address and its parameters.")
    details: dict[str, str | int | bool] = {
        "pages": pages,
        "paging": pager.kind or "none",
        "records": way or "the answer",
    }
    return Fetched(source=str(path), details={**details, "retries": client.retries}, notes=tuple(_notes(pager, pages)))


def _pages(client: Client, pager: Pager, answer: Answer, way: str, room: Room) -> Iterator[list[Any]]:
    """Yield the records of one page after the other.

    Raises:
        DataError: pages come again, lie on another host, or are more than may be asked for.
    """
    asked, contents = {client.url}, set[bytes]()
    while True:
        page = records_at(answer.value, way)
        content = hashlib.sha256(json.dumps(page).encode()).digest()
        again = bool(page) and content in contents
        contents.add(content)
        if again and not pager.probing:
            do = "Does data.page_param name the parameter that the server knows?"
            raise DataError("The pages come again and again.", got=client.shown, do=do)
        target = pager.past_probe() if again else pager.next(answer, page)
        pager.probing = pager.probing and pager.rows == len(page)
        if not again:
            yield page
        if target is None:
            return
        target = _same_host(target, answer, client)
        if target in asked:
            raise DataError("The pages lead in a circle.", got=client.shown, do="Name data.paging, or set it to none.")
        if len(asked) >= pager.reading.max_pages:
            rule = f"There are more than {pager.reading.max_pages:,} pages."
            raise DataError(rule, got=client.shown, do="Ask for larger pages, or set data.max_pages.")
        asked.add(target)
        try:
            answer = client.get(target, answer.path, room)
        except Nothing:
            if pager.kind != "page":
                raise
            return  # some servers have nothing behind the last page


def _same_host(target: str, answer: Answer, client: Client) -> str:
    """Give an address on the host that was named; servers behind a proxy may call it http where it is https."""
    here, there = origin_of(answer.url), origin_of(target)
    if here[0] == "https" and there[:2] == ("http", here[1]):
        return answer.url.split("/", 3)[0] + "//" + answer.url.split("/", 3)[2] + "/" + target.split("/", 3)[3]
    if there not in (here, client.origin):
        raise DataError("The next page must lie on the same host.", got=client.shown, do="Name that host's address.")
    return target


def _notes(pager: Pager, pages: int) -> Iterator[str]:
    if pages > 1:
        yield f"{pages:,} pages are read, one after the other by {pager.kind}."
    if pager.total is not None and pager.rows < pager.total and pager.reading.paging != "none":
        rest = "name data.page_param to read all" if not pager.kind else "the others did not come"
        yield f"The server says that there are {pager.total:,} records, and {pager.rows:,} were read: {rest}."


def _matches(source: Any) -> bool:
    return isinstance(source, str) and source.lower().startswith(("https://", "http://"))


ENTRY = RemoteEntry(
    name="web",
    summary="a file or a paged JSON API (https://...)",
    make=fetch,
    matches=_matches,
    reference="HTTP: RFC 9110; Link header: RFC 8288",
)
