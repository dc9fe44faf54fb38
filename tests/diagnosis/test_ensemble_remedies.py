"""What findings of an ensemble name as remedies is what an ensemble's config accepts, whatever the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import wellfit
from stated_remedies import stated_remedies
from wellfit.config import from_mapping, with_values
from wellfit.diagnosis import diagnose
from wellfit.diagnosis.ensembles import for_ensemble, is_of_all
from wellfit.findings import CODES, Finding, Remedy
from wellfit.history import History

MEMBERS = [{"type": "realmlp", "members": 2, "hidden": [8], "train": {"epochs": 2}}, {"type": "linear"}]
CONFIG = from_mapping({"data": {"source": "t.csv", "target": "y"}, "model": {"type": "ensemble", "members": MEMBERS}})


REMEDIES = stated_remedies("diagnosis/checks/*.py", "rehearsal/*.py")


def test_the_remedies_of_the_checks_are_found() -> None:
    assert len(REMEDIES) > 25
    assert {"model.dropout", "train.class_weight", "train.l2"} <= {remedy.path for remedy in REMEDIES}


@pytest.mark.parametrize("code", CODES)
def test_every_remedy_is_a_change_of_an_ensembles_config(code: str) -> None:
    finding = Finding(code=code, severity="warning", message="m", remedies=tuple(REMEDIES))
    told = for_ensemble([finding])[0].remedies
    assert "train.class_weight" in {remedy.path for remedy in told}
    assert not {"model.dropout", "train.optimizer.lr", "module"} & {remedy.path for remedy in told}
    for remedy in told:
        changed = with_values(CONFIG, {remedy.path: remedy.value})
        assert changed.model["type"] == "ensemble"
        assert changed != CONFIG or remedy.path in ("features.scale", "features.encode", "data.source", "clean.missing")


def test_a_finding_whose_remedies_are_all_of_one_network_names_the_networks() -> None:
    remedy = Remedy(path="model.init", value="he", why="")
    told = for_ensemble([Finding(code="bad_initialization", severity="error", message="m", remedies=(remedy,))])
    assert [(one.path, one.value) for one in told[0].remedies] == [("model.members", None)]
    none = Finding(code="good_fit", severity="info", message="m")
    assert for_ensemble([none]) == [none]


def _history(**meta: Any) -> History:
    """A training that ended in a gradient that is not finite."""
    history = History({"non_finite": {"step": 3, "where": "w", "lr": 0.1, "message": "m"}, **meta})
    history.add(step=2, epoch=1, name="train_loss", value=1.0)
    return history


def test_the_history_tells_that_it_is_an_ensembles() -> None:
    paths = [
        {remedy.path for finding in diagnose(history) for remedy in finding.remedies}
        for history in (_history(), _history(ensemble=True))
    ]
    assert "train.optimizer.lr" in paths[0]
    assert paths[1]
    assert all(is_of_all(path) or path == "model.members" for path in paths[1])


def test_an_ensembles_own_findings_name_what_its_config_accepts(tmp_path: Path) -> None:
    rows = 200
    frame = pl.DataFrame(
        {"x": [row % 17 for row in range(rows)], "y": ["rare" if row % 25 == 3 else "often" for row in range(rows)]}
    )
    train = {"epochs": 3, "loss": "cce"}
    run = wellfit.train(
        frame,
        "y",
        out=str(tmp_path / "run"),
        model={"type": "ensemble", "members": [{"type": "realmlp", "hidden": [8], "train": train}]},
        threads=1,
        report=False,
    )
    config = from_mapping({"model": {"type": "ensemble", "members": MEMBERS}})
    assert run.history.meta["ensemble"] is True
    for remedy in (remedy for finding in run.findings for remedy in finding.remedies):
        assert with_values(config, {remedy.path: remedy.value}).model["type"] == "ensemble"
