"""The instruments on other people's loops: they see what happens, and change nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import wellfit
from wellfit.errors import BadInput

X = torch.randn(256, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] * X[:, 1] > 0).long()


def network(dropout: float = 0.2) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 2))


def train(
    module: nn.Module, monitor: wellfit.Monitor | None, steps: int = 40, lr: float = 0.01, **given
) -> wellfit.Monitor | None:
    optimizer = torch.optim.Adam(module.parameters(), lr=lr)
    if given.get("watch"):
        monitor = wellfit.Monitor(module, optimizer, **given.get("options", {}))
    torch.manual_seed(1)
    for step in range(steps):
        rows = torch.arange(step * 32, step * 32 + 32) % 256
        loss = functional.cross_entropy(module(X[rows]), Y[rows])
        optimizer.zero_grad()
        loss.backward()
        if monitor is not None:
            monitor.observe(loss)
        optimizer.step()
    return monitor


@pytest.mark.parametrize("options", [{}, {"loss": functional.cross_entropy, "train": (X, Y), "valid": (X, Y)}])
def test_a_watched_loop_ends_with_the_same_bits(options: dict) -> None:
    plain, watched = network(), network()
    train(plain, None)
    monitor = train(watched, None, watch=True, options=options)
    assert monitor is not None
    assert "doctor_failed" not in monitor.history.meta
    monitor.close()
    for (name, a), b in zip(plain.state_dict().items(), watched.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_it_records_losses_updates_and_activations() -> None:
    monitor = train(network(), None, watch=True)
    assert monitor is not None
    history = monitor.history
    assert len(history["batch_loss"]) == 40
    assert set(history.places("silent_share")) == {"2"}
    assert set(history.places("update_ratio")) == {"0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"}
    assert history.meta["loss"]["expects"] == "logits"


def test_a_gradient_that_is_not_finite_is_named_and_the_loop_goes_on() -> None:
    module = network()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    monitor = wellfit.Monitor(module, optimizer)
    for _ in range(3):
        loss = functional.cross_entropy(module(X[:32]) * float("inf"), Y[:32])
        optimizer.zero_grad()
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
    findings = wellfit.diagnose(monitor.history)
    assert "non_finite" in [finding.code for finding in findings]
    assert monitor.history.meta["non_finite"]["step"] == 1
    assert monitor.history.meta["non_finite"]["where"]


def test_a_long_loop_keeps_few_windows() -> None:
    module = nn.Linear(2, 1)
    monitor = wellfit.Monitor(module)
    rows = torch.ones(4, 2)
    for _ in range(1000):
        loss = module(rows).sum()
        loss.backward()
        monitor.observe(loss)
    losses = monitor.history["batch_loss"]
    assert 60 <= len(losses) <= 128
    assert losses.mean() == pytest.approx(loss.item(), rel=0.05)


def test_a_softmax_before_cross_entropy_is_found_in_three_lines() -> None:
    module = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2), nn.Softmax(-1))
    monitor = train(module, None, watch=True)
    assert monitor is not None
    assert [finding.code for finding in wellfit.diagnose(monitor.history)][:1] == ["loss_output_mismatch"]


class Odd(nn.Module):
    """Gives a tuple of a tensor and text, from a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2)

    def forward(self, given: dict[str, Tensor]) -> tuple[Tensor, str]:
        return self.layer(given["x"]), "text"


def test_odd_inputs_and_outputs_do_not_stop_it() -> None:
    module = Odd()
    monitor = wellfit.Monitor(module)
    for _ in range(5):
        loss = functional.cross_entropy(module({"x": X})[0], Y)
        loss.backward()
        monitor.observe(loss)
    assert len(monitor.history["batch_loss"]) == 5
    assert "doctor_failed" not in monitor.history.meta


def test_nothing_to_train_is_said() -> None:
    with pytest.raises(BadInput, match="parameters that are trained"):
        wellfit.Monitor(nn.ReLU())


def test_a_loss_of_many_numbers_is_noted_and_the_loop_goes_on() -> None:
    module = nn.Linear(6, 2)
    monitor = wellfit.Monitor(module)
    monitor.observe(torch.ones(3))
    assert "one number" in monitor.history.meta["doctor_failed"]


