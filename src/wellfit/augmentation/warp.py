"""Images read at other places: what rotations and crops share."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

__all__ = ["warped"]


def warped(images: Tensor, matrix: Tensor, *, fill: str = "zeros") -> Tensor:
    """Read each image at the places that a matrix of its own leads to, with bilinear interpolation.

    Args:
        images: float32 ``[row, channel, height, width]``.
        matrix: ``[row, 2, 3]``; it takes a place of the output ``(x, y, 1)``, from -1 to 1 both, to one of the input.
        fill: ``zeros`` or ``reflection``: what lies beyond the edges.

    >>> import torch
    >>> straight = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> image = torch.arange(9.0).reshape(1, 1, 3, 3)
    >>> torch.equal(warped(image, straight), image)
    True
    """
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode=fill, align_corners=False)
