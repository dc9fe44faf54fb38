"""`torch.compile` where a person asks for it, and eager with one note where no C++ compiler is there."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from wellfit.errors import WellfitWarning

__all__ = ["forward_of"]


def forward_of(module: nn.Module, *, compile: bool, device: torch.device) -> Callable[..., Any]:
    """Give what computes a module's outputs while training: the module, or its compiled form.

    Shapes are compiled as they come: an epoch has two, its batches' and its last batch's, and a kernel made for one
    shape is faster than one made for all.
    """
    if not compile:
        return module
    if device.type == "cpu" and not _cpp_compiler_is_there():
        warnings.warn(
            "There is no C++ compiler, which torch.compile needs on the CPU: training is not compiled.",
            WellfitWarning,
            stacklevel=2,
        )
        return module
    compiled: Callable[..., Any] = torch.compile(module, dynamic=False)
    return compiled


def _cpp_compiler_is_there() -> bool:
    from torch._inductor import cpp_builder, exc

    try:
        cpp_builder.get_cpp_compiler()
    except (exc.InvalidCxxCompiler, RuntimeError):
        return False
    return True
