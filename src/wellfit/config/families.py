"""Keys whose value is a member of a plug-in family: a name, or a mapping of a name and its options.

The families are imported when a value is first checked, so that importing this package loads no torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from wellfit.config.problems import Problem, Unfit, given
from wellfit.config.rules import Number, Options, Rule
from wellfit.errors import ConfigError, did_you_mean
from wellfit.registry import Entry, Family, Option

__all__ = ["ClassWeights", "FamilyName", "Member", "family", "option_schema"]

_PLACES = {
    "scalers": ("wellfit.data.features", "SCALERS"),
    "encoders": ("wellfit.data.features", "ENCODERS"),
    "texts": ("wellfit.data.features", "TEXTS"),
    "selectors": ("wellfit.data.features", "SELECTORS"),
    "models": ("wellfit.models", "MODELS"),
    "optimizers": ("wellfit.optimizers", "OPTIMIZERS"),
    "losses": ("wellfit.losses", "LOSSES"),
    "schedules": ("wellfit.schedules", "SCHEDULES"),
    "metrics": ("wellfit.metrics", "METRICS"),
    "augmentations": ("wellfit.augmentation", "AUGMENTATIONS"),
}


def family(name: str) -> Family[Any]:
    """Give a family by the name that ``wellfit list`` takes, importing it if need be."""
    module, attribute = _PLACES[name]
    found: Family[Any] = getattr(importlib.import_module(module), attribute)
    return found


class Member(Rule):
    """A member of a family with its options checked and filled in.

    ``auto`` names options that may be left to the training: ``auto`` (or null) takes the member's own value, ``find``
    searches for one.
    """

    def __init__(
        self,
        name: str,
        *,
        label: str = "name",
        default: str | None = None,
        words: tuple[str, ...] = (),
        null: bool = False,
        auto: tuple[str, ...] = (),
    ) -> None:
        self.family = name
        self.label = label
        self.default = default
        self.words = words
        self.null = null
        self.auto = auto

    def needs(self) -> str:
        """Say what is needed."""
        words = "".join(f"{word}, " for word in (*self.words, *(["null"] if self.null else [])))
        return f"{words}a name or a mapping {{{self.label}: ..., options}}"

    def check(self, value: Any) -> Any:
        """Give a word, None, or the member's name and all its options."""
        if (value is None and self.null) or (isinstance(value, str) and value in self.words):
            return value
        if isinstance(value, str):
            value = {self.label: value}
        if not isinstance(value, Mapping):
            example = self.default or next(iter(family(self.family)))
            raise Unfit(self.needs(), value, example)
        options = {str(key): item for key, item in value.items()}
        set_here = frozenset(options)
        entry = self._entry(options)
        return Options({self.label: entry.name, **self._options(entry, options)}, set_here)

    def _entry(self, options: dict[str, Any]) -> Entry:
        """Take the name out of the options and give its entry."""
        members = family(self.family)
        name = options.pop(self.label, self.default)
        if name is None:
            raise Problem(f"'{self.label}' of the {members.noun} is missing.", do=did_you_mean("", members))
        if not isinstance(name, str) or name not in members:
            hint = did_you_mean(name, dict.fromkeys([*self.words, *members]))
            raise Problem(f"There is no such {members.noun}.", got=given(name), do=hint, path=(self.label,))
        entry: Entry = members[name]
        return entry

    def _options(self, entry: Entry, options: Mapping[str, Any]) -> dict[str, Any]:
        known = {option.name: option for option in entry.options}
        given_words = {name: options.get(name, "auto") for name in self.auto if name in known}
        left = {name: word or "auto" for name, word in given_words.items() if word in (None, "auto", "find")}
        for name, value in options.items():
            if name not in known:
                raise Problem(
                    f"'{name}' is not an option of {entry.name}.",
                    do=did_you_mean(name, known) or f"'{entry.name}' takes no options.",
                    path=(name,),
                )
            if name not in left:
                _checked(entry, known[name], value)
        settled = entry.resolve({name: value for name, value in options.items() if name not in left})
        return {name: left.get(name, value) for name, value in settled.items()}

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema: one alternative a member, with its options and their ranges."""
        members = family(self.family)
        words: list[Any] = [*dict.fromkeys([*self.words, *members]), *([None] if self.null else [])]
        return {"anyOf": [{"enum": words}, *(self._member_schema(entry) for entry in members.values())]}

    def _member_schema(self, entry: Entry) -> dict[str, Any]:
        options = {option.name: option_schema(option, auto=option.name in self.auto) for option in entry.options}
        return {
            "type": "object",
            "title": entry.name,
            "description": entry.summary,
            "properties": {self.label: {"const": entry.name}, **options},
            "required": [] if entry.name == self.default else [self.label],
            "additionalProperties": False,
        }


def _checked(entry: Entry, option: Option, value: Any) -> None:
    try:
        option.check(value, entry.name)
    except ConfigError as error:
        raise Problem(error.rule, got=given(value), do=error.do, path=(option.name,)) from None


_JSON_TYPES = {"float": "number", "int": "integer", "bool": "boolean", "str": "string", "mapping": "object"}


def option_schema(option: Option, *, auto: bool = False) -> dict[str, Any]:
    """Give the rule of one option as JSON Schema; ``auto`` says that it may be left to the training."""
    schema = _kind_schema(option)
    extra: list[dict[str, Any]] = [{"type": "null"}] if option.optional or option.default is None else []
    extra += [{"enum": ["auto", "find", None]}] if auto else []
    described = {"anyOf": [schema, *extra]} if extra else schema
    return {**described, "default": "auto" if auto else option.default, "description": option.help}


def _kind_schema(option: Option) -> dict[str, Any]:
    if option.choices:
        return {"enum": list(option.choices)}
    kind = option.kind.removesuffix("s") if option.kind in ("ints", "floats", "mappings") else option.kind
    item: dict[str, Any] = {"type": _JSON_TYPES[kind]}
    if option.low is not None:
        item["exclusiveMinimum" if option.low_open else "minimum"] = option.low
    if option.high is not None:
        item["exclusiveMaximum" if option.high_open else "maximum"] = option.high
    return item if kind == option.kind else {"type": "array", "items": item}


class FamilyName(Rule):
    """``auto``, or the name of a member that takes no options here."""

    def __init__(self, name: str) -> None:
        self.family = name

    def needs(self) -> str:
        """Say what is needed."""
        return f"auto or a {family(self.family).noun}"

    def check(self, value: Any) -> str:
        """Give ``auto`` or a member's name."""
        members = family(self.family)
        if isinstance(value, str) and (value == "auto" or value in members):
            return value
        raise Unfit(self.needs(), value, do=did_you_mean(value, ["auto", *members]))

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"enum": ["auto", *family(self.family)]}


class ClassWeights(Rule):
    """``auto``, ``none``, ``balanced``, or a weight for each class, by its label as the data writes it."""

    words = ("auto", "none", "balanced")

    def needs(self) -> str:
        """Say what is needed."""
        return "auto, none, balanced or a mapping {label: weight} with weights above 0"

    def check(self, value: Any) -> Any:
        """Give a word, or floats by label."""
        if value is None:
            return "none"
        if isinstance(value, str) and value in self.words:
            return value
        if not isinstance(value, Mapping) or not value:
            hint = did_you_mean(value, self.words)
            raise Unfit(self.needs(), value, "balanced", do=hint if hint.startswith("Did") else "")
        return Options({str(label): self._weight(str(label), weight) for label, weight in value.items()})

    def _weight(self, label: str, weight: Any) -> float:
        try:
            return Number(0.0, low_open=True, example=2.0).check(weight)
        except Unfit as error:
            rule = f"The weight of class '{label}' must be {error.needs}."
            raise Problem(rule, got=error.got, do=error.do, path=(label,)) from None

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        weights = {"type": "object", "minProperties": 1, "additionalProperties": Number(0.0, low_open=True).schema()}
        return {"anyOf": [{"enum": [*self.words, None]}, weights]}
