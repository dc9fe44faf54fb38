"""The sections of a config that are one mapping each, data and output, and what every section is.

Each is frozen and keyword-only, refuses unknown keys, and tells of each field what it is, its unit and its range.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import core_schema

from wellfit.config.problems import Problem, Unfit
from wellfit.config.reading_keys import IMAGE_MODE, PAGING, Headers, ImageSize
from wellfit.config.rules import Either, Flag, OneOf, Options, Text, Whole

if TYPE_CHECKING:
    from wellfit.data.sources.entry import Reading

__all__ = ["SEED", "Data", "Output", "Section", "Unchanging", "WordOr", "named"]

SEED = Whole(0, 2**32 - 1, example=42)


class Section(BaseModel):
    """What every section is: frozen, strict, its fields documented."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, use_attribute_docstrings=True
    )


class _OneTarget(Either):
    """A column's name or index; several columns get a sentence of their own."""

    def check(self, value: Any) -> Any:
        """Give a name, an index, or None."""
        if isinstance(value, (list, tuple, set, Mapping)):
            raise Problem(
                "wellfit trains one target at a time; several targets and multilabel ones are not supported.",
                got=value,
                do="Name one column, and train once for each.",
            )
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return super().check(value)

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}, {"type": "null"}]}


class _Places(Text):
    """A source, or a list of the files of one table."""

    def check(self, value: Any) -> Any:
        """Give text, or a tuple of texts."""
        if isinstance(value, (list, tuple)) and value:
            return tuple(super(_Places, self).check(one) for one in value)
        return super().check(value)

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"anyOf": [super().schema(), {"type": "array", "minItems": 1, "items": super().schema()}]}


class Data(Section):
    """Where the rows come from and which column is learnt."""

    source: Annotated[
        str | tuple[str, ...] | None, Either(null=True, rule=_Places("a path, an URL or a source", "data.csv"))
    ] = None
    """Where the table is: a path or a list of paths, a pattern, an URL, or ``sql:...``; null where the rows are handed
    over in Python."""
    target: Annotated[
        str | int | None, _OneTarget(null=True, rule=Text("a column's name or its index (-1 the last)", "-1"))
    ] = None
    """The column to learn: its name, or its index, -1 being the last."""
    task: Annotated[
        Literal["auto", "binary", "multiclass", "regression"],
        OneOf(
            "auto",
            "binary",
            "multiclass",
            "regression",
            remarks={"multilabel": "wellfit trains one target at a time.", "classification": "Try auto."},
        ),
    ] = "auto"
    """What is learnt; auto tells it from the target."""
    header: Annotated[Literal["auto"] | bool, Either("auto", rule=Flag())] = "auto"
    """Whether the first line of a CSV names the columns; auto tells it from the file."""
    test: Annotated[str | None, Either(null=True, rule=Text("a path, an URL or a source", "test.csv"))] = None
    """A table of its own for the final score; null: a share of the source's rows, ``split.test``."""
    valid: Annotated[str | None, Either(null=True, rule=Text("a path, an URL or a source", "valid.csv"))] = None
    """A table of its own for validation; null: a share of the source's rows, ``split.valid``."""
    streamed: Annotated[Literal["auto"] | bool, Either("auto", rule=Flag())] = "auto"
    """Whether rows are read in batches and trained from shards on disk; auto: where they would not fit in memory."""
    cache: Annotated[str | None, Either(null=True, rule=Text("a folder's path", "/scratch/shards"))] = None
    """The folder where shards are kept; null: the person's cache folder."""
    weight: Annotated[str | None, Either(null=True, rule=Text("a column's name", "weight"))] = None
    """The column that says how much each row counts in training, 0 or more; it is no feature, and new rows need not
    have it. Scores count every row alike."""
    records: Annotated[str | None, Either(null=True, rule=Text("the way to a list in the JSON", "data.items"))] = None
    """Of a web API: the way to the list of records in its answer, such as ``data.items``; null finds it."""
    paging: Annotated[
        Literal["none", "link", "next", "cursor", "page", "offset"] | None, Either(null=True, rule=PAGING)
    ] = None
    """Of a web API: how pages follow each other; null tells it from the answers, none reads the first page alone."""
    page_param: Annotated[str | None, Either(null=True, rule=Text("a parameter's name", "page"))] = None
    """Of a web API: the parameter that asks for a page, such as ``page``, ``offset`` or ``cursor``; null finds it."""
    cursor: Annotated[str | None, Either(null=True, rule=Text("the way to a field in the JSON", "meta.next"))] = None
    """Of a web API: the way to the field of an answer that names the next page; null finds it."""
    max_pages: Annotated[int, Whole(1, 10**7, example=10_000)] = 10_000
    """Of a web API: the most pages that are asked for."""
    headers: Annotated[Mapping[str, str], Headers()] = Field(default_factory=lambda: Options({}))
    """Of the web: headers of each request; secrets as ``${env:NAME}``."""
    image_size: Annotated[tuple[int, int] | None, Either(null=True, rule=ImageSize())] = None
    """Of images: height and width in pixels; null takes the most common size."""
    image_mode: Annotated[Literal["grey", "rgb"] | None, Either(null=True, rule=IMAGE_MODE)] = None
    """Of images: grey or in colours; null takes what most are."""

    def reading(self) -> Reading:
        """Give what the sources need to be told."""
        from wellfit.data.sources.entry import Reading

        return Reading(**{name: getattr(self, name) for name in Reading.__dataclass_fields__})


def named(value: Any) -> Any:
    """Give a mapping's keys as text: columns of a headerless frame may be numbers."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Unfit("a mapping {name: {type: ...}}", value, "{zip: {type: category}}")
    return {str(name): column for name, column in value.items()}


class Unchanging:
    """Gives a checked mapping of sections by name as one that is not changed."""

    def __init__(self, section: type[Section]) -> None:
        self.section = section

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        schema = handler.generate_schema(dict[str, self.section])  # type: ignore[name-defined]
        return core_schema.no_info_after_validator_function(Options, schema)


class Output(Section):
    """What is written and where."""

    run: Annotated[str | None, Either(null=True, rule=Text("a folder's path", "runs/mine"))] = None
    """The run folder; null: ``runs/<data>-<n>``."""
    report: Annotated[bool, Flag()] = True
    """Whether the report's page is written."""


class WordOr:
    """Allows a few words beside a section: ``auto`` or ``{noise: 0.1}``."""

    def __init__(self, section: type[Section], *words: str, null_is: str | None, example: str, step: str = "") -> None:
        self.section = section
        self.step = step
        """The kind of transformer of scikit-learn that may stand for it, in Python; empty for none."""
        self.words = words
        self.null_is = null_is
        self.example = example

    def check(self, value: Any, section: Any) -> Any:
        """Give a word, or the section."""
        if value is None:
            return self.null_is
        if isinstance(value, str) and value in self.words:
            return value
        if isinstance(value, (Mapping, Section)):
            return section(value)
        if self.step and hasattr(value, "get_params"):
            from wellfit.data.features.transformers import translated

            return section(translated(value, self.step))
        words = f"{', '.join(self.words)} or " if self.words else ""
        raise Unfit(f"{words}a mapping", value, self.example)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Check words first, so that errors inside the section keep its path."""
        return core_schema.no_info_wrap_validator_function(self.check, handler.generate_schema(self.section))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Give the words and the section's own JSON Schema."""
        return {"anyOf": [{"enum": [*self.words, None]}, handler(schema)]}
