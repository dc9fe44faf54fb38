"""The small grammar of ``features.derive``: text to a tree of known nodes, computed with Polars, never as Python."""

from __future__ import annotations

from wellfit.data.features.expressions.expression import Expression
from wellfit.data.features.expressions.tree import quoted

__all__ = ["Expression", "quoted"]
