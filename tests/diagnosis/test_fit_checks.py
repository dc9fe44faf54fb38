"""The checks of fit: each finds what it is for, with evidence and remedies, and is silent on what is sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from given import Given, noise
from wellfit.config import from_mapping, with_values
from wellfit.data.batches import as_batches
from wellfit.diagnosis.checks import (
    class_imbalance_ignored,
    good_fit,
    not_learning,
    overfitting,
    shuffled_labels,
    underfitting,
)
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.fit_evidence import FitEvidence
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.training.appraisal import appraise
from wellfit.training.options import FitOptions, settle

CHECKS = [module.CHECK for module in (class_imbalance_ignored, good_fit, not_learning, overfitting, shuffled_labels)]
CHECKS.append(underfitting.CHECK)

Rows = tuple[Tensor, Tensor]


def found(
    function: Callable[[Tensor], Tensor], rows: Rows, held: Rows, loss: Any = functional.mse_loss, **settings: Any
) -> dict[str, Finding]:
    module = Given(function)
    recipe = settle(module, as_batches(rows), FitOptions(loss=loss, threads=1), has_valid=False).recipe
    history = History({"settings": settings})
    history.meta["appraisal"] = appraise(module, as_batches(rows), as_batches(held), recipe)
    assert "failed" not in history.meta["appraisal"]
    evidence = Evidence(history)
    return {finding.code: finding for check in CHECKS for finding in check.find(evidence)}


def by_heart(x: Tensor, y: Tensor, *, otherwise: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def function(given: Tensor) -> Tensor:
        distance, nearest = torch.cdist(given, x).min(1)
        return torch.where(distance[:, None] < 1e-3, y[nearest], otherwise(given))

    return function


def line(rows: int, seed: int, spread: float = 0.7) -> Rows:
    x = noise(rows, 4, seed=seed)
    return x, x[:, :1] + spread * noise(rows, 1, seed=seed + 30)


def test_a_history_without_an_appraisal_has_no_finding() -> None:
    evidence = Evidence(History())
    assert [finding for check in CHECKS for finding in check.find(evidence)] == []


def test_a_sound_fit_is_one_remark() -> None:
    findings = found(lambda x: x[:, :1], line(400, 0), line(200, 1))
    assert list(findings) == ["good_fit"]
    assert findings["good_fit"].severity == "info"
    assert findings["good_fit"].evidence["valid_r2"] == pytest.approx(0.67, abs=0.1)


@pytest.mark.parametrize(
    ("code", "severity", "function"),
    [
        ("underfitting", "warning", lambda x: 0.3 * x[:, :1]),
        ("not_learning", "error", lambda x: torch.zeros(len(x), 1)),
        (
            "overfitting",
            "warning",
            by_heart(*line(400, 0), otherwise=lambda x: x[:, :1] + noise(len(x), 1, seed=5)),
        ),
    ],
)
def test_each_is_found_with_numbers_and_remedies(
    code: str, severity: str, function: Callable[[Tensor], Tensor]
) -> None:
    findings = found(function, line(400, 0), line(200, 1))
    assert code in findings
    assert "good_fit" not in findings
    finding = findings[code]
    assert finding.severity == severity
    assert {"train_r2", "valid_r2", "linear", "reference", "constant"} <= set(finding.evidence)
    assert len(finding.remedies) >= 3


def test_a_remedy_is_a_change_of_the_config() -> None:
    cases = [lambda x: 0.3 * x[:, :1], lambda x: torch.zeros(len(x), 1)]
    cases.append(by_heart(*line(400, 0), otherwise=lambda x: x[:, :1] + noise(len(x), 1, seed=5)))
    tried, config = 0, from_mapping({"model": "mlp"})
    for function in cases:
        for finding in found(function, line(400, 0), line(200, 1)).values():
            for remedy in finding.remedies:
                assert with_values(config, {remedy.path: remedy.value}) != config
                tried += 1
    assert tried > 10


def test_nothing_learnt_is_underfitting_too_where_others_learn() -> None:
    blind = found(lambda x: torch.zeros(len(x), 1), line(400, 0), line(200, 1))
    assert {"not_learning", "underfitting"} == set(blind)


def test_strong_decay_explains_a_small_lead() -> None:
    held_back = found(lambda x: 0.9 * x[:, :1], line(600, 0, 0.3), line(400, 1, 0.3), weight_decay=0.5)
    assert "underfitting" in held_back
    assert "regularization of 0.5" in held_back["underfitting"].message
    assert "good_fit" in found(lambda x: 0.9 * x[:, :1], line(600, 0, 0.3), line(400, 1, 0.3), weight_decay=1e-4)


@pytest.mark.parametrize("classes", [0, 2, 5])
@pytest.mark.parametrize("memorised", [True, False])
def test_labels_apart_from_the_inputs_are_found_whether_learnt_by_heart_or_not(classes: int, memorised: bool) -> None:
    x, others = noise(500, 6), noise(300, 6, seed=1)
    generator = torch.Generator().manual_seed(2)
    if classes:
        ids = torch.randint(classes, (800,), generator=generator)
        y = functional.one_hot(ids, classes).float() * 6
        target, constant, loss = ids, torch.bincount(ids[:500]).log(), functional.cross_entropy
    else:
        target = y = noise(800, 1, seed=3)
        constant, loss = y[:500].mean(0), functional.mse_loss

    def otherwise(given: Tensor) -> Tensor:
        return noise(len(given), y.shape[1], seed=8) if memorised else constant.expand(len(given), y.shape[1])

    function = by_heart(x, y[:500], otherwise=otherwise) if memorised else otherwise
    findings = found(function, (x, target[:500]), (others, target[500:]), loss)
    assert list(findings) == ["shuffled_labels"]
    finding = findings["shuffled_labels"]
    assert finding.severity == "error"
    assert ("by heart" in finding.message) == memorised


def test_labels_of_a_weak_signal_are_not_shuffled() -> None:
    findings = found(lambda x: torch.zeros(len(x), 1), line(600, 0, 2.0), line(400, 1, 2.0))
    assert "shuffled_labels" not in findings


def test_labels_that_only_the_network_reads_are_not_shuffled() -> None:
    """The parity of six signs: neither baseline finds it in 500 rows."""
    x, others = noise(500, 6), noise(300, 6, seed=1)

    def parity(given: Tensor) -> Tensor:
        return (given.prod(1) > 0).long()

    findings = found(
        lambda given: functional.one_hot(parity(given), 2).float() * 4 - 2,
        (x, parity(x)),
        (others, parity(others)),
        functional.cross_entropy,
    )
    assert list(findings) == ["good_fit"]


def rare(rows: int, share: float, seed: int, apart: float = 2.5) -> Rows:
    """Two classes that an axis divides, the second of which is rare."""
    draw = np.random.default_rng(seed)
    ids = (draw.random(rows) < share).astype(np.int64)
    x = draw.normal(size=(rows, 3)) + ids[:, None] * np.array([apart, 0, 0])
    return torch.from_numpy(x).float(), torch.from_numpy(ids)


def odds(share: float, shift: float = 0.0, apart: float = 2.5) -> Callable[[Tensor], Tensor]:
    """The true log-odds, moved by ``shift``."""

    def function(x: Tensor) -> Tensor:
        second = apart * (x[:, 0] - apart / 2) + np.log(share / (1 - share)) + shift
        return torch.stack([torch.zeros(len(x)), second], 1)

    return function


def test_a_network_that_finds_a_rare_class_at_the_price_of_many_answers_has_learnt() -> None:
    rows, held, loss = rare(1500, 0.05, 0), rare(800, 0.05, 1), functional.cross_entropy
    finding = found(odds(0.05, 5.0), rows, held, loss)
    blind = found(lambda x: torch.tensor([0.0, 0.5]).expand(len(x), 2), rows, held, loss)
    assert "not_learning" in blind
    assert "not_learning" not in finding


def test_a_rare_class_that_is_missed_is_named() -> None:
    findings = found(odds(0.03, -2.0), rare(3000, 0.03, 0), rare(3000, 0.03, 1), functional.cross_entropy)
    finding = findings["class_imbalance_ignored"]
    assert finding.severity == "warning"
    assert finding.evidence["share"] == pytest.approx(0.03, abs=0.01)
    assert finding.evidence["recall"] < 0.4
    for remedy in finding.remedies:
        config = from_mapping({"model": "mlp"})
        assert with_values(config, {remedy.path: remedy.value}) != config


def test_rare_events_that_no_one_can_answer_are_a_remark() -> None:
    """The true odds of such rows stay below one half: to answer with the frequent class ignores nothing."""
    findings = found(
        odds(0.03, apart=1.2), rare(3000, 0.03, 0, 1.2), rare(3000, 0.03, 1, 1.2), functional.cross_entropy
    )
    assert {finding.severity for finding in findings.values()} == {"info"}
    remark = findings["class_imbalance_ignored"]
    assert "hardly ever the likeliest" in remark.message
    assert [remedy.path for remedy in remark.remedies] == ["train.class_weight"]


@pytest.mark.parametrize("memorised", [True, False])
def test_labels_apart_from_the_inputs_are_found_where_one_class_has_most_rows(memorised: bool) -> None:
    """An accuracy of 0.85 is a constant guess's, and no sign that anything was learnt."""
    x, others = noise(1200, 6), noise(600, 6, seed=1)
    ids = (torch.rand(1800, generator=torch.Generator().manual_seed(3)) > 0.85).long()
    constant = torch.bincount(ids[:1200]).log()
    unlearnt: Callable[[Tensor], Tensor] = lambda given: constant + 0.3 * noise(len(given), 2, seed=8)  # noqa: E731
    learnt = by_heart(x, functional.one_hot(ids[:1200], 2).float() * 6, otherwise=unlearnt)
    function = learnt if memorised else unlearnt
    findings = found(function, (x, ids[:1200]), (others, ids[1200:]), functional.cross_entropy)
    assert "good_fit" not in findings
    assert "an AUC of" in findings["shuffled_labels"].message
    assert ("by heart" in findings["shuffled_labels"].message) == memorised


