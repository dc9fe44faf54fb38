"""Strict YAML in: scalars, lines, one error for anything; overrides on top."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wellfit import config as wc
from wellfit.config.document import Document
from wellfit.config.reading import LARGEST, read_yaml
from wellfit.errors import ConfigError


def refusal(text, overrides=()):
    with pytest.raises(ConfigError) as caught:
        wc.parse_config(text, "run.yaml", overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.__cause__ is None
    return message


def test_scalars_are_those_of_yaml_1_2():
    text = "a: [yes, off, 1e-3, 0o17, 0x1F, 012, 1_000, ~, TRUE, '1', 12:30:45, 2001-01-01, .5, -.inf, =, <<]"
    assert read_yaml(text, "x")["a"] == [
        *("yes", "off", 1e-3, 15, 31, 12, "1_000", None, True, "1", "12:30:45", "2001-01-01", 0.5, float("-inf")),
        *("=", "<<"),
    ]


def test_keys_are_text_as_it_is_written():
    assert list(read_yaml("{1: a, true: b, ~: c, 1.50: d, 'x y': e}", "x")) == ["1", "true", "~", "1.50", "x y"]


def test_an_anchor_is_read_and_its_copies_are_counted():
    assert read_yaml("a: &x {k: 1}\nb: *x", "x")["b"] == {"k": 1}
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    assert "at most 100000 values" in refusal(bomb)


WRONG = {
    "train:\n  epohcs: 3": "line 2: 'epohcs' is not a key of train. Did you mean 'epochs'?",
    "# x\nepochs: 3": "line 2: 'epochs' is not a section of a config. It belongs under train.",
    "split:\n  target: y": "line 2: 'target' is not a key of split. It belongs under data.",
    "train:\n  lr: 3": "line 2: 'lr' is not a key of train. It belongs under train.optimizer.",
    "train:\n  hidden: [8]": "line 2: 'hidden' is not a key of train. It belongs under model.",
    "train:\n  Epochs: 3": "Did you mean 'epochs'?",
    "cluster: {size: 3}": "line 1: 'cluster' is not a section of a config.",
    "train:\n  augment: {nose: 1}": "line 2: 'nose' is not a key of train.augment. Did you mean 'noise'?",
    "features:\n  columns:\n    zip: {typ: drop}": "line 3: 'typ' is not a key of features.columns.zip.",
    "features:\n  columns:\n    zip: {}": "line 3: A column of features.columns needs 'type' or 'encode'.",
    "features:\n  columns: {zip: {type: categorical}}": "Got 'categorical'. Did you mean 'category'?",
    "train:\n\n  epochs: many": "line 3: 'epochs' of train must be a whole number in [1, 1000000000]. Got 'many'.",
    "train: {epochs: 0}": "Got 0. Try 100.",
    "train: {epochs: 2.0}": "Got 2.0.",
    "train: {epochs: null}": "Got null.",
    "train: {epochs: true}": "Got true.",
    "train: 5": "line 1: 'train' must be a mapping of keys. Got 5.",
    "train: {early_stopping: 3}": "Got 3. Try early_stopping: {patience: 10}.",
    "train: {batch_size: autp}": "Did you mean 'auto'?",
    "train: {ema: 1}": "'ema' of train must be null or a number in (0, 1). Got 1. Try 0.999.",
    "train: {clip_norm: .inf}": "'clip_norm' of train must be null or a number in (0, inf). Got inf.",
    "train: {time: 2x}": "such as 90s, 2m, 1h30m",
    "train: {device: gpu}": "Did you mean 'cuda'?",
    "train: {class_weight: {no: 0}}": "The weight of class 'no' must be a number in (0, inf). Got 0.",
    "train:\n  optimizer:\n    name: adam\n    lr: -1": "line 4: 'lr' of adam must be a number in (0, inf). Got -1.",
    "train: {optimizer: adm}": "There is no such optimizer. Got 'adm'. Did you mean 'adam'?",
    "train: {optimizer: {name: adam, bta1: 1}}": "'bta1' is not an option of adam. Did you mean 'beta1'?",
    "train: {metric: acc}": "Did you mean",
    "model:\n  type: mlp\n  dropout: 1.5": "line 3: 'dropout' of mlp must be a number in [0, 1). Got 1.5. Try 0.1.",
    "model: {type: mpl}": "There is no such model. Got 'mpl'. Did you mean 'mlp'?",
    "version: 2": "'version' must be 1",
    "data: {header: yes}": "'header' of data must be auto or true or false. Got 'yes'.",
    "train:\n  epochs: 3\n  seed: 1\n  epochs: 4": "line 4: 'epochs' of train is given twice, first in line 2.",
    "train: !!python/object/apply:os.system [ls]": "line 1: A config takes no tags.",
    "data: {target: !!str 3}": "A config takes no tags.",
    "train:\n\tepochs: 3": "line 2: YAML is indented with spaces. Got a tab.",
    "train: {epochs: 3": "line 1: This is no YAML",
    "train:\n  a: b: c": "line 2: This is no YAML: mapping values are not allowed here. Got 'a: b: c'.",
    "train: {}\n---\ntrain: {}": "line 2: A config is one YAML document.",
    "- 1": "A config is a mapping of sections. Got [1].",
    "": "A config is a mapping of sections. Got nothing.",
    "# only a remark": "Got nothing.",
    "train: *x": "There is no anchor 'x' above.",
    "a: &a [*a]": "There is no anchor 'a' above.",
    "? [a]\n: 1": "A key is a word.",
    "a: \0": "A config is text without control characters. Got character U+0000.",
    "[" * 100_000: "at most 20 levels deep",
    '"\\UFFFFFFFF": 1': "This is no YAML",
    'data: {source: "a\\0b"}': "without NUL",
    'train: {"\\e[31m\\n": 1}': r"'\x1b[31m\n' is not a key of train.",
    "train: {" + "k" * 5000 + ": 1}": "kkk...",
    "train: {seed: " + "9" * 5000 + "}": "'seed' of train must be a whole number",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=[text[:40] for text in WRONG])
def test_one_sentence_for_what_is_wrong(text, said):
    message = refusal(text)
    assert said in message
    assert message.startswith("run.yaml, line ")


@pytest.mark.parametrize("order", [0, 1])
def test_the_first_thing_wrong_in_the_file_is_told(order):
    parts = ["split:\n  test: 2\n", "train:\n  optimizer: {name: adam, lr: 0}\n"]
    message = refusal("".join(parts if order == 0 else reversed(parts)))
    assert "line 2" in message
    assert ("'test' of split", "'lr' of adam")[order] in message


def test_a_duplicate_and_a_wrong_value_come_in_the_order_of_the_file():
    assert "'epochs' of train must" in refusal("train: {epochs: x}\nsplit: {test: 0.1, test: 0.2}")
    assert "given twice" in refusal("split: {test: 0.1, test: 0.2}\ntrain: {epochs: x}")


def test_an_empty_section_has_its_defaults():
    assert wc.parse_config("train:\ndata: {source: a.csv}").config.train == wc.Config().train


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("train: {}".encode("utf-16"), "UTF-16"),
        (b"train: {}\n# \xe9", "line 2: a config is UTF-8 text. Got byte 0xe9"),
        (b" " * (LARGEST + 1), "at most 1 MiB"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, raw, said):
    path = tmp_path / "run.yaml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        wc.load_config(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_is_read_with_its_mark_and_line_ends(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_bytes(b"\xef\xbb\xbftrain:\r\n  epochs: 3\r\n")
    assert wc.load_config(path).config.train.epochs == 3


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a\0b"])
def test_a_path_that_is_no_file_is_one_sentence(tmp_path, name):
    with pytest.raises(ConfigError, match="A config must be a file that can be read"):
        wc.load_config(f"{tmp_path}/{name}")


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("train.epochs=3", ("train", "epochs", 3)),
        ("train.optimizer.lr=1e-2", ("train", "optimizer", {"name": "adam", "lr": 0.01})),
        ("data.source=sql:postgresql://db/x?table=loans", ("data", "source", "sql:postgresql://db/x?table=loans")),
        ("train.early_stopping.patience=3", ("train", "early_stopping", {"patience": 3})),
        ("model.hidden=[8, 8]", ("model", "hidden", [8, 8])),
        ("train.ema=", ("train", "ema", None)),
        ('features.columns."a.b".type=drop', ("features", "columns", {"a.b": {"type": "drop"}})),
    ],
)
def test_overrides_are_laid_over_the_file(override, value):
    section, key, expected = value
    document = wc.apply_overrides({"train": {"optimizer": "adam", "early_stopping": None}}, [override])
    assert document[section][key] == expected
    wc.from_mapping(document)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.epohcs=3", "option -o train.epohcs=3: 'epohcs' is not a key of train. Did you mean 'epochs'?"),
        ("epochs=3", "option -o epochs=3: 'epochs' is not a section of a config. It belongs under train."),
        ("train.epochs", "option -o train.epochs: an override is dotted.key=value."),
        ("train..epochs=3", "a key is words with dots between them"),
        ("train.epochs.x=3", "'train.epochs' has no keys of its own. Got 5."),
        ("train.optimizer.lr=-3", "option -o train.optimizer.lr=-3: 'lr' of adam must be"),
        ("train.time=[1", "option -o train.time=[1: This is no YAML"),
        ("train.time=!!int 3", "A config takes no tags"),
        ("=3", "an override is dotted.key=value"),
    ],
)
def test_a_wrong_override_names_itself(override, said):
    assert said in refusal("train: {epochs: 5, optimizer: adam}", [override])


def test_an_override_mends_what_is_wrong_in_the_file():
    assert wc.parse_config("train: {epochs: x}", overrides=["train.epochs=3"]).config.train.epochs == 3


def test_an_option_that_is_laid_over_a_document_is_named():
    document = wc.parse_config("train: {epochs: 3}").document.with_value(("train", "seed"), -1, "option --seed")
    with pytest.raises(ConfigError, match=r"^option --seed: 'seed' of train must be"):
        wc.from_mapping(document)


def outcome(make):
    """Give the one error's message, or None for a config, which is read back the same."""
    try:
        config = make()
    except ConfigError as error:
        message = str(error)
    else:
        assert wc.parse_config(wc.to_yaml(config)).config == config
        return None
    assert "\n" not in message
    return message


