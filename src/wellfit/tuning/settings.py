"""A config with a trial's settings in it, and what a setting stands at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wellfit.config import Config, Document, as_mapping, from_mapping
from wellfit.config.paths import split_path
from wellfit.config.recipes import given_settings

__all__ = ["NAMES", "is_left_open", "setting_at", "with_settings"]

NAMES = {
    "model.type": "model",
    "train.optimizer.name": "train.optimizer",
    "train.loss.name": "train.loss",
    "train.schedule.name": "train.schedule",
    "features.scale.name": "features.scale",
    "features.encode.name": "features.encode",
    "features.text.name": "features.text",
    "features.select.name": "features.select",
}
"""Keys that name a member of a family, and the place whose other keys are that member's options."""


def setting_at(config: Config, key: str) -> Any:
    """Give what a setting stands at; None where there is no such key.

    >>> setting_at(Config(), "train.optimizer.name")
    'nadam'
    """
    return _at(as_mapping(config), key)


def is_left_open(config: Config, key: str) -> bool:
    """Tell whether nobody set a key, or set it to ``auto``.

    >>> is_left_open(from_mapping({"train": {"epochs": 100}}), "train.epochs")
    False
    """
    return _at(given_settings(config), key) in (None, "auto")


def _at(mapping: Mapping[str, Any], key: str) -> Any:
    value: Any = mapping
    for part in split_path(key):
        if isinstance(value, str) and part in ("name", "type"):
            return value
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def with_settings(config: Config, values: Mapping[str, Any]) -> Config:
    """Give a config with settings changed, checked anew; a new member comes with its own options.

    >>> with_settings(Config(), {"train.optimizer.name": "adam", "train.optimizer.lr": 0.01}).train.optimizer["beta1"]
    0.9

    Raises:
        ConfigError: a key is unknown, or does not take its value.
    """
    # On what was given alone: what the architecture's recipe wants stands where nothing was said.
    document = Document(given_settings(config))
    for key, value in _names_first(values):
        path = split_path(key)
        if key in NAMES and value != setting_at(config, key):
            # The options of the member before are none of this one's.
            document = document.with_value(path[:-1], {path[-1]: value})
        else:
            document = document.with_value(path, value)
    return from_mapping(document)


def _names_first(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((key, value) for key, value in values.items() if key in NAMES)
    yield from ((key, value) for key, value in values.items() if key not in NAMES)
