"""Which parameters are weights: what penalties and weight decay act on."""

from __future__ import annotations

import re

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

__all__ = ["decayed_parameters"]

_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
_NORM_NAME = re.compile(r"Norm(\d+d)?$")


def decayed_parameters(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Give the weights of a module with their names, in order, each once even where layers share it.

    A weight is a trainable parameter of two dimensions or more (embeddings are weights) that is no bias and belongs
    to no normalisation: torch's, or a class whose name ends in ``Norm``, ``Norm1d`` and so on.

    >>> [name for name, _ in decayed_parameters(nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1)))]
    ['0.weight', '2.weight']
    """
    norms = {id(own) for part in module.modules() if _is_norm(part) for own in part.parameters(recurse=False)}
    return [
        (name, parameter)
        for name, parameter in module.named_parameters()
        if parameter.ndim >= 2
        and parameter.requires_grad
        and id(parameter) not in norms
        and "bias" not in name.rsplit(".", 1)[-1]
    ]


def _is_norm(module: nn.Module) -> bool:
    # an own norm is known by its name alone
    return isinstance(module, _NORMS) or _NORM_NAME.search(type(module).__name__) is not None
