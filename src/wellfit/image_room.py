"""Whether images fit into memory while a network is trained on them."""

from __future__ import annotations

from wellfit.config import Config
from wellfit.data.large.memory import memory_limit, memory_share
from wellfit.errors import DataError
from wellfit.runtime import resolve_device

__all__ = ["refuse_large_images"]

_A_PIXEL = {"convnet": 100}
"""Bytes that a training holds for a pixel of one image, its colours together, and what the layers make of it: 59 were
seen at a side of 224, where large maps are read in strides."""
_OTHERS = 450
"""The same of a ResNet-18 at a side of 224."""
_FEWEST = 8
"""Images of a batch where the batch is not settled yet: the fewest that are taken."""


def refuse_large_images(config: Config, height: int, width: int) -> None:
    """Raise where a batch of images of this size, and what a network makes of it, would not fit into memory.

    An accelerator says so itself, and the batch is then taken in parts.

    Raises:
        DataError: it would take more than half of the memory.
    """
    if resolve_device(config.train.device).type != "cpu":
        return
    size = config.train.batch_size
    images = size if isinstance(size, int) else _FEWEST
    needed = images * height * width * _A_PIXEL.get(config.model["type"], _OTHERS)
    if needed > memory_share():
        raise DataError(
            f"A batch of {images:,} images of {height:,} x {width:,} pixels, and what the network makes of it, "
            "must fit into half of the memory.",
            got=f"about {needed / 1e9:,.1f} GB, and a memory of {memory_limit() / 1e9:,.1f} GB",
            do="Set data.image_size to a smaller one, such as [224, 224], or train.batch_size.",
        )
