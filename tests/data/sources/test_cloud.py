"""Buckets, against a real S3 server on loopback (moto's); az as far as it goes without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from cloud_servers import KEY, SECRET, forget_logins, s3_client, s3_environment, s3_server
from web_server import Reply, Request, serving
from wellfit.data.sources import read_table
from wellfit.data.sources.cloud import address, faults
from wellfit.errors import DataError, RunFailed

FILES = {
    "plain.csv": b"a,b\n1,2\n",
    "with a space/ü.csv": b"a,b\n5,6\n",
    "parts/part-1.csv": b"a,b\n1,2\n",
    "parts/part-10.csv": b"a,b\n10,2\n",
    "parts/part-2.csv": b"a,b\n2,2\n",
    "parts/deep/part-3.csv": b"a,b\n3,2\n",
    "parts/notes.md": b"# no table\n",
    "hive/year=2024/x.csv": b"a,b\n1,2\n",
    "hive/year=2025/x.csv": b"a,b\n3,4\n",
    "hive/_SUCCESS": b"",
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture(scope="module")
def bucket(server: str) -> str:
    s3 = s3_client(server)
    s3.create_bucket(Bucket="tables")
    for key, body in FILES.items():
        s3.put_object(Bucket="tables", Key=key, Body=body)
    return server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_logins(monkeypatch)


@pytest.fixture
def credentials(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_environment(bucket).items():
        monkeypatch.setenv(name, value)


READ = {
    "s3://tables/plain.csv": [("1", "2")],
    "S3://tables/plain.csv": [("1", "2")],
    "s3://tables/with a space/ü.csv": [("5", "6")],
    "s3://tables/parts/*.csv": [("1", "2"), ("2", "2"), ("10", "2")],
    "s3://tables/parts/part-?.csv": [("1", "2"), ("2", "2")],
    "s3://tables/parts/part-[!2]*.csv": [("1", "2"), ("10", "2")],
    "s3://tables/parts/**/*.csv": [("3", "2"), ("1", "2"), ("2", "2"), ("10", "2")],
    "s3://tables/hive/": [("1", "2", "2024"), ("3", "4", "2025")],
    "s3://tables/hive": [("1", "2", "2024"), ("3", "4", "2025")],
    "s3://tables/hive/*/x.csv": [("1", "2", "2024"), ("3", "4", "2025")],
    "s3://tables/hive/year=2025/*.csv": [("3", "4")],
}


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("source", READ)
def test_one_key_a_pattern_and_a_folder(source: str) -> None:
    table = read_table(source)
    assert table.frame.rows() == READ[source]
    assert (table.record.uri, table.record.kind) == (source, "cloud")
    assert table.record.details["format"] == "delimited"


@pytest.mark.usefixtures("credentials")
def test_a_typed_file_keeps_its_types(bucket: str, tmp_path: Any) -> None:
    frame = pl.DataFrame({"n": [1, None], "x": [0.5, 2.5]})
    frame.write_parquet(tmp_path / "t.parquet")
    s3_client(bucket).upload_file(str(tmp_path / "t.parquet"), "tables", "t.parquet")
    assert read_table("s3://tables/t.parquet").frame.equals(frame)


BAD = {
    "s3://tables/missing.csv": "There is no such key in the bucket",
    "s3://tables/missing/*.csv": "No key fits the pattern",
    "s3://no-such-bucket/x.csv": "There is no such bucket",
    "s3://no-such-bucket/*.csv": "There is no such bucket",
    "s3:///x.csv": "must name a bucket",
    "s3://": "must name a bucket",
    f"s3://{KEY}:{SECRET}@tables/x.csv": "login to a bucket comes from the environment alone",
    "s3://tables/": "A folder is not a table",
}


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("source", BAD)
def test_what_is_not_there_is_one_sentence(source: str) -> None:
    with pytest.raises(DataError, match=BAD[source]) as caught:
        read_table(source)
    assert SECRET not in str(caught.value)
    assert "wellfit-" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("credentials")
def test_schemas_of_one_pattern_must_agree(bucket: str) -> None:
    for key, body in (("mixed/a.csv", b"a,b\n1,2\n"), ("mixed/b.csv", b"a,c\n1,2\n")):
        s3_client(bucket).put_object(Bucket="tables", Key=key, Body=body)
    with pytest.raises(DataError, match=r"must have the same columns: 'b\.csv' lacks") as caught:
        read_table("s3://tables/mixed/*.csv")
    assert "/tmp" not in str(caught.value)


@pytest.mark.usefixtures("credentials")
def test_a_sheet_of_a_workbook(bucket: str, tmp_path: Any) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "b.xlsx")) as workbook:
        for name in ("First", "In May"):
            sheet = workbook.add_worksheet(name)
            for place, row in enumerate([("a", "sheet"), (1.5, name), (2.5, name)]):
                sheet.write_row(place, 0, row)
    s3_client(bucket).upload_file(str(tmp_path / "b.xlsx"), "tables", "b.xlsx")
    assert read_table("s3://tables/b.xlsx?sheet=In May").frame["sheet"].to_list() == ["In May"] * 2


def test_without_rights_it_is_told(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    s3 = s3_client(server)
    s3.create_bucket(Bucket="guarded")
    s3.put_object(Bucket="guarded", Key="x.csv", Body=b"a\n1\n")
    iam = boto3.client(
        "iam", endpoint_url=server, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET
    )
    iam.create_user(UserName="ann")
    keys = iam.create_access_key(UserName="ann")["AccessKey"]
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    with Guarded(server):
        for source in ("s3://guarded/x.csv", "s3://guarded/*.csv"):
            with pytest.raises(DataError, match="have no right to read this"):
                read_table(source)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWNUNKNOWN00")
        with pytest.raises(DataError, match="does not know these credentials"):
            read_table("s3://guarded/x.csv")


class Guarded:
    """Lets moto look at credentials and rights, which it does not do by itself."""

    def __init__(self, server: str) -> None:
        self.server = server

    def __enter__(self) -> None:
        import urllib3

        self.pool = urllib3.PoolManager()
        self.pool.request("POST", f"{self.server}/moto-api/reset-auth", body=b"0")

    def __exit__(self, *reason: object) -> None:
        self.pool.request("POST", f"{self.server}/moto-api/reset-auth", body=b"Infinity")


def test_a_store_that_is_gone_fails_and_is_not_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("wellfit.data.sources.cloud.stores._RETRIES", 0)
    with pytest.raises(RunFailed, match="could not be reached") as caught:
        read_table("s3://tables/x.csv")
    assert caught.value.exit_code == 1
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("s3://tables/x.csv", "AWS_ACCESS_KEY_ID"),
        ("gs://tables/x.csv", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://tables/x.csv", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_missing_credentials_name_the_variables(source: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # half a login: no store asks a machine's own metadata for one then
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setattr("wellfit.data.sources.cloud.stores._RETRIES", 0)
    if source.startswith("gs"):
        error = Exception("Generic GCS error: Error performing GET http://metadata.google.internal/computeMetadata/v1")
        told = faults._sentence(address.parsed(source), "x.csv", error)
    else:
        with pytest.raises(DataError) as caught:
            read_table(source)
        told = caught.value
    assert "no credentials for the store" in str(told)
    assert named in str(told)


REPLIES = {
    301: ("<Error><Code>PermanentRedirect</Code><Message>wrong endpoint</Message></Error>", "lies in another region"),
    400: ("<Error><Code>AuthorizationHeaderMalformed</Code></Error>", "lies in another region"),
    403: ("<Error><Code>SignatureDoesNotMatch</Code></Error>", "does not know these credentials"),
}


@pytest.mark.parametrize("status", REPLIES)
def test_what_stores_answer_is_put_into_words(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    body, expected = REPLIES[status]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with serving(lambda request: Reply(body.encode(), status=status)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(DataError, match=expected):
            read_table("s3://tables/x.csv")


def test_azure_is_asked_for_the_container_and_the_blob(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request) -> Reply:
        headers = {"Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT", "ETag": '"1"', "x-ms-blob-type": "BlockBlob"}
        return Reply(b"a,b\n1,2\n", headers=headers)

    with serving(answer) as server:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0c2VjcmV0")
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", server.url)
        assert read_table("az://container/folder/t.csv").frame.rows() == [("1", "2")]
    assert server.requests[0].path.endswith("/container/folder/t.csv")
    assert server.requests[0].headers["authorization"].startswith("SharedKey account:")


@pytest.mark.parametrize(
    ("pattern", "root", "fits", "not_fits"),
    [
        ("a/*.csv", "a", ["a/x.csv"], ["a/b/x.csv", "a/x.csv.gz", "b/x.csv"]),
        ("a/**/x.csv", "a", ["a/x.csv", "a/b/c/x.csv"], ["a/bx.csv", "x.csv"]),
        ("a/**", "a", ["a/x", "a/b/x"], ["b/x"]),
        ("*.csv", "", ["x.csv"], ["a/x.csv"]),
        ("a/[ab]?.csv", "a", ["a/ax.csv"], ["a/cx.csv", "a/a.csv", "a/a/.csv"]),
        ("a.b/*.csv", "a.b", ["a.b/x.csv"], ["aXb/x.csv"]),
        ("a/", "a", ["a/x", "a/b/x"], ["ab/x"]),
        ("", "", ["x", "a/x"], []),
    ],
)
@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_patterns(scheme: str, pattern: str, root: str, fits: list[str], not_fits: list[str]) -> None:
    place = address.parsed(f"{scheme}://bucket/{pattern}")
    assert (place.scheme, place.bucket, place.root) == (scheme, "bucket", root)
    assert [key for key in [*fits, *not_fits] if place.fits(key)] == fits
