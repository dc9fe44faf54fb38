"""The `features` section: how columns become what the network reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from wellfit.config.families import Member, family
from wellfit.config.problems import Problem, Unfit
from wellfit.config.rules import Either, Flag, OneOf, Options, Rule, Text, Whole
from wellfit.config.sections import Section, Unchanging, WordOr, named
from wellfit.errors import ConfigError

__all__ = ["Column", "Features", "Polynomials", "Ratios"]


class Step(Member):
    """A member of a family of steps: a name where no option was set, or a name and all options.

    What scikit-learn has a class for may be given as an object of that class, in Python.
    """

    def __init__(self, name: str, *, words: tuple[str, ...] = (), null: bool = False, null_is: str = "") -> None:
        super().__init__(name, words=words, null=null)
        self.null_is = null_is

    def check(self, value: Any) -> Any:
        """Give a word, None, a name, or a name with options."""
        if value is None and self.null_is:
            return self.null_is
        checked = super().check(_translated(value, self.family))
        if not isinstance(checked, Mapping):
            return checked
        name = checked["name"]
        defaults = family(self.family)[name].resolve({})
        return name if defaults == {key: item for key, item in checked.items() if key != "name"} else checked


def _translated(value: Any, of: str) -> Any:
    """Give the step that stands for an object of scikit-learn; any plain value is given back."""
    if not hasattr(value, "get_params"):
        return value
    from wellfit.data.features.transformers import translated

    return translated(value, of)


class _Expressions(Rule):
    """Expressions by the names of the columns they make."""

    def needs(self) -> str:
        """Say what is needed."""
        return "a mapping {name: expression}"

    def check(self, value: Any) -> Any:
        """Give the texts, each of which is an expression."""
        if value is None:
            return Options({})
        if not isinstance(value, Mapping):
            raise Unfit(self.needs(), value, "{ratio: income / debt}")
        return Options({str(name): self._expression(str(name), text) for name, text in value.items()})

    def _expression(self, name: str, text: Any) -> str:
        from wellfit.data.features.expressions import Expression

        if not name.strip():
            raise Problem("A column of features.derive needs a name.", got=name, do="Try ratio: income / debt.")
        if not isinstance(text, str):
            rule = f"'{name}' of features.derive must be an expression."
            raise Problem(rule, got=text, do="Try income / debt.", path=(name,))
        try:
            return Expression(text).text
        except ConfigError as error:
            rule = f"'{name}' of features.derive: {error.rule}"
            raise Problem(rule, got=error.got, do=error.do, path=(name,)) from None

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": ["object", "null"], "additionalProperties": {"type": "string", "minLength": 1}}


class _Names(Rule):
    """Names of columns."""

    def needs(self) -> str:
        """Say what is needed."""
        return "a list of columns' names"

    def check(self, value: Any) -> tuple[str, ...]:
        """Give the names."""
        if not isinstance(value, (list, tuple)) or not value:
            raise Unfit(self.needs(), value, "[income, debt]")
        return tuple(Text("a column's name", "income").check(name) for name in value)

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": "array", "items": {"type": "string"}, "minItems": 1}


class _Crosses(Rule):
    """Lists of columns' names."""

    def needs(self) -> str:
        """Say what is needed."""
        return "a list of crosses, each a list of columns' names"

    def check(self, value: Any) -> tuple[tuple[str, ...], ...]:
        """Give the names of each cross."""
        if not isinstance(value, (list, tuple)) or not all(isinstance(cross, (list, tuple)) for cross in value):
            raise Unfit(self.needs(), value, "[[month, day]]")
        crosses = tuple(_Names().check(cross) for cross in value)
        for place, cross in enumerate(crosses):
            if len(set(cross)) < len(cross):
                raise Problem("A cross has each of its columns once.", got=list(cross), path=(place,))
            if any(set(cross) == set(other) for other in crosses[:place]):
                raise Problem("'features.crosses' has each cross once.", got=list(cross), path=(place,))
        return crosses

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": "array", "items": _Names().schema()}


class Ratios(Section):
    """Which numbers are divided by one another."""

    columns: Annotated[tuple[str, ...] | None, Either(null=True, rule=_Names())] = None
    """The number columns; null: all."""


