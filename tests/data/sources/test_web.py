from __future__ import annotations

import gzip
import io
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import polars as pl
import pytest

import wellfit
from small import QUICK
from web_server import Reply, Request, serving
from wellfit.data.sources import read_table, room
from wellfit.data.sources.entry import Reading
from wellfit.data.sources.web import client
from wellfit.errors import DataError, RunFailed

CSV = b"a,b\n1,x\n2,y\n"
FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})


def parquet() -> bytes:
    file = io.BytesIO()
    FRAME.write_parquet(file)
    return file.getvalue()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


FILES = {
    "by suffix": ("/t.csv", CSV, {}),
    "packed": ("/t.csv.gz", gzip.compress(CSV), {}),
    "packed on the way": ("/t.csv", gzip.compress(CSV), {"Content-Encoding": "gzip"}),
    "by type": ("/export", b"a\tb\n1\tx\n2\ty\n", {"Content-Type": "text/tab-separated-values; charset=utf-8"}),
    "by its own name": ("/export", parquet(), {"Content-Disposition": 'attachment; filename="t.parquet"'}),
    "by its first bytes": ("/export", parquet(), {"Content-Type": "application/octet-stream"}),
    "lines of JSON": ("/t.ndjson", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', {"Content-Type": "application/json"}),
    "columns of JSON": ("/t.json", b'{"a": [1, 2], "b": ["x", "y"]}', {"Content-Type": "application/json"}),
    "records of JSON": ("/t.json", b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', {"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_read_like_those_on_disk(name: str) -> None:
    path, body, headers = FILES[name]
    with serving(lambda request: Reply(body, headers=headers)) as server:
        table = read_table(server.url + path)
    assert [[str(cell) for cell in row] for row in table.frame.rows()] == [["1", "x"], ["2", "y"]]
    assert table.frame.columns == ["a", "b"]
    assert (table.record.uri, table.record.kind, table.record.rows) == (server.url + path, "web", 2)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_for_again(status: int) -> None:
    left = [Reply(b"", status=status), Reply(b"", status=status)]
    with serving(lambda request: left.pop() if left else Reply(CSV)) as server:
        table = read_table(f"{server.url}/t.csv")
    assert table.frame.height == 2
    assert table.record.details["retries"] == 2


@pytest.mark.parametrize("form", ["seconds", "date", "reset", "epoch"])
def test_a_wait_that_the_server_asks_for_is_kept(form: str) -> None:
    then = datetime.now(UTC) + timedelta(seconds=2)
    header = {
        "seconds": {"Retry-After": "0.6"},
        "date": {"Retry-After": format_datetime(then)},
        "reset": {"RateLimit-Reset": "0.6"},
        "epoch": {"X-RateLimit-Reset": str(int(then.timestamp())), "X-RateLimit-Remaining": "0"},
    }[form]
    # GitHub says 403 where a limit is used up
    left = [Reply(b"", status=403 if form == "epoch" else 429, headers=header)]
    started = time.monotonic()
    with serving(lambda request: left.pop() if left else Reply(CSV)) as server:
        assert read_table(f"{server.url}/t.csv").frame.height == 2
    assert time.monotonic() - started >= 0.5
    assert len(server.requests) == 2


def test_a_wait_of_an_hour_is_told_and_not_kept() -> None:
    reply = Reply(b"", status=429, headers={"Retry-After": "3600"})
    with serving(lambda request: reply) as server, pytest.raises(RunFailed, match="wait for 3,600 seconds"):
        read_table(f"{server.url}/t.csv")
    assert len(server.requests) == 1


CUT = {
    "a file": (CSV, 5, {}),
    "before the first byte": (CSV, 0, {}),
    "JSON without a length": (b'[{"a": 1, "b": "x"}, {"a": 2', None, {"Content-Type": "application/json"}),
}


@pytest.mark.parametrize("name", CUT)
def test_a_cut_off_answer_is_seen(name: str) -> None:
    body, cut, headers = CUT[name]
    whole = b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]' if body != CSV else CSV
    left = [Reply(body, cut=cut, headers=headers)]
    with serving(lambda request: left.pop() if left else Reply(whole, headers=headers)) as server:
        assert read_table(f"{server.url}/t").frame.height == 2
    with (
        serving(lambda request: Reply(body, cut=cut, headers=headers)) as server,
        pytest.raises(RunFailed, match=r"no whole answer in 6 attempts: (the connection broke|its JSON is cut off)"),
    ):
        read_table(f"{server.url}/t")
    assert len(server.requests) == client.ATTEMPTS


def test_a_server_that_dies_between_pages_fails_the_reading() -> None:
    def answer(request: Request) -> Reply:
        if request.query.get("page", "1") == "3":
            return Reply(b"", status=500)
        return Reply({"page": int(request.query.get("page", 1)), "total_pages": 4, "items": [{"a": request.query}]})

    with serving(answer) as server, pytest.raises(RunFailed, match="it answers 500"):
        read_table(server.url)
    with pytest.raises(RunFailed, match="it can't be reached"):
        read_table(server.url)


def test_pages_that_end_before_the_count_are_no_table() -> None:
    def answer(request: Request) -> Reply:
        start = int(request.query.get("offset", 0))
        rows = [{"a": place} for place in range(start, start + 5)] if start < 10 else []
        return Reply({"offset": start, "total": 23, "items": rows})

    with serving(answer) as server, pytest.raises(RunFailed, match=r"there are 23 records\. Got .10, and then"):
        read_table(server.url)


def test_an_error_in_the_place_of_records_is_told() -> None:
    reply = Reply({"error": "bad token hunter2", "status": 401})
    with serving(lambda request: reply) as server, pytest.raises(DataError, match="answers with an error") as caught:
        read_table(server.url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_one_sentence_and_not_asked_for_again(status: int) -> None:
    reply = Reply(b"secret page", status=status)
    with serving(lambda request: reply) as server, pytest.raises(DataError, match=str(status)) as caught:
        read_table(f"{server.url}/t.csv?api_key=hunter2")
    assert len(server.requests) == 1
    assert "hunter2" not in str(caught.value)
    assert caught.value.do
    assert caught.value.exit_code == 2


def test_secrets_are_filled_in_and_go_to_their_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_TOKEN", "s3/cr&t")
    reading = Reading(headers={"Authorization": "Bearer ${env:WEB_TOKEN}", "X-Api-Key": "${env:WEB_TOKEN}"})
    with serving(lambda request: Reply(CSV)) as other:
        there = other.url.replace("127.0.0.1", "localhost") + "/t.csv"
        with serving(lambda request: Reply(b"", status=302, headers={"Location": there})) as server:
            table = read_table(server.url + "/t?token=${env:WEB_TOKEN}", reading=reading)
    assert table.frame.height == 2
    first, second = server.requests[0], other.requests[0]
    assert first.query == {"token": "s3/cr&t"}
    assert first.headers["Authorization"] == "Bearer s3/cr&t"
    assert {name.lower() for name in second.headers} & {"authorization", "x-api-key"} == set()
    assert "s3/cr&t" not in repr(table)
    assert "token=***" in table.record.uri


def test_a_login_in_the_address_becomes_a_header() -> None:
    with serving(lambda request: Reply(CSV)) as server:
        table = read_table(server.url.replace("//", "//ann:pw%40d@") + "/t.csv")
    assert server.requests[0].headers["Authorization"] == "Basic YW5uOnB3QGQ="
    assert "pw" not in repr(table.record)


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    with pytest.raises(DataError, match="NO_SUCH_TOKEN must be set"):
        read_table("http://127.0.0.1:1/t", reading=Reading(headers={"X": "${env:NO_SUCH_TOKEN}"}))


REFUSED = {
    "a page for a browser": (Reply(b"<html>", headers={"Content-Type": "text/html"}), "gives a web page and no table"),
    "a circle": (Reply(b"", status=301, headers={"Location": "/t"}), "redirects in a circle"),
    "no web address": (Reply(b"", status=301, headers={"Location": "file:///etc/passwd"}), "no web address"),
    "nothing": (Reply({"items": []}), "gives no records"),
    "two lists": (Reply({"cats": [{"a": 1}], "dogs": [{"a": 1}]}), "several lists of records.*cats, dogs"),
    "an image": (Reply(b"\x89PNG\r\n\x1a\n" + bytes(50)), "is a PNG image"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_told(name: str) -> None:
    reply, expected = REFUSED[name]
    with serving(lambda request: reply) as server, pytest.raises(DataError, match=expected) as caught:
        read_table(f"{server.url}/t")
    assert "/tmp" not in str(caught.value)
    assert "wellfit-" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://", "https://host:port/x", "http://ho st/x"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises((DataError, RunFailed)):
        read_table(address)


def test_an_answer_that_does_not_fit_the_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": (1 << 28) + 5}))
    with serving(lambda request: Reply(CSV)) as server, pytest.raises(RunFailed, match="no room"):
        read_table(f"{server.url}/t.csv")


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with serving(lambda request: Reply(CSV if request.path == "/t.csv" else b"a,a\n1,2\n")) as server:
        table = read_table(f"{server.url}/t.csv", reading=Reading(records="a"))
        assert table.notes == ("The address gives a file: what was told of records and paging is not used.",)
        with pytest.raises(DataError, match="must differ"):
            read_table(f"{server.url}/bad.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_run_from_the_web_holds_no_secret_and_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"x": place % 10, "y": "low" if place % 10 < 5 else "high", "id": place} for place in range(120)]
    monkeypatch.setenv("WEB_TOKEN", "from-the-environment")

    def answer(request: Request) -> Reply:
        start = int(request.query.get("offset", 0))
        if request.headers.get("X-Api-Key") != "written-out" or request.query.get("key") != "from-the-environment":
            return Reply(b"", status=401)
        return Reply({"data": {"rows": rows[start : start + 50]}})

    with serving(answer) as server:
        data = {"page_param": "offset", "records": "data.rows", "headers": {"X-Api-Key": "written-out"}}
        source, out = server.url + "/api?key=${env:WEB_TOKEN}", str(tmp_path / "run")
        run = wellfit.train(source, "y", data=data, out=out, **QUICK)
        monkeypatch.setenv("WELLFIT_SECRET_X_API_KEY", "written-out")
        assert len(wellfit.load(out).predict(source)) == 120
    with serving(lambda request: Reply(CSV)) as other:
        assert wellfit.load(out).predictor.read(f"{other.url}/t.csv").height == 2
    assert "X-Api-Key" not in other.requests[0].headers
    for file in (tmp_path / "run").rglob("*"):
        if file.is_file():
            assert b"written-out" not in file.read_bytes(), file
            assert b"from-the-environment" not in file.read_bytes(), file
    saved = run.config["data"]
    assert saved["source"].endswith("/api?key=${env:WEB_TOKEN}")
    assert saved["headers"] == {"X-Api-Key": "${env:WELLFIT_SECRET_X_API_KEY}"}
    assert run.plan["source"]["details"]["pages"] == 3
    assert re.search(r"WELLFIT_SECRET_X_API_KEY stands for it", (tmp_path / "run" / "log.txt").read_text())
