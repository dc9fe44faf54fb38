"""`PreparedShards`: the rows of a table larger than memory, in shards on disk, made ready for a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from wellfit.baselines import Baselines, fit_baselines
from wellfit.data.features import Matrix
from wellfit.data.large.shards import ABSENT, Part, Shards
from wellfit.data.sharded import BLOCK, WINDOW, Sharded
from wellfit.metrics import all_scores
from wellfit.prediction import Predictor, Scores
from wellfit.prepared import PreparedRows

__all__ = ["PreparedShards"]

AT_ONCE = 65_536
"""Rows that are predicted at once."""
MOST_ROWS = 400_000
"""Rows of a split that baselines are fitted to, or scored on."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, kw_only=True)
class PreparedShards(PreparedRows):
    """A table in shards on disk, made ready."""

    shards: Shards

    @property
    def held_bytes(self) -> int:
        """How many bytes of memory the rows take: two windows of a part."""
        row = sum(np.dtype(dtype).itemsize * width for dtype, width in self._part("train").layout.values())
        return 2 * BLOCK * WINDOW * row

    def _part(self, split: str) -> Part:
        return self.shards.parts[split]

    def batches(self, split: str, weights: Mapping[str, Array] | None = None) -> Sharded:
        """Give the rows of ``train`` or ``valid`` that have a target known from training; ``weights`` are by split."""
        return Sharded(self._part(split), None if weights is None else weights[split])

    def score(self, predictor: Predictor, split: str) -> Scores:
        """Predict the rows of ``train``, ``valid`` or ``test``, and score them."""
        part = self._part(split)
        ids = part.target()
        outputs = [predictor.outputs(part.matrix(first, last)) for first, last in part.pieces(AT_ONCE)]
        predicted = np.concatenate(outputs)
        known = self._has_target(ids)
        truth, predicted = self._truth(ids)[known], predicted[known]
        metrics = all_scores(self.target.task, truth, predicted) if len(truth) else {}
        return Scores(metrics, truth, predicted, int((~known).sum()))

    def _has_target(self, ids: Array) -> Array:
        return np.isfinite(ids) if self.target.task == "regression" else ids != ABSENT

    def _truth(self, ids: Array) -> Array:
        """Give class ids, or numbers in the target's unit, ``[row]``."""
        return cast(Array, self.target.decode(ids)) if self.target.task == "regression" else ids.astype(np.int64)

    def baselines(self, predictor: Predictor, split: str, *, deadline: float | None) -> Baselines:
        """Fit the baselines on a sample of the training rows, and score them on one of the rows of a split."""
        fitted, truth = self._sample("train")
        scored = self._sample(split)
        return fit_baselines(
            self.target.task,
            fitted,
            truth,
            {split: scored},
            n_classes=len(self.target.classes),
            seed=self.config.train.seed,
            deadline=deadline,
        )

    def _sample(self, split: str) -> tuple[Matrix, Array]:
        """Give blocks of rows that lie evenly over a split, as many as are bounded."""
        part = self._part(split)
        pieces = list(_spread(list(part.pieces(BLOCK)), MOST_ROWS // BLOCK))
        found = [part.matrix(first, last) for first, last in pieces]
        ids = np.concatenate([part.read("target", first, last) for first, last in pieces])
        known = self._has_target(ids)
        numeric = np.concatenate([matrix.numeric for matrix in found])[known]
        return Matrix(numeric, np.concatenate([matrix.categorical for matrix in found])[known]), self._truth(ids[known])

    def content(self, split: str) -> str:
        """Give a checksum of the rows of a split as a network reads them."""
        return self._part(split).digest


def _spread(pieces: list[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    """Give at most so many pieces, evenly over all."""
    count = min(most, len(pieces))
    for place in range(count):
        yield pieces[place * len(pieces) // count]
