"""Ways to look at an image when it is predicted: the answers of several are averaged where that is better.

Legend: images are ``[row, channel, height, width]``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["VIEWS", "VIEW_SETS"]


def _shifted(down: int, right: int) -> Callable[[Tensor], Tensor]:
    return lambda images: torch.roll(images, (down, right), (2, 3))


VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "plain": lambda images: images,
    "mirror": lambda images: images.flip(3),
    "up_left": _shifted(-1, -1),
    "down_right": _shifted(1, 1),
    "mirror_up_left": lambda images: _shifted(-1, -1)(images.flip(3)),
    "mirror_down_right": lambda images: _shifted(1, 1)(images.flip(3)),
}
"""Views by name, as ``model.json`` holds them. The one pixel that leaves an image at a side comes in at the other."""

VIEW_SETS: tuple[tuple[str, ...], ...] = (
    ("plain",),
    ("plain", "mirror"),
    ("plain", "up_left", "down_right"),
    tuple(VIEWS),
)
"""Sets that are tried on validation rows, the cheapest first (Jordan 2024 takes the last)."""
