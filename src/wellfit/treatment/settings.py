"""Remedies for a run of wellfit's own: changes of its config, by dotted key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wellfit.config import Config
from wellfit.findings import Finding
from wellfit.report.sections import setting
from wellfit.treatment.advice import UNPROVABLE
from wellfit.treatment.course import Change
from wellfit.treatment.members import EVERY, Times

__all__ = ["change_of", "further_settings", "settings_for", "standard_settings"]

_SECTIONS = ("model.", "train.", "features.", "clean.")
"""What a treatment may change: never which rows are read, nor how they are dealt."""

More = Mapping[str, Sequence[tuple[Mapping[str, Any], str]]]
"""By a finding's code, settings that go together, and why they help."""

_MORE: More = {
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
    "learning_rate_too_high": [({"train.optimizer": "nadam"}, "the optimizer's own rate")],
    "learning_rate_too_low": [({"train.optimizer": "nadam"}, "the optimizer's own rate")],
    "not_learning": [({"train.optimizer": "nadam"}, "steps that do not depend on the gradient's size")],
    "non_finite": [({"train.optimizer": "nadam", "train.clip_norm": 1.0}, "bounded steps")],
    "batch_size_problem": [({"train.batch_size": 64}, "enough updates, each of more than a few rows")],
    "unscaled_inputs": [({"features.scale": "robust"}, "one scale that outliers do not set")],
}


def settings_for(findings: Sequence[Finding], more: More = _MORE) -> Iterator[Change]:
    """Propose each finding's own remedies and those that go together, in turn.

    Args:
        findings: what is to be mended; where no figure of these rows can prove a cure, nothing is proposed.
        more: settings that go together, by a finding's code.

    >>> from wellfit.findings import Remedy
    >>> remedy = Remedy(path="train.clip_norm", value=1.0, why="bounds a step")
    >>> found = Finding(code="exploding_gradient", severity="error", message="m", remedies=(remedy,))
    >>> [change.what for change in settings_for([found])]
    ['train.clip_norm=1.0', 'train.clip_norm=1.0, model.norm=batch']
    """
    queues = [list(_of_finding(finding, more)) for finding in findings if finding.code not in UNPROVABLE]
    while any(queues):
        for queue in queues:
            if queue:
                yield queue.pop(0)


def _of_finding(finding: Finding, more: More) -> Iterator[Change]:
    for remedy in finding.remedies:
        if remedy.path.startswith(_SECTIONS) and remedy.path != "model.members":
            yield change_of({remedy.path: remedy.value}, remedy.why)
    for values, why in more.get(finding.code, ()):
        yield change_of(values, why)


def change_of(settings: Mapping[str, Any], why: str) -> Change:
    """Give settings that go together as one change.

    >>> change_of({"members.model.dropout": 0.3, "members.train.optimizer.lr": Times(3)}, "").what
    'dropout=0.3 of every network, train.optimizer.lr x 3 of every network'
    """
    values, what = dict(settings), ", ".join(_said(path, value) for path, value in settings.items())
    if "model.activation" in values and "model.init" not in values:
        # A saved config names the init that suited the former activation.
        values["model.init"] = "auto"
    if "train.metric" in values and "train.threshold" not in values:
        # And the threshold that suited the former metric.
        values["train.threshold"] = "auto"
    # Weights and a threshold are two ways to one end: together they overshoot.
    family = "classes" if {"train.class_weight", "train.metric"} & set(values) else next(iter(values))
    return Change(family=family, what=what, why=why, options=values)


def _said(path: str, value: Any) -> str:
    name = path.removeprefix(EVERY).removeprefix("model.") if path.startswith(EVERY) else path
    said = f"{name} {value}" if isinstance(value, Times) else f"{name}={setting(value)}"
    return f"{said} of every network" if name != path else said


def standard_settings() -> Iterator[Change]:
    """Give the last resort: the settings that a new run starts from, whatever this one was told."""
    defaults = Config()
    kept = ("schedule", "early_stopping", "clip_norm", "l1", "l2", "weight_decay", "epochs")
    values: dict[str, Any] = {
        "model": "mlp",
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
            yield change_of({"train.optimizer.lr": value}, "a rate nearer to what suits")
