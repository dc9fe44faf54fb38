"""Ways to a `Config`: a file, a text, a mapping, keywords, with overrides on top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from wellfit.config.checking import checked, sections_of
from wellfit.config.document import Document
from wellfit.config.model import Config
from wellfit.config.paths import split_path
from wellfit.config.problems import Path, one_line
from wellfit.config.reading import LARGEST, decoded, read_value, read_yaml
from wellfit.config.recipes import given_settings
from wellfit.config.sections import Section
from wellfit.errors import ConfigError, did_you_mean

__all__ = [
    "LoadedConfig",
    "apply_overrides",
    "from_keywords",
    "from_mapping",
    "load_config",
    "parse_config",
    "split_path",
    "with_values",
]


@dataclass(frozen=True, kw_only=True)
class LoadedConfig:
    """A config, and the document it was read from, to lay further settings over."""

    config: Config
    document: Document
    name: str
    """What errors call it: the path as it was given."""


def load_config(path: str | FilePath, overrides: Sequence[str] = ()) -> LoadedConfig:
    """Read a config file and lay overrides over it.

    Args:
        path: a YAML file, UTF-8, of at most 1 MiB.
        overrides: settings as ``-o`` takes them, ``train.epochs=3``.

    Raises:
        ConfigError: the first thing wrong, with file, line, rule, what was given and what to do.
    """
    name = one_line(str(path))
    try:
        with open(path, "rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise ConfigError(f"A config must be a file that can be read: {reason}.", got=name, do="Check -c.") from None
    return parse_config(decoded(raw, name), name, overrides)


def parse_config(text: str, name: str = "config", overrides: Sequence[str] = ()) -> LoadedConfig:
    """Read a config from its YAML text; ``name`` is what errors call it. Like `load_config` otherwise.

    >>> parse_config("train: {epochs: 3}").config.train.epochs
    3
    """
    document = apply_overrides(read_yaml(text, name), overrides)
    return LoadedConfig(config=checked(document), document=document, name=name)


def from_mapping(mapping: Mapping[str, Any], overrides: Sequence[str] = ()) -> Config:
    """Check a mapping of sections, or a `Document`.

    >>> from_mapping({"train": {"epochs": 3}}).train.epochs
    3

    Raises:
        ConfigError: the first thing wrong.
    """
    return checked(apply_overrides(mapping, overrides))


def apply_overrides(mapping: Mapping[str, Any], overrides: Sequence[str]) -> Document:
    """Lay settings of the form ``dotted.key=value`` over a mapping or a `Document`.

    The value is read as YAML. A key that has a dot is quoted: ``features.columns."a.b".type=drop``. Where a name
    stands, its options can be set: over ``optimizer: adam``, ``train.optimizer.lr=0.1`` gives both.

    >>> apply_overrides({"train": {"epochs": 5}}, ["train.epochs=3"])["train"]
    {'epochs': 3}

    Raises:
        ConfigError: for an override of another form.
    """
    document = _document(mapping)
    for override in overrides:
        where = one_line(f"option -o {override}", 120)
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{where}: an override is dotted.key=value.", do="Try -o train.epochs=3.")
        value = read_value(text, where)
        document = document.with_value(split_path(key.strip(), where), value, where)
    return document


def _document(mapping: Mapping[str, Any]) -> Document:
    if isinstance(mapping, Document):
        return mapping
    if not isinstance(mapping, Mapping):
        raise ConfigError("A config is a mapping of sections.", got=mapping, do='Try {"train": {"epochs": 3}}.')
    return Document(_plain_keys(mapping))


def _plain_keys(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    """Give mappings as dictionaries with text for keys; of a section, what was set in it."""
    return {str(key): _plain(item) for key, item in mapping.items()}


def _plain(item: Any) -> Any:
    if isinstance(item, Section):
        item = {name: getattr(item, name) for name in item.model_fields_set}
    return _plain_keys(item) if isinstance(item, Mapping) else item


def with_values(config: Config, values: Mapping[str, Any]) -> Config:
    """Give a config with some settings changed, by dotted key, and checked anew.

    >>> from wellfit.config import Config
    >>> with_values(Config(), {"train.optimizer.lr": 0.001}).train.optimizer["lr"]
    0.001
    """
    document = Document(given_settings(config))
    for key, value in values.items():
        document = document.with_value(split_path(key), value)
    return checked(document)


_FIRST_CHOICE = {
    "seed": ("train", "seed"),
    "lr": ("train", "optimizer", "lr"),
    "valid": ("split", "valid"),
    "time": ("train", "time"),
    "workers": ("train", "workers"),
}


def from_keywords(**keywords: Any) -> Document:
    """Turn Python's keywords into a document for `from_mapping`.

    A section's name takes a mapping (``train={"epochs": 3}``; ``model="mlp"`` too). Any other key goes to the one
    section that has it: ``epochs=3``, ``target="y"``, ``time="30s"``. ``seed`` is ``train.seed``, as ``--seed`` is on
    the command line (``split.seed`` stays), ``lr`` is ``train.optimizer.lr``, ``valid`` is ``split.valid``. Other keys
    that stand in two sections (``test``) are a `ConfigError`: name the section. A bare key wins over the same key in a
    mapping.

    >>> from_keywords(epochs=3, seed=1, split={"test": 0.1}).value
    {'split': {'test': 0.1}, 'train': {'epochs': 3, 'seed': 1}}
    """
    sections = {name: value for name, value in keywords.items() if name in Config.model_fields}
    document = _document(sections)
    # A name goes before its options: optimizer="adam", lr=0.1 in any order.
    paths = {name: _home(name, value) for name, value in keywords.items() if name not in sections}
    for name, path in sorted(paths.items(), key=lambda item: len(item[1])):
        document = document.with_value(path, keywords[name], f"keyword {name}")
    return document


def _home(name: str, value: object) -> Path:
    if name in _FIRST_CHOICE:
        return _FIRST_CHOICE[name]
    homes = list(_sections_with(name))
    if len(homes) == 1:
        return (homes[0], name)
    if not homes:
        known = [key for path, keys in sections_of().items() if "." not in path for key in keys]
        raise ConfigError(f"There is no setting '{name}'.", got=value, do=did_you_mean(name, [*known, *_FIRST_CHOICE]))
    do = f"Write {' or '.join(f'{home}={{{name!r}: ...}}' for home in homes)}."
    raise ConfigError(f"'{name}' stands in {' and in '.join(homes)}: name the section.", got=value, do=do)


def _sections_with(name: str) -> Iterator[str]:
    yield from (path for path, keys in sections_of().items() if path and "." not in path and name in keys)
