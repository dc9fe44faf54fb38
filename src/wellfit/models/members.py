"""Several networks in one module: how their outputs become one answer.

A module with members gives ``[row, member, output]`` while it trains, where every member reads the same rows,
``[row, number]``, and wherever each reads rows of its own, ``[row, member, number]``. Otherwise, in evaluation on
shared rows, it gives their average, ``[row, output]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.registry import Option

__all__ = [
    "KIND",
    "MEMBERS",
    "Kind",
    "Members",
    "averaged",
    "factors_of",
    "in_pieces",
    "known_rows",
    "members_first",
    "pace_of",
    "settled_kind",
    "told_of",
    "with_kind",
]

Kind = Literal["value", "logit", "logits"]
"""What outputs are: values, the logit of class 1, or logits of all classes."""

KIND = Option(
    name="kind",
    kind="str",
    default="auto",
    choices=("auto", "value", "logit", "logits"),
    help="what the outputs are, which says how members are averaged; auto fits it to the loss",
)
MEMBERS = Option(
    name="members",
    kind="int",
    default=1,
    low=1,
    high=1024,
    help="networks that are trained beside each other, and averaged",
    example=4,
)


@runtime_checkable
class Members(Protocol):
    """A module that holds several networks."""

    members: int

    def fit_to(self, numeric: Tensor, categorical: Tensor, target: Tensor) -> None:
        """Learn from training rows what the first weights depend on; random draws are from the global generator.

        Args:
            numeric: float32 ``[row, number]``, or ``[row, member, number]`` where each member has its own rows.
            categorical: ids, int64 ``[row, category]`` or ``[row, member, category]``.
            target: as the loss wants it, ``[row]`` or ``[row, member]``.
        """


def factors_of(module: Any) -> Mapping[str, tuple[float, float]]:
    """Give what rate and weight decay of a parameter are multiplied by, by its name; empty where all are alike."""
    own = getattr(module, "factors", None) if isinstance(module, Members) else None
    return {} if own is None else own()


def pace_of(module: Any) -> Callable[[float], float] | None:
    """Give what a module wants called before each update, with the share of the run done, if it does.

    It gives the factor of the weight decay.
    """
    return getattr(module, "at", None) if isinstance(module, Members) else None


def told_of(module: Any) -> Callable[[Tensor], None] | None:
    """Give what a module wants called before each forward pass of an update, with the answers of its rows, if it does.

    They are as the loss wants them, ``[row]`` or ``[row, member]``.
    """
    return getattr(module, "told", None) if isinstance(module, Members) else None


def known_rows(module: nn.Module) -> int:
    """Give how many training rows the weights of a module hold: those that answers are looked up among.

    >>> known_rows(nn.Linear(2, 1))
    0
    """
    held = (getattr(part, "known_rows", 0) for part in module.modules() if isinstance(part, Members))
    return max(held, default=0)


def averaged(outputs: Tensor, kind: Kind) -> Tensor:
    """Give one answer from those of the members: the mean of values, the mean of probabilities as logits.

    ``value``: mean_m y_m; ``logits``: log mean_m softmax(y_m); ``logit``: logit mean_m sigmoid(y_m), in logarithms, so
    that small probabilities keep their digits.

    Args:
        outputs: floats of any precision, ``[..., member, output]``.
        kind: what they are.

    Returns:
        ``[..., output]``.

    >>> logits = torch.tensor([[[2.0], [-2.0]]])
    >>> averaged(logits, "logit").abs() < 1e-6
    tensor([[True]])
    """
    members = outputs.shape[-2]
    if members == 1:
        return outputs.squeeze(-2)
    if kind == "value":
        return outputs.mean(-2)
    if kind == "logits":
        return outputs.log_softmax(-1).logsumexp(-2) - math.log(members)
    return functional.logsigmoid(outputs).logsumexp(-2) - functional.logsigmoid(-outputs).logsumexp(-2)


def members_first(x: Tensor) -> Tensor:
    """Give rows ``[row, column]`` or ``[row, member, column]`` as ``[1, row, column]`` or ``[member, row, column]``."""
    return x.transpose(0, 1) if x.ndim == 3 else x.unsqueeze(0)


def in_pieces(numeric: Tensor, categorical: Tensor, *, rows: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Give rows in evaluation: where no gradient follows, on a CPU, so many at once that they stay in its cache."""
    whole = torch.is_grad_enabled() or numeric.device.type != "cpu" or torch.compiler.is_compiling()
    count = max(1, len(numeric)) if whole else rows
    return zip(numeric.split(count), categorical.split(count), strict=True)


def with_kind(options: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Settle what outputs are among an entry's options."""
    return {**options, "kind": settled_kind(options, kind)}


def settled_kind(options: Mapping[str, Any], kind: Kind) -> Kind:
    """Give what the outputs are: as an option says, else as the loss wants them."""
    given = options["kind"]
    return kind if given == "auto" else cast(Kind, given)
