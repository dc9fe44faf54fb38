"""What every optimizer must do, run on every entry."""

from __future__ import annotations

import copy
import json

import pytest
import torch

from wellfit.errors import ConfigError, WellfitError
from wellfit.optimizers import OPTIMIZERS

NAMES = list(OPTIMIZERS)
TYPES = [torch.float32, torch.bfloat16]
VARIANTS = [
    *((name, {}) for name in NAMES),
    ("momentum", {"heavy_ball": True}),
    ("ftrl", {"l1": 0.01, "l2": 0.01, "beta": 1.0}),
    ("ftrl", {"start": "zeros"}),
    ("schedule_free_adamw", {"weight_decay": 0.1, "warmup_steps": 5}),
]
VARIANT_IDS = ["-".join([name, *options]) for name, options in VARIANTS]


def network(dtype=torch.float32, seed=0):
    """A network with every kind of parameter: matrices, vectors, a kernel."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"first.weight": (8, 5), "first.bias": (8,), "kernel": (2, 3, 2, 2), "last.weight": (1, 8)}
    return {
        name: torch.nn.Parameter((0.4 * torch.randn(shape, generator=generator)).to(dtype))
        for name, shape in shapes.items()
    }


def loss_of(params, step=0):
    """Depends on every parameter, is not quadratic, and changes with the step."""
    generator = torch.Generator().manual_seed(100 + step)
    inputs = torch.randn(16, 5, generator=generator).to(params["first.weight"].dtype)
    hidden = torch.tanh(inputs @ params["first.weight"].T + params["first.bias"])
    output = hidden @ params["last.weight"].T
    return (output - inputs.sum(1, keepdim=True)).square().mean() + (params["kernel"] - 0.5).square().mean()


def train(optimizer, params, steps, first=0, loss=loss_of, rate=None):
    for step in range(first, first + steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step) if rate else group["lr"]
        if hasattr(optimizer, "train"):
            optimizer.train()

        def closure(step=step):
            optimizer.zero_grad()
            value = loss(params, step)
            value.backward()
            return value

        optimizer.step(closure)


def evaluate(optimizer):
    if hasattr(optimizer, "eval"):
        optimizer.eval()


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.values(), other.values(), strict=True))


# ---------------------------------------------------------------------------------------------------- it minimises

QUADRATIC = {"rmsprop": 0.01, "adam": 0.01, "adamw": 0.01, "muon": 0.02, "lion": 3e-3, "adagrad": 0.5, "ftrl": 0.5}
"""Rates where the default is made for networks and takes thousands of steps here; elsewhere the default."""


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_reduces_a_quadratic(name, dtype):
    start = torch.linspace(-0.5, 0.5, 12).reshape(3, 4)
    params = {"w": torch.nn.Parameter(start.to(dtype))}

    def loss(params, step):
        return (params["w"] - 0.3).square().mul(torch.arange(1, 5)).sum()

    before = loss(params, 0).item()
    optimizer = OPTIMIZERS[name].make(params.values(), lr=QUADRATIC.get(name))
    train(optimizer, params, 5 if name == "lbfgs" else 400, loss=loss)
    evaluate(optimizer)
    assert params["w"].dtype == dtype
    # A rate near 1e-3 is lost in bfloat16's eight bits: such weights come closer and stop.
    assert loss(params, 0).item() < before * (0.6 if dtype == torch.bfloat16 else 0.1)


ROSENBROCK = {"bgd": 1e-3, "sgd": 1e-3, "minibatch": 1e-3, "momentum": 1e-3, "nesterov": 1e-3, "ftrl": 0.3}


@pytest.mark.parametrize("name", NAMES)
def test_reduces_rosenbrock(name):
    params = {"w": torch.nn.Parameter(torch.tensor([[-1.2, 1.0]], dtype=torch.float64))}

    def loss(params, step):
        x, y = params["w"][0]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    before = loss(params, 0).item()
    optimizer = OPTIMIZERS[name].make(params.values(), lr=ROSENBROCK.get(name))
    train(optimizer, params, 30 if name == "lbfgs" else 1500, loss=loss)
    evaluate(optimizer)
    assert loss(params, 0).item() < 0.5 * before


@pytest.mark.parametrize("name", NAMES)
def test_the_default_rate_works_on_a_network(name):
    params = network()
    before = sum(loss_of(params, step).item() for step in range(1000, 1020))
    optimizer = OPTIMIZERS[name].make(params.values())
    train(optimizer, params, 20 if name == "lbfgs" else 400)
    evaluate(optimizer)
    after = sum(loss_of(params, step).item() for step in range(1000, 1020))
    assert after < 0.6 * before


# ------------------------------------------------------------------------------------------------- it can be resumed


def schedule(step):
    return 0.01 * (1 + step % 4)


def saved_state(optimizer):
    """A state as a file would hold it: tensors copied, the rest through JSON."""
    state = copy.deepcopy(optimizer.state_dict())
    return {"state": state["state"], "param_groups": json.loads(json.dumps(state["param_groups"]))}


@pytest.mark.parametrize("dtype", [*TYPES, torch.float64], ids=str)
@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=VARIANT_IDS)
@pytest.mark.parametrize("point", ["training", "evaluating"])
def test_resumes_bit_for_bit(name, options, dtype, point):
    params = network(dtype)
    optimizer = OPTIMIZERS[name].make(params.values(), **options)
    train(optimizer, params, 7, rate=schedule)
    if point == "evaluating":
        evaluate(optimizer)
    state, weights = saved_state(optimizer), {key: value.detach().clone() for key, value in params.items()}
    train(optimizer, params, 7, first=7, rate=schedule)

    fresh = {key: torch.nn.Parameter(value) for key, value in weights.items()}
    again = OPTIMIZERS[name].make(fresh.values(), **options)
    again.load_state_dict(state)
    train(again, fresh, 7, first=7, rate=schedule)
    assert same(params, fresh)
    evaluate(optimizer)
    evaluate(again)
    assert same(params, fresh)


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=VARIANT_IDS)
def test_resumes_from_before_the_first_step(name, options):
    params, fresh = network(), network()
    optimizer = OPTIMIZERS[name].make(params.values(), **options)
    again = OPTIMIZERS[name].make(fresh.values(), **options)
    again.load_state_dict(saved_state(optimizer))
    train(optimizer, params, 3)
    train(again, fresh, 3)
    assert same(params, fresh)


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_state_shares_no_memory(name):
    params = network()
    optimizer = OPTIMIZERS[name].make(params.values())
    train(optimizer, params, 3)
    state = optimizer.state_dict()
    kept = copy.deepcopy(state)
    fresh = network()
    again = OPTIMIZERS[name].make(fresh.values())
    again.load_state_dict(state)
    train(again, fresh, 3)
    assert plain(state["state"]) == plain(kept["state"])


def plain(value):
    """Turn a state into lists and numbers; refuse everything that no safe file could hold."""
    if isinstance(value, torch.Tensor):
        return [str(value.dtype), value.tolist()]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    assert isinstance(value, (bool, int, float, str)), value
    return value


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=VARIANT_IDS)
def test_states_are_tensors_numbers_strings_lists_and_dicts(name, options):
    params = network()
    optimizer = OPTIMIZERS[name].make(params.values(), **options)
    train(optimizer, params, 3)
    plain(optimizer.state_dict()["state"])
    json.dumps(optimizer.state_dict()["param_groups"])


@pytest.mark.parametrize("name", NAMES)
def test_is_deterministic(name):
    one, other = network(), network()
    train(OPTIMIZERS[name].make(one.values()), one, 6)
    train(OPTIMIZERS[name].make(other.values()), other, 6)
    assert same(one, other)


# --------------------------------------------------------------------------------------------- parameters and groups


@pytest.mark.parametrize("name", NAMES)
def test_takes_named_parameters(name):
    named, bare = network(), network()
    train(OPTIMIZERS[name].make(named.items()), named, 3)
    train(OPTIMIZERS[name].make(bare.values()), bare, 3)
    assert same(named, bare)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "lbfgs"])
def test_groups_have_rates_of_their_own(name):
    grouped, alone = network(), network()
    first = ["first.weight", "first.bias"]
    optimizer = OPTIMIZERS[name].make(
        [
            {"params": [grouped[key] for key in first], "lr": 0.003},
            {"params": [value for key, value in grouped.items() if key not in first]},
        ],
        lr=0.02,
    )
    assert {group["lr"] for group in optimizer.param_groups} == {0.003, 0.02}
    parts = [
        OPTIMIZERS[name].make([alone[key] for key in first], lr=0.003),
        OPTIMIZERS[name].make([value for key, value in alone.items() if key not in first], lr=0.02),
    ]
    for step in range(4):
        train(optimizer, grouped, 1, first=step)
        for part in parts:
            getattr(part, "train", lambda: None)()
        for value in alone.values():
            value.grad = None
        loss_of(alone, step).backward()
        for part in parts:
            part.step()
    assert same(grouped, alone)


def test_lbfgs_refuses_several_groups():
    params = list(network().values())
    with pytest.raises(ConfigError, match="one parameter group"):
        OPTIMIZERS["lbfgs"].make([{"params": params[:1]}, {"params": params[1:]}])


@pytest.mark.parametrize("name", NAMES)
def test_parameters_without_a_gradient_stay(name):
    params = network()
    idle = torch.nn.Parameter(torch.ones(3, 3))
    optimizer = OPTIMIZERS[name].make([*params.values(), idle])
    train(optimizer, params, 4)
    evaluate(optimizer)
    assert torch.equal(idle, torch.ones(3, 3))
    assert not same(params, network())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "lbfgs"])
def test_a_gradient_may_be_missing_for_a_while(name):
    params = network()
    idle = torch.nn.Parameter(torch.ones(3, 3))
    optimizer = OPTIMIZERS[name].make([*params.values(), idle], lr=0.01)
    train(optimizer, params, 3)
    train(optimizer, {**params, "idle": idle}, 3, loss=lambda p, step: loss_of(p, step) + p["idle"].square().sum())
    moved = idle.detach().clone()
    assert not torch.equal(moved, torch.ones(3, 3))
    assert torch.isfinite(moved).all()
    train(optimizer, params, 3)
    assert torch.equal(idle, moved)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_with_no_gradient_at_all_changes_nothing(name):
    params = network()
    optimizer = OPTIMIZERS[name].make(params.values())
    optimizer.step(lambda: torch.zeros(()))
    assert same(params, network())


@pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning")  # torch's own remark, once a process
@pytest.mark.parametrize("closed", [True, False], ids=["closure", "gradients"])
@pytest.mark.parametrize("name", NAMES)
def test_sparse_gradients_are_stepped_like_dense_ones_or_refused(name, closed):
    def embedded(sparse):
        table = torch.nn.Embedding(6, 3, sparse=sparse)
        torch.nn.init.constant_(table.weight, 0.5)
        optimizer = OPTIMIZERS[name].make(table.parameters(), lr=0.1)
        for rows in ([1, 2, 2], [2, 5, 1], [0, 0, 1]):

            def closure(rows=rows):
                optimizer.zero_grad()
                loss = table(torch.tensor(rows)).square().sum()
                loss.backward()
                return loss

            if closed or name == "lbfgs":
                optimizer.step(closure)
            else:
                closure()
                optimizer.step()
        return table.weight.detach()

    if OPTIMIZERS[name].sparse:
        torch.testing.assert_close(embedded(True), embedded(False), rtol=1e-5, atol=1e-6)
    else:
        with pytest.raises(WellfitError, match=f"{name} takes no sparse gradients"):
            embedded(True)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_list_is_one_clear_error(name):
    for empty in ([], iter(()), [{"params": []}]):
        with pytest.raises(ConfigError, match=f"{name} needs at least one parameter"):
            OPTIMIZERS[name].make(empty)


@pytest.mark.parametrize("wrong", ["weights", torch.ones(2), 3, [1.0], [torch.ones(2, dtype=torch.int64)]], ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_parameter_is_refused(name, wrong):
    with pytest.raises(ConfigError):
        OPTIMIZERS[name].make(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_given_twice_or_computed_are_refused(name):
    weight = torch.nn.Parameter(torch.ones(2, 2))
    with pytest.raises(ConfigError, match=f"{name} can't take these"):
        OPTIMIZERS[name].make([weight * 2])
    if name != "lbfgs":
        with pytest.raises(ConfigError, match=f"{name} can't take these"):
            OPTIMIZERS[name].make([{"params": [weight]}, {"params": [weight]}])


# --------------------------------------------------------------------------------------------------------- settings


def outside(option):
    """Values just outside an option's range."""
    if option.kind in ("float", "int"):
        yield float("nan")
        yield "much"
        if option.low is not None:
            yield option.low if option.low_open else option.low - 1
        if option.high is not None:
            yield option.high if option.high_open else option.high + 1
    else:
        yield 7


