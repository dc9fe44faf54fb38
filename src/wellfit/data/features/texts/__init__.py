"""The ways from free text to numbers that ``features.text`` names."""

from __future__ import annotations

from wellfit.data.features.texts import hashing, latent
from wellfit.data.features.texts.vectorizer import Vectorizer
from wellfit.registry import Entry, Family

__all__ = ["TEXTS", "Vectorizer"]

TEXTS: Family[Entry] = Family("texts", "text encoder", [hashing.ENTRY, latent.ENTRY])