class Polynomials(Section):
    """Which products of numbers are made."""

    degree: Annotated[int, Whole(2, 5, example=2)] = 2
    """How many factors a product has at the most, in [2, 5]."""
    columns: Annotated[tuple[str, ...] | None, Either(null=True, rule=_Names())] = None
    """The number columns; null: all."""
    interactions_only: Annotated[bool, Flag()] = False
    """Whether products have each column once: no squares."""


class Column(Section):
    """What is known of one column and overrules what the data suggest."""

    type: Annotated[
        Literal["number", "category", "datetime", "text", "drop"] | None,
        Either(
            null=True,
            rule=OneOf(
                "number",
                "category",
                "datetime",
                "text",
                "drop",
                remarks={
                    **dict.fromkeys(("numeric", "float", "int", "integer"), "Did you mean 'number'?"),
                    **dict.fromkeys(("categorical", "string", "str", "bool"), "Did you mean 'category'?"),
                    **dict.fromkeys(("date", "time", "timestamp"), "Did you mean 'datetime'?"),
                    **dict.fromkeys(("ignore", "skip", "exclude"), "Did you mean 'drop'?"),
                },
            ),
        ),
    ] = None
    """How the column is read; drop leaves it out, null: as its cells suggest."""
    encode: Annotated[str | Mapping[str, Any] | None, Step("encoders", null=True)] = None
    """How its categories become numbers; null: as those of the others."""

    @model_validator(mode="after")
    def _says(self) -> Column:
        if self.type is None and self.encode is None:
            raise Problem("A column of features.columns needs 'type' or 'encode'.", do="Try type: category.")
        return self


class Features(Section):
    """How columns become what the network reads."""

    @model_validator(mode="before")
    @classmethod
    def _of_transformers(cls, given: Any) -> Any:
        """Take a transformer of scikit-learn, a list of some, or a pipeline for the settings that stand for them."""
        if not (hasattr(given, "get_params") or isinstance(given, (list, tuple))):
            return given
        from wellfit.data.features.transformers import translated_steps

        return translated_steps(given)

    scale: Annotated[str | Mapping[str, Any], Step("scalers", words=("auto",), null_is="none")] = "auto"
    """How numbers are scaled, as learnt on training rows."""
    encode: Annotated[str | Mapping[str, Any], Step("encoders", words=("auto",))] = "auto"
    """How categories become numbers."""
    dates: Annotated[Literal["both", "parts", "cycles"], OneOf("both", "parts", "cycles")] = "both"
    """What becomes of dates: parts such as the month, cycles such as the place in the year, or both."""
    text: Annotated[str | Mapping[str, Any], Step("texts", words=("latent",))] = "latent"
    """How free text becomes numbers."""
    derive: Annotated[Mapping[str, str], _Expressions()] = Field(default_factory=lambda: Options({}))
    """Columns that are computed from others, such as ``ratio: income / debt``: columns, numbers, brackets,
    ``+ - * / **``, comparisons, ``abs``, ``log`` and ``sqrt``; a name with other characters stands in quotes."""
    ratios: Annotated[Ratios | None, WordOr(Ratios, null_is=None, example="{columns: [income, debt]}")] = None
    """Numbers divided by one another, each by each; null: none."""
    polynomials: Annotated[
        Polynomials | None, WordOr(Polynomials, null_is=None, example="{degree: 2}", step="polynomials")
    ] = None
    """Products of numbers; null: none."""
    crosses: Annotated[Literal["auto"] | tuple[tuple[str, ...], ...], Either("auto", rule=_Crosses())] = ()
    """Columns whose values together are a category, such as ``[[month, day]]``, or the exact values of one, such as
    ``[[flight]]``; auto: those that training rows, dealt at random, speak for, which an ensemble wants."""
    select: Annotated[str | Mapping[str, Any] | None, Step("selectors", null=True)] = None
    """Which of the columns that the network would read are kept; null: all that vary."""
    columns: Annotated[Mapping[str, Column], Unchanging(Column), BeforeValidator(named)] = Field(
        default_factory=lambda: Options({})
    )
    """Columns whose kind or encoder is stated, by name."""
