"""Which views of an image are averaged when it is predicted: more than one only where that is better."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from wellfit.image_prediction import ImagePredictor
from wellfit.models.views import VIEW_SETS

__all__ = ["VIEWS_AT_MOST", "chosen_views", "views_cost"]

_MOST_ROWS = 2000
"""Validation images that the views are tried on."""
_REST = 2.0
"""Seconds for the report."""
_FEWEST_ROWS = 50
"""With fewer, whatever seems better may be chance."""

VIEWS_AT_MOST = max(map(len, VIEW_SETS))
"""Views that are averaged at the most."""

Array = np.ndarray[Any, Any]


def views_cost(rows: int) -> int:
    """Give the forward passes of an image that the choice takes with so many validation rows."""
    return min(rows, _MOST_ROWS) * sum(map(len, VIEW_SETS))


def chosen_views(
    predictor: ImagePredictor,
    pixels: Tensor,
    places: Tensor,
    truth: Array,
    *,
    mirrored: bool,
    scored: int,
    until: float | None = None,
) -> tuple[str, ...]:
    """Give the views whose averaged answers are better on validation rows, by error and by loss both.

    Args:
        predictor: of a trained network.
        pixels: uint8 ``[image, channel, height, width]``.
        places: the image of each validation row, int64 ``[row]``.
        truth: class ids, or numbers in the target's unit, ``[row]``.
        mirrored: whether training saw mirrored images: only then is a mirrored view tried.
        scored: images that are scored with them afterwards.
        until: when that has to be done, on `time.monotonic`'s clock; what would take longer is not tried.
    """
    known = np.isfinite(truth) if truth.dtype.kind == "f" else truth >= 0
    places, truth = places[np.flatnonzero(known)[:_MOST_ROWS]], truth[known][:_MOST_ROWS]
    best = VIEW_SETS[0]
    if len(truth) < _FEWEST_ROWS:
        return best
    began = time.monotonic()
    errors, loss = _judged(predictor, best, pixels, places, truth)
    pass_seconds = (time.monotonic() - began) / len(truth)
    for views in VIEW_SETS[1:]:
        needed = pass_seconds * len(views) * (len(truth) + scored) + _REST
        if (until is not None and time.monotonic() + needed > until) or (not mirrored and _mirrors(views)):
            continue
        tried = _judged(predictor, views, pixels, places, truth)
        if tried[0] < errors and tried[1] <= loss:
            best, (errors, loss) = views, tried
    return best


def _mirrors(views: tuple[str, ...]) -> bool:
    return any("mirror" in view for view in views)


def _judged(
    predictor: ImagePredictor, views: tuple[str, ...], pixels: Tensor, places: Tensor, truth: Array
) -> tuple[float, float]:
    """Give the share of errors and the mean log loss, or the mean absolute and the mean squared error."""
    said = replace(predictor, views=views).outputs(pixels, places)
    if predictor.target.task == "regression":
        return float(np.abs(said - truth).mean()), float(np.square(said - truth).mean())
    likely = said[np.arange(len(truth)), truth].clip(1e-12)
    return float((said.argmax(1) != truth).mean()), float(-np.log(likely).mean())
