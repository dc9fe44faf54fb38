"""The worst mistakes of an image model on one sheet, as a PNG in text."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from wellfit.prediction import Scores
from wellfit.prepared_images import PreparedImages

__all__ = ["worst_images"]

_SHOWN = 24
_ACROSS = 8
_SIDE = 96
"""Pixels of a side of each picture on the sheet."""
_GAP = 4

Array = np.ndarray[Any, Any]


def worst_images(prepared: PreparedImages, split: str, scores: Scores) -> dict[str, Any] | None:
    """Give the images that were answered worst, the worst first; None without Pillow, and where all are right.

    Returns:
        ``png`` in base64, ``across`` (pictures in a row of the sheet) and ``captions``, one a picture.
    """
    try:
        from PIL import Image
    except ImportError:
        return None
    if len(scores.target) != prepared.frames[split].height:
        return None
    worst, captions = _worst(prepared, scores)
    if not len(worst):
        return None
    sheet = _sheet(prepared.images.pixels[prepared.places(split)[torch.from_numpy(worst)]])
    with io.BytesIO() as file:
        Image.fromarray(sheet).save(file, format="PNG", optimize=True)
        png = base64.b64encode(file.getvalue()).decode("ascii")
    return {"png": png, "across": _ACROSS, "captions": captions}


def _worst(prepared: PreparedImages, scores: Scores) -> tuple[Array, list[str]]:
    target = prepared.target
    if target.task == "regression":
        order = np.argsort(-np.abs(scores.predicted - scores.target), kind="stable")[:_SHOWN]
        return order, [f"{scores.target[row]:.4g}, said {scores.predicted[row]:.4g}" for row in order]
    ids = scores.target
    said = scores.predicted.argmax(1)
    likely = np.where(ids >= 0, scores.predicted[np.arange(len(ids)), ids], 0.0)
    wrong = np.flatnonzero(said != ids)
    order = wrong[np.argsort(likely[wrong], kind="stable")][:_SHOWN]
    names = [*map(str, target.classes), "a class never seen in training"]
    return order, [f"{names[ids[row]]}, taken for {names[said[row]]}" for row in order]


def _sheet(pixels: Tensor) -> Array:
    """Lay pictures side by side, uint8 ``[height, width]`` of grey ones, ``[height, width, 3]`` of colours."""
    images, channels, height, width = pixels.shape
    scale = _SIDE / max(height, width)
    size = [max(1, round(height * scale)), max(1, round(width * scale))]
    small = functional.interpolate(pixels.float(), size=size, mode="nearest" if scale > 1 else "area")
    rows = math.ceil(images / _ACROSS)
    sheet = torch.full((channels, rows * (size[0] + _GAP), min(images, _ACROSS) * (size[1] + _GAP)), 255.0)
    for place, picture in enumerate(small):
        top, left = place // _ACROSS * (size[0] + _GAP), place % _ACROSS * (size[1] + _GAP)
        sheet[:, top : top + size[0], left : left + size[1]] = picture
    laid = sheet.round().to(torch.uint8).permute(1, 2, 0).numpy()
    return np.ascontiguousarray(laid[:, :, 0] if channels == 1 else laid)
