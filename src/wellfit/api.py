"""What ``import wellfit`` hands out: `train`, `fit`, `find_rate`, `load`, `diagnose`."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec

from wellfit.alarm import live_display
from wellfit.config import from_keywords, from_mapping
from wellfit.diagnosis import diagnose, judge
from wellfit.run import Run
from wellfit.training import FitResult, find_rate
from wellfit.training import fit as fit_module
from wellfit.training.fit import Readers
from wellfit.treatment import train_and_treat

__all__ = ["diagnose", "find_rate", "fit", "load", "train"]

Given = ParamSpec("Given")


_READERS = Readers(diagnose, judge)


def _diagnosed(train_module: Callable[Given, FitResult]) -> Callable[Given, FitResult]:
    """Have what was recorded diagnosed, when it is asked for."""

    @functools.wraps(train_module)
    def trained(*args: Given.args, **kwargs: Given.kwargs) -> FitResult:
        return train_module(*args, **kwargs).read_by(_READERS)

    return trained


fit = _diagnosed(fit_module)


def train(
    data: Any = None, /, target: str | int | None = None, *, out: str | None = None, force: bool = False, **config: Any
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
    started = time.monotonic()
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
        document = document.with_value(("output", "run"), out)
    settled = from_mapping(document)
    rows = data if in_memory else None
    with live_display() as callbacks:
        return train_and_treat(settled, rows, force=force, callbacks=callbacks, started=started)


def _names_files(data: Any) -> bool:
    places = data if isinstance(data, (list, tuple)) else [data]
    return bool(places) and all(isinstance(one, (str, os.PathLike)) for one in places)


def load(path: str | os.PathLike[str]) -> Run:
    """Read a run folder.

    Raises:
        RunFolderError: there is no finished run, or a file of it was altered.
    """
    return Run.load(path)
