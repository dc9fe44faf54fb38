"""The small grammar of ``features.derive``: text to a tree of known kinds, the tree to Polars, nothing ever evaluated."""

from __future__ import annotations

from wellfit.data.features.expressions.expression import Expression
from wellfit.data.features.expressions.tree import quoted

__all__ = ["Expression", "quoted"]
