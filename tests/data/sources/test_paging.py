from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from web_server import Reply, Request, serving
from wellfit.data.sources import read_table
from wellfit.data.sources.entry import Reading
from wellfit.data.sources.web import client
from wellfit.errors import DataError

ROWS = [{"a": place, "b": f"x{place}"} for place in range(23)]
SIZE = 5


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)


def slice_of(start: int) -> list[dict[str, Any]]:
    return ROWS[start : start + SIZE]


def start_of(request: Request, name: str = "offset") -> int:
    return int(request.query.get(name, 0))


def by_link(request: Request) -> Reply:
    start = start_of(request)
    links = f'</x?offset=0>; rel="first", </x?offset={start + SIZE}>; title="a, b"; rel="next"'
    return Reply(slice_of(start), headers={"Link": links if start + SIZE < len(ROWS) else '</x>; rel="first"'})


def by_address(request: Request) -> Reply:
    start = start_of(request)
    following = f"?offset={start + SIZE}" if start + SIZE < len(ROWS) else None
    return Reply({"count": len(ROWS), "next": following, "results": slice_of(start)})


def by_nested_address(request: Request) -> Reply:
    start = start_of(request)
    links = {"next": {"href": f"/x?offset={start + SIZE}"}} if start + SIZE < len(ROWS) else {}
    return Reply({"_links": links, "_embedded": {"things": slice_of(start)}})


def by_odata(request: Request) -> Reply:
    start = start_of(request)
    following = {"@odata.nextLink": f"/x?offset={start + SIZE}"} if start + SIZE < len(ROWS) else {}
    return Reply({"value": slice_of(start), **following})


def by_cursor(request: Request) -> Reply:
    start = int(request.query.get("cursor", "c0")[1:])
    following = f"c{start + SIZE}" if start + SIZE < len(ROWS) else ""
    return Reply({"ok": True, "members": slice_of(start), "response_metadata": {"next_cursor": following}})


def by_more(request: Request) -> Reply:
    start = int(request.query.get("after", 0))
    has_more = start + SIZE < len(ROWS)
    # the cursor of the last page is given too: what counts is has_more
    return Reply({"data": slice_of(start), "page_info": {"end_cursor": start + SIZE, "has_next_page": has_more}})


def by_token(request: Request) -> Reply:
    start = int(request.query.get("pageToken", 0))
    following = {"nextPageToken": str(start + SIZE)} if start + SIZE < len(ROWS) else {}
    return Reply({"files": slice_of(start), **following})


def by_page(request: Request) -> Reply:
    page = int(request.query.get("page", 1))
    return Reply({"page": page, "total_pages": 5, "items": slice_of((page - 1) * SIZE)})


def by_page_from_zero(request: Request) -> Reply:
    page = int(request.query.get("page", 0))
    return Reply({"number": page, "totalPages": 5, "content": slice_of(page * SIZE)})


def by_offset(request: Request) -> Reply:
    start = start_of(request, "skip")
    return Reply({"skip": start, "limit": SIZE, "total": len(ROWS), "users": slice_of(start)})


FOUND: dict[str, tuple[Callable[[Request], Reply], str]] = {
    "Link header": (by_link, "link"),
    "address": (by_address, "next"),
    "address in _links": (by_nested_address, "next"),
    "OData": (by_odata, "next"),
    "cursor": (by_cursor, "cursor"),
    "cursor and has_more": (by_more, "cursor"),
    "token": (by_token, "cursor"),
    "page": (by_page, "page"),
    "page from zero": (by_page_from_zero, "page"),
    "offset": (by_offset, "offset"),
}


@pytest.mark.parametrize("name", FOUND)
def test_paging_is_found(name: str) -> None:
    answer, kind = FOUND[name]
    with serving(answer) as server:
        table = read_table(f"{server.url}/x?kept=1")
    assert table.frame.rows(named=True) == ROWS
    assert (table.record.details["pages"], table.record.details["paging"]) == (5, kind)
    assert len(server.requests) == 5
    if kind in ("page", "offset", "cursor"):
        assert {request.query["kept"] for request in server.requests} == {"1"}


