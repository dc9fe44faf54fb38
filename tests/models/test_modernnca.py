"""ModernNCA against its formula in float64, a row's absence among its own neighbours, and what the weights hold."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import wellfit
from wellfit.errors import ConfigError, Interrupted
from wellfit.models import TableInputs
from wellfit.models.members import averaged, known_rows
from wellfit.models.modernnca import KNOWN_ROWS, ModernNCA
from wellfit.training.apart import apart

INPUTS = TableInputs(numeric=3, cardinalities=(5, 4))
ROWS = 40


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def rows(count: int = ROWS) -> tuple[torch.Tensor, torch.Tensor]:
    numeric = torch.randn(count, 3)
    numeric[:, 1] = (numeric[:, 1] > 0).float()
    return numeric, torch.stack([torch.randint(2, 5, (count,)), torch.randint(2, 4, (count,))], 1)


def target_of(kind: str, shape: tuple[int, ...] = (ROWS,)) -> torch.Tensor:
    return {
        "logits": torch.randint(0, 3, shape),
        "logit": torch.randint(0, 2, shape).float(),
        "value": torch.randn(shape),
    }[kind]


def outputs_of(kind: str) -> int:
    return 3 if kind == "logits" else 1


def model(kind: str = "logits", **options: Any) -> ModernNCA:
    return ModernNCA(INPUTS, outputs_of(kind), kind=kind, **{"width": 6, **options})


def shares(made: ModernNCA, numeric: np.ndarray, ids: np.ndarray, known: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """How much each known row counts, by the formula: waves of columns 0 and 2, a line for column 1 of two values."""
    part = {name: value.detach().double().numpy() for name, value in made.named_parameters()}

    def placed(numeric: np.ndarray, ids: np.ndarray) -> np.ndarray:
        at = part["vectors"][0, ids[:, 0]] + part["vectors"][0, 5 + ids[:, 1]]
        at = at + numeric[:, 1, None] * part["lines"][0, 1]
        for column in (0, 2):
            angle = 2 * np.pi * numeric[:, column, None] * part["waves.frequency"][0, column]
            waves = np.cos(angle + part["waves.phase"][0, column]) @ part["waves.weight"][0, column]
            at = at + np.maximum(waves + part["waves.bias"][0, column], 0.0) @ part["weight"][0, column]
        return at

    distances = np.linalg.norm(placed(numeric, ids)[:, None] - placed(*known)[None], axis=2)
    nearness = np.exp(-distances)
    return nearness / nearness.sum(1, keepdims=True)


@pytest.mark.parametrize("kind", ["value", "logit", "logits"])
def test_outputs_equal_the_formula(kind: str) -> None:
    numeric, ids = rows()
    target = target_of(kind)
    made = model(kind)
    made.fit_to(numeric, ids, target)
    asked = rows(7)
    said = copy.deepcopy(made).double().eval()(asked[0].double(), asked[1]).detach().numpy()
    wide = numeric.double().numpy(), ids.numpy()
    share = shares(made, asked[0].double().numpy(), asked[1].numpy(), wide)
    if kind == "value":
        np.testing.assert_allclose(said[:, 0], share @ target.double().numpy(), rtol=1e-5, atol=1e-6)
    elif kind == "logit":
        chance = share @ target.double().numpy()
        np.testing.assert_allclose(said[:, 0], np.log((chance + 1e-5) / (1 - chance + 1e-5)), rtol=1e-4, atol=1e-5)
    else:
        chance = share @ np.eye(3)[target.numpy()]
        np.testing.assert_allclose(np.exp(said), (chance + 1e-5) / (1 + 3e-5), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(np.exp(said).sum(1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("told", [True, False])
def test_in_training_a_row_does_not_see_itself(told: bool) -> None:
    numeric, ids = rows()
    target = target_of("value")
    made = model("value").train()
    made.fit_to(numeric, ids, target)
    if told:
        made.told(target)
    said = made(numeric, ids)[:, 0, 0].detach().numpy()
    share = shares(made, numeric.double().numpy(), ids.numpy(), (numeric.double().numpy(), ids.numpy()))
    np.fill_diagonal(share, 0.0)
    expected = share @ target.double().numpy() / share.sum(1)
    np.testing.assert_allclose(said, expected, rtol=1e-4, atol=1e-5)


def test_a_look_at_training_rows_does_not_find_them_themselves() -> None:
    numeric, ids = rows()
    target = target_of("value")
    made = model("value")
    made.fit_to(numeric, ids, target)
    made.train().told(target)
    expected = made(numeric, ids)[:, 0].detach()
    with apart(made), torch.no_grad():
        torch.testing.assert_close(made(numeric, ids), expected)
    with torch.no_grad():
        assert not torch.allclose(made.eval()(numeric, ids), expected)


def test_the_doctor_looks_at_what_was_trained_and_is_not_fooled() -> None:
    numeric, none = torch.randn(300, 3), torch.zeros(300, 0, dtype=torch.int64)
    target = torch.randn(300)
    made = ModernNCA(TableInputs(numeric=3), 1, kind="value")
    made.fit_to(numeric, none, target)
    # So far apart, each row has one neighbour.
    made.weight.data.mul_(100.0)
    given = ((numeric[:200], none[:200]), target[:200])
    held = ((numeric[200:], none[200:]), target[200:])
    options = {"optimizer": {"name": "adam", "lr": 0.02}, "batch_size": 64, "early_stopping": {"patience": 5}}
    result = wellfit.fit(made, given, valid=held, loss="mse", epochs=8, threads=1, **options)
    assert "doctor_failed" not in [finding.code for finding in result.findings]
    # Nothing can be learned from noise; a row that finds itself would be right all the same.
    assert result.history.meta["appraisal"]["train"]["figures"]["r2"][0] < 0.5


def test_a_row_sees_others_that_hold_the_same() -> None:
    numeric, ids = torch.zeros(4, 3), torch.full((4, 2), 2)
    target = torch.tensor([0.0, 1.0, 1.0, 1.0])
    made = model("value").train()
    made.fit_to(numeric, ids, target)
    made.told(target)
    expected = [1.0, 2 / 3, 2 / 3, 2 / 3]
    assert made(numeric, ids).flatten().tolist() == pytest.approx(expected)


def test_what_was_told_is_of_one_pass_alone() -> None:
    numeric, ids = rows()
    target = target_of("value")
    made = model("value").train()
    made.fit_to(numeric, ids, target)
    made.told(target)
    made(numeric, ids)
    # Other rows, and as many answers as no batch has: none are left over.
    assert made(numeric[:7], ids[:7]).shape == (7, 1, 1)


@pytest.mark.parametrize("kind", ["value", "logit", "logits"])
def test_several_members_equal_single_ones_on_rows_of_their_own(kind: str) -> None:
    pairs = [rows() for _ in range(2)]
    numeric, ids = (torch.stack([pair[place] for pair in pairs], 1) for place in range(2))
    target = target_of(kind, (ROWS, 2))
    both = model(kind, members=2)
    both.fit_to(numeric, ids, target)
    asked = rows(6)
    wide = [each.unsqueeze(1).expand(-1, 2, -1) for each in asked]
    for place in range(2):
        one = model(kind)
        one.fit_to(numeric[:, place], ids[:, place], target[:, place])
        state = {name: value[place : place + 1] for name, value in both.state_dict().items()}
        one.load_state_dict(state)
        torch.testing.assert_close(both.eval()(*wide)[:, place], one.eval()(*asked))
        for each, answers in ((both, target), (one, target[:, place])):
            each.train().told(answers[:6])
        joined = both(numeric[:6], ids[:6])[:, place]
        torch.testing.assert_close(joined, one(numeric[:6, place], ids[:6, place])[:, 0])
    torch.testing.assert_close(both.eval()(*asked), averaged(both(*wide), kind))


def test_weights_hold_the_rows_that_are_looked_among() -> None:
    numeric, ids = rows()
    made = model()
    made.fit_to(numeric, ids, target_of("logits"))
    other = model()
    other.load_state_dict(made.state_dict())
    asked = rows(9)
    assert torch.equal(made.eval()(*asked), other.eval()(*asked))
    with pytest.raises(RuntimeError, match="size mismatch"):
        ModernNCA(TableInputs(numeric=4), 3, kind="logits", width=6).load_state_dict(made.state_dict())


def test_places_of_known_rows_follow_the_weights() -> None:
    numeric, ids = rows()
    made = model().eval()
    made.fit_to(numeric, ids, target_of("logits"))
    made, numeric = made.double(), numeric.double()
    with torch.no_grad():
        before = made(numeric, ids)
        assert torch.equal(made(numeric, ids), before)
        made.weight.add_(1.0)
        after = made(numeric, ids)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(made(numeric, ids).detach(), after)


def test_it_can_be_trained_after_it_has_predicted() -> None:
    numeric, ids = rows()
    made = model("value")
    made.fit_to(numeric, ids, target_of("value"))
    with torch.inference_mode():
        made.eval()(numeric, ids)
    made.train()(numeric, ids).sum().backward()
    assert all(weight.grad is not None and bool(weight.grad.isfinite().all()) for weight in made.parameters())


def test_a_level_that_no_known_row_has_says_nothing() -> None:
    numeric, ids = rows()
    made = model().eval()
    made.fit_to(numeric, ids, target_of("logits"))
    vectors = made.vectors.detach()[0]
    assert float(vectors[[0, 1, 5, 6]].abs().max()) == 0.0
    assert float(vectors[[2, 3, 4, 7, 8]].abs().min()) > 0.0


def test_no_more_rows_are_kept_than_are_looked_among() -> None:
    count = KNOWN_ROWS + 100
    made = ModernNCA(TableInputs(numeric=1), 1, kind="value")
    made.fit_to(torch.randn(count, 1), torch.zeros(count, 0, dtype=torch.int64), torch.randn(count))
    assert made.numeric.shape == (1, KNOWN_ROWS, 1)
    assert known_rows(torch.nn.ModuleList([torch.nn.Linear(1, 1), made])) == KNOWN_ROWS


def test_no_rows_get_no_answers() -> None:
    made = model().eval()
    made.fit_to(*rows(), target_of("logits"))
    assert made(torch.zeros(0, 3), torch.zeros(0, 2, dtype=torch.int64)).shape == (0, 3)


def test_rows_get_their_slopes_after_a_prediction() -> None:
    numeric, ids = rows()
    made = model("value").eval().requires_grad_(False)
    made.fit_to(numeric, ids, target_of("value"))
    with torch.inference_mode():
        made(numeric, ids)
    asked = numeric.clone().requires_grad_()
    (slope,) = torch.autograd.grad(made(asked, ids).sum(), asked)
    made.requires_grad_()
    (expected,) = torch.autograd.grad(made(asked, ids).sum(), asked)
    torch.testing.assert_close(slope, expected)


def test_what_was_found_on_a_device_is_found_again_on_another() -> None:
    numeric, ids = rows()
    made = model().eval()
    made.fit_to(numeric, ids, target_of("logits"))
    with torch.no_grad():
        made(numeric, ids)
        wide = made.double()(numeric.double(), ids)
    assert wide.dtype == torch.float64


def test_noise_in_rows_that_must_be_recognised_is_refused() -> None:
    numeric, none = torch.randn(40, 3), torch.zeros(40, 0, dtype=torch.int64)
    made = ModernNCA(TableInputs(numeric=3), 1, kind="value")
    made.fit_to(numeric, none, numeric[:, 0])
    with pytest.raises(ConfigError, match="it would find the row itself"):
        wellfit.fit(made, ((numeric, none), numeric[:, 0]), loss="mse", augment={"noise": 0.1})


class _StopAt(wellfit.Callback):
    def on_step(self, trainer: Any) -> None:
        if trainer.position.step == 11:
            raise Interrupted("stopped by the test")


def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    numeric, ids = rows(64)
    target = numeric[:, 0]
    options = {"loss": "mse", "optimizer": {"name": "adam", "lr": 0.02}, "schedule": "cosine", "batch_size": 16,
               "epochs": 4, "threads": 1, "weight_decay": 0.1}  # fmt: skip

    def made() -> ModernNCA:
        torch.manual_seed(1)
        module = model("value", candidates=30)
        module.fit_to(numeric, ids, target)
        return module

    given = ((numeric, ids), target)
    whole = wellfit.fit(made(), given, valid=given, **options)
    stopping = {"checkpoint": tmp_path, "checkpoint_every": 1, "callbacks": [_StopAt()]}
    with pytest.raises(Interrupted):
        wellfit.fit(made(), given, valid=given, **options, **stopping)
    resumed = wellfit.fit(made(), given, valid=given, checkpoint=tmp_path, resume=True, **options)
    states = zip(whole.module.state_dict().values(), resumed.module.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in states)


def test_it_learns_which_column_matters() -> None:
    numeric, none = torch.randn(400, 3), torch.zeros(400, 0, dtype=torch.int64)
    target = torch.sin(3 * numeric[:, 0])
    made = ModernNCA(TableInputs(numeric=3), 1, kind="value")
    made.fit_to(numeric, none, target)
    options = {"optimizer": {"name": "adam", "lr": 0.02}, "schedule": "cosine", "batch_size": 64}
    wellfit.fit(made, ((numeric, none), target), loss="mse", epochs=40, threads=1, **options)
    fresh = torch.randn(200, 3)
    error = (made.eval()(fresh, none[:200])[:, 0] - torch.sin(3 * fresh[:, 0])).square().mean()
    assert float(error.detach()) < 0.1 * float(target.var())
