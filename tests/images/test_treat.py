"""Treating runs on images: remedies that the network takes, test images that change nothing, the cure trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import wellfit
from pictures import bars, folders
from searches import treatment_of
from small import Command, Scored
from wellfit.config import load_config, with_values
from wellfit.diagnosis.checks import CHECKS
from wellfit.findings import Finding, Remedy
from wellfit.prepared_images import PreparedImages
from wellfit.treatment import treat_run
from wellfit.treatment.image_practice import ImagePractice
from wellfit.treatment.run_bench import bench_for

SIDE = 8
TINY: dict[str, Any] = {"type": "convnet", "widths": [8, 8]}
FAR_TOO_HIGH = {"name": "adam", "lr": 3.0}


def trained(source: Path, out: Path, **train: Any) -> wellfit.Run:
    settings = {"epochs": 6, "threads": 1, "batch_size": 8, "augment": "none", "schedule": None, **train}
    return wellfit.train(source, "label", out=str(out), model=TINY, train=settings, report=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that learn nothing, on the same images and with test folders that differ."""
    place = tmp_path_factory.mktemp("runs")
    for name, seed in (("one", 1), ("two", 2)):
        folders(place / f"set_{name}" / "train", *bars(120, side=SIDE))
        folders(place / f"set_{name}" / "test", *bars(30, seed=seed, side=SIDE))
        trained(place / f"set_{name}", place / name, optimizer=FAR_TOO_HIGH)
    return place


def practice(run: Path) -> ImagePractice:
    bench = bench_for(load_config(run / "config.yaml").config, None)
    assert isinstance(bench.prepared, PreparedImages)
    return ImagePractice(bench, bench.prepared)


def test_the_cure_is_proved_and_trained_and_test_images_are_scored_by_it_alone(
    folder: Path, scored_splits: Scored
) -> None:
    scored = scored_splits(PreparedImages)
    said: list[str] = []
    before = wellfit.load(folder / "one").metrics["test"]["accuracy"]
    treated = treat_run(folder / "one", apply=True, budget=9, seeds=2, report=said.append)
    assert treated.cured
    assert treated.result.path == folder / "one-treated"
    assert treated.result.metrics["test"]["accuracy"] > before
    assert scored.count("test") == 1
    assert scored[-1] == "test"
    assert any("a training takes about" in line for line in said)


def test_test_images_change_nothing(folder: Path) -> None:
    one, two = (treatment_of(treat_run(folder / name, budget=6, seeds=2)) for name in ("one", "two"))
    assert one == two


def found(code: str, *remedies: Remedy) -> Finding:
    return Finding(code=code, severity="warning", message="m", remedies=remedies)


def test_every_change_is_one_that_the_network_takes(folder: Path) -> None:
    config = load_config(folder / "one" / "config.yaml").config
    proposes = practice(folder / "one")
    for code in dict.fromkeys(check.code for check in CHECKS):
        for change in proposes.single([found(code)]):
            with_values(config, change.options)
            assert not any(key.startswith(("features.", "clean.", "data.", "split.")) for key in change.options)


def test_the_last_resort_is_what_a_new_run_has(folder: Path) -> None:
    (change,) = practice(folder / "one").standard([])
    config = with_values(load_config(folder / "one" / "config.yaml").config, change.options)
    assert list(config.model["widths"]) == [8, 8]
    assert config.train.epochs == 6
    assert (config.train.optimizer["name"], config.train.schedule["name"]) == ("nesterov", "one_cycle")
    assert dict(config.train.augment) == {"translate": 1}


def test_what_tables_or_other_networks_take_is_not_proposed(folder: Path) -> None:
    remedies = (
        Remedy(path="model.hidden", value=[64], why=""),
        Remedy(path="features.scale", value="standard", why=""),
        Remedy(path="model.dropout", value=0.0, why=""),
        Remedy(path="model.dropout", value=0.3, why=""),
    )
    first = [change.options for change in practice(folder / "one").single([found("not_learning", *remedies)])]
    assert first[0] == {"model.dropout": 0.3}
    assert first[1]["train.schedule"]["name"] == "one_cycle"


def test_overfitting_is_met_by_more_of_what_is_done_to_images(folder: Path) -> None:
    remedy = Remedy(path="train.augment", value={"noise": 0.1}, why="")
    changes = [change.options for change in practice(folder / "one").single([found("overfitting", remedy)])]
    moved = {"translate": 1, "rotate": 10.0, "cutout": {"size": 2, "share": 0.5}}
    assert changes[0] == {"train.augment": moved}
    assert {"train.augment": {**moved, "mixup": 0.2}} in changes
    assert {"model.widths": [4, 4]} in changes


def test_nothing_found_is_said_and_trains_nothing(tmp_path: Path, command: Command) -> None:
    source = folders(tmp_path / "set", *bars(90, side=SIDE))
    run = trained(source, tmp_path / "run", epochs=20, optimizer={"name": "adam", "lr": 0.01})
    assert not [finding for finding in run.findings if finding.severity != "info"]
    done = command("treat", run.path)
    assert done.code == 0, done.err
    assert "nothing was tried" in done.out


def test_explain_names_what_tells_of_images(folder: Path, command: Command) -> None:
    done = command("explain", folder / "one")
    assert done.code == 2
    assert "a run on images has none" in done.err
    assert "wellfit report" in done.err
