"""Bags of networks, cross-validated and blended, within a time that is settled before training."""

from wellfit.bagging.ensemble import EnsembleExperiment
from wellfit.bagging.pace import paced
from wellfit.bagging.recipes import ARCHITECTURES, architectures_of, as_set, epochs_of, member_of
from wellfit.bagging.single import of_one_network
from wellfit.bagging.stage import alike

__all__ = [
    "ARCHITECTURES",
    "EnsembleExperiment",
    "alike",
    "architectures_of",
    "as_set",
    "epochs_of",
    "member_of",
    "of_one_network",
    "paced",
]
