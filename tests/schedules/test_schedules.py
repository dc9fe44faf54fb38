"""Every schedule against torch's scheduler or its formula, and the family contract: pure, bounded, documented."""

import json
import math
import random

import pytest
import torch
from torch.optim import lr_scheduler as torch_schedulers

from wellfit.errors import ConfigError
from wellfit.schedules import SCHEDULES

TOTAL, EPOCH = 60, 6


def make(name, total=TOTAL, epoch=EPOCH, **options):
    choice = SCHEDULES.choose({"name": name, **options})
    return choice.entry.make(total, epoch, **choice.options)


def torch_factors(build, steps):
    """Give the factors of a torch scheduler that is stepped after every optimizer step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = build(optimizer)
    factors = []
    for _ in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return factors


def one_cycle(optimizer):
    return torch_schedulers.OneCycleLR(
        optimizer, max_lr=1.0, total_steps=TOTAL, pct_start=0.25, div_factor=10.0, final_div_factor=100.0
    )


def warm_up(optimizer):
    rise = torch_schedulers.LinearLR(optimizer, start_factor=1 / 6, total_iters=5)
    fall = torch_schedulers.CosineAnnealingLR(optimizer, TOTAL - 6, eta_min=0.1)
    return torch_schedulers.SequentialLR(optimizer, [rise, fall], [6])


@pytest.mark.parametrize(
    ("spec", "build"),
    [
        ({"name": "constant"}, lambda o: torch_schedulers.ConstantLR(o, factor=1.0)),
        ({"name": "step", "every": 2, "gamma": 0.3}, lambda o: torch_schedulers.StepLR(o, 2 * EPOCH, 0.3)),
        ({"name": "exponential", "gamma": 0.8}, lambda o: torch_schedulers.ExponentialLR(o, 0.8 ** (1 / EPOCH))),
        ({"name": "cosine", "final": 0.1}, lambda o: torch_schedulers.CosineAnnealingLR(o, TOTAL, eta_min=0.1)),
        ({"name": "one_cycle", "share": 0.25, "start": 0.1, "final": 0.001}, one_cycle),
        ({"name": "warmup", "share": 0.1, "final": 0.1}, warm_up),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_agrees_with_torch(spec, build):
    factor = make(**spec)
    expected = torch_factors(build, TOTAL)
    assert [factor(step) for step in range(TOTAL)] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_warmup_falls_linearly_when_told():
    factor = make("warmup", total=100, share=0.2, decay="linear", final=0.5)
    assert [factor(0), factor(9), factor(19), factor(20), factor(60), factor(100)] == [0.05, 0.5, 1, 1, 0.75, 0.5]


def test_coslog4_is_its_formula():
    factor = make("coslog4", total=150)
    for step in range(150):
        expected = 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * step / 150)))
        assert factor(step) == pytest.approx(expected)
    # waves end where 1 + 15 t is 1, 2, 4, 8, 16 and peak between
    assert [factor(step) for step in (0, 10, 30, 70, 150)] == pytest.approx([0] * 5)
    assert factor(round(10 * (2**1.5 - 1))) == pytest.approx(1, abs=0.01)


def test_flat_cos_is_flat_and_then_a_cosine():
    factor = make("flat_cos", total=100)
    assert [factor(step) for step in (0, 50, 75, 100)] == pytest.approx([1, 1, 0.5, 0])
    cosine = make("cosine", total=50)
    assert [factor(50 + step) for step in range(50)] == pytest.approx([cosine(step) for step in range(50)])


def losses_of(epochs, seed):
    draw = random.Random(seed)
    losses = [1.0 / (1 + min(epoch, 8)) + draw.random() * 0.05 for epoch in range(epochs)]
    losses[5] = math.nan
    return losses


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("patience", "final"), [(0, 0.0), (2, 0.0), (3, 0.05)])
def test_plateau_agrees_with_torch(seed, patience, final):
    losses = losses_of(40, seed)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch_schedulers.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience, threshold=1e-2, min_lr=final, eps=0.0
    )
    ours = make("plateau", total=40 * EPOCH, gamma=0.5, patience=patience, min_delta=1e-2, final=final)
    seen, factors = [], []
    for epoch, loss in enumerate(losses):
        for step in range(EPOCH):
            factors.append(ours(epoch * EPOCH + step, seen))
            assert factors[-1] == optimizer.param_groups[0]["lr"]
        theirs.step(loss)
        seen.append(loss)
    assert factors[-1] < 1
    # a finished run's losses give the same factors as those that were there at the time
    assert [ours(step, losses) for step in range(40 * EPOCH)] == factors


@pytest.mark.parametrize("entry", SCHEDULES.values(), ids=list(SCHEDULES))
class TestEverySchedule:
    def test_is_a_pure_function_of_the_step(self, entry):
        losses = losses_of(10, 0)
        steps = list(range(TOTAL))
        first = make(entry.name)
        expected = [first(step, losses) for step in steps]
        random.Random(0).shuffle(steps)
        other = make(entry.name)
        assert {step: other(step, losses) for step in steps} == dict(enumerate(expected))
        assert [first(step, tuple(losses)) for step in range(TOTAL)] == expected
        if not entry.needs_losses:
            assert [first(step) for step in range(TOTAL)] == expected

    @pytest.mark.parametrize(("total", "epoch"), [(1, 1), (2, 1), (3, 7), (1000, 10)])
    def test_stays_within_0_and_1_even_beyond_the_end(self, entry, total, epoch):
        factor = make(entry.name, total, epoch)
        factors = [factor(step) for step in range(total + 5)]
        assert all(isinstance(value, float) and 0 <= value <= 1 + 1e-12 for value in factors)
        # one step of training must move the weights, but for coslog4, which starts from 0
        assert entry.name == "coslog4" or factors[0] > 0

    def test_takes_each_option_at_the_ends_of_its_range(self, entry):
        for option in entry.options:
            ends = [(option.low, option.low_open), (option.high, option.high_open)]
            for value in [end for end, is_open in ends if end is not None and not is_open]:
                factor = make(entry.name, **{option.name: value})
                assert all(0 <= factor(step, [1.0] * 10) <= 1 + 1e-12 for step in range(TOTAL + 1))

    def test_entry_says_all_there_is_to_know(self, entry):
        assert entry.summary
        assert entry.formula
        assert entry.reference
        json.dumps(SCHEDULES.choose(entry.name).spec())


def test_the_family_is_complete():
    names = {"constant", "step", "exponential", "cosine", "one_cycle", "warmup", "plateau", "coslog4", "flat_cos"}
    assert set(SCHEDULES) == names


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="linear, cosine"):
        make("warmup", decay="stairs")
    with pytest.raises(ConfigError, match="'every' of step"):
        make("step", every=0)
