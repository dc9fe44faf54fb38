"""What tuning needs to know of images: which network reads them, what is settled once, what is worth trying."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from wellfit.config import Config
from wellfit.image_trials import augmentations_to_try, decided_for_search
from wellfit.models import MODELS
from wellfit.prepared import Prepared
from wellfit.prepared_images import PreparedImages
from wellfit.tuning.settings import is_left_open, setting_at

__all__ = ["Settled", "augmentations", "cells_of", "reads_images", "settled_once"]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What is the same in all trainings of a search, settled before the first."""

    values: dict[str, Any]
    """Settings by dotted key."""
    notes: tuple[str, ...] = ()
    """How they were found, in words."""


_SETTLED = ("train.augment", "train.epochs", "train.precision")
"""What short trainings and the machine decide of a training on images, where it was left open."""


def reads_images(config: Config) -> bool:
    """Tell whether a config's network reads images.

    >>> from wellfit.config import from_mapping
    >>> reads_images(from_mapping({"model": "convnet"}))
    True
    """
    return MODELS[setting_at(config, "model.type")].reads == "images"


def settled_once(prepared: Prepared, config: Config) -> Settled:
    """Settle by short trainings what each training would settle anew; of a table there is nothing.

    Args:
        prepared: the rows, as a training without a time limit takes them.
        config: as it was given, with its time limits.
    """
    if not isinstance(prepared, PreparedImages):
        return Settled(values={})
    limits = {"total": config.tune.time, "each": config.train.time}
    decided = decided_for_search(prepared, **limits)
    limited = any(limit is not None for limit in limits.values())
    keys = [key for key in _SETTLED if is_left_open(config, key) and (key != "train.epochs" or limited)]
    found = {key: setting_at(decided.config, key) for key in keys}
    return Settled(values=found, notes=decided.notes[len(prepared.notes) :])


def augmentations(prepared: Prepared, resolved: Config) -> list[dict[str, Any]]:
    """Give the augmentations worth trying, the config's own first; none for a table."""
    usual = setting_at(resolved, "train.augment")
    if not isinstance(prepared, PreparedImages) or isinstance(usual, str):
        return []
    return augmentations_to_try(prepared.inputs, usual)


def cells_of(prepared: Prepared) -> int:
    """Give training rows times columns, or times the numbers of an image."""
    rows = prepared.rows["train"]
    if isinstance(prepared, PreparedImages):
        return rows * math.prod(prepared.images.pixels.shape[1:])
    return rows * max(1, len(prepared.plan()["cleaning"]["columns"]))