OPTIONS = [(name, option) for name in NAMES for option in OPTIMIZERS[name].options]


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=[f"{name}-{option.name}" for name, option in OPTIONS])
def test_ranges_hold(name, option):
    for value in outside(option):
        with pytest.raises(ConfigError, match=rf"'{option.name}' of {name} must be"):
            OPTIMIZERS[name].make(network().values(), **{option.name: value})
        with pytest.raises(ConfigError, match=rf"'{option.name}' of {name} must be"):
            OPTIMIZERS.choose({"name": name, option.name: value})


@pytest.mark.parametrize("name", NAMES)
def test_unknown_settings_are_refused(name):
    with pytest.raises(ConfigError, match=f"{name} has no option 'learning_rate'"):
        OPTIMIZERS[name].make(network().values(), learning_rate=0.1)
    with pytest.raises(ConfigError, match=f"group of {name} has no setting 'rate'"):
        OPTIMIZERS[name].make([{"params": network().values(), "rate": 0.1}])
    with pytest.raises(ConfigError, match=f"'lr' of {name} must be"):
        OPTIMIZERS[name].make([{"params": network().values(), "lr": -0.1}])


@pytest.mark.parametrize("name", NAMES)
def test_tells_all_there_is_to_know(name):
    entry = OPTIMIZERS[name]
    low, high = entry.lr_range
    assert 0 < low <= entry.lr <= high
    assert entry.summary
    assert entry.formula
    assert entry.reference
    assert all(option.help for option in entry.options)
    assert entry.make(network().values()).param_groups[0]["lr"] == entry.lr == entry.default_lr({})
    assert hash(entry)
    assert repr(entry)


def test_the_family_has_every_name():
    wanted = "bgd sgd minibatch momentum nesterov adagrad rmsprop adam nadam adadelta ftrl lbfgs adamw muon lion"
    assert set(OPTIMIZERS) == {*wanted.split(), "schedule_free_adamw"}


@pytest.mark.parametrize("name", ["bgd", "sgd", "minibatch", "adagrad", "adam", "adamw"])
def test_is_fused_where_torch_can(name):
    optimizer = OPTIMIZERS[name].make(network().values())
    assert all(group["fused"] for group in optimizer.param_groups)
