"""Remedies tried and proved: `treat` for a module of one's own."""

from wellfit.treatment.outcome import Treatment, TrialRow
from wellfit.treatment.treating import treat

__all__ = ["Treatment", "TrialRow", "treat"]
