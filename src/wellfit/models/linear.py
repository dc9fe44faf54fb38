"""A linear model: what can be trained when there is no time for a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from wellfit.models.entry import ModelEntry, Occasion, TableInputs

__all__ = ["ENTRY", "Linear"]


class Linear(nn.Module):
    """One weight a number and one a level, for each output.

    >>> model = Linear(TableInputs(numeric=3, cardinalities=(5,)), 2)
    >>> model(torch.zeros(4, 3), torch.zeros(4, 1, dtype=torch.int64)).shape
    torch.Size([4, 2])
    """

    def __init__(self, inputs: TableInputs, outputs: int) -> None:
        super().__init__()
        self.numeric = nn.Linear(inputs.numeric, outputs)
        self.levels = nn.ModuleList(nn.Embedding(count, outputs) for count in inputs.cardinalities)
        # All zero is where convex fitting begins: with no hidden units there are none that could stay alike.
        for weight in self.parameters():
            nn.init.zeros_(weight)

    def forward(self, numeric: Tensor, categorical: Tensor | None = None) -> Tensor:
        """Map float32 ``[row, number]`` and int64 ``[row, category]`` to ``[row, output]``."""
        total: Tensor = self.numeric(numeric)
        if categorical is None:
            return total
        for place, layer in enumerate(self.levels):
            total = total + layer(categorical[..., place])
        return total


def _recipe(occasion: Occasion) -> Mapping[str, Any]:
    return {"train.optimizer": "adam", "train.epochs": 20, "train.l2": 1e-4}


ENTRY = ModelEntry(
    name="linear",
    summary="Linear or logistic regression, with one weight a level of each category",
    make=Linear,
    formula="y = W x + b",
    reference="Hastie, Tibshirani and Friedman 2009, chapters 3 and 4",
    recipe=_recipe,
)
