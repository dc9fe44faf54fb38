"""A part of an image, blown up to its size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.augmentation.warp import warped
from wellfit.registry import Option

__all__ = ["ENTRY", "Crop"]


@dataclass(frozen=True)
class Crop:
    """Take a random part of each image, of an area from ``least`` of it to the whole, and resize it to the whole."""

    least: float
    stretch: float

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the parts, resized with bilinear interpolation."""
        area, form, x, y = draws.uniform((4,)).unbind(1)
        area = self.least + (1.0 - self.least) * area
        form = torch.exp((2.0 * form - 1.0) * (0.5 * math.log(self.stretch)))
        width, height = (area.sqrt() * form).clamp_max(1.0), (area.sqrt() / form).clamp_max(1.0)
        zero = torch.zeros_like(area)
        across = torch.stack([width, zero, (2.0 * x - 1.0) * (1.0 - width)], 1)
        down = torch.stack([zero, height, (2.0 * y - 1.0) * (1.0 - height)], 1)
        return warped(images, torch.stack([across, down], 1), fill="reflection")


ENTRY = AugmentationEntry(
    name="crop",
    summary="takes a random part of an image and resizes it to the whole",
    make=Crop,
    options=(
        Option(
            name="least",
            default=0.5,
            low=0.0,
            high=1.0,
            low_open=True,
            search=(0.2, 1.0),
            help="the smallest share of the area",
        ),
        Option(name="stretch", default=4.0 / 3.0, low=1.0, high=10.0, help="the largest ratio of the sides"),
    ),
    formula="x <- resize(x[part]), area of part from least to 1, ratio of its sides from 1 / stretch to stretch",
    reference="Szegedy et al., Going deeper with convolutions, 2015; torchvision.transforms.RandomResizedCrop",
)
