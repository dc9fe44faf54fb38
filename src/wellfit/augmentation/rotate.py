"""Turns by an angle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.augmentation.warp import warped
from wellfit.registry import Option

__all__ = ["ENTRY", "Rotate"]


@dataclass(frozen=True)
class Rotate:
    """Turn each image about its middle, by an angle of up to ``degrees`` either way."""

    degrees: float

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images turned; corners that come in from outside have the mean colour."""
        angle = draws.uniform(low=-self.degrees, high=self.degrees) * (math.pi / 180.0)
        height, width = images.shape[2:]
        cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
        # Places run from -1 to 1 over both sides: of an image that is no square a turn has to allow for that.
        across = torch.stack([cos, -sin * (height / width), zero], 1)
        down = torch.stack([sin * (width / height), cos, zero], 1)
        return warped(images, torch.stack([across, down], 1))


ENTRY = AugmentationEntry(
    name="rotate",
    summary="turns images by a small angle",
    make=Rotate,
    options=(
        Option(name="degrees", default=15.0, low=0.0, high=180.0, search=(0.0, 30.0), help="the largest, either way"),
    ),
    formula="x(p) <- x(R p), R a turn by an angle from -degrees to degrees",
    reference="torchvision.transforms.RandomRotation",
)
