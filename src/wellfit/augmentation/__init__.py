"""Augmentations: training images changed anew in each epoch. One file each; `AUGMENTATIONS` looks them up by name.

They are applied in the order of the registry: what moves pixels first, what mixes images last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.augmentation import (
    crop,
    cutmix,
    cutout,
    flip,
    jitter,
    mixup,
    noise,
    rotate,
    translate,
    vertical_flip,
)
from wellfit.augmentation.augmentation import AugmentationEntry, Change, Mix
from wellfit.augmentation.draws import Draws
from wellfit.augmentation.pipeline import Augmented, Pipeline
from wellfit.registry import Family

__all__ = ["AUGMENTATIONS", "AugmentationEntry", "Augmented", "Change", "Draws", "Mix", "Pipeline", "pipeline_of"]

AUGMENTATIONS: Family[AugmentationEntry] = Family(
    "augmentations",
    "augmentation",
    [
        flip.ENTRY,
        vertical_flip.ENTRY,
        translate.ENTRY,
        rotate.ENTRY,
        crop.ENTRY,
        jitter.ENTRY,
        noise.ENTRY,
        cutout.ENTRY,
        mixup.ENTRY,
        cutmix.ENTRY,
    ],
)


def pipeline_of(chosen: Mapping[str, Any]) -> Pipeline:
    """Make the augmentations of a config: by name, ``True``, ``False``, the first option or a mapping of options.

    >>> pipeline_of({"flip": True, "translate": 2, "mixup": False}).mixes
    False
    """
    made: dict[bool, dict[str, Any]] = {False: {}, True: {}}
    for name, entry in AUGMENTATIONS.items():
        given = chosen.get(name, False)
        if given is not False and given is not None:
            made[entry.mixes][name] = entry.make(**entry.resolve(_options(entry, given)))
    return Pipeline(made[False], made[True])


def _options(entry: AugmentationEntry, given: Any) -> dict[str, Any]:
    if given is True:
        return {}
    return dict(given) if isinstance(given, Mapping) else {entry.first: given}
