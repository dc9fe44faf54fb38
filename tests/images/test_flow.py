"""Training on images, from a folder to a run folder that predicts, resumes and reports."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

import wellfit
from pictures import arrows, bars, folders
from small import Command
from wellfit.config import from_mapping, load_config
from wellfit.data.sources import read_table
from wellfit.errors import ConfigError, DataError, WellfitError, WellfitWarning
from wellfit.image_preparation import prepare_images
from wellfit.image_trials import mirror_verdict
from wellfit.recording import resume_run, train_run
from wellfit.training import Callback

SMALL: dict[str, Any] = {"model": {"type": "convnet", "widths": [8, 8]}, "epochs": 6, "threads": 1, "augment": "none"}


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders(tmp_path_factory.mktemp("images") / "bars", *bars(240))


@pytest.fixture(scope="module")
def run(pets: Path, tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    return wellfit.train(pets, "label", out=str(tmp_path_factory.mktemp("run") / "bars"), **SMALL)


def test_a_folder_of_classes_is_learnt(run: wellfit.Run) -> None:
    assert run.metrics["test"]["accuracy"] > 0.9
    assert run.metrics["baselines"].keys() == {"majority", "linear"}
    assert run.classes_.tolist() == ["leans", "lies", "stands"]
    assert not [finding.code for finding in run.findings if finding.severity != "info"]


def test_files_arrays_folders_and_single_images_are_answered_alike(run: wellfit.Run, tmp_path: Path) -> None:
    images, labels = bars(31, seed=5)
    root = folders(tmp_path / "new", images, labels)
    of_array = run.predict_proba(images)
    assert (run.predict(images) == labels).mean() > 0.9
    files = [root / str(label) / f"{place:04d}.png" for place, label in enumerate(labels)]
    assert np.array_equal(run.predict_proba(files), of_array)
    assert np.array_equal(run.predict_proba(torch.from_numpy(images)), of_array)
    one_by_one = np.concatenate([run.predict_proba(path) for path in files[:5]])
    assert np.array_equal(one_by_one, of_array[:5])
    named = run.predict_rows(root).to_frame(tuple(run.classes_))
    assert named.columns == ["file", "prediction", "probability_leans", "probability_lies", "probability_stands"]
    assert named.height == 31
    listing = tmp_path / "list.csv"
    paths = [path.relative_to(tmp_path).as_posix() for path in files]
    pl.DataFrame({"path": [*paths, paths[0]]}).write_csv(listing)
    assert np.array_equal(run.predict_proba(listing), of_array[[*range(31), 0]])
    assert run.evaluate(root).metrics["accuracy"] == pytest.approx((run.predict(images) == labels).mean())


def test_other_sizes_and_modes_are_read_and_told(run: wellfit.Run, tmp_path: Path) -> None:
    images, _ = bars(2)
    Image.fromarray(images[0]).resize((40, 30)).convert("RGBA").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    with pytest.warns(WellfitWarning, match="1 image is resized to 12 x 12"):
        prediction = run.predict_rows([tmp_path / "a.png", tmp_path / "b.png"])
    assert len(prediction.values) == 2
    told = prediction.report.as_dict()
    assert (told["resized"], told["converted"], len(told["broken"])) == (1, 1, 1)
    with pytest.raises(WellfitError, match="can't be decoded"):
        run.predict([tmp_path / "a.png", tmp_path / "b.png"], policy="error")


def test_the_run_tells_of_images(run: wellfit.Run) -> None:
    page = (run.path / "report.html").read_text()
    worst = json.loads((run.path / "evaluation.json").read_text()).get("worst_images")
    assert ("data:image/png;base64," in page) == (worst is not None)
    assert "Training images" in page
    plan = run.plan["images"]
    assert (plan["channels"], plan["height"], plan["width"]) == (1, 12, 12)
    assert "convnet" in (run.path / "MODEL_CARD.md").read_text()
    assert run.folder.read_versioned("model.json")["inputs"] == {"channels": 1, "height": 12, "width": 12}


def test_the_command_line_trains_predicts_and_evaluates(command: Command, pets: Path, tmp_path: Path) -> None:
    options = ("-o", "model.type=convnet", "-o", "model.widths=[4]", "-o", "train.epochs=1", "-o", "train.augment=none")
    done = command("train", str(pets), "--target", "label", "--out", "run", *options)
    assert done.code == 0, done.err
    assert "images of 12 x 12" in done.out
    assert command("predict", "run", str(pets), "-o", "p.csv").code == 0
    assert pl.read_csv("p.csv").columns[:2] == ["file", "prediction"]
    assert "accuracy" in command("evaluate", "run", str(pets)).out
    assert command("report", "run").code == 0


class _Stop(Callback):
    def on_step(self, trainer: Any) -> None:
        if trainer.position.step == 9:
            raise KeyboardInterrupt


def test_a_stopped_run_goes_on_bit_by_bit(pets: Path, tmp_path: Path) -> None:
    train = {
        "epochs": 3,
        "threads": 1,
        "augment": {"flip": True, "translate": 1, "mixup": 0.4, "cutout": 3},
        "checkpoint_every": 4,
    }
    config = {"data": {"source": str(pets), "target": "label"}, "model": SMALL["model"], "train": train}
    whole = train_run(from_mapping({**config, "output": {"run": str(tmp_path / "whole"), "report": False}}))
    stopped = from_mapping({**config, "output": {"run": str(tmp_path / "stopped"), "report": False}})
    with pytest.raises(WellfitError, match="stopped"):
        train_run(stopped, callbacks=[_Stop()])
    resumed = resume_run(tmp_path / "stopped")
    for name in ("model.safetensors", "metrics.json"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_a_replay_repeats_what_short_trainings_decided(pets: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"model": SMALL["model"], "train": {"epochs": 2, "threads": 1}, "report": False}
    first = wellfit.train(pets, "label", out=str(tmp_path / "first"), **options)
    config = load_config(first.path / "config.yaml").config
    assert config.train.augment != "auto"
    again = train_run(config, force=True)
    assert (again.path / "model.safetensors").read_bytes() == (first.path / "model.safetensors").read_bytes()


def test_time_is_kept_and_the_epochs_are_planned_for_it(pets: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    options = {"model": SMALL["model"], "augment": "none", "threads": 1, "report": False}
    run = wellfit.train(pets, "label", out=str(tmp_path / "run"), time="8s", **options)
    assert time.monotonic() - began < 11.0
    assert run.config["train"]["time"] is None
    assert "fit into the time" in (run.path / "log.txt").read_text()


def _prepared(images: np.ndarray, labels: np.ndarray, tmp_path: Path, **train: Any) -> Any:
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    config = from_mapping({"data": {"source": str(tmp_path / "set.npz"), "target": "label"}, "train": train})
    return prepare_images(config, read_table(tmp_path / "set.npz"))


def test_mirrors_are_left_out_where_they_change_the_class(tmp_path: Path) -> None:
    pointing = mirror_verdict(_prepared(*arrows(600), tmp_path))
    assert pointing is not None
    assert not pointing.helps
    assert pointing.plain > pointing.mirrored
    even = mirror_verdict(_prepared(*bars(600), tmp_path))
    assert even is not None
    assert even.helps


def test_folders_named_for_splits_are_heeded(tmp_path: Path) -> None:
    images, labels = bars(90)
    folders(tmp_path / "set" / "train", images[:60], labels[:60])
    folders(tmp_path / "set" / "test", images[60:], labels[60:])
    config = from_mapping({"data": {"source": str(tmp_path / "set")}})
    prepared = prepare_images(config, read_table(tmp_path / "set"))
    assert prepared.rows["test"] == 30
    assert prepared.rows["train"] + prepared.rows["valid"] == 60


def test_an_empty_class_is_named_and_few_images_are_enough(tmp_path: Path) -> None:
    root = folders(tmp_path / "set", *bars(30))
    (root / "crosses").mkdir()
    (root / "broken").mkdir()
    (root / "broken" / "a.png").write_bytes(b"no image")
    run = wellfit.train(root, "label", out=str(tmp_path / "run"), **SMALL)
    found = {finding.code: finding for finding in run.findings}
    assert found["empty_class"].evidence == {"folders": 2, "example": "broken"}
    assert run.classes_.tolist() == ["leans", "lies", "stands"]


def test_one_class_is_refused_in_the_words_of_folders(tmp_path: Path) -> None:
    images, labels = bars(30)
    root = folders(tmp_path / "set", images, ["lies"] * len(labels))
    with pytest.raises(DataError, match=r"at least two classes\. Got 'lies'\. Put those of each class into a folder"):
        wellfit.train(root, out=str(tmp_path / "run"), **SMALL)
    (root / "stands").mkdir()
    with pytest.raises(DataError, match=r"Got 'lies'\. Put images into 'stands'"):
        wellfit.train(root, "label", out=str(tmp_path / "run"), **SMALL)
    assert not (tmp_path / "run").exists()


def test_equal_images_are_dropped_and_the_scale_is_of_training_rows(tmp_path: Path) -> None:
    images, labels = bars(60)
    doubled = _prepared(np.concatenate([images, images[:10]]), np.concatenate([labels, labels[:10]]), tmp_path)
    assert doubled.rows["duplicates_dropped"] == 10
    pixels = doubled.images.pixels[doubled.places("train")].double()
    assert float(doubled.scale.mean) == pytest.approx(float(pixels.mean()), rel=1e-12)


def test_numbers_are_learnt_from_a_table_of_paths(tmp_path: Path) -> None:
    images, _ = bars(60)
    folders(tmp_path / "all", images, np.zeros(60, dtype=int))
    names = [f"all/0/{place:04d}.png" for place in range(60)]
    bright = images.mean((1, 2)) + np.linspace(0, 0.1, 60)
    pl.DataFrame({"path": names, "bright": bright}).write_csv(tmp_path / "set.csv")
    run = wellfit.train(f"images:{tmp_path / 'set.csv'}", "bright", out=str(tmp_path / "run"), **SMALL)
    assert run.task == "regression"
    assert run.predict(images).shape == (60,)


@pytest.mark.parametrize(
    ("labels", "options", "error", "said"),
    [
        (np.zeros(30), {}, DataError, "one value|must have|same"),
        (np.arange(30) % 3, {"model": "realmlp"}, ConfigError, "'realmlp' reads tables"),
        (np.arange(30) % 3, {"model": {"type": "timm"}}, ConfigError, "needs its name"),
        (np.arange(30) % 3, {"model": {"type": "resnet18", "weights": "none.pt"}}, DataError, "no such file"),
    ],
)
def test_what_can_not_be_trained_is_said(
    tmp_path: Path, labels: np.ndarray, options: Any, error: type[Exception], said: str
) -> None:
    np.savez(tmp_path / "set.npz", images=bars(30)[0], labels=labels.astype(int))
    with warnings.catch_warnings(), pytest.raises(error, match=said):
        wellfit.train(tmp_path / "set.npz", "label", out=str(tmp_path / "run"), epochs=1, **options)
    assert not (tmp_path / "run").exists()
