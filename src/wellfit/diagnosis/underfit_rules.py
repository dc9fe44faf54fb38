"""When a network has learnt nothing, or less than the rows show there is: each rule gives its sentences, or none."""

from __future__ import annotations

import numpy as np

from wellfit.diagnosis.fit_evidence import KINDS, PLACE, Figures, FitEvidence, Lead, named
from wellfit.diagnosis.penalties import STRONG, strength

__all__ = ["BEHIND", "behind", "not_learning", "underfitting"]

BEHIND = {"linear": 0.03, "reference": 0.125}
"""Share of what a baseline reaches beyond a constant guess that a network must be behind by to be called underfitted.
It has the linear model within it: what it is behind that by, for sure, is lost in training. The kernel model sees the
rows otherwise, and may do better on some tasks by nature: an eighth is more than another seed or width brings."""
LIKELY = 0.5
"""Half-widths of a 95 % interval above 0: five in six. With training rows that show the same for sure, both are chance
once in 250 times; validation rows are fewer, and a few of them far out make any interval wide."""
BARELY = 0.1
"""Share of what a baseline reaches beyond a constant guess below which a network has learnt nothing of note."""
FALLING = 0.02
"""Share of a training loss's whole fall that is notable in the last fifth of the epochs."""


def not_learning(case: FitEvidence) -> list[str]:
    """Give the reasons to say that it does not learn."""
    figures, leads = case.baseline("constant", "train")
    own, constant = case.train.get(case.main), figures.get(case.main)
    if own is None:
        return [f"On training rows it has {named(case.main)} that is no finite number."] if case.task != "other" else []
    if constant is None:
        return []
    if leads[case.main].high >= 0 and not case.learnt_odds("train") and not _tells_classes(leads):
        return [
            f"On training rows it has {named(case.main)} of {own}, and a constant guess {constant.value:.3g}.",
            *_loss_sentence(case, figures),
            *_penalty_sentence(case),
            *_limit_sentence(case),
        ]
    found = _barely(case)
    return [*found, *_penalty_sentence(case), *_limit_sentence(case)] if found else []


def _tells_classes(leads: Figures) -> bool:
    """Whether it tells classes apart for sure, though it is right less often than a guess of the most frequent one.

    So it is where every class counts alike: what is found of a rare one costs many answers.
    """
    return "balanced_accuracy" in leads and leads["balanced_accuracy"].high < 0


def _loss_sentence(case: FitEvidence, constant: Figures) -> list[str]:
    if "loss" not in case.train or "loss" not in constant:
        return []
    return [f"Its loss there is {case.train['loss']}, that of the best constant output {constant['loss'].value:.4g}."]


def _penalty_sentence(case: FitEvidence) -> list[str]:
    found = strength(case.settings)
    return [f"A regularization of {found:g} holds its weights back."] if found >= STRONG else []


def _limit_sentence(case: FitEvidence) -> list[str]:
    """Say so where a limit ended the training."""
    if not case.cut_short:
        return []
    updates = f"{case.steps:,} update{'s' if case.steps != 1 else ''}"
    return [f"A limit of time or steps ended it after {updates}, before its epochs were over."]


def _barely(case: FitEvidence) -> list[str]:
    """Whether next to nothing was learnt of what a baseline shows there is to learn."""
    for name in KINDS:
        lead = case.ahead(name)
        train, constant = case.train.get(case.main), case.baseline("constant", "train")[0].get(case.main)
        if lead is None or train is None or constant is None or lead.share < 1 - BARELY:
            continue
        if train.value - constant.value < BARELY * (lead.reached.value - constant.value):
            own = "one" if lead.figure == case.main else named(case.main)
            return [
                f"A {KINDS[name]} reaches {named(lead.figure)} of {lead.reached}, and the network {own} of {train} "
                f"on the rows it was trained on; a constant guess {constant.value:.3g}."
            ]
    return []


def underfitting(case: FitEvidence) -> list[str]:
    """Give the reasons to call it underfitting."""
    found = behind(case) or _held_back(case) or _worse_odds(case)
    return [*found, *_still_falling(case), *_limit_sentence(case)] if found else []


def behind(case: FitEvidence) -> list[str]:
    """Find a baseline that guesses unseen training rows better than the network does those it was trained on.

    It must be ahead on validation rows too: what is lost there alone is no lack of fit.
    """
    for name in KINDS:
        lead = case.ahead(name, "train")
        if lead is not None and lead.share >= BEHIND[name] and _there_too(case, name):
            return [
                f"A {KINDS[name]} reaches {named(lead.figure)} of {lead.reached} on training rows that it was not "
                f"fitted to, {lead.lead} more than the network, which was."
            ]
    return []


def _there_too(case: FitEvidence, name: str) -> bool:
    """Whether a baseline is ahead on the rows that are scored: for sure, or likely and by as much as matters."""
    likely = case.ahead(name, sure=LIKELY)
    return case.ahead(name) is not None or (likely is not None and likely.share >= BEHIND[name])


def _held_back(case: FitEvidence) -> list[str]:
    """Whether a network under strong regularization is behind at all, on training rows too."""
    if strength(case.settings) < STRONG or case.main not in case.train:
        return []
    for name in KINDS:
        lead = case.ahead(name)
        if lead is not None and case.train[case.main].value < lead.reached.value:
            return [_held_back_by(case, lead)]
    return []


def _held_back_by(case: FitEvidence, lead: Lead) -> str:
    return (
        f"Weights are held back by a regularization of {strength(case.settings):g}; a {KINDS[lead.name]} reaches "
        f"{named(lead.figure)} of {lead.reached} on {PLACE[case.scored]} rows, {lead.lead} more than the network, "
        f"which has {named(case.main)} of {case.train[case.main]} on training rows."
    )


def _worse_odds(case: FitEvidence) -> list[str]:
    """Whether the very rows that were trained on cost more than a constant guess does, however many answers are right.

    The loss is what training lowers: one above a constant's can be lowered, whatever the rows.
    """
    if not case.worse_than_constant("train") or case.main not in case.train:
        return []
    constant = case.baseline("constant", "train")[0]["loss"]
    return [
        f"On training rows it has {named(case.main)} of {case.train[case.main]} and a loss of {case.train['loss']}, "
        f"where a constant guess has {constant}: its odds are worse than none."
    ]


def _still_falling(case: FitEvidence) -> list[str]:
    """Say so where the training loss fell notably over the last fifth of the epochs."""
    curve = case.train_loss
    width = len(curve) // 5
    if width < 1 or not np.isfinite(curve).all():
        return []
    before, last = float(curve[-2 * width : -width].mean()), float(curve[-width:].mean())
    notable = before - last > FALLING * (float(curve[0]) - last) > 0
    return ["The training loss was still falling when training stopped."] if notable else []
