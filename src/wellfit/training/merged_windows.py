"""The loss over windows of steps of a run whose length is not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["MergedWindows"]

_MOST = 128
"""Windows kept; where there are more, two and two become one."""

Window = tuple[int, float, float]
"""Steps, mean loss and largest loss."""


class MergedWindows:
    """Mean and largest loss over windows of steps, which grow with the run.

    >>> windows = MergedWindows()
    >>> windows.add([3.0, 1.0])
    >>> list(windows.ends())
    [(1, 3.0, 3.0), (2, 1.0, 1.0)]
    """

    def __init__(self) -> None:
        self._windows: list[Window] = []
        self._size = 1

    def add(self, losses: Sequence[float]) -> None:
        """Take in the losses of the next steps."""
        # Windows but the last are as large as they may be: it alone may take in more.
        self._windows[-1:] = self._merged([*self._windows[-1:], *((1, loss, loss) for loss in losses)])
        while len(self._windows) > _MOST:
            self._size *= 2
            self._windows = self._merged(self._windows)

    def ends(self) -> Iterator[Window]:
        """Give the step at which each window ends, with its mean and largest loss."""
        step = 0
        for count, mean, most in self._windows:
            step += count
            yield step, mean, most

    def _merged(self, windows: Sequence[Window]) -> list[Window]:
        merged: list[Window] = []
        for count, mean, most in windows:
            if merged and merged[-1][0] + count <= self._size:
                other, its_mean, its_most = merged.pop()
                whole = other + count
                merged.append((whole, (its_mean * other + mean * count) / whole, max(its_most, most)))
            else:
                merged.append((count, mean, most))
        return merged
