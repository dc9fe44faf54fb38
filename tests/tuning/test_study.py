"""The journal: Optuna reads it as its own, and a study that was cut goes on with the draws it would have made."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from wellfit.config import Range
from wellfit.tuning.bench import Job, Measured
from wellfit.tuning.dimensions import Dimension
from wellfit.tuning.study import Study, rungs_of

SPACE = (
    Dimension(key="train.l2", range=Range(kind="log", low=1e-5, high=1e-1)),
    Dimension(key="train.epochs", range=Range(kind="int", low=1, high=9), whole=True),
    Dimension(key="model.hidden", range=Range(kind="list", values=([4], [8, 8]))),
)


def study(path: Path, **more: Any) -> Study:
    given = {"trials": 12, "greater_is_better": False, "seed": 3, "default": {"train.l2": 0.0}, "rungs": rungs_of(90)}
    return Study(path, dimensions=SPACE, **{**given, **more})


def value_of(job: Job) -> float:
    return abs(job.values.get("train.l2", 0.05) - 0.01) + 0.1 * len(job.values.get("model.hidden", [1]))


def trained(held: Study, jobs: int = 100) -> list[Job]:
    made = []
    while len(made) < jobs and (job := held.next()) is not None:
        held.tell(job, Measured(state="complete", value=value_of(job), epochs=9))
        made.append(job)
    return made


def test_the_first_trial_is_the_config_as_it_is(tmp_path: Path) -> None:
    held = study(tmp_path / "j", default={"train.l2": 0.02, "model.hidden": [4], "train.epochs": 100})
    job = held.next()
    assert job is not None
    assert job.values == {}
    held.tell(job, Measured(state="complete", value=1.0))
    (record,) = held.records()
    assert record["default"]
    # What lies outside its range is left out of what the search learns from.
    assert record["values"] == {"train.l2": 0.02, "model.hidden": [4]}


def test_optuna_reads_the_journal_as_its_own(tmp_path: Path) -> None:
    held = study(tmp_path / "j")
    trained(held)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = optuna.load_study(study_name="wellfit", storage=JournalStorage(JournalFileBackend(str(tmp_path / "j"))))
        theirs = optuna.importance.get_param_importances(
            read, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
    best = min(held.records(), key=lambda trial: trial["value"])
    assert read.best_value == best["value"]
    assert read.best_trial.number == best["number"]
    assert held.importances() == pytest.approx(theirs)


def test_the_journal_is_json(tmp_path: Path) -> None:
    trained(study(tmp_path / "j"), 3)
    assert all(json.loads(line) for line in (tmp_path / "j").read_text().splitlines())
    assert {path.name for path in tmp_path.iterdir()} == {"j"}


@pytest.mark.parametrize("cut", [1, 4, 9])
def test_a_study_that_was_cut_draws_what_it_would_have_drawn(tmp_path: Path, cut: int) -> None:
    whole = [job.values for job in trained(study(tmp_path / "whole"))]
    first = study(tmp_path / "cut")
    trained(first, cut)
    under_way = first.next()
    assert under_way is not None
    # A process that dies while it writes leaves half a line and a lock.
    with (tmp_path / "cut").open("a") as file:
        file.write('{"op_code": 5, "wor')
    (tmp_path / "cut.lock").touch()
    rest = trained(study(tmp_path / "cut"))
    assert rest[0].values == under_way.values
    assert [job.values for job in rest] == whole[cut:]


FIRST = ({"train.l2": 0.003, "model.hidden": [8, 8]}, {"train.l2": 0.03, "train.epochs": 2})


def test_what_is_known_to_do_well_is_tried_after_the_default(tmp_path: Path) -> None:
    jobs = trained(study(tmp_path / "j", first=FIRST), 3)
    assert jobs[0].values == {}
    assert [{**job.values, **settings} for job, settings in zip(jobs[1:], FIRST, strict=True)] == [
        job.values for job in jobs[1:]
    ]
    # What they leave open is drawn.
    assert all(len(job.values) == len(SPACE) for job in jobs[1:])


@pytest.mark.parametrize("lines", [3, 5, 8, 11])
def test_a_process_that_ended_while_they_were_written_down_loses_none(tmp_path: Path, lines: int) -> None:
    whole = [job.values for job in trained(study(tmp_path / "whole", first=FIRST))]
    study(tmp_path / "begun", first=FIRST)
    cut = (tmp_path / "begun").read_bytes().splitlines(keepends=True)[:lines]
    (tmp_path / "cut").write_bytes(b"".join(cut))
    assert [job.values for job in trained(study(tmp_path / "cut", first=FIRST))] == whole


def test_a_trial_that_ends_the_process_twice_has_failed(tmp_path: Path) -> None:
    held = study(tmp_path / "j")
    trained(held, 1)
    for _ in range(2):
        again = study(tmp_path / "j")
        assert again.next().key == "trial 1"  # type: ignore[union-attr]
    last = study(tmp_path / "j")
    assert last.next().key == "trial 2"  # type: ignore[union-attr]
    assert last.records()[1]["state"] == "failed"
    assert "memory" in last.records()[1]["reason"]


def test_draws_depend_on_the_seed(tmp_path: Path) -> None:
    values = [
        [job.values for job in trained(study(tmp_path / name, seed=seed), 4)] for name, seed in (("a", 1), ("b", 2))
    ]
    assert values[0][1:] != values[1][1:]


def test_the_worse_of_a_rung_are_given_up(tmp_path: Path) -> None:
    held = study(tmp_path / "j")
    default = held.next()
    assert default is not None
    assert default.rungs == ()
    held.tell(default, Measured(state="complete", value=1.0))
    given_up = []
    for value in (1.1, 1.9, 1.8, 0.05):
        job = held.next()
        assert job is not None
        given_up.append(held.report(job, job.rungs[0], value))
        held.tell(job, Measured(state="pruned" if given_up[-1] else "complete", value=value))
    assert given_up == [False, True, True, False]


def test_the_search_finds_better_settings_than_its_first_draws(tmp_path: Path) -> None:
    values = [value_of(job) for job in trained(study(tmp_path / "j", trials=40))]
    assert sum(values[-10:]) < sum(values[1:11])


@pytest.mark.parametrize(("epochs", "rungs"), [(1, ()), (2, (1,)), (10, (2, 4, 8)), (100, (20, 40, 80))])
def test_rungs_lie_within_the_epochs(epochs: int, rungs: tuple[int, ...]) -> None:
    assert rungs_of(epochs) == rungs
