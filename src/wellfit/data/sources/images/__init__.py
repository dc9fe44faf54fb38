"""Images: of a folder or an archive, of a table of paths, in MNIST's, CIFAR's and NumPy's files, of a torch dataset.

They arrive as a `Table`: its frame has a row an image with ``image`` (the place in ``images.pixels``), ``file``,
``label`` and, where there are splits, ``split``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wellfit.data.sources.entry import ImageEntry, Reading
from wellfit.data.sources.images.assembly import from_blobs, from_dataset, from_npz, from_table
from wellfit.data.sources.images.blobs import is_archive
from wellfit.data.sources.images.dataset import is_dataset
from wellfit.data.sources.images.recognition import ToldImages, holds_images
from wellfit.data.table import Table

__all__ = ["ENTRY"]


def read(source: Any, reading: Reading) -> Table:
    """Decode all images of a source into one tensor.

    Args:
        source: a folder, an archive, a NumPy archive, a table of paths that was told to be one, or a dataset.
        reading: the size and the mode that all images get.

    Raises:
        DataError: there is no image, or none that can be decoded.
    """
    if is_dataset(source):
        return from_dataset(source, reading)
    path = source.path if isinstance(source, ToldImages) else source
    if path.suffix.lower() == ".npz":
        return from_npz(path, reading)
    if path.is_dir() or is_archive(path):
        return from_blobs(path, reading)
    return from_table(path, reading)


def _matches(source: Any) -> bool:
    return isinstance(source, ToldImages) or is_dataset(source) or (isinstance(source, Path) and holds_images(source))


ENTRY = ImageEntry(
    name="images",
    summary="images: a folder or an archive of class folders, IDX, CIFAR, npz, a torch dataset, images:TABLE of paths",
    make=read,
    matches=_matches,
)
