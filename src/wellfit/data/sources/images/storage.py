"""Where the pixels of a set lie: in memory, or mapped from a file that has no name and goes with the process."""

from __future__ import annotations

import math
import shutil
import tempfile
from typing import Any

import numpy as np

from wellfit.errors import DataError

__all__ = ["IN_MEMORY", "pixel_store"]

IN_MEMORY = 1 << 30
"""Bytes up to which pixels are held in memory."""


def pixel_store(images: int, channels: int, height: int, width: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Make room for pixels, uint8 ``[image, channel, height, width]``.

    Raises:
        DataError: neither memory nor disk has that much room.

    >>> pixel_store(2, 3, 4, 5).shape
    (2, 3, 4, 5)
    """
    shape = (images, channels, height, width)
    size = math.prod(shape)
    if size <= IN_MEMORY:
        return np.empty(shape, dtype=np.uint8)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if size > 0.9 * free:
        rule = f"Decoded, the images take {size / 1e9:,.1f} GB, and the disk has {free / 1e9:,.1f} GB."
        raise DataError(rule, do="Set data.image_size to a smaller one, such as [64, 64].")
    with tempfile.TemporaryFile(prefix="wellfit-") as file:
        file.truncate(size)
        return np.memmap(file, dtype=np.uint8, mode="r+", shape=shape)
