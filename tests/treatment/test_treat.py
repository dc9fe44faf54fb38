"""Treatments of whole trainings: causes known by construction are cured, and what is well is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wellfit
from wellfit.errors import BadInput
from wellfit.treatment import treat
from wellfit.treatment.course import Change, Course
from wellfit.treatment.subject import Subject

Rows = tuple[Tensor, Tensor]


def drawn(seed: int, count: int) -> Tensor:
    return torch.randn(count, 4, generator=torch.Generator().manual_seed(seed))


def classes(seed: int, count: int = 240) -> Rows:
    X = drawn(seed, count)
    return X, (X[:, 0] + X[:, 1].abs() > 0.8).long()


def numbers(seed: int, count: int = 240, scale: float = 1.0) -> Rows:
    X = drawn(seed, count)
    return X, scale * (X[:, :1] + X[:, 1:2].abs() - 0.8)


def net(outputs: int, *after: nn.Module, act: type[nn.Module] = nn.ReLU) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Linear(4, 24), act(), nn.Linear(24, outputs), *(type(part)() for part in after))


def zeros() -> nn.Module:
    module = net(2)()
    for weight in module.parameters():
        nn.init.zeros_(weight)
    return module


OPTIONS: dict[str, Any] = {
    "optimizer": "adam",
    "lr": 0.01,
    "batch_size": 32,
    "epochs": 8,
    "threads": 1,
    "seeds": 2,
    "budget": 14,
}


def test_a_wrong_output_layer_is_taken_off_and_units_stay() -> None:
    train, valid = numbers(0), numbers(1)
    treated = treat(net(1, nn.Sigmoid()), train, valid=valid, loss="mse", **OPTIONS)
    assert treated.cured
    assert "loss_output_mismatch" in {finding.code for finding in treated.findings}
    assert treated.before is not None
    assert treated.after is not None
    assert treated.after > 0.9 > treated.before
    test = numbers(2)
    with torch.no_grad():
        guess = treated.result.module(test[0])
    assert 1 - float(((guess - test[1]) ** 2).mean() / test[1].var()) > 0.9
    assert treated.outputs == "values"


def test_weights_all_alike_are_drawn_anew() -> None:
    treated = treat(zeros, classes(0), valid=classes(1), loss="cce", **OPTIONS)
    assert treated.cured
    assert treated.after is not None
    assert treated.after > 0.8
    assert treated.outputs == "logits"


def test_scales_travel_within_the_module_and_the_options_train_it_again() -> None:
    train, valid = numbers(0, scale=5e4), numbers(1, scale=5e4)
    train, valid = (train[0] * 300 + 700, train[1] + 1e5), (valid[0] * 300 + 700, valid[1] + 1e5)
    given = {**OPTIONS, "loss": "mse", "optimizer": "minibatch", "lr": 0.01}
    treated = treat(net(1), train, valid=valid, **given)
    assert treated.cured
    assert treated.scale["target"]["std"][0] == pytest.approx(float(train[1].std()), rel=0.01)
    assert treated.make_module is not None
    options = {name: value for name, value in given.items() if name not in ("seeds", "budget")}
    # The first fresh seed of the proof, so that the very same training is made again.
    again = wellfit.fit(treated.make_module(), train, valid=valid, **{**options, **treated.options}, seed=1000)
    with torch.no_grad():
        guess = again.module(valid[0])
        assert torch.equal(guess, treated.result.module(valid[0]))
    assert float((guess - valid[1]).square().mean()) < 0.5 * float(valid[1].var())


def test_an_optimizer_of_ones_own_gets_another_rate() -> None:
    own = {**OPTIONS, "optimizer": lambda params: torch.optim.SGD(params, lr=1e-5, momentum=0.9), "lr": None}
    treated = treat(net(2), classes(0), valid=classes(1), loss=nn.CrossEntropyLoss(), **own)
    assert treated.cured
    assert treated.after is not None
    assert treated.after > 0.8


def test_a_healthy_training_is_not_made_worse() -> None:
    train, valid = numbers(0), numbers(1)
    treated = treat(net(1), train, valid=valid, loss="mse", **{**OPTIONS, "epochs": 30, "budget": 7})
    assert treated.before is not None
    assert treated.before > 0.95
    assert not treated.cured or (treated.after or 0) >= treated.before


def test_labels_that_mean_nothing_are_said_and_not_trained_on() -> None:
    (X, _), (Xv, _) = classes(0, 400), classes(1, 200)
    draw = torch.Generator().manual_seed(9)
    labels = [torch.randint(0, 2, (len(part),), generator=draw) for part in (X, Xv)]
    treated = treat(
        lambda: nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 2)),
        (X, labels[0]),
        valid=(Xv, labels[1]),
        loss="cce",
        **{**OPTIONS, "epochs": 60},
    )
    codes = {finding.code for finding in treated.findings}
    assert codes & {"shuffled_labels", "overfitting"}
    assert not treated.accepted
    assert treated.after is None
    if "shuffled_labels" in codes:
        assert not treated.trials
        assert "labels have nothing to do" in treated.advice[0]


def test_the_same_treatment_twice_is_the_same() -> None:
    def done() -> dict[str, Any]:
        options = {**OPTIONS, "epochs": 3, "budget": 8}
        return treat(net(1, nn.ReLU()), numbers(0), valid=numbers(1), loss="mse", **options).as_dict()

    first, second = done(), done()
    for record in (first, second):
        del record["seconds"]
        for row in record["trials"]:
            del row["seconds"]
    assert first == second
    assert json.loads(json.dumps(first)) == first


def test_the_random_state_is_left_as_it_was() -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    treat(net(2), classes(0, 80), valid=classes(1, 40), loss="cce", **{**OPTIONS, "epochs": 2, "budget": 7})
    assert torch.equal(torch.rand(3), expected)


def test_the_table_has_a_row_for_each_remedy_and_the_proof_last() -> None:
    said: list[str] = []
    treated = treat(net(1, nn.Sigmoid()), numbers(0), valid=numbers(1), loss="mse", **OPTIONS, report=said.append)
    lines = treated.table().splitlines()
    assert len(lines) == 2 + len(treated.trials)
    assert treated.trials[-1].accepted
    assert said[0] == "training as given"
    assert "Cured: r2" in str(treated)


def test_rows_may_come_from_a_dataset() -> None:
    train, valid = (torch.utils.data.TensorDataset(*numbers(seed, 60)) for seed in (0, 1))
    treated = treat(net(1, nn.Sigmoid()), train, valid=valid, loss="mse", **{**OPTIONS, "budget": 8})
    assert treated.cured


SAME = net(2)()

BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: treat(net(2), classes(0), loss="cce"), "Treatment is judged on validation rows"),
    (lambda: treat(net(2), classes(0), valid=classes(1), loss="cce", seeds=1), "'seeds' must be 2 or more"),
    (lambda: treat(net(2), iter([classes(0)]), valid=classes(1), loss="cce"), "can be walked through once"),
    (lambda: treat(lambda: SAME, classes(0), valid=classes(1), loss="cce"), "a new module at each"),
    (lambda: treat(net(2)(), classes(0), valid=classes(1), loss="cce"), "a function that makes a new module"),
    (lambda: treat(lambda: 3, classes(0), valid=classes(1), loss="cce"), "must give a torch.nn.Module"),
    (lambda: treat(net(2), classes(0), valid=classes(1), loss="ccee"), "no such loss"),
    (
        lambda: treat(
            net(2), classes(0), valid=classes(1), loss="cce", optimizer=torch.optim.SGD(net(2)().parameters(), lr=1.0)
        ),
        "bound to the weights of one module",
    ),
]


@pytest.mark.parametrize(("work", "said"), BAD, ids=[said for _, said in BAD])
def test_bad_input_is_one_sentence(work: Callable[[], Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        work()


def test_what_is_accepted_is_what_the_training_did_not_have() -> None:
    """The right pairing sets class weights to none, and the standard recipe clips where it was clipped already."""
    subject = Subject(net(2), classes(0), classes(1), {"loss": "cce", "optimizer": {"name": "adam"}, "clip_norm": 1.0})
    unchanged = {"optimizer": "adam", "class_weight": None, "steps": None, "clip_norm": 1.0, "epochs": 20}
    change = Change(family="standard", what="", why="all at once", options={**unchanged, "l2": 0.1, "lr": 0.3})
    course = Course().then(change).then(Change(family="rate", what="", why="lower", optimizer={"lr": 0.001}))
    # Adam's own rate is 0.001: the last of the two rates, and no change.
    assert [(one.path, one.value, one.why) for one in course.remedies(subject)] == [("l2", 0.1, "all at once")]
    assert set(course.changed(subject)) == {"l2", "lr"}
    other = Change(family="rate", what="", why="", options={"optimizer": {"name": "nadam"}}, optimizer={"beta1": 0.8})
    named = {(one.path, one.value) for one in Course((other,)).remedies(subject)}
    assert named == {("optimizer", "nadam"), ("optimizer.beta1", 0.8)}
