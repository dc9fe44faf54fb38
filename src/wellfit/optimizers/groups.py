"""Parameters in groups, each with its own factor of the rate and of the weight decay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

__all__ = ["Factors", "grouped"]

Factors = Mapping[str, tuple[float, float]]
"""By parameter's name what rate and decay are multiplied by, ``(rate, decay)``; 1 where a name is missing."""


def grouped(named: Iterable[tuple[str, Tensor]], factors: Factors, options: Mapping[str, Any]) -> list[Any]:
    """Give named parameters as an optimizer takes them: as they are, or in one group a pair of factors.

    A step takes ``rate * decay factor * weight decay`` off a weight, whatever its factor of the rate. Groups whose rate
    has the factor 1 come first: the first group's rate is the one that is recorded.

    Args:
        named: names and parameters.
        factors: by name; empty where all parameters are trained alike.
        options: the optimizer's options, the rate among them.

    >>> import torch
    >>> weights = [("w", torch.ones(1)), ("b", torch.ones(1))]
    >>> groups = grouped(weights, {"b": (0.1, 0.0)}, {"lr": 1.0, "weight_decay": 0.5})
    >>> [(group["lr"], group["weight_decay"]) for group in groups]
    [(1.0, 0.5), (0.1, 0.0)]
    """
    if not factors:
        return list(named)
    members: dict[tuple[float, float], list[tuple[str, Tensor]]] = {}
    decays = "weight_decay" in options
    for name, weight in named:
        rate, decay = factors.get(name, (1.0, 1.0))
        members.setdefault((rate, decay if decays else 1.0), []).append((name, weight))
    groups = []
    for (rate, decay), params in sorted(members.items(), key=lambda item: item[0][0] != 1.0):
        own = {"weight_decay": options["weight_decay"] * decay / rate} if decays else {}
        groups.append({"params": params, "lr": options["lr"] * rate, **own})
    return groups
