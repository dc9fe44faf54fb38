"""Answers looked up among neighbours: values and gradients against torch's own distances and softmax, in float64."""

from __future__ import annotations

import pytest
import torch

from wellfit.models.same_rows import SameRows
from wellfit.models.soft_neighbours import found_among, known_at, looked_up

MEMBERS, ASKED, KNOWN, WIDTH = 2, 37, 9, 3


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def places(count: int) -> torch.Tensor:
    return torch.randn(MEMBERS, count, WIDTH, dtype=torch.float64, requires_grad=True)


def by_torch(
    asked: torch.Tensor, known: torch.Tensor, answers: torch.Tensor, hidden: torch.Tensor | None
) -> torch.Tensor:
    nearness = -torch.cdist(asked, known)
    if hidden is not None:
        for member in range(MEMBERS):
            for row, place in enumerate(hidden[member].tolist()):
                if place >= 0:
                    nearness[member, row, place] = -torch.inf
    return torch.softmax(nearness, 2) @ answers


@pytest.mark.parametrize("outputs", [1, 2, 4, 5, 11])
@pytest.mark.parametrize("hides", [False, True])
def test_values_and_gradients_equal_torch(outputs: int, hides: bool) -> None:
    asked, known = places(ASKED), places(KNOWN)
    answers = torch.randn(MEMBERS, KNOWN, outputs, dtype=torch.float64)
    hidden = torch.randint(-1, KNOWN, (MEMBERS, ASKED)) if hides else None
    up = torch.randn(MEMBERS, ASKED, outputs, dtype=torch.float64)
    made, expected = looked_up(asked, known, answers, hidden), by_torch(asked, known, answers, hidden)
    torch.testing.assert_close(made, expected, rtol=1e-12, atol=1e-12)
    pairs = [torch.autograd.grad(each, (asked, known), up) for each in (made, expected)]
    for slope, wanted in zip(*pairs, strict=True):
        torch.testing.assert_close(slope, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("outputs", [1, 5])
@pytest.mark.parametrize("hides", [False, True])
def test_values_without_gradients_equal_torch(outputs: int, hides: bool) -> None:
    asked, known = places(ASKED).detach(), places(KNOWN).detach() + 100.0
    answers = torch.randn(MEMBERS, KNOWN, outputs, dtype=torch.float64)
    hidden = torch.randint(-1, KNOWN, (MEMBERS, ASKED)) if hides else None
    made = found_among(asked + 100.0, known_at(known), answers, hidden)
    torch.testing.assert_close(made, by_torch(asked + 100.0, known, answers, hidden), rtol=1e-11, atol=1e-11)


def test_rows_at_one_place_give_finite_gradients() -> None:
    asked = torch.zeros(1, 2, 3, requires_grad=True)
    known = torch.zeros(1, 4, 3, requires_grad=True)
    made = looked_up(asked, known, torch.tensor([[[0.0], [0.0], [1.0], [1.0]]]))
    assert made.flatten().tolist() == [0.5, 0.5]
    made.sum().backward()
    assert asked.grad is not None
    assert bool(asked.grad.isfinite().all())


def test_rows_far_from_zero_keep_their_distances() -> None:
    asked, known = places(ASKED).detach(), places(KNOWN).detach()
    answers = torch.randn(MEMBERS, KNOWN, 2, dtype=torch.float64)
    far = looked_up((asked + 1000.0).float(), (known + 1000.0).float(), answers.float())
    torch.testing.assert_close(far.double(), by_torch(asked, known, answers, None), rtol=1e-3, atol=1e-3)


def test_under_autocast_distances_keep_their_digits() -> None:
    asked, known = (places(count).detach().float() + 50.0 for count in (ASKED, KNOWN))
    answers = torch.randn(MEMBERS, KNOWN, 2)
    plain = looked_up(asked, known, answers)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(looked_up(asked, known, answers), plain)


def test_of_rows_alike_each_is_left_out_once() -> None:
    numeric = torch.tensor([[[1.0], [1.0], [2.0], [1.0]]])
    answer = torch.tensor([[[0], [1], [0], [0]]])
    same = SameRows(numeric, answer)
    all_rows = torch.arange(4)
    # Rows 0 and 3 hold the same: the first stands for both, so that each sees the other once.
    assert same.places(numeric, answer, all_rows).tolist() == [[0, 1, 2, 0]]
    assert same.places(numeric, answer, torch.tensor([3, 1])).tolist() == [[-1, 1, -1, -1]]


def test_rows_are_told_apart_by_every_column_and_by_their_order() -> None:
    known = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]])
    ids = torch.tensor([[[3, 4], [3, 4], [4, 3]]])
    same = SameRows(known, ids)
    assert same.places(known, ids, torch.arange(3)).tolist() == [[0, 1, 2]]
    assert same.places(known, ids.flip(2), torch.arange(3)).tolist() == [[-1, -1, -1]]


def test_checksums_of_many_rows_differ() -> None:
    grid = torch.cartesian_prod(torch.arange(200.0), torch.arange(-100.0, 100.0))
    same = SameRows(grid.unsqueeze(0))
    assert torch.equal(same.places(grid.unsqueeze(0), torch.arange(len(grid)))[0], torch.arange(len(grid)))


def test_members_may_know_other_rows_than_each_other() -> None:
    known = torch.randn(2, 6, 3)
    same = SameRows(known)
    asked = torch.stack([known[0, [2, 5]], known[1, [0, 1]]])
    assert same.places(asked, torch.arange(6)).tolist() == [[2, 5], [0, 1]]
    assert same.places(known[:1, [4]], torch.arange(6)).tolist() == [[4], [-1]]
