"""The small grammar: what it takes, what it refuses, and that it computes what Python would."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import PolynomialFeatures

from wellfit.data.features import FeaturePlan
from wellfit.data.features.derived import add_derived, derived_columns
from wellfit.data.features.expressions import Expression, quoted
from wellfit.errors import ConfigError

FRAME = pl.DataFrame(
    {
        "a": [1.0, -2.0, 0.0, None, 4.0],
        "b": [2.0, 0.0, 0.0, 1.0, -0.5],
        "total rooms": [3.0, 6.0, 9.0, 1.0, 2.0],
        "^a$": [1.0, 1.0, 2.0, 2.0, 3.0],
        "*": [0.0, 1.0, 0.0, 1.0, 0.0],
        'say "x"': [5.0, 5.0, 5.0, 5.0, 6.0],
        "day": [datetime(1970, 1, 2, 12), datetime(1970, 1, 1), None, datetime(1969, 12, 31), datetime(1970, 1, 3)],
        "job": ["a", "b", "c", "d", "e"],
    }
)


def computed(text: str, frame: pl.DataFrame = FRAME) -> list[Any]:
    return add_derived(frame, derived_columns(frame, {"made": text}))["made"].to_list()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a + b * 2", [5.0, -2.0, 0.0, None, 3.0]),
        ("(a + b) * 2", [6.0, -4.0, 0.0, None, 7.0]),
        ("a / b", [0.5, None, None, None, -8.0]),
        ("1 / (a / b)", [2.0, None, None, None, -0.125]),
        ("-a ** 2", [-1.0, -4.0, 0.0, None, -16.0]),
        ("2 ** 3 ** 2", [512.0] * 5),
        ("2 ** -1 - -1", [1.5] * 5),
        ("a ** b", [1.0, 1.0, 1.0, None, 0.5]),
        ("b ** -1", [0.5, None, None, 1.0, -2.0]),
        ("log(a)", [0.0, None, None, None, math.log(4)]),
        ("sqrt(a)", [1.0, None, 0.0, None, 2.0]),
        ("abs(a) - +b", [-1.0, 2.0, 0.0, None, 4.5]),
        ("a > b", [0.0, 0.0, 0.0, None, 1.0]),
        ("(a >= 0) * (a < 4)", [1.0, 0.0, 1.0, None, 0.0]),
        ("a == 4", [0.0, 0.0, 0.0, None, 1.0]),
        ("a != b", [1.0, 1.0, 0.0, None, 1.0]),
        ("'total rooms' / 3", [1.0, 2.0, 3.0, 1 / 3, 2 / 3]),
        ('`^a$` + "*"', [1.0, 2.0, 2.0, 3.0, 3.0]),
        ('"say ""x""" - 5', [0.0, 0.0, 0.0, 0.0, 1.0]),
        ("day", [1.5, 0.0, None, -1.0, 2.0]),
        ("a ** 500 * 0", [0.0, None, 0.0, None, None]),
        ("10 ** (100 * a)", [1e100, 0.0, 1.0, None, None]),
        (".5e1 + 1.", [6.0] * 5),
    ],
)
def test_values(text: str, values: list[float | None]) -> None:
    found = [math.nan if value is None else value for value in computed(text)]
    assert found == pytest.approx([math.nan if value is None else value for value in values], rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a column, a number or a bracket at character 1"),
        ("a +", "a column, a number or a bracket at character 4"),
        ("a b", "an operator or the end at character 3"),
        ("(a + b", r"an operator or '\)' at character 7.*bracket at character 1 is open"),
        ("a)", "an operator or the end at character 2"),
        ("exp(a)", "no such function at character 1.*Known: abs, log, sqrt"),
        ("lgo(a)", "Did you mean 'log'"),
        ("log(a, 2)", "',' can't be read at character 6.*A function takes one value"),
        ("a < b < 2", "one comparison, and this is the second at character 7"),
        ("a = b", "'=' can't be read at character 3.*Write =="),
        ("a ^ 2", r"'\^' can't be read at character 3.*Write \*\*"),
        ("2nd + 1", "no such number at character 1.*Quote a column's name"),
        ("1.2.3", "no such number at character 1"),
        ("'a", "Close the quotes"),
        ("a.__class__", "there is no such column among the features. Got 'a.__class__'"),
        ("__import__('os')", "no such function at character 1"),
        ("a if b else 1", "an operator or the end at character 3"),
        ("[a]", r"'\[' can't be read at character 1"),
        ("lambda: 1", "':' can't be read at character 7"),
        ("1e999", "up to 1e100"),
        ("a + incom", "character 5: there is no such column"),
        ("aa / b", "Did you mean 'a'"),
        ("job * 2", "only numbers and dates can be computed with. Got 'job'. Set features.columns.job.type"),
        ("(" * 40 + "a" + ")" * 40, "at most 20 deep"),
        ("-" * 40 + "a", "at most 20 deep"),
        ("a" + "+a" * 300, "at most 200 words"),
        ("a" * 2000, "at most 1000 characters"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        computed(text)


def test_a_derived_column_has_a_name_of_its_own_and_may_use_earlier_ones() -> None:
    made = derived_columns(FRAME, {"c": "a + b", "d": "c * 2"})
    assert add_derived(FRAME, made)["d"].to_list() == [6.0, -4.0, 0.0, None, 7.0]
    with pytest.raises(ConfigError, match=r"a name of its own. Got 'a'. Try 'a_'"):
        derived_columns(FRAME, {"a": "b + 1"})
    with pytest.raises(ConfigError, match="no such column"):
        derived_columns(FRAME, {"d": "c * 2", "c": "a + b"})


Row = dict[str, float]
Term = tuple[str, Callable[[Row], float]]
"""An expression, and the same in Python."""

ATOMS: list[Term] = [
    *((name, operator.itemgetter(name)) for name in "abc"),
    *((str(number), lambda row, number=number: number) for number in (0.0, 1.0, 2.5)),
]
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow},
    **{"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    **{"==": operator.eq, "!=": operator.ne},
}


def finite(value: Any) -> float:
    """The value, or an error where wellfit has a missing cell."""
    if isinstance(value, complex) or not abs(value) <= 1e100:
        raise ValueError(value)
    return float(value)


def joined(left: Term, sign: str, right: Term) -> Term:
    return f"({left[0]} {sign} {right[0]})", lambda row: finite(SIGNS[sign](left[1](row), right[1](row)))


def trees(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pairs = st.builds(joined, inner, st.sampled_from(sorted(SIGNS)), inner)
    negative = inner.map(lambda term: (f"(-{term[0]})", lambda row: -term[1](row)))
    roots = inner.map(lambda term: (f"sqrt({term[0]})", lambda row: math.sqrt(term[1](row))))
    return pairs | negative | roots


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.sampled_from(ATOMS), trees, max_leaves=8))
def test_values_are_pythons(term: Term) -> None:
    rows = [{"a": 1.5, "b": -2.0, "c": 3.0}, {"a": 0.0, "b": 0.0, "c": -1.0}, {"a": -0.5, "b": 7.0, "c": 2.0}]
    text, value_of = term
    for value, row in zip(computed(text, pl.DataFrame(rows)), rows, strict=True):
        try:
            expected = value_of(row)
        except (ArithmeticError, ValueError):
            assert value is None
            continue
        assert value == pytest.approx(expected, rel=1e-9)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=30) | st.lists(st.sampled_from(["a", "1", "+", "(", ")", "**", "log", "<", '"', " "])).map("".join)
)
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    try:
        expression = Expression(text)
    except ConfigError:
        return
    assert all(isinstance(name, str) for name in expression.columns)


