"""The parts of a page on tuning and on importance: valid charts, safe with hostile names, absent where not measured."""

from __future__ import annotations

from typing import Any

import altair
import pytest

from wellfit.report import search_charts
from wellfit.report.importance_section import importance_section
from wellfit.report.style import CHART_CONFIG
from wellfit.report.tuning_section import tuning_section

HOSTILE = "<script>alert(1)</script>{{}}"


def accepted(spec: Any) -> Any:
    altair.Chart.from_dict({**spec, "config": CHART_CONFIG}, validate=True)
    return spec


def record(**changes: Any) -> dict[str, Any]:
    states = ["complete", "pruned", "complete", "failed"]
    values = [0.5, 0.7, 0.4, None]
    trials = [
        {
            "number": number,
            "state": state,
            "value": value,
            "default": number == 0,
            "values": {"train.l2": 10.0 ** -(number + 1), "model.hidden": [4 * (number + 1)], HOSTILE: HOSTILE},
            "epochs": 3,
            "seconds": 1.5,
            "reason": HOSTILE if state == "failed" else "",
        }
        for number, (state, value) in enumerate(zip(states, values, strict=True))
    ]
    held = {
        "metric": "log_loss",
        "greater_is_better": False,
        "kept": "tuned",
        "best": {"number": 2, "values": trials[2]["values"]},
        "trials": trials,
        "proofs": [{"number": 2, "seeds": [1000], "default": [0.5], "tuned": [0.4], "holds": True}],
        "importances": {"train.l2": 0.8, HOSTILE: 0.2},
        "search_seconds": 6.0,
    }
    return held | changes


def test_the_section_tells_what_was_kept_and_is_safe() -> None:
    page = str(tuning_section(record()))
    assert "Trial 2 was better than the default by fresh seeds and half of its lead" in page
    assert "1 given up early, 1 failed" in page
    assert "<script>alert" not in page
    assert page.count("<figure") == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kept": "default", "best": None}, "By fresh seeds and half of its lead, nothing was better than the default"),
        ({"kept": "default", "best": None, "proofs": []}, "Nothing was better than the default"),
        ({"kept": "default", "best": None, "proofs": [{"number": 2, "seeds": []}]}, "There was no time to prove"),
    ],
)
def test_the_default_that_was_kept_is_said(changes: dict[str, Any], said: str) -> None:
    assert said in str(tuning_section(record(**changes)))


def test_what_is_missing_leaves_charts_out() -> None:
    page = str(tuning_section({"metric": "rmse", "trials": [{"number": 0, "state": "failed"}]}))
    assert "<figure" not in page
    assert tuning_section(None) is None
    assert importance_section(None) is None


def test_charts_are_valid_and_hold_names_as_values_only() -> None:
    progress = [{"trial": 0, "value": 0.5, "best": 0.5, "state": "complete"}]
    accepted(search_charts.progress(progress, title="Log loss"))
    spec = accepted(search_charts.bars([{"name": "a", "value": 1.0, "low": 0.5, "high": 1.5}], title="share"))
    assert len(spec["layer"]) == 2
    lines = [{"trial": 0, "axis": "a", "position": 0.2, "told": "1", "rank": 1.0, "value": 0.5}]
    accepted(search_charts.parallel(lines, [{"axis": "a", "position": 0.2, "told": "1"}], axes=["a"], title="x"))


def test_importances_are_listed_and_safe() -> None:
    columns = [{"column": HOSTILE, "permuted": 0.2, "spread": 0.01, "gradient": 0.3}]
    held = {"metric": "auc", "score": 0.9, "rows": 200, "of": "its test rows", "repeats": 5, "columns": columns}
    page = str(importance_section(held))
    assert "<script>alert" not in page
    assert "its test rows" in page
    assert page.count("<figure") == 1
