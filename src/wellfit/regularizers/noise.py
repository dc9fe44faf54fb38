"""Gaussian noise on scaled numeric inputs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Noise", "add_noise"]


def add_noise(x: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """Give ``x + std z`` with ``z`` standard normal from the generator; ``x`` is left alone.

    >>> x = torch.zeros(1, 3)
    >>> first = add_noise(x, 0.1, torch.Generator().manual_seed(0))
    >>> torch.equal(first, add_noise(x, 0.1, torch.Generator().manual_seed(0)))
    True
    """
    if std == 0:
        return x
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return torch.add(x, noise, alpha=std)


@dataclass(frozen=True)
class Noise:
    """Noise on the scaled numeric inputs of training batches, [row, number]; never in evaluation."""

    std: float

    def apply(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Give the inputs with noise drawn from the generator, which is on their device."""
        return add_noise(x, self.std, generator)


ENTRY = Entry(
    name="noise",
    summary="adds Gaussian noise to scaled numeric inputs in training",
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
