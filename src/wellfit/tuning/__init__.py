"""Tuning: settings searched for on validation rows, the best proved and trained; `tune_run`."""

from wellfit.tuning.folder import is_study
from wellfit.tuning.procedure import resume_study, tune_run

__all__ = ["is_study", "resume_study", "tune_run"]
