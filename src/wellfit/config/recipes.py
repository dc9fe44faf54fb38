"""What an architecture wants of features and training, laid under what a person said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from wellfit.config.checking import checked
from wellfit.config.document import Document
from wellfit.config.families import family
from wellfit.config.model import Config
from wellfit.config.paths import split_path
from wellfit.config.problems import Path
from wellfit.config.rules import Options

__all__ = ["given_settings", "with_recipe"]


def given_settings(config: Config) -> dict[str, Any]:
    """Give what a person, or an earlier change, set in a config, as plain values; defaults are left out.

    >>> from wellfit.config import from_mapping
    >>> given_settings(from_mapping({"model": "mlp", "train": {"optimizer": {"name": "adam"}}}))
    {'model': {'type': 'mlp'}, 'train': {'optimizer': {'name': 'adam'}}}
    """
    given: dict[str, Any] = _given(config)
    return given


def _given(value: Any) -> Any:
    if isinstance(value, BaseModel):
        names = [name for name in type(value).model_fields if name in value.model_fields_set]
        return {name: _given(getattr(value, name)) for name in names}
    if isinstance(value, Options) and value.given is not None:
        return {key: _given(item) for key, item in value.items() if key in value.given}
    if isinstance(value, Mapping):
        return {key: _given(item) for key, item in value.items()}
    return [_given(item) for item in value] if isinstance(value, (list, tuple)) else value


def with_recipe(config: Config, *, task: str, rows: int) -> Config:
    """Give a config whose keys that were left out, or to ``auto``, are as its architecture wants them.

    Of a member with options, such as the optimizer, the options that were left out are filled where its name is the one
    that is wanted. What is wanted and can't stand beside what was given gives way.

    Args:
        config: as it was given.
        task: ``binary``, ``multiclass`` or ``regression``.
        rows: training rows.

    >>> from wellfit.config import from_mapping
    >>> config = from_mapping({"model": "realmlp", "train": {"epochs": 9}})
    >>> train = with_recipe(config, task="regression", rows=1000).train
    >>> train.optimizer["lr"], train.epochs
    (0.2, 9)
    """
    from wellfit.models import Occasion

    occasion = Occasion(task=task, rows=rows, metric=config.train.metric)
    document = Document(given_settings(config))
    filled: set[Path] = set()
    for key, wanted in family("models")[config.model["type"]].recipe(occasion).items():
        path = split_path(key)
        value = _filled(_at(document, path), wanted)
        if value is not _KEPT:
            document = document.with_value(path, value)
            filled.add(path)
    if ("train", "batch_size") in filled and _says_its_rows(document):
        document = document.with_value(("train", "batch_size"), "auto")
    return checked(document, yielding=filled) if filled else config


def _says_its_rows(document: Document) -> bool:
    """Whether the optimizer's own name says how many rows an update takes."""
    given = _at(document, ("train", "optimizer"))
    name = given.get("name") if isinstance(given, Mapping) else given
    return isinstance(name, str) and bool(family("optimizers")[name].batch_rule != "any")


_ABSENT, _KEPT = object(), object()


def _at(document: Document, path: Path) -> Any:
    value: Any = document
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return _ABSENT
        value = value[str(key)]
    return value


def _filled(held: Any, wanted: Any) -> Any:
    """Give the value that a key gets, or ``_KEPT`` where a person's own stays."""
    if held is _ABSENT or held == "auto":
        return wanted
    if not isinstance(held, Mapping) or not isinstance(wanted, Mapping):
        return _KEPT
    own = {key: value for key, value in held.items() if value != "auto"}
    return {**wanted, **own} if own.get("name", wanted.get("name")) == wanted.get("name") else _KEPT
