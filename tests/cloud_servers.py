"""Object stores on loopback: moto's S3, and a bucket that answers as Google's XML API does."""

from __future__ import annotations

import base64
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

import pytest

from web_server import Reply, Request

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG"


def forget_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the variables of every cloud out of the environment."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "AZURE_"))]:
        monkeypatch.delenv(name)


@contextmanager
def s3_server() -> Iterator[str]:
    """Run moto's server, and give its address."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        running.stop()


def s3_client(url: str) -> Any:
    """Give a client that may do everything."""
    import boto3

    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET
    )


def s3_environment(url: str) -> dict[str, str]:
    """Give the variables that lead to a server."""
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
    }


@dataclass
class Bucket:
    """A bucket of Google's, by what its XML API says of lists and objects: cloud.google.com/storage/docs/xml-api."""

    objects: Mapping[str, bytes]
    reader: str = "reader@project.iam.gserviceaccount.com"
    """Who may read; others are known and have no right."""
    keys: dict[str, Any] = field(default_factory=dict)
    """The public key of each account."""
    faults: list[Reply] = field(default_factory=list)
    """What the next requests get in the place of an answer."""
    page: int = 1000
    """Keys in one answer to a list."""

    def account(self, email: str, path: Path) -> Path:
        """Make an account, and write down the file of its key."""
        from cryptography.hazmat.primitives import serialization as as_text
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.keys[email] = key.public_key()
        pem = key.private_bytes(as_text.Encoding.PEM, as_text.PrivateFormat.PKCS8, as_text.NoEncryption())
        record = {"type": "service_account", "client_email": email, "private_key_id": "1", "private_key": pem.decode()}
        path.write_text(json.dumps(record))
        return path

    def answer(self, request: Request) -> Reply:
        """Answer to the one who asks."""
        if self.faults:
            return self.faults.pop(0)
        asker = self._asker(request.headers.get("authorization", ""))
        if asker is None:
            return _error(401, "AuthenticationRequired", "Authentication required.")
        if asker != self.reader:
            return _error(403, "AccessDenied", "Access denied.")
        bucket, _, key = unquote(request.path).removeprefix("/").partition("/")
        if bucket != "tables":
            return _error(404, "NoSuchBucket", "The specified bucket does not exist.")
        if not key:
            return self._list(request.query)
        if key not in self.objects:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        return self._object(self.objects[key], request.headers.get("range", ""))

    def _object(self, body: bytes, asked: str) -> Reply:
        """Give an object, or what is left of it from a place on."""
        first = int(asked.removeprefix("bytes=").partition("-")[0] or "0")
        if not first:
            return Reply(body, headers=STAMPS)
        told = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
        return Reply(body[first:], status=206, headers={**STAMPS, **told})

    def _asker(self, header: str) -> str | None:
        """Give the account whose key has signed the token, as Google does with tokens that a client makes itself."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signed, _, signature = header.removeprefix("Bearer ").rpartition(".")
        if not signed:
            return None
        email = str(json.loads(_decoded(signed.partition(".")[2]))["iss"])
        try:
            self.keys[email].verify(_decoded(signature), signed.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, KeyError):
            return None
        return email

    def _list(self, query: Mapping[str, str]) -> Reply:
        names = sorted(key for key in self.objects if key.startswith(query.get("prefix", "")))
        first = int(query.get("continuation-token", "0"))
        page, rest = names[first : first + self.page], len(names) > first + self.page
        contents = "".join(
            f"<Contents><Key>{escape(name)}</Key><Generation>1</Generation><MetaGeneration>1</MetaGeneration>"
            f'<LastModified>2026-11-24T10:00:00.000Z</LastModified><ETag>"1"</ETag>'
            f"<Size>{len(self.objects[name])}</Size></Contents>"
            for name in page
        )
        token = f"<NextContinuationToken>{first + self.page}</NextContinuationToken>" if rest else ""
        head = f"<Name>tables</Name><KeyCount>{len(page)}</KeyCount><IsTruncated>{str(rest).lower()}</IsTruncated>"
        return _xml(f"<ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>{head}{token}{contents}", 200)


STAMPS = {"Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT", "ETag": '"1"', "x-goog-generation": "1"}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _error(status: int, code: str, message: str) -> Reply:
    return _xml(f"<Error><Code>{code}</Code><Message>{message}</Message>", status)


def _xml(text: str, status: int) -> Reply:
    root = text[1:].partition(">")[0].partition(" ")[0]
    body = f"<?xml version='1.0' encoding='UTF-8'?>{text}</{root}>".encode()
    return Reply(body, status=status, headers={"Content-Type": "application/xml; charset=UTF-8"})
