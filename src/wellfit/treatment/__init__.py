"""Remedies tried and proved: `treat` for a module of one's own, `treat_run` for a run."""

from wellfit.treatment.outcome import Treatment, TrialRow
from wellfit.treatment.runs import train_and_treat, treat_config, treat_run
from wellfit.treatment.treating import treat

__all__ = ["Treatment", "TrialRow", "train_and_treat", "treat", "treat_config", "treat_run"]
