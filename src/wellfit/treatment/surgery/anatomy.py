"""What a module is made of, as one forward pass shows it: layers, activations between them, the output's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from wellfit.runtime import restored_random_state
from wellfit.training.evaluation import evaluating
from wellfit.training.tracing import traced

__all__ = ["RECTIFIERS", "SQUASHERS", "Anatomy", "Part", "anatomy"]

RECTIFIERS = ("relu", "leaky_relu", "prelu", "relu6", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus")
SQUASHERS = ("sigmoid", "tanh", "hardsigmoid", "softsign")
_DISTRIBUTIONS = ("softmax", "log_softmax", "logsigmoid")
_LAYERS = ("linear", "conv", "rnn", "gru", "lstm")
_NORMS = ("batch_norm", "layer_norm", "group_norm")


@dataclass(frozen=True)
class Part:
    """One operation of a forward pass: its kind, the module in which it runs, the linear layer it follows unbent."""

    kind: str
    where: str
    follows: str
    shape: tuple[int, ...]
    own: bool
    """Whether a module of its own runs it, this once: such a part can be exchanged."""

    @property
    def is_layer(self) -> bool:
        """Whether it has weights of its own: linear, convolutional or recurrent."""
        return self.kind in _LAYERS

    @property
    def is_norm(self) -> bool:
        """Whether it normalises."""
        return self.kind in _NORMS

    @property
    def is_activation(self) -> bool:
        """Whether it bends what comes in, unit by unit."""
        return self.kind in RECTIFIERS or self.kind in SQUASHERS


@dataclass(frozen=True)
class Anatomy:
    """The parts of a module in the order in which they run."""

    parts: tuple[Part, ...]
    output: Part | None
    """The activation that makes the output; None where a layer does."""
    columns: int

    @property
    def layers(self) -> list[Part]:
        """Layers with weights, in order."""
        return [part for part in self.parts if part.is_layer]

    @property
    def hidden(self) -> list[Part]:
        """Activations that do not make the output."""
        return [part for part in self.parts if part.is_activation and part is not self.output]

    def activation_after(self, layer: Part) -> str:
        """Give the kind of activation that a layer's output passes next; empty where the next layer comes first."""
        place = self.parts.index(layer)
        for part in self.parts[place + 1 :]:
            if part.is_layer:
                return ""
            if part.is_activation:
                return "" if part is self.output else part.kind
        return ""

    def normed(self, layer: Part) -> bool:
        """Whether a norm comes between a layer and what follows it."""
        place = self.parts.index(layer)
        return place + 1 < len(self.parts) and self.parts[place + 1].is_norm


def anatomy(module: nn.Module, sample: Sequence[Tensor]) -> Anatomy:
    """Run a module on a few rows, in evaluation mode, and read off its parts.

    >>> found = anatomy(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), nn.Sigmoid()), [torch.zeros(2, 2)])
    >>> [part.kind for part in found.parts], found.output.where, found.columns
    (['linear', 'relu', 'linear', 'sigmoid'], '3', 1)
    """
    with restored_random_state(), torch.no_grad(), evaluating(module), traced(module) as trace:
        output = module(*sample)
    runs = Counter(operation.where for operation in trace.operations)
    parts = []
    for operation in trace.operations:
        leaf = bool(operation.where) and not list(module.get_submodule(operation.where).children())
        shape = () if operation.output is None else tuple(operation.output.shape)
        own = leaf and runs[operation.where] == 1
        parts.append(Part(operation.kind, operation.where, operation.follows, shape, own))
    first = output[0] if isinstance(output, (tuple, list)) else output
    made = trace.last(first)
    bent = made in RECTIFIERS or made in SQUASHERS or made in _DISTRIBUTIONS
    last = next((part for part in reversed(parts) if part.kind == made), None) if bent else None
    columns = int(first.shape[-1]) if isinstance(first, Tensor) and first.ndim > 1 else 1
    return Anatomy(tuple(parts), last, columns)
