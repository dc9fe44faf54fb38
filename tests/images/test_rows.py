"""Batches of images: scaled as an authority scales them, mixed targets, and the same whatever the batch."""

from __future__ import annotations

import numpy as np
import torch

from wellfit.augmentation import pipeline_of
from wellfit.data.image_rows import ImageRows, PixelScale


def rows(**options: object) -> ImageRows:
    pixels = torch.randint(0, 256, (20, 3, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    scale = PixelScale.fit(pixels, torch.arange(20))
    given = {"pixels": pixels, "places": torch.arange(19, -1, -1), "target": torch.arange(20) % 4, "scale": scale}
    return ImageRows(**{**given, **options})  # type: ignore[arg-type]


def test_the_scale_is_numpys() -> None:
    held = rows()
    pixels = held.pixels.numpy().astype(np.float64)
    assert np.allclose(held.scale.mean, pixels.mean((0, 2, 3)), rtol=1e-12)
    assert np.allclose(held.scale.std, pixels.std((0, 2, 3)), rtol=1e-12)
    scaled = held.scale.scaled(held.pixels)
    assert torch.allclose(scaled.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.equal(PixelScale.from_dict(held.scale.as_dict()).scaled(held.pixels), scaled)


def test_a_channel_without_spread_is_not_divided_by_zero() -> None:
    flat = torch.full((3, 1, 2, 2), 7, dtype=torch.uint8)
    assert torch.equal(PixelScale.fit(flat, torch.arange(3)).scaled(flat), torch.zeros(3, 1, 2, 2))


def test_an_epoch_can_be_entered_at_any_batch() -> None:
    held = rows(augment=pipeline_of({"flip": True, "cutout": 2, "mixup": 0.4}), classes=4)
    whole = list(held.epoch(batch_rows=6, seed=1, epoch=2))
    later = list(held.epoch(batch_rows=6, seed=1, epoch=2, start=2))
    for one, other in zip(whole[2:], later, strict=True):
        assert torch.equal(one.inputs[0], other.inputs[0])
        assert torch.equal(one.target, other.target)


def test_mixed_targets_are_shares_of_the_classes() -> None:
    held = rows(augment=pipeline_of({"cutmix": 1.0}), classes=4)
    target = next(held.epoch(batch_rows=20, seed=0, epoch=0)).target
    assert target.shape == (20, 4)
    assert torch.allclose(target.sum(1), torch.ones(20))
    assert bool(((target > 0) & (target < 1)).any())
    halves = rows(augment=pipeline_of({"mixup": 0.4}), classes=2, target=torch.arange(20) % 2)
    mixed = next(halves.epoch(batch_rows=20, seed=0, epoch=0)).target
    assert mixed.shape == (20,)
    assert 0.0 <= float(mixed.min()) <= float(mixed.max()) <= 1.0


def test_evaluation_sees_plain_images_in_order() -> None:
    held = rows(augment=pipeline_of({"flip": True, "noise": 1.0}))
    seen = torch.cat([batch.inputs[0] for batch in held.walk(7)])
    assert torch.equal(seen, held.scale.scaled(held.pixels.flip(0)))
