"""Reading gradients: which parameters have one, in which precision, sparse or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from wellfit.errors import ConfigError

__all__ = ["evaluated", "gradients_of", "held", "watch_sparse", "widened", "with_gradient"]

_HALF = (torch.bfloat16, torch.float16)


def evaluated(closure: Callable[[], Any] | None) -> Any:
    """Compute the closure's loss with gradients on, or give None where there is no closure."""
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


def with_gradient(group: dict[str, Any]) -> list[Tensor]:
    """Give the parameters of a group that have a gradient; the others are left as they are."""
    return [param for param in group["params"] if param.grad is not None]


def gradients_of(params: list[Tensor]) -> list[Tensor]:
    """Give the gradients of parameters that have one, half precision in float32."""
    return [widened(param.grad) for param in params if param.grad is not None]


def widened(tensor: Tensor) -> Tensor:
    """Give a half-precision tensor in float32, any other as it is.

    States are kept so: an average in eight bits of mantissa never sees a small gradient.
    """
    return tensor.float() if tensor.dtype in _HALF else tensor


def held(tensor: Tensor) -> Tensor:
    """Give a copy of a parameter to be kept as state, in float32 where the parameter is narrower."""
    return tensor.detach().clone(memory_format=torch.preserve_format) if widened(tensor) is tensor else tensor.float()


def watch_sparse(optimizer: Optimizer, name: str, *, accepted: bool) -> None:
    """Refuse sparse gradients in one clear error, or, where they are accepted, step such a group unfused."""

    def check(stepping: Optimizer) -> None:
        for group in stepping.param_groups:
            if any(param.grad is not None and param.grad.is_sparse for param in group["params"]):
                _meet_sparse(group, name, accepted)

    def before(stepping: Optimizer, args: Any, kwargs: Any) -> tuple[Any, dict[str, Any]] | None:
        closure = args[1] if len(args) > 1 else kwargs.get("closure")
        if closure is None:
            check(stepping)
            return None

        def checked() -> Any:
            loss = closure()
            check(stepping)
            return loss

        return (stepping, checked), {}

    optimizer.register_step_pre_hook(before)


def _meet_sparse(group: dict[str, Any], name: str, accepted: bool) -> None:
    if not accepted:
        raise ConfigError(
            f"{name} takes no sparse gradients.",
            do="Use adagrad, ftrl, minibatch, or make the embedding with sparse=False.",
        )
    if group.get("fused"):
        # torch's fused kernels refuse sparse gradients; the rule is the same without them.
        group["fused"] = False
