"""A document to a `Config`, or the first thing wrong with it as one `ConfigError`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from wellfit.config.document import Document
from wellfit.config.families import family
from wellfit.config.model import Config
from wellfit.config.problems import Path, Problem, Unfit, dotted, key_name
from wellfit.config.train import Train
from wellfit.errors import ConfigError, did_you_mean, shown

__all__ = ["checked", "sections_of"]


def checked(document: Document) -> Config:
    """Check a document; of several things wrong the first in the order of the file is raised."""
    given = {name: section for name, section in document.items() if section is not None or name not in _SECTIONS}
    try:
        config = Config.model_validate(given)
    except ValidationError as error:
        problems = [_problem(item) for item in error.errors(include_url=False)]
        problem = min(problems, key=lambda item: document.origin(item.path))
        origin = document.origin(problem.path)
        if document.fault is None or origin < document.fault[0]:
            raise origin.error(problem.rule, got=problem.got, do=problem.do) from None
    if document.fault:
        raise document.fault[1]
    return config


_SECTIONS = [name for name in Config.model_fields if name != "version"]


def _problem(item: Mapping[str, Any]) -> Problem:
    """Turn one of pydantic's findings into the words of this package."""
    path: Path = tuple(item["loc"])
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, Unfit):
        return Problem(f"{key_name(path)} must be {cause.needs}.", got=_given(cause.got), do=cause.do, path=path)
    if isinstance(cause, Problem):
        return Problem(cause.rule, got=_given(cause.got), do=cause.do, path=(*path, *cause.path))
    if isinstance(cause, ConfigError):
        return Problem.of(cause, path)
    if item["type"] == "extra_forbidden":
        return _unknown(path)
    if item["type"] == "missing":
        return Problem(f"{key_name(path)} is missing.", do=f"Add {path[-1]}.", path=path)
    return Problem(f"{key_name(path)} must be a mapping of keys.", got=_given(item["input"]), do=_keys(path), path=path)


def _given(value: Any) -> Any:
    """Give a value as an error shows it; null by its name, since None would not be shown."""
    if isinstance(value, Mapping):
        value = dict(value)
    return _Word("null") if value is None else value


class _Word(str):
    """Text that is shown without quotes."""

    def __repr__(self) -> str:
        return str(self)


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
    here = known.get(dotted(owner), ())
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
    sections = {"": tuple(Config.model_fields)}
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            sections[name] = tuple(field.annotation.model_fields)
    for name in ("early_stopping", "augment"):
        sections[f"train.{name}"] = _inner(name)
    return sections


def _inner(name: str) -> tuple[str, ...]:
    from typing import get_args

    models = [kind for kind in get_args(Train.model_fields[name].annotation) if hasattr(kind, "model_fields")]
    return tuple(models[0].model_fields)
