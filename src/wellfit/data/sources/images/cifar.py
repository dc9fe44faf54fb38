"""The binary versions of CIFAR-10 and CIFAR-100: records of labels and 3072 bytes of pixels.

Formats: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version". The Python version is refused: reading
it would run what its writer wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from wellfit.data.sources.images.blobs import Blobs
from wellfit.data.sources.images.parts import Part
from wellfit.errors import DataError

__all__ = ["is_cifar", "is_pickled_cifar", "read_cifar"]

_TEN = re.compile(r"(data_batch_[1-9]|test_batch)\.bin")
_HUNDRED = re.compile(r"(train|test)\.bin")
_PICKLED = re.compile(r"data_batch_[1-9]|test_batch|batches\.meta")
_PIXELS = 3 * 32 * 32


def is_cifar(name: str) -> bool:
    """Tell a binary file of CIFAR by its name."""
    return bool(_TEN.fullmatch(_base(name)) or _HUNDRED.fullmatch(_base(name)))


def is_pickled_cifar(name: str) -> bool:
    """Tell a file of CIFAR's Python version by its name."""
    return _PICKLED.fullmatch(_base(name)) is not None


def read_cifar(blobs: Blobs, names: Iterable[str]) -> list[Part]:
    """Read files of records; classes have the names that lie beside them, CIFAR-100's the fine ones.

    Raises:
        DataError: a file is cut off.
    """
    return [_part(blobs, name) for name in names]


def _part(blobs: Blobs, name: str) -> Part:
    [(_, content)] = blobs.read({name})
    fine = _HUNDRED.fullmatch(_base(name)) is not None
    labels_of = 2 if fine else 1
    if not content or len(content) % (labels_of + _PIXELS):
        rule = f"'{name}' must hold records of {labels_of + _PIXELS} bytes."
        raise DataError(rule, got=f"{len(content):,} bytes", do="Fetch CIFAR's binary version again.")
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, labels_of + _PIXELS)
    labels, classes = records[:, labels_of - 1], _classes(blobs, name, fine)
    named = [classes[label] for label in labels] if classes and labels.max() < len(classes) else labels
    images = records[:, labels_of:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Part(images=images, labels=named, split="test" if _base(name).startswith("test") else "train", source=name)


def _classes(blobs: Blobs, name: str, fine: bool) -> list[str]:
    beside = name[: len(name) - len(_base(name))] + ("fine_label_names.txt" if fine else "batches.meta.txt")
    found: Mapping[str, bytes] = dict(blobs.read({beside})) if beside in blobs.sizes else {}
    return found.get(beside, b"").decode("utf-8", "replace").split()


def _base(name: str) -> str:
    return name.rpartition("/")[2]
