"""A look inside a network on its training rows: what of units and gradients is seen, by the clinic's own standard.

It is used to verify cases, never by the doctor: units silent on every training row, the slope of bounded activations,
the gradient of the first layer beside the last one's.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

STATES = ("dead_units", "saturated_units", "vanishing_gradient", "exploding_gradient")
SILENT = 0.3
"""Share of a ReLU layer's units that are zero on every row."""
FLAT = 0.1
"""Mean slope, of the steepest possible, of a tanh or sigmoid layer."""
FADED, GROWN = 1e-2, 1e2
"""Gradient of the first layer's weights by the last one's, per weight."""


def look(problem: Any) -> dict[str, bool]:
    """Tell which of `STATES` the module shows now; the module's gradients are left as they were: none."""
    module, (x, y) = problem.module, (part[:2048] for part in problem.train)
    seen: list[tuple[nn.Module, Tensor]] = []
    kinds = (nn.ReLU, nn.Tanh, nn.Sigmoid)
    # The output layer is left out: a classifier that is sure has flat slopes there.
    parts = [part for part in [*module.modules()][:-1] if isinstance(part, kinds)]
    handles = [part.register_forward_hook(lambda part, _, out: seen.append((part, out.detach()))) for part in parts]
    module.eval()
    try:
        problem.fit["loss"](module(x), y).backward()
    finally:
        for handle in handles:
            handle.remove()
    norms = [
        float(weight.grad.norm()) / math.sqrt(weight.numel())
        for weight in module.parameters()
        if weight.grad is not None and weight.dim() > 1
    ]
    module.zero_grad(set_to_none=True)
    ratio = norms[0] / norms[-1] if len(norms) > 1 and norms[-1] > 0 else 1.0
    return {
        "dead_units": any(_silent(out) > SILENT for part, out in seen if isinstance(part, nn.ReLU)),
        "saturated_units": any(_slope(part, out) < FLAT for part, out in seen if not isinstance(part, nn.ReLU)),
        "vanishing_gradient": len(norms) > 1 and ratio < FADED,
        "exploding_gradient": ratio > GROWN or not math.isfinite(ratio),
    }


def _silent(output: Tensor) -> float:
    rows = output.reshape(len(output), output.shape[1], -1)
    return float((rows.abs().amax((0, 2)) == 0).double().mean())


def _slope(part: nn.Module, output: Tensor) -> float:
    slope = 1 - output**2 if isinstance(part, nn.Tanh) else 4 * output * (1 - output)
    return float(slope.nan_to_num(0.0).mean())
