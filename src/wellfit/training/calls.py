"""How a module is called in someone else's loop: with rows by place, by name or in a dictionary."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

__all__ = ["SeenCalls", "by_place"]


class SeenCalls:
    """What a module is called with in the first steps: tensors of rows, and the rest as it is in the first call.

    Rows are the tensors that are as long as a call's first one. Of other calls than the first, rows alone are kept, and
    only of those of its form.

    >>> seen = SeenCalls(4)
    >>> for _ in range(2):
    ...     seen.take((), {"x": torch.ones(3, 2), "flag": True})
    >>> seen.enough, [tuple(part.shape) for part in seen.sample()]
    (True, [(4, 2)])
    >>> seen.again(lambda x, flag: (x, flag), torch.zeros(1, 2))
    (tensor([[0., 0.]]), True)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._form: Any = None
        self._leaves: list[Any] = []
        self._places: list[int] = []
        self._rows: list[tuple[Tensor, ...]] = []

    def take(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Keep a call's rows, where it has any."""
        leaves, form = tree_flatten((arguments, dict(named)))
        places = _of_rows(leaves)
        if places and not self._rows:
            self._form, self._leaves, self._places = form, leaves, places
        if places and (form, places) == (self._form, self._places):
            self._rows.append(tuple(leaves[place].detach() for place in places))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def enough(self) -> bool:
        """Whether there are as many rows as are wanted."""
        return sum(len(rows[0]) for rows in self._rows) >= self._most

    @property
    def first(self) -> tuple[Tensor, ...]:
        """The rows of the first call."""
        return self._rows[0]

    @property
    def batch_rows(self) -> int:
        """The most rows of a call, 1 where none was seen."""
        return max((len(rows[0]) for rows in self._rows), default=1)

    def sample(self) -> tuple[Tensor, ...]:
        """Give the rows seen, joined where their shapes agree."""
        if len({tuple(part.shape[1:] for part in rows) for rows in self._rows}) > 1:
            return self.first
        return tuple(torch.cat(parts)[: self._most] for parts in zip(*self._rows, strict=True))

    def again(self, module: Any, *rows: Tensor) -> Any:
        """Call as the first call did, with these rows."""
        leaves = list(self._leaves)
        for place, part in zip(self._places, rows, strict=True):
            leaves[place] = part
        arguments, named = tree_unflatten(leaves, self._form)
        return module(*arguments, **named)


def _of_rows(leaves: list[Any]) -> list[int]:
    """Give the places of the tensors that are as long as the first one."""
    tensors = {place: part for place, part in enumerate(leaves) if isinstance(part, Tensor) and part.ndim > 0}
    first = next(iter(tensors.values()), None)
    return [place for place, part in tensors.items() if first is not None and 0 < len(part) == len(first)]


def by_place(module: nn.Module, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Give all arguments by their places; None where one has none.

    >>> by_place(nn.Linear(1, 1), (), {"input": 3})
    (3,)
    """
    if not named:
        return arguments
    try:
        bound = inspect.signature(module.forward).bind(*arguments, **named)
    except (TypeError, ValueError):
        return None
    return None if bound.kwargs else bound.args
