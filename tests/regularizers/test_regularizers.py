"""Penalties against autograd, clipping against torch.nn.utils, decay against AdamW, noise against its generator."""

import copy
import json

import pytest
import torch
from torch import nn

from wellfit.errors import ConfigError
from wellfit.regularizers import (
    L1,
    L2,
    REGULARIZERS,
    ClipNorm,
    ClipValue,
    Noise,
    WeightDecay,
    add_noise,
    decayed_parameters,
)


def network(seed=0):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 8), nn.LayerNorm(8), nn.Linear(8, 2)
    )
    with torch.no_grad():
        module[0].weight[0, 0] = 0.0
    return module


def backward(module, penalty=None):
    x = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
    loss = module(x).square().mean()
    if penalty is not None:
        loss = loss + penalty(module)
    loss.backward()


def weights(module):
    return [weight for _, weight in decayed_parameters(module)]


def grads(module):
    return [parameter.grad for parameter in module.parameters()]


EXPLICIT = {
    "l1": lambda module: 0.03 * sum(weight.abs().sum() for weight in weights(module)),
    "l2": lambda module: 0.03 * sum(weight.square().sum() for weight in weights(module)),
}


@pytest.mark.parametrize("name", ["l1", "l2"])
class TestPenalties:
    def test_gradient_is_that_of_the_explicit_term(self, name):
        ours, theirs = network(), network()
        backward(ours)
        REGULARIZERS[name].make(strength=0.03).add_gradient(weights(ours))
        backward(theirs, EXPLICIT[name])
        torch.testing.assert_close(grads(ours), grads(theirs), rtol=1e-6, atol=1e-8)

    def test_value_is_the_explicit_term(self, name):
        module = network()
        value = REGULARIZERS[name].make(strength=0.03).value(weights(module))
        torch.testing.assert_close(value, EXPLICIT[name](module).detach())
        assert not value.requires_grad
        assert REGULARIZERS[name].make(strength=0.03).value([]) == 0

    def test_a_weight_without_a_gradient_gets_the_term_alone(self, name):
        module = network()
        REGULARIZERS[name].make(strength=0.03).add_gradient(weights(module))
        EXPLICIT[name](other := network()).backward()
        torch.testing.assert_close(grads(module), grads(other))

    def test_a_sparse_gradient_gets_the_term_on_every_row(self, name):
        ours, theirs = nn.Embedding(5, 2, sparse=True), nn.Embedding(5, 2)
        theirs.load_state_dict(ours.state_dict())
        for module in (ours, theirs):
            module(torch.tensor([1, 3, 1])).square().sum().backward()
        REGULARIZERS[name].make(strength=0.03).add_gradient(weights(ours))
        EXPLICIT[name](theirs).backward()
        torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)

    def test_no_strength_changes_no_bit(self, name):
        ours, theirs = network(), network()
        backward(ours)
        backward(theirs)
        REGULARIZERS[name].make(strength=0.0).add_gradient(weights(ours))
        assert all(torch.equal(a, b) for a, b in zip(grads(ours), grads(theirs), strict=True))


def test_l1_leaves_zeros_where_they_are():
    weight = torch.zeros(2, 2, requires_grad=True)
    weight.grad = torch.zeros(2, 2)
    L1(1.0).add_gradient([weight])
    assert torch.equal(weight.grad, torch.zeros(2, 2))


def test_penalties_keep_the_dtype_of_the_gradient():
    weight = torch.ones(2, 2, dtype=torch.bfloat16, requires_grad=True)
    weight.grad = torch.zeros_like(weight)
    L2(0.5).add_gradient([weight])
    assert weight.grad.dtype == torch.bfloat16
    assert torch.equal(weight.grad, torch.ones_like(weight))


class OwnRMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3, 3))


class Ensemble(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 3, 3))
        self.bias = nn.Parameter(torch.ones(4, 3))
        self.norm = OwnRMSNorm()
        self.tokens = nn.Embedding(7, 3)
        self.head = nn.Linear(3, 7)
        self.head.weight = self.tokens.weight
        self.frozen = nn.Linear(3, 3).requires_grad_(False)
        self.attention = nn.MultiheadAttention(4, 2)
        self.recurrent = nn.LSTM(3, 3)
        self.picture = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.GroupNorm(1, 2), nn.LayerNorm([2, 5, 5]))


