"""Batches from shards: every row once, a pure function of seed and epoch, from any batch on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from wellfit.data.batches import Batch
from wellfit.data.features import Matrix
from wellfit.data.large.cache import Held
from wellfit.data.large.shards import Part, Shards, ShardWriter
from wellfit.data.sharded import Sharded
from wellfit.errors import DataError

ROWS = 1003


def part_of(folder: Path, target: np.ndarray | None = None) -> Part:
    """Shards whose every number tells its row."""
    numbers = np.arange(ROWS)
    matrix = Matrix(np.column_stack([numbers, -numbers]).astype(np.float32), numbers[:, None])
    writer = ShardWriter(folder, numeric=2, categorical=1, target="int32")
    for first in range(0, ROWS, 100):
        piece = slice(first, first + 100)
        labels = (numbers % 2 if target is None else target)[piece]
        writer.add("train", Matrix(matrix.numeric[piece], matrix.categorical[piece]), labels)
    writer.finish({})
    return Shards(Held(folder)).parts["train"]


def ids(batches: list[Batch]) -> list[int]:
    return torch.cat([batch.inputs[1][:, 0] for batch in batches]).tolist()


@pytest.mark.parametrize(
    ("block", "window", "batch"), [(16, 4, 10), (16, 4, 64), (100, 2, 7), (4096, 64, 128), (8, 1, 50)]
)
def test_an_epoch_gives_every_row_once(block: int, window: int, batch: int, tmp_path: Path) -> None:
    data = Sharded(part_of(tmp_path), block=block, window=window)
    batches = list(data.epoch(batch_rows=batch, seed=0, epoch=0))
    assert len(batches) == data.steps(batch)
    assert {one.rows for one in batches[:-1]} == {batch}
    given = ids(batches)
    assert sorted(given) == list(range(ROWS))
    assert given != list(range(ROWS))
    for one in batches:
        torch.testing.assert_close(one.inputs[0][:, 0], one.inputs[1][:, 0].float())
        torch.testing.assert_close(one.target, one.inputs[1][:, 0] % 2)


def test_the_order_depends_on_seed_and_epoch_alone(tmp_path: Path) -> None:
    data = Sharded(part_of(tmp_path), block=16, window=4)
    orders = [
        ids(list(data.epoch(batch_rows=20, seed=seed, epoch=epoch))) for seed, epoch in [(0, 0), (0, 0), (0, 1), (1, 0)]
    ]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize("start", [0, 1, 3, 13, 50])
def test_an_epoch_goes_on_from_any_batch(start: int, tmp_path: Path) -> None:
    data = Sharded(part_of(tmp_path), block=16, window=4)
    whole = list(data.epoch(batch_rows=20, seed=3, epoch=2))
    rest = list(data.epoch(batch_rows=20, seed=3, epoch=2, start=start))
    assert ids(rest) == ids(whole[start:]) if start < len(whole) else rest == []


def test_neighbours_on_disk_are_far_apart_in_an_epoch(tmp_path: Path) -> None:
    data = Sharded(part_of(tmp_path), block=16, window=16)
    given = np.array(ids(list(data.epoch(batch_rows=50, seed=0, epoch=0))))
    # Of shuffled rows, the mean distance of neighbours is a third of all.
    assert abs(np.abs(np.diff(given)).mean() / ROWS - 1 / 3) < 0.05


def test_rows_without_a_known_target_are_left_out_and_the_others_walked_in_order(tmp_path: Path) -> None:
    target = np.arange(ROWS) % 3 - 1
    data = Sharded(part_of(tmp_path, target), block=16, window=4)
    known = np.flatnonzero(target >= 0).tolist()
    assert data.rows == len(known)
    assert ids(list(data.walk(37))) == known
    assert sorted(ids(list(data.epoch(batch_rows=10, seed=0, epoch=0)))) == known


def test_weights_stay_with_their_rows(tmp_path: Path) -> None:
    data = Sharded(part_of(tmp_path), np.arange(ROWS) / 2, block=16, window=4)
    for batch in data.epoch(batch_rows=50, seed=0, epoch=0):
        assert batch.weight is not None
        torch.testing.assert_close(batch.weight, batch.inputs[1][:, 0].float() / 2)


def test_leaving_an_epoch_early_ends_the_reading(tmp_path: Path) -> None:
    import threading

    data = Sharded(part_of(tmp_path), block=16, window=4)
    reader = data.epoch(batch_rows=10, seed=0, epoch=0)
    next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wellfit-ahead")]
    assert data.peek().rows == 2


def test_no_known_target_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must have labels that training rows have"):
        Sharded(part_of(tmp_path, np.full(ROWS, -1)))
