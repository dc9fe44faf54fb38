"""Architectures: one a file, one line here."""

from wellfit.models import mlp
from wellfit.models.entry import ModelEntry, TableInputs
from wellfit.registry import Family

__all__ = ["MODELS", "ModelEntry", "TableInputs"]

MODELS: Family[ModelEntry] = Family("models", "model", [mlp.ENTRY])
