"""Images as a training loop reads them: 8-bit pixels stay where they are, a batch is one gather.

Legend: pixels are uint8 ``[image, channel, height, width]``; what a network reads is float32 of the same shape, of mean
0 and variance 1 over the training rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from wellfit.data.batches import Batch, bounds
from wellfit.runtime import keyed_generator

__all__ = ["Augmenter", "ImageRows", "PixelScale"]

_AT_ONCE = 1 << 18
"""Pixels of a channel that one forward pass reads in evaluation: 334 images of 28 x 28."""
_PIECE = 1024
"""Images that are read together where all are counted."""
_SAMPLED = 1 << 22
"""Pixels of a channel that a probe or an appraisal looks at: what it computes is a hundred times larger."""


@dataclass(frozen=True, kw_only=True)
class PixelScale:
    """Mean and standard deviation of each channel over the training rows, in 8-bit steps.

    >>> scale = PixelScale.fit(torch.arange(0, 256, dtype=torch.uint8).reshape(4, 1, 8, 8), torch.arange(4))
    >>> float(scale.mean[0]), round(float(scale.std[0]), 3)
    (127.5, 73.9)
    """

    mean: Tensor
    """Float64 ``[channel]``."""
    std: Tensor
    """Float64 ``[channel]``, above 0."""

    @classmethod
    def fit(cls, pixels: Tensor, places: Tensor) -> PixelScale:
        """Learn from the images at some places, in exact sums of whole numbers; few are in memory at a time."""
        counts = torch.zeros(pixels.shape[1], 256, dtype=torch.float64)
        for part in places.split(_PIECE):
            counts += torch.stack([_histogram(channel) for channel in pixels[part].unbind(1)])
        levels = torch.arange(256, dtype=torch.float64)
        total = counts.sum(1)
        mean = (counts @ levels) / total
        variance = (counts * (levels - mean[:, None]).square()).sum(1) / total
        # A channel that is everywhere the same says nothing, and must not be divided by zero.
        return cls(mean=mean, std=torch.where(variance > 0, variance.sqrt(), 1.0))

    def scaled(self, pixels: Tensor) -> Tensor:
        """Give what the network reads of pixels."""
        factor = (1.0 / self.std).float().to(pixels.device)[:, None, None]
        offset = (-self.mean / self.std).float().to(pixels.device)[:, None, None]
        return torch.addcmul(offset, pixels.float(), factor)

    def as_dict(self) -> dict[str, Any]:
        """Give the scale as JSON holds it."""
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> PixelScale:
        """Read a scale back from what `as_dict` gave."""
        return cls(**{name: torch.tensor(record[name], dtype=torch.float64) for name in ("mean", "std")})


def _histogram(channel: Tensor) -> Tensor:
    """Count the levels of one channel."""
    return torch.bincount(channel.flatten().long(), minlength=256).double()


class Augmenter(Protocol):
    """Changes training images; see `wellfit.augmentation.Pipeline`."""

    @property
    def mixes(self) -> bool:
        """Whether images are mixed, and targets with them."""

    def augmented(self, images: Tensor, rows: Tensor, *, seed: int, epoch: int, read: Any, count: int) -> Any:
        """Give the images changed, the other row that each has a part of, and the share that is its own."""


@dataclass
class ImageRows:
    """Rows that point at images, in batches of what a network reads."""

    pixels: Tensor
    places: Tensor
    """The image of each row, int64 ``[row]``."""
    target: Tensor
    """Class ids, int64 ``[row]``, or numbers, float32 ``[row]``."""
    scale: PixelScale
    weight: Tensor | None = None
    classes: int = 0
    """Classes, where targets are ids; 2 of them or none are mixed as numbers."""
    augment: Augmenter | None = None

    def __post_init__(self) -> None:
        """Count the rows, and the most that are looked at together."""
        self.rows: int | None = len(self.places)
        area = self.pixels.shape[2] * self.pixels.shape[3]
        self.at_once = max(1, _AT_ONCE // area)
        self.most_sampled = max(16, _SAMPLED // area)

    def steps(self, batch_rows: int) -> int:
        """Give the number of batches an epoch has."""
        return len(bounds(len(self.places), batch_rows))

    def epoch(self, *, batch_rows: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Walk through a shuffled epoch from batch ``start`` on; the images are augmented."""
        order = torch.randperm(len(self.places), generator=keyed_generator(seed, "order", epoch))
        order = order.to(self.places.device)
        for first, last in bounds(len(self.places), batch_rows)[start:]:
            yield self._drawn(order[first:last], seed, epoch)

    def _drawn(self, rows: Tensor, seed: int, epoch: int) -> Batch:
        plain = self._batch(rows)
        if self.augment is None:
            return plain
        images, others, share = self.augment.augmented(
            plain.inputs[0], rows, seed=seed, epoch=epoch, read=self._images, count=len(self.places)
        )
        target = plain.target if share is None else self._blend(rows, others, share)
        return Batch((images,), target, plain.weight)

    def _blend(self, rows: Tensor, others: Tensor, share: Tensor) -> Tensor:
        """Give the targets of mixed images: shares of classes, or numbers between."""
        own, other = self.target[rows], self.target[others]
        if self.classes > 2:
            shares = functional.one_hot(own, self.classes) * share[:, None]
            return shares + functional.one_hot(other, self.classes) * (1.0 - share)[:, None]
        return torch.lerp(other.float(), own.float(), share)

    def walk(self, batch_rows: int) -> Iterator[Batch]:
        """Walk through the rows as they stand, with no augmentation, in no larger parts than memory is meant for."""
        size = min(batch_rows, self.at_once)
        for rows in torch.arange(len(self.places), device=self.places.device).split(size):
            yield self._batch(rows)

    def peek(self) -> Batch:
        """Give at most two rows, to try a module on."""
        return next(self.walk(2))

    def to(self, device: torch.device) -> ImageRows:
        """Give the same rows on a device."""
        weight = None if self.weight is None else self.weight.to(device)
        return replace(
            self,
            pixels=self.pixels.to(device),
            places=self.places.to(device),
            target=self.target.to(device),
            weight=weight,
        )

    def _batch(self, rows: Tensor) -> Batch:
        weight = None if self.weight is None else self.weight[rows]
        return Batch((self._images(rows),), self.target[rows], weight)

    def _images(self, rows: Tensor) -> Tensor:
        return self.scale.scaled(self.pixels.index_select(0, self.places[rows]))
