"""ModernNCA: rows are put where those of like answers are near, and a row's answer is looked up among its neighbours.

Legend: ``x`` is [member, row, feature]. Known rows are the training rows, which the weights hold.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.models.entry import ModelEntry, Occasion, TableInputs
from wellfit.models.members import KIND, MEMBERS, Kind, averaged, members_first, with_kind
from wellfit.models.periodic import Waves
from wellfit.models.same_rows import SameRows
from wellfit.models.soft_neighbours import Known, found_among, known_at, looked_up
from wellfit.registry import Option

__all__ = ["ENTRY", "ModernNCA"]

EMBEDDING = 16
"""Numbers that a column becomes."""
_SPREAD = 0.15
"""Standard deviation of the frequencies."""
KNOWN_ROWS = 32_768
"""Training rows that are kept to be looked among: with twice 16,384 one network had 12 % less RMSE on Beijing's air, 4
on diamonds and 2 on New York's flights, on Adult and bank as much loss, and a prediction takes twice as long."""
PAIRS_AT_ONCE = 2**21
"""Distances of rows to known ones that are made at once outside of training: eight megabytes."""
_PLACED = 2048
"""Known rows that are placed at once: what is made of their columns stays in the cache."""
_DOUBT = 1e-5
"""What is added to a class's share, so that one that no neighbour has is not impossible."""


