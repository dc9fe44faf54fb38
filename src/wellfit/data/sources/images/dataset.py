"""Any ``torch.utils.data.Dataset`` of images: what it gives is taken once, item by item.

Legend: a picture is a uint8 array ``[height, width, channel]`` with one channel or three.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from wellfit.data.sources.images.arrays import as_pictures
from wellfit.errors import DataError

__all__ = ["is_dataset", "pictures_of"]

_MOST_BYTES = 1 << 35


def is_dataset(source: Any) -> bool:
    """Tell a map-style dataset; torch is never imported here, only met."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.utils.data.Dataset) and hasattr(source, "__len__")


def pictures_of(source: Any) -> tuple[list[np.ndarray[Any, Any]], list[Any]]:
    """Give the pictures and the labels of a dataset; a class' index becomes its name where the dataset has them.

    Raises:
        DataError: an item is no image, or no image and label.
    """
    pictures, labels, size = [], [], 0
    for place in range(len(source)):
        item = source[place]
        image, label = item[:2] if isinstance(item, (tuple, list)) and len(item) >= 2 else (item, None)
        picture = _picture(image, f"item {place}")
        size += picture.nbytes
        if size > _MOST_BYTES:
            rule = f"The dataset's images take more than {_MOST_BYTES >> 30} GiB."
            raise DataError(rule, do="Resize them in its transform.")
        pictures.append(picture)
        labels.append(_plain(label))
    if not pictures:
        raise DataError("The dataset is empty.", got=type(source), do="Give at least one image.")
    return pictures, _named(labels, getattr(source, "classes", None))


def _picture(image: Any, name: str) -> np.ndarray[Any, Any]:
    if hasattr(image, "convert"):  # an image of Pillow
        image = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    if hasattr(image, "detach"):
        image = image.detach().cpu().numpy()
    array = np.asarray(image)
    if array.ndim not in (2, 3) or array.dtype == object:
        do = "Its items must be (image, label), the image a tensor [channel, height, width] or an image of Pillow."
        raise DataError(f"The dataset's {name} is no image.", got=type(image), do=do)
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4) and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    return np.asarray(as_pictures(array[None], name)[0])


def _plain(label: Any) -> Any:
    """Give a label as Python has it: the number of a tensor with one."""
    return label.item() if hasattr(label, "item") and getattr(label, "size", None) is not None else label


def _named(labels: list[Any], classes: Any) -> list[Any]:
    whole = all(isinstance(label, int) and not isinstance(label, bool) for label in labels)
    if not isinstance(classes, (list, tuple)) or not whole:
        return labels
    return [str(classes[label]) if 0 <= label < len(classes) else label for label in labels]
