"""Augmentations: drawn by seed, epoch and row alone, uniform, and what each says it does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from wellfit.augmentation import AUGMENTATIONS, Draws, pipeline_of
from wellfit.augmentation.draws import mixed
from wellfit.config import from_mapping
from wellfit.errors import ConfigError

ROWS = torch.arange(12)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(12, 3, 10, 14, generator=torch.Generator().manual_seed(0))


def draws(rows: torch.Tensor = ROWS, epoch: int = 1, name: str = "") -> Draws:
    return Draws(seed=7, epoch=epoch, rows=rows, name=name)


def test_numbers_are_those_of_splitmix64() -> None:
    # the first outputs of the reference implementation with seed 1234567
    state, step = 1234567, 0x9E3779B97F4A7C15
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    states = [(state + place * step) % 2**64 for place in range(3)]
    signed = torch.tensor([one - 2**64 if one >= 2**63 else one for one in states])
    assert [number % 2**64 for number in mixed(signed).tolist()] == expected


def test_uniform_numbers_are_uniform_and_unrelated() -> None:
    numbers = draws(torch.arange(50_000)).uniform((2,))
    assert float(numbers.min()) >= 0.0
    assert float(numbers.max()) < 1.0
    counts = torch.histc(numbers[:, 0], 64, 0.0, 1.0)
    # chi-squared with 63 degrees of freedom is above 103 once in a thousand
    assert float(((counts - 50_000 / 64).square() / (50_000 / 64)).sum()) < 103.0
    beside = torch.stack([numbers[:-1, 0], numbers[1:, 0], numbers[:-1, 1]])
    related = torch.corrcoef(beside) - torch.eye(3)
    assert float(related.abs().max()) < 0.02
    normal = draws(torch.arange(50_000)).normal()
    assert (float(normal.mean()), float(normal.std())) == pytest.approx((0.0, 1.0), abs=0.02)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_no_batch_and_no_neighbour_changes_a_row(name: str, images: torch.Tensor) -> None:
    pipeline = pipeline_of({name: True})

    def augmented(rows: torch.Tensor, epoch: int) -> torch.Tensor:
        done = pipeline.augmented(images[rows], rows, seed=7, epoch=epoch, read=lambda others: images[others], count=12)
        return done.images

    whole = augmented(ROWS, 3)
    parts = torch.cat([augmented(part, 3) for part in ROWS.flip(0).split(5)])
    assert torch.equal(whole, parts.flip(0))
    assert not torch.equal(whole, augmented(ROWS, 4))
    assert whole.shape == images.shape
    assert bool(whole.isfinite().all())


def test_two_epochs_of_alternating_flips_show_both_ways(images: torch.Tensor) -> None:
    flip = AUGMENTATIONS["flip"].make(kind="alternating")
    first, second = flip(images, draws(epoch=0)), flip(images, draws(epoch=1))
    assert torch.equal(first, second.flip(3))
    assert 0 < sum(torch.equal(one, plain) for one, plain in zip(first, images, strict=True)) < 12


def test_translate_is_a_window_of_the_mirrored_image(images: torch.Tensor) -> None:
    shifted = AUGMENTATIONS["translate"].make(pixels=2)(images, draws())
    padded = functional.pad(images, (2, 2, 2, 2), mode="reflect")
    windows = [[padded[:, :, down : down + 10, right : right + 14] for right in range(5)] for down in range(5)]
    for row in range(12):
        assert any(torch.equal(shifted[row], window[row]) for line in windows for window in line)


def test_no_turn_and_no_crop_change_nothing(images: torch.Tensor) -> None:
    assert torch.allclose(AUGMENTATIONS["rotate"].make(degrees=0.0)(images, draws()), images, atol=1e-5)
    assert torch.allclose(AUGMENTATIONS["crop"].make(least=1.0, stretch=1.0)(images, draws()), images, atol=1e-5)


def test_cutout_paints_a_square_and_cutmix_tells_its_share(images: torch.Tensor) -> None:
    ones = torch.ones_like(images)
    hidden = AUGMENTATIONS["cutout"].make(size=4, share=1.0)(ones, draws()) == 0.0
    sizes = hidden[:, 0].sum((1, 2))
    assert int(sizes.min()) >= 4
    assert int(sizes.max()) == 16
    put, share = AUGMENTATIONS["cutmix"].make(share=1.0)(ones, torch.zeros_like(ones), draws())
    assert torch.allclose(put.mean((1, 2, 3)), share)
    assert 0.0 < float(share.min()) < 1.0


def test_mixup_shares_are_those_of_beta() -> None:
    from scipy.stats import beta, kstest

    from wellfit.augmentation.mixup import kept_share

    share = kept_share(0.4, draws(torch.arange(4000))).double().numpy()
    # the larger share of Beta(a, a): its distribution function is 2 F(x) - 1 from one half on
    assert kstest(share, lambda x: 2 * beta(0.4, 0.4).cdf(x) - 1).pvalue > 1e-3
    assert np.isfinite(share).all()


def test_the_config_takes_names_values_and_options() -> None:
    config = from_mapping({"train": {"augment": {"flip": True, "cutout": 8, "crop": False, "noise": {"std": 0.2}}}})
    assert dict(config.train.augment) == {
        "flip": "alternating",
        "cutout": {"size": 8, "share": 1.0},
        "noise": 0.2,
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"flop": True}, "Did you mean 'flip'"),
        ({"translate": -1}, "must be a whole number in"),
        ({"cutout": {"sise": 3}}, "cutout has no option 'sise'"),
        (3, "'augment' of train must be auto, none or a mapping"),
    ],
)
def test_wrong_augmentations_are_refused_in_words(given: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_mapping({"train": {"augment": given}})
