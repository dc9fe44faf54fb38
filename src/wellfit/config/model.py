"""The whole config: its sections, and what can't stand together across them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from wellfit.config.families import Member, family
from wellfit.config.problems import Problem
from wellfit.config.rules import Rule
from wellfit.config.sections import Clean, Data, Features, Output, Section, Split
from wellfit.config.train import Train

__all__ = ["VERSION", "Config", "as_mapping", "model_spec"]

VERSION = 1
"""The version of the config's format that is written and read here."""


class _Version(Rule):
    """The one version that is read here."""

    def needs(self) -> str:
        """Say what is needed."""
        return f"{VERSION}, the one version of the format that this wellfit reads"

    def check(self, value: Any) -> int:
        """Give the version."""
        if isinstance(value, bool) or value != VERSION:
            raise Problem(f"'version' must be {self.needs()}.", got=value, do=f"Write version: {VERSION}.")
        return VERSION

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"const": VERSION}


class Config(Section):
    """Everything a run is told, checked; read one with `load_config`, `parse_config` or `from_mapping`.

    Made by hand, ``Config(train={"epochs": 0})`` raises pydantic's own error; those three raise `ConfigError`.
    """

    version: Annotated[Literal[1], _Version()] = 1
    """Version of the config's format: 1."""
    data: Data = Data()
    split: Split = Split()
    clean: Clean = Clean()
    features: Features = Features()
    model: Annotated[Mapping[str, Any], Member("models", label="type", default="mlp")] = Field(
        default="mlp", validate_default=True
    )
    """The architecture: its ``type`` and its options."""
    train: Train = Field(default_factory=dict, validate_default=True)  # type: ignore[arg-type]
    output: Output = Output()

    @model_validator(mode="after")
    def _fits(self) -> Config:
        for combination in (_files, _loss, _metric, _class_weight):
            combination(self)
        return self


def _files(config: Config) -> None:
    method, test = config.split.method, config.data.test
    if test is not None and method == "column":
        raise Problem(
            "'test' of data is a table of its own, and the method column of split takes the test rows from the source.",
            got=test,
            do="Leave out one of them.",
            path=("data", "test"),
        )
    if test is None and method == "files":
        raise Problem(
            "Method files of split needs 'test' of data, the table that the final score is taken on.",
            do="Add data.test, or try method: auto.",
            path=("split", "method"),
        )


def _loss(config: Config) -> None:
    if isinstance(config.train.loss, Mapping):
        _fits_task(config, "losses", config.train.loss["name"], ("train", "loss"))


def _metric(config: Config) -> None:
    if config.train.metric != "auto":
        _fits_task(config, "metrics", config.train.metric, ("train", "metric"))


def _fits_task(config: Config, kind: str, name: str, path: tuple[str, ...]) -> None:
    """Raise unless a loss or a metric is one for the task stated."""
    members = family(kind)
    tasks = getattr(members[name], "tasks", None)
    if config.data.task != "auto" and tasks and config.data.task not in tasks:
        others = [other for other, entry in members.items() if config.data.task in entry.tasks]
        raise Problem(
            f"'{name}' is no {members.noun} for a {config.data.task} target.",
            got=name,
            do=f"Try auto or {', '.join(others)}.",
            path=path,
        )


def _class_weight(config: Config) -> None:
    weights = config.train.class_weight
    if config.data.task == "regression" and weights not in ("auto", "none"):
        raise Problem(
            "'class_weight' of train weighs classes, and a regression has none.",
            got=weights,
            do="Try none.",
            path=("train", "class_weight"),
        )


def as_mapping(config: Config) -> dict[str, Any]:
    """Give a config as plain mappings, lists and scalars: all keys, in the order of the format."""
    plain: dict[str, Any] = _plain(config)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def model_spec(config: Config) -> dict[str, Any]:
    """Give the model as ``MODELS.choose`` takes it: ``type`` is its ``name``."""
    return {("name" if key == "type" else key): _plain(value) for key, value in config.model.items()}
