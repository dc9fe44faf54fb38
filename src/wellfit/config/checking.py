"""A document to a `Config`, or the first thing wrong with it as one `ConfigError`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeGuard

from pydantic import ValidationError

from wellfit.config.combinations import clashes
from wellfit.config.document import Document
from wellfit.config.families import family
from wellfit.config.features import Column, Polynomials, Ratios
from wellfit.config.model import Config
from wellfit.config.problems import Path, Problem, Unfit, dotted, given, key_name
from wellfit.config.sections import Section
from wellfit.config.train import EarlyStopping
from wellfit.errors import ConfigError, did_you_mean, shown

__all__ = ["checked", "sections_of"]


def checked(document: Document, yielding: Collection[Path] = ()) -> Config:
    """Check a document; of several things wrong the first in the order of the file is raised.

    A default that another setting rules out gives way to it: clipping to an optimizer that refuses it. So does what
    stands at a path that is ``yielding``.
    """
    config = _validated(document)
    found = sorted(clashes(config), key=lambda clash: document.origin(clash.path))
    if not found:
        return config
    for clash in found:
        if clash.path not in yielding and _is_given(document, clash.path):
            raise document.origin(clash.path).error(clash.rule, got=clash.got, do=clash.do)
    for clash in found:
        document = document.with_value(clash.path, clash.neutral)
    return _validated(document)


def _is_given(document: Document, path: Path) -> bool:
    value: Any = document
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[str(key)]
    return bool(value != "auto")


def _validated(document: Document) -> Config:
    sections = {name: its for name, its in document.items() if its is not None or name not in _SECTIONS}
    try:
        config = Config.model_validate(sections)
    except ValidationError as error:
        problems = [_problem(item) for item in _telling(error)]
        problem = min(problems, key=lambda item: document.origin(item.path))
        origin = document.origin(problem.path)
        if document.fault is None or origin < document.fault[0]:
            raise origin.error(problem.rule, got=problem.got, do=problem.do) from None
    if document.fault:
        raise document.fault[1]
    return config


_SECTIONS = [name for name in Config.model_fields if name != "version"]


def _telling(error: ValidationError) -> list[Any]:
    """Give pydantic's findings, without a key that is missing where a wrong one stands in its place."""
    items = error.errors(include_url=False)
    misspelt = {item["loc"][:-1] for item in items if item["type"] == "extra_forbidden"}
    return [item for item in items if item["type"] != "missing" or item["loc"][:-1] not in misspelt]


def _problem(item: Mapping[str, Any]) -> Problem:
    """Turn one of pydantic's findings into the words of this package."""
    path: Path = tuple(item["loc"])
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, Unfit):
        return Problem(f"{key_name(path)} must be {cause.needs}.", got=cause.got, do=cause.do, path=path)
    if isinstance(cause, Problem):
        return Problem(cause.rule, got=cause.got, do=cause.do, path=(*path, *cause.path))
    if isinstance(cause, ConfigError):
        return Problem.of(cause, path)
    if item["type"] == "extra_forbidden":
        return _unknown(path)
    if item["type"] == "missing":
        return Problem(f"{key_name(path)} is missing.", do=f"Add {path[-1]}.", path=path)
    return Problem(f"{key_name(path)} must be a mapping of keys.", got=given(item["input"]), do=_keys(path), path=path)


def _keys(path: Path) -> str:
    example = {"early_stopping": "{patience: 10}", "augment": "{noise: 0.1}"}.get(str(path[-1]))
    if example:
        return f"Try {path[-1]}: {example}."
    known = sections_of().get(str(path[-1]), ())
    return f"Its keys: {', '.join(known)}." if known else ""


def _unknown(path: Path) -> Problem:
    """Say that a key is not there, where it belongs, or which is near."""
    key, owner = str(path[-1]), path[:-1]
    known = sections_of()
    here = tuple(Column.model_fields) if owner[:2] == ("features", "columns") else known.get(dotted(owner), ())
    rule = f"{shown(key)} is not a key of {dotted(owner)}." if owner else f"{shown(key)} is not a section of a config."
    homes = [home for home in _homes(key, known) if home != dotted(owner)]
    if homes and key not in here:
        return Problem(rule, do=f"It belongs under {' or '.join(homes)}.", path=path)
    return Problem(rule, do=did_you_mean(key, here), path=path)


def _homes(key: str, known: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Name the sections that have a key."""
    yield from (home for home, keys in known.items() if home and key in keys)
    for home, members in (("model", "models"), ("train.optimizer", "optimizers")):
        options = {option.name for entry in family(members).values() for option in entry.options}
        if key in options and not any(key in keys for keys in known.values()):
            yield home


def sections_of() -> dict[str, tuple[str, ...]]:
    """Give the keys of each section by its dotted path; those of the whole config under the empty one."""
    sections = {"": Config, **{name: field.annotation for name, field in Config.model_fields.items()}}
    sections |= {"train.early_stopping": EarlyStopping}
    sections |= {"features.ratios": Ratios, "features.polynomials": Polynomials}
    return {path: tuple(kind.model_fields) for path, kind in sections.items() if _is_section(kind)}


def _is_section(kind: Any) -> TypeGuard[type[Section]]:
    return isinstance(kind, type) and issubclass(kind, Section)
