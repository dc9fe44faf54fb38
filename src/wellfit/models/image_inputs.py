"""What a network for images reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

__all__ = ["ImageInputs"]


@dataclass(frozen=True, kw_only=True)
class ImageInputs:
    """The shape of prepared images: what a model for images reads.

    Its ``forward(pixels)`` takes float32 ``[row, channel, height, width]``, of mean 0 and variance 1 over the training
    rows, and gives float32 ``[row, output]``.
    """

    channels: int
    height: int
    width: int
    sample: Tensor | None = field(default=None, compare=False, repr=False)
    """Training images as the network reads them, for what first weights depend on; None where weights are loaded."""

    def as_dict(self) -> dict[str, int]:
        """Give the shape as JSON holds it."""
        return {"channels": self.channels, "height": self.height, "width": self.width}

    @property
    def side(self) -> int:
        """The shorter side in pixels."""
        return min(self.height, self.width)
