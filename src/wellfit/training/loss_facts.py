"""What a loss wants, found by asking it: logits, probabilities or values, which sign, and row by row or not.

A loss of one's own says nothing of what it takes. It is asked on outputs that are made up for real targets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["loss_facts", "softened_over_rows"]

_ROWS = 64
Ask = Callable[[Tensor], float]


def loss_facts(loss: Any, target: Tensor, outputs: int, shape: Sequence[int] | None = None) -> dict[str, Any]:
    """Ask a loss what it takes; ``loss.total(output, target)`` gives a sum and a weight.

    ``shape`` is that of a row's output where it is known: [n] and [n, 1] are not alike to a loss. One that refuses
    outputs that were made up says nothing of itself: ``expects`` is ``unknown`` then, and there is nothing else.

    Returns ``expects`` (``logits``, ``probabilities``, ``values`` or ``unknown``), ``upside_down`` (whether a wrong
    output costs less than a right one), ``constant_beats_right`` (whether one output for all rows costs less than the
    right one for each, as where shapes are broadcast against each other), ``best`` (its value at a perfect output).
    """
    chosen = _varied(target)
    row = tuple(shape) if shape is not None and math.prod(shape) == outputs else (outputs,)

    def ask(output: Tensor) -> float:
        total, weight = loss.total(output.reshape(len(output), *row), chosen)
        return float(total) / float(weight)

    of_target = _of_numbers if chosen.is_floating_point() else _of_classes
    try:
        with torch.no_grad():
            facts = of_target(ask, chosen, outputs)
    except Exception:
        facts = {"expects": "unknown", "upside_down": False}
    return {**facts, "outputs": outputs}


def softened_over_rows(output: Any, last: str) -> bool:
    """Whether a softmax, the ``last`` operation of a pass, ran over the rows in place of a row's columns.

    >>> softened_over_rows(torch.randn(5, 3).softmax(0), "softmax"), softened_over_rows(torch.eye(3), "softmax")
    (True, False)
    """
    if last not in ("softmax", "log_softmax") or not isinstance(output, Tensor) or output.ndim != 2 or len(output) < 2:
        return False
    shares = output.detach().double().exp() if last == "log_softmax" else output.detach().double()
    by_column, by_row = ((shares.sum(axis) - 1).abs().max() < 1e-3 for axis in (0, 1))
    return bool(by_column) and not bool(by_row)


def _varied(target: Tensor) -> Tensor:
    """Give rows whose targets differ, so that a right output is told from a wrong one."""
    rows = target[torch.linspace(0, len(target) - 1, min(4096, len(target))).long()]
    if rows.is_floating_point():
        finite = torch.isfinite(rows.reshape(len(rows), -1)).all(1)
        return rows[finite][:_ROWS]
    order = torch.argsort(rows.reshape(-1), stable=True)
    return rows[order[torch.linspace(0, len(order) - 1, min(_ROWS, len(order))).long()]]


def _of_numbers(ask: Ask, target: Tensor, outputs: int) -> dict[str, Any]:
    right = target.reshape(len(target), -1).float()
    if right.shape[1] != outputs:
        right = right[:, :1].expand(-1, outputs)
    spread = float(right.std()) or 1.0
    constant = right.mean(0, keepdim=True).expand_as(right)
    at_right, at_mean, beside = ask(right), ask(constant), ask(right + spread)
    unit = bool(((right >= 0) & (right <= 1)).all())
    expects = "values"
    if unit and (_same(ask(right * 4 - 1.5), ask((right * 4 - 1.5).clamp(0, 1))) or _nan(ask(right - 2.0))):
        expects = "probabilities"
    elif unit and ask(right * 20 - 10) < at_right:
        expects = "logits"
    best = ask(right * 20 - 10) if expects == "logits" else at_right
    worst = ask(10 - right * 20) if expects == "logits" else beside
    return {
        "expects": expects,
        "upside_down": bool(worst < best),
        "best": best,
        # Nothing beats a perfect output, except where the loss does not compare row with row.
        "constant_beats_right": bool(at_mean < best - 1e-6 * max(1.0, abs(best))),
    }


def _of_classes(ask: Ask, target: Tensor, outputs: int) -> dict[str, Any]:
    ids = target.reshape(-1).long()
    classes = int(ids.max()) + 1
    if outputs == 1:
        right = ids.float().reshape(-1, 1)
        # Ids above one are numbers to a loss of one column.
        return _of_numbers(ask, right.reshape(-1, 1), 1) | _for_column(ask, right, classes)
    right = torch.nn.functional.one_hot(ids.clamp_max(outputs - 1), outputs).float()
    wrong = right.roll(1, 1)
    some = 0.2 + 0.6 * torch.rand(right.shape, generator=torch.Generator().manual_seed(0))
    sloped = some / some.sum(1, keepdim=True)
    if _same(ask(some * 3 + 5), ask(some * 3)):
        expects, best, worst = "logits", ask(right * 30), ask(wrong * 30)
    elif _same(ask(right), 0.0) and ask(right * 2) > ask(right) + 1e-3:
        expects, best, worst = "values", ask(right), ask(wrong)
    else:
        gentle = right * 0.98 + 0.02 / outputs
        expects, best, worst = "probabilities", ask(gentle), ask(gentle.roll(1, 1))
    smallest = ask(sloped)
    return {
        "expects": expects,
        "upside_down": bool(worst < best),
        "best": min(best, smallest) if best == best else best,
        "classes": classes,
    }


def _for_column(ask: Ask, right: Tensor, classes: int) -> dict[str, Any]:
    """Tell logits from probabilities for one column of a binary target."""
    far, farther = ask(right * 8 - 4), ask(right * 16 - 8)
    inverse, inverse_farther = ask(4 - right * 8), ask(8 - right * 16)
    outside, edge = ask(right * 4 - 1.5), ask(right)
    if _nan(outside) or (_same(outside, edge) and _same(inverse, inverse_farther)):
        expects = "probabilities"
    elif farther < far < inverse < inverse_farther or farther > far > inverse > inverse_farther:
        expects = "logits"
    else:
        expects = "values"
    gentle = right * 0.98 + 0.01
    best, worst = {
        "probabilities": (ask(gentle), ask(1 - gentle)),
        "logits": (farther, inverse_farther),
        "values": (edge, ask(1 - right)),
    }[expects]
    return {"expects": expects, "upside_down": bool(worst < best), "best": best, "classes": classes}


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-4 * max(1.0, abs(a), abs(b))


def _nan(value: float) -> bool:
    return value != value
