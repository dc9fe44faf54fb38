"""Headers of web requests, as a run keeps them: no secret is in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wellfit.data.sources.secrets import STAND_IN, named_in

__all__ = ["headers_kept_out", "lasting_headers"]

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


def _is_secret(name: str, held: str) -> bool:
    return not named_in(held) and not _OPEN.fullmatch(name)


def _variable(name: str) -> str:
    return f"{STAND_IN}_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
