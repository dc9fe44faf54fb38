"""NumPy archives of images and labels, such as Keras' ``mnist.npz`` and MedMNIST's; pickles are refused."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wellfit.data.sources.images.arrays import as_pictures
from wellfit.data.sources.images.parts import Part
from wellfit.errors import DataError

__all__ = ["read_npz"]

_MOST_BYTES = 1 << 35
_IMAGES = re.compile(r"(x|images?|data|arr_0)", re.IGNORECASE)
_LABELS = re.compile(r"(y|labels?|targets?|arr_1)", re.IGNORECASE)
_SPLITS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "test": "test",
}


def read_npz(path: Path) -> list[Part]:
    """Read pairs of arrays: ``x_train`` and ``y_train``, ``train_images`` and ``train_labels``, ``images``, ``labels``.

    Raises:
        DataError: the file is damaged, holds objects, or no array of images.
    """
    shapes = _shapes(path)
    chosen: dict[str | None, dict[str, str]] = {}
    for name in shapes:
        split, kind = _role(name)
        if kind:
            chosen.setdefault(split, {}).setdefault(kind, name)
    pairs = {split: names for split, names in chosen.items() if "images" in names}
    if not pairs:
        do = "Call them images and labels, or x_train, y_train, x_test and y_test."
        raise DataError("There are no images in the archive.", got=list(shapes), do=do)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return [_part(archive, split, names) for split, names in pairs.items()]
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise error if isinstance(error, DataError) else _damaged(path) from None


def _part(archive: Any, split: str | None, names: Mapping[str, str]) -> Part:
    images = as_pictures(archive[names["images"]], names["images"])
    labels = archive[names["labels"]] if "labels" in names else None
    if labels is not None:
        labels = labels.argmax(1) if labels.ndim == 2 and labels.shape[1] > 1 else labels.reshape(-1)
        if len(labels) != len(images):
            got = f"{len(labels):,} labels and {len(images):,} images"
            raise DataError(f"'{names['images']}' needs one label for each image.", got=got, do="Save them anew.")
    return Part(images=images, labels=labels, split=split, source=names["images"])


def _role(name: str) -> tuple[str | None, str]:
    """Tell from a name which split it is of and whether it holds images or labels."""
    pieces = name.split("_") if not name.startswith("arr_") else [name]
    split = next((_SPLITS[piece.lower()] for piece in pieces if piece.lower() in _SPLITS), None)
    rest = "_".join(piece for piece in pieces if piece.lower() not in _SPLITS)
    return split, "images" if _IMAGES.fullmatch(rest) else "labels" if _LABELS.fullmatch(rest) else ""


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read names and shapes without the data: nothing is allocated that is larger than it may be."""
    shapes = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    version = np.lib.format.read_magic(file)
                    head = (
                        np.lib.format.read_array_header_1_0
                        if version == (1, 0)
                        else np.lib.format.read_array_header_2_0
                    )
                    shape, _, kind = head(file)
                if kind.hasobject:
                    do = "Save plain arrays: np.savez(path, images=..., labels=...)."
                    raise DataError("The archive holds pickled objects, which are never opened.", got=name, do=do)
                if np.prod(shape, dtype=np.float64) * kind.itemsize > _MOST_BYTES:
                    raise DataError("An array in the archive is too large.", got=shape, do="Save it in parts.")
                shapes[name.removesuffix(".npy")] = shape
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise error if isinstance(error, DataError) else _damaged(path) from None
    return shapes


def _damaged(path: Path) -> DataError:
    return DataError("The NumPy archive is cut off or damaged.", got=str(path), do="Save it anew.")
