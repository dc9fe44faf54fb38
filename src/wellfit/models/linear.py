"""A linear model: what a network has to be better than, and the answer when there is no time for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.models.entry import ModelEntry, Occasion, TableInputs
from wellfit.models.members import KIND, MEMBERS, Kind, averaged, with_kind

__all__ = ["ENTRY", "Linear"]


class Linear(nn.Module):
    """One weight a number and one a level, for each output.

    >>> model = Linear(TableInputs(numeric=3, cardinalities=(5,)), 2, kind="logits", members=4)
    >>> model.eval()(torch.zeros(6, 3), torch.zeros(6, 1, dtype=torch.int64)).shape
    torch.Size([6, 2])
    """

    offsets: Tensor

    def __init__(self, inputs: TableInputs, outputs: int, *, kind: Kind, members: int = 1) -> None:
        super().__init__()
        self.kind, self.members = kind, members
        # All zero is where convex fitting begins: with no hidden units there are none that could stay alike.
        self.numeric = nn.Parameter(torch.zeros(members, inputs.numeric, outputs))
        self.levels = nn.Parameter(torch.zeros(members, sum(inputs.cardinalities), outputs))
        self.bias = nn.Parameter(torch.zeros(members, outputs))
        starts = [sum(inputs.cardinalities[:place]) for place in range(len(inputs.cardinalities))]
        self.register_buffer("offsets", torch.tensor(starts, dtype=torch.int64), persistent=False)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map rows to outputs; see `wellfit.models.members` for the shapes."""
        apart = numeric.ndim == 3
        rows = numeric.shape[0]
        x = numeric if apart else numeric.unsqueeze(1).expand(-1, self.members, -1)
        ids = categorical if apart else categorical.unsqueeze(1).expand(-1, self.members, -1)
        y: Tensor = torch.einsum("rmn,mno->rmo", x, self.numeric) + self.bias
        if len(self.offsets):
            places = torch.arange(self.members, device=ids.device)[:, None] * self.levels.shape[1]
            flat = self.levels.flatten(0, 1)[(ids + self.offsets + places).reshape(-1)]
            y = y + flat.reshape(rows, self.members, len(self.offsets), -1).sum(2)
        return y if self.training or apart else averaged(y, self.kind)

    def fit_to(self, numeric: Tensor, categorical: Tensor, target: Tensor) -> None:
        """Begin at zero, whatever the rows are."""

    def factors(self) -> dict[str, tuple[float, float]]:
        """Give the factors of rate and decay by parameter: the bias does not decay."""
        return {"bias": (1.0, 0.0)}


FEWEST_UPDATES = 600
"""Updates in which Adam comes near the optimum of scaled inputs; rows decide how many epochs they are."""


def _recipe(occasion: Occasion) -> Mapping[str, Any]:
    steps = max(1, occasion.rows // 256)
    return {
        "features.scale": "robust",
        "features.encode": {"name": "embedding", "onehot_up_to": 0},
        **({} if occasion.task == "regression" else {"train.loss": "cce"}),
        "train.optimizer": {"name": "adam", "lr": 0.02},
        "train.weight_decay": 0.02,
        "train.schedule": "cosine",
        "train.batch_size": 256,
        "train.epochs": max(3, min(150, FEWEST_UPDATES // steps)),
        "train.clip_norm": None,
        "train.early_stopping": {"patience": 10},
    }


ENTRY = ModelEntry(
    name="linear",
    summary="Linear or logistic regression, with one weight a level of each category",
    make=Linear,
    settle=with_kind,
    formula="y = W x + b",
    reference="Hastie, Tibshirani and Friedman 2009, chapters 3 and 4",
    recipe=_recipe,
    options=(MEMBERS, KIND),
)
