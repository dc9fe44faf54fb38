from __future__ import annotations

import pytest

from wellfit.errors import ConfigError
from wellfit.optimizers import OPTIMIZERS, check_batch_size, default_batch_size


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("bgd", None, 1000),
        ("bgd", 1000, 1000),
        ("sgd", None, 1),
        ("sgd", 1, 1),
        ("minibatch", None, 16),
        ("minibatch", 2, 2),
        ("minibatch", 999, 999),
        ("lbfgs", None, 1000),
        ("lbfgs", 1000, 1000),
        ("adam", None, 16),
        ("adam", 64, 64),
        ("adam", 5000, 1000),
        ("adam", 1, 1),
    ],
)
def test_gives_the_rows_of_an_update(name, given, wanted):
    assert check_batch_size(OPTIMIZERS[name], given, 1000) == wanted


@pytest.mark.parametrize(
    ("name", "given", "rule", "remedy"),
    [
        ("sgd", 32, "sgd takes one row per update", "Use minibatch."),
        ("sgd", 1000, "sgd takes one row per update", "Use bgd."),
        ("bgd", 32, "bgd takes the whole set per update", "Use minibatch."),
        ("bgd", 1, "bgd takes the whole set per update", "Use sgd."),
        ("bgd", 2000, "bgd takes the whole set per update", "Leave batch_size out."),
        ("minibatch", 1, "minibatch takes more than one row", "Use sgd."),
        ("minibatch", 1000, "minibatch takes more than one row", "Use bgd."),
        ("lbfgs", 32, "one and the same loss", "Leave batch_size out, or use adam."),
    ],
)
def test_a_contradiction_names_what_fits(name, given, rule, remedy):
    with pytest.raises(ConfigError) as caught:
        check_batch_size(OPTIMIZERS[name], given, 1000)
    assert rule in str(caught.value)
    assert f"Got {given}." in str(caught.value)
    assert str(caught.value).endswith(remedy)


@pytest.mark.parametrize("given", [0, -1, 2.5, True, "32"])
@pytest.mark.parametrize("name", ["adam", "sgd", "bgd"])
def test_what_is_no_count_is_refused(name, given):
    with pytest.raises(ConfigError, match="whole number"):
        check_batch_size(OPTIMIZERS[name], given, 100)


@pytest.mark.parametrize("rows", [1, 2, 15, 16, 17, 100, 2047, 2048, 10_000, 1_000_000])
def test_the_default_is_a_power_of_two_and_at_most_all_rows(rows):
    size = default_batch_size(rows)
    assert 1 <= size <= min(rows, 256)
    assert size == rows or size & (size - 1) == 0


def test_lbfgs_says_what_it_refuses_and_why():
    refused = OPTIMIZERS["lbfgs"].refuses_combinations
    assert {"batch_size", "dropout", "clip_norm", "clip_value", "accumulate"} <= set(refused)
    assert "noise" in refused["dropout"]
    assert OPTIMIZERS["lbfgs"].needs_closure
