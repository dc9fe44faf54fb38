"""Left and right exchanged."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.registry import Option

__all__ = ["ENTRY", "Flip"]


@dataclass(frozen=True)
class Flip:
    """Mirror half of the images; ``alternating`` mirrors in every second epoch those that it did not in the first.

    So every two epochs show each image both ways.

    >>> images, rows = torch.arange(4.0).reshape(2, 1, 1, 2), torch.arange(2)
    >>> flip = Flip("alternating")
    >>> first, second = (flip(images, Draws(seed=0, epoch=epoch, rows=rows)) for epoch in (0, 1))
    >>> torch.equal(first, second.flip(3))
    True
    """

    kind: str

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images, some of them mirrored."""
        if self.kind == "alternating":
            chosen = draws.every_epoch().chance(0.5) ^ bool(draws.epoch % 2)
        else:
            chosen = draws.chance(0.5)
        return torch.where(chosen[:, None, None, None], images.flip(3), images)


ENTRY = AugmentationEntry(
    name="flip",
    summary="mirrors half of the images",
    make=Flip,
    options=(
        Option(
            name="kind",
            kind="str",
            default="alternating",
            choices=("alternating", "random"),
            help="whether every two epochs show both ways, or chance decides anew",
        ),
    ),
    formula="x[..., j] <- x[..., width - 1 - j]",
    reference="Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024 (alternating)",
)
