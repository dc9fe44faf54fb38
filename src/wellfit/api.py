"""What ``import wellfit`` hands out: `train`, `fit`, `find_rate`, `load`, `diagnose`, `tune`."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from time import monotonic
from typing import Any, ParamSpec

from wellfit.alarm import live_display
from wellfit.config import Document, from_keywords, from_mapping
from wellfit.diagnosis import diagnose as diagnose_history
from wellfit.diagnosis import judge
from wellfit.errors import BadInput
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.run import Run
from wellfit.training import FitResult, Monitor, find_rate
from wellfit.training import fit as fit_module
from wellfit.training.fit import Readers
from wellfit.treatment import train_and_treat
from wellfit.tuning import tune_run

__all__ = ["diagnose", "find_rate", "fit", "load", "train", "tune"]

Given = ParamSpec("Given")


_READERS = Readers(diagnose_history, judge)


def _diagnosed(train_module: Callable[Given, FitResult]) -> Callable[Given, FitResult]:
    """Have what was recorded diagnosed, when it is asked for."""

    @functools.wraps(train_module)
    def trained(*args: Given.args, **kwargs: Given.kwargs) -> FitResult:
        return train_module(*args, **kwargs).read_by(_READERS)

    return trained


fit = _diagnosed(fit_module)


def diagnose(history: History | Monitor | FitResult | Run, *, live: bool = False) -> list[Finding]:
    """Give what the checks find in what a training recorded.

    Args:
        history: what was recorded, or what holds it: a `Monitor`, what `fit` gave, a `Run`.
        live: whether training goes on: then only checks speak that need not know its end.

    Returns:
        Findings, errors before warnings before remarks; among those of one severity causes come before effects.

    Raises:
        BadInput: nothing was recorded there.

    >>> diagnose(History())
    []
    """
    found = history.history if isinstance(history, (Monitor, FitResult, Run)) else history
    if not isinstance(found, History):
        raise BadInput(
            "wellfit.diagnose reads a History, or what holds one: a Monitor, a FitResult, a Run.",
            got=history if isinstance(history, str) else type(history).__name__,
            do="Give monitor.history, or wellfit.load(folder) for a run.",
        )
    return diagnose_history(found, live=live)


def train(
    data: Any = None,
    /,
    target: str | int | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    **config: Any,
) -> Run:
    """Train on a table, and leave a run folder.

    Args:
        data: a path, a pattern or a list of paths, an address (``sql:...``), or a frame of pandas, Polars or pyarrow, a
            NumPy array, a dictionary of columns.
        target: the column to learn: its name, or its index (-1 the last).
        out: the run folder; ``runs/<data>-<n>`` where None.
        force: whether an existing run is overwritten.
        **config: sections as mappings (``train={"epochs": 3}``, ``data={"test": "test.csv"}``), or single keys
            (``epochs=3``, ``time="30s"``).

    Returns:
        The run: ``run.metrics``, ``run.predict(rows)``, ``run.path``.

    Raises:
        BadInput: settings or data that can't be used; nothing is written.
        RunFailed: training could not be finished.

    >>> rows = {"x": [float(i % 10) for i in range(200)], "y": ["a" if i % 10 < 5 else "b" for i in range(200)]}
    >>> run = train(rows, "y", epochs=10, clean={"duplicates": "keep"}, report=False)
    >>> run.metrics["test"]["accuracy"]
    1.0
    """
    started = monotonic()
    document, rows = _told(data, target, out, config)
    settled = from_mapping(document)
    with live_display() as callbacks:
        return train_and_treat(settled, rows, force=force, callbacks=callbacks, started=started)


def _told(
    data: Any, target: str | int | None, out: str | os.PathLike[str] | None, config: dict[str, Any]
) -> tuple[Document, Any]:
    """Give what was told as a document, and the rows where they are in memory."""
    if data is None and not isinstance(config.get("data"), Mapping):
        data = config.pop("data", None)  # given as data=...: rows, and no section
    document = from_keywords(**config)
    in_memory = not _names_files(data)
    if data is not None and not in_memory:
        named = [os.fsdecode(one) for one in data] if isinstance(data, (list, tuple)) else os.fsdecode(data)
        document = document.with_value(("data", "source"), named)
    if target is not None:
        document = document.with_value(("data", "target"), target)
    if out is not None:
        document = document.with_value(("output", "run"), os.fspath(out) if isinstance(out, os.PathLike) else out)
    return document, data if in_memory else None


def _names_files(data: Any) -> bool:
    places = data if isinstance(data, (list, tuple)) else [data]
    return bool(places) and all(isinstance(one, (str, os.PathLike)) for one in places)


def tune(
    data: Any = None,
    /,
    target: str | int | None = None,
    *,
    trials: int | None = None,
    search: Mapping[str, Any] | None = None,
    time: float | str | None = None,
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    tell: Callable[[str], None] | None = None,
    **config: Any,
) -> Run:
    """Search for better settings on rows that don't test, and train the best into a run folder.

    The first trial is the config as it is, then come settings that do well on many tables, where the architecture
    names some; the others are drawn by Optuna (TPE), and the worse ones given up early (ASHA). The validation rows
    judge; of a table of up to 2,000 rows all do, in five parts, each by a network that learned the others
    (``tune.folds``). What was best replaces the default only where it is better by fresh seeds and half of its lead.
    The test rows are scored once, by the final training. A study that was stopped goes on with the same call, or with
    ``wellfit resume``.

    Args:
        data: rows, as `train` takes them.
        target: the column to learn.
        trials: trainings that search; None: 50.
        search: ranges by dotted key: ``log(a, b)``, ``uniform(a, b)``, ``int(a, b)`` or a list; None: those of the
            model, the optimizer and the training.
        time: the longest it may take in all, in seconds or as ``10m``.
        workers: trainings at the same time; None: as many as are worth it; 1 gives the same result each time.
        out: the run folder; ``runs/<data>-<n>`` where None.
        force: whether an existing run is overwritten.
        tell: is told in a line what each training gave.
        **config: sections as mappings, or single keys.

    Returns:
        The run of the final training; ``run.tuning`` tells of the search.

    Raises:
        BadInput: settings, ranges or data that can't be used, or Optuna is not installed; nothing is written.
        RunFailed: no trial could be trained, or the final training could not be finished.

    >>> rows = {"x": [float(i % 10) for i in range(200)], "y": ["a" if i % 10 < 5 else "b" for i in range(200)]}
    >>> quick = {"epochs": 3, "threads": 1, "report": False, "clean": {"duplicates": "keep"}}
    >>> run = tune(rows, "y", trials=2, search={"train.optimizer.lr": "log(1e-3, 1e-1)"}, **quick)
    >>> [trial["state"] for trial in run.tuning["trials"]]
    ['complete', 'complete']
    """
    started = monotonic()
    document, rows = _told(data, target, out, config)
    given = {"trials": trials, "search": search, "time": time, "workers": workers}
    for name, value in given.items():
        if value is not None:
            document = document.with_value(("tune", name), value)
    told = tell or (lambda line: None)
    return tune_run(
        from_mapping(document),
        rows,
        force=force,
        telling=lambda: nullcontext(told),
        display=live_display,
        started=started,
    )


def load(path: str | os.PathLike[str]) -> Run:
    """Read a run folder.

    Raises:
        RunFolderError: there is no finished run, or a file of it was altered.
    """
    return Run.load(path)
