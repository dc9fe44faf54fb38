"""Whether anything at all can be learnt of the labels: by the network, by a linear model, by a quick learner."""

from __future__ import annotations

from typing import NamedTuple

from wellfit.diagnosis.fit_evidence import KINDS, Figure, FitEvidence

__all__ = ["NoSignal", "no_signal"]


class NoSignal(NamedTuple):
    """That nothing was learnt that holds on other rows, and by whom it was tried."""

    figure: str
    constant: Figure
    network: Figure
    train: Figure
    tried: dict[str, Figure]
    memorised: bool
    """Whether the network fits its training rows better than a constant guess does."""


def no_signal(case: FitEvidence) -> NoSignal | None:
    """Give the figures where neither the network nor a baseline beats a constant guess on validation rows; else None.

    Of classes the figure is the balanced accuracy too: whoever tells a rare class apart has found a signal.
    """
    constant, leads = case.baseline("constant")
    names = ("accuracy", "balanced_accuracy") if case.task == "classification" else (case.main,)
    if not case.valid or any(name not in constant or name not in case.valid for name in names):
        return None
    tried: dict[str, Figure] = {}
    for kind in KINDS:
        figures, _ = case.baseline(kind)
        if case.main not in figures:
            return None
        tried[kind] = figures[case.main]
        if any(_beats(figures[name], constant[name]) for name in names):
            return None
    if any(_beats(case.valid[name], constant[name]) for name in names) or _lower(leads.get("loss")):
        return None
    train_leads = case.baseline("constant", "train")[1]
    memorised = train_leads.get(case.main, leads[case.main]).high < 0
    return NoSignal(case.main, constant[case.main], case.valid[case.main], case.train[case.main], tried, memorised)


_SURE = 1.4
"""Half-widths of a 95 % interval that a figure must be above a constant guess: 1 in 300 by chance, since up to six
figures are compared and any of them ends the suspicion."""


def _lower(lead: Figure | None) -> bool:
    """Whether the network's loss is below the best constant output's by more than chance: it knows of odds at least."""
    return lead is not None and lead.value > _SURE * (lead.value - lead.low)


def _beats(figure: Figure, constant: Figure) -> bool:
    """Whether a figure is above a constant guess's by more than chance."""
    return figure.value - constant.value > _SURE * (figure.value - figure.low)
