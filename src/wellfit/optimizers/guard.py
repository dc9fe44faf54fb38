"""Gradients are finite, or the run stops and says whose are not."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from wellfit.errors import RunFailed

__all__ = ["refuse_non_finite", "require_finite"]


def require_finite(named_parameters: Iterable[tuple[str, Tensor]]) -> Tensor:
    """Give the L2 norm of all gradients together, having made sure that every number in them is finite.

    One multi-tensor norm and one wait for the device. Parameters without a gradient are skipped.

    Args:
        named_parameters: pairs of a name and a parameter, as ``module.named_parameters()`` gives them.

    Returns:
        The norm, a tensor of no dimensions in float32 or wider, for clipping.

    Raises:
        RunFailed: a gradient holds NaN or infinity; the error names the first such parameter.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> float(require_finite([("weight", weight)]))
    5.0
    """
    named = _gradients(named_parameters)
    if not named:
        return torch.zeros(())
    total = _norm([gradient for _, gradient in named])
    if math.isfinite(total.item()):
        return total
    _find_non_finite(named)
    # Finite numbers whose squares are not: only the sum overflowed.
    return _norm([gradient.to(torch.complex128 if gradient.is_complex() else torch.float64) for _, gradient in named])


def refuse_non_finite(named_parameters: Sequence[tuple[str, Tensor]]) -> None:
    """Make sure that every number in all gradients is finite, where nothing needs their norm.

    A sum is finite only where all its terms are, and on a CPU it takes half the time of a norm. Gradients are read and
    left as they are.

    Args:
        named_parameters: pairs of a name and a parameter, as ``list(module.named_parameters())`` gives them.

    Raises:
        RunFailed: a gradient holds NaN or infinity; the error names the first such parameter.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> refuse_non_finite([("weight", weight)])
    """
    # Run every step: no list is made and no function called for a parameter, which would take longer than its sum.
    total: complex = 0.0
    elsewhere = False
    for _, parameter in named_parameters:
        gradient = parameter.grad
        if gradient is None:
            continue
        if not gradient.is_cpu:
            elsewhere = True
            continue
        if gradient.is_sparse:
            gradient = _values(gradient)
        total += gradient.sum().item()
    if not cmath.isfinite(total):
        _find_non_finite(_gradients(named_parameters))
    if elsewhere:
        # There one multi-tensor norm costs less than a launch and a wait for every parameter.
        require_finite(pair for pair in named_parameters if pair[1].grad is not None and not pair[1].grad.is_cpu)


def _gradients(named_parameters: Iterable[tuple[str, Tensor]]) -> list[tuple[str, Tensor]]:
    return [(name, _values(param.grad)) for name, param in named_parameters if param.grad is not None]


def _find_non_finite(named: list[tuple[str, Tensor]]) -> None:
    for name, gradient in named:
        if not bool(torch.isfinite(gradient).all()):
            raise _refused(name, gradient)


def _values(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def _norm(gradients: list[Tensor]) -> Tensor:
    wide = [gradient.float() if gradient.element_size() < 4 else gradient for gradient in gradients]
    norms = list(torch._foreach_norm(wide))
    device, first = norms[0].device, norms[0].dtype
    if any(norm.dtype != first or norm.device != device for norm in norms):
        widest = torch.float64 if any(norm.dtype == torch.float64 for norm in norms) else torch.float32
        norms = [norm.to(device, widest) for norm in norms]
    total: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return total


def _refused(name: str, gradient: Tensor) -> RunFailed:
    bad = int((~torch.isfinite(gradient)).sum())
    return RunFailed(
        f"The gradient of '{name}' is not finite: {bad} of its {gradient.numel()} numbers are NaN or infinite.",
        do="Lower the learning rate, set train.clip_norm, or look for huge values in the inputs and the target.",
    )
