"""Lengths of time, and how far apart things are that are done again and again."""

from __future__ import annotations

import math
import re
from typing import Any

from wellfit.config.problems import Unfit
from wellfit.config.rules import Number, Rule, Whole

__all__ = ["Duration", "Spacing"]

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII)
_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


class Duration(Rule):
    """A time: a number of seconds, or text such as ``90s``, ``2m`` and ``1h30m``.

    >>> Duration().check("1h30m"), Duration().check("90")
    (5400.0, 90.0)
    """

    def needs(self) -> str:
        """Say what is needed."""
        return "a time above zero, such as 90s, 2m, 1h30m or a number of seconds"

    def check(self, value: Any) -> float:
        """Give seconds."""
        seconds = self._seconds(value)
        if not 0 < seconds < math.inf:
            raise Unfit(self.needs(), value, "2m")
        return seconds

    def _seconds(self, value: Any) -> float:
        if isinstance(value, str) and _SECONDS.fullmatch(value.strip()):
            return float(value)
        match = _DURATION.fullmatch(value.replace(" ", "")) if isinstance(value, str) else None
        if match:
            return sum(float(part) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True) if part)
        try:
            return float(Number().check(value))
        except Unfit:
            raise Unfit(self.needs(), value, "2m") from None

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        number = r"\d+(\.\d+)?"
        pattern = f"^((?=.)({number}h)?({number}m)?({number}s)?|{number})$"
        return {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": pattern}]}


class Spacing(Rule):
    """How far apart: a whole number of updates, or a time such as ``30s``.

    >>> Spacing().check("30s"), Spacing().check(500)
    ('30s', 500)
    """

    def needs(self) -> str:
        """Say what is needed."""
        return "a whole number of updates or a time such as 30s"

    def check(self, value: Any) -> int | str:
        """Give the number, or the time as it is written."""
        if isinstance(value, str):
            if _SECONDS.fullmatch(value.strip()):
                # Whether updates or seconds are meant, nobody can tell.
                raise Unfit(self.needs(), value, f"{value.strip()}s")
            Duration().check(value)
            return value
        try:
            return int(Whole(1, 2**53).check(value))
        except Unfit:
            raise Unfit(self.needs(), value, "30s") from None

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"anyOf": [Whole(1, 2**53).schema(), {"type": "string", "pattern": "^[0-9.hms]*[hms]$"}]}
