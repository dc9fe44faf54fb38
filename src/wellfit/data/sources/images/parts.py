"""One file's worth of images that come as an array, with the labels beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Part"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Images of one file or one array."""

    images: np.ndarray[Any, np.dtype[np.uint8]]
    """Uint8 ``[image, height, width, channel]``."""
    labels: Any
    """One label an image; None where there are none."""
    split: str | None
    """``train``, ``valid`` or ``test``; None where the name does not say."""
    source: str
    """What the file or the array is called."""
