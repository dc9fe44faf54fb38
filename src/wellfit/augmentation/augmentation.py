"""What every augmentation is: a change of a batch of images that is drawn anew for each row in each epoch.

Legend: ``images`` are float32 ``[row, channel, height, width]``, of mean 0 and variance 1 over the training rows, so
that 0 is the mean colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from wellfit.augmentation.draws import Draws
from wellfit.registry import Entry

__all__ = ["AugmentationEntry", "Change", "Mix"]


class Change(Protocol):
    """Changes each image by itself."""

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images changed; those given are left alone."""
        ...


class Mix(Protocol):
    """Puts a part of another image into each."""

    def __call__(self, images: Tensor, others: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Give the images mixed, and the share of each image that is its own, float32 ``[row]``."""
        ...


@dataclass(frozen=True, kw_only=True)
class AugmentationEntry(Entry):
    """An augmentation as data: ``make(**options)`` gives a `Change`, or a `Mix` where ``mixes``.

    In a config it is ``name: true`` with its defaults, ``name: value`` of its first option, or a mapping of options.

    >>> from wellfit.augmentation import AUGMENTATIONS
    >>> AUGMENTATIONS["cutout"].first
    'size'
    """

    make: Callable[..., Change] | Callable[..., Mix]
    mixes: bool = False

    @property
    def first(self) -> str:
        """The name of the option that a bare value stands for."""
        return self.options[0].name
