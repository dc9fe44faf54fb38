"""RealMLP-TD: a multi-layer perceptron with tuned defaults, several members in one set of batched weights.

Legend: ``x`` is [member, row, feature]; a first axis of 1 is shared by all members.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from wellfit.models.category_columns import FIRST, CategoryVectors, Flags
from wellfit.models.entry import ModelEntry, Occasion, TableInputs
from wellfit.models.member_layers import MemberBlock, MemberLinear
from wellfit.models.members import KIND, MEMBERS, Kind, averaged, in_pieces, members_first, settled_kind
from wellfit.models.periodic import WIDTH, PeriodicEmbedding
from wellfit.models.sloped import SLOPED
from wellfit.registry import Option

__all__ = ["ENTRY", "RealMLP"]

FLAGS_UP_TO = 9
"""Levels up to which a category is flags, without those for missing and unseen."""
VECTOR = 8
ROWS_IN_CACHE = 512
"""Rows of 256 units that fit into half a megabyte."""
SAMPLED_ROWS = 4096
"""Training rows that the first weights are fitted to."""


class RealMLP(nn.Module):
    """Periodic embeddings, a learned scale of each feature, and layers of the given widths, for each member.

    In evaluation, outputs that are values are held within the range of the training targets.

    >>> model = RealMLP(TableInputs(numeric=3, cardinalities=(5, 30)), 2, hidden=[8], kind="logits", members=4)
    >>> numeric, ids = torch.zeros(6, 3), torch.zeros(6, 2, dtype=torch.int64)
    >>> model.train()(numeric, ids).shape, model.eval()(numeric, ids).shape
    (torch.Size([6, 4, 2]), torch.Size([6, 2]))
    """

    few: Tensor
    """Places of the columns of few levels."""
    many: Tensor
    low: Tensor
    high: Tensor

    def __init__(
        self,
        inputs: TableInputs,
        outputs: int,
        *,
        kind: Kind,
        members: int = 1,
        hidden: Sequence[int] = (256, 256, 256),
        activation: str = "mish",
        dropout: float = 0.15,
    ) -> None:
        super().__init__()
        self.members, self.kind, self.dropout = members, kind, dropout
        self.strength = 1.0
        few = [number for number, size in enumerate(inputs.cardinalities) if size <= FIRST + FLAGS_UP_TO]
        many = [number for number in range(len(inputs.cardinalities)) if number not in few]
        self.register_buffer("few", torch.tensor(few, dtype=torch.int64), persistent=False)
        self.register_buffer("many", torch.tensor(many, dtype=torch.int64), persistent=False)
        self.periodic = PeriodicEmbedding(members=members, numbers=inputs.numeric) if inputs.numeric else None
        self.flags = Flags(_chosen(inputs, few)) if few else None
        self.vectors = CategoryVectors(_chosen(inputs, many), members=members, width=VECTOR) if many else None
        width = WIDTH * inputs.numeric + sum(0 if part is None else part.width for part in (self.flags, self.vectors))
        self.scale = nn.Parameter(torch.ones(members, 1, width))
        widths = [width, *hidden]
        self.blocks = nn.ModuleList(
            MemberBlock(members, before, after, activation=activation) for before, after in itertools.pairwise(widths)
        )
        self.head = MemberLinear(members, widths[-1], outputs)
        self.register_buffer("low", torch.full((outputs,), -torch.inf))
        self.register_buffer("high", torch.full((outputs,), torch.inf))

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map rows to outputs; see `wellfit.models.members` for the shapes."""
        apart = numeric.ndim == 3
        if self.training:
            return self._outputs(numeric, categorical)
        outputs = [self._outputs(*piece) for piece in in_pieces(numeric, categorical, rows=ROWS_IN_CACHE)]
        y = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        if self.kind == "value":
            y = y.clamp(self.low, self.high)
        return y if apart else averaged(y, self.kind)

    def _outputs(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Give what the members say, ``[row, member, output]``."""
        x = self.features(numeric, categorical)
        dropout = self.dropout * self.strength
        for block in self.blocks:
            x = block(x, dropout)
        y: Tensor = self.head(x)
        return y.transpose(0, 1)

    def features(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Give what the first layer reads, ``[member, row, feature]``."""
        numeric, categorical = members_first(numeric), members_first(categorical)
        parts = []
        if self.periodic is not None:
            parts.append(self.periodic(numeric))
        if self.flags is not None:
            flags = self.flags(categorical.index_select(-1, self.few)).to(self.scale.dtype)
            parts.append(flags.expand(self.members, -1, -1))
        if self.vectors is not None:
            parts.append(self.vectors(categorical.index_select(-1, self.many)))
        return torch.cat(parts, dim=-1) * self.scale

    @torch.no_grad()
    def fit_to(self, numeric: Tensor, categorical: Tensor, target: Tensor) -> None:
        """Fit the first weights to training rows, layer by layer; see `wellfit.models.members` for the shapes."""
        if self.flags is not None:
            self.flags.fit_to(categorical.index_select(-1, self.few).flatten(0, -2))
        if self.kind == "value":
            self.low.copy_(target.min())
            self.high.copy_(target.max())
        rows = torch.randperm(len(numeric), device=numeric.device)[:SAMPLED_ROWS]
        x = self.features(numeric[rows], categorical[rows])
        for block in cast("list[MemberBlock]", list(self.blocks)):
            block.linear.fit_to(x)
            x = block(x, 0.0)
        self.head.fit_to(x)

    def factors(self) -> dict[str, tuple[float, float]]:
        """Give the factors of rate and decay by parameter."""
        return {name: _factors(name) for name, _ in self.named_parameters()}

    def at(self, progress: float) -> float:
        """Set the dropout of a moment of the run, constant for half of it and then down half a cosine; give its share.

        Args:
            progress: the share of the run that lies before the next update, in [0, 1].

        Returns:
            The factor of the weight decay, which goes the same way.
        """
        self.strength = 1.0 if progress <= 0.5 else 0.5 * (1.0 + math.cos(math.pi * (2.0 * progress - 1.0)))
        return self.strength


def _chosen(inputs: TableInputs, places: Sequence[int]) -> tuple[int, ...]:
    return tuple(inputs.cardinalities[place] for place in places)


def _factors(name: str) -> tuple[float, float]:
    """Give the factors of a parameter; the published recipe takes the rate's factor twice into the decay."""
    if name.startswith("periodic."):
        return 0.1, 0.01
    if name == "scale":
        return 6.0, 36.0
    if name.endswith(".mix"):
        return 0.1, 0.01
    return (0.1, 0.0) if name.endswith(".bias") else (1.0, 1.0)


def _settled(options: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    kind, given = settled_kind(options, kind), options["activation"]
    activation = given if given != "auto" else "mish" if kind == "value" else "selu"
    return {**options, "kind": kind, "activation": activation}


_EPOCHS = 256


def _recipe(occasion: Occasion) -> dict[str, Any]:
    smoothing = 0.1 if occasion.metric == "accuracy" else 0.0
    classes = {"train.loss": {"name": "cce", "label_smoothing": smoothing}}
    return {
        "features.scale": "robust",
        "features.encode": {"name": "embedding", "onehot_up_to": 0},
        **({} if occasion.task == "regression" else classes),
        "train.optimizer": {"name": "adam", "lr": 0.2 if occasion.task == "regression" else 0.04, "beta2": 0.95},
        "train.schedule": "coslog4",
        "train.epochs": _EPOCHS,
        "train.batch_size": 256,
        "train.weight_decay": 0.02,
        "train.clip_norm": None,
        "train.early_stopping": {"patience": _EPOCHS},
        "train.precision": "float32",
    }


ENTRY = ModelEntry(
    name="realmlp",
    summary="RealMLP-TD: tuned defaults, periodic embeddings, several members in one",
    make=RealMLP,
    settle=_settled,
    recipe=_recipe,
    formula="y <- dropout(z + a (f(z) - z)), z = y W / sqrt(inputs) + b; at first y = s * (cos(2 pi w x + b) V + c, x)",
    reference="Holzmüller et al. 2024, Better by default: strong pre-tuned MLPs and boosted trees on tabular data",
    options=(
        MEMBERS,
        Option(
            name="hidden",
            kind="ints",
            default=[256, 256, 256],
            low=1,
            high=65536,
            help="units of each layer",
            example=[256, 256, 256],
        ),
        Option(
            name="activation",
            kind="str",
            default="auto",
            choices=("auto", *SLOPED),
            help="activation; auto: selu for classes, mish for values",
        ),
        Option(
            name="dropout",
            default=0.15,
            low=0.0,
            high=1.0,
            high_open=True,
            help="share of units dropped in the first half of the run, then less and less",
            search=(0.0, 0.5),
            example=0.15,
        ),
        KIND,
    ),
)
