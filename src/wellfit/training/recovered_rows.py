"""The rows that someone else's loop trains with, targets included, though only the loss is handed over.

What the module is called with and what it gives are seen by a hook, and so is the gradient at its output, from which
the target follows where the loss is a usual one: of a squared error ``target = output - gradient n / 2``. Whether it is
that loss is checked by computing it anew.

Legend: outputs and gradients are [row, ...], as the module gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.data.batches import Resident
from wellfit.training.calls import by_place

__all__ = ["MOST_ROWS", "RecoveredRows"]

MOST_ROWS = 2048
"""Rows kept: an accuracy's standard error is then about 1 %."""
_MOST_NUMBERS = 2**24
"""Numbers of all inputs kept, 64 MB."""
_ALIKE = 1e-3
"""Relative difference up to which a loss is the one that was computed anew."""
_WHOLE = 1e-3
"""Distance from whole numbers up to which targets are these: a gradient has seven digits."""

Inverse = Callable[[Tensor, Tensor], Tensor]


class _Known(NamedTuple):
    """A loss whose target follows from output and gradient."""

    loss: Callable[[Tensor, Tensor], Tensor]
    target: Inverse


def _of_classes(output: Tensor, gradient: Tensor) -> Tensor:
    """Give the class of each row: its logit alone is pushed up; none is where the answer is right beyond any doubt."""
    return torch.where((gradient == 0).all(1), output.argmax(1), gradient.argmin(1))


def _of_squares(output: Tensor, gradient: Tensor) -> Tensor:
    return output - gradient * (output.numel() / 2)


def _of_logits(output: Tensor, gradient: Tensor) -> Tensor:
    return (output.sigmoid() - gradient * output.numel()).clamp(0, 1)


def _of_probabilities(output: Tensor, gradient: Tensor) -> Tensor:
    return (output - gradient * output.numel() * output * (1 - output)).clamp(0, 1)


_KNOWN = {
    "NllLoss": (
        _Known(functional.cross_entropy, _of_classes),
        _Known(functional.nll_loss, _of_classes),
    ),
    "MseLoss": (_Known(functional.mse_loss, _of_squares),),
    "BinaryCrossEntropyWithLogits": (_Known(functional.binary_cross_entropy_with_logits, _of_logits),),
    "BinaryCrossEntropy": (_Known(functional.binary_cross_entropy, _of_probabilities),),
}


class _Call:
    """One call of the module, and the gradient at its output once it was computed."""

    def __init__(self, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self.inputs, self.output = inputs, output.detach()
        self.gradient: Tensor | None = None
        output.register_hook(self._keep)

    def _keep(self, gradient: Tensor) -> None:
        self.gradient = gradient.detach()


class RecoveredRows:
    """Rows of a loop's first steps; none where the loss is not a known one, or the module is called in other ways.

    >>> module, rows = nn.Linear(2, 1), torch.randn(8, 2)
    >>> seen = RecoveredRows(module)
    >>> loss = functional.mse_loss(module(rows)[:, 0], rows.sum(1))
    >>> loss.backward()
    >>> seen.take(loss, "MseLoss")
    True
    >>> torch.allclose(seen.rows().target[:, 0], rows.sum(1), atol=1e-5)
    True
    """

    def __init__(self, module: nn.Module) -> None:
        self.loss: Callable[[Tensor, Tensor], Tensor] | None = None
        """The loss, once it is known."""
        self.columns = 1
        """Columns of the output."""
        self.count = 0
        """Rows taken in, the same ones again included."""
        self._parts: list[tuple[tuple[Tensor, ...], Tensor]] = []
        self._calls: list[_Call] = []
        self._numbers = 0
        self._handle: Any = module.register_forward_hook(self._answered, with_kwargs=True)

    @property
    def open(self) -> bool:
        """Whether more rows are waited for."""
        return self._handle is not None

    def close(self) -> None:
        """Take the hook off."""
        if self._handle is not None:
            self._handle.remove()
        self._handle, self._calls = None, []

    def take(self, loss: Tensor, kind: str) -> bool:
        """Take in the rows of the step whose loss this is, after ``backward``, and tell whether they are known.

        ``kind`` names the loss's node in the graph, without ``Backward``.
        """
        calls, self._calls = self._calls, []
        found = self._target(calls[0], loss.detach(), kind) if calls else None
        if found is None:
            self.close()
            return False
        call = calls[0]
        self.columns = call.output.shape[1] if call.output.ndim > 1 else 1
        self._parts.append((call.inputs, found))
        self.count += len(found)
        self._numbers += sum(part.numel() for part in call.inputs)
        if self.count >= MOST_ROWS or self._numbers >= _MOST_NUMBERS:
            self.close()
        return True

    def rows(self) -> Resident:
        """Give the rows so far, each once, in the order in which they came."""
        inputs = [torch.cat(part) for part in zip(*(inputs for inputs, _ in self._parts), strict=True)]
        target = torch.cat([target for _, target in self._parts])
        first = _firsts(inputs, target)[:MOST_ROWS]
        return Resident(tuple(part[first] for part in inputs), target[first])

    def _answered(self, module: nn.Module, given: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
        if not module.training or not torch.is_grad_enabled() or torch.compiler.is_compiling():
            return
        if self._calls:
            # More than one call a step.
            self.close()
            return
        inputs = by_place(module, given, named) or ()
        tensors = [part for part in inputs if isinstance(part, Tensor) and part.ndim > 0]
        plain = isinstance(output, Tensor) and output.requires_grad and output.ndim > 0 and tensors
        if not plain or len(tensors) < len(inputs) or any(len(part) != len(output) for part in tensors):
            self.close()
            return
        self._calls.append(_Call(tuple(part.detach() for part in tensors), output))

    @torch.no_grad()
    def _target(self, call: _Call, loss: Tensor, kind: str) -> Tensor | None:
        if call.gradient is None or call.output.ndim > 2 or not bool(torch.isfinite(call.gradient).all()):
            return None
        for known in _KNOWN.get(kind, ()):
            if self.loss not in (None, known.loss):
                continue
            found = _settled(known.target(call.output, call.gradient)) if _fits(known, call.output) else None
            if found is not None and _same(known.loss(call.output, found), loss):
                self.loss = known.loss
                return found
        return None


def _fits(known: _Known, output: Tensor) -> bool:
    return known.target is not _of_classes or (output.ndim == 2 and output.shape[1] > 1)


def _settled(target: Tensor) -> Tensor:
    """Give whole numbers where all are next to them."""
    if not target.is_floating_point():
        return target
    whole = target.round()
    return whole if bool(((target - whole).abs() <= _WHOLE).all()) else target


def _firsts(inputs: list[Tensor], target: Tensor) -> Tensor:
    """Give the places of rows that did not come before: a small set of rows comes again each epoch."""
    flat = torch.cat([part.reshape(len(part), -1).double() for part in inputs], 1)
    _, number = torch.unique(flat, dim=0, return_inverse=True)
    places = torch.arange(len(flat), device=flat.device)
    first = torch.full_like(places, len(flat)).scatter_reduce_(0, number, places, "amin")[number]
    # Equal inputs may have targets of their own, which are told but to some digits.
    values = target.reshape(len(target), -1).double()
    other = (values - values[first]).abs().amax(1) > _ALIKE * values.abs().max()
    return places[(first == places) | other]


def _same(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs() <= _ALIKE * b.abs().clamp_min(1e-6))
