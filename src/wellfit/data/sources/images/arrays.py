"""Pixels that come as arrays: from IDX, CIFAR and npz files, and from datasets in memory.

Legend: a picture is a uint8 array ``[height, width, channel]`` with one channel or three.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellfit.data.sources.entry import Reading
from wellfit.data.sources.images.decoding import Decoded, Survey, pillow
from wellfit.data.sources.images.storage import pixel_store
from wellfit.errors import DataError

__all__ = ["as_pictures", "shaped_arrays"]

Array = np.ndarray[Any, Any]


def shaped_arrays(pictures: Sequence[Array], reading: Reading) -> tuple[Decoded, Survey]:
    """Lay pictures into one tensor, of the mode and size that was told or that most have."""
    found = Survey()
    for picture in pictures:
        found.sizes[picture.shape[0], picture.shape[1]] += 1
        found.modes["L" if picture.shape[2] == 1 else "RGB"] += 1
    mode, size = found.mode(reading), found.size(reading)
    store = pixel_store(len(pictures), 1 if mode == "L" else 3, *size)
    changed, digests, contents = Counter[str](), set[bytes](), hashlib.sha256()
    for place, picture in enumerate(pictures):
        digest = hashlib.blake2b(picture.tobytes(), digest_size=16).digest()
        contents.update(digest)
        digests.add(digest)
        fitted, changes = _fitted(picture, mode, size)
        changed.update(changes)
        store[place] = fitted.transpose(2, 0, 1)
    import torch

    names = tuple(str(place) for place in range(len(pictures)))
    decoded = Decoded(
        pixels=torch.from_numpy(store),
        names=names,
        resized=changed["size"],
        converted=changed["mode"],
        duplicates=len(pictures) - len(digests),
        broken={},
        checksum=contents.hexdigest(),
    )
    return decoded, found


def _fitted(picture: Array, mode: str, size: tuple[int, int]) -> tuple[Array, list[str]]:
    other_mode = (picture.shape[2] == 1) != (mode == "L")
    other_size = picture.shape[:2] != size
    changes = ["mode"] * other_mode + ["size"] * other_size
    if not changes:
        return picture, changes
    image = pillow().fromarray(picture[:, :, 0] if picture.shape[2] == 1 else np.ascontiguousarray(picture))
    if other_mode:
        image = image.convert(mode)
    if other_size:
        image = image.resize((size[1], size[0]), pillow().Resampling.BILINEAR)
    fitted = np.asarray(image)
    return (fitted[:, :, None] if fitted.ndim == 2 else fitted), changes


def as_pictures(images: Array, name: str) -> Array:
    """Give many images as uint8 ``[image, height, width, channel]``; numbers from 0 to 1 are taken times 255.

    Args:
        images: ``[image, height, width]``, ``[image, height, width, channel]`` or ``[image, channel, height, width]``.
        name: what errors call it.

    Raises:
        DataError: the array holds no images.
    """
    if images.ndim == 3:
        images = images[:, :, :, None]
    elif images.ndim == 4 and images.shape[3] not in (1, 3, 4) and images.shape[1] in (1, 3, 4):
        images = images.transpose(0, 2, 3, 1)
    if images.ndim != 4 or images.shape[3] not in (1, 3, 4) or not images.size:
        do = "Give [image, height, width] or [image, height, width, channel] with 1 or 3 channels."
        raise DataError(f"'{name}' holds no images.", got=images.shape, do=do)
    images = images[:, :, :, :3]
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "biuf":
        raise DataError(f"'{name}' holds no pixels.", got=images.dtype, do="Give numbers of 8 bits.")
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 255):
        rule = f"Pixels of '{name}' must be in [0, 255] or [0, 1]."
        raise DataError(rule, got=[float(low), float(high)], do="Give images that are not standardised yet.")
    scale = 255.0 if images.dtype.kind == "f" and high <= 1 else 1.0
    return np.rint(images * scale).astype(np.uint8)
