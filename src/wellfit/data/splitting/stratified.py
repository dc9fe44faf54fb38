"""Stratified: each part has the classes of the target in the same shares."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from wellfit.data.cleaning.class_numbers import class_labels
from wellfit.data.splitting.dealer import Dealer
from wellfit.data.splitting.permutation import class_counts, drawn_by_class
from wellfit.data.splitting.random import Random, drawn
from wellfit.data.splitting.split import Request, Rows
from wellfit.errors import ConfigError
from wellfit.registry import Entry

__all__ = ["ENTRY", "Stratified", "by_target"]

_TOO_FEW = "The rows are too few to divide every class; they were drawn at random."


class Stratified(Dealer):
    """Draws the same share of every class."""

    method: ClassVar[str] = "stratified"

    def __init__(self, request: Request, labels: Rows | None = None) -> None:
        super().__init__(request)
        labels = _labels(request) if labels is None else labels
        # Of a hundred million rows every byte counts.
        self.labels = (labels + 1).astype(np.min_scalar_type(int(labels.max(initial=0)) + 1))
        """The class of each row of the table, from 1 on; 0 where there is none."""

    def draw(self, rows: Rows, share: float) -> tuple[Rows, Rows]:
        """Draw a share of the rows of each class; classes of a single row stay."""
        counts = class_counts(rows, self.labels)
        if (counts == 1).any():
            self.notes.append("Classes of a single row can't be divided; their rows train.")
        common = int(counts[counts >= 2].sum())
        wanted = int(np.ceil(share * common))
        classes = int((counts >= 2).sum())
        if not 0 < classes <= wanted <= common - classes:
            self.notes.append(_TOO_FEW)
            return drawn(rows, share, self.request.seed)
        return drawn_by_class(rows, self.labels, counts, wanted, self.request.seed)

    def divide(self, rows: Rows, folds: int) -> Iterator[tuple[Rows, Rows]]:
        """Divide the rows as scikit-learn's ``StratifiedKFold`` does."""
        from sklearn.model_selection import StratifiedKFold

        labels = self.labels[rows]
        if class_counts(rows, self.labels).max() < folds:
            self.notes.append(_TOO_FEW)
            yield from Random(self.request).divide(rows, folds)
            return
        dealt = StratifiedKFold(folds, shuffle=True, random_state=self.request.seed)
        with warnings.catch_warnings():
            # A class of fewer rows than folds goes as far as it goes.
            warnings.simplefilter("ignore")
            parts = list(dealt.split(rows, labels))
        for train, valid in parts:
            yield rows[train], rows[valid]


def _labels(request: Request) -> Rows:
    series = request.frame.get_column(request.target)
    labels = class_labels(series, "multiclass")
    classes = 0 if labels is None else len(np.unique(labels))
    if labels is None or classes > max(20, len(series) / 2):
        got = f"{classes:,} different values of '{series.name}'"
        do = "Set split.method to random or auto."
        raise ConfigError("A stratified split needs a target of classes.", got=got, do=do)
    return labels


def by_target(request: Request) -> Dealer:
    """Deal a target of classes stratified, and numbers at random."""
    labels = class_labels(request.frame.get_column(request.target), "auto")
    return Random(request) if labels is None else Stratified(request, labels)


ENTRY = Entry(
    name="stratified",
    summary="each part has the classes of the target in the same shares",
    make=Stratified,
    reference="scikit-learn train_test_split(stratify=y), StratifiedKFold(shuffle=True)",
)
