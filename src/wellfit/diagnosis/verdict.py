"""The verdict on a fit: good, over, under, or none at all; each with the numbers it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from wellfit.diagnosis.fit_evidence import Figures, FitEvidence, figures_of
from wellfit.diagnosis.overfit_rules import overfitting, rise_of
from wellfit.diagnosis.praise import praise
from wellfit.diagnosis.underfit_rules import not_learning, underfitting
from wellfit.history import History

__all__ = ["Verdict", "VerdictName", "judge", "numbers", "unlearnt"]

VerdictName = Literal["good_fit", "overfitting", "underfitting", "not_learning"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How well a network fits, judged on rows that it was trained on and on rows that it was not.

    >>> verdict = Verdict(verdict="good_fit", main="accuracy", reasons=("It is as good as the baselines.",))
    >>> print(verdict)
    good fit: It is as good as the baselines.
    >>> Verdict.from_dict(verdict.as_dict()) == verdict
    True
    """

    verdict: VerdictName
    main: str
    """The figure that is judged: ``accuracy``, ``r2`` or ``loss``."""
    train: Figures = field(default_factory=dict)
    valid: Figures = field(default_factory=dict)
    """Empty without validation rows."""
    gap: Figures = field(default_factory=dict)
    """Training less validation, of each figure."""
    best_epoch: int | None = None
    """The epoch of the least validation loss, counted from 1."""
    baselines: Mapping[str, Figures] = field(default_factory=dict)
    """What a ``constant`` guess, a ``linear`` model and a quick learner (``reference``) reach on the same rows."""
    reasons: tuple[str, ...] = ()
    """Sentences with the numbers."""
    learning_curve: Mapping[str, Any] | None = None
    """What more rows would bring, where that was measured."""

    def as_dict(self) -> dict[str, Any]:
        """Give the verdict as JSON holds it."""
        return {
            "verdict": self.verdict,
            "main": self.main,
            "train": _listed(self.train),
            "valid": _listed(self.valid),
            "gap": _listed(self.gap),
            "best_epoch": self.best_epoch,
            "baselines": {name: _listed(figures) for name, figures in self.baselines.items()},
            "reasons": list(self.reasons),
            "learning_curve": None if self.learning_curve is None else dict(self.learning_curve),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Verdict:
        """Read a verdict back from what `as_dict` gave."""
        figures = {name: figures_of(record[name]) for name in ("train", "valid", "gap")}
        baselines = {name: figures_of(given) for name, given in record["baselines"].items()}
        known = {**record, **figures, "baselines": baselines, "reasons": tuple(record["reasons"])}
        return cls(**known)

    def __str__(self) -> str:
        return f"{self.verdict.replace('_', ' ')}: {' '.join(self.reasons)}".strip(": ")


def _listed(figures: Figures) -> dict[str, list[float]]:
    return {name: list(figure) for name, figure in figures.items()}


def judge(history: History) -> Verdict | None:
    """Give the verdict on a training, live or saved; None where the history holds no evidence of it, or one target.

    In this order: *not learning* where training rows are fitted no better than by a constant guess; *overfitting* where
    the validation loss rose again and the kept weights are of after that, where the network is behind a baseline on
    validation rows and not on training rows, or where most of what it learnt is not there; *underfitting* where it is
    behind a baseline on both, or its loss is above a constant guess's on both; else *good fit*: a noisy task that no
    one does better on is fitted well. Without an appraisal only a loss that rose again tells.

    >>> judge(History()) is None
    True
    """
    case = FitEvidence(history)
    if case.one_target:
        return None
    if not case.train:
        return _of_curves(case)
    for name, rule in _RULES:
        reasons = rule(case)
        if reasons:
            return _verdict(case, name, reasons)
    return _verdict(case, "good_fit", praise(case)) if case.valid else None


def _of_curves(case: FitEvidence) -> Verdict | None:
    """Judge by the losses of the epochs alone: that they rose again is all they tell for sure."""
    rise = rise_of(case)
    if rise is None or case.kept_best or len(case.train_loss) != len(case.valid_loss):
        return None
    falls = case.train_loss[-1] < case.train_loss[rise.epoch - 1] and case.train_loss[-1] < case.valid_loss[-1]
    # Without an interval, what the loss does from one epoch to the next is the measure of chance.
    chance = 2 * float(np.abs(np.diff(case.valid_loss)).mean())
    return _verdict(case, "overfitting", [rise.sentence(case)]) if falls and rise.rise > chance else None


def _verdict(case: FitEvidence, name: VerdictName, reasons: Sequence[str]) -> Verdict:
    baselines = {kind: case.baseline(kind)[0] for kind in ("constant", "linear", "reference")}
    return Verdict(
        verdict=name,
        main=case.main,
        train=case.train,
        valid=case.valid,
        gap=case.gap,
        best_epoch=case.best_epoch,
        baselines={kind: figures for kind, figures in baselines.items() if figures},
        reasons=(*reasons, *_beside(case)),
    )


_RULES: tuple[tuple[VerdictName, Callable[[FitEvidence], list[str]]], ...] = (
    ("not_learning", not_learning),
    ("overfitting", overfitting),
    ("underfitting", underfitting),
)


def _beside(case: FitEvidence) -> Iterator[str]:
    """Say what else is told of a run that reads like the same figure and is another."""
    if case.threshold is not None and case.task == "classification":
        yield (
            "These figures take the likelier class for the answer; the run answers with the second class from a "
            f"probability of {case.threshold:.3g} on."
        )
    if case.kept_epoch is not None and case.best_epoch not in (None, case.kept_epoch):
        yield (
            f"Epoch {case.kept_epoch} is kept, the best by what the run goes by; epoch {case.best_epoch} has the least "
            "validation loss."
        )


def unlearnt(history: History) -> list[str]:
    """Give the reasons to say that training rows can be fitted better than the network does."""
    case = FitEvidence(history)
    return underfitting(case) if case.train else []


def numbers(verdict: Verdict) -> dict[str, float]:
    """Give the numbers of a verdict as a finding's evidence holds them."""
    said = {
        f"{part}_{name}": figure.value
        for part, figures in (("train", verdict.train), ("valid", verdict.valid))
        for name, figure in figures.items()
        if name in ("loss", verdict.main)
    }
    reached = {
        kind: figures[verdict.main].value for kind, figures in verdict.baselines.items() if verdict.main in figures
    }
    return {**said, **reached}
