"""Checks that read a history, and the verdict on its fit: `diagnose`."""

from wellfit.diagnosis.diagnosing import diagnose
from wellfit.diagnosis.evidence import Evidence

__all__ = ["Evidence", "diagnose"]
