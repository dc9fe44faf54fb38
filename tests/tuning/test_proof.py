"""When a candidate is taken for better than the default, and which trials are candidates."""

from __future__ import annotations

from typing import Any

import pytest

from wellfit.tuning.clock import Clock
from wellfit.tuning.proof import Proof, candidates, proof_jobs


def trial(number: int, value: float | None, **more: Any) -> dict[str, Any]:
    held = {"number": number, "value": value, "values": {}, "state": "complete", "default": number == 0}
    return {**held, **more}


@pytest.mark.parametrize(
    ("default", "tuned", "greater", "holds"),
    [
        ([1.0, 1.0, 1.0], [0.9, 0.8, 0.9], False, True),
        ([1.0, 1.0, 1.0], [0.9, 0.8, 0.9], True, False),
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], False, False),
        ([1.0, 1.0, 1.0], [0.9, 1.4, 1.05], False, False),
        ([1.0, 1.0, 1.0], [0.5, 1.1, 1.05], False, True),
        ([1.0], [0.9], False, True),
        ([1.0, 1.0], [0.5, None], False, False),
        ([None, None], [0.5, 0.6], False, True),
        ([], [], False, False),
    ],
)
def test_a_proof_holds_where_the_candidate_is_better_on_the_mean(
    default: Any, tuned: Any, greater: bool, holds: bool
) -> None:
    assert Proof(number=1, default=default, candidate=tuned, greater_is_better=greater).holds is holds


@pytest.mark.parametrize(("fresh", "holds"), [(0.1, True), (0.0, True), (-0.1, True), (-0.2, False), (-0.3, False)])
@pytest.mark.parametrize("greater", [False, True])
def test_half_of_the_lead_that_chose_it_counts(fresh: float, holds: bool, greater: bool) -> None:
    sign = 1.0 if greater else -1.0
    proof = Proof(
        number=1, default=[0.5], candidate=[0.5 + sign * fresh], searched=(sign * 0.3, 0.0), greater_is_better=greater
    )
    assert proof.holds is holds
    assert proof.gain == pytest.approx((fresh + 0.15) / 2)


def test_without_the_default_s_figure_the_fresh_seeds_decide() -> None:
    assert Proof(number=1, default=[0.5], candidate=[0.4], searched=(0.3, None)).gain == pytest.approx(0.1)


def test_candidates_are_the_best_that_beat_the_default() -> None:
    trials = [
        trial(0, 0.5),
        trial(1, 0.4),
        trial(2, 0.3, state="pruned"),
        trial(3, 0.45),
        trial(4, 0.6),
        trial(5, 0.41),
    ]
    assert [one.number for one in candidates(trials, greater_is_better=False)] == [1, 5, 3]
    assert [one.number for one in candidates(trials, greater_is_better=True)] == [4]


def test_without_a_default_that_trains_all_are_candidates() -> None:
    trials = [trial(0, None, state="failed"), trial(1, 0.4)]
    assert [one.number for one in candidates(trials, greater_is_better=False)] == [1]


def test_candidate_and_default_are_trained_on_the_same_seeds() -> None:
    (one,) = candidates([trial(0, 2.0), trial(7, 1.0, values={"train.l2": 0.1})], greater_is_better=False)
    jobs = list(proof_jobs(one, [1000, 1001]))
    assert [(job.key, job.seed) for job in jobs] == [
        ("proof default 1000", 1000),
        ("proof 7 1000", 1000),
        ("proof default 1001", 1001),
        ("proof 7 1001", 1001),
    ]
    assert jobs[0].values == {}
    assert jobs[1].values == {"train.l2": 0.1}


def test_the_final_training_always_has_its_part_of_the_time() -> None:
    import time

    clock = Clock(100.0, time.monotonic())
    whole = clock.left_for_search(5.0, 7)
    assert whole is not None
    assert whole < 100 - 7 * 5
    assert clock.left_for_search(20.0, 7) < 0  # type: ignore[operator]
    assert Clock(None, 0.0).left_for_search(5.0, 7) is None
    assert clock.for_final() == pytest.approx(98.5)