class ModernNCA(nn.Module):
    """Waves of numbers and vectors of categories in one linear layer, and neighbours by softmax of the distance.

    >>> model = ModernNCA(TableInputs(numeric=3, cardinalities=(5,)), 2, kind="logits", members=2)
    >>> numeric, ids = torch.randn(6, 3), torch.zeros(6, 1, dtype=torch.int64)
    >>> model.fit_to(numeric, ids, torch.tensor([0, 1, 0, 1, 0, 1]))
    >>> model.train()(numeric, ids).shape, model.eval()(numeric, ids).shape
    (torch.Size([6, 2, 2]), torch.Size([6, 2]))
    """

    numeric: Tensor
    categorical: Tensor
    answers: Tensor
    offsets: Tensor

    def __init__(
        self,
        inputs: TableInputs,
        outputs: int,
        *,
        kind: Kind,
        members: int = 1,
        width: int = 64,
        candidates: int = 4096,
    ) -> None:
        super().__init__()
        self.members, self.kind, self.outputs, self.candidates = members, kind, outputs, candidates
        read = EMBEDDING * inputs.numeric
        self.waves = Waves(members=members, numbers=inputs.numeric, width=EMBEDDING, spread=_SPREAD) if read else None
        bound = (read + sum(inputs.cardinalities)) ** -0.5
        self.weight = nn.Parameter(torch.empty(members, inputs.numeric, EMBEDDING, width).uniform_(-bound, bound))
        self.lines = nn.Parameter(torch.empty(members, inputs.numeric, width).uniform_(-bound, bound))
        self.vectors = nn.Parameter(torch.empty(members, sum(inputs.cardinalities), width).uniform_(-bound, bound))
        starts = [0, *itertools.accumulate(inputs.cardinalities)][: len(inputs.cardinalities)]
        self.register_buffer("offsets", torch.tensor(starts, dtype=torch.int64), persistent=False)
        self.register_buffer("numeric", torch.zeros(1, 1, inputs.numeric))
        self.register_buffer("categorical", torch.zeros(1, 1, len(inputs.cardinalities), dtype=torch.int32))
        self.register_buffer("answers", torch.zeros(1, 1, dtype=torch.int64 if kind == "logits" else torch.float32))
        self.sees_itself = True
        """Whether a known row that is asked for in evaluation is among its own neighbours."""
        self._same: dict[bool, SameRows] = {}
        self._told: Tensor | None = None
        self._straight: Tensor | None = None
        self._ready: tuple[Any, Known] | None = None

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map rows to outputs; see `wellfit.models.members` for the shapes. In training, a row does not see itself."""
        apart = numeric.ndim == 3
        if self.training:
            return self._among_candidates(members_first(numeric), members_first(categorical)).transpose(0, 1)
        rows = max(1, PAIRS_AT_ONCE // (self.members * self.known_rows))
        pieces = zip(numeric.split(rows), categorical.split(rows), strict=True)
        said = [self._among_all(*map(members_first, piece)) for piece in pieces]
        y = (said[0] if len(said) == 1 else torch.cat(said, 1)).transpose(0, 1)
        return y if apart else averaged(y, self.kind)

    @property
    def known_rows(self) -> int:
        """How many training rows the weights of each member hold."""
        return int(self.numeric.shape[1])

    def told(self, target: Tensor) -> None:
        """Take the answers of the next rows, ``[row]`` or ``[row, member]``: of rows alike they tell which is which."""
        self._told = target

    def _among_all(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Look rows up among all known ones."""
        hidden = None
        if not self.sees_itself:
            chosen = torch.arange(self.known_rows, device=numeric.device)
            hidden = self._themselves(numeric, categorical, chosen).expand(self.members, -1)
        asked, answers = self._places(numeric, categorical), self._answers(slice(None))
        sloped = torch.is_grad_enabled() and (asked.requires_grad or self.weight.requires_grad)
        if sloped or torch.compiler.is_compiling():
            return self._said(looked_up(asked, self._known_places(), answers, hidden))
        return self._said(found_among(asked, self._known(), answers, hidden))

    def _among_candidates(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Look rows up among some of the known ones, others each time, but for themselves."""
        rows, count = numeric.shape[1], self.numeric.shape[1]
        chosen = torch.randperm(count, device=numeric.device)[: self.candidates]
        hidden = self._themselves(numeric, categorical, chosen)
        pairs = ((numeric, self.numeric[:, chosen]), (categorical, self.categorical[:, chosen]))
        joined = [torch.cat([each.expand(self.members, -1, -1) for each in pair], 1) for pair in pairs]
        asked, others = self._places(*joined).split([rows, len(chosen)], 1)
        return self._said(looked_up(asked, others, self._answers(chosen), hidden.expand(self.members, -1)))

    def _themselves(self, numeric: Tensor, categorical: Tensor, chosen: Tensor) -> Tensor:
        """Give where rows are among the chosen known ones, ``[member, row]``."""
        target, self._told = self._told, None
        parts, known = [numeric, categorical], [self.numeric, self.categorical]
        knows = target is not None
        if target is not None:
            parts.append(_answers_first(target).to(self.answers.dtype).unsqueeze(2))
            known.append(self.answers.unsqueeze(2))
        if knows not in self._same:
            self._same[knows] = SameRows(*known)
        return self._same[knows].places(*parts, chosen)

    def _places(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Give where rows are, float32 ``[member, row, width]``."""
        parts: list[Tensor] = []
        if self.waves is not None:
            with torch.autocast(numeric.device.type, enabled=False):
                parts += self._of_numbers(self.waves, numeric)
        if len(self.offsets):
            starts = torch.arange(self.members, device=categorical.device).view(-1, 1, 1) * self.vectors.shape[1]
            ids = (categorical + self.offsets + starts).expand(self.members, -1, -1)
            vectors = functional.embedding_bag(ids.flatten(0, 1), self.vectors.flatten(0, 1), mode="sum")
            parts.append(vectors.view(*ids.shape[:2], self.vectors.shape[2]))
        return functools.reduce(torch.add, parts)

    def _of_numbers(self, waves: Waves, numeric: Tensor) -> Iterator[Tensor]:
        """Give what numbers come to, ``[member, row, width]``: columns of two values are straight lines."""
        if self._straight is None:
            self._straight = _two_values(self.numeric)
        straight, bent = (each.nonzero().squeeze(1) for each in (self._straight, ~self._straight))
        if len(bent):
            columns = bent if len(straight) else None
            x, weight = (numeric, self.weight) if columns is None else (numeric[..., bent], self.weight[:, bent])
            # Rows come last, as the waves make them: so the gradient comes in the same order.
            yield torch.bmm(weight.flatten(1, 2).mT, functional.relu(waves(x, columns))).mT
        if len(straight):
            yield torch.matmul(numeric[..., straight], self.lines[:, straight])

    def _known_places(self) -> Tensor:
        """Give where the known rows are, with slopes where weights have them."""
        if (torch.is_grad_enabled() and self.weight.requires_grad) or torch.compiler.is_compiling():
            return self._places(self.numeric, self.categorical)
        known = self._known()
        return known.places + known.origin

    def _known(self) -> Known:
        """Give the known rows ready to be looked among, made so again when the weights are others."""
        state = [(weight.data_ptr(), weight._version) for weight in (*self.parameters(), self.numeric)]
        if self._ready is None or self._ready[0] != state:
            pieces = zip(self.numeric.split(_PLACED, 1), self.categorical.split(_PLACED, 1), strict=True)
            # What inference mode makes could not be used for a gradient later.
            with torch.inference_mode(False), torch.no_grad():
                places = torch.cat([self._places(*piece) for piece in pieces], 1)
                self._ready = (state, known_at(places.to(torch.promote_types(places.dtype, torch.float32))))
        return self._ready[1]

    def _answers(self, rows: Tensor | slice) -> Tensor:
        """Give what is known of known rows, ``[member, row, output]``: classes as flags."""
        known = self.answers[:, rows]
        flags = functional.one_hot(known, self.outputs).float() if self.kind == "logits" else known.unsqueeze(2)
        return flags.expand(self.members, -1, -1)

    def _said(self, found: Tensor) -> Tensor:
        """Give values as they are, and shares of classes as logits."""
        if self.kind == "value":
            return found
        if self.kind == "logits":
            return (found + _DOUBT).log() - math.log1p(_DOUBT * self.outputs)
        return (found + _DOUBT).log() - (1.0 - found + _DOUBT).log()

    @torch.no_grad()
    def fit_to(self, numeric: Tensor, categorical: Tensor, target: Tensor) -> None:
        """Keep training rows, and forget ids that none of them has; see `wellfit.models.members` for the shapes."""
        kept = torch.randperm(len(numeric), device=numeric.device)[:KNOWN_ROWS]
        self.numeric, self.categorical = members_first(numeric[kept]), members_first(categorical[kept]).int()
        self.answers = _answers_first(target[kept]).to(self.answers.dtype)
        if len(self.offsets):
            seen = torch.zeros(self.members, self.vectors.shape[1], dtype=torch.bool, device=numeric.device)
            seen.scatter_(1, (self.categorical + self.offsets).flatten(1).expand(self.members, -1), True)
            self.vectors.mul_(seen.unsqueeze(2))
        self._forget()

    def _apply(self, function: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # What was found on another device, or in shorter numbers, is found again.
        self._forget()
        super()._apply(function, recurse)  # type: ignore[no-untyped-call]
        return self

    def _forget(self) -> None:
        """Have what was found in the known rows and with the weights found again."""
        self._same, self._straight, self._ready = {}, None, None

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        # How many rows are known is a matter of the data; torch wants places for them.
        for name in ("numeric", "categorical", "answers"):
            held, given = getattr(self, name), state.get(prefix + name)
            fits = given is not None and given.ndim == held.ndim and given.shape[2:] == held.shape[2:]
            if given is not None and fits and given.shape != held.shape:
                setattr(self, name, held.new_empty(given.shape))
        self._forget()
        super()._load_from_state_dict(state, prefix, *rest)


def _two_values(numeric: Tensor) -> Tensor:
    """Tell which columns of ``[member, row, number]`` have no more than two values, ``[number]``."""
    low, high = numeric.amin((0, 1)), numeric.amax((0, 1))
    return ((numeric == low) | (numeric == high)).all(1).all(0)


def _answers_first(target: Tensor) -> Tensor:
    return target.unsqueeze(0) if target.ndim == 1 else target.T


_MANY_ROWS = 8_000
"""Training rows from which on weights need no decay, and more updates."""
_FULL_ROWS, _MORE_CANDIDATES = 18_000, 8192
"""Training rows from which on an update looks among twice as many: 4,096 are too small a part of them. One network so
had 11 % less RMSE on Beijing's air, 2 % less loss on Adult and bank, 1 % less RMSE on diamonds, for twice the time.
Ye et al. take 30 % of all rows, which 4,096 are of fewer."""
_PATIENCE, _SHORT_PATIENCE = 16, 3
"""Epochs without a gain that end training, on many rows and on fewer: those are learned by heart after 2 to 6 epochs
of 12, so that the short one gives the same answers in half the time (wine, phoneme, sick and Ames, three splits)."""


def _recipe(occasion: Occasion) -> dict[str, Any]:
    many = occasion.rows >= _MANY_ROWS
    steps = max(1, occasion.rows // 256)
    classes = {"train.loss": "cce"}
    return {
        "features.scale": "quantile",
        "features.encode": {"name": "embedding", "onehot_up_to": 0},
        **({"model.candidates": _MORE_CANDIDATES} if occasion.rows >= _FULL_ROWS else {}),
        **({} if occasion.task == "regression" else classes),
        "train.optimizer": {"name": "adam", "lr": 0.02},
        "train.weight_decay": 2e-4 if many else 0.1,
        "train.schedule": "cosine",
        "train.batch_size": 256,
        "train.epochs": max(4, 900 // steps) if many else min(24, 240 // steps),
        "train.clip_norm": None,
        "train.early_stopping": {"patience": _PATIENCE if many else _SHORT_PATIENCE},
        "train.precision": "float32",
    }


ENTRY = ModelEntry(
    name="modernnca",
    summary="ModernNCA: a learned distance, and the answers of a row's neighbours",
    make=ModernNCA,
    settle=with_kind,
    recipe=_recipe,
    formula="y = sum_j softmax_j(-|e(x) - e(x_j)|) y_j over training rows j; e = W relu(cos(2 pi w x + b) V + c)",
    reference="Ye et al. 2025, Revisiting nearest neighbor for tabular data; Goldberger et al. 2004 (NCA)",
    options=(
        MEMBERS,
        Option(name="width", kind="int", default=64, low=1, high=65536, help="numbers a row becomes", search=(16, 256)),
        Option(
            name="candidates",
            kind="int",
            default=4096,
            low=2,
            high=65536,
            help="training rows, drawn anew, that each update looks among",
            search=(1024, 8192),
        ),
        KIND,
    ),
)
