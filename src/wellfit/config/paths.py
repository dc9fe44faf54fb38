"""Dotted keys."""

from __future__ import annotations

import re

from wellfit.config.problems import Path
from wellfit.errors import ConfigError

__all__ = ["split_path"]

_PART = re.compile(r'"([^"]*)"|([^."]+)')


def split_path(key: str, where: str = "") -> Path:
    """Split a dotted key; a part in double quotes may have dots.

    >>> split_path('features.columns."a.b".type')
    ('features', 'columns', 'a.b', 'type')
    """
    parts: list[str] = []
    place = 0
    while match := _PART.match(key, place):
        parts.append(match[1] if match[2] is None else match[2])
        place = match.end() + 1
        if match.end() == len(key):
            return tuple(parts)
        if key[match.end()] != ".":
            break
    rule = "a key is words with dots between them."
    raise ConfigError(f"{where}: {rule}" if where else rule.capitalize(), got=key, do="Try train.epochs.")
