"""A history read as evidence: curves, probes and facts, each computed once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from wellfit.diagnosis.fit_evidence import KINDS, FitEvidence
from wellfit.diagnosis.verdict import Verdict, judge
from wellfit.history import History

__all__ = ["Evidence", "Layer"]

Curve = np.ndarray[Any, np.dtype[np.float64]]
_EMPTY = np.array([], dtype=np.float64)


class Layer:
    """One linear, convolutional or recurrent layer, in the order in which a forward pass runs them."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.kind: str = facts["kind"]
        self.where: str = facts["where"]
        self.units: int = int(facts.get("units", 0))
        self.facts = facts

    def __repr__(self) -> str:
        return f"Layer({self.where!r}, {self.kind})"


class Evidence:
    """What the checks look at: a view of a `History` that a training or a `Monitor` wrote.

    Anything may be missing, as in a history of another's loop: a check without evidence is silent.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.meta: Mapping[str, Any] = history.meta

    @cached_property
    def _series(self) -> dict[tuple[str, str], tuple[list[int], list[int], list[float]]]:
        found: dict[tuple[str, str], tuple[list[int], list[int], list[float]]] = {}
        for step, epoch, name, where, value in self.history.rows():
            steps, epochs, values = found.setdefault((name, where), ([], [], []))
            steps.append(step)
            epochs.append(epoch)
            values.append(value)
        return found

    def curve(self, name: str, where: str = "") -> Curve:
        """Give all values of a figure at a place, in order."""
        found = self._series.get((name, where))
        return _EMPTY if found is None else np.array(found[2], dtype=np.float64)

    def steps(self, name: str, where: str = "") -> Curve:
        """Give the steps at which a figure was recorded."""
        found = self._series.get((name, where))
        return _EMPTY if found is None else np.array(found[0], dtype=np.float64)

    def first(self, name: str, where: str = "") -> float | None:
        """Give the first value of a figure."""
        values = self.curve(name, where)
        return float(values[0]) if len(values) else None

    def last(self, name: str, where: str = "") -> float | None:
        """Give the last value of a figure."""
        values = self.curve(name, where)
        return float(values[-1]) if len(values) else None

    @cached_property
    def _places(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, where in self._series:
            found.setdefault(name, []).append(where)
        return found

    def places(self, name: str) -> list[str]:
        """Give the places at which a figure was recorded, in the order of a forward pass."""
        return self._places.get(name, [])

    def lasts(self, name: str) -> dict[str, float]:
        """Give the last value of a figure at every place."""
        return {where: self._series[name, where][2][-1] for where in self.places(name)}

    def firsts(self, name: str) -> dict[str, float]:
        """Give the first value of a figure at every place."""
        return {where: self._series[name, where][2][0] for where in self.places(name)}

    @cached_property
    def operations(self) -> list[Mapping[str, Any]]:
        """What a forward pass runs, in order; empty where it was not looked into."""
        return list(self.meta.get("operations") or [])

    @cached_property
    def layers(self) -> list[Layer]:
        """The layers with weights, in order."""
        kinds = ("linear", "conv", "rnn", "gru", "lstm")
        return [Layer(facts) for facts in self.operations if facts["kind"] in kinds]

    @property
    def last_operation(self) -> str:
        """The kind of operation that made the output; empty where it is not known."""
        return str(self.meta.get("last_operation") or "")

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of the training."""
        return self.meta.get("settings") or {}

    @property
    def data(self) -> Mapping[str, Any]:
        """Facts about inputs and target."""
        return self.meta.get("data") or {}

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Facts about the first floating-point input."""
        return self.data.get("inputs") or {}

    @property
    def target(self) -> Mapping[str, Any]:
        """Facts about the target."""
        return self.data.get("target") or {}

    @property
    def loss(self) -> Mapping[str, Any]:
        """What the loss takes."""
        return self.meta.get("loss") or {}

    @property
    def classification(self) -> bool:
        """Whether the target is classes."""
        return bool(self.target.get("kind") == "classes")

    @property
    def total_steps(self) -> int:
        """Updates made."""
        found = self.meta.get("steps")
        if found is not None:
            return int(found)
        steps = self.steps("train_loss")
        return int(steps[-1]) if len(steps) else 0

    @property
    def cut_short(self) -> bool:
        """Whether a time limit or a number of updates ended the training before its epochs were over."""
        return self.fit.cut_short

    @property
    def stopped_at(self) -> Mapping[str, Any] | None:
        """Where a gradient that is not finite stopped the training: ``step``, ``where``, ``count``; else None."""
        return self.meta.get("non_finite") or None

    @cached_property
    def fit(self) -> FitEvidence:
        """The figures of the training's end, beside its baselines."""
        return FitEvidence(self.history)

    @cached_property
    def verdict(self) -> Verdict | None:
        """The verdict on the fit; None where nothing was appraised."""
        return judge(self.history)

    @cached_property
    def constant_loss(self) -> float | None:
        """The loss of the best constant output on training rows."""
        found = self.fit.baseline("constant", "train")[0].get("loss")
        return None if found is None else found.value

    @cached_property
    def progress(self) -> float | None:
        """Share of the way from the first loss to the best possible one that training went, at most 1."""
        losses = self.curve("batch_loss")
        if not len(losses):
            losses = self.curve("train_loss")
        if len(losses) < 2:
            return None
        start = self.first("probe_loss")
        start = float(losses[0]) if start is None else start
        best = float(self.loss.get("best", 0.0) or 0.0)
        end = float(np.nanmean(losses[-max(1, len(losses) // 10) :]))
        return (start - end) / (start - best) if start > best else 0.0

    @cached_property
    def poor(self) -> bool:
        """Whether the outcome is bad enough for a symptom to be called a fault.

        Small gradients at convergence, silent units in a wide network and large steps that work are healthy: the
        published tools that alarm on them alarm on 36 to 91 % of healthy runs.
        """
        if self.stopped_at is not None:
            return True
        # A training that went on from weights that fit makes no progress, and has none to make: figures come first.
        if self.verdict is None and not self.fit.appraised:
            return self.progress is not None and self.progress < HARDLY
        leads = [self.fit.ahead(kind) for kind in KINDS]
        behind = any(lead is not None and lead.share >= BEHIND_BY for lead in leads)
        # Many answers may be right and the odds still worse than none: the loss is what training lowers.
        wild = self.fit.worse_than_constant(self.fit.scored)
        unfit = self.verdict is not None and self.verdict.verdict in ("not_learning", "underfitting")
        return behind or wild or unfit


BEHIND_BY = 0.1
"""Share of what a baseline reaches beyond a constant guess, by which a network is behind it on validation rows."""
HARDLY = 0.05
"""Share of the first loss below which next to nothing was learnt, where there are no baselines to compare with."""
