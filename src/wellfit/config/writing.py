"""A `Config` to YAML that gives the same one back, and the first YAML of a new project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from wellfit.config.model import Config, as_mapping
from wellfit.config.problems import Path, dotted
from wellfit.config.reading import scalar

__all__ = ["starter_yaml", "to_yaml", "unresolved"]


_MAP, _SEQ = "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"


class _Dumper(yaml.SafeDumper):
    """Writes what both this reader and a YAML 1.1 reader take for the same values."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write a value that stands twice in full."""
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        """Quote what the YAML 1.2 core schema would read as a number, and line breaks, which would be folded."""
        style = None if isinstance(scalar(data), str) and data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def represent_exactly(self, data: float) -> yaml.ScalarNode:
        """Write a float with its shortest digits that give the same bits, and a point for YAML 1.1."""
        text = repr(data)
        if "." not in text and "e" in text:
            text = text.replace("e", ".0e")
        return self.represent_scalar("tag:yaml.org,2002:float", text)


class _FlowMapping(dict[str, Any]):
    """A mapping that is written in braces."""


class _FlowList(list[Any]):
    """A list that is written in brackets."""


_Dumper.add_representer(_FlowMapping, lambda dumper, data: dumper.represent_mapping(_MAP, data, flow_style=True))
_Dumper.add_representer(_FlowList, lambda dumper, data: dumper.represent_sequence(_SEQ, data, flow_style=True))
_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(float, _Dumper.represent_exactly)


def to_yaml(config: Config) -> str:
    """Write a config: all keys in the order of the format; reading the text gives an equal config.

    Floats are written with the digits that give the same bits. Any YAML 1.1 or 1.2 reader reads the same values.
    """
    sections = {
        name: {key: _flow(value) for key, value in section.items()} if isinstance(section, dict) else section
        for name, section in as_mapping(config).items()
    }
    return _dumped(sections)


def _flow(value: Any) -> Any:
    if isinstance(value, dict):
        return _FlowMapping({key: _flow(item) for key, item in value.items()})
    return _FlowList(map(_flow, value)) if isinstance(value, list) else value


def _dumped(value: Any) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False
    )
    return text


_NAMES = {
    ("data", "source"),
    ("data", "target"),
    ("data", "test"),
    ("data", "valid"),
    ("split", "column"),
    ("output", "run"),
}
"""Keys that name things outside the config, where ``auto`` is a name like any other."""


def unresolved(config: Config) -> list[str]:
    """Give the dotted keys that are still ``auto``, in the order of the format.

    ``clean.missing`` is none of them: auto leaves it to the features, and stays; nor is what ``tune`` has, which no
    training reads.
    """
    return [dotted(path) for path, value in _leaves(as_mapping(config), ()) if value == "auto" and _is_open(path)]


def _is_open(path: Path) -> bool:
    return path not in _NAMES and path[0] not in ("clean", "tune")


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


_STARTER = """\
# A wellfit config: train with  wellfit train -c THIS_FILE
# Every key may be left out; "auto" is decided from the data. All keys: wellfit schema
version: 1

data:
  source: {source}
  target: {target}
  task: {task}  # auto, binary, multiclass or regression

split:
  method: auto  # auto, stratified, random, group, time, column or files; group and time go by column: NAME
  test: 0.2  # share of the rows for the final score
  valid: 0.16  # share of the rows that decide when to stop
  seed: 42

# clean:  # wellfit check shows what is found, and what each key would change
#   duplicates: drop  # drop or keep: training rows that equal an earlier one
#   missing: auto  # auto, mean, median, most_frequent, or a mapping
#   spellings: suggest  # suggest, merge or keep: variants of one category
#   types: correct  # correct or keep: numbers and dates written as text

{features}

model: auto  # an ensemble within train.time; or one network, such as {{type: mlp, hidden: [256, 256], dropout: 0.1}}

train:
  time: 2m  # the longest that a run may take
  seed: 0
# With one network under model:
#   optimizer: {{name: nadam, lr: auto}}  # wellfit list optimizers
#   batch_size: auto
#   epochs: 100
#   early_stopping: {{patience: 10}}  # epochs without progress until training stops
"""


def starter_yaml(source: str, target: str | int, task: str = "auto", columns: Sequence[str] = ()) -> str:
    """Give a short, commented config for a table: the keys that people change most. It loads as it is.

    Args:
        source: where the table is.
        target: the column to learn, a name or an index.
        task: auto, binary, multiclass or regression.
        columns: names of the table's columns, of which one other than the target serves as an example.
    """
    return _STARTER.format(
        source=_inline(source), target=_inline(target), task=task, features=_features(target, columns)
    )


def _features(target: str | int, columns: Sequence[str]) -> str:
    others = [name for name in columns if name != target]
    name = _inline(others[0]) if others else "zip"
    return f"""\
# features:
#   scale: auto  # auto, standard, minmax, robust, quantile or none
#   encode: auto  # auto, onehot, ordinal, embedding, frequency or target
#   derive: {{ratio: income / debt}}  # columns computed from others: + - * / **, comparisons, abs, log, sqrt
#   ratios: {{columns: [income, debt]}}  # numbers divided by one another
#   polynomials: {{degree: 2, columns: [income, debt]}}  # products of numbers
#   crosses: [[month, day]]  # columns whose values together are a category; auto: those that training rows speak for
#   select: {{name: k_best, k: 20}}  # wellfit list selectors
#   columns:
#     {name}: {{type: category}}  # number, category, datetime, text or drop; encode: target"""


def _inline(value: str | int) -> str:
    """Write a scalar on one line, as flow style takes it."""
    text: str = yaml.dump(_FlowList([value]), Dumper=_Dumper, allow_unicode=True, width=10**9)
    return text.strip()[1:-1]