@given(st.text(min_size=1, max_size=12))
def test_any_name_can_be_quoted(name: str) -> None:
    assert Expression(quoted(name)).columns == (name,)


@pytest.mark.parametrize("degree", [2, 3])
@pytest.mark.parametrize("interactions_only", [False, True])
def test_polynomials_are_scikit_learns(degree: int, interactions_only: bool) -> None:
    values = np.random.default_rng(0).normal(size=(50, 3))
    authority = PolynomialFeatures(degree, interaction_only=interactions_only, include_bias=False)
    expected = authority.fit_transform(values)
    frame = pl.DataFrame(values, schema=["x", "y", "z"])
    polynomials = {"degree": degree, "interactions_only": interactions_only}
    plan = FeaturePlan.fit(frame, scale="none", polynomials=polynomials)
    assert plan.feature_names == tuple(authority.get_feature_names_out(["x", "y", "z"]))
    np.testing.assert_allclose(plan.apply(frame).numeric, expected, rtol=1e-6, atol=1e-6)


def test_ratios_are_of_each_number_over_each_other() -> None:
    made = derived_columns(FRAME, {}, ratios={"columns": ["a", "b"]})
    assert [column.name for column in made] == ["a / b", "b / a"]
    assert add_derived(FRAME, made)["b / a"].to_list() == [2.0, 0.0, None, None, -0.125]
    with pytest.raises(ConfigError, match=r"'features.ratios.columns' names number columns. Got 'job'"):
        derived_columns(FRAME, {}, ratios={"columns": ["a", "job"]})


def test_too_many_columns_are_refused() -> None:
    wide = pl.DataFrame({f"x{number}": [1.0, 2.0] for number in range(60)})
    with pytest.raises(ConfigError, match=r"at most 2,000 columns. Got '60 number columns'"):
        derived_columns(wide, {}, ratios={})


def test_the_plan_keeps_the_text_and_computes_in_later_rows() -> None:
    plan = FeaturePlan.fit(FRAME, derive={"share": "a / b"}, scale="none")
    assert plan.as_dict()["derived"] == [{"name": "share", "expression": "a / b"}]
    row = FRAME.head(1).with_columns(a=pl.lit(9.0), b=pl.lit(3.0))
    matrix = FeaturePlan.from_dict(plan.as_dict()).apply(row)
    assert matrix.numeric[0, plan.numeric_names.index("share")] == 3.0
