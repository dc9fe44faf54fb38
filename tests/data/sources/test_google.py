"""Google's buckets, against a server on loopback that answers as their XML API does and checks each token."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from cloud_servers import STAMPS, Bucket, forget_logins
from web_server import Reply, serving
from wellfit.data.sources import read_table
from wellfit.errors import DataError, RunFailed

FILES = {
    "plain.csv": b"a,b\n1,2\n",
    "with a space/ü.csv": b"a,b\n5,6\n",
    "packed.csv.gz": gzip.compress(b"a,b\n7,8\n"),
    "parts/part-1.csv": b"a,b\n1,2\n",
    "parts/part-10.csv": b"a,b\n10,2\n",
    "parts/part-2.csv": b"a,b\n2,2\n",
    "parts/notes.md": b"# no table\n",
    "hive/year=2024/x.csv": b"a,b\n1,2\n",
    "hive/year=2025/x.csv": b"a,b\n3,4\n",
}


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket, and an environment with the login of who may read it."""
    forget_logins(monkeypatch)
    bucket = Bucket(FILES)
    with serving(bucket.answer) as server:
        monkeypatch.setenv("GOOGLE_BASE_URL", server.url)
        account = bucket.account(bucket.reader, tmp_path / "account.json")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
        yield bucket


READ = {
    "gs://tables/plain.csv": [("1", "2")],
    "gs://tables/with a space/ü.csv": [("5", "6")],
    "gs://tables/packed.csv.gz": [("7", "8")],
    "gs://tables/parts/*.csv": [("1", "2"), ("2", "2"), ("10", "2")],
    "gs://tables/parts/part-?.csv": [("1", "2"), ("2", "2")],
    "gs://tables/hive/": [("1", "2", "2024"), ("3", "4", "2025")],
    "gs://tables/hive": [("1", "2", "2024"), ("3", "4", "2025")],
    "gs://tables/**/year=2025/*.csv": [("3", "4", "2025")],
}


@pytest.mark.parametrize("page", [1000, 2])
@pytest.mark.parametrize("source", READ)
def test_one_key_a_pattern_and_a_folder(source: str, page: int, bucket: Bucket) -> None:
    bucket.page = page
    table = read_table(source)
    assert table.frame.rows() == READ[source]
    assert (table.record.uri, table.record.kind) == (source, "cloud")


def test_a_typed_file_keeps_its_types(bucket: Bucket, tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": [1, None], "x": [0.5, 2.5]})
    frame.write_parquet(tmp_path / "t.parquet")
    bucket.objects = {"t.parquet": (tmp_path / "t.parquet").read_bytes()}
    assert read_table("gs://tables/t.parquet").frame.equals(frame)


BAD = {
    "gs://tables/missing.csv": "There is no such key in the bucket",
    "gs://tables/missing/*.csv": "No key fits the pattern",
    "gs://no-such-bucket/x.csv": "There is no such bucket",
    "gs://no-such-bucket/*.csv": "There is no such bucket",
}


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("source", BAD)
def test_what_is_not_there_is_one_sentence(source: str) -> None:
    with pytest.raises(DataError, match=BAD[source]) as caught:
        read_table(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["gs://tables/plain.csv", "gs://tables/parts/*.csv"])
def test_without_rights_or_unknown_it_is_told(
    source: str, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = bucket.account("other@project.iam.gserviceaccount.com", tmp_path / "other.json")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
    with pytest.raises(DataError, match="have no right to read this"):
        read_table(source)
    bucket.keys.clear()
    with pytest.raises(DataError, match=r"does not know these credentials.*GOOGLE_APPLICATION_CREDENTIALS"):
        read_table(source)


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("text", ["{}", "no json", None])
def test_a_login_that_can_not_be_used_is_told(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if text is not None:
        (tmp_path / "mine.json").write_text(text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "mine.json"))
    with pytest.raises(DataError, match=r"GOOGLE_APPLICATION_CREDENTIALS") as caught:
        read_table("gs://tables/plain.csv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", ["gs://tables/plain.csv", "gs://tables/parts/*.csv"])
def test_a_server_that_fails_is_asked_again(source: str, bucket: Bucket) -> None:
    bucket.faults = [Reply(b"", status=503), Reply(b"", status=500)]
    assert read_table(source).frame.rows() == READ[source]
    assert bucket.faults == []


def test_a_server_that_fails_each_time_is_no_bad_input(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.data.sources.cloud.stores._RETRIES", 1)
    bucket.faults = [Reply(b"", status=500) for _ in range(9)]
    with pytest.raises(RunFailed, match="could not be reached, or failed each time") as caught:
        read_table("gs://tables/plain.csv")
    assert caught.value.exit_code == 1


WHOLE = b"a,b\n" + b"1,2\n" * 1000


def test_where_an_answer_is_cut_off_the_rest_is_asked_for(bucket: Bucket) -> None:
    bucket.objects, bucket.faults = {"t.csv": WHOLE}, [Reply(WHOLE, cut=1000, headers=STAMPS)]
    assert read_table("gs://tables/t.csv").frame.height == 1000
    assert bucket.faults == []


def test_what_is_cut_off_each_time_is_no_shorter_table(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.data.sources.cloud.stores._RETRIES", 1)
    bucket.faults = [Reply(WHOLE, cut=1000, headers=STAMPS) for _ in range(9)]
    with pytest.raises(RunFailed, match="failed each time"):
        read_table("gs://tables/t.csv")