def test_a_signal_that_shows_in_the_odds_alone_is_one() -> None:
    """No answer names the rare class, and its rows are ranked before the others."""
    findings = found(odds(0.1, -3.0, 1.2), rare(1500, 0.1, 0, 1.2), rare(900, 0.1, 1, 1.2), functional.cross_entropy)
    assert "shuffled_labels" not in findings


@pytest.mark.parametrize(("rows", "ahead"), [(1, False), (5, False), (6, True)])
def test_a_lead_of_a_few_rows_is_chance(rows: int, ahead: bool) -> None:
    """Of 1,000 rows; each resample has it above 0, as all of these rows speak for the same side."""
    lead = [rows / 1000, rows / 4000, rows / 400]
    figures = {"accuracy": [0.97, 0.96, 0.98], "balanced_accuracy": [0.6, 0.55, 0.65]}
    leads = {"accuracy": lead, "balanced_accuracy": lead}
    constant = {"accuracy": [0.95, 0.94, 0.96], "balanced_accuracy": [0.5, 0.5, 0.5]}
    appraisal = {
        "task": "classification",
        "main": "accuracy",
        "valid": {"rows": 1000, "figures": figures},
        "constant": {"valid": {"figures": constant}},
        "linear": {"rows": 1000, "figures": figures, "lead": leads},
    }
    assert (FitEvidence(History({"appraisal": appraisal})).ahead("linear") is not None) == ahead


