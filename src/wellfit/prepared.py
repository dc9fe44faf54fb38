"""`Prepared`: rows made ready for a network, by split, and the plans that were learned on the training rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl
import torch
from torch import nn

from wellfit.baselines import Baselines, fit_baselines
from wellfit.config import Config
from wellfit.data.batches import Batches, Resident
from wellfit.data.cleaning import CleaningPlan, TargetPlan
from wellfit.data.features import FeaturePlan, Matrix
from wellfit.data.sources.entry import Header
from wellfit.data.sources.fingerprint import content_checksum
from wellfit.data.splitting import Split
from wellfit.data.table import SourceRecord
from wellfit.errors import DataError
from wellfit.findings import Finding
from wellfit.models import TableInputs
from wellfit.prediction import Answers, Predictor, Scores

__all__ = ["Prepared", "PreparedRows", "PreparedTable", "sources_of"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, kw_only=True)
class Prepared(ABC):
    """What an experiment needs of its rows, wherever they are: in memory, in shards on disk, in images."""

    config: Config
    source: SourceRecord
    target: TargetPlan
    rows: Mapping[str, int]
    """How many rows were read, set aside and dealt."""
    set_aside: pl.DataFrame
    """Rows that are used nowhere, with their number and the reason; no columns where there is none."""
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    @abstractmethod
    def inputs(self) -> Any:
        """What a network reads of a row."""

    @abstractmethod
    def batches(self, split: str, weights: Mapping[str, Array] | None = None) -> Batches:
        """Give the rows of ``train`` or ``valid`` that have a target known from training; ``weights`` are by split.

        Raises:
            DataError: no row is left.
        """

    @abstractmethod
    def predictor(self, module: nn.Module, loss: Mapping[str, Any], config: Config) -> Answers:
        """Give what predicts from raw rows with a network."""

    @abstractmethod
    def score(self, predictor: Any, split: str) -> Scores:
        """Predict the rows of ``train``, ``valid`` or ``test``, and score them."""

    @abstractmethod
    def baselines(self, predictor: Any, split: str, *, deadline: float | None) -> Baselines:
        """Fit the baselines on the training rows, and score them on the rows of a split."""

    @abstractmethod
    def plan(self) -> dict[str, Any]:
        """Give what ``plan.json`` holds."""

    @abstractmethod
    def content(self, split: str) -> str:
        """Give a checksum of the raw rows of a split."""


@dataclass(frozen=True, kw_only=True)
class PreparedRows(Prepared):
    """Rows of a table, made ready by a cleaning plan and a feature plan."""

    cleaning: CleaningPlan
    features: FeaturePlan
    not_features: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]
    """Least and greatest training value of each number column."""

    @property
    @abstractmethod
    def held_bytes(self) -> int:
        """How many bytes of memory the rows take while a network is trained."""

    @property
    def header(self) -> Header:
        """How delimited text like the source's is read: whether its first line names the columns."""
        header = self.source.details.get("header")
        return header if isinstance(header, bool) else "auto"

    def plan(self) -> dict[str, Any]:
        """Give what ``plan.json`` holds."""
        return {
            "source": self.source.as_dict(),
            "rows": dict(self.rows),
            "split": {key: getattr(self.config.split, key) for key in ("method", "seed", "column", "folds", "fold")},
            "target": self.target.as_dict(),
            "cleaning": self.cleaning.as_dict(),
            "features": self.features.as_dict(),
            "not_features": list(self.not_features),
            "ranges": {name: list(ends) for name, ends in self.ranges.items()},
        }

    @property
    def inputs(self) -> TableInputs:
        """What a network reads of a row."""
        return TableInputs(numeric=self.features.n_numeric, cardinalities=tuple(self.features.cardinalities))

    def predictor(self, module: nn.Module, loss: Mapping[str, Any], config: Config) -> Predictor:
        """Give what predicts from raw rows with a network."""
        return Predictor(
            cleaning=self.cleaning,
            features=self.features,
            target=self.target,
            module=module,
            loss=loss,
            header=self.header,
            policy=config.clean.on_schema,
            drop=self.not_features,
            reading=config.data.reading(),
            sources=sources_of(config),
        )


@dataclass(frozen=True, kw_only=True)
class PreparedTable(PreparedRows):
    """A table in memory, made ready."""

    frames: Mapping[str, pl.DataFrame]
    """Raw rows of train, valid and test."""
    split: Split
    """Which of the rows that were not set aside these are, by number."""
    matrices: Mapping[str, Matrix]
    """What the network reads, of train and valid."""
    weights: Mapping[str, Array] | None = None
    """How much each row of train and valid counts, float64 [row]; None: all alike."""

    @property
    def held_bytes(self) -> int:
        """How many bytes of memory the rows take while a network is trained."""
        return sum(matrix.numeric.nbytes + matrix.categorical.nbytes for matrix in self.matrices.values())

    def encoded_target(self, split: str) -> Array:
        """Give class ids (-1: a label not seen in training) or scaled numbers, ``[row]``."""
        return self.target.encode(self.frames[split].get_column(self.target.name))[0]

    def batches(self, split: str, weights: Mapping[str, Array] | None = None) -> Resident:
        """Give the rows of ``train`` or ``valid`` that have a target known from training; ``weights`` are by split."""
        target, matrix = self.encoded_target(split), self.matrices[split]
        # A label that only validation rows have can't be learned, and has no loss.
        known = np.isfinite(target) if target.dtype.kind == "f" else target >= 0
        if not known.any():
            labels = self.frames[split].get_column(self.target.name).unique().head(5).to_list()
            raise DataError(
                "Validation rows must have labels that training rows have.", got=labels, do="Deal the rows otherwise."
            )
        tensors = (torch.from_numpy(matrix.numeric[known]), torch.from_numpy(matrix.categorical[known]))
        given = self.weights if weights is None else weights
        weight = None if given is None else torch.from_numpy(given[split][known].astype(np.float32))
        return Resident(tensors, torch.from_numpy(target[known]), weight)

    def score(self, predictor: Predictor, split: str) -> Scores:
        """Predict the rows of ``train``, ``valid`` or ``test``, and score them."""
        return predictor.score(self.frames[split])

    def baselines(self, predictor: Predictor, split: str, *, deadline: float | None) -> Baselines:
        """Fit the baselines on the training rows, and score them on the rows of a split."""
        matrix, _ = predictor.matrix(self.frames[split])
        return fit_baselines(
            self.target.task,
            self.matrices["train"],
            self._truth("train"),
            {split: (matrix, self._truth(split))},
            n_classes=len(self.target.classes),
            seed=self.config.train.seed,
            deadline=deadline,
        )

    def _truth(self, split: str) -> Array:
        """Give class ids, or numbers in the target's unit, ``[row]``."""
        encoded = self.encoded_target(split)
        return cast(Array, self.target.decode(encoded)) if self.target.task == "regression" else encoded

    def content(self, split: str) -> str:
        """Give a checksum of the raw rows of a split."""
        return content_checksum(self.frames[split])


def sources_of(config: Config) -> tuple[Any, ...]:
    """Give the sources that a config names."""
    return config.data.source, config.data.valid, config.data.test
