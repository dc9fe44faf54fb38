"""Any ``torch.utils.data.Dataset`` of images: what it gives is taken once, item by item.

Legend: a picture is a uint8 array ``[height, width, channel]`` with one channel or three.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from wellfit.data.sources.images.arrays import as_pictures
from wellfit.errors import DataError

__all__ = ["Items", "is_dataset", "pictures_of"]

_MOST_BYTES = 1 << 35
_LONGEST = 200
"""Characters of what a dataset says of an item that it can't give."""


def is_dataset(source: Any) -> bool:
    """Tell a map-style dataset; torch is never imported here, only met."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.utils.data.Dataset) and hasattr(source, "__len__")


@dataclass(frozen=True, kw_only=True)
class Items:
    """What a dataset gave."""

    pictures: list[np.ndarray[Any, Any]]
    labels: list[Any]
    """A class' index is its name where the dataset has names."""
    places: list[int]
    """The number of each item that was given."""
    broken: dict[str, str]
    """Items that the dataset could not give, with what it said."""


def pictures_of(source: Any) -> Items:
    """Give the pictures and the labels of a dataset; an item that it fails to give is set aside.

    Raises:
        DataError: an item is no image, or no image and label; or none could be given.
    """
    pictures, labels, places, size = [], [], [], 0
    broken: dict[str, str] = {}
    for place in range(len(source)):
        try:
            item = source[place]
        except Exception as error:  # the dataset is a person's code, and may raise anything
            broken[f"item {place}"] = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
            continue
        image, label = item[:2] if isinstance(item, (tuple, list)) and len(item) >= 2 else (item, None)
        picture = _picture(image, f"item {place}")
        size += picture.nbytes
        if size > _MOST_BYTES:
            rule = f"The dataset's images take more than {_MOST_BYTES >> 30} GiB."
            raise DataError(rule, do="Resize them in its transform.")
        pictures.append(picture)
        labels.append(_plain(label))
        places.append(place)
    if broken and not pictures:
        first = f"item 0: {broken['item 0']}"
        raise DataError("The dataset gives no item.", got=first, do="Mend its __getitem__.")
    if not pictures:
        raise DataError("The dataset is empty.", got=type(source), do="Give at least one image.")
    named = _named(labels, getattr(source, "classes", None))
    return Items(pictures=pictures, labels=named, places=places, broken=broken)


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
