"""The encoders that ``features.encode`` names."""

from __future__ import annotations

from wellfit.data.features.encoders import embedding, onehot, ordinal
from wellfit.data.features.encoders.encoder import Encoder, Levels
from wellfit.registry import Entry, Family

__all__ = ["ENCODERS", "Encoder", "Levels"]

ENCODERS: Family[Entry] = Family("encoders", "encoder", [embedding.ENTRY, onehot.ENTRY, ordinal.ENTRY])
