"""TabM-mini with piecewise-linear embeddings: one network that imitates ``k``, by the package ``tabm``.

Members are whole TabMs side by side, each with ``k`` heads of its own; heads are averaged as members are.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.models.dropout import dropout
from wellfit.models.entry import ModelEntry, Occasion, TableInputs
from wellfit.models.member_layers import kept_units
from wellfit.models.members import KIND, MEMBERS, Kind, averaged, with_kind
from wellfit.registry import Option

__all__ = ["ENTRY", "TabM"]

EMBEDDING = 16
"""Numbers that a column becomes."""
SAMPLED_ROWS = 100_000
"""Training rows that bins are learned from: torch takes quantiles of at most 16 million numbers."""


class _One(nn.Module):
    """One TabM, with buffers of a size that no data decide: bins that a column does not need say nothing."""

    seen: Tensor

    def __init__(
        self, inputs: TableInputs, outputs: int, *, bins: int, k: int, blocks: int, width: int, dropout: float
    ):
        super().__init__()
        from rtdl_num_embeddings import PiecewiseLinearEmbeddings
        from tabm import TabM as Package

        self.cardinalities = inputs.cardinalities
        embedding = None
        if inputs.numeric:
            edges = [torch.linspace(0.0, 1.0, bins + 1)] * inputs.numeric
            embedding = PiecewiseLinearEmbeddings(edges, EMBEDDING, activation=False, version="B")
            mask = torch.zeros(inputs.numeric, dtype=torch.bool)
            embedding.impl.register_buffer("single_bin_mask", mask)
        self.net = Package.make(
            n_num_features=inputs.numeric,
            cat_cardinalities=list(inputs.cardinalities),
            d_out=outputs,
            num_embeddings=embedding,
            arch_type="tabm-mini",
            k=k,
            n_blocks=blocks,
            d_block=width,
            dropout=dropout,
        )
        if inputs.cardinalities:
            self.net.cat_module = _SeenFlags(inputs.cardinalities)
        for block in self.net.backbone.blocks:
            block[-1] = _Dropout(dropout)
        self.bins = bins

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map ``[row, number]`` and ids ``[row, category]`` to ``[row, head, output]``."""
        backbone = self.net.backbone
        (linear, *rest), *others = backbone.blocks
        parts = [] if self.net.num_module is None else [self.net.num_module(numeric).flatten(1)]
        parts += [self.net.cat_module(categorical)] if self.cardinalities else []
        x = _heads(torch.cat(parts, 1) if len(parts) > 1 else parts[0], backbone.affine.weight, linear)
        for part in (*rest, *others):
            x = part(x)
        outputs: Tensor = self.net.output(x)
        return outputs

    def fit_to(self, numeric: Tensor, categorical: Tensor) -> None:
        """Learn the bins of numbers and which ids there are."""
        if self.cardinalities:
            self.net.cat_module.fit_to(categorical)
        if self.net.num_module is not None:
            _set_bins(self.net.num_module.impl, numeric[:: 1 + len(numeric) // SAMPLED_ROWS], self.bins)


def _heads(x: Tensor, scale: Tensor, linear: nn.Module) -> Tensor:
    """Give the first layer of every head, ``[row, head, unit]``: ``(r_i * x) W + b`` is ``x (r_i * W) + b``.

    Of more rows than units, scaling the weights is less work than scaling the rows, and one product makes all heads.
    """
    weight, bias = linear.get_parameter("weight"), linear.get_parameter("bias")
    if len(x) <= len(weight):
        return functional.linear(x.unsqueeze(1) * scale, weight, bias)
    every = (scale.unsqueeze(1) * weight).flatten(0, 1)
    together: Tensor = functional.linear(x, every, bias.repeat(len(scale)))
    return together.view(len(x), len(scale), len(weight))


class _Dropout(nn.Module):
    """Dropout whose random numbers cost a quarter of torch's.

    >>> _Dropout(0.5).eval()(torch.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Drop units in training, and make the others greater."""
        return x * kept_units(x, self.share) if self.training and self.share else x


class _SeenFlags(nn.Module):
    """One column an id; an id that training rows do not have gives zeros: no weight of it was trained."""

    seen: Tensor

    def __init__(self, cardinalities: tuple[int, ...]) -> None:
        super().__init__()
        self.cardinalities = cardinalities
        self.register_buffer("seen", torch.ones(sum(cardinalities)))

    def fit_to(self, ids: Tensor) -> None:
        """Learn which ids there are from training rows, ``[row, category]``."""
        counts = [torch.bincount(ids[:, place], minlength=size) for place, size in enumerate(self.cardinalities)]
        self.seen.copy_(torch.cat(counts) > 0)

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids ``[row, category]`` to flags ``[row, id]``."""
        flags = [functional.one_hot(ids[:, place], size) for place, size in enumerate(self.cardinalities)]
        return torch.cat(flags, 1) * self.seen


def _set_bins(encoding: Any, numeric: Tensor, bins: int) -> None:
    """Put the quantiles of training rows into an encoding, whose middle bins stay empty where a column has fewer."""
    from rtdl_num_embeddings import _PiecewiseLinearEncodingImpl

    edges = [_edges(column, bins) for column in numeric.T]
    made = _PiecewiseLinearEncodingImpl(edges)
    encoding.weight.zero_()
    encoding.bias.zero_()
    for name in ("weight", "bias"):
        held, learned = getattr(encoding, name), getattr(made, name)
        held[:, : learned.shape[1] - 1] = learned[:, :-1]
        held[:, -1] = learned[:, -1]
    encoding.single_bin_mask.copy_(torch.tensor([len(edge) == 2 for edge in edges]))


def _edges(column: Tensor, bins: int) -> Tensor:
    """Give the ends of a column's bins: half of them quantiles of the rows, half quantiles of the different values.

    Where most rows have one value, such as a gain of 0, the published quantiles of rows leave hardly a bin for all
    others. A column of few values gets a bin for each, one whose values all differ half as many as there might be.
    """
    values = column.unique()
    if len(values) <= bins + 1:
        ends = values
    else:
        shares = torch.linspace(0.0, 1.0, bins // 2 + 1)
        ends = torch.cat([torch.quantile(column, shares), torch.quantile(values, shares)]).unique()
    return ends if len(ends) > 1 else torch.stack([ends[0], ends[0] + 1.0])


class TabM(nn.Module):
    """Several TabM-minis side by side.

    >>> model = TabM(TableInputs(numeric=3, cardinalities=(5,)), 2, kind="logits", members=2, k=4, width=8)
    >>> numeric, ids = torch.zeros(6, 3), torch.zeros(6, 1, dtype=torch.int64)
    >>> model.train()(numeric, ids).shape, model.eval()(numeric, ids).shape
    (torch.Size([6, 8, 2]), torch.Size([6, 2]))
    """

    def __init__(
        self,
        inputs: TableInputs,
        outputs: int,
        *,
        kind: Kind,
        members: int = 1,
        k: int = 16,
        blocks: int = 2,
        width: int = 256,
        bins: int = 128,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.members, self.kind = members, kind
        self.parts = nn.ModuleList(
            _One(inputs, outputs, bins=bins, k=k, blocks=blocks, width=width, dropout=dropout) for _ in range(members)
        )

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map rows to outputs; see `wellfit.models.members` for the shapes. In training, every head is a member."""
        apart = numeric.ndim == 3
        outputs = []
        for place, part in enumerate(self.parts):
            rows = (numeric[:, place], categorical[:, place]) if apart else (numeric, categorical)
            outputs.append(part(*rows))
        if self.training:
            return torch.cat(outputs, 1)
        if apart:
            return torch.stack([averaged(each, self.kind) for each in outputs], 1)
        return averaged(torch.cat(outputs, 1), self.kind)

    @torch.no_grad()
    def fit_to(self, numeric: Tensor, categorical: Tensor, target: Tensor) -> None:
        """Learn bins and ids from training rows; see `wellfit.models.members` for the shapes."""
        apart = numeric.ndim == 3
        for place, part in enumerate(cast("list[_One]", list(self.parts))):
            part.fit_to(*((numeric[:, place], categorical[:, place]) if apart else (numeric, categorical)))

    def factors(self) -> dict[str, tuple[float, float]]:
        """Give the factors of rate and decay by parameter: biases do not decay."""
        return {name: (1.0, 0.0) for name, _ in self.named_parameters() if name.endswith("bias")}


_BATCHES = ((2_800, 32), (4_500, 64), (6_400, 128), (32_000, 256))


def _recipe(occasion: Occasion) -> dict[str, Any]:
    batch = next((size for rows, size in _BATCHES if occasion.rows < rows), 512)
    classes = {"train.loss": "cce"}
    return {
        "features.scale": "quantile",
        "features.encode": {"name": "embedding", "onehot_up_to": 0},
        **({} if occasion.task == "regression" else classes),
        "train.optimizer": {"name": "adam", "lr": 2e-3},
        "train.weight_decay": 3e-4,
        "train.schedule": None,
        "train.batch_size": batch,
        "train.epochs": 256,
        "train.clip_norm": 1.0,
        "train.early_stopping": {"patience": 16},
        "train.precision": "float32",
    }


ENTRY = ModelEntry(
    name="tabm",
    summary="TabM-mini: one network that imitates many, piecewise-linear embeddings",
    make=TabM,
    settle=with_kind,
    recipe=_recipe,
    formula="head i: W_i MLP(r_i * e(x)), e piecewise linear between the training rows' quantiles",
    reference="Gorishniy et al. 2025, TabM; Gorishniy et al. 2022, On embeddings for numerical features",
    options=(
        MEMBERS,
        Option(name="k", kind="int", default=16, low=1, high=1024, help="networks that one imitates"),
        Option(name="blocks", kind="int", default=2, low=1, high=64, help="layers", search=(1, 4)),
        Option(name="width", kind="int", default=256, low=1, high=65536, help="units of a layer", search=(64, 512)),
        Option(name="bins", kind="int", default=128, low=2, high=1024, help="pieces of a number", search=(16, 256)),
        dropout(0.1),
        KIND,
    ),
)
