"""A training that was stopped anywhere ends with the bits of one that never was."""

from __future__ import annotations

import warnings

import pytest
import torch

import wellfit
from wellfit.errors import Interrupted, RunFailed, WellfitWarning
from wellfit.optimizers import OPTIMIZERS
from wellfit.training.checkpoint import Checkpoints

FULL = {
    "loss": {"name": "cce", "label_smoothing": 0.1},
    "batch_size": 16,
    "epochs": 4,
    "accumulate": 2,
    "ema": 0.9,
    "augment": {"noise": 0.1},
    "clip_norm": 1.0,
    "l1": 1e-4,
    "schedule": "cosine",
    "early_stopping": {"patience": 2},
    "metric": "accuracy",
    "seed": 3,
}


class StopAt(wellfit.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, trainer) -> None:
        if trainer.position.step == self.step:
            raise Interrupted("stopped by the test")


def options_for(name: str) -> dict:
    options = {**FULL, "optimizer": name}
    rule = OPTIMIZERS[name].batch_rule
    if rule != "any":
        options["batch_size"] = None if rule != "mini" else 16
    if name == "lbfgs":
        for key in ("accumulate", "augment", "clip_norm"):
            options.pop(key)
    return options


def bits(result) -> list:
    return [*(value for value in result.module.state_dict().values())]


@pytest.mark.parametrize("stop", range(1, 8))
def test_an_epoch_of_some_updates_resumes_bit_for_bit(stop, rows, held, tmp_path, make_net):
    options = {**FULL, "optimizer": "adam", "epoch_steps": 2, "early_stopping": None}
    whole = wellfit.fit(make_net(), rows, valid=held, **options)
    assert whole.steps == 8
    checkpoints = {"checkpoint": tmp_path, "checkpoint_every": 1}
    with pytest.raises(Interrupted):
        wellfit.fit(make_net(), rows, valid=held, **options, **checkpoints, callbacks=[StopAt(stop)])
    again = wellfit.fit(make_net(), rows, valid=held, **options, **checkpoints, resume=True)
    assert again.steps == 8
    assert all(torch.equal(a, b) for a, b in zip(bits(whole), bits(again), strict=True))


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_every_optimizer_resumes_bit_for_bit(name, rows, held, tmp_path, make_net):
    options = options_for(name)
    plain = {"dropout": 0 if name == "lbfgs" else 0.2, "norm": name not in ("sgd",)}
    whole = wellfit.fit(make_net(**plain), rows, valid=held, **options)
    stop = max(1, whole.steps // 2)
    with pytest.raises(Interrupted):
        wellfit.fit(
            make_net(**plain),
            rows,
            valid=held,
            checkpoint=tmp_path,
            checkpoint_every=1,
            callbacks=[StopAt(stop)],
            **options,
        )
    resumed = wellfit.fit(make_net(seed=9, **plain), rows, valid=held, checkpoint=tmp_path, resume=True, **options)
    assert all(torch.equal(a, b) for a, b in zip(bits(whole), bits(resumed), strict=True))
    assert whole.history == resumed.history
    assert (whole.steps, whole.best_epoch) == (resumed.steps, resumed.best_epoch)


@pytest.mark.parametrize("every", [1, 3, 7])
@pytest.mark.parametrize("stop", [1, 6, 7, 8, 20])
def test_any_step_and_any_spacing_of_checkpoints(every, stop, rows, held, tmp_path, make_net):
    options = {**FULL, "optimizer": "adam"}
    whole = wellfit.fit(make_net(), rows, valid=held, **options)
    with pytest.raises(Interrupted):
        wellfit.fit(
            make_net(),
            rows,
            valid=held,
            checkpoint=tmp_path,
            checkpoint_every=every,
            callbacks=[StopAt(stop)],
            **options,
        )
    resumed = wellfit.fit(make_net(), rows, valid=held, checkpoint=tmp_path, resume=True, **options)
    assert all(torch.equal(a, b) for a, b in zip(bits(whole), bits(resumed), strict=True))
    assert whole.history == resumed.history


def test_a_damaged_checkpoint_is_passed_over_with_a_warning(tmp_path):
    store = Checkpoints(tmp_path)
    store.save(1, {"step": 1})
    store.save(2, {"step": 2})
    newest = max(tmp_path.glob("*.safetensors"))
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(data)
    with pytest.warns(WellfitWarning, match="damaged"):
        assert store.latest() == {"step": 1}
    newest.write_bytes(data[: len(data) // 2])
    with pytest.warns(WellfitWarning, match="damaged"):
        assert store.latest() == {"step": 1}


def test_only_the_two_newest_are_kept(tmp_path):
    store = Checkpoints(tmp_path)
    for step in range(5):
        store.save(step, {"step": step})
    assert len(list(tmp_path.iterdir())) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.latest() == {"step": 4}


def test_states_come_back_as_they_were(tmp_path):
    store = Checkpoints(tmp_path)
    state = {
        "a": torch.tensor(1.5, dtype=torch.bfloat16),
        "b": {1: [torch.arange(3), None, True, 2**60], "x": (float("nan"), float("inf"))},
        "c": 0.1 + 0.2,
    }
    store.save(0, state)
    back = store.latest()
    assert back["a"].dtype == torch.bfloat16
    assert torch.equal(back["b"][1][0], torch.arange(3))
    assert back["b"][1][1:] == [None, True, 2**60]
    assert isinstance(back["b"]["x"], tuple)
    assert back["b"]["x"][1] == float("inf")
    assert back["c"] == 0.1 + 0.2


def test_a_disk_that_refuses_stops_the_run_with_the_last_state_intact(tmp_path, monkeypatch):
    store = Checkpoints(tmp_path)
    store.save(1, {"step": 1})

    def full(path, data):
        path.write_bytes(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wellfit.training.checkpoint._write_through", full)
    with pytest.raises(RunFailed, match="No space left"):
        store.save(2, {"step": 2})
    assert store.latest() == {"step": 1}
    assert len(list(tmp_path.iterdir())) == 1
