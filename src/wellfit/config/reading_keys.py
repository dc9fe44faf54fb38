"""Rules of the keys of ``data`` that say how a source is read: headers and the size of images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wellfit.config.problems import Bare, Problem, Unfit
from wellfit.config.rules import OneOf, Options, Rule, Whole

__all__ = ["IMAGE_MODE", "PAGING", "Headers", "ImageSize"]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A field name of RFC 9110."""

PAGING = OneOf(
    "none",
    "link",
    "next",
    "cursor",
    "page",
    "offset",
    remarks={"number": "Did you mean 'page'?", "token": "Did you mean 'cursor'?", "auto": "Try null."},
)
IMAGE_MODE = OneOf(
    "grey", "rgb", remarks={"gray": "Did you mean 'grey'?", "L": "Did you mean 'grey'?", "auto": "Try null."}
)


class Headers(Rule):
    """Headers of web requests by name; an error shows no value, since it may be a secret."""

    def needs(self) -> str:
        """Say what is needed."""
        return "a mapping of header names to text"

    def check(self, value: Any) -> Options:
        """Give the headers."""
        if not isinstance(value, Mapping):
            raise Unfit(self.needs(), Bare("no mapping"), do="Try {Authorization: 'Bearer ${env:TOKEN}'}.")
        return Options({str(name): self._text(str(name), held) for name, held in value.items()})

    def _text(self, name: str, held: Any) -> str:
        if not _NAME.fullmatch(name):
            raise Problem("A header's name has letters, digits and dashes.", got=name, path=(name,))
        if not isinstance(held, str) or not held.isprintable() or not held.isascii():
            do = "Write it in quotes, or as ${env:NAME}."
            raise Problem(f"Header {name} must be text of one line.", do=do, path=(name,))
        return held

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": "object", "additionalProperties": {"type": "string"}}


class ImageSize(Rule):
    """Height and width in pixels, as a list or as one number for both."""

    _side = Whole(1, 2**14, example=64)

    def needs(self) -> str:
        """Say what is needed."""
        return "a list [height, width] of whole numbers in [1, 16384], or one number for both"

    def check(self, value: Any) -> tuple[int, int]:
        """Give height and width."""
        sides = value if isinstance(value, (list, tuple)) else [value, value]
        try:
            height, width = (int(self._side.check(side)) for side in sides)
        except (Unfit, ValueError):
            raise Unfit(self.needs(), value, "[64, 64]") from None
        return height, width

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        side = self._side.schema()
        return {"anyOf": [side, {"type": "array", "items": side, "minItems": 2, "maxItems": 2}]}
