"""What a module does to a fixed sample of rows: signals, silent and saturated units, gradients through the depth.

A probe is a forward and a backward pass of its own, in evaluation mode. Random state, buffers, plain attributes and
gradients of the training stay as they were; hooks of the module's author are called as in any pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.data.batches import Batch
from wellfit.training.apart import apart
from wellfit.training.recipe import LossLike
from wellfit.training.survey import scales
from wellfit.training.tracing import Operation, Trace, traced
from wellfit.training.unit_figures import unit_figures

__all__ = ["Figure", "Probe"]

Figure = tuple[str, str, float]
"""Name, place and value."""

ROWS = 256
"""Rows of a probe: a unit that is active on one row in a hundred is seen active with a chance of 92 %."""
PARTS = 8
"""Parts of the sample whose gradients are compared for the noise scale."""

_RECURRENT = ("rnn", "gru", "lstm")


class Probe:
    """A module's behaviour on one sample of rows; ``rows`` are on the module's device already.

    Figures, by operation: those of `unit_figures`. By parameter: ``probe_grad`` (root mean square of the gradient's
    entries). Of the whole: ``probe_loss``, ``noise_scale``.
    """

    def __init__(
        self, module: nn.Module, loss: LossLike | None, rows: Batch, call: Callable[..., Any] | None = None
    ) -> None:
        """Make the probe; ``call`` calls the module with the rows' inputs, None: by their places."""
        self.module, self.loss, self._call = module, loss, call or module
        self.rows = _cut(rows, ROWS)
        self._named = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]

    def first_look(self) -> tuple[list[dict[str, Any]], str, Tensor | None, list[Figure]]:
        """Give the operations of a pass as plain data, the kind of the last one, the output, and what `look` gives."""
        trace, output, gradients = self._pass()
        first = output[0] if isinstance(output, (tuple, list)) else output
        described = [_described(operation, self.module) for operation in trace.operations]
        found = [*_figures_of(trace), *self._of_gradients(gradients)]
        return described, trace.last(first), first.detach() if isinstance(first, Tensor) else None, found

    def look(self, *, noise: bool = False) -> list[Figure]:
        """Give figures of every operation and, where there is a loss, of it and its gradients as (name, place, value).

        One pass gives all but the ``noise`` scale, which takes a second one in parts.
        """
        trace, _, gradients = self._pass()
        found = [*_figures_of(trace), *self._of_gradients(gradients)]
        scale = self._noise_scale(gradients.of_weights) if noise and gradients is not None else None
        return found if scale is None else [*found, ("noise_scale", "", scale)]

    def _pass(self) -> tuple[Trace, Any, _Gradients | None]:
        """Trace a forward pass, with its gradients where there is a loss."""
        asked = self.loss is not None and bool(self._named)
        with apart(self.module), torch.set_grad_enabled(asked):
            inputs, timed = self._inputs() if asked else (self.rows.inputs, None)
            with traced(self.module) as trace:
                output = self._call(*inputs)
            return trace, output, self._backward(output, self.rows, timed) if asked else None

    def _inputs(self) -> tuple[tuple[Tensor, ...], Tensor | None]:
        """Give the inputs, and the first apart where it is a sequence: its gradient tells how far memory goes."""
        first, *others = self.rows.inputs
        if not (first.is_floating_point() and first.ndim == 3 and _is_recurrent(self.module)):
            return self.rows.inputs, None
        timed = first.detach().clone().requires_grad_()
        return (timed, *others), timed

    def _backward(self, output: Any, rows: Batch, timed: Tensor | None) -> _Gradients:
        assert self.loss is not None
        wanted = [weight for _, weight in self._named] + ([] if timed is None else [timed])
        total, weight = self.loss.total(output, rows.target, rows.weight)
        mean = total / weight
        found: list[Tensor | None] = list(torch.autograd.grad(mean, wanted, allow_unused=True))
        of_inputs = None if timed is None else found.pop()
        return _Gradients(float(mean.detach()), found, of_inputs)

    def _of_gradients(self, gradients: _Gradients | None) -> list[Figure]:
        if gradients is None:
            return []
        named = [name for (name, _), found in zip(self._named, gradients.of_weights, strict=True) if found is not None]
        sizes = [found.numel() for found in gradients.of_weights if found is not None]
        # In double precision: the square of a gradient that has faded is none in single.
        norms = _norms(gradients.of_weights)
        of_weights = [
            ("probe_grad", name, norm / size**0.5) for name, norm, size in zip(named, norms, sizes, strict=True)
        ]
        return [("probe_loss", "", gradients.loss), *of_weights, *_through_time(gradients.of_inputs)]

    def _noise_scale(self, whole: list[Tensor | None]) -> float | None:
        """Give the rows whose gradients' noise is as large as the gradient (McCandlish et al. 2018, simple scale).

        With the mean gradient G of B rows and g of b < B: |G|^2 = (B |G_B|^2 - b |G_b|^2) / (B - b) without bias, and
        the noise S = (|G_b|^2 - |G_B|^2) / (1/b - 1/B).
        """
        rows = self.rows
        count = rows.rows
        size = count // PARTS
        if size < 2:
            return None
        small = []
        for part in range(PARTS):
            cut = slice(part * size, (part + 1) * size)
            weight = None if rows.weight is None else rows.weight[cut]
            part_rows = Batch(tuple(tensor[cut] for tensor in rows.inputs), rows.target[cut], weight)
            small.append(_square(self._gradients_of(part_rows)))
        of_part, of_all = sum(small) / PARTS, _square(whole)
        signal = (count * of_all - size * of_part) / (count - size)
        noise = (of_part - of_all) / (1 / size - 1 / count)
        if not signal > 0 or not noise >= 0:
            return None
        return noise / signal

    def _gradients_of(self, rows: Batch) -> list[Tensor | None]:
        with apart(self.module), torch.enable_grad():
            return self._backward(self._call(*rows.inputs), rows, None).of_weights


