"""The encoders that ``features.encode`` names."""

from __future__ import annotations

from wellfit.data.features.encoders import embedding, frequency, onehot, ordinal, target
from wellfit.data.features.encoders.encoder import Encoder, Learned, Levels
from wellfit.registry import Entry, Family

__all__ = ["ENCODERS", "Encoder", "Learned", "Levels"]

ENCODERS: Family[Entry] = Family(
    "encoders", "encoder", [embedding.ENTRY, onehot.ENTRY, ordinal.ENTRY, frequency.ENTRY, target.ENTRY]
)
