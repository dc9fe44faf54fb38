"""Findings of a module of one's own: their remedies say what to do to it, and to the keywords of `wellfit.fit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from wellfit.findings import Finding, Remedy

__all__ = ["for_own_module"]

_LAYERS = {"relu": "nn.ReLU", "leaky_relu": "nn.LeakyReLU", "gelu": "nn.GELU"}
_INITS = {"he": "kaiming_normal_", "xavier": "xavier_uniform_", "orthogonal": "orthogonal_"}

_OF_MODULE: Mapping[str, Callable[[Any], str]] = {
    "activation": lambda value: f"{_LAYERS[value]}() between its layers",
    "dropout": lambda value: f"nn.Dropout({value:g}) after its hidden layers" if value else "no dropout",
    "hidden": lambda value: f"hidden layers of {' and '.join(map(str, value))} units",
    "init": lambda value: f"weights from nn.init.{_INITS[value]}",
    "norm": lambda value: f"a {value} norm after its hidden layers",
    "residual": lambda value: "connections around its layers, x + layer(x)",
    "type": lambda value: f"nn.{value.upper()} for its recurrent layers",
}
"""What to do to a module, by the option of wellfit's own networks that does the same."""

_OTHERWISE: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "train.optimizer.lr": ("lr", lambda value: value),
    "train.optimizer.weight_decay": ("optimizer", lambda value: f"weight_decay={value:g}"),
    "train.schedule.name": ("schedule", lambda value: value),
    "train.class_weight": ("class_weight", lambda value: "one a class: all rows / (classes * rows of the class)"),
    "features.scale": ("inputs", lambda value: "standardised"),
    "clean.missing": ("inputs", lambda value: "filled where they are not finite"),
    "data.source": ("rows", lambda value: "each with its own label"),
    "data.target": ("target", lambda value: value),
}


def for_own_module(findings: Sequence[Finding]) -> list[Finding]:
    """Give findings with remedies that need no config: of a module, its rows, or the keywords of `wellfit.fit`.

    >>> dropout = Remedy(path="model.dropout", value=0.3, why="")
    >>> found = Finding(code="overfitting", severity="warning", message="m", remedies=(dropout,))
    >>> [(remedy.path, remedy.value) for remedy in for_own_module([found])[0].remedies]
    [('module', 'nn.Dropout(0.3) after its hidden layers')]
    """
    return [replace(finding, remedies=tuple(_said(remedy) for remedy in finding.remedies)) for finding in findings]


def _said(remedy: Remedy) -> Remedy:
    section, _, key = remedy.path.partition(".")
    if remedy.path in _OTHERWISE:
        path, value = _OTHERWISE[remedy.path]
        return replace(remedy, path=path, value=value(remedy.value))
    if section == "model":
        return replace(remedy, path="module", value=_OF_MODULE[key](remedy.value))
    return replace(remedy, path=key) if section == "train" else remedy
