"""Causes told from what looks like them: histories written by hand, and small trainings with one fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wellfit
from wellfit.diagnosis import Evidence, diagnose, weighed
from wellfit.diagnosis.checks import (
    batch_size_problem,
    exploding_gradient,
    learning_rate_too_high,
    learning_rate_too_low,
    non_finite,
    not_learning,
    underfitting,
    unscaled_inputs,
    vanishing_gradient,
)
from wellfit.diagnosis.evidence import HARDLY
from wellfit.findings import Finding
from wellfit.history import History

X = torch.randn(400, 6, generator=torch.Generator().manual_seed(0))
IDS = (X[:, 0] + X[:, 1] * X[:, 2] > 0).long()
Series = Mapping[tuple[str, str], list[float]]


def history(series: Series, **meta: Any) -> History:
    made = History(meta)
    for (name, where), values in series.items():
        for step, value in enumerate(values):
            made.add(step=step, epoch=step, name=name, value=value, where=where)
    return made


def poor(series: Series, **meta: Any) -> Evidence:
    """Give a history whose loss did not fall."""
    return Evidence(history({("batch_loss", ""): [1.0] * 20, ("probe_loss", ""): [1.0], **series}, **meta))


def moved(ratio: float, **settings: Any) -> Evidence:
    weights: Series = {("update_ratio", "0.weight"): [ratio] * 8, ("weight_norm", "0.weight"): [1.0] * 8}
    return poor(weights, settings=settings, data={"rows": 1000}, steps=900)


def fitted(module: nn.Module, inputs: Tensor = X, target: Tensor = IDS, **options: Any) -> wellfit.FitResult:
    settings = {"loss": "cce", "lr": 0.01, "batch_size": 32, "epochs": 8, "threads": 1, **options}
    result = wellfit.fit(module, (inputs[:300], target[:300]), valid=(inputs[300:], target[300:]), **settings)
    assert "doctor_failed" not in result.history.meta
    return result


def grave(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings if finding.severity != "info"]


def mlp(*, outputs: int = 2, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, outputs))


@pytest.mark.parametrize(("ratio", "lr", "proposed"), [(1e-7, 1e-8, 1e-4), (0.5, 5.0, 0.01)])
def test_a_rate_is_proposed_that_moves_weights_by_a_thousandth(ratio: float, lr: float, proposed: float) -> None:
    check = learning_rate_too_low.CHECK if ratio < 0.1 else learning_rate_too_high.CHECK
    (finding,) = check.find(moved(ratio, lr=lr))
    rates = [remedy.value for remedy in finding.remedies if remedy.path == "train.optimizer.lr"]
    assert rates == [pytest.approx(proposed), "find"]


def test_weights_that_do_not_move_have_no_rate_to_scale() -> None:
    (finding,) = learning_rate_too_low.CHECK.find(moved(0.0, lr=1e-3))
    assert [remedy.value for remedy in finding.remedies if remedy.path == "train.optimizer.lr"] == ["find"]
    assert "at all" in finding.message


def test_a_schedule_that_begins_at_a_rate_of_0_has_no_low_rate() -> None:
    ratios = [0.0, *[2e-3] * 3]
    weights: Series = {("update_ratio", "0.weight"): ratios, ("weight_norm", "0.weight"): [1.0] * 4}
    assert not list(learning_rate_too_low.CHECK.find(poor(weights, settings={"lr": 0.03}, steps=400)))


@pytest.mark.parametrize(("ratio", "found"), [(1e-5, 0), (1e-2, 1)])
def test_a_batch_of_one_is_no_problem_where_the_rate_hardly_moves_weights(ratio: float, found: int) -> None:
    evidence = moved(ratio, lr=1e-5, batch_size=1, epochs=20)
    assert len(list(batch_size_problem.CHECK.find(evidence))) == found


@pytest.mark.parametrize(("ended", "found"), [({"cut_short": True}, 0), ({}, 1)])
def test_few_updates_by_the_clock_are_not_the_batch_size(ended: dict[str, bool], found: int) -> None:
    evidence = poor({}, settings={"batch_size": 500, "epochs": 50}, data={"rows": 1000}, steps=1, **ended)
    assert len(list(batch_size_problem.CHECK.find(evidence))) == found


@pytest.mark.parametrize(("optimizer", "found"), [("LBFGS", 0), ("Adam", 1)])
def test_an_optimizer_that_searches_on_all_rows_needs_few_updates(optimizer: str, found: int) -> None:
    settings = {"batch_size": 500, "epochs": 50, "optimizer": optimizer}
    evidence = poor({}, settings=settings, data={"rows": 500}, steps=13)
    assert len(list(batch_size_problem.CHECK.find(evidence))) == found


def test_a_training_that_time_ended_says_so() -> None:
    result = fitted(mlp(), batch_size=150, epochs=50, time=1e-4)
    assert result.history.meta["cut_short"] is True
    assert "batch_size_problem" not in grave(result.findings)
    assert any("ended it after 1 update" in finding.message for finding in result.findings)
    assert "cut_short" not in fitted(mlp(), epochs=1, time=600).history.meta


@pytest.mark.parametrize(("rows", "mean", "found"), [(32, 1.5, 0), (32, 9.0, 1), (1, 9.0, 0), (1, 40.0, 1)])
def test_the_loss_of_a_few_rows_is_no_growth(rows: int, mean: float, found: int) -> None:
    losses: Series = {("batch_loss_max", ""): [1.0, 60.0, 1.0], ("batch_loss", ""): [1.0, mean, 1.0]}
    evidence = poor(losses, settings={"batch_size": rows})
    assert len(list(exploding_gradient.CHECK.find(evidence))) == found


FADED: Series = {("probe_grad", f"{place}.weight"): [10.0 ** (place - 8)] * 3 for place in range(8)}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, 1),
        ({"settings": {"l2": 1.0}}, 0),
        ({"operations": [{"kind": "linear", "where": str(place), "alike": place == 0} for place in range(3)]}, 0),
    ],
)
def test_penalties_and_equal_units_explain_a_gradient_that_faded(more: dict[str, Any], found: int) -> None:
    assert len(list(vanishing_gradient.CHECK.find(poor(FADED, **more)))) == found


def test_units_that_are_off_explain_a_gradient_that_faded() -> None:
    off: Series = {**FADED, ("silent_share", "1"): [1.0, 1.0]}
    assert list(vanishing_gradient.CHECK.find(poor(off))) == []


def test_a_strong_penalty_is_named_and_to_be_taken_off() -> None:
    result = fitted(mlp(), l2=1.0)
    (finding,) = not_learning.CHECK.find(Evidence(result.history))
    assert "regularization of 1" in finding.message
    assert (finding.remedies[0].path, finding.remedies[0].value) == ("train.l2", 0.0)
    assert "vanishing_gradient" not in [other.code for other in result.findings]


@pytest.mark.parametrize(
    ("operations", "found"),
    [
        ([{"kind": "linear", "where": "0", "entering": {"features": 3, "rms_max": 150.0}}], 1),
        ([{"kind": "linear", "where": "0", "entering": {"features": 3, "rms_max": 1.0}}], 0),
        ([{"kind": "linear", "where": "0", "entering": {"features": 2, "rms_max": 1.0}}], 1),
        ([{"kind": "batch_norm", "where": "0"}, {"kind": "conv", "where": "1"}], 0),
    ],
)
def test_inputs_that_the_module_rescales_are_to_scale(operations: list[dict[str, Any]], found: int) -> None:
    inputs = {"rms_max": 150.0, "rms_median": 150.0, "widest": 0, "largest": 255.0, "features": 3}
    evidence = poor({}, data={"inputs": inputs}, operations=operations)
    assert len(list(unscaled_inputs.CHECK.find(evidence))) == found


class Rescaling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = mlp()

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.inner((x - 128) / 40)
        return output


@pytest.mark.parametrize(
    ("module", "found"), [(Rescaling(), False), (nn.Sequential(nn.BatchNorm1d(6), *mlp()), False), (mlp(), True)]
)
def test_pixels_are_unscaled_only_where_weights_meet_them(module: nn.Module, found: bool) -> None:
    assert ("unscaled_inputs" in grave(fitted(module, X * 40 + 128).findings)) is found


@pytest.mark.parametrize(
    ("meta", "stopped", "remedies"),
    [
        ({"steps": 4}, True, ["train.clip_norm", "train.optimizer.lr"]),
        ({"steps": 90}, False, ["train.clip_norm", "train.optimizer.lr"]),
        ({"steps": 4, "data": {"inputs": {"non_finite": 3}}}, True, ["clean.missing"]),
    ],
)
def test_what_is_not_finite_has_the_remedies_of_its_cause(
    meta: dict[str, Any], stopped: bool, remedies: list[str]
) -> None:
    at = {"step": 5, "where": "0.weight", "lr": 0.1, "message": "The gradient of '0.weight' is not finite."}
    (finding,) = non_finite.CHECK.find(Evidence(History({"non_finite": at, **meta})))
    assert ("stopped at the last finite weights" in finding.message) is stopped
    assert [remedy.path for remedy in finding.remedies] == remedies


@pytest.mark.parametrize(
    ("target", "loss", "outputs"), [(torch.full((400,), 3.0), "mse", 1), (torch.zeros(400).long(), "cce", 2)]
)
def test_a_target_of_one_value_is_named_and_not_judged(target: Tensor, loss: str, outputs: int) -> None:
    result = fitted(mlp(outputs=outputs), target=target, loss=loss)
    assert grave(result.findings) == ["constant_column"]
    assert result.fit is None


def test_a_flat_output_and_a_flat_target_fit_each_other() -> None:
    flat = nn.Sequential(mlp(outputs=1), nn.Flatten(0))
    for loss, target in ((nn.MSELoss(), X[:, 0]), (nn.BCEWithLogitsLoss(), (X[:, 0] > 0).float())):
        result = fitted(flat, target=target, loss=loss)
        assert grave(result.findings) == []
        assert result.fit is not None


def test_a_softmax_over_the_rows_is_a_wrong_output_layer() -> None:
    loss = {"name": "cce", "from_probabilities": True}
    over_rows, over_columns = (fitted(nn.Sequential(*mlp(), nn.Softmax(axis)), loss=loss).findings for axis in (0, 1))
    assert "loss_output_mismatch" in grave(over_rows)
    assert "loss_output_mismatch" not in grave(over_columns)


def test_underfitting_beside_no_learning_says_something_else() -> None:
    result = fitted(mlp(), lr=1e-9)
    said = [next(iter(module.CHECK.find(Evidence(result.history)))) for module in (not_learning, underfitting)]
    assert said[0].message != said[1].message
    assert "model.dropout" not in [remedy.path for remedy in said[1].remedies]


def test_labels_without_a_signal_explain_what_is_learnt_of_them() -> None:
    found = [
        Finding(code=code, severity="warning", message="It is so.") for code in ("shuffled_labels", "underfitting")
    ]
    assert [finding.severity for finding in weighed(found)] == ["warning", "info"]


def test_a_history_without_any_of_it_raises_nothing() -> None:
    assert diagnose(history({("batch_loss", ""): [1.0, 0.5, 0.2]})) == []


@pytest.mark.parametrize("watched", ["fit", "Monitor"])
def test_what_has_converged_may_go_on_at_a_low_rate(watched: str) -> None:
    """Where some labels are wrong a share of the loss stays; that it does not fall is no lack of learning."""
    wrong = torch.rand(400, generator=torch.Generator().manual_seed(1)) < 0.15
    target = torch.where(wrong, 1 - (X[:, 0] > 0).long(), (X[:, 0] > 0).long())
    module = mlp()
    wellfit.fit(module, (X, target), loss="cce", lr=3e-3, batch_size=32, epochs=6, threads=1)
    if watched == "fit":
        history = wellfit.fit(module, (X, target), loss="cce", lr=1e-6, batch_size=32, epochs=4, threads=1).history
    else:
        history = _watched_on(module.train(), target)
    evidence = Evidence(history)
    assert evidence.progress is not None
    assert evidence.progress < HARDLY
    assert grave(diagnose(history)) == []


def _watched_on(module: nn.Module, target: Tensor) -> History:
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-6)
    monitor = wellfit.Monitor(module, optimizer)
    for rows in (*torch.arange(400).split(32),) * 4:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(module(X[rows]), target[rows])
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
    return monitor.history
