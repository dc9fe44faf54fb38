"""`Run`: what a person holds after training, or reads back from a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl

from wellfit.artifact import RunFolder
from wellfit.diagnosis import Verdict, judge
from wellfit.errors import ContractError, RunFolderError
from wellfit.explanation import ROWS, Explanation, explain
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.image_prediction import ImagePredictor
from wellfit.prediction import Prediction, Predictor, Scores
from wellfit.report import ReportFacts, render_page
from wellfit.report.facts import plain

__all__ = ["Run", "facts_of"]


class Run:
    """A finished run: it predicts from raw rows, and tells how it came about.

    >>> import wellfit
    >>> data = {"x": [i / 20 for i in range(200)], "y": ["a" if i < 100 else "b" for i in range(200)]}
    >>> run = wellfit.train(data, target="y", epochs=10, report=False)
    >>> run.predict({"x": [1.0, 9.0]}).tolist()
    ['a', 'b']
    """

    def __init__(self, folder: RunFolder) -> None:
        folder.expect_finished()
        self.folder = folder

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @cached_property
    def predictor(self) -> Predictor:
        """The plans and the network."""
        if "images" in self.plan:
            # It is asked the same questions.
            return cast(Predictor, ImagePredictor.load(self.folder))
        return Predictor.load(self.folder)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """Scores by split, and ``baselines`` by name, as ``metrics.json`` holds them."""
        record: dict[str, Any] = self.folder.read_json("metrics.json")
        return record

    @cached_property
    def findings(self) -> list[Finding]:
        """What was found in the data and in training."""
        return self.folder.read_findings()

    @cached_property
    def history(self) -> History:
        """What training recorded."""
        return self.folder.read_history()

    @cached_property
    def fit(self) -> Verdict | None:
        """The verdict on the fit: good, over, under or none; None where training was not watched."""
        return judge(self.history)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The resolved config, as plain data."""
        return self.folder.read_config()

    @cached_property
    def plan(self) -> Mapping[str, Any]:
        """What was read, and what was learned from the training rows to prepare any row."""
        return self.folder.read_versioned("plan.json")

    @property
    def task(self) -> str:
        """``binary``, ``multiclass`` or ``regression``."""
        return self.predictor.target.task

    @property
    def classes_(self) -> np.ndarray[Any, Any]:
        """The classes in the order of the probabilities' columns; empty for regression."""
        return np.asarray(self.predictor.classes)

    def predict(self, data: Any, *, policy: str | None = None) -> np.ndarray[Any, Any]:
        """Give one label or number for every row, in order.

        Args:
            data: a path, or a frame of pandas, Polars or pyarrow, a NumPy array, a dictionary of columns: raw rows.
            policy: what happens to rows that don't fit those of training: ``warn`` of them, take them for an
                ``error``, or ``coerce`` them in silence, columns that are not there into missing cells; the run's own
                where None.

        Raises:
            ContractError: a column that the model needs is missing, or rows don't fit.
        """
        return self.predictor.predict(data, policy).values

    def predict_proba(self, data: Any, *, policy: str | None = None) -> np.ndarray[Any, Any]:
        """Give the probability of every class, float64 ``[row, class]``, columns as in `classes_`.

        Raises:
            ContractError: the run is a regression, or a column that the model needs is missing.
        """
        probabilities = self.predictor.predict(data, policy).probabilities
        if probabilities is None:
            raise ContractError("Only a classifier has probabilities.", got=self.task, do="Use predict.")
        return probabilities

    def predict_rows(self, data: Any, *, policy: str | None = None) -> Prediction:
        """Give values, probabilities and the report of what was coerced, at once."""
        return self.predictor.predict(data, policy)

    def evaluate(self, data: Any, *, policy: str | None = None) -> Scores:
        """Score raw rows that have the target.

        Args:
            data: as in `predict`.
            policy: as in `predict`.

        Raises:
            ContractError: the target or a column that the model needs is missing, or rows don't fit.
        """
        return self.predictor.score(self.predictor.read(data), policy=policy or self.predictor.policy)

    def explain(self, data: Any = None, *, repeats: int = 5, rows: int = ROWS, seed: int = 0) -> Explanation:
        """Measure which columns the predictions hang on, and put it into the run's page; see `explanation.explain`.

        Args:
            data: raw rows with the target; None: the test rows, read again from the run's source (the validation rows
                where there are none).
            repeats: how often each column's cells are dealt anew.
            rows: rows that are read at the most.
            seed: what the draws depend on.

        Raises:
            RunFolderError: no rows are given, and the run's own were in memory.
            ContractError: the run is one on images.
        """
        if "images" in self.plan:
            raise ContractError(
                "Columns are explained, and a run on images has none.",
                got=str(self.path),
                do=f"The images that it is most wrong about are in its report: wellfit report {self.path}.",
            )
        frame, of = self._own_rows() if data is None else (self.predictor.read(data), "the rows given")
        metric = str(self.config["train"]["metric"])
        found = explain(self.predictor, frame, metric=metric, of=of, repeats=repeats, rows=rows, seed=seed)
        self.folder.write_json("explanation.json", plain(found.as_dict()))
        if (self.path / "report.html").is_file():
            self.report()
        return found

    def _own_rows(self) -> tuple[pl.DataFrame, str]:
        """Read the held back rows from the run's source, and say which they are."""
        from wellfit.config import load_config
        from wellfit.preparation import prepare
        from wellfit.prepared import PreparedTable

        config = load_config(self.path / "config.yaml").config
        if config.data.source is None:
            rule = "Rows are read again from the run's source, and those of this one were in memory."
            raise RunFolderError(rule, got=str(self.path), do="Give rows with the target.")
        prepared = prepare(config)
        if not isinstance(prepared, PreparedTable):
            rule = "Of a table that was read in batches, the raw rows held back are not at hand."
            raise RunFolderError(rule, got=str(self.path), do="Give rows with the target.")
        frames = prepared.frames
        return (frames["test"], "its test rows") if frames["test"].height else (frames["valid"], "its validation rows")

    @cached_property
    def tuning(self) -> dict[str, Any] | None:
        """How settings were searched for, as ``tuning.json`` holds it; None where they were not."""
        return self.folder.read_tuning()

    def report(self) -> Path:
        """Write the report's page anew, and give its path."""
        self.folder.write_text("report.html", render_page([facts_of(self.folder)]))
        return self.path / "report.html"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Run:
        """Read a run folder.

        Raises:
            RunFolderError: there is no finished run, or a file of it was altered.
        """
        return cls(RunFolder(path))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, task={self.task!r})"


def facts_of(folder: RunFolder) -> ReportFacts:
    """Read what a report is made of."""
    from wellfit.config import Config, as_mapping

    return ReportFacts(
        name=folder.name,
        config=folder.read_config(),
        plan=folder.read_versioned("plan.json"),
        model=folder.read_versioned("model.json"),
        metrics=folder.read_json("metrics.json"),
        evaluation=folder.read_json("evaluation.json"),
        history=folder.read_history(),
        findings=folder.read_findings(),
        learning_curve=folder.read_learning_curve(),
        tuning=folder.read_tuning(),
        explanation=folder.read_explanation(),
        defaults=as_mapping(Config()),
    )
