"""What a loss takes, read from the graph that computed it, where the loss itself is not at hand."""

from __future__ import annotations

from typing import Any

from torch import Tensor

__all__ = ["loss_from_graph"]

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


def loss_from_graph(loss: Tensor) -> dict[str, Any]:
    """Give ``expects``: ``logits``, ``probabilities``, ``values`` or ``unknown``.

    >>> import torch
    >>> output = torch.zeros(3, 2, requires_grad=True)
    >>> loss_from_graph(torch.nn.functional.cross_entropy(output, torch.tensor([0, 1, 1])))["expects"]
    'logits'
    """
    node: Any = loss.grad_fn
    for _ in range(_DEEP):
        if node is None:
            break
        kind = _TAKES.get(type(node).__name__.removesuffix("0").removesuffix("Backward"))
        before = [following for following, _ in node.next_functions if following is not None]
        if kind == "log_probabilities":
            softened = bool(before) and type(before[0]).__name__.startswith("LogSoftmax")
            return {"expects": "logits" if softened else "unknown"}
        if kind is not None:
            return {"expects": kind}
        node = before[0] if before else None
    return {"expects": "unknown"}
