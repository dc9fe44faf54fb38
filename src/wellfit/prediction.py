"""From raw rows to decoded predictions, under the contract of a run; no training code is reached from here.

Legend: ``probabilities`` are float64 ``[row, class]``, columns as in `Predictor.classes`.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl
import torch
from torch import nn

from wellfit.artifact import RunFolder
from wellfit.data.cleaning import CleaningPlan, CoercionReport, TargetPlan, rows_without_target
from wellfit.data.cleaning.policy import breaches, checked_policy
from wellfit.data.features import FeaturePlan, Matrix
from wellfit.data.sources import read_table
from wellfit.data.sources.entry import Header, Reading
from wellfit.data.sources.web.headers import reading_for
from wellfit.errors import ContractError, ContractWarning
from wellfit.losses import LOSSES
from wellfit.metrics import all_scores, decided
from wellfit.models import MODELS, TableInputs

__all__ = ["Answers", "Prediction", "Predictor", "Report", "Scores"]

ROWS_AT_ONCE = 16384
"""Rows that pass through a network together: products of matrices of another height differ in their last bits."""

Array = np.ndarray[Any, Any]


class Report(Protocol):
    """What was changed in rows so that they could be read."""

    def sentences(self) -> list[str]:
        """Say what was changed, a line for each kind."""

    def as_dict(self) -> dict[str, Any]:
        """Give the report as JSON holds it."""


@dataclass(frozen=True)
class Prediction:
    """One answer for every row given, in order."""

    values: Array
    """Labels in their own type, or numbers in the target's unit, ``[row]``."""
    probabilities: Array | None
    """Float64 ``[row, class]``; None for regression."""
    report: Report
    """What was changed in the rows so that they could be read."""
    files: tuple[str, ...] = ()
    """The file of each row, of images; empty for tables."""

    def to_frame(self, classes: tuple[Any, ...] = ()) -> pl.DataFrame:
        """Give the columns ``prediction`` and ``probability_<label>``, of images after ``file``."""
        columns: dict[str, Any] = {"file": self.files} if self.files else {}
        columns["prediction"] = self.values
        if self.probabilities is not None:
            for place, label in enumerate(classes):
                columns[f"probability_{label}"] = self.probabilities[:, place]
        return pl.DataFrame(columns)


@dataclass(frozen=True)
class Scores:
    """How well the rows of a table were predicted."""

    metrics: dict[str, float | None]
    target: Array
    """Class ids (-1: a label never seen in training), or numbers in the target's unit, ``[row]``."""
    predicted: Array
    """Float64 ``[row, class]``, or numbers ``[row]``."""
    without_target: int = 0
    """Rows that have no target; they are predicted and can't be scored."""
    notes: tuple[str, ...] = ()
    report: Report | None = None
    """What was changed in the rows so that they could be read, and how far they are from training."""


class Answers(Protocol):
    """What predicts from raw rows: of tables or of images."""

    module: nn.Module
    target: TargetPlan

    @property
    def classes(self) -> tuple[Any, ...]:
        """The classes, in the order of the probabilities' columns; empty for regression."""

    def facts(self) -> dict[str, Any]:
        """Give what ``model.json`` holds of the prediction beside the network."""

    def predict(self, data: Any, policy: str | None = None) -> Prediction:
        """Predict every row, in order."""


