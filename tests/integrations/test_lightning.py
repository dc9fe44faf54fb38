"""The callback on real trainings by Lightning: same bits, named problems, clear words where Lightning is missing."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.errors import BadInput
from wellfit.integrations import lightning as integration

lightning = pytest.importorskip("lightning.pytorch")

X = torch.randn(256, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] + X[:, 1] > 0).long()

pytestmark = pytest.mark.filterwarnings("ignore")
"""Lightning warns of loaders, loggers and machines, none of which is ours to change."""


class Classifier(lightning.LightningModule):
    """A small network that ends as it is told to."""

    def __init__(self, *ending: nn.Module, lr: float = 0.01, manual: bool = False) -> None:
        super().__init__()
        self.automatic_optimization = not manual
        self.lr = lr
        self.net = nn.Sequential(
            nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2), *ending
        )

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
        rows, labels = batch
        loss = functional.cross_entropy(self.net(rows), labels)
        if not self.automatic_optimization:
            self.optimizers().zero_grad()
            self.manual_backward(loss)
            self.optimizers().step()
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], number: int) -> None:
        rows, labels = batch
        self.log("val_loss", functional.cross_entropy(self.net(rows), labels))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def rows() -> torch.utils.data.DataLoader[Any]:
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), batch_size=32, shuffle=True)


def trained(
    folder: Path, *ending: nn.Module, doctor: Any = None, lr: float = 0.01, manual: bool = False, **settings: Any
) -> Classifier:
    lightning.seed_everything(0, verbose=False)
    model = Classifier(*ending, lr=lr, manual=manual)
    trainer = lightning.Trainer(
        **{"max_epochs": 4, **settings},
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=[] if doctor is None else [doctor],
    )
    trainer.fit(model, rows(), rows())
    return model


@pytest.mark.parametrize(
    "settings",
    [{}, {"gradient_clip_val": 0.1, "accumulate_grad_batches": 2}, {"manual": True}, {"precision": "bf16-mixed"}],
    ids=["plain", "clipped and accumulated", "manual", "half precision"],
)
def test_a_watched_training_ends_with_the_same_bits(tmp_path: Path, settings: dict[str, Any]) -> None:
    doctor = integration.DoctorCallback()
    plain, watched = trained(tmp_path, **settings), trained(tmp_path, doctor=doctor, **settings)
    for (name, a), b in zip(plain.state_dict().items(), watched.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    steps = 4 * (4 if settings.get("accumulate_grad_batches") else 8)
    assert doctor.history.meta["steps"] == steps
    assert "doctor_failed" not in doctor.history.meta


def test_it_records_losses_of_both_sides_and_the_network_itself(tmp_path: Path) -> None:
    doctor = integration.DoctorCallback()
    trained(tmp_path, doctor=doctor)
    history = doctor.history
    assert len(history["train_loss"]) == len(history["valid_loss"]) == 4
    assert history["valid_loss"][-1] < history["valid_loss"][0]
    assert history.places("silent_share") == ["2"], "the wrapper's name is left out"
    assert [finding for finding in doctor.findings if finding.severity != "info"] == []


@pytest.mark.parametrize("manual", [False, True])
def test_gradients_are_those_of_the_step_itself(tmp_path: Path, manual: bool) -> None:
    norms: list[float] = []

    class Spying(integration.DoctorCallback):
        def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
            norms.append(float(pl_module.net[0].weight.grad.norm()))
            super().on_before_optimizer_step(trainer, pl_module, optimizer)

    doctor = Spying(every=1)
    trained(tmp_path, doctor=doctor, manual=manual, max_epochs=1)
    recorded = doctor.history.series("grad_norm", "0.weight")[1]
    assert len(norms) == 8
    assert recorded == pytest.approx([sum(norms) / 8], rel=1e-5)
    assert (doctor.history.series("update_ratio", "0.weight")[1] > 0).all()


def test_a_softmax_before_the_loss_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor = integration.DoctorCallback()
    trained(tmp_path, nn.Softmax(-1), doctor=doctor)
    assert "loss_output_mismatch" in [finding.code for finding in doctor.findings]
    assert capsys.readouterr().err.count("[loss_output_mismatch]") == 1


def test_rows_and_loss_bring_a_verdict(tmp_path: Path) -> None:
    doctor = integration.DoctorCallback(loss=functional.cross_entropy, train=(X, Y), valid=(X, Y))
    trained(tmp_path, doctor=doctor, max_epochs=20)
    assert doctor.fit is not None
    assert doctor.fit.verdict == "good_fit"
    assert doctor.history.meta["settings"]["optimizer"] == "Adam"


def test_a_training_that_fails_is_diagnosed_and_fails_as_before(tmp_path: Path) -> None:
    class Failing(lightning.Callback):
        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            raise RuntimeError("out of luck")

    doctor = integration.DoctorCallback()
    model = Classifier()
    trainer = lightning.Trainer(
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        callbacks=[doctor, Failing()],
    )
    with pytest.raises(RuntimeError, match="out of luck"):
        trainer.fit(model, rows())
    assert doctor.history.meta["steps"] == 8


def test_before_a_training_there_is_nothing(tmp_path: Path) -> None:
    doctor = integration.DoctorCallback()
    assert (len(doctor.history), doctor.findings, doctor.fit) == (0, [], None)


def test_a_missing_lightning_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integration.importlib, "import_module", _missing)
    integration._callback.cache_clear()
    with pytest.raises(BadInput, match="pip install 'lightning"):
        integration.DoctorCallback  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Docter'"):
        integration.Docter  # noqa: B018


def _missing(name: str) -> Any:
    return builtins.__import__(f"{name}_that_is_not_there")
