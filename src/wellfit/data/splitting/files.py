"""Files: validation or test rows are tables of their own."""

from __future__ import annotations

from wellfit.data.splitting.stratified import by_target
from wellfit.registry import Entry

__all__ = ["ENTRY"]

ENTRY = Entry(
    name="files",
    summary="data.test and data.valid are tables of their own; what has none is drawn from the source, as auto does",
    make=by_target,
)
