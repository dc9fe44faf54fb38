"""The whole config: its sections, and what can't stand together across them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from wellfit.config.clean import Clean
from wellfit.config.combinations import check_combinations
from wellfit.config.families import Member
from wellfit.config.features import Features
from wellfit.config.problems import Problem, given
from wellfit.config.rules import Rule
from wellfit.config.sections import Data, Output, Section
from wellfit.config.split import Split
from wellfit.config.train import Train
from wellfit.config.tune import Tune

__all__ = ["OF_ANY", "VERSION", "Config", "as_mapping", "model_spec"]

VERSION = 1
"""The version of the config's format that is written and read here."""


OF_ANY = frozenset(
    (
        "metric",
        "threshold",
        "class_weight",
        "precision",
        "device",
        "threads",
        "workers",
        "checkpoint_every",
        "seed",
        "time",
        "doctor",
    )
)
"""Keys of ``train`` that say nothing of how one network is trained: they go with an ensemble as well; to treat is to
change one network."""


class _Version(Rule):
    """The one version that is read here."""

    def needs(self) -> str:
        """Say what is needed."""
        return f"{VERSION}, the one version of the format that this wellfit reads"

    def check(self, value: Any) -> int:
        """Give the version."""
        if isinstance(value, bool) or value != VERSION:
            raise Problem(f"'version' must be {self.needs()}.", got=given(value), do=f"Write version: {VERSION}.")
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
    data: Data = Field(default_factory=Data)
    split: Split = Split()
    clean: Clean = Field(default_factory=Clean)
    features: Features = Field(default_factory=Features)
    model: Annotated[Mapping[str, Any], Member("models", label="type", default="mlp", words=("auto",))] = Field(
        default="mlp", validate_default=True
    )
    """The architecture: its ``type`` and its options."""
    train: Train = Field(default_factory=dict, validate_default=True)
    tune: Tune = Field(default_factory=Tune)
    output: Output = Output()

    @model_validator(mode="before")
    @classmethod
    def _network(cls, given: Any) -> Any:
        """Settle which network is meant where none is named: an ensemble, unless something is said of one network."""
        if not isinstance(given, Mapping):
            return given
        model = given.get("model")
        if isinstance(model, Mapping) and model.get("type") == "auto":
            model = {key: value for key, value in model.items() if key != "type"} or None
            given = {**given, "model": model}
        if model not in (None, "auto"):
            return given
        train = given.get("train")
        of_one = isinstance(train, Mapping) and any(
            (key not in OF_ANY and value not in ("auto", None)) or value == "treat" for key, value in train.items()
        )
        return {**given, "model": {"type": "mlp" if of_one else "ensemble"}}

    @model_validator(mode="after")
    def _fits(self) -> Config:
        check_combinations(self)
        return self


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
