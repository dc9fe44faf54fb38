"""From files to one tensor: what sizes and modes there are, which all get, and what can't be decoded.

All images of a set get one mode and one size. Unless told otherwise these are the most common ones; an image of another
mode is converted as Pillow does, one of another size is resized with antialiased bilinear interpolation.
Legend: a picture is a uint8 array ``[height, width, channel]``.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from wellfit.data.sources.entry import Reading
from wellfit.data.sources.images.storage import pixel_store
from wellfit.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Decoded", "Survey", "decode", "pillow", "survey"]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "MPO")
"""Formats whose readers are Pillow's own code or its libraries: none starts another program, as that of EPS does."""
MOST_PIXELS = 1 << 27
"""Pixels of one image (134 million); Pillow calls it a decompression bomb from 89 million on."""
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
_COLOURED = ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
_CHUNK = 64
_SMALL = 1 << 14
"""Pixels of an image, on average."""
_THREADS = 4

Picture = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass
class Survey:
    """What the headers of all images say."""

    modes: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By height and width."""
    broken: dict[str, str] = field(default_factory=dict)
    good: list[str] = field(default_factory=list)

    def mode(self, reading: Reading) -> str:
        """Give ``L`` or ``RGB``: what was told, or what most are."""
        if reading.image_mode is not None:
            return "L" if reading.image_mode == "grey" else "RGB"
        grey = sum(count for mode, count in self.modes.items() if mode in _GREY)
        return "L" if 2 * grey > self.modes.total() else "RGB"

    def pixels(self) -> float:
        """Give the mean number of pixels of an image."""
        return sum(height * width * count for (height, width), count in self.sizes.items()) / self.sizes.total()

    def size(self, reading: Reading) -> tuple[int, int]:
        """Give height and width: what was told, or what most have; of sizes that are as common, the larger one."""
        if reading.image_size is not None:
            return reading.image_size
        return max(self.sizes, key=lambda size: (self.sizes[size], size[0] * size[1], size))


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """The pixels of the images that could be decoded."""

    pixels: Any
    """Uint8 ``[image, channel, height, width]``."""
    names: tuple[str, ...]
    """Of the images, in the order of the pixels."""
    resized: int
    converted: int
    duplicates: int
    broken: dict[str, str]
    checksum: str
    """sha256 of names and contents."""


def pillow() -> Any:
    """Give Pillow's module of images.

    Raises:
        DataError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise DataError("Reading images needs Pillow.", do="Install it: pip install 'wellfit[images]'.") from None
    return Image


def survey(files: Iterable[tuple[str, bytes]]) -> Survey:
    """Read the headers of images."""
    pillow()
    found = Survey()
    with _quiet():
        for name, content in files:
            try:
                with _opened(content) as image:
                    found.modes[image.mode] += 1
                    found.sizes[image.height, image.width] += 1
                found.good.append(name)
            except _Unfit as unfit:
                found.broken[name] = str(unfit)
    return found


def decode(files: Iterable[tuple[str, bytes]], found: Survey, reading: Reading) -> Decoded:
    """Decode images into one tensor; what turns out to be broken is left out and named.

    Raises:
        DataError: no image is left, or they would take too much room.
    """
    if not found.good:
        raise _none_left(found)
    mode, (height, width) = found.mode(reading), found.size(reading)
    store = pixel_store(len(found.good), 1 if mode == "L" else 3, height, width)
    names: list[str] = []
    broken, digests, contents = dict(found.broken), set[bytes](), hashlib.sha256()
    changed = Counter[str]()
    with _quiet(), ThreadPoolExecutor(_THREADS) as pool:
        for chunk in _chunks(files):
            # of small images, handing them to threads takes longer than decoding them
            each = pool.map if found.pixels() > _SMALL else map
            shaped = each(lambda file: _shaped(file[1], mode, (height, width)), chunk)
            for (name, content), (picture, changes) in zip(chunk, shaped, strict=True):
                contents.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
                if isinstance(picture, str):
                    broken[name] = picture
                    continue
                store[len(names)] = picture.transpose(2, 0, 1)
                names.append(name)
                changed.update(changes)
                digests.add(hashlib.blake2b(picture.tobytes(), digest_size=16).digest())
    if not names:
        raise _none_left(Survey(broken=broken))
    import torch

    return Decoded(
        pixels=torch.from_numpy(store[: len(names)]),
        names=tuple(names),
        resized=changed["size"],
        converted=changed["mode"],
        duplicates=len(names) - len(digests),
        broken=broken,
        checksum=contents.hexdigest(),
    )


class _Unfit(ValueError):
    """Why an image is set aside."""


def _quiet() -> warnings.catch_warnings[None]:
    """Leave out Pillow's remarks on odd metadata: an image is decoded, or it is set aside."""
    return warnings.catch_warnings(action="ignore")


def _opened(content: bytes) -> Image:
    """Open an image by its header; no pixel is decoded yet."""
    if not content:
        raise _Unfit("the file is empty, too large or can't be read")
    try:
        image: Image = pillow().open(io.BytesIO(content), formats=FORMATS)
    except Exception as error:  # Pillow's readers raise whatever a damaged file leads them to
        bomb = type(error).__name__ == "DecompressionBombError"
        raise _Unfit("it has too many pixels" if bomb else "it is no image that can be read") from None
    if image.width * image.height > MOST_PIXELS:
        raise _Unfit(f"it has too many pixels ({image.height} x {image.width})")
    if image.mode not in _GREY and image.mode not in _COLOURED:
        raise _Unfit(f"its mode {image.mode} has no grey or colours of 8 bits")
    return image


def _shaped(content: bytes, mode: str, size: tuple[int, int]) -> tuple[Picture | str, tuple[str, ...]]:
    """Decode one image to the common mode and size; give the reason where it can't be."""
    changes: list[str] = []
    try:
        with _opened(content) as image:
            if image.mode != mode:
                changes.append("mode")
            plain = _converted(image, mode)
    except _Unfit as unfit:
        return str(unfit), ()
    except Exception:  # as above
        return "it is cut off or damaged", ()
    if (plain.height, plain.width) != size:
        changes.append("size")
        plain = plain.resize((size[1], size[0]), pillow().Resampling.BILINEAR)
    picture = np.asarray(plain)
    return (picture[:, :, None] if picture.ndim == 2 else picture), tuple(changes)


def _converted(image: Image, mode: str) -> Image:
    if image.mode.startswith("I"):
        # Pillow cuts 16 bits off at 255 where it should divide them
        deep = np.asarray(image).astype(np.int64).clip(0, 65535)
        image = pillow().fromarray((deep >> 8).astype(np.uint8))
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert(mode)


def _chunks(files: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    iterator = iter(files)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _none_left(found: Survey) -> DataError:
    name, reason = next(iter(found.broken.items()), ("", "there is none"))
    rule = "No image can be decoded."
    return DataError(rule, got=name or None, do=f"Of the first, {reason}." if name else "Check the folder.")
