"""What is found out of a loss by asking it, against what each is known to take."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from wellfit.losses import LOSSES
from wellfit.training.loss_facts import loss_facts
from wellfit.training.loss_graph import loss_from_graph
from wellfit.training.options import as_loss

IDS = torch.tensor([0, 1, 2, 1, 0, 2, 2, 1])
BINARY = torch.tensor([0, 1, 1, 0, 1, 0, 0, 1])
NUMBERS = torch.tensor([0.3, -1.2, 2.0, 0.1, -0.4, 1.1]).reshape(-1, 1)


def column(target: Tensor) -> Tensor:
    return target.reshape(len(target), -1).float()


@pytest.mark.parametrize(
    ("loss", "target", "outputs", "expects"),
    [
        (functional.cross_entropy, IDS, 3, "logits"),
        (lambda o, t: functional.cross_entropy(o, t, label_smoothing=0.1), IDS, 3, "logits"),
        (lambda o, t: functional.nll_loss(o.clamp_min(1e-7).log(), t), IDS, 3, "probabilities"),
        (lambda o, t: functional.nll_loss(o.log(), t), IDS, 3, "probabilities"),
        (lambda o, t: functional.mse_loss(o, functional.one_hot(t, 3).float()), IDS, 3, "values"),
        (lambda o, t: functional.binary_cross_entropy_with_logits(o, column(t)), BINARY, 1, "logits"),
        (lambda o, t: functional.binary_cross_entropy(o.clamp(1e-6, 1 - 1e-6), column(t)), BINARY, 1, "probabilities"),
        (lambda o, t: functional.mse_loss(o, column(t)), BINARY, 1, "values"),
        (lambda o, t: functional.mse_loss(o, column(t)), NUMBERS, 1, "values"),
        (lambda o, t: functional.huber_loss(o, column(t)), NUMBERS, 1, "values"),
    ],
)
def test_it_finds_what_a_loss_takes(loss, target: Tensor, outputs: int, expects: str) -> None:
    facts = loss_facts(as_loss(loss), target, outputs)
    assert facts["expects"] == expects
    assert not facts["upside_down"]
    assert not facts.get("constant_beats_right")


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
def test_named_losses_of_numbers_take_values(name: str) -> None:
    assert loss_facts(LOSSES[name].make(), NUMBERS, 1)["expects"] == "values"


def test_a_loss_of_the_wrong_sign_is_upside_down() -> None:
    assert loss_facts(as_loss(lambda o, t: -functional.cross_entropy(o, t)), IDS, 3)["upside_down"]
    assert loss_facts(as_loss(lambda o, t: -functional.mse_loss(o, column(t))), NUMBERS, 1)["upside_down"]


def test_shapes_broadcast_against_each_other_are_seen() -> None:
    facts = loss_facts(as_loss(lambda o, t: ((o - t.reshape(1, -1)) ** 2).mean()), NUMBERS, 1)
    assert facts["constant_beats_right"]


def test_a_logarithm_of_negative_targets_has_no_best_value() -> None:
    facts = loss_facts(as_loss(lambda o, t: ((o.log() - column(t).log()) ** 2).mean()), NUMBERS, 1)
    assert facts["best"] != facts["best"]


@pytest.mark.parametrize(
    ("loss", "expects"),
    [
        (lambda o: functional.cross_entropy(o, IDS), "logits"),
        (lambda o: functional.mse_loss(o[:, 0], IDS.float()) * 2, "values"),
        (lambda o: functional.binary_cross_entropy_with_logits(o[:, 0], (IDS > 0).float()), "logits"),
        (lambda o: functional.binary_cross_entropy(o[:, 0].sigmoid(), (IDS > 0).float()), "probabilities"),
        (lambda o: o.sum(), "unknown"),
    ],
)
def test_the_graph_tells_what_a_loss_takes(loss, expects: str) -> None:
    output = torch.zeros(len(IDS), 3, requires_grad=True)
    assert loss_from_graph(loss(output))["expects"] == expects


def test_the_shape_of_a_rows_output_is_the_modules_own() -> None:
    """[n] against [n] is compared row by row, [n, 1] against [n] across rows."""
    loss, flat = as_loss(lambda o, t: ((o - t) ** 2).mean()), NUMBERS[:, 0]
    assert not loss_facts(loss, flat, 1, ())["constant_beats_right"]
    assert loss_facts(loss, flat, 1, (1,))["constant_beats_right"]


def test_a_loss_that_refuses_made_up_outputs_is_unknown() -> None:
    def picky(output: Tensor, target: Tensor) -> Tensor:
        raise ValueError("not these")

    assert loss_facts(as_loss(picky), NUMBERS, 1)["expects"] == "unknown"
