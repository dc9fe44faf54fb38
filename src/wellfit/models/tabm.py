"""TabM-mini with piecewise-linear embeddings: one network that imitates ``k``, by the package ``tabm``.

Members are whole TabMs side by side, each with ``k`` heads of its own; heads are averaged as members are.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from wellfit.models.bins import BinnedNumbers, set_bins
from wellfit.models.dropout import dropout
from wellfit.models.entry import ModelEntry, Occasion, TableInputs
from wellfit.models.member_layers import product_of
from wellfit.models.members import KIND, MEMBERS, Kind, averaged, in_pieces, with_kind
from wellfit.models.rectified import rectified, rectified_heads
from wellfit.registry import Option

__all__ = ["ENTRY", "TabM"]

EMBEDDING = 16
"""Numbers that a column becomes."""
SAMPLED_ROWS = 100_000
"""Training rows that bins are learned from: torch takes quantiles of at most 16 million numbers."""
UNITS_IN_CACHE = 2**18
"""Units of a layer, of all heads and rows, that fit into a megabyte."""


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
        self.numbers = None if self.net.num_module is None else BinnedNumbers(self.net.num_module)
        self.bins, self.dropout = bins, dropout

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map ``[row, number]`` and ids ``[row, category]`` to ``[row, head, output]``."""
        parts = [] if self.numbers is None else [self.numbers(numeric)]
        parts += [self.net.cat_module(categorical)] if self.cardinalities else []
        x = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
        dropout, (first, *others) = self.dropout, [block[0] for block in self.net.backbone.blocks]
        rows, scale = len(x), self.net.backbone.affine.weight
        x = rectified_heads(x, scale, first.weight, first.bias, dropout, training=self.training)
        for layer in others:
            x = rectified(x, layer.weight, layer.bias, dropout, training=self.training)
        head, x = self.net.output, x.view(rows, len(scale), -1).transpose(0, 1)
        with torch.autocast(x.device.type, enabled=False):
            # Few outputs are made of wide numbers sooner than rows are turned for short ones.
            x = x.to(head.weight.dtype)
            return product_of(self.training)(x, head.weight, head.bias.unsqueeze(1)).transpose(0, 1)

    def fit_to(self, numeric: Tensor, categorical: Tensor) -> None:
        """Learn the bins of numbers and which ids there are."""
        if self.cardinalities:
            self.net.cat_module.fit_to(categorical)
        if self.net.num_module is not None:
            set_bins(self.net.num_module.impl, numeric[:: 1 + len(numeric) // SAMPLED_ROWS], self.bins)


class _SeenFlags(nn.Module):
    """One column an id; an id that training rows do not have gives zeros: no weight of it was trained."""

    offsets: Tensor
    seen: Tensor

    def __init__(self, cardinalities: tuple[int, ...]) -> None:
        super().__init__()
        self.cardinalities = cardinalities
        self.register_buffer("offsets", torch.tensor([0, *cardinalities[:-1]]).cumsum(0), persistent=False)
        self.register_buffer("seen", torch.ones(sum(cardinalities)))

    def fit_to(self, ids: Tensor) -> None:
        """Learn which ids there are from training rows, ``[row, category]``."""
        counts = [torch.bincount(ids[:, place], minlength=size) for place, size in enumerate(self.cardinalities)]
        self.seen.copy_(torch.cat(counts) > 0)

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids ``[row, category]`` to flags ``[row, id]``."""
        # All columns in one go: one after the other, forty of them took an eighth of an update.
        places = ids + self.offsets
        return self.seen.new_zeros(len(ids), len(self.seen)).scatter_(1, places, self.seen[places])


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
        self.rows_in_cache = max(1, UNITS_IN_CACHE // (k * width))
        self.parts = nn.ModuleList(
            _One(inputs, outputs, bins=bins, k=k, blocks=blocks, width=width, dropout=dropout) for _ in range(members)
        )

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map rows to outputs; see `wellfit.models.members` for the shapes. In training, every head is a member."""
        if self.training:
            return torch.cat(self._outputs(numeric, categorical), 1)
        apart = numeric.ndim == 3
        answers = []
        for piece in in_pieces(numeric, categorical, rows=self.rows_in_cache):
            outputs = self._outputs(*piece)
            together = [averaged(each, self.kind) for each in outputs] if apart else [torch.cat(outputs, 1)]
            answers.append(torch.stack(together, 1) if apart else averaged(together[0], self.kind))
        return answers[0] if len(answers) == 1 else torch.cat(answers)

    def _outputs(self, numeric: Tensor, categorical: Tensor) -> list[Tensor]:
        """Give what each member's heads say, ``[row, head, output]``."""
        given = (numeric, categorical)
        apart = numeric.ndim == 3
        rows = [tuple(each[:, place] for each in given) if apart else given for place in range(self.members)]
        return [part(*own) for part, own in zip(self.parts, rows, strict=True)]

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
