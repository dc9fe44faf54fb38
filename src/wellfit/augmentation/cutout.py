"""A square painted over."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.registry import Option

__all__ = ["ENTRY", "Cutout", "box"]


def box(images: Tensor, height: Tensor, width: Tensor, draws: Draws) -> Tensor:
    """Mark a box in each image, whose middle lies anywhere in it; bool ``[row, height, width]``.

    Args:
        images: ``[row, channel, height, width]``.
        height: pixels of each box, ``[row]``; so is ``width``.
        width: pixels of each box, ``[row]``.
        draws: where the middles are drawn from.
    """
    rows, columns = images.shape[2:]
    middle = draws.uniform((2,))
    top, left = (middle[:, 0] * rows - height / 2).round(), (middle[:, 1] * columns - width / 2).round()
    down = torch.arange(rows, device=images.device)
    right = torch.arange(columns, device=images.device)
    inside_down = (down >= top[:, None]) & (down < (top + height)[:, None])
    inside_right = (right >= left[:, None]) & (right < (left + width)[:, None])
    return inside_down[:, :, None] & inside_right[:, None, :]


@dataclass(frozen=True)
class Cutout:
    """Paint a square of the mean colour into a share of the images."""

    size: int
    share: float

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images, parts of some painted over."""
        side = torch.full((len(images),), float(self.size), device=images.device)
        hidden = box(images, side, side, draws) & draws.of(f"{draws.name} share").chance(self.share)[:, None, None]
        return images.masked_fill(hidden[:, None], 0.0)


ENTRY = AugmentationEntry(
    name="cutout",
    summary="paints a square over a part of an image",
    make=Cutout,
    options=(
        Option(name="size", kind="int", default=8, low=0, high=4096, search=(0, 16), help="side of the square, pixels"),
        Option(name="share", default=1.0, low=0.0, high=1.0, help="share of the images"),
    ),
    formula="x[square] <- 0, the mean colour",
    reference="DeVries & Taylor 2017 (cutout); Zhong et al. 2017 (random erasing)",
)
