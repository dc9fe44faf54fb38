"""Remedies for a run of wellfit's own: changes of its config, by dotted key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wellfit.config import Config
from wellfit.findings import Finding
from wellfit.treatment.course import Change

__all__ = ["further_settings", "settings_for", "standard_settings"]

_SECTIONS = ("model.", "train.", "features.", "clean.")
"""What a treatment may change: never which rows are read, nor how they are dealt."""

_MORE: Mapping[str, Sequence[tuple[Mapping[str, Any], str]]] = {
    "vanishing_gradient": [
        (
            {"model.activation": "relu", "model.norm": "batch", "model.residual": True},
            "gradients pass through the depth",
        )
    ],
    "exploding_gradient": [({"train.clip_norm": 1.0, "model.norm": "batch"}, "signals and steps stay bounded")],
    "dead_units": [({"model.activation": "gelu", "model.norm": "batch"}, "a unit that is off still has a gradient")],
    "overfitting": [
        (
            {"train.early_stopping": {"patience": 10}, "model.dropout": 0.3, "train.l2": 1e-4},
            "less room for single rows, and the best epoch kept",
        ),
        ({"model.hidden": [32]}, "a smaller network has less room to remember rows"),
    ],
    "underfitting": [
        ({"train.weight_decay": 0.0, "train.l1": 0.0, "train.l2": 0.0, "model.dropout": 0.0}, "nothing holds it back"),
        ({"model.hidden": [256, 256, 256]}, "more layers build on each other's features"),
    ],
    "learning_rate_too_high": [({"train.optimizer": {"name": "nadam"}}, "the optimizer's own rate")],
    "learning_rate_too_low": [({"train.optimizer": {"name": "nadam"}}, "the optimizer's own rate")],
    "not_learning": [({"train.optimizer": {"name": "nadam"}}, "steps that do not depend on the gradient's size")],
    "non_finite": [({"train.optimizer": {"name": "nadam"}, "train.clip_norm": 1.0}, "bounded steps")],
    "batch_size_problem": [({"train.batch_size": 64}, "enough updates, each of more than a few rows")],
    "unscaled_inputs": [({"features.scale": "robust"}, "one scale that outliers do not set")],
}


def settings_for(findings: Sequence[Finding]) -> Iterator[Change]:
    """Propose each finding's own remedies and those that go together, in turn.

    >>> from wellfit.findings import Remedy
    >>> remedy = Remedy(path="train.clip_norm", value=1.0, why="bounds a step")
    >>> found = Finding(code="exploding_gradient", severity="error", message="m", remedies=(remedy,))
    >>> [change.what for change in settings_for([found])]
    ['train.clip_norm=1.0', 'train.clip_norm=1.0, model.norm=batch']
    """
    queues = [list(_of_finding(finding)) for finding in findings]
    while any(queues):
        for queue in queues:
            if queue:
                yield queue.pop(0)


def _of_finding(finding: Finding) -> Iterator[Change]:
    for remedy in finding.remedies:
        if remedy.path.startswith(_SECTIONS):
            yield _change({remedy.path: remedy.value}, remedy.why)
    for values, why in _MORE.get(finding.code, ()):
        yield _change(dict(values), why)


def _change(values: dict[str, Any], why: str) -> Change:
    what = ", ".join(f"{path}={value}" for path, value in values.items())
    if "model.activation" in values and "model.init" not in values:
        # A saved config names the init that suited the former activation.
        values["model.init"] = "auto"
    return Change(family=next(iter(values)), what=what, why=why, options=values)


def standard_settings() -> Iterator[Change]:
    """Give the last resort: the settings that a new run starts from, whatever this one was told."""
    defaults = Config()
    kept = ("schedule", "early_stopping", "clip_norm", "l1", "l2", "weight_decay", "epochs")
    values: dict[str, Any] = {
        "model": {"type": "mlp"},
        "train.loss": "auto",
        "train.optimizer": "nadam",
        "train.batch_size": "auto",
        "features.scale": "auto",
    }
    for name in kept:
        value = getattr(defaults.train, name)
        values[f"train.{name}"] = value.model_dump() if hasattr(value, "model_dump") else value
    yield Change(family="standard", what="the settings of a new run", why="what suits most tables", options=values)


def further_settings(rate: float | None) -> Iterator[Change]:
    """Propose other rates beside a course."""
    if rate is not None:
        for factor in (3.0, 0.3):
            value = float(f"{rate * factor:.2g}")
            yield _change({"train.optimizer.lr": value}, "a rate nearer to what suits")
