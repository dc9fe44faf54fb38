"""Products of matrices by oneDNN on processors that the other library of products, MKL, does not know: twice as fast.

torch hands single-precision products on a CPU to MKL, which does without AVX-512 on a processor of another maker. On
one such, a thread takes 310 us for 256 x 256 x 256 by MKL and 145 us by oneDNN, which torch has on board for images.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

__all__ = ["is_faster", "times"]


def times(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give ``a b' + bias``.

    Args:
        a: float32 ``[..., i]``, on the CPU; strides of any order.
        b: float32 ``[o, i]``.
        bias: float32 ``[o]``, if any.

    Returns:
        ``[..., o]``.

    >>> times(torch.ones(2, 3), torch.ones(1, 3)).tolist() if torch.backends.mkldnn.is_available() else [[3.0], [3.0]]
    [[3.0], [3.0]]
    """
    return _product()(a, b, bias, "none", [], "")


@functools.cache
def _product() -> Callable[..., Tensor]:
    found: Callable[..., Tensor] = torch.ops.mkldnn._linear_pointwise.default
    return found


@functools.cache
def is_faster() -> bool:
    """Whether this processor has AVX-512, another maker than MKL's, and a torch with oneDNN."""
    wide = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    there = torch.backends.mkldnn.is_available() and torch.backends.mkl.is_available()
    return wide and there and hasattr(torch.ops.mkldnn, "_linear_pointwise") and _maker() not in ("", "GenuineIntel")


def _maker() -> str:
    """Give the processor's maker as Linux has it; empty where it is not known."""
    about = Path("/proc/cpuinfo")
    found = about.read_text().partition("vendor_id")[2] if about.is_file() else ""
    return found.partition(":")[2].split("\n")[0].strip()