def test_weights_are_what_layers_multiply_by():
    assert [name for name, _ in decayed_parameters(Ensemble())] == [
        "weight",
        "tokens.weight",
        "attention.in_proj_weight",
        "attention.out_proj.weight",
        "recurrent.weight_ih_l0",
        "recurrent.weight_hh_l0",
        "picture.0.weight",
    ]


def test_weight_decay_is_that_of_adamw():
    ours, theirs = network(), network()
    plain = torch.optim.AdamW(ours.parameters(), lr=0.01, weight_decay=0.0)
    groups = [
        {"params": weights(theirs), "weight_decay": 0.1},
        {"params": [p for p in theirs.parameters() if all(p is not w for w in weights(theirs))], "weight_decay": 0.0},
    ]
    decaying = torch.optim.AdamW(groups, lr=0.01)
    for _ in range(5):
        for module in (ours, theirs):
            module.zero_grad()
            backward(module)
        WeightDecay(0.1).apply(weights(ours), 0.01)
        plain.step()
        decaying.step()
    torch.testing.assert_close(list(ours.parameters()), list(theirs.parameters()), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("limit", [0.01, 1e6])
@pytest.mark.parametrize("given", [False, True])
def test_clipping_by_norm_is_torchs_bit_for_bit(limit, given):
    ours, theirs = network(), network()
    backward(ours)
    backward(theirs)
    ours[5].bias.grad = theirs[5].bias.grad = None
    total = torch.nn.utils.get_total_norm([grad for grad in grads(ours) if grad is not None]) if given else None
    norm = ClipNorm(limit).apply(list(ours.parameters()), total)
    assert torch.equal(norm, torch.nn.utils.clip_grad_norm_(theirs.parameters(), limit))
    pairs = zip(grads(ours), grads(theirs), strict=True)
    assert all(a is b is None or torch.equal(a, b) for a, b in pairs)
    after = torch.nn.utils.get_total_norm([grad for grad in grads(ours) if grad is not None])
    assert after <= limit * (1 + 1e-6)


def test_clipping_by_norm_without_gradients_is_zero():
    assert ClipNorm(1.0).apply(list(network().parameters())) == 0
    assert ClipNorm(1.0).apply([]) == 0


def test_clipping_by_value_is_torchs():
    ours, theirs = network(), network()
    for module in (ours, theirs):
        backward(module)
        module[5].bias.grad = None
    ClipValue(0.01).apply(list(ours.parameters()))
    torch.nn.utils.clip_grad_value_(theirs.parameters(), 0.01)
    assert max(float(grad.abs().max()) for grad in grads(ours) if grad is not None) == pytest.approx(0.01)
    assert all(a is b is None or torch.equal(a, b) for a, b in zip(grads(ours), grads(theirs), strict=True))


def test_noise_is_drawn_from_its_generator_alone():
    x = torch.ones(1000, 20)
    kept, state = x.clone(), torch.get_rng_state()
    first = add_noise(x, 0.1, torch.Generator().manual_seed(3))
    assert torch.equal(first, Noise(0.1).apply(x, torch.Generator().manual_seed(3)))
    assert not torch.equal(first, add_noise(x, 0.1, torch.Generator().manual_seed(4)))
    assert torch.equal(x, kept)
    assert torch.equal(torch.get_rng_state(), state)
    assert float((first - x).mean()) == pytest.approx(0, abs=3e-3)
    assert float((first - x).std()) == pytest.approx(0.1, rel=0.03)
    assert torch.equal(add_noise(x, 0.0, torch.Generator()), x)


@pytest.mark.parametrize("entry", REGULARIZERS.values(), ids=list(REGULARIZERS))
def test_an_entry_says_all_there_is_to_know(entry):
    assert entry.summary
    assert entry.formula
    assert entry.reference
    json.dumps(REGULARIZERS.choose(entry.name).spec())
    (option,) = entry.options
    assert entry.make(**entry.resolve({})) == entry.make(**{option.name: option.default})
    with pytest.raises(ConfigError, match=f"'{option.name}' of {entry.name}"):
        entry.resolve({option.name: -1.0})


def test_the_family_is_complete():
    assert set(REGULARIZERS) == {"l1", "l2", "weight_decay", "clip_norm", "clip_value", "noise"}


def test_a_remedy_is_equal_to_its_copy():
    assert copy.deepcopy(L1(0.5)) == L1(0.5) != L2(0.5)
