"""Typed columns to the matrix a network takes: filled, scaled and encoded by statistics of the training rows."""

from __future__ import annotations

from wellfit.data.features.encoders import ENCODERS
from wellfit.data.features.matrix import Matrix
from wellfit.data.features.plan import FeaturePlan
from wellfit.data.features.scalers import SCALERS
from wellfit.data.features.selectors import SELECTORS
from wellfit.data.features.targets import Targets
from wellfit.data.features.telling_words import telling_words
from wellfit.data.features.texts import TEXTS

__all__ = ["ENCODERS", "SCALERS", "SELECTORS", "TEXTS", "FeaturePlan", "Matrix", "Targets", "telling_words"]
