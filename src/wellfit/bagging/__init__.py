"""Bags of networks, cross-validated and blended, within a time that is settled before training."""

from wellfit.bagging.ensemble import EnsembleExperiment, single_network

__all__ = ["EnsembleExperiment", "single_network"]
