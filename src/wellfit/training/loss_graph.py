"""What a loss takes, read from the graph that computed it, where the loss itself is not at hand."""

from __future__ import annotations

from typing import Any

from torch import Tensor

__all__ = ["loss_from_graph", "loss_kind"]

_TAKES = {
    "NllLoss": "log_probabilities",
    "NllLoss2D": "log_probabilities",
    "CrossEntropyLoss": "logits",
    "BinaryCrossEntropyWithLogits": "logits",
    "BinaryCrossEntropy": "probabilities",
    "MseLoss": "values",
    "SmoothL1Loss": "values",
    "HuberLoss": "values",
    "L1Loss": "values",
}
_DEEP = 12
"""Nodes from the loss on that are looked at: reductions and weights come before the loss's own node."""


def loss_kind(loss: Tensor) -> str:
    """Give the name of the loss's node without ``Backward``, empty where none is known.

    >>> import torch
    >>> loss_kind(2 * torch.nn.functional.mse_loss(torch.zeros(3, requires_grad=True), torch.ones(3)))
    'MseLoss'
    """
    return _found(loss)[0]


def loss_from_graph(loss: Tensor) -> dict[str, Any]:
    """Give ``expects``: ``logits``, ``probabilities``, ``values`` or ``unknown``.

    And ``constant_beats_right`` where outputs are spread over more than their rows, as where [n, 1] meets [n]: then
    every output is compared with every target.

    >>> import torch
    >>> output = torch.zeros(3, 2, requires_grad=True)
    >>> loss_from_graph(torch.nn.functional.cross_entropy(output, torch.tensor([0, 1, 1])))["expects"]
    'logits'
    """
    kind, before = _found(loss)
    expects = _TAKES.get(kind, "unknown")
    if expects == "log_probabilities":
        return {"expects": "logits" if before.startswith("LogSoftmax") else "unknown"}
    if expects == "values" and before.startswith("Expand"):
        return {"expects": expects, "constant_beats_right": True}
    return {"expects": expects}


def _found(loss: Tensor) -> tuple[str, str]:
    """Give the name of the loss's node, and of the one before it."""
    node: Any = loss.grad_fn
    for _ in range(_DEEP):
        if node is None:
            break
        before = [following for following, _ in node.next_functions if following is not None]
        kind = type(node).__name__.removesuffix("0").removesuffix("Backward")
        if kind in _TAKES:
            return kind, type(before[0]).__name__ if before else ""
        node = before[0] if before else None
    return "", ""