class Named(nn.Module):
    """Takes its rows by name, as models of Transformers do, or in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x: Tensor | dict[str, Tensor], *, scale: float = 1.0) -> Tensor:
        return self.net(x["x"] if isinstance(x, dict) else x) * scale


def called(module: nn.Module, call: Callable[[Tensor], Tensor], steps: int = 40) -> wellfit.Monitor:
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    monitor = wellfit.Monitor(module, optimizer)
    for _ in range(steps):
        loss = functional.cross_entropy(call(X[:64]), Y[:64])
        optimizer.zero_grad()
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
    assert "doctor_failed" not in monitor.history.meta
    return monitor


def test_rows_given_by_name_are_seen_as_those_given_by_place() -> None:
    a, b = Named(), Named()
    assert called(a, a).history == called(b, lambda x: b(x=x)).history


@pytest.mark.parametrize("form", [lambda x: {"x": {"x": x}}, lambda x: {"x": x, "scale": 1.0}])
def test_rows_in_any_argument_are_probed(form: Callable[[Tensor], dict[str, object]]) -> None:
    module, placed = Named(), Named()
    found, known = called(module, lambda x: module(**form(x))).history, called(placed, placed).history
    assert set(found.places("silent_share")) == {"net.1"}
    assert found.series("silent_share", "net.1")[0][-1] == known.series("silent_share", "net.1")[0][-1]
    assert set(found.places("probe_grad")) == {"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"}


class Stateful(nn.Module):
    """Keeps a running mean, a memory, a list and a count, and computes with them, in evaluation mode too."""

    def __init__(self, named: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.named = nn.Linear(6, 2), named
        self.register_buffer("mean", torch.zeros(6))
        self.memory, self.calls, self.past = torch.zeros(2), 0, []

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        self.mean.mul_(0.9).add_(0.1 * x.mean(0))
        self.calls += 1
        self.past.append(self.calls)
        out = self.layer(x - self.mean) * (1 + 0.01 * self.calls + 0.001 * len(self.past)) + self.memory
        self.memory.mul_(0.9).add_(0.1 * out.detach().mean(0))
        return {"out": out} if self.named else out


@pytest.mark.parametrize("named", [False, True])
def test_what_a_module_keeps_is_as_without_looks(named: bool) -> None:
    ends = []
    for watch in (False, True):
        module = Stateful(named)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        monitor = wellfit.Monitor(module, optimizer) if watch else None
        for _ in range(20):
            out = module(X[:32])
            loss = functional.cross_entropy(out["out"] if named else out, Y[:32])
            optimizer.zero_grad()
            loss.backward()
            if monitor is not None:
                monitor.observe(loss)
                assert "doctor_failed" not in monitor.history.meta
            optimizer.step()
        ends.append([*module.state_dict().values(), module.memory, torch.tensor([module.calls, len(module.past)])])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


@pytest.mark.parametrize("whole", [True, False])
def test_a_compiled_module_is_looked_at_as_written(whole: bool) -> None:
    compiled_anew = []
    module, plain = network(), network()

    def backend(graph: torch.fx.GraphModule, _: object) -> Callable[..., object]:
        compiled_anew.append(graph)
        return graph.forward

    compiled = torch.compile(module, backend=backend)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    monitor = wellfit.Monitor(compiled if whole else module, optimizer)
    torch.manual_seed(1)
    for step in range(40):
        rows = torch.arange(step * 32, step * 32 + 32) % 256
        loss = functional.cross_entropy(compiled(X[rows]), Y[rows])
        optimizer.zero_grad()
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
    assert "doctor_failed" not in monitor.history.meta
    # Hooks on what was compiled are part of it: once they are taken off, it is compiled once more.
    assert len(compiled_anew) == (1 if whole else 2)
    assert "0.weight" in monitor.history.places("probe_grad")
    train(plain, None)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), module.parameters(), strict=True))


def test_rates_and_the_noise_of_gradients_are_recorded() -> None:
    module, chance = nn.Linear(6, 2), torch.Generator().manual_seed(0)
    target = (X[:, 0] + torch.randn(256, generator=chance) > 0).long()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-4)
    monitor, factor = wellfit.Monitor(module, optimizer), torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.999)
    for step in range(2000):
        rows = (torch.arange(64) + 17 * step) % 256
        loss = functional.cross_entropy(module(X[rows]), target[rows])
        optimizer.zero_grad()
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
        factor.step()
    rates = monitor.history["lr"]
    assert rates[0] == pytest.approx(1e-4, rel=0.05)
    assert rates[-1] == pytest.approx(1e-4 * 0.999**1975, rel=0.05)
    assert monitor.history["noise_scale"][-1] > 0


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"every": 0}, "1 or more"),
        ({"every": "x"}, "whole number"),
        ({"optimizer": "adam"}, "torch.optim.Optimizer"),
        ({"optimizer": torch.optim.SGD(nn.Linear(3, 1).parameters(), lr=0.1)}, "parameters of the module"),
    ],
)
def test_what_it_can_not_be_attached_to_is_refused(given: dict, rule: str) -> None:
    with pytest.raises(BadInput, match=rule):
        wellfit.Monitor(nn.Linear(2, 1), **given)


def test_a_doctor_that_died_is_announced(caplog: pytest.LogCaptureFixture) -> None:
    module = nn.Linear(6, 2)
    monitor = wellfit.Monitor(module)
    monitor.observe(torch.ones(3))
    assert "stopped looking" in caplog.text
    told = {finding.code: finding for finding in wellfit.diagnose(monitor.history)}
    assert "one number" in told["doctor_failed"].message
    assert told["doctor_failed"].severity == "info"


def test_a_monitor_is_diagnosed_as_its_history_is() -> None:
    monitor = called(*[Named()] * 2)
    assert wellfit.diagnose(monitor) == wellfit.diagnose(monitor.history)
    with pytest.raises(BadInput, match="reads a History"):
        wellfit.diagnose("runs/x")


def test_a_fault_in_a_hook_stays_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.training.calls.SeenCalls.take", lambda *_: 1 / 0)
    module = Named()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    monitor = wellfit.Monitor(module, optimizer)
    functional.cross_entropy(module(X), Y).backward()
    optimizer.step()
    assert "division" in monitor.history.meta["doctor_failed"]
