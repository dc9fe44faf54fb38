"""Sets of small images that a network can learn: bars that stand or lie, and an arrow that points left or right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 12


def bars(count: int, seed: int = 0, *, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Give grey images, uint8 ``[image, side, side]``, and labels: whether the bar stands, lies or leans."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 60, (count, side, side), dtype=np.uint8)
    labels = np.arange(count) % 3
    for image, label, place in zip(images, labels, random.integers(1, side - 2, count), strict=True):
        if label == 0:
            image[:, place : place + 2] = 230
        elif label == 1:
            image[place : place + 2] = 230
        else:
            image[np.arange(side), np.arange(side)] = 230
    return images, np.array(["lies", "leans", "stands"])[(labels + 2) % 3]


def arrows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Give images whose class is lost when they are mirrored: a wedge that points left or right, on any row."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 60, (count, SIDE, SIDE), dtype=np.uint8)
    labels = np.arange(count) % 2
    for image, label, place in zip(images, labels, random.integers(3, SIDE - 4, count), strict=True):
        for step in range(4):
            column = 4 + step if label else SIDE - 5 - step
            image[place - 3 + step : place + 4 - step, column] = 230
    return images, np.array(["left", "right"])[labels]


def folders(root: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    """Write images into a folder per class."""
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        (root / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(root / str(label) / f"{place:04d}.png")
    return root
