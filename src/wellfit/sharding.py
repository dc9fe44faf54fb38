"""From a source larger than memory to shards on disk: two passes over its rows, and none where it was done before.

The first pass counts rows, finds copies, reads the target, and takes a sample. Rows are dealt by their numbers. Plans
are learned on the training rows of the sample, the target's on all of them. The second pass replays the plans batch by
batch and lays the rows down as a network reads them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wellfit.config import Config, as_mapping, with_recipe, with_values
from wellfit.data.cleaning import CleaningPlan, TargetPlan
from wellfit.data.features import FeaturePlan
from wellfit.data.large.cache import Cache
from wellfit.data.large.shards import Shards
from wellfit.data.large.stream import RowStream, streamed
from wellfit.data.sources import located
from wellfit.data.sources.lasting import secrets_kept_out
from wellfit.data.sources.web.headers import headers_kept_out, lasting_headers
from wellfit.data.table import SourceRecord
from wellfit.errors import ConfigError, DataError, RunFailed
from wellfit.findings import Finding
from wellfit.preparation_settings import lasting_source, source_of
from wellfit.prepared_shards import PreparedShards
from wellfit.sharding_passes import Made, made_shards

__all__ = ["prepare_shards"]

LAYOUT = 1
"""Goes up where shards of an earlier version must not be taken for those of this one."""

SAMPLE_CELLS = 15_000_000
"""Cells of the sample that plans are learned from, and near duplicates and leaks are looked for in."""
"""The sections of a config that decide what is in the shards."""
"""The part of the memory that a preparation may be expected to take before rows are laid down on disk."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much is held in memory at once."""

    sample_rows: int | None = None
    """Rows of the sample; None for as many as have `SAMPLE_CELLS` cells."""
    batch_rows: int | None = None
    """Rows of a batch; None for the usual number of cells."""

    def sample_of(self, columns: int) -> int:
        """Give the rows of the sample of a table of so many columns."""
        return self.sample_rows or max(1, SAMPLE_CELLS // max(columns, 1))
