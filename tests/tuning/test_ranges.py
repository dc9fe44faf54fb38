"""The grammar of ranges: read in a file, inside braces and as an option; what is none is refused in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from wellfit.config import from_mapping, parse_config, parse_range, to_yaml
from wellfit.config.problems import Unfit
from wellfit.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "kind", "ends"),
    [
        ("log(1e-4, 1e-2)", "log", (1e-4, 1e-2)),
        ("uniform( -1 ,2.5 )", "uniform", (-1, 2.5)),
        ("int(1,8)", "int", (1, 8)),
        ([64, 128], "list", (64, 128)),
        ([[64], [64, 64]], "list", ([64], [64, 64])),
        ([True, False], "list", (True, False)),
    ],
)
def test_a_range_is_read(text: Any, kind: str, ends: tuple[Any, ...]) -> None:
    read = parse_range(text)
    assert (read.kind, read.ends) == (kind, ends)
    assert parse_range(read.as_setting()) == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("log(2, 1)", "reversed"),
        ("log(1, 1)", "empty"),
        ("log(0, 1)", "above 0"),
        ("int(1, 2.5)", "whole numbers"),
        ("int(1, true)", "two numbers"),
        ("uniform(0, .inf)", "finite"),
        ("uniform(0)", "two numbers"),
        ("__import__('os')", "a list of values"),
        ("log(1, 2) + 1", "a list of values"),
        ([1], "two or more"),
        ([1, 1], "two or more"),
        ([], "two or more"),
        (3, "a list of values"),
        (None, "a list of values"),
    ],
)
def test_what_is_no_range_is_refused(text: Any, said: str) -> None:
    with pytest.raises(Unfit) as caught:
        parse_range(text)
    assert said in caught.value.needs


FLOW = (
    "tune: {trials: 5, search: {train.l2: log(1e-5, 1e-2), train.l1: log(1e-6, 1e-2), model.dropout: uniform(0, 0.5)}}"
)


def test_commas_inside_braces_belong_to_the_range() -> None:
    search = parse_config(FLOW).config.tune.search
    assert dict(search) == {
        "train.l2": "log(1e-05, 0.01)",
        "train.l1": "log(1e-06, 0.01)",
        "model.dropout": "uniform(0, 0.5)",
    }


def test_a_range_that_is_not_closed_is_an_error_of_its_own() -> None:
    with pytest.raises(ConfigError, match=r"The range of 'train\.l2' must be"):
        parse_config("tune: {search: {train.l2: log(1e-5, train.l1: log(1e-6, 1e-2)}}")


def test_a_config_with_ranges_is_written_and_read_back() -> None:
    config = parse_config(FLOW).config
    assert parse_config(to_yaml(config)).config == config


def test_options_and_nested_mappings_name_the_same_keys() -> None:
    option = from_mapping({}, ["tune.search.train.optimizer.lr=log(1e-4, 1e-2)"])
    nested = from_mapping({"tune": {"search": {"train": {"optimizer": {"lr": "log(1e-4, 1e-2)"}}}}})
    whole = from_mapping({"tune": {"search": {"train.optimizer.lr": "log(1e-4, 1e-2)"}}})
    assert dict(option.tune.search) == dict(nested.tune.search) == dict(whole.tune.search)


def test_the_line_of_a_wrong_range_is_named() -> None:
    text = "tune:\n  search:\n    train.l2: log(1, 1e-3)\n"
    with pytest.raises(ConfigError, match=r"run.yaml, line 3: The range of 'train.l2' must be .*reversed.*Got 'log"):
        parse_config(text, "run.yaml")
