"""The whole of tuning: a run that predicts, a search that does not see the test rows, failures, interruptions, time."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

import wellfit
from searches import stopped_at, study_of
from small import Command, Scored, csv_text, small_columns
from wellfit.config import from_mapping
from wellfit.errors import ConfigError, Interrupted, RunFailed, RunFolderError
from wellfit.prepared import PreparedTable
from wellfit.tuning import resume_study, tune_run
from wellfit.tuning.bench import Bench, Measured

SEARCH = {"train.optimizer.lr": "log(1e-3, 1e-1)", "model.hidden": [[4], [8]], "features.scale": ["robust", "standard"]}
QUICK = {"type": "mlp", "hidden": [4]}


def config(source: Path | str, out: Path | str, **tune: Any) -> dict[str, Any]:
    return {
        "data": {"source": str(source), "target": "label"},
        "model": dict(QUICK),
        "train": {"epochs": 3, "threads": 1},
        "tune": {"trials": 4, "search": SEARCH, "workers": 1, "folds": 1, **tune},
        "output": {"run": str(out), "report": False},
    }


def tuned(source: Path, out: Path, **tune: Any) -> wellfit.Run:
    return tune_run(from_mapping(config(source, out, **tune)))


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    place = tmp_path_factory.mktemp("tuned") / "one"
    given = config(table, place)
    return tune_run(from_mapping({**given, "output": {"run": str(place)}}))


def test_the_result_is_a_run_that_predicts_and_explains_its_search(run: wellfit.Run, table: Path) -> None:
    record = run.tuning
    assert record is not None
    assert [trial["number"] for trial in record["trials"]] == [0, 1, 2, 3]
    assert record["trials"][0]["default"]
    assert len(run.predict(str(table))) == 120
    assert set(run.metrics) >= {"test", "valid", "baselines"}
    page = (run.path / "report.html").read_text()
    assert "The course of the search" in page
    assert "All trials over their settings" in page
    assert not (run.path / "tuning").exists()


def test_the_kept_settings_are_those_of_the_run(run: wellfit.Run) -> None:
    assert run.tuning is not None
    best = run.tuning["best"]
    assert (run.tuning["kept"] == "tuned") is (best is not None)
    if best is not None:
        assert run.config["train"]["optimizer"]["lr"] == best["values"]["train.optimizer.lr"]
        assert any(proof["holds"] and proof["number"] == best["number"] for proof in run.tuning["proofs"])


def test_values_are_those_of_a_training_with_the_same_settings(run: wellfit.Run, table: Path, tmp_path: Path) -> None:
    assert run.tuning is not None
    trial = run.tuning["trials"][1]
    given = config(table, tmp_path / "again")
    again = wellfit.train(
        str(table),
        "label",
        out=str(tmp_path / "again"),
        model={**QUICK, "hidden": trial["values"]["model.hidden"]},
        train={**given["train"], "optimizer": {"lr": trial["values"]["train.optimizer.lr"]}, "doctor": "off"},
        features={"scale": trial["values"]["features.scale"]},
        report=False,
    )
    assert trial["state"] == "complete"
    assert again.metrics["valid"][run.tuning["metric"]] == trial["value"]


def test_test_rows_change_nothing(table: Path, tmp_path: Path) -> None:
    studies = []
    for seed in (1, 2):
        test = tmp_path / f"test{seed}.csv"
        test.write_text(csv_text(small_columns(60, seed=seed)))
        given = config(table, tmp_path / f"run{seed}")
        given["data"]["test"] = str(test)
        studies.append(study_of(tune_run(from_mapping(given))))
    assert studies[0] == studies[1]


def test_test_rows_are_scored_by_the_final_training_alone(table: Path, tmp_path: Path, scored_splits: Scored) -> None:
    scored = scored_splits(PreparedTable)
    tuned(table, tmp_path / "run", trials=2)
    assert scored.count("test") == 1
    assert "test" not in scored[:2]


def test_one_worker_gives_the_same_study_again(run: wellfit.Run, table: Path, tmp_path: Path) -> None:
    assert study_of(tuned(table, tmp_path / "again")) == study_of(run)


def test_rows_are_prepared_once_for_each_set_of_their_settings(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wellfit.tuning import bench

    prepared: list[str] = []
    prepare = bench.prepare_source

    def counted(config: Any, data: Any = None) -> Any:
        prepared.append(str(config.features.scale))
        return prepare(config, data)

    monkeypatch.setattr(bench, "prepare_source", counted)
    tuned(table, tmp_path / "run", trials=6)
    assert len(prepared) <= 3
    assert prepared[1:].count("standard") <= 1


@pytest.mark.parametrize("key", ["trial 0", "trial 2", "proof default 1001"])
def test_a_study_that_was_stopped_goes_on_to_the_same_end(
    key: str, run: wellfit.Run, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", stopped_at(key))
        if run.tuning is not None and not run.tuning["proofs"] and key.startswith("proof"):
            pytest.skip("nothing was put to the proof")
        with pytest.raises(Interrupted, match="Go on with: wellfit resume"):
            tuned(table, tmp_path / "cut")
    assert study_of(resume_study(tmp_path / "cut")) == study_of(run)


def test_the_same_command_goes_on(table: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["tune", table, "--target", "label", "--trials", 3, "--workers", 1, "--json"]
    settings = ["train.epochs=2", "model.type=mlp", "model.hidden=[4]", "train.threads=1", "output.report=false"]
    given += [part for setting in settings for part in ("-o", setting)]
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", stopped_at("trial 1"))
        stopped = command(*given)
    assert stopped.code == 1
    assert stopped.record["error"].startswith("Tuning was stopped after 1 of 3 trials.")
    again = command(*given)
    assert again.code == 0
    assert again.record["run"] == "runs/small-1"
    assert len(again.record["tuning"]["trials"]) == 3
    assert command("resume", "runs/small-1").code == 0


def test_a_killed_final_training_is_finished(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wellfit.tuning import procedure

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(procedure, "train_run", killed)
        with pytest.raises(KeyboardInterrupt):
            tuned(table, tmp_path / "run", trials=2)
    assert len((resume_study(tmp_path / "run").tuning or {})["trials"]) == 2


def test_another_config_does_not_go_on_with_a_study(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", stopped_at("trial 1"))
        with pytest.raises(Interrupted):
            tuned(table, tmp_path / "run")
    with pytest.raises(RunFolderError, match="of another config"):
        tuned(table, tmp_path / "run", search={"train.l2": "log(1e-5, 1e-2)"})


def test_an_existing_run_is_not_overwritten(run: wellfit.Run, table: Path) -> None:
    with pytest.raises(RunFolderError, match="never overwritten"):
        tuned(table, run.path)


def test_rows_in_memory_are_tuned_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(rows: dict[str, Any]) -> wellfit.Run:
        return wellfit.tune(
            rows,
            "label",
            trials=2,
            search={"train.l2": "log(1e-5, 1e-2)"},
            out=str(tmp_path / "run"),
            epochs=2,
            threads=1,
            model=QUICK,
            report=False,
        )

    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", stopped_at("trial 1"))
        with pytest.raises(Interrupted, match=r"Call wellfit\.tune with the same rows"):
            kept(small_columns())
    with pytest.raises(ConfigError, match="these are others"):
        kept(small_columns(seed=1))
    with pytest.raises(RunFolderError, match="were in memory"):
        resume_study(tmp_path / "run")
    assert len((kept(small_columns()).tuning or {})["trials"]) == 2


def test_a_trial_that_fails_is_told_and_the_others_go_on(table: Path, tmp_path: Path) -> None:
    search = {"train.optimizer.lr": [1e-2, 1e30], "train.clip_norm": [1.0, 2.0]}
    record = tuned(table, tmp_path / "run", search=search, trials=8).tuning
    assert record is not None
    failed = [trial for trial in record["trials"] if trial["state"] == "failed"]
    assert failed
    assert all("diverged" in trial["reason"] or "not a number" in trial["reason"] for trial in failed)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
        (RuntimeError("a shape is wrong\nand more"), "a shape is wrong"),
    ],
)
def test_all_trials_failing_is_one_sentence(
    error: Exception, said: str, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any) -> Measured:
        raise error

    monkeypatch.setattr(Bench, "_measure", failing)
    with pytest.raises(RunFailed, match=rf"No trial could be trained\. Got .*{said}"):
        tuned(table, tmp_path / "run", trials=2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tune": {"search": {"train.metric": ["auc", "f1"]}}}, "can't be searched"),
        ({"tune": {"search": {"train.epoch": [1, 2]}}}, "not a key of train"),
        ({"tune": {"search": {"train.l2": "log(1, 1e-3)"}}}, "reversed"),
        ({"split": {"valid": 0.0}}, "'split.valid' must be in"),
        ({"data": {"target": "label"}}, "There must be data"),
    ],
)
def test_bad_input_is_said_before_anything_is_written(
    changes: dict[str, Any], said: str, table: Path, tmp_path: Path
) -> None:
    given = {**config(table, tmp_path / "run"), **changes}
    with pytest.raises(ConfigError, match=said):
        tune_run(from_mapping(given))
    assert not (tmp_path / "run").exists()


def test_a_missing_optuna_is_named_with_its_command(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'wellfit\[tune\]'"):
        tuned(table, tmp_path / "run")


@pytest.mark.slow
def test_importing_tuning_needs_no_optuna() -> None:
    import subprocess
    import sys

    code = "import sys, wellfit.tuning; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_time_limit_holds_to_the_finished_folder(tmp_path: Path) -> None:
    draw = random.Random(0)
    columns = {name: [draw.random() for _ in range(3000)] for name in "abc"}
    columns["label"] = [a * b + 0.1 * c for a, b, c in zip(*(columns[name] for name in "abc"), strict=True)]
    table = tmp_path / "rows.csv"
    table.write_text(csv_text(columns))
    given = config(table, tmp_path / "run", trials=1000, time=6, search="auto")
    given["train"]["epochs"] = 30
    started = time.monotonic()
    run = tune_run(from_mapping(given), started=started)
    assert time.monotonic() - started < 6 + 3
    assert run.tuning is not None
    assert run.tuning["trials"]
    assert (run.path / "metrics.json").is_file()


@pytest.mark.slow
def test_several_processes_make_the_trials(table: Path, tmp_path: Path) -> None:
    run = tuned(table, tmp_path / "run", workers=2, trials=6)
    assert run.tuning is not None
    assert sorted(trial["number"] for trial in run.tuning["trials"]) == list(range(6))
    assert all(trial["state"] != "failed" for trial in run.tuning["trials"])


@pytest.mark.slow
def test_a_killed_command_goes_on_with_resume(table: Path, tmp_path: Path) -> None:
    import signal
    import subprocess
    import sys

    out = tmp_path / "run"
    settings = ["train.epochs=40", "model.type=mlp", "model.hidden=[64]", "train.threads=1", "output.report=false"]
    options = [part for setting in settings for part in ("-o", setting)]
    given = ["tune", str(table), "--target", "label", "--trials", "6", "--workers", "1", "--out", str(out), *options]
    process = subprocess.Popen([sys.executable, "-m", "wellfit", *given], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "trial 1" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = subprocess.run(
        [sys.executable, "-m", "wellfit", "resume", str(out), "--json"], capture_output=True, text=True, check=True
    )
    assert len(json.loads(again.stdout)["tuning"]["trials"]) == 6


def test_time_too_short_to_try_anything_gives_the_linear_model(table: Path, tmp_path: Path) -> None:
    given = config(table, tmp_path / "run", time=0.5, search={"train.optimizer.lr": "log(1e-3, 1e-1)"})
    del given["model"], given["train"]["epochs"]
    run = tune_run(from_mapping(given))
    options = run.folder.read_versioned("model.json")["options"]
    assert [member["type"] for member in options["members"]] == ["linear"]
    assert "short_time" in [finding.code for finding in run.findings]
    assert run.tuning is not None
    assert run.tuning["kept"] == "default"
