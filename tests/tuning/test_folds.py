"""Few rows are all asked: a trial is judged on each part of them by a network that learned the others."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest

import wellfit
from searches import stopped_at, study_of
from small import Scored, csv_text, small_columns
from wellfit.config import Range, from_mapping
from wellfit.errors import ConfigError, Interrupted
from wellfit.prepared import PreparedTable
from wellfit.tuning import folds, resume_study, tune_run
from wellfit.tuning.bench import Bench, Job, Measured
from wellfit.tuning.dimensions import Dimension
from wellfit.tuning.study import Study
from wellfit.tuning.subject import Subject

QUICK = {"type": "mlp", "hidden": [4]}
SEARCH = {"train.optimizer.lr": "log(1e-3, 1e-1)", "features.scale": ["robust", "standard"]}


def config(source: Path | str, out: Path | str, split: dict[str, Any] | None = None, **tune: Any) -> dict[str, Any]:
    return {
        "data": {"source": str(source), "target": "label"},
        "split": split or {},
        "model": dict(QUICK),
        "train": {"epochs": 3, "threads": 1},
        "tune": {"trials": 6, "search": SEARCH, "workers": 1, **tune},
        "output": {"run": str(out), "report": False},
    }


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    return tune_run(from_mapping(config(table, tmp_path_factory.mktemp("tuned") / "one")))


def test_a_trial_is_worth_the_mean_of_trainings_on_every_fold(run: wellfit.Run, table: Path, tmp_path: Path) -> None:
    assert run.tuning is not None
    assert run.tuning["folds"] == 5
    default = run.tuning["trials"][0]
    trained = [
        wellfit.train(
            str(table),
            "label",
            out=str(tmp_path / f"{fold}"),
            model=QUICK,
            split={"folds": 5, "fold": fold},
            train={"epochs": 3, "threads": 1, "doctor": "off"},
            report=False,
        )
        for fold in range(5)
    ]
    values = [one.metrics["valid"][run.tuning["metric"]] for one in trained]
    assert len(set(values)) > 1
    assert default["value"] == pytest.approx(statistics.fmean(values), rel=1e-12)


def test_the_rest_is_spared_where_others_were_better(run: wellfit.Run) -> None:
    assert run.tuning is not None
    pruned = [trial for trial in run.tuning["trials"] if trial["state"] == "pruned"]
    assert pruned
    assert all("Others were better on" in trial["reason"] and "of 5 folds" in trial["reason"] for trial in pruned)
    assert run.tuning["trials"][0]["state"] == "complete"
    assert all(len(proof["seeds"]) == 1 for proof in run.tuning["proofs"])


def test_the_final_training_has_the_config_s_own_split(run: wellfit.Run) -> None:
    assert run.config["split"]["folds"] is None


def test_test_rows_are_scored_by_the_final_training_alone(table: Path, tmp_path: Path, scored_splits: Scored) -> None:
    scored = scored_splits(PreparedTable)
    tune_run(from_mapping(config(table, tmp_path / "run", trials=2)))
    assert scored.count("test") == 1
    assert "test" not in scored[:10]


def test_test_rows_change_nothing(table: Path, tmp_path: Path) -> None:
    studies = []
    for seed in (1, 2):
        test = tmp_path / f"test{seed}.csv"
        test.write_text(csv_text(small_columns(60, seed=seed)))
        given = config(table, tmp_path / f"run{seed}", trials=3)
        given["data"]["test"] = str(test)
        run = tune_run(from_mapping(given))
        assert (run.tuning or {})["folds"] == 5
        studies.append(study_of(run))
    assert studies[0] == studies[1]


def test_a_study_that_was_stopped_goes_on_to_the_same_end(
    run: wellfit.Run, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", stopped_at("trial 2"))
        with pytest.raises(Interrupted):
            tune_run(from_mapping(config(table, tmp_path / "cut")))
    assert study_of(resume_study(tmp_path / "cut")) == study_of(run)


def test_workers_judge_by_the_same_folds(run: wellfit.Run, table: Path, tmp_path: Path) -> None:
    assert run.tuning is not None
    beside = tune_run(from_mapping(config(table, tmp_path / "run", workers=2, trials=2))).tuning
    assert beside is not None
    assert beside["folds"] == 5
    assert beside["trials"][0]["value"] == pytest.approx(run.tuning["trials"][0]["value"], rel=1e-6)


@pytest.mark.parametrize(
    ("split", "rows"),
    [({"method": "time", "column": "x"}, 5000), ({"folds": 4}, 5000), ({}, 50)],
    ids=["by time", "one fold is chosen", "many rows"],
)
def test_otherwise_the_validation_rows_judge(
    split: dict[str, Any], rows: int, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folds, "FEW_ROWS", rows)
    bench = Bench(Subject(from_mapping(config(numbered(table, tmp_path), tmp_path / "run", split))))
    assert bench.folds == 1


def numbered(table: Path, into: Path) -> Path:
    """The table with a column that may deal its rows: by time, or into three groups."""
    lines = table.read_text().splitlines()
    path = into / "numbered.csv"
    path.write_text("\n".join([f"x,{lines[0]}", *(f"{place % 3},{line}" for place, line in enumerate(lines[1:]))]))
    return path


def test_too_few_groups_for_so_many_folds(table: Path, tmp_path: Path) -> None:
    split = {"method": "group", "column": "x", "test": 0.3, "valid": 0.3}
    assert Bench(Subject(from_mapping(config(numbered(table, tmp_path), tmp_path / "run", split)))).folds == 1


def test_folds_of_rows_that_can_t_be_dealt_are_refused(table: Path, tmp_path: Path) -> None:
    given = config(numbered(table, tmp_path), tmp_path / "run", {"method": "time", "column": "x"}, folds=3)
    with pytest.raises(ConfigError, match="'folds' of tune deals the rows"):
        tune_run(from_mapping(given))
    assert not (tmp_path / "run").exists()


def test_what_is_given_up_between_folds_is_worth_the_mean_of_those_before(table: Path, tmp_path: Path) -> None:
    bench = Bench(Subject(from_mapping(config(table, tmp_path / "run"))))
    seen: list[tuple[int, float]] = []

    def report(count: int, value: float) -> bool:
        seen.append((count, value))
        return count == 2

    measured = bench.measure(Job(key="one", values={}, rungs=(1, 2, 4)), report)
    assert measured.state == "pruned"
    assert [count for count, _ in seen] == [1, 2]
    assert measured.value == seen[-1][1]
    short = bench.measure(Job(key="two", values={}, seconds=0.0))
    assert (short.state, short.reason) == ("pruned", "Time was up.")


def test_an_easy_first_fold_is_no_lead(tmp_path: Path) -> None:
    space = (Dimension(key="train.l2", range=Range(kind="log", low=1e-5, high=1e-1)),)
    held = Study(
        tmp_path / "j",
        dimensions=space,
        trials=9,
        greater_is_better=False,
        seed=1,
        default={},
        rungs=(1, 2, 4),
        of_folds=True,
    )
    given_up = []
    for first in (0.1, 0.3, 0.2, 0.05):
        job = held.next()
        assert job is not None
        assert job.rungs == (1, 2, 4)
        given_up.append(held.report(job, 1, first))
        held.tell(job, Measured(state="pruned" if given_up[-1] else "complete", value=1.0))
    # All are below the means of the finished ones, which say nothing of the first fold.
    assert given_up == [False, True, True, False]
