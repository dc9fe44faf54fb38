"""Shifts by whole pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.registry import Option

__all__ = ["ENTRY", "Translate"]


@dataclass(frozen=True)
class Translate:
    """Shift each image; what comes in from outside is the mirror image of the edge.

    >>> images = torch.arange(9.0).reshape(1, 1, 3, 3)
    >>> Translate(1)(images, Draws(seed=0, epoch=0, rows=torch.tensor([0]))).shape
    torch.Size([1, 1, 3, 3])
    """

    pixels: int

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images shifted."""
        rows, _, height, width = images.shape
        # A mirrored edge can't be wider than the image.
        most = min(self.pixels, height - 1, width - 1)
        padded = functional.pad(images, (most,) * 4, mode="reflect")
        shifts = draws.uniform((2,), high=2 * most + 1).long()
        down = shifts[:, :1] + torch.arange(height, device=images.device)
        right = shifts[:, 1:] + torch.arange(width, device=images.device)
        row = torch.arange(rows, device=images.device)[:, None, None]
        # Channels come last where they stand between tensors of places.
        return padded[row, :, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2)


ENTRY = AugmentationEntry(
    name="translate",
    summary="shifts images by some pixels each way",
    make=Translate,
    options=(
        Option(
            name="pixels",
            kind="int",
            default=2,
            low=0,
            high=4096,
            search=(0, 4),
            help="the farthest, to each side",
        ),
    ),
    formula="x[i, j] <- x[i + a, j + b], a and b from -pixels to pixels, edges mirrored",
    reference="Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024",
)
