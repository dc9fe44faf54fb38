"""The benchmark's own cases of training faults: their form, and that each is what it says by the figures kept."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from wellfit.findings import CODES

FOLDER = Path(__file__).parents[1] / "benchmarks" / "clinic"
FIELDS = {"id", "task", "task_data", "arch", "init", "loss", "optimizer", "lr", "batch_size", "epochs", "extras"}
THIN = ("non_finite", "not_learning", "exploding_gradient", "dead_units", "saturated_units", "batch_size_problem")


@pytest.fixture(scope="module")
def acceptance() -> Any:
    """The rule of acceptance, imported from the benchmark's folder."""
    sys.path.insert(0, str(FOLDER))
    try:
        import acceptance
    finally:
        sys.path.remove(str(FOLDER))
    return acceptance


def lines(name: str) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in map(json.loads, (FOLDER / name).read_text().splitlines())}


@pytest.fixture(scope="module")
def cases() -> dict[str, dict[str, Any]]:
    return lines("cases.jsonl")


def endings_of(acceptance: Any, record: dict[str, Any]) -> dict[int, Any]:
    return {int(seed): acceptance.Ending(**figures) for seed, figures in record["endings"].items()}


def test_at_least_forty_cases_about_half_of_them_healthy(cases: dict[str, dict[str, Any]]) -> None:
    healthy = sum(case["truth"] == "healthy" for case in cases.values())
    assert len(cases) >= 40
    assert 0.4 <= healthy / len(cases) <= 0.6


def test_every_case_has_the_fields_of_the_clinic(cases: dict[str, dict[str, Any]]) -> None:
    for case in cases.values():
        assert case.keys() >= FIELDS
        assert set(case["accept"]) | set(case["symptoms"]) <= CODES.keys()
        assert not set(case["accept"]) & set(case["symptoms"])
        assert len(case["seeds"]) >= 3
        if case["truth"] == "healthy":
            assert case["accept"] == []
        else:
            assert case["truth"] in case["accept"]
            assert cases[case["twin"]]["truth"] == "healthy"


def test_thin_codes_have_two_cases_or_more(cases: dict[str, dict[str, Any]]) -> None:
    counts = Counter(case["truth"] for case in cases.values())
    assert all(counts[code] >= 2 for code in THIN), counts


def test_figures_kept_bear_every_seed_out(acceptance: Any, cases: dict[str, dict[str, Any]]) -> None:
    records = lines("verification.jsonl")
    for name, case in cases.items():
        endings, best = endings_of(acceptance, records[name]), records[name]["best_of_task"]
        if case["truth"] == "healthy":
            assert case["seeds"] == acceptance.healthy_seeds(endings, best, records[name]["metric"]), name
            continue
        twin = endings_of(acceptance, records[case["twin"]])
        well = {seed: twin[seed] for seed in cases[case["twin"]]["seeds"]}
        assert case["seeds"] == acceptance.faulty_seeds(case["truth"], endings, well), name


def ending(acceptance: Any, test: float, **changed: float) -> Any:
    figures = {
        "train": test,
        "valid": test,
        "test": test,
        "test_at_best": test,
        "first_loss": 1.0,
        "last_loss": 0.1,
        "valid_rise": 1.0,
        "valid_risen": 0.0,
        "test_rows": 200,
    }
    return acceptance.Ending(**{**figures, **changed})


@pytest.mark.parametrize(
    ("changed", "healthy"),
    [
        ({}, True),
        ({"valid_rise": 1.3, "valid_risen": 0.1}, False),
        ({"valid_rise": 1.3, "valid_risen": 0.01}, True),
        ({"last_loss": 11.0}, False),
        ({"last_loss": float("nan")}, False),
        ({"test_at_best": 0.95}, False),
        ({"train": 1.0, "valid": 0.8}, True),
        ({"train": 1.06, "valid": 0.8}, False),
    ],
)
def test_a_healthy_ending_is_as_good_as_the_best(acceptance: Any, changed: dict[str, float], healthy: bool) -> None:
    assert acceptance.is_healthy(ending(acceptance, 0.9, **changed), 0.91, "accuracy") is healthy


def test_faulty_seeds_are_those_worse_than_the_twin(acceptance: Any) -> None:
    twin = {seed: ending(acceptance, 0.9) for seed in range(5)}
    worse = {seed: ending(acceptance, test) for seed, test in enumerate((0.7, 0.75, 0.8, 0.89, 0.7))}
    assert acceptance.faulty_seeds("dead_units", worse, twin) == [0, 1, 2, 4]
    close = {seed: ending(acceptance, 0.875) for seed in range(5)}
    assert acceptance.faulty_seeds("dead_units", close, twin) == []
    few = {seed: twin[seed] for seed in (0, 3)}
    assert acceptance.faulty_seeds("dead_units", worse, few) == []


def test_a_case_that_diverges_needs_no_worse_metric(acceptance: Any) -> None:
    twin = {seed: ending(acceptance, 0.9) for seed in range(3)}
    diverged = {seed: ending(acceptance, 0.9, last_loss=float("inf")) for seed in range(3)}
    assert acceptance.faulty_seeds("exploding_gradient", diverged, twin) == [0, 1, 2]


def test_overfitting_shows_in_the_validation_loss_or_the_gap(acceptance: Any) -> None:
    twin = {seed: ending(acceptance, 0.9) for seed in range(3)}
    risen = {seed: ending(acceptance, 0.9, valid_rise=1.2, test_at_best=0.92) for seed in range(3)}
    gap = {seed: ending(acceptance, 0.88, train=1.0) for seed in range(3)}
    neither = {seed: ending(acceptance, 0.9, valid_rise=1.1, train=0.95) for seed in range(3)}
    assert acceptance.faulty_seeds("overfitting", risen, twin) == [0, 1, 2]
    assert acceptance.faulty_seeds("overfitting", gap, twin) == [0, 1, 2]
    assert acceptance.faulty_seeds("overfitting", neither, twin) == []
