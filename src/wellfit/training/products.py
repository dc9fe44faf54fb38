"""Linear layers by oneDNN where it is faster than what torch takes: see `wellfit.models.onednn`."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from wellfit.models.onednn import is_faster, times

__all__ = ["LinearByOneDnn", "linear_by_onednn"]

_LEAST = 5_000_000
"""Products of numbers in a layer from which on it is faster: an autograd function in Python takes some 80 us."""
_A_PART = 1_000_000
"""The same for each part of a module, in the mean: each function that is called is looked at, which takes 2 us."""
_CPU = torch.device("cpu")


def linear_by_onednn(module: nn.Module, rows: int, device: torch.device) -> LinearByOneDnn | None:
    """Give what a module trains faster within; None where it does not, which machine and shapes alone decide.

    Args:
        module: what is trained.
        rows: rows of a batch, 1 or more.
        device: where it is trained.
    """
    if device.type != "cpu" or not is_faster():
        return None
    parts = list(module.modules())
    if any(part._compiled_call_impl is not None or hasattr(part, "_orig_mod") for part in parts):
        # A person's own torch.compile: what it has made calls no functions that could be replaced.
        return None
    sizes = [rows * part.in_features * part.out_features for part in parts if isinstance(part, nn.Linear)]
    counted = sum(size for size in sizes if size >= _LEAST)
    return LinearByOneDnn() if counted >= _A_PART * len(parts) else None


class LinearByOneDnn(TorchFunctionMode):
    """Computes large linear layers, and their gradients, by oneDNN within the block.

    What it can't do alike is left to torch: other types and devices, autocast, function transforms, and blocks whose
    tensors are not simply kept, as under `torch.utils.checkpoint`, since the backward pass runs outside of the block.

    >>> layer, rows = nn.Linear(64, 512), torch.ones(256, 64)
    >>> with LinearByOneDnn():
    ...     output = layer(rows)
    >>> torch.allclose(output, layer(rows), atol=1e-5)
    True
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the function, or what does the same."""
        if func is functional.linear and not kwargs and len(args) == 3 and _takes(*args):
            return _Linear.apply(*args)  # type: ignore[no-untyped-call]
        return func(*args, **(kwargs or {}))

    def __enter__(self) -> Self:
        """Begin to watch for linear layers."""
        super().__enter__()  # type: ignore[no-untyped-call]
        return self


def _takes(inputs: Any, weight: Any, bias: Any) -> bool:
    if inputs.numel() * weight.shape[0] < _LEAST or weight.ndim != 2 or inputs.ndim < 2:
        return False
    plain = all(
        type(part) in (Tensor, nn.Parameter) and part.dtype == torch.float32 and part.device == _CPU
        for part in (inputs, weight, *(() if bias is None else (bias,)))
    )
    transformed = torch._C._functorch.peek_interpreter_stack() is not None
    kept = torch._C._autograd._top_saved_tensors_default_hooks(False) is None
    return plain and kept and not transformed and not torch.is_autocast_enabled("cpu")


class _Linear(torch.autograd.Function):
    """``functional.linear``; a gradient that is itself to be differentiated is left to torch."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return times(inputs, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (slope,) = gradients
        inputs, weight = ctx.saved_tensors
        of_inputs, of_weight, of_bias = ctx.needs_input_grad
        by_row, rows = slope.flatten(0, -2), inputs.flatten(0, -2)
        product = _torch_times if torch.is_grad_enabled() else times
        return (
            product(slope, weight.t()) if of_inputs else None,
            product(by_row.t(), rows.t()) if of_weight else None,
            by_row.sum(0) if of_bias else None,
        )


def _torch_times(a: Tensor, b: Tensor) -> Tensor:
    """Give ``a b'`` by torch's own product, which can be differentiated further."""
    return a @ b.t()
