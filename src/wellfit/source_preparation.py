"""From a source to rows that a network can read, whatever the source holds: a table or images."""

from __future__ import annotations

from typing import Any

from wellfit.config import Config
from wellfit.data.sources import SOURCES, located
from wellfit.data.sources.images.recognition import PREFIX
from wellfit.image_preparation import prepare_images
from wellfit.preparation import ImagesGiven, prepare
from wellfit.preparation_settings import source_of
from wellfit.prepared import Prepared

__all__ = ["are_images", "prepare_source"]


def prepare_source(config: Config, data: Any = None) -> Prepared:
    """Read, split, and learn the plans on the training rows, of a table or of images; nothing is trained.

    Only reading tells which of them a source holds.

    Raises:
        BadInput: settings or data that can't be used.

    >>> from wellfit.config import from_mapping
    >>> rows = {"x": list(range(9)), "y": ["a", "b", "c"] * 3}
    >>> prepare_source(from_mapping({"data": {"target": "y"}, "model": "mlp"}), rows).rows["read"]
    9
    """
    try:
        return prepare(config, data)
    except ImagesGiven as given:
        return prepare_images(config, given.table, data)


def are_images(config: Config, data: Any = None) -> bool:
    """Tell by names alone whether a source holds images; of one far away that is known only where it was told.

    >>> from wellfit.config import from_mapping
    >>> are_images(from_mapping({"data": {"source": "images:https://example.org/pets.zip"}}))
    True
    """
    given = source_of(config, data)
    if isinstance(given, str) and given.startswith(PREFIX):
        return True
    return SOURCES["images"].matches(located(given))
