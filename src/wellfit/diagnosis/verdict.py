"""The verdict on a fit: good, over, under, or none at all; each with the numbers it rests on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from wellfit.diagnosis.fit_evidence import KINDS, LESS_IS_BETTER, Figures, FitEvidence, figures_of
from wellfit.history import History

__all__ = ["Verdict", "VerdictName", "judge", "learnable", "numbers"]

VerdictName = Literal["good_fit", "overfitting", "underfitting", "not_learning"]

LOST = 0.15
"""Share of the progress that training made on the validation loss, from a constant guess down to its least, that is
lost again where it rose: less is lost and won back by chance and by overconfidence in a few rows."""
BEHIND = {"linear": 0.03, "reference": 0.125}
"""Share of what a baseline reaches beyond a constant guess that a network must be behind by to be called underfitted.
It has the linear model within it: what it is behind that by, for sure, is lost in training. The kernel model sees the
rows otherwise, and may do better on some tasks by nature: an eighth is more than another seed or width brings."""
BARELY = 0.1
"""Share of what a baseline reaches beyond a constant guess below which a network has learnt nothing of note."""
GAP = 0.1
"""Difference of accuracy or R2 between training and validation rows from which learning by heart costs something."""
STRONG = 0.05
"""Weight decay or penalty far above the 0.0001 to 0.01 of usual recipes: with it a smaller lead tells."""
FALLING = 0.02
"""Share of a training loss's whole fall that is notable in the last fifth of the epochs."""
WINDOW = 5
"""A curve's end and its least are read as means over a fifth of its epochs, up to this many."""


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
    """Give the verdict on a training, live or saved; None where the history holds no evidence of it.

    In this order: *not learning* where training rows are fitted no better than by a constant guess; *overfitting* where
    the validation loss rose again and the kept weights are of after that, or where the network is behind a baseline on
    validation rows and not on training rows; *underfitting* where it is behind a baseline on both; else *good fit*: a
    noisy task that no one does better on is fitted well. Without an appraisal only a loss that rose again tells.

    >>> judge(History()) is None
    True
    """
    case = FitEvidence(history)
    if not case.train:
        return _of_curves(case)
    for name, rule in _RULES:
        reasons = rule(case)
        if reasons:
            return _verdict(case, name, reasons)
    return _verdict(case, "good_fit", _praise(case)) if case.valid else None


def _of_curves(case: FitEvidence) -> Verdict | None:
    """Judge by the losses of the epochs alone: that they rose again is all they tell for sure."""
    rise = _rise(case)
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
        reasons=tuple(reasons),
    )


def _not_learning(case: FitEvidence) -> list[str]:
    figures, leads = case.baseline("constant", "train")
    own, constant = case.train.get(case.main), figures.get(case.main)
    if own is None:
        return [f"The {case.main} of the training rows is not a finite number."] if case.task != "other" else []
    if constant is None:
        return []
    if leads[case.main].high >= 0 and not case.learnt_odds("train"):
        return [
            f"On training rows its {case.main} is {own}, and {constant.value:.3g} is reached by a constant guess.",
            *_loss_sentence(case, figures),
        ]
    return _barely(case)


def _loss_sentence(case: FitEvidence, constant: Figures) -> list[str]:
    if "loss" not in case.train or "loss" not in constant:
        return []
    return [f"Its loss there is {case.train['loss']}, that of the best constant output {constant['loss'].value:.4g}."]


def _barely(case: FitEvidence) -> list[str]:
    """Whether next to nothing was learnt of what a baseline shows there is to learn."""
    for name in KINDS:
        lead = case.ahead(name)
        train, constant = case.train.get(case.main), case.baseline("constant", "train")[0].get(case.main)
        if lead is None or train is None or constant is None or lead.share < 1 - BARELY:
            continue
        if train.value - constant.value < BARELY * (lead.reached.value - constant.value):
            return [
                f"A {KINDS[name]} reaches a {lead.figure} of {lead.reached}, and the network a {case.main} of {train} "
                f"on the rows it was trained on; a constant guess {constant.value:.3g}."
            ]
    return []


def _overfitting(case: FitEvidence) -> list[str]:
    if not case.valid or _behind(case):
        return []
    return _risen(case) or _by_heart(case)


def _risen(case: FitEvidence) -> list[str]:
    """Whether the validation loss rose again by more than chance, and the kept weights are of after that."""
    rise, own, gap = _rise(case), case.valid.get("loss"), case.gap.get("loss")
    if rise is None or own is None or gap is None or gap.high >= 0 or case.kept_best:
        return []
    # The rise must be beyond what the choice of the validation rows does to the loss.
    return [rise.sentence(case)] if rise.rise > (own.high - own.low) / 4 else []


class _Rise(NamedTuple):
    """A validation loss that rose again."""

    epoch: int
    least: float
    last: float
    lost: float

    @property
    def rise(self) -> float:
        return self.last - self.least

    def sentence(self, case: FitEvidence) -> str:
        trained = case.train["loss"] if "loss" in case.train else f"{case.train_loss[-1]:.4g}"
        return (
            f"The validation loss fell to {self.least:.4g} by epoch {self.epoch} of {len(case.valid_loss)} and rose to "
            f"{self.last:.4g}, which lost {min(self.lost, 9.99):.0%} of the progress made; the training loss is "
            f"{trained}."
        )


