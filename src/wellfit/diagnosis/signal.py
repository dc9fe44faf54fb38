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
    """Give the figures where nobody beats a constant guess on rows that were not fitted; else None.

    The network is judged on validation rows, the baselines there and on training rows, each half guessed from the
    other. Of classes the figure is the area under the ROC curve: 0.5 of a guess that knows nothing, however the
    classes are dealt, and above it where the odds tell of a class that no answer names.
    """
    name = _figure(case)
    constant = case.baseline("constant")[0].get(name)
    if not case.valid or constant is None or name not in case.valid or name not in case.train:
        return None
    if _beats(case.valid[name], constant) or case.learnt_odds("valid", sure=_SURE):
        return None
    tried: dict[str, Figure] = {}
    for kind in KINDS:
        figures = [case.baseline(kind, part)[0].get(name) for part in ("valid", "train")]
        known = [figure for figure in figures if figure is not None]
        if len(known) < 2 or any(_beats(figure, constant) for figure in known) or _may_hide(known, constant):
            return None
        if name == "balanced_accuracy" and _mostly_one(case) and _one_answer(case, kind):
            return None
        tried[kind] = known[0]
    answers = "balanced_accuracy" if case.task == "classification" else name
    lead = case.baseline("constant", "train")[1].get(answers)
    memorised = lead is not None and lead.high < 0
    return NoSignal(name, constant, case.valid[name], case.train[name], tried, memorised)


def _figure(case: FitEvidence) -> str:
    """Give the figure that is judged: of classes that are not ranked, as in a history of long ago, the answers'."""
    if case.task != "classification":
        return case.main
    return "auc" if "auc" in case.valid else "balanced_accuracy"


_ANSWERED = 0.05
"""Recall below which a class is hardly ever the answer."""


_MOSTLY = 0.85
"""Share of the most frequent class from which on another is the answer only where its odds are six times as good as
usual: a clear signal may show in the odds of all rows and in the answer of none."""


def _mostly_one(case: FitEvidence) -> bool:
    accuracy = case.baseline("constant")[0].get("accuracy")
    return accuracy is not None and accuracy.value >= _MOSTLY


def _one_answer(case: FitEvidence, kind: str) -> bool:
    """Whether a learner gives one class for next to all rows: of a rare class's odds its answers then tell nothing.

    >>> from wellfit.history import History
    >>> few = {"recall": [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]}
    >>> _one_answer(FitEvidence(History({"appraisal": {"linear": few}})), "linear")
    True
    """
    recalls = [Figure.of(given) for given in (case.record.get(kind) or {}).get("recall") or []]
    return len(recalls) > 1 and sum(recall is not None and recall.value >= _ANSWERED for recall in recalls) <= 1


_HIDDEN = 0.2
"""Share of what there is to learn that may be hidden in the chance of few rows: of more, no lack of it is shown."""


def _may_hide(figures: list[Figure], constant: Figure) -> bool:
    """Whether even the surest of the figures leaves room for a notable signal."""
    return min(figure.high for figure in figures) > constant.value + _HIDDEN * (1 - constant.value)


_SURE = 1.4
"""Half-widths of a 95 % interval that a figure must be above a constant guess: 1 in 300 by chance, since six figures
are compared and any of them ends the suspicion."""


def _beats(figure: Figure, constant: Figure) -> bool:
    """Whether a figure is above a constant guess's by more than chance."""
    return figure.value - constant.value > _SURE * (figure.value - figure.low)
