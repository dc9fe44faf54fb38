"""Activations by name, and the gain that keeps a signal's variance through each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

__all__ = ["ACTIVATIONS", "Activation"]


@dataclass(frozen=True)
class Activation:
    """An activation: how it is made, and the init it wants."""

    make: Callable[[], nn.Module]
    init: str


ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(nn.ReLU, "he_normal"),
    "leaky_relu": Activation(lambda: nn.LeakyReLU(0.01), "he_normal"),
    "gelu": Activation(nn.GELU, "he_normal"),
    "silu": Activation(nn.SiLU, "he_normal"),
    "selu": Activation(nn.SELU, "lecun_normal"),
    "mish": Activation(nn.Mish, "he_normal"),
    "tanh": Activation(nn.Tanh, "xavier_normal"),
    "sigmoid": Activation(nn.Sigmoid, "xavier_normal"),
}
"""The activations a model takes. ``init`` is the scheme that ``init: auto`` resolves to: He et al. 2015 for the
ReLU family, Klambauer et al. 2017 (LeCun) for SELU, Glorot & Bengio 2010 for bounded ones."""
