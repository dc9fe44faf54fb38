"""The loop against a hand-written one, and what it promises whatever the rows look like."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import Dataset, TensorDataset

import wellfit
from wellfit.errors import ConfigError, DataError, Interrupted
from wellfit.runtime import keyed_generator


def same_weights(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_equals_a_hand_written_loop(rows, make_net):
    inputs, target = rows
    ours, theirs = make_net(dropout=0), make_net(dropout=0)
    wellfit.fit(ours, rows, loss="cce", optimizer="adam", lr=1e-2, batch_size=32, epochs=3, seed=5)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=1e-2, fused=True)
    for epoch in range(3):
        order = torch.randperm(len(target), generator=keyed_generator(5, "order", epoch))
        for first in range(0, len(target), 32):
            part = order[first : first + 32]
            optimizer.zero_grad()
            functional.cross_entropy(theirs(inputs[part]), target[part]).backward()
            optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_training_loss_is_the_mean_over_rows_and_not_over_batches(rows, make_net):
    """With a rate of almost nothing, the mean over an epoch is the loss of the first weights on all rows."""
    module = make_net(dropout=0, norm=False)
    inputs, target = rows
    expected = functional.cross_entropy(module(inputs), target).item()
    result = wellfit.fit(module, rows, loss="cce", optimizer="adam", lr=1e-12, batch_size=100, epochs=1)
    assert result.history["train_loss"][0] == pytest.approx(expected, rel=1e-5)


def test_row_weights_are_repetitions(rows, make_net):
    """A row of weight two counts as the row twice, in the loss and in the gradient."""
    inputs, target = rows
    weight = torch.ones(len(target))
    weight[:50] = 2.0
    twice = torch.cat([inputs, inputs[:50]]), torch.cat([target, target[:50]])
    weighted, repeated = make_net(dropout=0, norm=False), make_net(dropout=0, norm=False)
    common = {"loss": "cce", "optimizer": "bgd", "lr": 0.5, "epochs": 4}
    first = wellfit.fit(weighted, (inputs, target, weight), **common)
    second = wellfit.fit(repeated, twice, **common)
    for a, b in zip(weighted.parameters(), repeated.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(first.history["train_loss"], second.history["train_loss"], rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_accumulation_is_one_large_batch(rows, make_net, optimizer):
    """Eight batches of four make the update of one batch of 32; batch norm and dropout see other batches, so none."""
    small, large = make_net(dropout=0, norm=False), make_net(dropout=0, norm=False)
    common = {"loss": "cce", "optimizer": optimizer, "epochs": 2, "clip_norm": 0.5, "l2": 1e-3}
    wellfit.fit(small, rows, batch_size=4, accumulate=8, **common)
    wellfit.fit(large, rows, batch_size=32, **common)
    for a, b in zip(small.parameters(), large.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_an_epoch_of_some_updates_is_a_part_of_all_rows(rows, make_net):
    """Each epoch begins a new order, the rate goes down over the updates that are made, and a stop loses nothing."""
    inputs, target = rows
    ours, theirs = make_net(dropout=0), make_net(dropout=0)
    options = {"loss": "cce", "optimizer": "adam", "lr": 1e-2, "schedule": "cosine", "batch_size": 32, "seed": 5}
    result = wellfit.fit(ours, rows, epochs=4, epoch_steps=3, **options)
    assert result.steps == 12
    optimizer = torch.optim.Adam(theirs.parameters(), fused=True)
    for step in range(12):
        epoch, batch = divmod(step, 3)
        order = torch.randperm(len(target), generator=keyed_generator(5, "order", epoch))
        optimizer.param_groups[0]["lr"] = 1e-2 * 0.5 * (1.0 + math.cos(math.pi * step / 12))
        optimizer.zero_grad()
        part = order[32 * batch : 32 * (batch + 1)]
        functional.cross_entropy(theirs(inputs[part]), target[part]).backward()
        optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    # More than there are: all rows, once.
    whole, all_rows = make_net(dropout=0), make_net(dropout=0)
    wellfit.fit(whole, rows, epochs=2, epoch_steps=10**6, **options)
    wellfit.fit(all_rows, rows, epochs=2, **options)
    assert same_weights(whole, all_rows)


def test_memory_that_runs_out_splits_the_batch_and_keeps_the_update(rows, make_net):
    class Greedy(nn.Module):
        def __init__(self, inner: nn.Module, most: int) -> None:
            super().__init__()
            self.inner, self.most = inner, most

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training and len(x) > self.most:
                raise torch.OutOfMemoryError("out of memory")
            return self.inner(x)

    greedy, plain = Greedy(make_net(dropout=0, norm=False), 20), make_net(dropout=0, norm=False)
    common = {"loss": "cce", "optimizer": "adam", "batch_size": 64, "epochs": 2}
    wellfit.fit(greedy, rows, **common)
    wellfit.fit(plain, rows, **common)
    for a, b in zip(greedy.inner.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_same_seed_same_bits_other_seed_other_weights(rows, held, make_net):
    def trained(seed: int) -> nn.Module:
        module = make_net()
        wellfit.fit(module, rows, valid=held, loss="cce", optimizer="nadam", batch_size=16, epochs=3, seed=seed)
        return module

    assert same_weights(trained(3), trained(3))
    assert not same_weights(trained(3), trained(4))


def test_leaves_the_random_state_as_it_was(rows, make_net):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    wellfit.fit(make_net(), rows, loss="cce", epochs=1)
    assert torch.equal(torch.rand(3), expected)


def test_early_stopping_restores_the_best_epoch(rows, held, make_net):
    module = make_net()
    result = wellfit.fit(
        module, rows, valid=held, loss="cce", optimizer="adam", lr=0.05, epochs=60, batch_size=16, early_stopping=4
    )
    losses = result.history["valid_loss"]
    assert len(losses) < 60
    assert result.best_epoch == int(np.argmin(losses)) + 1
    assert len(losses) == result.best_epoch + 4
    with torch.no_grad():
        kept = float(functional.cross_entropy(module(held[0]), held[1]))
    assert kept == pytest.approx(losses.min(), rel=1e-5)


def test_a_metric_that_should_be_large_is_watched_as_such(rows, held, make_net):
    result = wellfit.fit(
        make_net(), rows, valid=held, loss="cce", epochs=15, metric="accuracy", early_stopping={"patience": 20}
    )
    assert result.best_epoch == int(np.argmax(result.history["valid_accuracy"])) + 1


def test_moving_average_is_what_is_evaluated_and_kept(rows, held, make_net):
    module = make_net(norm=False)
    result = wellfit.fit(module, rows, valid=held, loss="cce", epochs=2, batch_size=16, lr=0.05, ema=0.9)
    with torch.no_grad():
        kept = float(functional.cross_entropy(module(held[0]), held[1]))
    assert kept == pytest.approx(result.history["valid_loss"][-1], rel=1e-5)
    plain = make_net(norm=False)
    wellfit.fit(plain, rows, valid=held, loss="cce", epochs=2, batch_size=16, lr=0.05)
    assert not same_weights(module, plain)


def test_validation_and_monitoring_change_no_weight(rows, held, make_net):
    with_them, without = make_net(), make_net()
    wellfit.fit(with_them, rows, valid=held, metric="accuracy", loss="cce", epochs=3)
    wellfit.fit(without, rows, loss="cce", epochs=3)
    assert same_weights(with_them, without)


def test_a_gradient_that_is_not_finite_stops_before_the_weights_are_spoilt(rows, make_net):
    inputs = rows[0].clone()
    inputs[100] = math.inf
    module = make_net()
    result = wellfit.fit(module, (inputs, rows[1]), loss="cce", batch_size=8, epochs=5)
    (finding,) = [finding for finding in result.findings if finding.code == "non_finite"]
    assert finding.severity == "error"
    assert finding.where in dict(module.named_parameters())
    assert all(bool(torch.isfinite(value).all()) for value in module.state_dict().values() if value.is_floating_point())


def test_a_spoilt_update_leaves_buffers_as_the_last_good_one_did(rows):
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 2)
            self.register_buffer("seen", torch.zeros(1))
            self.register_buffer("fixed", torch.full((3,), 7.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                self.seen.add_(float(len(x)))
            return self.layer(x) * (math.nan if float(self.seen) > 100 else 1.0)

    module = Counting()
    wellfit.fit(module, rows, loss="cce", batch_size=30, epochs=2, doctor="off")
    assert (float(module.seen), module.fixed.tolist()) == (90.0, [7.0, 7.0, 7.0])


def test_penalties_are_in_the_gradient_and_in_the_reported_loss(rows, make_net):
    inputs, target = rows
    module = make_net(dropout=0, norm=False)
    weights = [module[0].weight, module[4].weight]
    bare = functional.cross_entropy(module(inputs), target).item()
    expected = bare + sum(0.01 * w.abs().sum().item() + 0.02 * (w**2).sum().item() for w in weights)
    result = wellfit.fit(module, rows, loss="cce", optimizer="bgd", lr=1e-9, epochs=1, l1=0.01, l2=0.02)
    assert result.history["train_loss"][0] == pytest.approx(expected, rel=1e-4)


def test_a_schedule_multiplies_the_rate(rows, make_net):
    result = wellfit.fit(
        make_net(),
        rows,
        loss="cce",
        optimizer="adam",
        lr=0.1,
        batch_size=203,
        epochs=4,
        schedule=lambda step: 0.5**step,
    )
    assert result.history["lr"].tolist() == pytest.approx([0.1, 0.05, 0.025, 0.0125])


def test_layers_are_recorded(rows, make_net):
    module = make_net()
    history = wellfit.fit(module, rows, loss="cce", epochs=2).history
    assert history.places("grad_norm") == [name for name, _ in module.named_parameters()]
    assert all(history.series("update_ratio", name)[1][0] > 0 for name in history.places("update_ratio"))


class Noisy(Dataset):
    def __init__(self, rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows[1])

    def __getitem__(self, row: int):
        return self.rows[0][row] + 0.1 * torch.randn(6) + float(np.random.rand()), self.rows[1][row]


def test_a_data_set_is_read_the_same_by_any_number_of_workers(rows, make_net):
    alone, helped = make_net(), make_net()
    wellfit.fit(alone, Noisy(rows), loss="cce", batch_size=32, epochs=2, workers=0)
    wellfit.fit(helped, Noisy(rows), loss="cce", batch_size=32, epochs=2, workers=2)
    assert same_weights(alone, helped)


def test_arrays_data_sets_and_batches_train_alike(rows, make_net):
    inputs, target = rows
    first, second = make_net(), make_net()
    wellfit.fit(first, (inputs.numpy().astype(np.float64), target.numpy().astype(np.int32)), loss="cce", epochs=1)
    wellfit.fit(second, TensorDataset(inputs, target), loss="cce", epochs=1)
    assert same_weights(first, second)
    batches = [(inputs[:100], target[:100]), (inputs[100:], target[100:])]
    result = wellfit.fit(make_net(), batches, loss="cce", epochs=3)
    assert result.steps == 6


def test_a_last_row_alone_joins_the_batch_before(make_net):
    inputs, target = torch.randn(33, 6), torch.zeros(33, dtype=torch.int64)
    assert wellfit.fit(make_net(), (inputs, target), loss="cce", batch_size=16, epochs=1).steps == 2


@pytest.mark.parametrize(
    "optimizer", ["sgd", "bgd", "minibatch", "lbfgs", "nesterov", "ftrl", "muon", "schedule_free_adamw"]
)
def test_every_kind_of_optimizer_learns_through_the_loop(rows, optimizer, make_net):
    module = make_net(dropout=0, norm=False)
    result = wellfit.fit(module, rows, valid=rows, loss="cce", optimizer=optimizer, epochs=40)
    assert result.history["valid_loss"][-1] < 0.8 * result.history["train_loss"][0]


def test_own_loss_and_own_optimizer(rows, make_net):
    inputs, target = rows
    module = make_net(outputs=1, dropout=0)
    result = wellfit.fit(
        module,
        (inputs, target.float().reshape(-1, 1)),
        loss=functional.binary_cross_entropy_with_logits,
        optimizer=lambda weights: torch.optim.SGD(weights, lr=0.3),
        epochs=10,
    )
    assert result.history["lr"][0] == 0.3
    assert result.history["train_loss"][-1] < result.history["train_loss"][0]


def test_ctrl_c_finishes_the_step_and_says_so(rows, make_net):
    import os
    import signal

    class Impatient(wellfit.Callback):
        def on_step(self, trainer) -> None:
            if trainer.position.step == 5:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="after 5 updates"):
        wellfit.fit(make_net(), rows, loss="cce", batch_size=8, epochs=10, callbacks=[Impatient()])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"loss": "bcee"}, "Did you mean 'bce'"),
        ({"optimizer": "sgd", "batch_size": 32}, "minibatch"),
        ({"optimizer": "sgd"}, "Batch norm needs at least two rows"),
        ({"optimizer": "lbfgs", "clip_norm": 1.0}, "can't be combined"),
        ({"optimizer": "adamw", "weight_decay": 0.1}, "decays weights by itself"),
        ({"lr": -1.0}, "lr"),
        ({"batch_size": 0}, "batch_size"),
        ({"early_stopping": 3}, "validation rows"),
        ({"loss": lambda output, target: output}, "one number"),
        ({"loss": lambda output, target: output.sum().detach()}, "follow from the output"),
        ({"augment": {"flip": True}}, "noise"),
        ({"precision": "half"}, "precision"),
        ({"device": "tpu"}, "device"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 2.5}, "epochs"),
        ({"clip_norm": -1.0}, "clip_norm"),
        ({"l1": -0.1}, "l1"),
        ({"ema": 1.5}, "ema"),
        ({"accumulate": 0}, "accumulate"),
        ({"epoch_steps": 0}, "epoch_steps"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(rows, change, says, make_net):
    module = make_net()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(ConfigError, match=says):
        wellfit.fit(module, rows, **{"loss": "cce", **change})
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ((torch.zeros(5, 6), torch.zeros(4, dtype=torch.int64)), "same number of rows"),
        ((torch.zeros(0, 6), torch.zeros(0, dtype=torch.int64)), "at least one row"),
        ((torch.zeros(5, 7), torch.zeros(5, dtype=torch.int64)), "two rows it said"),
        ((torch.zeros(5, 6), torch.full((5,), 9)), "class ids"),
        ((torch.zeros(5, 6), torch.full((5,), math.nan)), "class ids"),
        ((np.array([["a"] * 6] * 5), np.zeros(5, dtype=int)), "must be numbers"),
        ([], "at least one"),
        ("data.csv", "given as"),
        (iter([(torch.zeros(5, 6), torch.zeros(5, dtype=torch.int64))]), "walked through once"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(data, says, make_net):
    with pytest.raises(DataError, match=says):
        wellfit.fit(make_net(), data, loss="cce", epochs=2)


def test_a_module_without_parameters_is_refused(rows):
    with pytest.raises(DataError, match="parameters"):
        wellfit.fit(nn.Identity(), rows, loss="cce")


def test_bfloat16_keeps_float32_weights_and_clips_the_true_gradient(rows, make_net):
    exact, mixed = make_net(dropout=0, norm=False), make_net(dropout=0, norm=False)
    common = {"loss": "cce", "optimizer": "bgd", "lr": 1.0, "epochs": 1, "clip_norm": 1e-3}
    before = [weight.detach().clone() for weight in mixed.parameters()]
    wellfit.fit(exact, rows, **common)
    wellfit.fit(mixed, rows, precision="bfloat16", **common)
    moved = torch.cat([(a - b).flatten() for a, b in zip(mixed.parameters(), before, strict=True)])
    assert all(weight.dtype == torch.float32 for weight in mixed.parameters())
    assert moved.norm().item() == pytest.approx(1e-3, rel=1e-3)
    for a, b in zip(exact.parameters(), mixed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-4)


def test_clipping_by_value_holds_under_accumulation(rows, make_net):
    module = make_net(dropout=0, norm=False)
    before = [weight.detach().clone() for weight in module.parameters()]
    wellfit.fit(
        module, rows, loss="cce", optimizer="minibatch", lr=1.0, batch_size=32, accumulate=8, epochs=1, clip_value=1e-4
    )
    largest = max((a - b).abs().max().item() for a, b in zip(module.parameters(), before, strict=True))
    assert largest == pytest.approx(1e-4, rel=1e-2)