@dataclass(frozen=True)
class _Gradients:
    """The mean loss, and its gradients by trained parameter and, where it is a sequence, by the first input."""

    loss: float
    of_weights: list[Tensor | None]
    of_inputs: Tensor | None


def _cut(rows: Batch, most: int) -> Batch:
    """Give at most so many rows, spread evenly."""
    step = max(1, rows.rows // most)
    weight = None if rows.weight is None else rows.weight[::step][:most]
    return Batch(tuple(part[::step][:most] for part in rows.inputs), rows.target[::step][:most], weight)


def _is_recurrent(module: nn.Module) -> bool:
    return any(isinstance(part, nn.RNNBase) for part in module.modules())


def _norms(gradients: list[Tensor | None]) -> list[float]:
    """Give the norm of every gradient that there is; of a sparse one, of its values."""
    dense = [
        gradient.coalesce().values() if gradient.is_sparse else gradient
        for gradient in gradients
        if gradient is not None
    ]
    return torch.stack(torch._foreach_norm(dense, 2, torch.float64)).tolist() if dense else []


def _square(gradients: list[Tensor | None]) -> float:
    return sum(norm**2 for norm in _norms(gradients))


def _through_time(gradient: Tensor | None) -> list[Figure]:
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


def _figures_of(trace: Trace) -> list[Figure]:
    operations = trace.operations
    figures = unit_figures([operation.kind for operation in operations], [operation.output for operation in operations])
    for operation in operations:
        operation.output = None
    places = [place for place, _ in _placed(operations)]
    return [(name, place, value) for place, of in zip(places, figures, strict=True) for name, value in of.items()]


def _described(operation: Operation, module: nn.Module) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": operation.kind, "where": operation.where}
    if operation.output is not None:
        record["shape"] = list(operation.output.shape[1:])
    if operation.entering is not None:
        record["entering"] = scales(operation.entering)
        operation.entering = None
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
    # Two units alike are rare enough that the others need no look.
    alike = units > 1 and fan_in > 0 and torch.equal(flat[0], flat[1]) and bool((flat == flat[:1]).all())
    return {"units": int(units), "fan_in": int(fan_in), "gain": gain, "alike": alike}


def _of_recurrence(part: nn.Module) -> dict[str, Any]:
    for name, weight in part.named_parameters():
        if name.startswith("weight_hh"):
            values = torch.linalg.svdvals(weight.detach().float())
            return {"units": int(weight.shape[1]), "recurrent_gain": float(values.max())}
    return {}
