"""RealMLP, TabM and ModernNCA through the whole flow: trained by their recipes, saved, loaded, resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import wellfit
from small import small_columns
from wellfit.config import from_mapping
from wellfit.errors import ContractWarning, Interrupted
from wellfit.experiment import Experiment
from wellfit.models import TableInputs
from wellfit.models.realmlp import RealMLP
from wellfit.optimizers.direct import _Direct
from wellfit.preparation import prepare

OPTIONS: dict[str, dict[str, Any]] = {
    "realmlp": {"type": "realmlp", "hidden": [16], "members": 2},
    "tabm": {"type": "tabm", "k": 3, "width": 16, "bins": 8, "members": 2},
    "modernnca": {"type": "modernnca", "width": 8, "candidates": 50, "members": 2},
}


def settings(name: str, **train: Any) -> dict[str, Any]:
    return {"model": OPTIONS[name], "train": {"epochs": 3, "threads": 1, **train}, "output": {"report": False}}


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    columns = small_columns()
    columns["many"] = [f"v{row % 14}" for row in range(len(columns["size"]))]
    columns["still"] = [0.1 + 0.2 if row % 2 else 0.3 for row in range(len(columns["size"]))]
    return pl.DataFrame(columns)


@pytest.mark.parametrize("target", ["label", "size"])
@pytest.mark.parametrize("name", list(OPTIONS))
def test_a_run_is_loaded_and_predicts_what_it_did(name: str, target: str, frame: pl.DataFrame, tmp_path: Path) -> None:
    given = settings(name)
    given["output"]["run"] = str(tmp_path / "run")
    run = wellfit.train(frame, target=target, **given)
    loaded = wellfit.load(tmp_path / "run")
    np.testing.assert_array_equal(run.predict(frame), loaded.predict(frame))
    odd = frame.with_columns(pl.lit("new").alias("kind"), pl.lit(None, pl.String).alias("many"))
    with pytest.warns(ContractWarning, match="120 cells have a level that is new"):
        assert len(loaded.predict(odd)) == frame.height
    if target == "label":
        with pytest.warns(ContractWarning):
            assert np.isfinite(loaded.predict_proba(odd)).all()


def test_the_network_reads_ids_and_no_column_that_stands_still(frame: pl.DataFrame) -> None:
    prepared = prepare(from_mapping({"data": {"target": "label"}, **settings("realmlp")}), frame)
    assert prepared.inputs.cardinalities == (5, 16)
    experiment = Experiment(prepared)
    assert isinstance(experiment.module, RealMLP)
    assert (experiment.module.few.tolist(), experiment.module.many.tolist()) == ([0], [1])
    assert prepared.inputs.numeric == 3  # size, age, and whether age is missing


def test_groups_of_parameters_are_stepped_by_the_fused_kernel(frame: pl.DataFrame) -> None:
    prepared = prepare(from_mapping({"data": {"target": "label"}, **settings("realmlp")}), frame)
    trainer = Experiment(prepared).trainer
    assert sorted(group["lr"] / 0.04 for group in trainer.optimizer.param_groups) == pytest.approx([0.1, 1.0, 6.0])
    trainer.run()
    assert isinstance(trainer.updater._step, _Direct)
    assert len(trainer.updater._step.groups) == 3


class StopAt(wellfit.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, trainer: Any) -> None:
        if trainer.position.step == self.step:
            raise Interrupted("stopped by the test")


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "schedule_free_adamw", "nadam"])
def test_a_stopped_training_goes_on_bit_for_bit(optimizer: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    numeric, ids = torch.randn(64, 3), torch.randint(2, 5, (64, 1))
    target = numeric[:, 0]
    options = {"loss": "mse", "optimizer": {"name": optimizer, "lr": 0.01}, "schedule": "coslog4", "batch_size": 16,
               "epochs": 4, "threads": 1, "weight_decay": 0.0 if "adamw" in optimizer else 0.1}  # fmt: skip

    def made() -> RealMLP:
        torch.manual_seed(1)
        module = RealMLP(TableInputs(numeric=3, cardinalities=(5,)), 1, kind="value", members=2, hidden=[8])
        module.fit_to(numeric, ids, target)
        return module

    rows = ((numeric, ids), target)
    whole = wellfit.fit(made(), rows, valid=rows, **options)
    stopping = {"checkpoint": tmp_path, "checkpoint_every": 1, "callbacks": [StopAt(11)]}
    with pytest.raises(Interrupted):
        wellfit.fit(made(), rows, valid=rows, **options, **stopping)
    resumed = wellfit.fit(made(), rows, valid=rows, checkpoint=tmp_path, resume=True, **options)
    states = zip(whole.module.state_dict().values(), resumed.module.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in states)
    assert whole.history == resumed.history


def test_decay_acts_by_its_factors_and_fades() -> None:
    module = RealMLP(TableInputs(numeric=2), 1, kind="value", hidden=[4], dropout=0.0)
    numeric, none = torch.zeros(8, 2), torch.zeros(8, 0, dtype=torch.int64)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    options = {"loss": "mse", "optimizer": {"name": "adam", "lr": 1e-30}, "weight_decay": 1e27, "batch_size": 8}
    wellfit.fit(module, ((numeric, none), torch.zeros(8)), epochs=1, doctor="off", **options)
    left = {name: float((value / before[name]).mean()) for name, value in module.state_dict().items()}
    assert left["head.weight"] == pytest.approx(1 - 1e-3, rel=1e-5)
    assert left["scale"] == pytest.approx(1 - 36e-3, rel=1e-5)
    assert left["periodic.weight"] == pytest.approx(1 - 1e-5, rel=1e-6)


def test_it_learns() -> None:
    torch.manual_seed(0)
    numeric, none = torch.randn(400, 3), torch.zeros(400, 0, dtype=torch.int64)
    target = torch.sin(2 * numeric[:, 0]) * numeric[:, 1]
    module = RealMLP(TableInputs(numeric=3), 1, kind="value", members=2, hidden=[64, 64])
    module.fit_to(numeric, none, target)
    options = {"optimizer": {"name": "adam", "lr": 0.2, "beta2": 0.95}, "schedule": "coslog4", "weight_decay": 0.02}
    result = wellfit.fit(module, ((numeric, none), target), loss="mse", epochs=60, batch_size=64, threads=1, **options)
    error = (result.module(numeric, none)[:, 0] - target).square().mean()
    assert float(error.detach()) < 0.05 * float(target.var())
