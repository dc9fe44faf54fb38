"""Exact YAML out: what is written is read back the same, by this reader and by others."""

from __future__ import annotations

import struct

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit import config as wc

FLOATS = st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30).filter(
    str.strip
)
KINDS = st.sampled_from(["number", "category", "datetime", "drop"]).map(lambda kind: {"type": kind})


@st.composite
def mappings(draw):
    """Valid configs with hostile names and floats of every size."""
    return {
        "data": {
            "source": draw(NAMES),
            "target": draw(NAMES | st.integers()),
            "header": draw(st.sampled_from([True, "auto"])),
        },
        "split": {
            "test": draw(st.floats(0, 0.5)),
            "valid": draw(st.floats(0.001, 0.49)),
            "seed": draw(st.integers(0, 2**32 - 1)),
        },
        "features": {"columns": draw(st.dictionaries(st.text(max_size=3) | NAMES, KINDS, max_size=4))},
        "model": {"hidden": draw(st.lists(st.integers(1, 65536), max_size=4))},
        "train": {
            "optimizer": {"name": "adam", "lr": draw(FLOATS | st.just("auto"))},
            "l1": draw(FLOATS),
            "clip_norm": draw(FLOATS | st.none()),
            "class_weight": draw(st.dictionaries(NAMES, FLOATS, min_size=1, max_size=3) | st.just("auto")),
            "augment": draw(st.just("none") | FLOATS.map(lambda noise: {"noise": noise})),
            "early_stopping": draw(st.none() | st.integers(1, 99).map(lambda epochs: {"patience": epochs})),
            "time": draw(st.none() | st.integers(1, 99).map(lambda minutes: f"{minutes}m")),
        },
    }


def bits(config):
    train = config.train
    return [
        struct.pack("<d", value) for value in (train.l1, train.clip_norm or 0.0, config.split.test, config.split.valid)
    ]


@settings(max_examples=200, deadline=None)
@given(mappings())
def test_a_config_is_read_back_bit_for_bit(mapping):
    config = wc.from_mapping(mapping)
    text = wc.to_yaml(config)
    again = wc.parse_config(text).config
    assert again == config
    assert bits(again) == bits(config)
    assert wc.to_yaml(again) == text


@settings(max_examples=100, deadline=None)
@given(mappings())
def test_a_yaml_1_1_reader_reads_the_same_values(mapping):
    config = wc.from_mapping(mapping)
    assert yaml.safe_load(wc.to_yaml(config)) == wc.as_mapping(config)


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "off", "1e-3", "1e5", "0o7", "0x1F", "1_000", "null", "~", "true", "12:30", ".inf"]
)
def test_words_that_look_like_something_else_stay_text(word):
    config = wc.from_mapping({"data": {"source": word, "target": word}})
    text = wc.to_yaml(config)
    assert wc.parse_config(text).config.data.target == word
    assert yaml.safe_load(text)["data"]["target"] == word


def test_every_key_is_written_in_order():
    written = yaml.safe_load(wc.to_yaml(wc.from_mapping({})))
    assert list(written) == list(wc.Config.model_fields)
    assert list(written["train"]) == list(wc.Train.model_fields)


@pytest.mark.parametrize(
    "source", ["data.csv", "my data: x.csv", "a#b.csv", "sql:postgresql://db/x?table=loans", "C:\\x.csv", "é\n,.csv"]
)
@pytest.mark.parametrize("target", ["y", -1, "a, b", "1", "yes", "{x}"])
def test_the_first_yaml_loads_and_says_what_was_asked(source, target):
    text = wc.starter_yaml(source, target, "binary", ["a, b", "y", "x: y"])
    config = wc.parse_config(text).config
    assert (config.data.source, config.data.target, config.data.task) == (source, target, "binary")
    assert len(text.splitlines()) <= 42


def test_the_example_in_the_first_yaml_holds_without_its_marks():
    text = wc.starter_yaml("data.csv", "y", columns=["y", "a: {b}"])
    opened = "".join(
        line.removeprefix("# ") if line[2:3] in ("f", "c", " ") else line for line in text.splitlines(keepends=True)
    )
    assert wc.parse_config(opened).config.features.columns["a: {b}"].type == "category"
