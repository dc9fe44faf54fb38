"""Checks that read a history, and the verdict on its fit: `diagnose` and `judge`."""

from wellfit.diagnosis.checks import CHECKS
from wellfit.diagnosis.diagnosing import diagnose, weighed
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.verdict import Verdict, judge

__all__ = ["CHECKS", "Evidence", "Verdict", "diagnose", "judge", "weighed"]
