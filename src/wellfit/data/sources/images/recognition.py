"""Whether a path is a set of images, told without reading any."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from wellfit.data.sources.images.blobs import is_archive
from wellfit.data.sources.images.cifar import is_cifar, is_pickled_cifar
from wellfit.data.sources.images.idx import is_idx
from wellfit.data.sources.images.layout import is_image

__all__ = ["PREFIX", "ToldImages", "holds_images"]

PREFIX = "images:"
_LOOKED_AT = 2000


@dataclass(frozen=True)
class ToldImages:
    """A path of which ``images:`` was said."""

    path: Path

    def __str__(self) -> str:
        """Give what was written."""
        return f"{PREFIX}{self.path}"


def holds_images(path: Path) -> bool:
    """Tell a folder or an archive of images by the names in it, and a NumPy archive by its own."""
    if path.is_dir():
        return _mostly_images(_names_below(path))
    name = path.name.lower()
    if name.endswith(".zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                return _mostly_images(iter(archive.namelist()))
        except (zipfile.BadZipFile, OSError):
            return False
    return is_archive(path) or name.endswith(".npz")


def _mostly_images(names: Iterator[str]) -> bool:
    """Whether files of images are more than half of the first ones, or files of one of the known sets are there."""
    first = [name for name in islice(names, _LOOKED_AT) if not name.endswith("/")]
    if any(is_idx(name) or is_cifar(name) or is_pickled_cifar(name) for name in first):
        return True
    return 2 * sum(map(is_image, first)) > len(first)


def _names_below(folder: Path) -> Iterator[str]:
    for _, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (name for name in sorted(names) if not name.startswith("."))
