"""Architectures: one a file, one line here."""

from wellfit.models import ensemble, linear, mlp, realmlp
from wellfit.models.entry import ModelEntry, Occasion, TableInputs
from wellfit.models.members import Members
from wellfit.registry import Family

__all__ = ["MODELS", "Members", "ModelEntry", "Occasion", "TableInputs"]

MODELS: Family[ModelEntry] = Family("models", "model", [mlp.ENTRY, realmlp.ENTRY, linear.ENTRY, ensemble.ENTRY])
