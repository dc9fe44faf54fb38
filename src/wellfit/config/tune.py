"""The `tune` section: how many trials, over which settings, in what time; and the grammar of a range.

Legend: a range is ``log(a, b)``, ``uniform(a, b)``, ``int(a, b)`` or a list of values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from wellfit.config.durations import Duration
from wellfit.config.problems import Problem, Unfit, dotted, given
from wellfit.config.reading import scalar
from wellfit.config.rules import Either, Options, Rule, Whole
from wellfit.config.sections import Section

__all__ = ["Range", "Tune", "parse_range"]

Kind = Literal["log", "uniform", "int", "list"]

_CALL = re.compile(r"\s*(log|uniform|int)\s*\(([^()]*)\)\s*")
_EXAMPLE = "log(1e-4, 1e-2)"
_NEEDS = "log(a, b), uniform(a, b), int(a, b) or a list of values"


@dataclass(frozen=True, kw_only=True)
class Range:
    """What a setting is searched over: two ends, or values."""

    kind: Kind
    low: float = 0.0
    high: float = 0.0
    values: tuple[Any, ...] = ()

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that must suit the key: all of a list, both ends of the others."""
        return self.values if self.kind == "list" else (self.low, self.high)

    def as_setting(self) -> Any:
        """Give the range as a config holds it.

        >>> parse_range("log(1e-4,1e-2)").as_setting()
        'log(0.0001, 0.01)'
        """
        return list(self.values) if self.kind == "list" else f"{self.kind}({self.low!r}, {self.high!r})"


def parse_range(value: Any) -> Range:
    """Read a range; nothing is evaluated.

    Args:
        value: ``log(a, b)`` with 0 < a < b, ``uniform(a, b)`` with a < b, ``int(a, b)`` with whole a < b, or a list.

    Raises:
        Unfit: it is none, or it is empty or reversed.

    >>> parse_range("int(1, 4)").high
    4
    """
    if isinstance(value, Range):
        return value
    if isinstance(value, (list, tuple)):
        return _listed(tuple(value))
    match = _CALL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit(_NEEDS, value, _EXAMPLE)
    ends = [scalar(part.strip()) for part in match[2].split(",")]
    if len(ends) != 2 or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in ends):
        raise Unfit(f"{match[1]}(a, b) with two numbers", value, _EXAMPLE)
    return _between(match[1], ends[0], ends[1], value)


def _listed(values: tuple[Any, ...]) -> Range:
    distinct = [item for place, item in enumerate(values) if item not in values[:place]]
    if len(distinct) < 2:
        raise Unfit("a list of two or more different values", list(values), "[64, 128, 256]")
    return Range(kind="list", values=tuple(distinct))


def _between(kind: str, low: float, high: float, value: str) -> Range:
    if not low < high:
        state = "empty" if low == high else "reversed"
        turned = f"{kind}({high!r}, {low!r})" if high < low else _EXAMPLE
        raise Unfit(f"{kind}(a, b) with a below b, and this one is {state}", value, turned)
    if kind == "log" and low <= 0:
        raise Unfit("log(a, b) with a above 0", value, _EXAMPLE)
    if kind == "int" and not (isinstance(low, int) and isinstance(high, int)):
        raise Unfit("int(a, b) with whole numbers", value, "int(1, 8)")
    if abs(low) == float("inf") or high == float("inf"):
        raise Unfit(f"{kind}(a, b) with finite numbers", value, _EXAMPLE)
    return Range(kind=kind, low=low, high=high)  # type: ignore[arg-type]


class Search(Rule):
    """Ranges by dotted key; keys may be nested mappings too."""

    def needs(self) -> str:
        """Say what is needed."""
        return f"a mapping {{train.optimizer.lr: {_EXAMPLE}}}"

    def check(self, value: Any) -> Options:
        """Give ranges as they are written, by dotted key."""
        if not isinstance(value, Mapping) or not value:
            raise Unfit(self.needs(), value)
        return Options({key: self._range(path, item) for path, key, item in _leaves(value, ())})

    def _range(self, path: tuple[str, ...], item: Any) -> Any:
        try:
            return parse_range(item).as_setting()
        except Unfit as error:
            rule = f"The range of '{dotted(path) if len(path) > 1 else path[0]}' must be {error.needs}."
            raise Problem(rule, got=given(error.got), do=error.do, path=path) from None

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        call = {"type": "string", "pattern": r"^\s*(log|uniform|int)\s*\([^()]*\)\s*$"}
        return {"type": "object", "additionalProperties": {"anyOf": [call, {"type": "array", "minItems": 2}]}}


def _leaves(value: Mapping[Any, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    for key, item in value.items():
        below = (*path, str(key))
        if isinstance(item, Mapping):
            yield from _leaves(item, below)
        else:
            # A key that is written whole has its dots and quotes already.
            yield below, below[0] if len(below) == 1 else dotted(below), item


class Tune(Section):
    """How settings are searched for by ``wellfit tune``."""

    trials: Annotated[int, Whole(1, 100_000, example=50)] = 50
    """Trainings that search, 1 or more; the first is the config as it is."""
    search: Annotated[Literal["auto"] | Mapping[str, Any], Either("auto", rule=Search(), null_is="auto")] = "auto"
    """Ranges by dotted key; auto takes those of the model, the optimizer and the training that are left as they are."""
    time: Annotated[float | None, Either(null=True, rule=Duration())] = None
    """The longest that tuning may take in all, final training included, in seconds or as 10m; null: no limit."""
    folds: Annotated[Literal["auto"] | int, Either("auto", rule=Whole(1, 100, example=5), null_is="auto")] = "auto"
    """Parts of the rows that don't test, each of which judges a trial that learned the others; 1: the validation rows
    judge, auto: 5 of up to 2,000 rows of a table, else 1."""
    workers: Annotated[Literal["auto"] | int, Either("auto", rule=Whole(1, 1024, example=1), null_is="auto")] = "auto"
    """Trainings at the same time, each in a process of its own; 1 gives the same result each time."""
