"""Requests that are worth repeating, are repeated; secrets go to the host they are meant for and nowhere else.

Back-off follows "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): a random wait up to a bound that
doubles.
"""

from __future__ import annotations

import json
import random
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from wellfit.data.sources.paths import masked
from wellfit.data.sources.room import Room
from wellfit.errors import DataError, RunFailed

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

__all__ = ["Answer", "Client", "Nothing", "origin_of"]

ATTEMPTS = 6
FIRST_WAIT = 0.5
"""Seconds; the bound of the wait doubles with each attempt."""
LONGEST_WAIT = 60.0
"""Seconds; a server that asks for more is not waited for."""
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_MOST_REDIRECTS = 10
_BLOCK = 1 << 20
_LARGEST_JSON = 1 << 29
"""Bytes of one JSON answer that is parsed as a page; a larger one is a file."""

_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_REFUSED = {
    401: (
        "The server asks for a login (401).",
        "Give it as data.headers.Authorization, such as 'Bearer ${env:TOKEN}'.",
    ),
    403: ("The server refuses access (403).", "Check the rights of the token or login."),
    404: ("The server has nothing at this address (404).", "Check the address."),
    410: ("The server has nothing at this address any more (410).", "Check the address."),
}

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server sent, laid down in a file."""

    url: str
    """Where it came from in the end, secrets and all: never shown."""
    headers: Mapping[str, str]
    """By lower-case names."""
    path: Path
    value: Any = None
    """The JSON that the file holds; None where it holds no single JSON value."""


class Nothing(DataError):
    """The server has nothing at the address."""


class _Passing(Exception):
    """What may be over when the request is repeated; the text says what it was."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Client:
    """Fetches from one address; its headers go to that scheme, host and port alone."""

    def __init__(self, address: str, headers: Mapping[str, str], *, shown: str, expects_json: bool) -> None:
        """Take the address and the headers with their secrets filled in; ``shown`` is what errors call it."""
        self.shown = masked(shown)
        self.url, login = _without_login(_checked(address, self.shown))
        self.origin = origin_of(self.url)
        self.headers = {**login, **headers}
        self.expects_json = expects_json
        self.retries = 0
        self._random = random.Random()  # own state: a run's random numbers stay as they are

    def get(self, url: str, path: Path, room: Room) -> Answer:
        """Lay an answer down in a file, and parse it where it is JSON.

        Raises:
            DataError: the server refuses or has nothing there; the request is not repeated.
            RunFailed: the server could not be reached, failed or was cut off each time, or the disk is full.
        """
        last = "no answer"
        for attempt in range(ATTEMPTS):
            try:
                return self._got(url, path, room)
            except _Passing as passing:
                last = str(passing)
                if attempt < ATTEMPTS - 1:
                    self.retries += 1
                    time.sleep(self._wait(attempt, passing.wait))
        raise RunFailed(
            f"The server gave no whole answer in {ATTEMPTS} attempts: {last}.", got=self.shown, do="Try later."
        )

    def _wait(self, attempt: int, asked: float | None) -> float:
        if asked is None:
            return self._random.uniform(0.5, 1.0) * min(FIRST_WAIT * 2.0**attempt, LONGEST_WAIT)
        if asked > LONGEST_WAIT:
            rule = f"The server asks to wait for {asked:,.0f} seconds before the next request."
            raise RunFailed(rule, got=self.shown, do="Try again then.")
        return max(asked, 0.0)

    def _got(self, url: str, path: Path, room: Room) -> Answer:
        response, last = _translated(lambda: self._followed(url))
        try:
            self._judge(response)
            _translated(lambda: _laid_down(response, path, room))
            headers = {name.lower(): value for name, value in response.headers.items()}
        finally:
            response.close()
        json_meant = self.expects_json or _says_json(headers) or urlsplit(last).path.lower().endswith(".json")
        return Answer(url=last, headers=headers, path=path, value=_parsed(path) if json_meant else None)

    def _followed(self, url: str) -> tuple[BaseHTTPResponse, str]:
        """Follow redirects; another host gets none of the headers."""
        for _ in range(_MOST_REDIRECTS):
            response = self._asked(url)
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or not target:
                return response, url
            response.close()
            url = urljoin(url, target)
            if urlsplit(url).scheme not in ("http", "https"):
                raise DataError(
                    "The server redirects to what is no web address.", got=self.shown, do="Check the address."
                )
        raise DataError("The server redirects in a circle.", got=self.shown, do="Check the address.")

    def _asked(self, url: str) -> BaseHTTPResponse:
        import urllib3

        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
        own = self.headers if origin_of(url) == self.origin else {}
        headers = {"Accept": "application/json, text/csv, */*", "User-Agent": "wellfit", **own}
        pool = _pool(url)
        return pool.request(
            "GET", url, headers=headers, timeout=timeout, retries=False, redirect=False, preload_content=False
        )

    def _judge(self, response: BaseHTTPResponse) -> None:
        """Let a success pass; say whether anything else may be over when asked again."""
        status = response.status
        # GitHub and others say 403 where a rate limit is used up
        limited = status == 403 and response.headers.get("X-RateLimit-Remaining") == "0"
        if status in _PASSING or limited:
            raise _Passing(f"it answers {status}", _asked_wait(response.headers))
        if status in _REFUSED:
            rule, do = _REFUSED[status]
            raise (Nothing if status in (404, 410) else DataError)(rule, got=self.shown, do=do)
        if not 200 <= status < 300:
            raise DataError(f"The server refuses the request ({status}).", got=self.shown, do="Check the address.")


