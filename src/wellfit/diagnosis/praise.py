"""What is said of a good fit: what it reaches, and what the baselines can and can't tell of it."""

from __future__ import annotations

import math

from wellfit.diagnosis.fit_evidence import KINDS, FitEvidence, named
from wellfit.diagnosis.underfit_rules import BEHIND

__all__ = ["praise"]


def praise(case: FitEvidence) -> list[str]:
    """Give the sentences of a good fit."""
    own, train = case.valid.get(case.main), case.train.get(case.main)
    if own is None:
        return ["Training and validation loss give no cause for alarm."]
    beside = f", and of {train} on training rows" if train is not None else ""
    reasons = [f"On validation rows it has {named(case.main)} of {own}{beside}."]
    return [*reasons, *_beside(case)] if math.isfinite(own.value) else reasons


def _beside(case: FitEvidence) -> list[str]:
    reached = {name: figures[case.main] for name in KINDS if case.main in (figures := case.baseline(name)[0])}
    if not reached:
        skipped = case.record.get("linear", {}).get("skipped")
        return [f"No baseline was needed: {skipped}."] if skipped else []
    best = max(reached, key=lambda name: reached[name].value)
    says = f"the best, a {KINDS[best]}, reaches {reached[best].value:.3g}"
    lead, constant = case.baseline(best)[1].get(case.main), case.baseline("constant")[0].get(case.main)
    least = 0.0 if constant is None else BEHIND[best] * (reached[best].value - constant.value)
    if lead is None or lead.value < least or lead.value <= 0:
        return [f"No baseline is ahead by enough to matter: {says}."]
    if lead.low > 0:
        return [f"One baseline is ahead there, and not on training rows: {says}, {lead} more."]
    return [f"Whether a baseline is ahead these rows can't tell: {says}, {lead} more."]