@dataclass
class Predictor:
    """Raw rows in, decoded predictions out: the plans and the network of one run."""

    cleaning: CleaningPlan
    features: FeaturePlan
    target: TargetPlan
    module: nn.Module
    loss: Mapping[str, Any]
    """The loss by name and options: it knows what the network's output means."""
    header: Header = "auto"
    """Whether delimited text the run was trained on had a header; new files are read the same way."""
    policy: str = "warn"
    """What happens to rows that don't fit: ``warn``, ``error`` or ``coerce``."""
    drop: tuple[str, ...] = ()
    """Columns of the training table that are no features: the target, the column of the split."""
    reading: Reading = field(default_factory=Reading)
    """How the run's source was read; new rows on the web are read the same way."""
    sources: tuple[Any, ...] = ()
    """Where the run's rows came from: headers that were told for a host go nowhere else."""
    threshold: float | None = None
    """Of two classes, the probability of the second from which on it is predicted; None: the likelier one."""

    def __post_init__(self) -> None:
        """Make what turns outputs into probabilities or values."""
        choice = LOSSES.choose(self.loss)
        self._activate = choice.entry.make(**choice.options).activate
        self.module.eval()

    @cached_property
    def _exact(self) -> nn.Module:
        """The network in float64, in which a row's answer does not depend on the rows beside it.

        Products of float32 are summed in another order for another number of rows, which shows from the sixth digit on.
        """
        return copy.deepcopy(self.module).double()

    def __getstate__(self) -> dict[str, Any]:
        """Leave the network in float64 out of copies; it is made anew."""
        return {name: value for name, value in self.__dict__.items() if name != "_exact"}

    def facts(self) -> dict[str, Any]:
        """Give what ``model.json`` holds of the prediction beside the network."""
        return {} if self.threshold is None else {"threshold": self.threshold}

    @property
    def classes(self) -> tuple[Any, ...]:
        """The classes, in the order of the probabilities' columns; empty for regression."""
        return self.target.classes

    def read(self, data: Any) -> pl.DataFrame:
        """Read raw rows from a path or from memory."""
        reading = reading_for(data, self.reading, self.sources)
        return read_table(data, header=self.header, reading=reading).frame

    def matrix(self, frame: pl.DataFrame, *, fill: bool = False) -> tuple[Matrix, CoercionReport]:
        """Turn raw rows into what the network reads; with ``fill``, columns that are not there count as missing."""
        # By exact names: Polars' own drop takes a name such as ^x$ for a pattern.
        kept = [series for series in frame.get_columns() if series.name not in self.drop]
        typed, report = self.cleaning.apply(pl.DataFrame(kept), watch=True, fill=fill)
        return self.features.apply(typed), _with_unseen(report, self.features.unseen(typed))

    def outputs(self, matrix: Matrix) -> Array:
        """Give probabilities ``[row, class]``, or values in the target's unit ``[row]``."""
        numeric, categorical = torch.from_numpy(matrix.numeric), torch.from_numpy(matrix.categorical)
        device = next(self._exact.parameters()).device
        parts = []
        with torch.inference_mode():
            for first in range(0, max(len(numeric), 1), ROWS_AT_ONCE):
                part = slice(first, first + ROWS_AT_ONCE)
                logits = self._exact(numeric[part].to(device).double(), categorical[part].to(device))
                parts.append(self._activate(logits).cpu().numpy())
        joined = np.concatenate(parts)
        return self.target.decode(joined) if self.target.task == "regression" else joined

    def predict(self, data: Any, policy: str | None = None) -> Prediction:
        """Predict every row of a table, in order; none is ever dropped.

        Raises:
            ConfigError: There is no such policy.
            ContractError: a column that the model needs is missing, but for the policy ``coerce``, or rows don't fit
                under the policy ``error``.
        """
        policy = checked_policy(policy or self.policy)
        matrix, report = self.matrix(self.read(data), fill=policy == "coerce")
        self.apply_policy(report, policy)
        outputs = self.outputs(matrix)
        if self.target.task == "regression":
            return Prediction(outputs, None, report)
        return Prediction(self.target.decode(decided(outputs, self.threshold)), outputs, report)

    def score(self, frame: pl.DataFrame, *, policy: str | None = None, scored: bool = True) -> Scores:
        """Predict rows whose target is known, and score all that have one.

        Args:
            frame: Raw rows.
            policy: What happens to rows that don't fit; None: they are scored, and only the report tells.
            scored: Whether metrics are computed.

        Raises:
            ConfigError: There is no such policy.
            ContractError: The target is missing, or a column but for the policy ``coerce``, or rows don't fit under
                the policy ``error``.
        """
        if self.target.name not in frame.columns:
            raise ContractError(
                f"Rows are scored against their target, '{self.target.name}'.",
                got=list(frame.columns),
                do="Add the column, or use predict.",
            )
        ids, target_report = self.target.encode(frame.get_column(self.target.name))
        matrix, report = self.matrix(frame, fill=policy == "coerce")
        if policy is not None:
            self.apply_policy(report, checked_policy(policy))
        predicted = self.outputs(matrix)
        truth = self.target.decode(ids) if self.target.task == "regression" else ids
        known = ~rows_without_target(frame, self.target.name)
        if self.target.task == "regression":
            known &= np.isfinite(truth)
        truth, predicted = truth[known], predicted[known]
        metrics: dict[str, float | None] = {}
        if len(truth) and scored:
            metrics = all_scores(self.target.task, truth, predicted, threshold=self.threshold)
        lines = (*target_report.sentences(), *report.sentences())
        return Scores(metrics, truth, predicted, int((~known).sum()), lines, report)

    def apply_policy(self, report: CoercionReport, policy: str) -> None:
        """Warn of rows that don't fit, or raise `ContractError` under the policy ``error``."""
        lines = [] if policy == "coerce" else breaches(report, self.cleaning)
        if lines and policy == "error":
            raise ContractError(
                "Rows must be like those the model was trained on: " + " ".join(lines),
                do="Mend them, or take the policy warn (--on-schema warn).",
            )
        if lines:
            warnings.warn(" ".join(lines), ContractWarning, stacklevel=4)

    @classmethod
    def load(cls, folder: RunFolder) -> Predictor:
        """Read the plans and the network of a finished run."""
        plan, model = folder.read_versioned("plan.json"), folder.read_versioned("model.json")
        try:
            inputs = TableInputs(
                numeric=model["inputs"]["numeric"], cardinalities=tuple(model["inputs"]["cardinalities"])
            )
            module = MODELS[model["type"]].make(inputs, model["outputs"], **model["options"])
            module.load_state_dict(folder.read_weights())
            return cls(
                cleaning=CleaningPlan.from_dict(plan["cleaning"]),
                features=FeaturePlan.from_dict(plan["features"]),
                target=TargetPlan.from_dict(plan["target"]),
                module=module,
                loss=model["loss"],
                threshold=model.get("threshold"),
                header=plan["source"]["details"].get("header", "auto"),
                policy=folder.read_config()["clean"]["on_schema"],
                drop=tuple(plan["not_features"]),
                reading=Reading.of(folder.read_config()["data"]),
                sources=tuple(folder.read_config()["data"].get(name) for name in ("source", "valid", "test")),
            )
        except (KeyError, TypeError, RuntimeError) as error:
            raise folder.altered("plan.json", f"{type(error).__name__}: {error}") from None


def _with_unseen(report: CoercionReport, unseen: Mapping[str, pl.Series]) -> CoercionReport:
    columns = dict(report.columns)
    for name, cells in unseen.items():
        examples = {**columns[name].examples, "unseen": str(cells[0])[:40]}
        columns[name] = replace(columns[name], unseen=len(cells), examples=examples)
    return replace(report, columns=columns)
