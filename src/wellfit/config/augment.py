"""The key ``train.augment``: augmentations by name, each with its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.config.families import family, option_schema
from wellfit.config.problems import Problem, Unfit, given
from wellfit.config.rules import Options, Rule
from wellfit.errors import ConfigError, did_you_mean
from wellfit.registry import Entry

__all__ = ["Augmentations"]

_WORDS = ("auto", "none")


class Augmentations(Rule):
    """``auto``, ``none``, or a mapping of names to true, false, the value of the first option, or a mapping of options.

    What is switched off is left out, and a single option stands for itself: ``{flip: true, cutout: 8, crop: false}``
    becomes ``{flip: alternating, cutout: {size: 8, share: 1.0}}``.
    """

    def needs(self) -> str:
        """Say what is needed."""
        return f"{', '.join(_WORDS)} or a mapping"

    def check(self, value: Any) -> Any:
        """Give a word, or the options of each augmentation that is on."""
        if value is None:
            return "none"
        if isinstance(value, str) and value in _WORDS:
            return value
        if not isinstance(value, Mapping):
            raise Unfit(self.needs(), value, "{noise: 0.1}")
        members = family("augmentations")
        for name in value:
            if name not in members:
                rule = f"{str(name)!r} is not a key of train.augment."
                raise Problem(rule, do=did_you_mean(str(name), members), path=(name,))
        on = {name: _checked(members[name], item) for name, item in value.items() if item not in (False, None)}
        return Options(on)

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        members = family("augmentations")
        each = {name: _schema(entry) for name, entry in members.items()}
        mapping = {"type": "object", "properties": each, "additionalProperties": False}
        return {"anyOf": [{"enum": [*_WORDS, None]}, mapping]}


def _checked(entry: Any, value: Any) -> Any:
    options = {} if value is True else dict(value) if isinstance(value, Mapping) else {entry.first: value}
    try:
        settled = entry.resolve(options)
    except ConfigError as error:
        raise Problem(error.rule, got=given(value), do=error.do, path=(entry.name,)) from None
    return Options(settled) if len(settled) > 1 else settled[entry.first]


def _schema(entry: Entry) -> dict[str, Any]:
    options = {option.name: option_schema(option) for option in entry.options}
    whole = {"type": "object", "properties": options, "additionalProperties": False}
    return {"anyOf": [{"type": ["boolean", "null"]}, options[entry.options[0].name], whole]}