def test_a_rare_class_that_is_found_or_no_rare_class_is_no_finding() -> None:
    balanced = found(odds(0.03, 3.0), rare(3000, 0.03, 0), rare(3000, 0.03, 1), functional.cross_entropy)
    assert "class_imbalance_ignored" not in balanced
    even = found(odds(0.5), rare(1000, 0.5, 0), rare(1000, 0.5, 1), functional.cross_entropy)
    assert list(even) == ["good_fit"]
    # Missed for want of rows to tell: three of them prove nothing.
    few = found(odds(0.2, -0.5), rare(60, 0.06, 3), rare(40, 0.06, 4), functional.cross_entropy)
    assert "class_imbalance_ignored" not in few


@pytest.mark.parametrize(("share", "silent"), [(0.96, True), (0.7, False)])
def test_a_rare_class_that_nobody_answers_proves_no_lack_of_a_signal(share: float, silent: bool) -> None:
    """Where all answers are the class of nearly all rows, they do not show who has the odds right."""
    even, frequent = [0.5, 0.5, 0.5], [share, share - 0.01, share + 0.01]
    figures = {"balanced_accuracy": even, "accuracy": frequent}
    part = {"figures": figures, "lead": {"balanced_accuracy": [0.0, 0.0, 0.0], "accuracy": [0.0, 0.0, 0.0]}}
    learner = {**part, "recall": [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], "train": part}
    appraisal = {
        "task": "classification",
        "main": "accuracy",
        "train": {"figures": figures},
        "valid": {"figures": figures},
        "constant": {"train": part, "valid": part},
        "linear": learner,
        "reference": learner,
    }
    found = list(shuffled_labels.CHECK.find(Evidence(History({"appraisal": appraisal}))))
    assert (found == []) is silent
