"""Gaussian noise on every pixel."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.registry import Option

__all__ = ["ENTRY", "Noise"]


@dataclass(frozen=True)
class Noise:
    """Add noise to each pixel and channel."""

    std: float

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images with noise."""
        return images + self.std * draws.normal(images.shape[1:])


ENTRY = AugmentationEntry(
    name="noise",
    summary="adds Gaussian noise to scaled inputs",
    make=Noise,
    options=(
        Option(
            name="std",
            default=0.1,
            low=0.0,
            search=(0.01, 0.5),
            log=True,
            help="its standard deviation, in those of the inputs",
        ),
    ),
    formula="x <- x + std z, z ~ N(0, 1)",
    reference="Bishop, Training with noise is equivalent to Tikhonov regularization, 1995",
)
