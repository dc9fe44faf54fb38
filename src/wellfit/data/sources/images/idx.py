"""MNIST's own format, IDX: images in one file, labels in another.

The format: two zero bytes, the type (8: unsigned byte), the number of dimensions, each as a big-endian int32, the data
(http://yann.lecun.com/exdb/mnist/, "The IDX file format").
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable

import numpy as np

from wellfit.data.sources.images.blobs import Blobs
from wellfit.data.sources.images.parts import Part
from wellfit.errors import DataError

__all__ = ["is_idx", "read_idx"]

_IMAGES = re.compile(r"(.*?)-?images?[.-]idx3-ubyte(\.gz)?", re.IGNORECASE)
_SPLITS = {"train": "train", "t10k": "test", "test": "test", "valid": "valid", "validation": "valid", "val": "valid"}
_MOST_BYTES = 1 << 31


def is_idx(name: str) -> bool:
    """Tell a file of IDX images by its name, such as ``train-images-idx3-ubyte.gz``."""
    return _IMAGES.fullmatch(name.rpartition("/")[2]) is not None


def read_idx(blobs: Blobs, names: Iterable[str]) -> list[Part]:
    """Read files of images, each with the labels that lie beside it.

    Raises:
        DataError: a file is cut off or no IDX, or there are not as many labels as images.
    """
    parts = []
    for name in names:
        start = _IMAGES.fullmatch(name.rpartition("/")[2])
        beside = [other for other in blobs.sizes if _is_label(other, name)]
        wanted = dict(blobs.read({name, *beside[:1]}))
        images = _array(wanted[name], name, 3)
        labels = _array(wanted[beside[0]], beside[0], 1) if beside else None
        if labels is not None and len(labels) != len(images):
            got = f"{len(labels):,} labels and {len(images):,} images"
            raise DataError(f"'{name}' needs one label for each image.", got=got, do="Take the labels of that file.")
        split = _SPLITS.get(start[1].rpartition("-")[2].lower()) if start else None
        parts.append(Part(images=images[:, :, :, None], labels=labels, split=split, source=name))
    return parts


def _is_label(other: str, images: str) -> bool:
    folder, _, name = images.rpartition("/")
    pattern = re.sub(r"images?", "LABELS", re.escape(name.removesuffix(".gz")), flags=re.IGNORECASE)
    pattern = re.sub("idx3", "idx1", pattern).replace("LABELS", "labels?") + r"(\.gz)?"
    there, _, file = other.rpartition("/")
    return there == folder and re.fullmatch(pattern, file, re.IGNORECASE) is not None


def _array(content: bytes, name: str, dimensions: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    content = _unpacked(content, name) if content[:2] == b"\x1f\x8b" else content
    head = 4 + 4 * dimensions
    if content[:4] != bytes((0, 0, 8, dimensions)) or len(content) < head:
        do = "Give MNIST's files as they are published."
        raise DataError(f"'{name}' is no IDX file of {dimensions}-dimensional bytes.", got=content[:4], do=do)
    shape = struct.unpack(f">{dimensions}i", content[4:head])
    count = int(np.prod(shape, dtype=np.float64)) if min(shape) > 0 else -1
    if count != len(content) - head:
        rule = f"'{name}' is cut off or damaged."
        raise DataError(rule, got=f"{len(content) - head:,} bytes for the shape {shape}", do="Fetch it again.")
    return np.frombuffer(content, dtype=np.uint8, offset=head).reshape(shape)


def _unpacked(content: bytes, name: str) -> bytes:
    try:
        unpacker = zlib.decompressobj(wbits=31)
        data = unpacker.decompress(content, _MOST_BYTES)
    except zlib.error:
        raise DataError(f"'{name}' is cut off or damaged.", do="Fetch it again.") from None
    if not unpacker.eof:
        raise DataError(f"'{name}' is cut off or too large.", do="Fetch it again.")
    return data
