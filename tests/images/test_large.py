"""Images too large for the memory: refused in one sentence, and what can be held is never more than it must be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import wellfit
from image_sets import noise, save
from pictures import bars, folders
from wellfit.config import from_mapping
from wellfit.errors import DataError
from wellfit.image_room import refuse_large_images
from wellfit.models.convnet import ConvNet, whitening
from wellfit.models.image_inputs import ImageInputs
from wellfit.prepared_images import PreparedImages
from wellfit.source_preparation import prepare_source

LARGE = 120


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for label in ("cat", "dog"):
        for place in range(4):
            save(tmp_path / "photos" / label / f"{place}.png", noise(LARGE, LARGE))
    return tmp_path / "photos"


def test_images_larger_than_memory_allows_are_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.image_room.memory_share", lambda: 1e7)
    with pytest.raises(DataError, match=r"8 images of 120 x 120 pixels.*must fit.*data\.image_size to a smaller one"):
        wellfit.train(folder, out="run", report=False)
    assert not Path("run").exists()
    smaller = prepare_source(from_mapping({"data": {"source": str(folder), "image_size": [24, 24]}}))
    assert smaller.rows["train"] > 0


def test_larger_batches_and_networks_need_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.image_room.memory_share", lambda: 1e9)

    def fits(side: int, **keys: object) -> bool:
        try:
            refuse_large_images(from_mapping({"train": {"device": "cpu", "batch_size": 8}, **keys}), side, side)
        except DataError:
            return False
        return True

    assert fits(224, model={"type": "resnet18"})
    assert not fits(800, model={"type": "resnet18"})
    assert fits(800, model={"type": "convnet"})
    assert not fits(800, model={"type": "convnet"}, train={"device": "cpu", "batch_size": 64})


def test_the_whitening_of_large_images_stays_small() -> None:
    sample = torch.randn(1, 1, 600, 600, generator=torch.Generator().manual_seed(0))
    network = ConvNet(ImageInputs(channels=1, height=600, width=600, sample=sample), 2, widths=[4, 4])
    assert network.whiten.weight.shape[2:] == (16, 16)
    assert network(sample).shape == (1, 2)


def test_few_images_are_whitened_all(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    whole = whitening(images, 2)
    monkeypatch.setattr("wellfit.models.convnet._WHITENED", 16 * 3 * 16 * 16 * 4)
    assert torch.equal(whitening(images, 2), whitening(images[:16], 2))
    assert not torch.equal(whitening(images, 2), whole)


def test_time_for_next_to_no_updates_is_said(folder: Path) -> None:
    run = wellfit.train(
        folder, out="run", report=False, time="0.1s", threads=1, augment="none", data={"image_size": [16, 16]}
    )
    (said,) = [finding.message for finding in run.findings if finding.code == "short_time"]
    assert "too few for a network to learn from" in said
    assert "linear" in run.metrics["baselines"]


def test_too_little_time_for_a_network_gives_a_linear_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = bars(240)
    folders(tmp_path / "set", images, labels)
    monkeypatch.setattr("wellfit.image_trials._update_seconds", lambda held, *given, **more: _DEAR[_type(held)])
    run = wellfit.train(tmp_path / "set", out=tmp_path / "run", report=False, time="20s", threads=1)
    assert (run.config["model"]["type"], run.config["train"]["augment"]) == ("linear_pixels", "none")
    (said,) = [finding.message for finding in run.findings if finding.code == "short_time"]
    assert "a linear model is what was trained" in said
    assert run.metrics["test"]["accuracy"] > run.metrics["baselines"]["majority"]["accuracy"] + 0.2
    again = wellfit.load(tmp_path / "run")
    assert again.predict(images[:5]).tolist() == run.predict(images[:5]).tolist()
    # A network that somebody named is what is trained, however little that may be.
    named = wellfit.train(
        tmp_path / "set", out=tmp_path / "named", report=False, time="20s", threads=1, model={"type": "convnet"}
    )
    assert named.config["model"]["type"] == "convnet"
    assert "too few for a network" in next(one.message for one in named.findings if one.code == "short_time")


_DEAR = {"convnet": 10.0, "linear_pixels": 0.001}
"""Seconds of an update."""


def _type(prepared: PreparedImages) -> str:
    return str(prepared.config.model["type"])
