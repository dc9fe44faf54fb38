"""One forward pass looked into: which operations a module runs, in which order, and what each gives.

Operations are seen where torch dispatches its functions, so that a function called in a custom module is seen as a
layer is. Nothing is changed: the pass runs in evaluation mode; random state, buffers and gradients stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

__all__ = ["Operation", "Trace", "traced"]

_ACTIVATIONS = {
    "relu": (functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_),
    "leaky_relu": (functional.leaky_relu, functional.rrelu),
    "prelu": (functional.prelu, torch.prelu, Tensor.prelu),
    "relu6": (functional.relu6, functional.hardtanh),
    "elu": (functional.elu,),
    "selu": (functional.selu, torch.selu),
    "celu": (functional.celu, torch.celu),
    "gelu": (functional.gelu,),
    "silu": (functional.silu,),
    "mish": (functional.mish,),
    "softplus": (functional.softplus,),
    "softsign": (functional.softsign,),
    "hardswish": (functional.hardswish,),
    "sigmoid": (
        torch.sigmoid,
        torch.sigmoid_,
        functional.sigmoid,
        Tensor.sigmoid,
        Tensor.sigmoid_,
        torch.special.expit,
    ),
    "hardsigmoid": (functional.hardsigmoid,),
    "logsigmoid": (functional.logsigmoid,),
    "tanh": (torch.tanh, torch.tanh_, functional.tanh, Tensor.tanh, Tensor.tanh_),
    "softmax": (functional.softmax, torch.softmax, Tensor.softmax),
    "log_softmax": (functional.log_softmax, torch.log_softmax, Tensor.log_softmax),
    "exp": (torch.exp, Tensor.exp),
}
_LINEAR = {
    "linear": (functional.linear,),
    "conv": (functional.conv1d, functional.conv2d, functional.conv3d, torch.conv1d, torch.conv2d, torch.conv3d),
}
_NORMS = {
    "batch_norm": (functional.batch_norm, torch.batch_norm),
    "layer_norm": (functional.layer_norm, torch.layer_norm),
    "group_norm": (functional.group_norm, torch.group_norm),
}
_LINEAR_BETWEEN = (
    functional.dropout, functional.alpha_dropout, torch.dropout,
    functional.avg_pool1d, functional.avg_pool2d, functional.adaptive_avg_pool2d,
    torch.flatten, torch.reshape, torch.transpose, torch.permute, torch.squeeze, torch.unsqueeze,
    Tensor.flatten, Tensor.reshape, Tensor.view, Tensor.transpose, Tensor.permute, Tensor.squeeze, Tensor.unsqueeze,
    Tensor.contiguous, Tensor.float, Tensor.to, Tensor.mean, torch.mean, Tensor.sum, torch.sum, functional.batch_norm,
    torch.batch_norm,
)  # fmt: skip
"""What keeps a linear map linear: two linear layers with nothing else between are one."""

_KIND: dict[Any, str] = {
    function: kind
    for family in (_ACTIVATIONS, _LINEAR, _NORMS)
    for kind, functions in family.items()
    for function in functions
}
_RECURRENT = {nn.RNN: "rnn", nn.GRU: "gru", nn.LSTM: "lstm"}
_WEIGHTED = (*_LINEAR, *_RECURRENT.values())
_MOST = 400
"""Operations kept: beyond, a deep model repeats itself."""


@dataclass
class Operation:
    """One operation of a forward pass.

    ``output`` is kept until it was read; ``follows`` names the linear layer whose output comes in unbent; ``entering``
    is what comes into the first layer with weights.
    """

    kind: str
    where: str
    output: Tensor | None = field(default=None, repr=False)
    follows: str = ""
    weight: Tensor | None = field(default=None, repr=False)
    entering: Tensor | None = field(default=None, repr=False)


class Trace(TorchFunctionMode):
    """The operations of one forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.place: list[str] = []
        self._linear: dict[int, str] = {}
        self._made: dict[int, str] = {}
        self._alive: list[Any] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the function, and keep what it was and what it gave."""
        out = func(*args, **(kwargs or {}))
        first = args[0] if args else None
        kind = _KIND.get(func)
        if kind is not None and isinstance(out, Tensor) and isinstance(first, Tensor):
            self._keep(kind, func, first, out, args, kwargs or {})
        elif func in _LINEAR_BETWEEN and isinstance(out, Tensor) and isinstance(first, Tensor):
            self._hand_on(first, out)
        return out

    def _keep(self, kind: str, func: Any, first: Tensor, out: Tensor, args: Any, kwargs: Any) -> None:
        self._alive.append(out)
        linear = kind in _LINEAR
        follows = self._linear.get(id(first), "")
        weight = (args[1] if len(args) > 1 else kwargs.get("weight")) if linear else None
        where = self.place[-1] if self.place else ""
        if len(self.operations) < _MOST:
            weighted = any(made.kind in _WEIGHTED for made in self.operations)
            entering = first.detach() if linear and not weighted else None
            self.operations.append(Operation(kind, where, out.detach(), follows if linear else "", weight, entering))
        self._made[id(out)] = kind
        if linear:
            self._linear[id(out)] = where
        elif func in _LINEAR_BETWEEN and follows:
            self._linear[id(out)] = follows

    def _hand_on(self, first: Tensor, out: Tensor) -> None:
        self._alive.append(out)
        for known in (self._linear, self._made):
            if id(first) in known:
                known[id(out)] = known[id(first)]

    def recurrent(self, kind: str, where: str, out: Any) -> None:
        """Keep what a recurrent layer gave."""
        states = out[0] if isinstance(out, tuple) else out
        if isinstance(states, Tensor) and len(self.operations) < _MOST:
            self.operations.append(Operation(kind, where, states.detach()))
            self._alive.append(states)

    def last(self, output: Any) -> str:
        """Give the kind of operation that made the module's output, empty where it is none of the known."""
        return self._made.get(id(output), "") if isinstance(output, Tensor) else ""


@contextmanager
def traced(module: nn.Module) -> Iterator[Trace]:
    """Watch forward passes of a module within the block."""
    trace = Trace()
    handles = []
    for name, part in module.named_modules():
        handles.append(part.register_forward_pre_hook(lambda _, __, name=name: trace.place.append(name)))
        handles.append(part.register_forward_hook(_leaves(trace, name, _RECURRENT.get(type(part))), always_call=True))
    try:
        with trace:
            yield trace
    finally:
        for handle in handles:
            handle.remove()


def _leaves(trace: Trace, name: str, kind: str | None) -> Any:
    def hook(_: nn.Module, __: Any, output: Any) -> None:
        if trace.place:
            trace.place.pop()
        if kind is not None and output is not None:
            trace.recurrent(kind, name, output)

    return hook
