"""What the value of one key may be: a check, a description for errors and a piece of JSON Schema.

A rule stands in a field's ``Annotated`` and is pydantic's whole validator for it, so that every refusal is one
sentence in the same words: the rule, what was given, an example.
"""

from __future__ import annotations

import math
import numbers
import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from wellfit.config.problems import Unfit
from wellfit.errors import did_you_mean

__all__ = ["Either", "Flag", "Number", "OneOf", "Options", "Pattern", "Rule", "Text", "Whole"]


class Options(Mapping[str, Any]):
    """A mapping that is not changed: a name and its options, or weights by label.

    >>> Options({"name": "nadam", "lr": 0.01})["name"]
    'nadam'
    """

    __slots__ = ("_items", "given")

    def __init__(self, items: Mapping[str, Any], given: frozenset[str] | None = None) -> None:
        self.given = given
        """Which of them were set and are no defaults; None: all."""
        self._items = {key: tuple(value) if isinstance(value, list) else value for key, value in items.items()}

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


class Rule(ABC):
    """One kind of value."""

    @abstractmethod
    def needs(self) -> str:
        """Say what is needed, to follow "must be"."""

    @abstractmethod
    def check(self, value: Any) -> Any:
        """Give the value in its own type, or raise `Unfit`."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Make the rule the whole validator of its field."""
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Give pydantic the rule's JSON Schema."""
        return self.schema()


class Flag(Rule):
    """True or false."""

    def needs(self) -> str:
        """Say what is needed."""
        return "true or false"

    def check(self, value: Any) -> bool:
        """Give a bool."""
        if not isinstance(value, bool):
            raise Unfit(self.needs(), value)
        return value

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": "boolean"}


class Number(Rule):
    """A finite number in a range."""

    def __init__(
        self,
        low: float | None = None,
        high: float | None = None,
        *,
        low_open: bool = False,
        high_open: bool = False,
        example: float = 0.1,
    ) -> None:
        self.low, self.high = low, high
        self.low_open, self.high_open = low_open, high_open
        self.example = example

    noun = "number"
    json_type = "number"

    def needs(self) -> str:
        """Say what is needed."""
        low = "(-inf" if self.low is None else f"{'(' if self.low_open else '['}{self.low:.10g}"
        high = "inf)" if self.high is None else f"{self.high:.10g}{')' if self.high_open else ']'}"
        return f"a {self.noun} in {low}, {high}"

    def check(self, value: Any) -> float:
        """Give a finite number inside the range."""
        try:
            number = self._converted(value)
        except (TypeError, ValueError, OverflowError):
            raise Unfit(self.needs(), value, self.example) from None
        below = self.low is not None and (number < self.low or (self.low_open and number == self.low))
        above = self.high is not None and (number > self.high or (self.high_open and number == self.high))
        if below or above or not math.isfinite(number):
            raise Unfit(self.needs(), value, self.example)
        return number

    def _converted(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(value)
        return float(value)

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        bounds = {
            "exclusiveMinimum" if self.low_open else "minimum": self.low,
            "exclusiveMaximum" if self.high_open else "maximum": self.high,
        }
        return {"type": self.json_type, **{key: bound for key, bound in bounds.items() if bound is not None}}


class Whole(Number):
    """A whole number in a range."""

    noun = "whole number"
    json_type = "integer"

    def _converted(self, value: Any) -> int:
        if isinstance(value, bool):
            raise TypeError(value)
        number: int = operator.index(value)
        float(number)  # one too large for a range's bounds is refused like one outside them
        return number


class OneOf(Rule):
    """One of a few words."""

    def __init__(self, *words: str, null_is: str | None = None, remarks: Mapping[str, str] | None = None) -> None:
        self.words = words
        self.null_is = null_is
        """The word that null means, if any."""
        self.remarks = remarks or {}
        """What to say of words that people may expect and that are not there."""

    def needs(self) -> str:
        """Say what is needed."""
        return "one of " + ", ".join(self.words) if len(self.words) > 1 else self.words[0]

    def check(self, value: Any) -> str:
        """Give one of the words."""
        if value is None and self.null_is is not None:
            return self.null_is
        if isinstance(value, str) and value in self.words:
            return value
        hint = self.remarks.get(str(value)) or did_you_mean(value, self.words)
        raise Unfit(self.needs(), value, do="" if hint.startswith("Known") else hint)

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"enum": [*self.words, *([] if self.null_is is None else [None])]}


class Text(Rule):
    """Text that names something outside the config: a column, a path, a source."""

    def __init__(self, noun: str, example: str = "") -> None:
        self.noun = noun
        self.example = example

    def needs(self) -> str:
        """Say what is needed."""
        return self.noun

    def check(self, value: Any) -> str:
        """Give text that a file name or a column's name can hold."""
        if not isinstance(value, str) or not value.strip():
            raise Unfit(self.needs(), value, self.example or None)
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Unfit(f"{self.noun}, without NUL and half characters", value, self.example or None)
        return value

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": "string", "minLength": 1}


class Pattern(Rule):
    """A word of a given shape, such as ``cuda:1``."""

    def __init__(self, pattern: str, noun: str, remarks: Mapping[str, str]) -> None:
        self.pattern = pattern
        self.noun = noun
        self.remarks = remarks
        """What to say of words that people may expect and that are not there."""

    def needs(self) -> str:
        """Say what is needed."""
        return self.noun

    def check(self, value: Any) -> str:
        """Give a word of the shape."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise Unfit(self.needs(), value, do=self.remarks.get(str(value), "Try auto."))
        return value

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


class Either(Rule):
    """One of a few words, null where allowed, or what another rule takes."""

    def __init__(self, *words: str, rule: Rule, null: bool = False, null_is: str | None = None) -> None:
        self.words = words
        self.rule = rule
        self.null = null
        self.null_is = null_is

    def needs(self) -> str:
        """Say what is needed."""
        return self._with_words(self.rule.needs())

    def _with_words(self, needs: str) -> str:
        return ", ".join([*self.words, *(["null"] if self.null else [])]) + " or " + needs

    def check(self, value: Any) -> Any:
        """Give a word, None, or what the other rule gives."""
        if value is None and (self.null or self.null_is):
            return self.null_is
        if isinstance(value, str) and value in self.words:
            return value
        try:
            return self.rule.check(value)
        except Unfit as error:
            hint = did_you_mean(value, self.words) if isinstance(value, str) and self.words else ""
            raise Unfit(self._with_words(error.needs), value, do=hint if hint.startswith("Did") else error.do) from None

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        words = [*self.words, *([None] if self.null or self.null_is else [])]
        return {"anyOf": [{"enum": words}, self.rule.schema()]}
