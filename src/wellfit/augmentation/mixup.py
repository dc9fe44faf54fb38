"""Weighted means of two images and of their targets."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from wellfit.augmentation.augmentation import AugmentationEntry
from wellfit.augmentation.draws import Draws
from wellfit.registry import Option

__all__ = ["ENTRY", "Mixup", "kept_share"]


def kept_share(alpha: float, draws: Draws) -> Tensor:
    """Give the share of each image that is its own, from 0.5 to 1, float32 ``[row]``.

    Beta(alpha, alpha) as the ratio of two powers of uniform numbers, which is exact for them where their sum is at most
    1 (Johnk 1964); a few tries in a row find such a pair, and the larger share is taken, as order does not matter.
    """
    pairs = (draws.uniform((_TRIES, 2)).clamp_min(1e-12).log() / alpha).exp()
    sums = pairs.sum(2)
    # The first pair that fits, the last one where none does.
    fitting = sums <= 1.0
    fitting[:, -1] = True
    chosen = fitting.float().argmax(1)
    pair = pairs.gather(1, chosen[:, None, None].expand(-1, 1, 2))[:, 0]
    share = pair[:, 0] / pair.sum(1).clamp_min(1e-30)
    return share.maximum(1.0 - share)


_TRIES = 8


@dataclass(frozen=True)
class Mixup:
    """Blend each image with another one."""

    alpha: float

    def __call__(self, images: Tensor, others: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Give the blends and the share of each that is its own."""
        share = kept_share(self.alpha, draws)
        weight = share[:, None, None, None]
        return images * weight + others * (1.0 - weight), share


ENTRY = AugmentationEntry(
    name="mixup",
    summary="blends images and targets in pairs",
    make=Mixup,
    mixes=True,
    options=(
        Option(
            name="alpha",
            default=0.2,
            low=0.05,
            high=1.0,
            search=(0.1, 1.0),
            help="how even the blends are, from hardly to any share alike",
        ),
    ),
    formula="x <- s x + (1 - s) x', t <- s t + (1 - s) t', s ~ Beta(alpha, alpha)",
    reference="Zhang et al., mixup: beyond empirical risk minimization, 2018",
)
