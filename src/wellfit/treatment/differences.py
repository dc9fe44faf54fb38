"""What a course really changes: not what it sets to the value that was there before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.config import Config, as_mapping

__all__ = ["differing"]


def differing(settings: Mapping[str, Any], given: Config, treated: Config) -> dict[str, Any]:
    """Give the settings, by dotted key, that a trained config has otherwise than another.

    Args:
        settings: what was set; ``auto`` and the like may have come to the value that was there.
        given: the config without them, what was left open settled by its training.
        treated: the config with them, settled alike.

    >>> from wellfit.config import with_values
    >>> given = with_values(Config(), {"train.optimizer.lr": 5.0})
    >>> settings = {"train.optimizer": "nadam", "train.clip_norm": 1.0}
    >>> differing(settings, given, with_values(given, settings))
    {'train.optimizer': 'nadam'}
    """
    before, after = as_mapping(given), as_mapping(treated)
    return {path: value for path, value in settings.items() if _at(before, path) != _at(after, path)}


def _at(settings: Any, path: str) -> Any:
    """Give what stands at a dotted path; None where nothing does."""
    for name in path.split("."):
        settings = settings.get(name) if isinstance(settings, Mapping) else None
    return settings
