"""Checks that read a history, and the verdict on its fit: `diagnose` and `judge`."""

from wellfit.diagnosis.diagnosing import diagnose
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.verdict import Verdict, judge

__all__ = ["Evidence", "Verdict", "diagnose", "judge"]
