"""Images too large for the memory: refused in one sentence, and what can be held is never more than it must be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import wellfit
from image_sets import noise, save
from wellfit.config import from_mapping
from wellfit.errors import DataError
from wellfit.image_room import refuse_large_images
from wellfit.models.convnet import ConvNet, whitening
from wellfit.models.image_inputs import ImageInputs
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
