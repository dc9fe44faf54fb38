"""What a module does to a fixed sample of rows: signals, silent and saturated units, gradients through the depth.

A probe is a forward and a backward pass of its own, in evaluation mode. Random state, buffers and gradients of the
training stay as they were.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.data.batches import Batch
from wellfit.runtime import restored_random_state
from wellfit.training.evaluation import evaluating
from wellfit.training.recipe import LossLike
from wellfit.training.tracing import Operation, Trace, traced

__all__ = ["Probe"]

ROWS = 256
"""Rows of a probe: a unit that is active on one row in a hundred is seen active with a chance of 92 %."""
PARTS = 8
"""Parts of the sample whose gradients are compared for the noise scale."""

_FLAT_BELOW = {"relu": "zero", "relu6": "zero", "hardswish": "zero"}
_BOUNDED = ("sigmoid", "tanh", "hardsigmoid", "softsign")
_LINEAR = ("linear", "conv")
_RECURRENT = ("rnn", "gru", "lstm")
_BENT = 0.05
"""Mean slope, relative to the steepest, below which a unit of a bounded activation hands on next to no gradient."""
_STILL = 1e-5
"""Spread over the rows relative to the size, below which a unit gives the same for every row."""


class Probe:
    """A module's behaviour on one sample of rows; ``rows`` are on the module's device already.

    Figures, by operation: ``silent_share`` (units of a rectifier that are zero for every row), ``saturated_share``
    (units of a bounded activation whose mean slope is below 5 % of the steepest), ``still_share`` (units that give the
    same for every row), ``signal`` (root mean square over units of the spread over rows), ``slope``. By parameter:
    ``probe_grad`` (root mean square of the gradient's entries). Of the whole: ``probe_loss``, ``noise_scale``.
    """

    def __init__(self, module: nn.Module, loss: LossLike | None, rows: Batch, *, gradient_rows: int = ROWS) -> None:
        self.module, self.loss = module, loss
        self.rows = _cut(rows, ROWS)
        self.gradient_rows = _cut(rows, gradient_rows)
        self._named = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]

    def operations(self) -> tuple[list[dict[str, Any]], str, Tensor | None]:
        """Give the operations of a pass as plain data, the kind of the last one, and the output."""
        described, last, output, _ = self.first_look()
        return described, last, output

    def first_look(self) -> tuple[list[dict[str, Any]], str, Tensor | None, list[tuple[str, str, float]]]:
        """Give what `operations` and `activations` give, from one pass."""
        trace, output = self._forward()
        first = output[0] if isinstance(output, (tuple, list)) else output
        described = [_described(operation, self.module) for operation in trace.operations]
        return described, trace.last(first), first if isinstance(first, Tensor) else None, _figures_of(trace)

    def activations(self) -> list[tuple[str, str, float]]:
        """Give figures of every operation as (name, place, value)."""
        return _figures_of(self._forward()[0])

    def gradients(self, *, noise: bool) -> list[tuple[str, str, float]]:
        """Give figures of the loss and its gradients as (name, place, value); nothing where there is no loss."""
        if self.loss is None or not self._named:
            return []
        with self._apart():
            loss, gradients, of_inputs = self._backward(self.gradient_rows)
            found = [("probe_loss", "", loss)]
            for (name, _), gradient in zip(self._named, gradients, strict=True):
                if gradient is not None:
                    found.append(("probe_grad", name, float(gradient.double().square().mean().sqrt())))
            found += _through_time(of_inputs)
            if noise:
                scale = self._noise_scale(gradients)
                found += [] if scale is None else [("noise_scale", "", scale)]
        return found

    def _forward(self) -> tuple[Trace, Any]:
        with self._apart(), torch.no_grad(), traced(self.module) as trace:
            output = self.module(*self.rows.inputs)
        return trace, output

    @contextmanager
    def _apart(self) -> Iterator[None]:
        with restored_random_state(), evaluating(self.module):
            yield

    def _backward(self, rows: Batch) -> tuple[float, list[Tensor | None], Tensor | None]:
        assert self.loss is not None
        first = rows.inputs[0]
        timed = first.is_floating_point() and first.ndim == 3 and _is_recurrent(self.module)
        inputs = (first.detach().clone().requires_grad_(), *rows.inputs[1:]) if timed else rows.inputs
        weights = [weight for _, weight in self._named]
        with torch.enable_grad():
            total, weight = self.loss.total(self.module(*inputs), rows.target, rows.weight)
            mean = total / weight
            wanted = [*weights, *([inputs[0]] if timed else [])]
            gradients: list[Tensor | None] = list(torch.autograd.grad(mean, wanted, allow_unused=True))
        of_inputs = gradients.pop() if timed else None
        return float(mean.detach()), gradients, of_inputs

    def _noise_scale(self, whole: list[Tensor | None]) -> float | None:
        """Give the rows whose gradients' noise is as large as the gradient (McCandlish et al. 2018, simple scale).

        With the mean gradient G of B rows and g of b < B: |G|^2 = (B |G_B|^2 - b |G_b|^2) / (B - b) without bias, and
        the noise S = (|G_b|^2 - |G_B|^2) / (1/b - 1/B).
        """
        rows = self.gradient_rows
        count = rows.rows
        size = count // PARTS
        if size < 2:
            return None
        small = []
        for part in range(PARTS):
            cut = slice(part * size, (part + 1) * size)
            weight = None if rows.weight is None else rows.weight[cut]
            part_rows = Batch(tuple(tensor[cut] for tensor in rows.inputs), rows.target[cut], weight)
            small.append(_square(self._backward(part_rows)[1]))
        of_part, of_all = sum(small) / PARTS, _square(whole)
        signal = (count * of_all - size * of_part) / (count - size)
        noise = (of_part - of_all) / (1 / size - 1 / count)
        if not signal > 0 or not noise >= 0:
            return None
        return noise / signal


def _cut(rows: Batch, most: int) -> Batch:
    """Give at most so many rows, spread evenly."""
    step = max(1, rows.rows // most)
    weight = None if rows.weight is None else rows.weight[::step][:most]
    return Batch(tuple(part[::step][:most] for part in rows.inputs), rows.target[::step][:most], weight)


def _is_recurrent(module: nn.Module) -> bool:
    return any(isinstance(part, nn.RNNBase) for part in module.modules())


def _square(gradients: list[Tensor | None]) -> float:
    found = [gradient.double() for gradient in gradients if gradient is not None and not gradient.is_sparse]
    return float(torch.stack([gradient.square().sum() for gradient in found]).sum()) if found else 0.0


def _through_time(gradient: Tensor | None) -> list[tuple[str, str, float]]:
    """Compare how much the loss depends on the first and on the last steps of a sequence ``[row, step, feature]``."""
    if gradient is None or gradient.shape[1] < 4:
        return []
    by_step = gradient.double().square().mean((0, 2)).sqrt()
    quarter = max(1, len(by_step) // 4)
    return [
        ("time_grad_first", "", float(by_step[:quarter].max())),
        ("time_grad_last", "", float(by_step[-quarter:].max())),
    ]


def _placed(operations: list[Operation]) -> Iterator[tuple[str, Operation]]:
    """Name each operation by its module; a module that runs several is numbered."""
    seen: dict[str, int] = {}
    for operation in operations:
        name = operation.where or operation.kind
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), operation


def _figures_of(trace: Trace) -> list[tuple[str, str, float]]:
    found = []
    for place, operation in _placed(trace.operations):
        found += [(name, place, value) for name, value in _figures(operation).items()]
        operation.output = None
    return found


def _figures(operation: Operation) -> dict[str, float]:
    output = operation.output
    if output is None or not output.is_floating_point() or output.ndim < 2 or output.shape[0] < 2:
        return {}
    units = _by_unit(output, operation.kind).float()
    if not bool(torch.isfinite(units).all()):
        return {"non_finite_share": float((~torch.isfinite(units)).float().mean())}
    spread = units.std(0, correction=0)
    size = units.square().mean(0).sqrt()
    largest = size.max().clamp_min(torch.finfo(torch.float32).tiny)
    figures = {"signal": float(spread.square().mean().sqrt()), "size": float(size.square().mean().sqrt())}
    if operation.kind in _LINEAR or operation.kind in ("softmax", "log_softmax"):
        return figures
    figures["still_share"] = float((spread <= _STILL * largest).float().mean())
    if operation.kind in _FLAT_BELOW:
        figures["silent_share"] = float((units <= 0).all(0).float().mean())
        figures["zero_share"] = float((units <= 0).float().mean())
    slope = _slope(operation.kind, units)
    if slope is not None:
        figures["saturated_share"] = float((slope.mean(0) < _BENT).float().mean())
        figures["slope"] = float(slope.mean())
    return figures


def _by_unit(output: Tensor, kind: str) -> Tensor:
    """Give ``[sample, unit]``: channels of images are units, and so is the last axis of anything else."""
    if output.ndim >= 4:
        places = math.prod(output.shape[2:])
        # Neighbouring places say nearly the same; a few dozen, a prime apart, stand for all.
        flat = output.flatten(2)
        return flat[:, :, :: _apart(places)].movedim(1, -1).flatten(0, -2)
    return output.flatten(0, -2)


_PLACES = 49
"""Places of an image that a unit is looked at."""


def _apart(places: int) -> int:
    """Give a step that divides no usual width, so that all rows and columns of an image are met."""
    step = max(1, places // _PLACES)
    return next((prime for prime in _PRIMES if prime >= step), step)


_PRIMES = (1, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 97, 199, 499, 997)


def _slope(kind: str, out: Tensor) -> Tensor | None:
    """Give the activation's slope at each output, relative to its steepest."""
    if kind == "sigmoid":
        return 4 * out * (1 - out)
    if kind == "tanh" or kind in ("gru", "lstm", "rnn"):
        return 1 - out.square().clamp_max(1)
    if kind == "hardsigmoid":
        return ((out > 0) & (out < 1)).float()
    if kind == "softsign":
        return (1 - out.abs()).square()
    return None


def _described(operation: Operation, module: nn.Module) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": operation.kind, "where": operation.where}
    if operation.output is not None:
        record["shape"] = list(operation.output.shape[1:])
    if operation.follows:
        record["follows"] = operation.follows
    if operation.weight is not None:
        record |= _of_weight(operation.weight.detach())
    if operation.kind in _RECURRENT:
        record |= _of_recurrence(module.get_submodule(operation.where))
    return record


def _of_weight(weight: Tensor) -> dict[str, Any]:
    """Describe a weight ``[unit, ...]``: its gain is 1 where it keeps the variance of what comes in."""
    flat = weight.flatten(1).float()
    units, fan_in = flat.shape
    gain = float(flat.square().mean().sqrt()) * fan_in**0.5
    alike = units > 1 and fan_in > 0 and bool((flat == flat[:1]).all())
    return {"units": int(units), "fan_in": int(fan_in), "gain": gain, "alike": alike}


def _of_recurrence(part: nn.Module) -> dict[str, Any]:
    for name, weight in part.named_parameters():
        if name.startswith("weight_hh"):
            values = torch.linalg.svdvals(weight.detach().float())
            return {"units": int(weight.shape[1]), "recurrent_gain": float(values.max())}
    return {}
