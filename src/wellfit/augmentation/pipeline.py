"""The augmentations of a training, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from torch import Tensor

from wellfit.augmentation.draws import Draws

__all__ = ["Augmented", "Pipeline"]


class Augmented(NamedTuple):
    """Images changed."""

    images: Tensor
    others: Tensor | None
    """The row that the other part of each image is of, int64 ``[row]``; None where none are mixed."""
    share: Tensor | None
    """The share of each image that is its own, float32 ``[row]``; None where none are mixed."""


class Pipeline:
    """Changes of single images in the order of the registry, then at most one that mixes two.

    Every draw is keyed by seed, epoch, row and the augmentation's name: no batch and no neighbour changes it.
    """

    def __init__(self, changes: Mapping[str, Any], mixes: Mapping[str, Any]) -> None:
        self._changes, self._mixes = dict(changes), dict(mixes)

    @property
    def mixes(self) -> bool:
        """Whether images are mixed, and targets with them."""
        return bool(self._mixes)

    def changed(self, images: Tensor, draws: Draws) -> Tensor:
        """Give the images, each changed by itself."""
        for name, change in self._changes.items():
            images = change(images, draws.of(name))
        return images

    def augmented(
        self, images: Tensor, rows: Tensor, *, seed: int, epoch: int, read: Callable[[Tensor], Tensor], count: int
    ) -> Augmented:
        """Change the images of some rows, and mix each with that of a row drawn from all.

        Args:
            images: ``[row, channel, height, width]``.
            rows: their numbers, int64 ``[row]``.
            seed: the training's.
            epoch: from 0.
            read: gives the images of rows by number; they are changed as they are when it is their own turn.
            count: how many training rows there are.
        """
        draws = Draws(seed=seed, epoch=epoch, rows=rows)
        images = self.changed(images, draws)
        if not self._mixes:
            return Augmented(images, None, None)
        others = draws.of("partner").whole(0, count - 1)
        beside = self.changed(read(others), replace(draws, rows=others))
        # Of two that mix, epochs take turns.
        name = list(self._mixes)[epoch % len(self._mixes)]
        images, share = self._mixes[name](images, beside, draws.of(name))
        return Augmented(images, others, share)
