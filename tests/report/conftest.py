"""Facts of runs that never were, kind and hostile ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from wellfit.findings import Finding, Remedy
from wellfit.history import History
from wellfit.report import ReportFacts, summarize_predictions

HOSTILE = "<script>alert(1)</script>\"'</script><!--|`[x](javascript:1)&\x00\ud800{{}}"


def recorded(epochs: int, *, lr: float | None = None) -> History:
    history = History()
    for epoch in range(1, epochs + 1):
        figures = {
            "train_loss": 1 / epoch,
            "valid_loss": 1 / epoch + 0.002 * epoch,
            "valid_accuracy": 1 - 0.5 / epoch,
            "lr": lr or 0.01 / epoch,
        }
        for name, value in figures.items():
            history.add(step=10 * epoch, epoch=epoch, name=name, value=value)
    return history


def evaluated(task: str, labels: list[str], rows: int = 200) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    if task == "regression":
        actual = draw.normal(size=rows)
        return summarize_predictions(task, [], actual, actual + draw.normal(size=rows) / 5)
    ids = np.arange(rows) % len(labels)
    chances = draw.dirichlet(np.ones(len(labels)), rows) + np.eye(len(labels))[ids]
    return summarize_predictions(task, labels, ids, chances / chances.sum(axis=1, keepdims=True))


FINDINGS = (
    Finding(code="good_fit", severity="info", message="Both agree."),
    Finding(
        code="overfitting",
        severity="warning",
        message="The gap grows.",
        when="epochs 3-9",
        evidence={"gap": 0.25, "bad": float("nan")},
        remedies=(Remedy(path="model.dropout", value=0.3, why="units stop relying on each other"),),
    ),
    Finding(code="target_leakage", severity="error", where="age", message="'age' gives it away."),
    Finding(code="missing_values", severity="info", where="job", message="m", evidence={"share": 0.056}),
)


def classification(**changes: Any) -> ReportFacts:
    labels = ["<=50K", ">50K"]
    facts: dict[str, Any] = {
        "name": "adult-1",
        "config": {
            "data": {"source": "adult.csv", "target": "income"},
            "split": {"seed": 42},
            "train": {"loss": "cce", "optimizer": {"name": "nadam", "lr": 0.001}, "seed": 7, "metric": "accuracy"},
        },
        "plan": {
            "source": {"uri": "adult.csv", "kind": "csv", "rows": 1010, "columns": 3, "checksum": "abc123"},
            "rows": {
                "read": 1010,
                "duplicates_dropped": 7,
                "without_target": 3,
                "train": 640,
                "valid": 160,
                "test": 200,
            },
            "target": {"name": "income", "task": "binary", "classes": labels, "counts": [487, 153]},
            "cleaning": {
                "columns": [
                    {"name": "age", "kind": "number", "settings": {}, "reason": ""},
                    {"name": "job", "kind": "category", "settings": {}, "reason": ""},
                    {"name": "id", "kind": "drop", "settings": None, "reason": "it names the row"},
                ]
            },
            "features": {
                "numbers": ["age"],
                "medians": [37.0],
                "scale": "robust",
                "encoded": [{"name": "job", "encoder": "onehot", "levels": ["a", "b"]}],
            },
        },
        "model": {"type": "mlp", "options": {"hidden": [256, 256]}, "parameters": 97346},
        "metrics": {
            "test": {"accuracy": 0.853, "auc": 0.91, "log_loss": 0.32},
            "valid": {"accuracy": 0.86, "auc": 0.92, "log_loss": 0.31},
            "baselines": {
                "majority": {"accuracy": 0.761, "auc": 0.5, "log_loss": 0.55},
                "linear": {"accuracy": 0.848, "auc": 0.905, "log_loss": 0.30},
            },
        },
        "evaluation": evaluated("binary", labels),
        "history": recorded(9),
        "findings": FINDINGS,
    }
    return ReportFacts(**{**facts, **changes})


def _hostile() -> ReportFacts:
    finding = Finding(
        code="constant_column",
        severity="error",
        where=HOSTILE,
        message=HOSTILE,
        evidence={HOSTILE: HOSTILE},
        remedies=(Remedy(path=HOSTILE, value=HOSTILE, why=HOSTILE),),
    )
    return ReportFacts(
        name=HOSTILE,
        config={
            "data": {"source": HOSTILE},
            "train": {"optimizer": {"name": HOSTILE}, "seed": HOSTILE},
            HOSTILE: HOSTILE,
        },
        plan={
            "source": {"uri": HOSTILE, "kind": HOSTILE, "checksum": HOSTILE, "details": {HOSTILE: HOSTILE}},
            "target": {"name": HOSTILE, "task": "multiclass", "classes": [HOSTILE, "b", "c"], "counts": [9, 1, 1]},
            "rows": {"test": 200, HOSTILE: 3},
            "cleaning": {"columns": [{"name": HOSTILE, "kind": HOSTILE, "reason": HOSTILE}]},
            "features": {"numbers": [HOSTILE], "medians": [float("nan")], "encoded": [{"name": HOSTILE, "levels": []}]},
        },
        model={"type": HOSTILE, "options": {HOSTILE: HOSTILE}, "versions": {HOSTILE: HOSTILE}},
        metrics={
            "test": {"accuracy": 0.5, HOSTILE: 1.0},
            "baselines": {HOSTILE: {"accuracy": 0.1}, "majority": {"accuracy": 0.3}},
        },
        evaluation=evaluated("multiclass", [HOSTILE, "b", "c"]),
        history=recorded(3),
        findings=[finding],
        defaults={"train": {"optimizer": {"name": "adam"}}},
    )


@pytest.fixture(name="binary")
def binary_() -> Callable[..., ReportFacts]:
    return classification


@pytest.fixture(name="hostile")
def hostile_() -> ReportFacts:
    return _hostile()


@pytest.fixture(name="history_of")
def history_of_() -> Callable[..., History]:
    return recorded


@pytest.fixture(name="evaluation_of")
def evaluation_of_() -> Callable[..., Mapping[str, Any]]:
    return evaluated
