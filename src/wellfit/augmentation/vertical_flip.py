"""Up and down exchanged: for images that have no up, such as those from above or of tissue."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.registry import Option

__all__ = ["ENTRY", "VerticalFlip"]


@dataclass(frozen=True)
class VerticalFlip:
    """Turn a share of the images upside down."""

    share: float

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images, some of them upside down."""
        return torch.where(draws.chance(self.share)[:, None, None, None], images.flip(2), images)


ENTRY = AugmentationEntry(
    name="vertical_flip",
    summary="turns images upside down",
    make=VerticalFlip,
    options=(Option(name="share", default=0.5, low=0.0, high=1.0, help="share of the images"),),
    formula="x[..., i, :] <- x[..., height - 1 - i, :]",
    reference="torchvision.transforms.RandomVerticalFlip",
)
