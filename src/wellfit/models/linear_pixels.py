"""A linear model of an image's pixels: the answer where there is no time for a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from wellfit.models.entry import ModelEntry, Occasion
from wellfit.models.image_inputs import ImageInputs
from wellfit.models.linear import FEWEST_UPDATES

__all__ = ["ENTRY", "LinearPixels"]

_SIDE = 14
"""Pixels of a side that count: more of them are more weights than a hasty training can tell apart."""


class LinearPixels(nn.Module):
    """One weight a pixel and channel, for each output; large images are averaged down to 14 x 14 pixels.

    >>> import torch
    >>> model = LinearPixels(ImageInputs(channels=3, height=32, width=20), 10)
    >>> model(torch.zeros(4, 3, 32, 20)).shape, model.head.weight.shape
    (torch.Size([4, 10]), torch.Size([10, 588]))
    """

    def __init__(self, inputs: ImageInputs, outputs: int) -> None:
        super().__init__()
        self.size = (min(_SIDE, inputs.height), min(_SIDE, inputs.width))
        self.head = nn.Linear(inputs.channels * self.size[0] * self.size[1], outputs)
        # All zero is where convex fitting begins.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map float32 ``[row, channel, height, width]`` to ``[row, output]``."""
        logits: Tensor = self.head(functional.adaptive_avg_pool2d(pixels, self.size).flatten(1))
        return logits.float()


_STEPS = 10
"""Updates that an epoch has at the least, where the images are few."""


def _recipe(occasion: Occasion) -> Mapping[str, Any]:
    size = max(8, min(256, occasion.rows // _STEPS))
    losses = {"binary": "bce", "multiclass": "cce"}
    return {
        "train.loss": losses.get(occasion.task, "mse"),
        "train.optimizer": {"name": "adam", "lr": 0.003},
        "train.batch_size": size,
        "train.epochs": max(3, min(60, FEWEST_UPDATES // max(1, occasion.rows // size))),
        "train.schedule": "cosine",
        "train.weight_decay": 0.02,
        "train.clip_norm": None,
        "train.early_stopping": None,
    }


ENTRY = ModelEntry(
    name="linear_pixels",
    summary="Linear or logistic regression on an image's pixels, averaged down to 14 x 14",
    make=LinearPixels,
    reads="images",
    recipe=_recipe,
    formula="y = W mean(x) + b, means of blocks of pixels",
    reference="Hastie, Tibshirani and Friedman 2009, chapters 3 and 4",
)
