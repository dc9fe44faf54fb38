"""Plug-ins as data: an `Entry` tells all there is to know of one, a `Family` looks it up.

A family member is one file that ends in ``ENTRY`` and one line in the family's ``__init__.py``. Listing,
checking of settings, tuning ranges, documentation and the contract tests are derived from entries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from wellfit.errors import ConfigError, did_you_mean

__all__ = ["Choice", "Entry", "Family", "Option"]

Kind = Literal["float", "int", "bool", "str", "ints", "floats", "mappings"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """One setting of an entry, with its range and default.

    >>> Option(name="beta", default=0.9, low=0.0, high=1.0, high_open=True, help="decay").interval()
    '[0, 1)'
    """

    name: str
    default: Any
    help: str
    kind: Kind = "float"
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False
    """Whether None is a value."""
    remarks: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What to say of words that people may expect and that are not there."""
    example: Any = None
    """What an error suggests; the default where None."""
    search: tuple[float, float] | None = None
    """The range worth tuning over; None where tuning it makes no sense."""
    log: bool = False
    """Whether the range is searched on a logarithmic scale."""
    candidates: tuple[Any, ...] = ()
    """Values worth tuning over, where they are no range."""

    def interval(self) -> str:
        """Give the range as an error and a listing show it."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.low is None and self.high is None:
            return {
                "ints": "a list of whole numbers",
                "floats": "a list of numbers",
                "mappings": "a list of mappings",
            }.get(self.kind, f"a {self.kind}")
        low = "(-inf" if self.low is None else f"{'(' if self.low_open else '['}{self.low:g}"
        high = "inf)" if self.high is None else f"{self.high:g}{')' if self.high_open else ']'}"
        return f"{low}, {high}"

    def check(self, value: Any, owner: str) -> Any:
        """Return the value in its own type, or raise `ConfigError` with the rule, the value and a remedy."""
        if value is None and (self.optional or self.default is None):
            return None
        try:
            checked = _CONVERT[self.kind](value)
        except (TypeError, ValueError, OverflowError):
            raise self._refused(value, owner) from None
        numbers = checked if self.kind in ("ints", "floats") else [checked]
        inside = all(self._inside(number) for number in numbers)
        if not inside or (self.choices and checked not in self.choices):
            raise self._refused(value, owner)
        return checked

    def _inside(self, value: Any) -> bool:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return True
        if not math.isfinite(value):
            return False
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        return not (self.high is not None and (value > self.high or (self.high_open and value == self.high)))

    def _refused(self, value: Any, owner: str) -> ConfigError:
        if self.choices:
            hint = self.remarks.get(str(value)) or did_you_mean(value, self.choices)
            return ConfigError(f"'{self.name}' of {owner} must be {self.interval()}.", got=value, do=hint)
        example = self.default if self.example is None else self.example
        kinds = {"int": "a whole number in ", "float": "a number in ", "ints": "whole numbers in "}
        bounded = self.low is not None or self.high is not None
        rule = (kinds.get(self.kind, "") if bounded else "") + self.interval()
        remedy = "" if example is None else f"Try {example}."
        return ConfigError(f"'{self.name}' of {owner} must be {rule}.", got=value, do=remedy)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()) or isinstance(value, str):
        raise TypeError(value)
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, (bool, str)):
        raise TypeError(value)
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _sequence(value: Any) -> Sequence[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise TypeError(value)
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(value)
    return {str(key): item for key, item in value.items()}


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "float": _number,
    "int": _whole,
    "bool": _flag,
    "str": _text,
    "ints": lambda value: [_whole(item) for item in _sequence(value)],
    "floats": lambda value: [_number(item) for item in _sequence(value)],
    "mappings": lambda value: [_mapping(item) for item in _sequence(value)],
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A plug-in as data: what it is called, what it does, what it takes, what it refuses."""

    name: str
    summary: str
    make: Callable[..., Any]
    options: tuple[Option, ...] = ()
    formula: str = ""
    reference: str = ""
    refuses: str = ""
    """What it can't be combined with, in words, and why."""

    def resolve(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Check the given options and fill in the defaults; an unknown one is a `ConfigError`."""
        known = {option.name: option for option in self.options}
        for name in given:
            if name not in known:
                hint = did_you_mean(name, known) or f"'{self.name}' takes no options."
                raise ConfigError(f"{self.name} has no option '{name}'.", got=given[name], do=hint)
        return {
            name: option.check(given[name], self.name) if name in given else option.default
            for name, option in known.items()
        }


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Choice(Generic[E]):
    """An entry with its options checked and filled in."""

    entry: E
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The entry's name."""
        return self.entry.name

    def spec(self) -> dict[str, Any]:
        """Give the choice as the mapping that a config file holds."""
        return {"name": self.entry.name, **self.options}


class Family(Mapping[str, E]):
    """The members of one kind, looked up by name.

    ``noun`` is the singular that errors use ("optimizer"); ``name`` the plural that ``wellfit list`` takes.
    """

    def __init__(self, name: str, noun: str, entries: Sequence[E]) -> None:
        self.name = name
        self.noun = noun
        self._entries: dict[str, E] = {entry.name: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise AssertionError(f"two {name} share a name")

    def __getitem__(self, name: str) -> E:
        try:
            return self._entries[name]
        except (KeyError, TypeError):
            hint = did_you_mean(name, self._entries)
            raise ConfigError(f"There is no such {self.noun}.", got=name, do=hint) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def choose(self, given: str | Mapping[str, Any] | Entry | Choice[E]) -> Choice[E]:
        """Turn a name or an entry, or a mapping of one and its options, into a checked `Choice`."""
        if isinstance(given, Choice):
            return given
        if isinstance(given, Entry):
            return Choice(given, given.resolve({}))  # type: ignore[arg-type]
        if isinstance(given, str):
            entry = self[given]
            return Choice(entry, entry.resolve({}))
        if isinstance(given, Mapping) and "name" in given:
            named = given["name"]
            entry = named if isinstance(named, Entry) else self[named]  # type: ignore[assignment]
            return Choice(entry, entry.resolve({key: value for key, value in given.items() if key != "name"}))
        hint = f"Write a name, or {{name: {next(iter(self._entries))}, ...}}."
        raise ConfigError(f"This is no {self.noun}.", got=given, do=hint)
