"""Passes through a module of which nothing is left behind in it."""

from __future__ import annotations

import sys
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.models.members import Members
from wellfit.runtime import restored_random_state
from wellfit.training.evaluation import evaluating

__all__ = ["apart"]

_OF_TORCH = frozenset(vars(nn.Module()))
"""Attributes that every module has: they are no state of its own."""
_HOLDERS = (list, dict, set, deque, OrderedDict)
_MOST = 2**20
"""Numbers of a tensor kept as an attribute that is copied at the most: a larger one is data, not state."""


@contextmanager
def apart(module: nn.Module) -> Iterator[None]:
    """Have passes in evaluation mode leave random state, modes, buffers and plain attributes as they were.

    A network that looks answers up among its training rows does not find the row itself: of training rows, that would
    tell nothing. Compiled parts run as they were written. What a module keeps in objects of its own, and what its
    hooks do elsewhere, can't be undone.

    >>> class Counter(nn.Module):
    ...     calls = 0
    ...     def forward(self, x):
    ...         self.calls += 1
    ...         return x
    >>> counter = Counter()
    >>> with apart(counter):
    ...     _ = counter(torch.ones(1))
    >>> counter.calls
    0
    """
    with restored_random_state(), evaluating(module), _undone(module), _eager():
        for part in module.modules():
            if isinstance(part, Members) and hasattr(part, "sees_itself"):
                part.sees_itself = False  # type: ignore[assignment]
        yield


def _eager() -> AbstractContextManager[Any]:
    """Compile nothing anew: a pass that is looked into is another program. Without Dynamo nothing was compiled."""
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()


@contextmanager
def _undone(module: nn.Module) -> Iterator[None]:
    """Lend the parts of a module copies of their state, and give them their own back."""
    twins: dict[int, Any] = {}
    own = [(part, dict(part._buffers), _attributes(part)) for part in module.modules()]
    for part, buffers, attributes in own:
        part._buffers.update({name: _twin(value, twins) for name, value in buffers.items()})
        vars(part).update({name: _twin(value, twins) for name, value in attributes.items()})
    try:
        yield
    finally:
        for part, buffers, attributes in own:
            part._buffers.clear()
            part._buffers.update(buffers)
            for name in _attributes(part):
                del vars(part)[name]
            vars(part).update(attributes)


def _attributes(part: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if name not in _OF_TORCH}


def _twin(value: Any, twins: dict[int, Any]) -> Any:
    """Copy what a pass could write into; one that stands in two places is one copy. Trained tensors stay."""
    state = isinstance(value, Tensor) and not value.requires_grad and value.numel() <= _MOST
    if not state and type(value) not in _HOLDERS:
        return value
    if id(value) not in twins:
        twins[id(value)] = value.detach().clone() if state else type(value)(value)
    return twins[id(value)]
