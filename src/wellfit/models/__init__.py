"""Architectures: one a file, one line here."""

from wellfit.models import convnet, ensemble, linear, linear_pixels, mlp, modernnca, pretrained, realmlp, resnet, tabm
from wellfit.models.entry import ModelEntry, Occasion, TableInputs
from wellfit.models.image_inputs import ImageInputs
from wellfit.models.members import Members
from wellfit.registry import Family

__all__ = ["MODELS", "ImageInputs", "Members", "ModelEntry", "Occasion", "TableInputs"]

MODELS: Family[ModelEntry] = Family(
    "models",
    "model",
    [
        mlp.ENTRY,
        realmlp.ENTRY,
        tabm.ENTRY,
        modernnca.ENTRY,
        linear.ENTRY,
        ensemble.ENTRY,
        convnet.ENTRY,
        linear_pixels.ENTRY,
        *resnet.ENTRIES,
        *pretrained.ENTRIES,
    ],
)