FRAGMENTS = [
    *(
        "train:",
        "data:",
        "split:",
        "model:",
        "features:",
        "  ",
        "\n",
        "\n  ",
        "epochs: ",
        "optimizer: ",
        "{",
        "}",
        "[",
        "]",
    ),
    *(
        "name: ",
        "adam",
        "lr: ",
        "1e-3",
        "0",
        "-1",
        "null",
        "auto",
        ", ",
        ": ",
        "'",
        '"',
        "&a ",
        "*a",
        "!!str ",
        "---\n",
        "|",
    ),
    *(
        "columns: ",
        "type: ",
        "category",
        "\t",
        "\\",
        "%",
        "#",
        "?",
        "- ",
        "<<: ",
        "\u2028",
        "é",
        "\x85",
        "test: ",
        "valid: ",
    ),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join) | st.text(max_size=200))
@example("train: {optimizer: {name: [adam]}}")
@example("train: {optimizer: {1: {2: 3}}}")
@example("features: {columns: {a: &x {type: *x}}}")
@example("train: {loss: {name: null}}")
@example("? |\n  a\n: 1")
def test_any_text_gives_a_config_or_one_error(text):
    message = outcome(lambda: wc.parse_config(text, "run.yaml").config)
    assert message is None or message.startswith("run.yaml")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
PATHS = [
    (section, key)
    for section, field in wc.Config.model_fields.items()
    for key in getattr(field.annotation, "model_fields", {"type": 0, "hidden": 0, "dropout": 0})
]


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), ANY, max_size=3))
def test_any_value_from_python_gives_a_config_or_one_error(values):
    document = Document()
    for path, value in values.items():
        document = document.with_value(path, value)
    outcome(lambda: wc.from_mapping(document))