def _rise(case: FitEvidence) -> _Rise | None:
    """Give the rise of the validation loss from its least to its end, both as means over a few epochs; else None."""
    curve = case.valid_loss
    if len(curve) < 3 or not np.isfinite(curve).all():
        return None
    width = max(1, min(WINDOW, len(curve) // 5))
    smooth = np.convolve(curve, np.full(width, 1 / width), mode="valid")
    least, last = float(smooth.min()), float(smooth[-1])
    constant = case.baseline("constant", "valid")[0].get("loss")
    start = float(curve[0]) if constant is None else constant.value
    lost = (last - least) / (start - least) if start > least else 0.0
    return _Rise(int(smooth.argmin()) + width, least, last, lost) if lost >= LOST else None


def _by_heart(case: FitEvidence) -> list[str]:
    """Whether training rows are fitted better than validation rows at the price of falling behind a baseline there."""
    gap = case.gap.get(case.main)
    if gap is None or gap.low <= 0 or gap.value < GAP or case.main in LESS_IS_BETTER:
        return []
    for name in KINDS:
        lead = case.ahead(name)
        if lead is not None and lead.share >= BEHIND[name] and case.train[case.main].value > lead.reached.value:
            return [
                f"On training rows its {case.main} is {case.train[case.main]}, on validation rows "
                f"{case.valid[case.main]}, where a {KINDS[name]} reaches {lead.reached}."
            ]
    figures, _ = case.baseline("constant")
    constant = figures.get(case.main)
    if constant is not None and case.valid[case.main].low <= constant.value:
        return [
            f"On training rows its {case.main} is {case.train[case.main]}, on validation rows {case.valid[case.main]}, "
            f"no better than a constant guess ({constant.value:.3g})."
        ]
    return []


def _underfitting(case: FitEvidence) -> list[str]:
    found = _behind(case) or _held_back(case)
    return [] if found is None else [*found, *_still_falling(case)]


def _behind(case: FitEvidence) -> list[str] | None:
    """Find a baseline that guesses unseen training rows better than the network does those it was trained on.

    It must be ahead on validation rows too: what is lost there alone is no lack of fit.
    """
    for name in KINDS:
        lead = case.ahead(name, "train")
        if lead is not None and lead.share >= BEHIND[name] and case.ahead(name) is not None:
            return [
                f"A {KINDS[name]} reaches a {lead.figure} of {lead.reached} on training rows that it was not fitted "
                f"to, {lead.lead} more than the network, which was."
            ]
    return None


def _held_back(case: FitEvidence) -> list[str] | None:
    """Whether a network under strong regularization is behind at all, on training rows too."""
    # AdamW's decay is taken off by the rate's share of it: 0.1 is usual there, and weak.
    names = ("l1", "l2") if case.settings.get("optimizer") == "AdamW" else ("l1", "l2", "weight_decay")
    strength = max(float(case.settings.get(name) or 0.0) for name in names)
    if strength < STRONG:
        return None
    for name in KINDS:
        lead = case.ahead(name)
        if lead is not None and case.train[case.main].value < lead.reached.value:
            return [
                f"Weights are held back by a regularization of {strength:g}; a {KINDS[name]} reaches a {lead.figure} "
                f"of {lead.reached} on {_PLACE[case.scored]} rows, {lead.lead} more than the network, whose "
                f"{case.main} on training rows is {case.train[case.main]}."
            ]
    return None


def _still_falling(case: FitEvidence) -> list[str]:
    """Say so where the training loss fell notably over the last fifth of the epochs."""
    curve = case.train_loss
    width = len(curve) // 5
    if width < 1 or not np.isfinite(curve).all():
        return []
    before, last = float(curve[-2 * width : -width].mean()), float(curve[-width:].mean())
    notable = before - last > FALLING * (float(curve[0]) - last) > 0
    return ["The training loss was still falling when training stopped."] if notable else []


_PLACE = {"valid": "validation", "train": "training"}

_RULES: tuple[tuple[VerdictName, Callable[[FitEvidence], list[str]]], ...] = (
    ("not_learning", _not_learning),
    ("overfitting", _overfitting),
    ("underfitting", _underfitting),
)


def _praise(case: FitEvidence) -> list[str]:
    own = case.valid.get(case.main)
    if own is None:
        return ["Training and validation loss give no cause for alarm."]
    gap = case.gap.get(case.main)
    reasons = [
        f"On validation rows its {case.main} is {own}" + (f", {gap} less than on training rows." if gap else ".")
    ]
    reached = {
        KINDS[name]: figures[case.main].value for name in KINDS if case.main in (figures := case.baseline(name)[0])
    }
    if reached:
        best = max(reached, key=lambda name: reached[name])
        reasons.append(f"No baseline is ahead by enough to matter: the best, a {best}, reaches {reached[best]:.3g}.")
    else:
        skipped = case.record.get("linear", {}).get("skipped")
        reasons += [f"No baseline was needed: {skipped}."] if skipped else []
    return reasons if math.isfinite(own.value) else reasons[:1]


def learnable(history: History) -> bool:
    """Whether a baseline shows that training rows can be fitted better than the network does."""
    case = FitEvidence(history)
    return bool(case.train) and (_behind(case) or _held_back(case)) is not None


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
