"""Rows that members draw side by side: each its own, all of them, in an order that can be repeated."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wellfit.data.bags import Bagged, deal_folds
from wellfit.data.batches import Resident
from wellfit.errors import DataError
from wellfit.losses import LOSSES, MemberLoss
from wellfit.training.evaluation import evaluate
from wellfit.training.recipe import Score


def bagged(rows: int = 21, folds: int = 4) -> Bagged:
    table = Resident((torch.arange(rows).float().reshape(-1, 1),), torch.arange(rows).float())
    dealt = deal_folds(np.arange(rows) % 3, folds, seed=3)
    return Bagged(table, [torch.from_numpy(fold.train) for fold in dealt])


def seen(data: Bagged, epoch: int, start: int = 0) -> torch.Tensor:
    return torch.cat([batch.inputs[0] for batch in data.epoch(batch_rows=4, seed=1, epoch=epoch, start=start)])


def test_every_member_walks_through_its_own_rows_once() -> None:
    data = bagged()
    for member, ids in enumerate(data.members):
        rows = seen(data, 0)[:, member, 0].long().tolist()
        assert len(set(rows)) == len(rows) == min(map(len, data.members))
        assert set(rows) <= set(ids.tolist())


def test_an_epoch_can_be_entered_anywhere_and_repeated() -> None:
    data = bagged()
    assert torch.equal(seen(data, 2), seen(bagged(), 2))
    assert not torch.equal(seen(data, 2), seen(data, 3))
    assert torch.equal(seen(data, 2)[8:], seen(data, 2, start=2))


def test_members_have_orders_of_their_own() -> None:
    ids = torch.arange(12)
    table = Resident((torch.arange(12.0).reshape(-1, 1),), torch.zeros(12))
    first = next(Bagged(table, [ids, ids]).epoch(batch_rows=12, seed=0, epoch=0)).inputs[0]
    assert not torch.equal(first[:, 0], first[:, 1])


def test_the_target_goes_with_its_row() -> None:
    for batch in bagged().epoch(batch_rows=5, seed=0, epoch=0):
        assert torch.equal(batch.inputs[0][..., 0], batch.target)


def test_folds_cross_all_rows_and_keep_the_shares_of_classes() -> None:
    target = np.array([0] * 40 + [1] * 8)
    folds = deal_folds(target, 4, seed=0)
    assert sorted(np.concatenate([fold.valid for fold in folds]).tolist()) == list(range(48))
    assert [int(target[fold.valid].sum()) for fold in folds] == [2, 2, 2, 2]
    assert all(not set(fold.train) & set(fold.valid) for fold in folds)


def test_rows_that_only_fill_a_fold_up_count_for_nothing() -> None:
    table = Resident((torch.zeros(5, 1),), torch.tensor([1.0, 1.0, 1.0, 5.0, 5.0]))
    data = Bagged(table, [torch.tensor([0, 1, 2]), torch.tensor([3, 4])])
    score = Score(name="mean", greater_is_better=False, function=lambda truth, said: float(np.mean(truth - said)))
    figures = evaluate(lambda x: x, data, MemberLoss(LOSSES["mae"].make(), 2), device=torch.device("cpu"), score=score)
    assert figures == pytest.approx({"loss": 13 / 5, "mean": 13 / 5})


def test_a_member_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="at least one row"):
        Bagged(Resident((torch.zeros(3, 1),), torch.zeros(3)), [torch.arange(3), torch.arange(0)])
