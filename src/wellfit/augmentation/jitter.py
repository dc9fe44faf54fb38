"""Brightness, contrast and saturation changed."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.registry import Option

__all__ = ["ENTRY", "Jitter"]


@dataclass(frozen=True)
class Jitter:
    """Make each image brighter or darker, of more or less contrast, and more or less coloured."""

    strength: float

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images with other colours; grey ones have no saturation to change."""
        light, contrast, colour = (
            part[:, None, None, None] for part in draws.uniform((3,), low=-self.strength, high=self.strength).unbind(1)
        )
        mean = images.mean((1, 2, 3), keepdim=True)
        changed = (images - mean) * (1.0 + contrast) + mean + light
        if images.shape[1] == 1:
            return changed
        grey = changed.mean(1, keepdim=True)
        return grey + (changed - grey) * (1.0 + colour)


ENTRY = AugmentationEntry(
    name="jitter",
    summary="changes brightness, contrast and saturation",
    make=Jitter,
    options=(
        Option(
            name="strength",
            default=0.4,
            low=0.0,
            high=1.0,
            search=(0.0, 0.8),
            help="the largest change, in standard deviations of brightness and as a share of the others",
        ),
    ),
    formula="x <- (x - mean(x)) (1 + c) + mean(x) + b; x <- grey(x) + (x - grey(x)) (1 + s)",
    reference="Krizhevsky et al. 2012; torchvision.transforms.ColorJitter",
)
