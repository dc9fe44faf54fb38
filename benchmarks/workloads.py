"""What is trained: four sizes of work, each the same network and rows for every contestant.

Rows are made once by the benchmark and read from a folder by each contestant's process.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

CLASSES = 10
FASHION = "fashion-mnist-png/fashion_mnist_png.tar.gz"


@dataclass(frozen=True)
class Workload:
    """Rows, batch and the epochs that one timed round trains."""

    name: str
    title: str
    rows: int
    batch: int
    epochs: int = 1
    images: bool = False

    @property
    def steps(self) -> int:
        """Updates of a round."""
        return self.epochs * -(-self.rows // self.batch)

    @property
    def outputs(self) -> int:
        return CLASSES if self.images else 2


WORKLOADS = {
    work.name: work
    for work in (
        Workload("mlp", "MLP 100-256-256-256-2, 50,000 rows, batch 256", 50_000, 256),
        Workload("cnn", "CNN 16-32 3x3 on Fashion-MNIST, 10,000 images, batch 256", 10_000, 256, images=True),
        Workload("batch32", "the MLP, 50,000 rows, batch 32", 50_000, 32),
        Workload("small", "the MLP, 1,000 rows, batch 32, 200 epochs", 1_000, 32, epochs=200),
    )
}
WIDTHS = (100, 256, 256, 256)


def quick(work: Workload) -> Workload:
    """Give a few seconds' worth of the same work."""
    rows = {"mlp": 12_800, "cnn": 1_280, "batch32": 3_200, "small": 1_000}[work.name]
    return replace(work, rows=rows, epochs=min(work.epochs, 10))


def make_rows(work: Workload, folder: Path) -> str:
    """Write X and y; tell where they come from."""
    X, y, source = _images(work.rows) if work.images else _table(work.rows)
    np.save(folder / f"{work.name}-X.npy", X)
    np.save(folder / f"{work.name}-y.npy", y)
    return source


def read_rows(work: Workload, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    return np.load(folder / f"{work.name}-X.npy"), np.load(folder / f"{work.name}-y.npy")


def _table(rows: int) -> tuple[np.ndarray, np.ndarray, str]:
    generator = np.random.default_rng(0)
    X = generator.standard_normal((rows, WIDTHS[0]), dtype=np.float32)
    y = (X[:, :10].sum(1) + X[:, 10] * X[:, 11] + generator.standard_normal(rows) > 0).astype(np.int64)
    return X, y, "random rows"


def _images(count: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Give images [row, 1, height, width] in [0, 1], as many of each class."""
    archive = Path(os.environ.get("WELLFIT_DATA", "")) / FASHION
    if "WELLFIT_DATA" in os.environ and archive.is_file():
        X, y = _fashion(archive, count // CLASSES)
        return X, y, "Fashion-MNIST"
    from sklearn.datasets import load_digits

    digits = load_digits()
    chosen = np.arange(count) % len(digits.target)
    X = (digits.images[chosen, None] / 16).astype(np.float32)
    # Each digit of 8 x 8 pixels is drawn three times as large, within Fashion-MNIST's 28 x 28.
    X = np.pad(X.repeat(3, 2).repeat(3, 3), ((0, 0), (0, 0), (2, 2), (2, 2)))
    return X, digits.target[chosen].astype(np.int64), "scikit-learn's digits, repeated (WELLFIT_DATA is not set)"


def _fashion(archive: Path, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image

    images, labels, counts = [], [], Counter[str]()
    with tarfile.open(archive) as tar:
        for member in tar:
            label = Path(member.name).parent.name
            if not member.name.endswith(".png") or counts[label] == per_class:
                continue
            content = tar.extractfile(member)
            assert content is not None
            images.append(np.asarray(Image.open(io.BytesIO(content.read())).convert("L"), dtype=np.float32) / 255)
            labels.append(label)
            counts[label] += 1
            if len(counts) == CLASSES and set(counts.values()) == {per_class}:
                break
    names = sorted(counts)
    return np.stack(images)[:, None], np.array([names.index(label) for label in labels], dtype=np.int64)
