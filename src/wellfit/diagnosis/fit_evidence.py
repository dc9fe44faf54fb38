"""What a verdict on a fit rests on: the appraisal that a history holds, and its curves.

A figure is a number and its 95 % interval; of ``loss`` and ``rmse`` less is better, of the others more. A lead is a
baseline's figure less the network's, on the same rows; see `wellfit.training.appraisal`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from wellfit.history import History

__all__ = ["KINDS", "LESS_IS_BETTER", "PLACE", "Figure", "Figures", "FitEvidence", "Lead", "figures_of", "named"]

LESS_IS_BETTER = frozenset({"loss", "rmse"})
KINDS = {"linear": "linear model", "reference": "quick kernel model"}
"""The baselines that learn, as sentences name them."""
PLACE = {"valid": "validation", "train": "training"}
HAIR = 0.002
"""Share of a constant guess's loss that a difference from it must exceed: the frequencies of the classes, learnt in
another way, differ by less."""
FEWEST = 6
"""Rows at the least by which a lead in accuracy is more than chance. A lead of one row is above 0 in every resample;
six rows that all speak for the same side are chance once in 32 times, the 95 % of an interval (sign test)."""


class Figure(NamedTuple):
    """A number and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, given: Sequence[float | None] | None) -> Figure | None:
        """Read a figure as JSON holds it; None where it is missing or not finite."""
        if given is None or any(value is None for value in given):
            return None
        return cls(*(float(cast(float, value)) for value in given))

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


Figures = Mapping[str, Figure]


def named(figure: str) -> str:
    """Give a figure's name as a sentence has it, with its article.

    >>> named("balanced_accuracy"), named("accuracy"), named("r2")
    ('a balanced accuracy', 'an accuracy', 'an R2')
    """
    words = {"r2": "R2", "rmse": "RMSE", "auc": "AUC"}.get(figure, figure.replace("_", " "))
    return f"{'an' if words[0] in 'aeiouRA' else 'a'} {words}"


def figures_of(given: Mapping[str, Any]) -> dict[str, Figure]:
    """Read figures as JSON holds them, without those that are not finite."""
    found = {name: Figure.of(values) for name, values in given.items()}
    return {name: figure for name, figure in found.items() if figure is not None}


class Lead(NamedTuple):
    """How far a baseline is ahead."""

    name: str
    figure: str
    reached: Figure
    lead: Figure
    room: float
    """What the baseline reaches beyond a constant guess."""

    @property
    def share(self) -> float:
        """The lead as a share of what the baseline reaches beyond a constant guess."""
        return self.lead.value / self.room


class FitEvidence:
    """The figures of a training that has ended, its curves, and its baselines."""

    def __init__(self, history: History) -> None:
        record: Mapping[str, Any] = history.meta.get("appraisal") or {}
        self.record = record
        self.task = str(record.get("task", "other"))
        self.main = str(record.get("main", "loss"))
        self.train = figures_of(record.get("train", {}).get("figures", {}))
        self.valid = figures_of(record.get("valid", {}).get("figures", {}))
        self.gap = figures_of(record.get("gap", {}))
        self.scored = "valid" if self.valid else "train"
        self.valid_loss = history["valid_loss"]
        self.train_loss = history["train_loss"]
        self.settings: Mapping[str, Any] = history.meta.get("settings") or {}
        target = (history.meta.get("data") or {}).get("target") or {}
        self.one_target = target.get("std") == 0 or target.get("classes") == 1
        """Whether all rows surveyed have the same target: there is nothing to learn, and nothing to judge by."""
        self.cut_short = bool(history.meta.get("cut_short"))
        """Whether a limit of time or of steps ended the training."""
        self.steps = int(history.meta.get("steps") or 0)
        self.threshold: float | None = history.meta.get("threshold")
        self.kept_epoch: int | None = history.meta.get("best_epoch")
        self.kept_best = bool(record.get("kept_best")) or self.kept_epoch is not None

    @property
    def appraised(self) -> bool:
        """Whether figures of the training rows are had beside a constant guess's."""
        return bool(self.train and self.baseline("constant", "train")[1])

    def baseline(self, name: str, part: str | None = None) -> tuple[Figures, Figures]:
        """Give a baseline's figures and its leads on a part of the rows; both empty where it was not had.

        On training rows the baselines that learn guess rows that they were not fitted to.
        """
        found = self.record.get(name) or {}
        if name == "constant" or (part == "train" and self.scored != "train"):
            found = found.get(part or self.scored) or {}
        return figures_of(found.get("figures", {})), figures_of(found.get("lead", {}))

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the least validation loss, counted from 1; None where none is finite."""
        finite = np.isfinite(self.valid_loss)
        if not finite.any():
            return None
        return int(np.where(finite, self.valid_loss, np.inf).argmin()) + 1

    def ahead(self, name: str, part: str | None = None, *, sure: float = 1.0) -> Lead | None:
        """Say how far a baseline is ahead of the network on a part of the rows; None where it is not, for sure.

        Of classes it must be ahead in accuracy and in balanced accuracy: rare classes trade one for the other; and by
        so many rows. ``sure`` is how many half-widths of its 95 % interval the lead must be above 0.
        """
        figures, leads = self.baseline(name, part)
        constant, _ = self.baseline("constant", part)
        found: list[Lead] = []
        for figure in self.compared:
            if figure not in leads or figure not in constant:
                return None
            room = figures[figure].value - max(constant[figure].value, 0.0)
            lead = leads[figure]
            if lead.value - sure * (lead.value - lead.low) <= 0 or room <= 0:
                return None
            if figure == "accuracy" and round(lead.value * self._compared_rows(name, part)) < sure * FEWEST:
                return None
            found.append(Lead(name, figure, figures[figure], lead, room))
        return min(found, key=lambda lead: lead.share) if found else None

    def _compared_rows(self, name: str, part: str | None) -> int:
        """Give how many rows a baseline and the network were compared on."""
        if self.scored == "train":
            return int(self.record["train"]["rows"]) // 2  # one half was fitted
        return int(self.record[name]["rows"] if part == "train" else self.record["valid"]["rows"])

    def learnt_odds(self, part: str, *, sure: float = 1.0) -> bool:
        """Whether the loss on a part of the rows is below the best constant output's, by more than chance and a hair.

        ``sure`` is how many half-widths of its 95 % interval the difference must be above 0.
        """
        figures, leads = self.baseline("constant", part)
        if "loss" not in leads:
            return False
        lead = leads["loss"]
        least = HAIR * abs(figures["loss"].value)
        return lead.value > least + sure * (lead.value - lead.low)

    def worse_than_constant(self, part: str) -> bool:
        """Whether the loss on a part of the rows is above the best constant output's, for sure."""
        lead = self.baseline("constant", part)[1].get("loss")
        return lead is not None and lead.high < 0

    @property
    def compared(self) -> tuple[str, ...]:
        """The figures in which a baseline must be ahead."""
        return ("accuracy", "balanced_accuracy") if self.task == "classification" else (self.main,)
