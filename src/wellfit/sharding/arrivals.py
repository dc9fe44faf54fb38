"""The sources that a config names, brought here; what is laid down for them is removed in the end."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from wellfit.config import Config
from wellfit.data.large.arrival import arrived
from wellfit.data.large.cache import Cache
from wellfit.data.large.spool import Spool
from wellfit.data.sources.web.headers import reading_for
from wellfit.preparation_settings import source_of
from wellfit.prepared import sources_of

__all__ = ["Arrivals"]


class Arrivals:
    """What lies far away, and the folders in which it is while it is read."""

    def __init__(self, config: Config, data: Any = None) -> None:
        """Take what is read: ``data``, else what the config names; nothing is brought yet."""
        self.config, self.data = config, data
        self._stack = ExitStack()

    @cached_property
    def source(self) -> Any:
        """What is read in the place of the source; few rows of a database stay in memory."""
        return self._brought(source_of(self.config, self.data), whole=self.config.data.streamed == "auto")

    @cached_property
    def own(self) -> dict[str, Any]:
        """What is read in batches for splits that have a table of their own, by split."""
        named = {"valid": self.config.data.valid, "test": self.config.data.test}
        return {split: self._brought(source, whole=False) for split, source in named.items() if source is not None}

    def handed_over(self) -> Any:
        """Give the source, and hold it no longer: its rows go as soon as they are let go of."""
        source = self.source
        del self.source
        return source

    def _brought(self, source: Any, *, whole: bool) -> Any:
        reading = reading_for(source, self.config.data.reading(), sources_of(self.config))
        return self._stack.enter_context(arrived(source, reading, self.spool, whole=whole))

    def spool(self, frames: Iterable[pl.DataFrame]) -> Spool:
        """Lay rows that come once down in the workspace."""
        return Spool.within(self.workspace, frames)

    @cached_property
    def cache(self) -> Cache:
        """The cache of shards; its folder is made when it is asked for."""
        return Cache(None if self.config.data.cache is None else Path(self.config.data.cache))

    @cached_property
    def workspace(self) -> Path:
        """A folder for what is being made."""
        return self._stack.enter_context(self.cache.workspace())

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Remove what was laid down."""
        return self._stack.__exit__(kind, error, trace)
