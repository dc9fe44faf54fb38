"""Class folders that hold no image: a class that somebody meant to be there, and that no network can learn."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from wellfit.data.sources.images.layout import Place
from wellfit.findings import Finding

__all__ = ["empty_classes"]


def empty_classes(root: Path, places: Iterable[Place]) -> list[Finding]:
    """Say which folders beside the classes' own hold no image that can be decoded.

    Args:
        root: a folder; archives keep no empty ones.
        places: of the images that could be decoded.
    """
    if not root.is_dir():
        return []
    of_classes = {PurePosixPath(place.file).parent for place in places if place.label is not None}
    beside = {folder.parent for folder in of_classes if folder.parts}
    found = {folder for parent in beside for folder in _folders(root, parent)}
    used = {parent for folder in of_classes for parent in (folder, *folder.parents)}
    empty = sorted(str(folder) for folder in found - used)
    if not empty:
        return []
    many = f"{len(empty):,} class folders hold" if len(empty) > 1 else "1 class folder holds"
    message = f"{many} no image that can be decoded, such as '{empty[0]}': nothing is learnt of such a class."
    evidence: dict[str, float | int | str] = {"folders": len(empty), "example": empty[0]}
    return [Finding(code="empty_class", severity="warning", where="label", evidence=evidence, message=message)]


def _folders(root: Path, parent: PurePosixPath) -> list[PurePosixPath]:
    hidden = (".", "__MACOSX")
    return [parent / one.name for one in (root / parent).iterdir() if one.is_dir() and not one.name.startswith(hidden)]
