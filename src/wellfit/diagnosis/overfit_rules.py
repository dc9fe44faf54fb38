"""When a network has learnt its training rows by heart: each rule gives its sentences, none where it does not hold."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from wellfit.diagnosis.fit_evidence import KINDS, LESS_IS_BETTER, FitEvidence, named
from wellfit.diagnosis.underfit_rules import BEHIND, behind

__all__ = ["Rise", "overfitting", "rise_of"]

LOST = 0.15
"""Share of the progress that training made on the validation loss, from a constant guess down to its least, that is
lost again where it rose: less is lost and won back by chance and by overconfidence in a few rows."""
GAP = 0.1
"""Difference of accuracy or R2 between training and validation rows from which learning by heart costs something."""
MOST_LOST = 0.5
"""Share of what training rows show beyond a constant guess that validation rows lack for sure: more than half of what
was learnt is then of single rows."""
WINDOW = 5
"""A curve's end and its least are read as means over a fifth of its epochs, up to this many."""


def overfitting(case: FitEvidence) -> list[str]:
    """Give the reasons to call it overfitting."""
    if not case.valid or behind(case):
        return []
    for rule in (_risen, _behind_there, _no_better_there, _worse_odds, _mostly_lost):
        reasons = rule(case)
        if reasons:
            return reasons
    return []


class Rise(NamedTuple):
    """A validation loss that rose again."""

    epoch: int
    start: float
    least: float
    last: float

    @property
    def rise(self) -> float:
        """How much it rose."""
        return self.last - self.least

    @property
    def lost(self) -> float:
        """The share of the progress made that was lost; infinite where there was none."""
        return self.rise / (self.start - self.least) if self.start > self.least else math.inf

    def sentence(self, case: FitEvidence) -> str:
        """Say how it rose, and what was lost by it."""
        trained = case.train["loss"] if "loss" in case.train else f"{case.train_loss[-1]:.4g}"
        lost = f"lost {self.lost:.0%} of the progress made" if self.lost < 1 else "lost more than all progress made"
        if not math.isfinite(self.lost):
            lost = f"is above the {self.start:.4g} of a constant guess throughout"
        return (
            f"The validation loss fell to {self.least:.4g} by epoch {self.epoch} of {len(case.valid_loss)} and rose to "
            f"{self.last:.4g}, which {lost}; the training loss is {trained}."
        )


def rise_of(case: FitEvidence) -> Rise | None:
    """Give the rise of the validation loss from its least to its end, both as means over a few epochs; else None."""
    curve = case.valid_loss
    if len(curve) < 3 or not np.isfinite(curve).all():
        return None
    width = max(1, min(WINDOW, len(curve) // 5))
    smooth = np.convolve(curve, np.full(width, 1 / width), mode="valid")
    least, last = float(smooth.min()), float(smooth[-1])
    constant = case.baseline("constant", "valid")[0].get("loss")
    if last <= least or (constant is None and curve[0] <= least):
        return None
    found = Rise(int(smooth.argmin()) + width, float(curve[0]) if constant is None else constant.value, least, last)
    return found if found.lost >= LOST else None


def _risen(case: FitEvidence) -> list[str]:
    """Whether the validation loss rose again by more than chance, and the kept weights are of after that."""
    rise, own, gap = rise_of(case), case.valid.get("loss"), case.gap.get("loss")
    if rise is None or own is None or gap is None or gap.high >= 0 or case.kept_best:
        return []
    # The rise must be beyond what the choice of the validation rows does to the loss.
    return [rise.sentence(case)] if rise.rise > (own.high - own.low) / 4 else []


def _has_gap(case: FitEvidence) -> bool:
    """Whether training rows are fitted better than validation rows, for sure and notably."""
    gap = case.gap.get(case.main)
    return gap is not None and gap.low > 0 and gap.value >= GAP and case.main not in LESS_IS_BETTER


def _beside(case: FitEvidence) -> str:
    return (
        f"On training rows it has {named(case.main)} of {case.train[case.main]}, on validation rows "
        f"{case.valid[case.main]}"
    )


def _behind_there(case: FitEvidence) -> list[str]:
    """Whether it is behind a baseline on validation rows alone."""
    if not _has_gap(case):
        return []
    for name in KINDS:
        lead = case.ahead(name)
        if lead is not None and lead.share >= BEHIND[name] and case.train[case.main].value > lead.reached.value:
            return [f"{_beside(case)}, where a {KINDS[name]} reaches {lead.reached}."]
    return []


def _no_better_there(case: FitEvidence) -> list[str]:
    """Whether it is no better than a constant guess on validation rows, in the figure or in the loss."""
    if not _has_gap(case):
        return []
    figures, leads = case.baseline("constant", "valid")
    constant = figures.get(case.main)
    if constant is not None and case.valid[case.main].low <= constant.value:
        return [f"{_beside(case)}, no better for sure than a constant guess ({constant.value:.3g})."]
    if "loss" in leads and leads["loss"].value <= 0:
        return [f"{_beside(case)}, with a loss of {case.valid['loss']} where a constant guess has {figures['loss']}."]
    return []


def _worse_odds(case: FitEvidence) -> list[str]:
    """Whether validation rows cost more than a constant guess does, for sure, where training rows do not."""
    gap = case.gap.get("loss")
    if not case.worse_than_constant("valid") or gap is None or gap.high >= 0 or not case.learnt_odds("train"):
        return []
    constant = case.baseline("constant", "valid")[0]["loss"]
    return [
        f"The loss on training rows is {case.train['loss']}, on validation rows {case.valid['loss']}, where a constant "
        f"guess has {constant}: it is sure of what is wrong."
    ]


def _mostly_lost(case: FitEvidence) -> list[str]:
    """Whether more than half of what training rows show beyond a constant guess is not there on validation rows."""
    constant = case.baseline("constant", "train")[0].get(case.main)
    if not _has_gap(case) or constant is None:
        return []
    learnt = case.train[case.main].value - max(constant.value, 0.0)
    if case.gap[case.main].low <= MOST_LOST * learnt:
        return []
    return [f"{_beside(case)}: more than half of what it learnt beyond a constant guess is of single rows."]