def origin_of(url: str) -> tuple[str, str, int]:
    """Give scheme, host and port.

    >>> origin_of("https://Host/x") == origin_of("https://host:443/y")
    True
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _checked(address: str, shown: str) -> str:
    """Refuse what has the form of a web address and is none, such as one whose port is a word."""
    try:
        host = origin_of(address)[1]
    except ValueError:
        host = ""
    if not host or not address.isprintable():
        raise DataError("This is no web address.", got=shown, do="Write it like https://host/path.")
    return address


def _without_login(address: str) -> tuple[str, dict[str, str]]:
    """Turn ``user:password@`` of an address into its header."""
    parts = urlsplit(address)
    if parts.username is None:
        return address, {}
    from urllib3.util import make_headers

    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    bare = SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, "")
    return urlunsplit(bare), {"Authorization": make_headers(basic_auth=login)["authorization"]}


def _pool(url: str) -> PoolManager:
    """Give the way to a host: through the proxy that the environment names, or straight."""
    import urllib3

    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()


def _translated(act: Callable[[], T]) -> T:
    """Do what goes over the network; what may be over on the next attempt is `_Passing`, in words without secrets."""
    from urllib3 import exceptions

    try:
        return act()
    except exceptions.SSLError:
        rule = "The server's certificate can't be verified, so that the connection is not safe."
        raise DataError(rule, do="Check the address, or the certificates of this machine (SSL_CERT_FILE).") from None
    except (exceptions.LocationParseError, exceptions.LocationValueError, UnicodeError):
        raise DataError("This is no web address.", do="Write it like https://host/path.") from None
    except exceptions.NewConnectionError:  # before timeouts, of which urllib3 counts it as one
        raise _Passing("it can't be reached") from None
    except exceptions.TimeoutError:
        raise _Passing("it took too long") from None
    except (exceptions.HTTPError, ConnectionError, EOFError):
        raise _Passing("the connection broke before the end") from None


def _laid_down(response: BaseHTTPResponse, path: Path, room: Room) -> None:
    room.start()
    with path.open("wb") as file:
        for block in response.stream(_BLOCK, decode_content=True):
            room.take(len(block))
            file.write(block)


def _says_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower().endswith(("/json", "+json"))


def _parsed(path: Path) -> Any:
    """Give the JSON that an answer holds; one that is cut off is asked for again."""
    if path.stat().st_size > _LARGEST_JSON:
        return None
    try:
        return json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        # one record a line, or no JSON at all
        if error.msg == "Extra data" or (error.pos == 0 and path.stat().st_size):
            return None
        raise _Passing("its JSON is cut off or damaged") from None
    except (RecursionError, ValueError):
        return None


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that a server asks to wait, from the headers that say so (RFC 9110; RateLimit fields)."""
    for name in ("Retry-After", "RateLimit-Reset", "X-RateLimit-Reset"):
        value = headers.get(name, "").strip()
        if value:
            return _seconds(value)
    return None


def _seconds(value: str) -> float | None:
    """Read seconds from now, a time since 1970 (as GitHub gives it), or a date.

    >>> _seconds("3")
    3.0
    """
    try:
        number = float(value)
    except ValueError:
        try:
            number = parsedate_to_datetime(value).timestamp()
        except ValueError:
            return None
    if number != number:
        return None
    return number - datetime.now(UTC).timestamp() if number > 1e9 else number
