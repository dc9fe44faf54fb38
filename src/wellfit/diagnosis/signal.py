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

    Of classes the figure is the balanced accuracy: of a guess that knows nothing it is one over their number, however
    the classes are dealt, and whoever tells a rare class apart is above it.
    """
    name = "balanced_accuracy" if case.task == "classification" else case.main
    constant, leads = case.baseline("constant")
    if not case.valid or name not in constant or name not in case.valid or name not in case.train:
        return None
    tried = {kind: figures[name] for kind in KINDS if name in (figures := case.baseline(kind)[0])}
    if len(tried) < len(KINDS) or any(_beats(figure, constant[name]) for figure in (*tried.values(), case.valid[name])):
        return None
    if _lower(leads.get("loss")):
        return None
    on_train, train_leads = case.baseline("constant", "train")
    memorised = name in on_train and train_leads[name].high < 0
    return NoSignal(name, constant[name], case.valid[name], case.train[name], tried, memorised)


_SURE = 1.4
"""Half-widths of a 95 % interval that a figure must be above a constant guess: 1 in 300 by chance, since four figures
are compared and any of them ends the suspicion."""


def _lower(lead: Figure | None) -> bool:
    """Whether the network's loss is below the best constant output's by more than chance: it knows of odds at least."""
    return lead is not None and lead.value > _SURE * (lead.value - lead.low)


def _beats(figure: Figure, constant: Figure) -> bool:
    """Whether a figure is above a constant guess's by more than chance."""
    return figure.value - constant.value > _SURE * (figure.value - figure.low)
