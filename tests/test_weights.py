"""Rows that count more or less: as a column says, in training alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import wellfit
from wellfit.errors import BadInput

ONE = {"epochs": 40, "model": {"hidden": [16]}, "threads": 1, "report": False, "early_stopping": None}
BLEND = {"model": {"type": "ensemble", "members": [{"type": "realmlp", "members": 2, "hidden": [16]}]}}


def contradictory(rows: int = 400) -> pl.DataFrame:
    """Half of the rows say that y is x, the others that it is -x; the first half counts nine times as much."""
    x = np.random.default_rng(0).normal(size=rows)
    sign = np.where(np.arange(rows) % 2, 1.0, -1.0)
    return pl.DataFrame({"x": x, "y": sign * x, "importance": np.where(sign > 0, 9.0, 1.0)})


@pytest.mark.parametrize("settings", [ONE, {**BLEND, "threads": 1, "report": False}], ids=["one", "ensemble"])
def test_the_weighted_mean_is_learned(settings: dict[str, Any], tmp_path: Path) -> None:
    frame = contradictory()
    run = wellfit.train(frame, "y", out=str(tmp_path / "run"), data={"weight": "importance"}, **settings)
    slope = np.polyfit(frame["x"].to_numpy(), run.predict(frame), 1)[0]
    assert slope == pytest.approx((9 - 1) / 10, abs=0.25)
    plain = wellfit.train(frame.drop("importance"), "y", out=str(tmp_path / "plain"), **settings)
    said = plain.predict(frame.drop("importance"))
    assert abs(np.polyfit(frame["x"].to_numpy(), said, 1)[0]) < 0.3


def test_weights_are_no_feature_and_new_rows_need_none(tmp_path: Path) -> None:
    frame = contradictory()
    run = wellfit.train(frame, "y", out=str(tmp_path / "run"), data={"weight": "importance"}, **ONE)
    assert [column["name"] for column in run.plan["cleaning"]["columns"]] == ["x"]
    assert len(run.predict(frame.select("x"))) == frame.height


@pytest.mark.parametrize("cell", [-1.0, None, float("nan"), float("inf")])
def test_weights_that_are_none_are_refused(cell: float | None, tmp_path: Path) -> None:
    frame = contradictory()
    broken = frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 7).then(cell).otherwise("importance").alias("importance")
    )
    with pytest.raises(BadInput, match="0 or more"):
        wellfit.train(broken, "y", out=str(tmp_path / "run"), data={"weight": "importance"}, split={"test": 0.0}, **ONE)
    assert not (tmp_path / "run").exists()


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Did you mean 'importance'"):
        wellfit.train(contradictory(), "y", out=str(tmp_path / "run"), data={"weight": "importanc"}, **ONE)
    nothing = contradictory().with_columns(importance=pl.lit(0.0))
    with pytest.raises(BadInput, match="all 0"):
        wellfit.train(nothing, "y", out=str(tmp_path / "run"), data={"weight": "importance"}, **ONE)
