"""A box of another image put into each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.cutout import box
from wellfit.augmentation.draws import Draws
from wellfit.registry import Option

__all__ = ["ENTRY", "CutMix"]


@dataclass(frozen=True)
class CutMix:
    """Put a box of another image into a share of the images; targets are mixed by area."""

    share: float

    def __call__(self, images: Tensor, others: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Give the images with the boxes, and the share of each that is its own."""
        rows, columns = images.shape[2:]
        side = (1.0 - draws.of(f"{draws.name} area").uniform()).sqrt()
        inside = box(images, (side * rows).round(), (side * columns).round(), draws)
        inside = inside & draws.of(f"{draws.name} share").chance(self.share)[:, None, None]
        # By the pixels that are in the image: the box may stand out of it.
        own = 1.0 - inside.float().mean((1, 2))
        return torch.where(inside[:, None], others, images), own


ENTRY = AugmentationEntry(
    name="cutmix",
    summary="puts a box of another image into an image and mixes the targets by area",
    make=CutMix,
    mixes=True,
    options=(Option(name="share", default=0.5, low=0.0, high=1.0, search=(0.0, 1.0), help="share of the images"),),
    formula="x[box] <- x'[box], t <- s t + (1 - s) t', s the share of pixels outside the box, area ~ U(0, 1)",
    reference="Yun et al., CutMix, 2019",
)
