"""`Targets`: what the training rows answer, for the steps that are learned from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wellfit.errors import ConfigError

__all__ = ["Targets", "needed"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Targets:
    """The targets of the training rows.

    Args:
        values: Class ids, -1 where there is none, or numbers, NaN where there is none; float64 [row].
        classes: How many classes there are; 0 where targets are numbers.
    """

    values: Floats
    classes: int = 0

    @property
    def known(self) -> Flags:
        """Which rows have a target."""
        return np.isfinite(self.values) & (self.values >= 0 if self.classes else True)

    def columns(self) -> Floats:
        """Give what is averaged, float64 [row, output]: a flag for each of three classes or more, else the values.

        >>> Targets(np.array([0.0, 2.0, 1.0]), 3).columns().tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
        """
        if self.classes <= 2:
            return self.values[:, None]
        return np.equal(self.values[:, None], np.arange(self.classes)).astype(np.float64)

    def __getitem__(self, rows: Any) -> Targets:
        return Targets(self.values[rows], self.classes)

    def __len__(self) -> int:
        return len(self.values)


def needed(targets: Targets | None, step: str) -> Targets:
    """Give the targets, or raise `ConfigError` where a step is learned from them and there are none."""
    if targets is None:
        raise ConfigError(f"{step} is learned from the target, and there is none.", do="Give the targets of the rows.")
    return targets
