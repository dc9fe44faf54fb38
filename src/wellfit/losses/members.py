"""The loss of several networks in one module: the mean of the members' losses, never the loss of their mean.

Legend: ``output`` is [row, member, output] in training; ``target`` and ``weight`` are [row], or [row, member] where
each member has rows of its own. Anything else is the loss's own affair.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

__all__ = ["MemberLoss"]


class MemberLoss:
    """A loss of rows, taken for every member.

    >>> import torch
    >>> from wellfit.losses import LOSSES
    >>> loss = MemberLoss(LOSSES["mse"].make(), members=2)
    >>> total, weight = loss.total(torch.tensor([[[1.0], [3.0]]]), torch.tensor([1.0]))
    >>> float(total) / weight
    2.0
    """

    def __init__(self, inner: Any, members: int) -> None:
        self.inner, self.members = inner, members

    def total(self, output: Any, target: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor | float]:
        """Give the weighted sum over rows and members, and the sum of the weights; a weight of 0 drops a row."""
        if not isinstance(output, Tensor) or output.ndim != 3:
            total: tuple[Tensor, Tensor | float] = self.inner.total(output, target, weight)
            return total
        heads = output.shape[1]
        of_heads = self._spread(target, heads, output.shape[2])
        weights = None if weight is None else self._spread(weight, heads, 1)
        flat: tuple[Tensor, Tensor | float] = self.inner.total(output.flatten(0, 1), of_heads, weights)
        return flat

    def _spread(self, values: Tensor, heads: int, outputs: int) -> Tensor:
        """Give values of rows, or of rows and members, to every head: a member may have several."""
        if self._by_member(values, outputs):
            values = values if heads == self.members else values.repeat_interleave(heads // self.members, 1)
            return values.reshape(-1)
        return values.repeat_interleave(heads, 0)

    def _by_member(self, values: Tensor, outputs: int) -> bool:
        # Floats of several columns beside several outputs are the shares of classes.
        shares = values.is_floating_point() and outputs > 1
        return self.members > 1 and values.ndim == 2 and values.shape[1] == self.members and not shares

    def prepare(self, target: Tensor, n_outputs: int) -> Tensor:
        """Check a whole target once, and give it as the loss wants it, in its own shape."""
        if not self._by_member(target, n_outputs):
            prepared: Tensor = self.inner.prepare(target, n_outputs)
            return prepared
        flat: Tensor = self.inner.prepare(target.reshape(-1), n_outputs)
        return flat.view(target.shape)

    def activate(self, output: Tensor) -> Tensor:
        """Give what the output means, of the members' average ``[row, output]`` or of each, ``[row, member, ...]``."""
        if output.ndim != 3:
            activated: Tensor = self.inner.activate(output)
            return activated
        flat: Tensor = self.inner.activate(output.flatten(0, 1))
        return flat.view(*output.shape[:2], *flat.shape[1:])
