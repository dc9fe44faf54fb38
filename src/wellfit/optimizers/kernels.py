"""The fastest of torch's implementations for given parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

__all__ = ["fused_or_foreach"]

_FUSED_ON = ("cpu", "cuda")
"""Where Adam, AdamW, SGD and Adagrad all have a fused kernel."""


def fused_or_foreach(params: Sequence[Any]) -> dict[str, Any]:
    """Give ``fused=True`` where all parameters are on a device that has the kernels, else ``foreach=True``.

    >>> import torch
    >>> fused_or_foreach([torch.ones(2)])
    {'fused': True}
    """
    return {"fused": True} if all(tensor.device.type in _FUSED_ON for tensor in _tensors(params)) else {"foreach": True}


def _tensors(params: Sequence[Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for item in params:
        if isinstance(item, Mapping):
            found += _tensors(item["params"])
        else:
            found.append(item[1] if isinstance(item, tuple) else item)
    return found
