"""Initial weights by name.

He: He et al. 2015 (variance 2 / fan_in). Xavier or Glorot: Glorot & Bengio 2010 (2 / (fan_in + fan_out)).
LeCun: LeCun et al. 1998 (1 / fan_in). Orthogonal: Saxe et al. 2014.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor, nn

from wellfit.errors import ConfigError, did_you_mean

__all__ = ["INITS", "OTHER_NAMES", "REFUSED", "initialize", "resolve_init"]


def _fan_in(weight: Tensor) -> int:
    return weight[0].numel()


def _lecun_normal(weight: Tensor) -> None:
    nn.init.normal_(weight, std=1.0 / math.sqrt(_fan_in(weight)))


def _lecun_uniform(weight: Tensor) -> None:
    bound = math.sqrt(3.0 / _fan_in(weight))
    nn.init.uniform_(weight, -bound, bound)


INITS: dict[str, Callable[[Tensor], object]] = {
    "he_normal": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "he_uniform": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
    "xavier_normal": nn.init.xavier_normal_,
    "xavier_uniform": nn.init.xavier_uniform_,
    "lecun_normal": _lecun_normal,
    "lecun_uniform": _lecun_uniform,
    "orthogonal": nn.init.orthogonal_,
}
"""Schemes for weights, from the fans of each layer."""

OTHER_NAMES = {
    "he": "he_normal",
    "kaiming": "he_normal",
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "xavier": "xavier_uniform",
    "glorot": "xavier_uniform",
    "glorot_normal": "xavier_normal",
    "glorot_uniform": "xavier_uniform",
    "lecun": "lecun_normal",
}
"""Other names that people know the schemes by."""

_ALIKE = (
    "Weights must not start all alike: every unit of a layer would learn the same. "
    "Try he for ReLU-like activations or xavier for tanh and sigmoid."
)
REFUSED = dict.fromkeys(("zeros", "zero", "ones", "one", "constant"), _ALIKE)
"""Schemes that can't train a network, and why."""


def resolve_init(name: str) -> str:
    """Turn any of a scheme's names into the one it is registered under.

    Raises:
        ConfigError: for zeros and the like, and for unknown names.

    >>> resolve_init("kaiming")
    'he_normal'
    """
    resolved = OTHER_NAMES.get(name, name)
    if resolved not in INITS:
        hint = REFUSED.get(name) or did_you_mean(name, [*INITS, *OTHER_NAMES])
        raise ConfigError("There is no such init.", got=name, do=hint)
    return resolved


def initialize(module: nn.Module, scheme: str) -> None:
    """Draw the weights of every linear and convolutional layer of a module anew; biases become zero.

    Draws come from torch's global generator. Layers of other kinds keep what they have.
    """
    init = INITS[resolve_init(scheme)]
    for layer in module.modules():
        if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            init(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
