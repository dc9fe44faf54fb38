"""`Matrix`: rows as a network takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Matrix"]


@dataclass(frozen=True)
class Matrix:
    """Rows as a network takes them: finite numbers and ids of categories.

    Args:
        numeric: float32 [row, number].
        categorical: int64 [row, category]; 0 a missing cell, 1 an unseen or rare level, 2 and on the levels.
    """

    numeric: np.ndarray[Any, np.dtype[np.float32]]
    categorical: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.numeric)
