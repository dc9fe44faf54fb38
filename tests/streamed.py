"""A table prepared in memory and in batches, and what both must have in common."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from wellfit.config import from_mapping
from wellfit.data.large.shards import ABSENT
from wellfit.preparation import prepare
from wellfit.prepared import PreparedTable
from wellfit.prepared_shards import PreparedShards


def both(source: Any, target: str = "label", **sections: Any) -> tuple[PreparedTable, PreparedShards]:
    """Prepare in memory and in batches."""
    data = {"source": source, "target": target, **sections.pop("data", {})}
    # Rows that are read in batches train no ensemble, and an ensemble wants other features than one network.
    sections = {"model": {"type": "mlp"}, **sections}
    found = [prepare(from_mapping({"data": {**data, "streamed": streamed}, **sections})) for streamed in (False, True)]
    table, shards = found
    assert isinstance(table, PreparedTable)
    assert isinstance(shards, PreparedShards)
    return table, shards


def assert_equal(table: PreparedTable, shards: PreparedShards) -> None:
    """Hold what was prepared in batches against what was prepared in memory."""
    ours, theirs = shards.plan(), table.plan()
    for plan in (ours, theirs):
        plan["source"].pop("read_at")
    assert ours == theirs
    assert json.dumps([one.as_dict() for one in shards.findings]) == json.dumps(
        [one.as_dict() for one in table.findings]
    )
    assert shards.set_aside.equals(table.set_aside)
    for split in ("train", "valid"):
        part = shards.shards.parts[split]
        matrix = part.matrix(0, part.rows)
        assert matrix.numeric.tobytes() == table.matrices[split].numeric.tobytes()
        assert matrix.categorical.tobytes() == table.matrices[split].categorical.tobytes()
        target = part.target()
        np.testing.assert_array_equal(np.where(target == ABSENT, -1, target), table.encoded_target(split))
