"""What the paths of images say: the class and the split of each.

A folder per class is what torchvision's ImageFolder and Keras' image_dataset_from_directory read; above them may stand
folders of splits (``train``, ``valid``, ``test``), and above all one folder that says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = ["SUFFIXES", "Place", "is_image", "places_of"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """One image's file, and what its path says."""

    file: str
    label: str | None
    """The class' folder; None where the image lies in none."""
    split: str | None
    """``train``, ``valid`` or ``test``; None where there are no such folders."""


def is_image(name: str) -> bool:
    """Tell an image by its name."""
    return name.lower().endswith(SUFFIXES)


def places_of(names: Iterable[str]) -> list[Place]:
    """Read the paths of images.

    >>> [place.label for place in places_of(["pets/train/cat/1.png", "pets/test/dog/2.png"])]
    ['cat', 'dog']
    """
    files = list(names)
    folders = [PurePosixPath(name).parts[:-1] for name in files]
    depth = _shared(folders)
    folders = [parts[depth:] for parts in folders]
    has_splits = bool(folders) and all(parts and parts[0].lower() in _SPLITS for parts in folders)
    return [_place(file, parts, has_splits) for file, parts in zip(files, folders, strict=True)]


def _shared(folders: list[tuple[str, ...]]) -> int:
    """Count the folders that all images lie in and that are neither a split nor the only class."""
    depth = 0
    while folders and all(len(parts) > depth + 1 and parts[depth] == folders[0][depth] for parts in folders):
        if folders[0][depth].lower() in _SPLITS:
            break
        depth += 1
    return depth


def _place(file: str, parts: tuple[str, ...], has_splits: bool) -> Place:
    split = _SPLITS[parts[0].lower()] if has_splits else None
    rest = parts[1:] if has_splits else parts
    return Place(file=file, label=rest[0] if rest else None, split=split)
