"""Headers of web requests, as a run keeps them: no secret is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from wellfit.data.sources.entry import Reading
from wellfit.data.sources.secrets import STAND_IN, named_in
from wellfit.data.sources.web.client import origin_of

__all__ = ["headers_kept_out", "lasting_headers", "reading_for"]

_OPEN = re.compile(r"accept(-[a-z]+)?|user-agent|content-type|cache-control|(x-)?(api|[a-z-]+)-version", re.IGNORECASE)
"""Headers that hold no secret; any other may."""


def lasting_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Give headers as a config keeps them: a value that is written out and may be a secret is a variable's name.

    >>> lasting_headers({"Accept": "text/csv", "X-Api-Key": "abc", "Authorization": "Bearer ${env:TOKEN}"})
    {'Accept': 'text/csv', 'X-Api-Key': '${env:WELLFIT_SECRET_X_API_KEY}', 'Authorization': 'Bearer ${env:TOKEN}'}
    """
    return {name: f"${{env:{_variable(name)}}}" if _is_secret(name, held) else held for name, held in headers.items()}


def headers_kept_out(headers: Mapping[str, str]) -> list[str]:
    """Say which variables stand for values that no file of a run holds."""
    names = [_variable(name) for name, held in headers.items() if _is_secret(name, held)]
    do = "set it to go on with the run, or write ${env:NAME} in data.headers"
    return [f"A header's value is not written to the run; {name} stands for it: {do}." for name in names]


def reading_for(source: Any, reading: Reading, sources: Iterable[Any]) -> Reading:
    """Give the reading of one more source, such as the rows to predict.

    What was told of the web is of the first of a config's ``sources`` that lies there: headers go to its host alone,
    and another host's answers are of another form.

    >>> told = Reading(headers={"X-Api-Key": "${env:KEY}"})
    >>> reading_for("https://other/x", told, ["https://host/x"]).headers
    {}
    """
    host = next((found for found in map(_host, sources) if found is not None), None)
    return reading if host is not None and _host(source) == host else _of_images(reading)


def _of_images(reading: Reading) -> Reading:
    return Reading(image_size=reading.image_size, image_mode=reading.image_mode)


def _host(source: Any) -> tuple[str, str, int] | None:
    """Give scheme, host and port of a web address; None of anything else."""
    if not isinstance(source, str) or not source.lower().startswith(("https://", "http://")):
        return None
    try:
        return origin_of(source)
    except ValueError:
        return None


def _is_secret(name: str, held: str) -> bool:
    return not named_in(held) and not _OPEN.fullmatch(name)


def _variable(name: str) -> str:
    return f"{STAND_IN}_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