def bare_page(first: int, past_the_end: int = 200) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        place = int(request.query.get("p", first)) - first
        rows = slice_of(place * SIZE)
        return Reply({"rows": rows}) if rows else Reply({"rows": []}, status=past_the_end)

    return answer


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("past_the_end", [200, 404])
@pytest.mark.parametrize("given", [False, True])
def test_a_page_number_is_told_by_its_parameter(first: int, past_the_end: int, given: bool) -> None:
    with serving(bare_page(first, past_the_end)) as server:
        url = f"{server.url}/x?p={first}" if given else f"{server.url}/x"
        table = read_table(url, reading=Reading(page_param="p"))
    assert table.frame.rows(named=True) == ROWS


def test_a_later_page_may_be_the_first_that_is_read() -> None:
    with serving(bare_page(1)) as server:
        table = read_table(f"{server.url}/x?p=4", reading=Reading(page_param="p"))
    assert table.frame.rows(named=True) == ROWS[15:]


@pytest.mark.parametrize("name", ["offset", "start"])
def test_an_offset_is_told_by_its_parameter(name: str) -> None:
    with serving(lambda request: Reply(slice_of(start_of(request, name)))) as server:
        assert read_table(server.url, reading=Reading(page_param=name)).frame.rows(named=True) == ROWS


def test_a_cursor_is_told_by_its_field_and_its_parameter() -> None:
    def answer(request: Request) -> Reply:
        start = int(request.query.get("mark", 0))
        return Reply({"page": {"items": slice_of(start), "then": start + SIZE if start + SIZE < len(ROWS) else None}})

    with serving(answer) as server:
        reading = Reading(records="page.items", cursor="page.then", page_param="mark")
        assert read_table(server.url, reading=reading).frame.rows(named=True) == ROWS


def test_the_first_page_alone_is_read_where_that_is_told() -> None:
    with serving(by_link) as server:
        assert read_table(server.url, reading=Reading(paging="none")).frame.height == SIZE
    assert len(server.requests) == 1


def test_records_that_are_left_out_are_told() -> None:
    with serving(lambda request: Reply({"total": 23, "items": slice_of(0)})) as server:
        table = read_table(server.url)
    assert any("there are 23 records, and 5 were read: name data.page_param" in note for note in table.notes)


def test_a_size_of_the_page_is_not_taken_for_the_number_of_records() -> None:
    with serving(lambda request: Reply({"count": SIZE, "rows": slice_of(start_of(request))})) as server:
        assert read_table(server.url, reading=Reading(page_param="offset")).frame.height == len(ROWS)


LOOPS = {
    "the same address": lambda request: Reply({"items": [request.query, {}], "next": "/x?same=1"}),
    "a parameter that the server ignores": lambda request: Reply({"items": slice_of(0)}),
    "a cursor that stays": lambda request: Reply({"items": [{"n": len(request.query)}], "next_cursor": "c"}),
    "a circle": lambda request: Reply(
        {"items": [{"at": request.query.get("p", "0")}], "next": f"/x?p={(int(request.query.get('p', 0)) + 1) % 3}"}
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_pages_without_end_are_seen(name: str) -> None:
    reading = Reading(page_param="offset") if "ignores" in name else Reading()
    with serving(LOOPS[name]) as server, pytest.raises(DataError, match=r"come again and again|lead in a circle"):
        read_table(f"{server.url}/x", reading=reading)
    assert len(server.requests) <= 5


def test_the_number_of_pages_is_bounded() -> None:
    with serving(by_link) as server, pytest.raises(DataError, match="more than 3 pages"):
        read_table(server.url, reading=Reading(max_pages=3))
    assert len(server.requests) == 3


def test_a_next_page_on_another_host_is_refused() -> None:
    following = {"Link": '<http://localhost:1/x>; rel="next"'}
    with (
        serving(lambda request: Reply([{"a": 1}], headers=following)) as server,
        pytest.raises(DataError, match="next page must lie on the same host"),
    ):
        read_table(server.url)


TOLD = {
    "no such way": (Reading(records="data.itms"), "Did you mean 'data.items'"),
    "no list": (Reading(records="data"), "must lead to a list of records"),
}


@pytest.mark.parametrize("name", TOLD)
def test_a_wrong_way_to_the_records_is_told(name: str) -> None:
    reading, expected = TOLD[name]
    with serving(lambda request: Reply({"data": {"items": slice_of(0)}})) as server:
        with pytest.raises(DataError, match=expected):
            read_table(server.url, reading=reading)
        assert read_table(server.url, reading=Reading(records="data.items")).frame.height == SIZE
