"""Random: every row may go anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from wellfit.data.splitting.dealer import Dealer
from wellfit.data.splitting.permutation import drawn_alike
from wellfit.data.splitting.split import Rows, refuse_empty
from wellfit.registry import Entry

__all__ = ["ENTRY", "Random", "drawn"]


class Random(Dealer):
    """Draws rows at random."""

    method: ClassVar[str] = "random"

    def draw(self, rows: Rows, share: float) -> tuple[Rows, Rows]:
        """Draw a share of the rows."""
        return drawn(rows, share, self.request.seed)

    def divide(self, rows: Rows, folds: int) -> Iterator[tuple[Rows, Rows]]:
        """Divide the rows as scikit-learn's ``KFold`` does."""
        from sklearn.model_selection import KFold

        for train, valid in KFold(folds, shuffle=True, random_state=self.request.seed).split(rows):
            yield rows[train], rows[valid]


def drawn(rows: Rows, share: float, seed: int) -> tuple[Rows, Rows]:
    """Draw a share of the rows as scikit-learn's ``train_test_split`` does."""
    wanted = int(np.ceil(share * len(rows)))
    refuse_empty(wanted, len(rows))
    return drawn_alike(rows, wanted, seed)


ENTRY = Entry(
    name="random",
    summary="rows are drawn at random",
    make=Random,
    reference="scikit-learn train_test_split, KFold(shuffle=True)",
)
