"""Tuning on images: its space, what is settled once, test images that change nothing, a study that goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellfit
from pictures import arrows, bars, folders
from searches import stopped_at, study_of
from small import Command, Scored
from wellfit import image_trials
from wellfit.config import from_mapping
from wellfit.errors import ConfigError, DataError, Interrupted, WellfitError
from wellfit.image_trials import Verdict, augmentations_to_try
from wellfit.models import ImageInputs
from wellfit.prepared_images import PreparedImages
from wellfit.source_preparation import are_images, prepare_source
from wellfit.tuning import resume_study, tune_run
from wellfit.tuning.bench import Bench, Job
from wellfit.tuning.space import given_space
from wellfit.tuning.subject import Subject

SIDE = 8
TINY: dict[str, Any] = {"type": "convnet", "widths": [4]}


def config(source: Path, out: Path, *, train: Any = None, **tune: Any) -> dict[str, Any]:
    return {
        "data": {"source": str(source), "target": "label"},
        "model": dict(TINY),
        "train": {"epochs": 2, "threads": 1, **(train or {})},
        "tune": {"trials": 3, "workers": 1, **tune},
        "output": {"run": str(out), "report": False},
    }


def tuned(source: Path, out: Path, **more: Any) -> wellfit.Run:
    return tune_run(from_mapping(config(source, out, **more)))


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders(tmp_path_factory.mktemp("images") / "bars", *bars(90, side=SIDE))


@pytest.fixture(scope="module")
def run(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    return tuned(shapes, tmp_path_factory.mktemp("tuned") / "one")


def test_images_are_told_from_tables_by_their_names(shapes: Path, table: Path) -> None:
    for source, told in ((shapes, True), (f"images:{shapes}", True), (table, False)):
        assert are_images(from_mapping({"data": {"source": str(source)}})) is told


def test_the_space_is_that_of_the_network_its_training_and_its_images(run: wellfit.Run) -> None:
    assert run.tuning is not None
    space = run.tuning["space"]
    assert {"train.optimizer.lr", "train.weight_decay", "train.augment", "model.dropout", "train.batch_size"} == set(
        space
    )
    assert {"translate": 1, "cutout": {"size": 2, "share": 0.5}} in space["train.augment"]
    assert run.tuning["trials"][0]["values"]["train.augment"] == {"translate": 1}


def test_the_result_is_a_run_on_images_that_predicts(run: wellfit.Run) -> None:
    images, _ = bars(7, seed=1, side=SIDE)
    assert run.predict(images).shape == (7,)
    assert run.config["train"]["augment"] != "auto"
    best = (run.tuning or {})["best"]
    if best is not None:
        assert run.config["train"]["optimizer"]["lr"] == best["values"]["train.optimizer.lr"]


def test_values_are_those_of_a_training_with_the_same_settings(run: wellfit.Run, shapes: Path, tmp_path: Path) -> None:
    assert run.tuning is not None
    trial = next(trial for trial in run.tuning["trials"][1:] if trial["state"] == "complete")
    values = {key.rpartition(".")[2]: value for key, value in trial["values"].items()}
    again = wellfit.train(
        str(shapes),
        "label",
        out=str(tmp_path / "again"),
        model={**TINY, "dropout": values["dropout"]},
        train={"epochs": 2, "threads": 1, "optimizer": {"lr": values["lr"]}, "augment": values["augment"]},
        weight_decay=values["weight_decay"],
        batch_size=values["batch_size"],
        report=False,
    )
    assert again.metrics["valid"][run.tuning["metric"]] == trial["value"]


def test_test_images_change_nothing_and_are_scored_once(tmp_path: Path, scored_splits: Scored) -> None:
    scored = scored_splits(PreparedImages)
    studies = []
    for seed in (1, 2):
        root = tmp_path / f"set{seed}"
        folders(root / "train", *bars(60, side=SIDE))
        folders(root / "test", *bars(30, seed=seed, side=SIDE))
        studies.append(study_of(tuned(root, tmp_path / f"run{seed}", trials=2)))
    assert studies[0] == studies[1]
    assert scored.count("test") == 2


def test_mirroring_is_tried_once_in_a_study_and_never_in_a_trial(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def verdict(prepared: PreparedImages) -> Verdict:
        asked.append(prepared.rows["train"])
        return Verdict(plain=0.9, mirrored=0.95, rows=100, helps=True)

    monkeypatch.setattr(image_trials, "mirror_verdict", verdict)
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", stopped_at("trial 1"))
        with pytest.raises(Interrupted):
            tuned(shapes, tmp_path / "run", trials=2)
    made = resume_study(tmp_path / "run")
    assert len(asked) == 1
    assert made.tuning is not None
    assert all("flip" in one or not one for one in made.tuning["space"]["train.augment"])


def test_what_was_found_by_mirroring_is_told_and_stays_in_the_run(tmp_path: Path) -> None:
    source = folders(tmp_path / "set", *arrows(330))
    said: list[str] = []
    made = wellfit.tune(
        source,
        "label",
        trials=1,
        out=str(tmp_path / "run"),
        tell=said.append,
        workers=1,
        model=TINY,
        train={"epochs": 1, "threads": 1},
        report=False,
    )
    assert said[0].startswith("Mirrored images were tried")
    assert ("flip" in made.config["train"]["augment"]) is ("They are used" in said[0])


def test_keys_of_augmentations_stand_beside_what_was_settled(shapes: Path, tmp_path: Path) -> None:
    search = {"train.augment.cutout": "int(0, 3)", "train.augment.mixup": [False, 0.3]}
    bench = Bench(Subject(from_mapping(config(shapes, tmp_path / "run", search=search))))
    taken: list[Any] = []
    ready = Bench.ready

    def seen(self: Bench, given: Any) -> Any:
        taken.append(dict(given.train.augment))
        return ready(self, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bench, "ready", seen)
        given = {"train.augment.cutout": 2, "train.augment.mixup": False}
        assert bench.measure(Job(key="trial 1", values=given)).state == "complete"
    assert taken == [{"translate": 1, "cutout": {"size": 2, "share": 1.0}}]
    assert {one.key for one in given_space(bench.config)} == set(search)


def test_a_study_that_was_stopped_goes_on_to_the_same_end(
    run: wellfit.Run, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", stopped_at("trial 2"))
        with pytest.raises(Interrupted, match="Go on with: wellfit resume"):
            tuned(shapes, tmp_path / "cut")
    resumed = resume_study(tmp_path / "cut")
    assert study_of(resumed) == study_of(run)
    assert (resumed.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()


def test_under_a_time_limit_the_epochs_are_planned_once(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[float] = []

    def affordable(prepared: PreparedImages, until: float, *, rest: float) -> tuple[int, float]:
        planned.append(until - time.monotonic())
        return 2, 0.1

    monkeypatch.setattr(image_trials, "_affordable", affordable)
    given = config(shapes, tmp_path / "run", trials=2, time=24)
    del given["train"]["epochs"]
    made = tune_run(from_mapping(given))
    assert made.tuning is not None
    assert planned == [pytest.approx(2.0, abs=0.1)]
    assert made.config["train"]["epochs"] == made.tuning["trials"][0]["epochs"] == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"tune": {"search": {"model.hidden": [[8], [16]]}}},
            "'hidden' is not an option of convnet. Known: widths",
        ),
        ({"tune": {"search": {"features.scale": ["robust", "standard"]}}}, "images have no columns"),
        ({"tune": {"search": {"clean.missing": ["auto", "drop"]}}}, "images have no columns"),
        ({"tune": {"search": {"train.augment.cutuot": "int(0, 3)"}}}, "cutuot"),
        ({"tune": {"search": {"train.augment.mixup": "uniform(0.2, 3)"}}}, "'alpha' of mixup must be"),
        ({"model": {"type": "realmlp"}}, "'realmlp' reads tables, and the source holds images"),
        ({"train": {"metric": "rmse"}}, "no metric for a"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    changes: dict[str, Any], said: str, shapes: Path, tmp_path: Path
) -> None:
    given = {**config(shapes, tmp_path / "run"), **changes}
    with pytest.raises(ConfigError, match=said) as caught:
        tune_run(from_mapping(given))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_one_class_or_broken_files_alone_are_said(tmp_path: Path) -> None:
    folders(tmp_path / "one", bars(12, side=SIDE)[0], np.zeros(12, dtype=int))
    (tmp_path / "broken" / "a").mkdir(parents=True)
    (tmp_path / "broken" / "a" / "1.png").write_bytes(b"no image")
    for name in ("one", "broken"):
        with pytest.raises(DataError) as caught:
            tuned(tmp_path / name, tmp_path / "run")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_an_empty_class_and_broken_images_are_set_aside(tmp_path: Path) -> None:
    root = folders(tmp_path / "set", *bars(45, side=SIDE))
    (root / "crosses").mkdir()
    (root / "lies" / "broken.png").write_bytes(b"no image")
    made = tuned(root, tmp_path / "run", trials=1)
    assert made.classes_.tolist() == ["leans", "lies", "stands"]
    assert "empty_class" in {finding.code for finding in made.findings}


def test_the_smaller_the_image_the_smaller_what_is_hidden() -> None:
    for side in (8, 28, 224):
        inputs = ImageInputs(channels=3, height=side, width=side)
        tried = augmentations_to_try(inputs, {"translate": 1})
        assert tried[0] == {"translate": 1}
        assert len(tried) == len({json.dumps(one) for one in tried})
        assert all(one.get("cutout", {"size": 1})["size"] < side / 2 for one in tried)


def test_the_command_tunes_and_predicts(command: Command, shapes: Path) -> None:
    settings = ["train.epochs=1", "model.type=convnet", "model.widths=[4]", "train.threads=1", "output.report=false"]
    options = [part for setting in settings for part in ("-o", setting)]
    done = command("tune", shapes, "--trials", 2, "--workers", 1, "--out", "run", *options)
    assert done.code == 0, done.err
    assert "train.augment=" in done.out
    assert command("predict", "run", shapes, "-o", "p.csv").code == 0


def test_a_table_is_prepared_as_before(table: Path) -> None:
    prepared = prepare_source(from_mapping({"data": {"source": str(table), "target": "label"}, "model": "mlp"}))
    assert not isinstance(prepared, PreparedImages)
    with pytest.raises(WellfitError):
        prepare_source(from_mapping({"data": {"source": str(table), "target": "none"}, "model": "mlp"}))


@pytest.mark.slow
def test_several_processes_and_a_killed_command(shapes: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    settings = ["train.epochs=12", "model.type=convnet", "model.widths=[16]", "train.threads=1", "output.report=false"]
    options = [part for setting in settings for part in ("-o", setting)]
    given = ["tune", str(shapes), "--trials", "6", "--workers", "2", "--out", str(out), *options]
    process = subprocess.Popen([sys.executable, "-m", "wellfit", *given], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "trial 1" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = subprocess.run(
        [sys.executable, "-m", "wellfit", "resume", str(out), "--json"], capture_output=True, text=True, check=True
    )
    trials = json.loads(again.stdout)["tuning"]["trials"]
    assert sorted(trial["number"] for trial in trials) == list(range(6))
    assert all(trial["state"] != "failed" for trial in trials)
