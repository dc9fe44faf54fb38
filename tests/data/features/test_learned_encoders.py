"""Encoders that learn numbers: as scikit-learn's, and never from a row's own target."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from wellfit.data.features import FeaturePlan, Targets
from wellfit.errors import ConfigError

ROWS = 400


def cities(seed: int, rows: int = ROWS, unseen: bool = False) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    levels = [f"city {number}" for number in range(40)] + (["new 1", "new 2"] if unseen else [])
    cells = random.choice(levels, rows)
    return pl.DataFrame({"city": [None if random.random() < 0.05 else str(cell) for cell in cells]})


def answers(kind: str, frame: pl.DataFrame, seed: int = 7) -> Targets:
    random = np.random.default_rng(seed)
    base = frame["city"].hash(3).to_numpy().astype(np.float64) % 97 / 97
    if kind == "numbers":
        return Targets(10 * base + random.normal(size=len(base)))
    classes = {"binary": 2, "multiclass": 4}[kind]
    return Targets(np.floor(classes * np.clip(base + random.normal(0, 0.2, len(base)), 0, 0.999)), classes)


def objects(frame: pl.DataFrame) -> Any:
    return np.array(frame["city"].to_list(), dtype=object)[:, None]


@pytest.mark.parametrize("smooth", [None, 0.0, 10.0])
@pytest.mark.parametrize("kind", ["numbers", "binary", "multiclass"])
def test_target_encoding_is_scikit_learns(kind: str, smooth: float | None) -> None:
    train, other = cities(0), cities(1, unseen=True)
    targets = answers(kind, train)
    folds = (KFold if kind == "numbers" else StratifiedKFold)(5, shuffle=True, random_state=3)
    types = {"numbers": "continuous"}
    authority = TargetEncoder(target_type=types.get(kind, kind), smooth="auto" if smooth is None else smooth, cv=folds)
    fitted = authority.fit_transform(objects(train), targets.values)
    encode = {"name": "target", "smooth": smooth, "seed": 3}
    plan, matrix = FeaturePlan.fit_apply(train, encode=encode, scale="none", targets=targets)
    np.testing.assert_allclose(matrix.numeric, fitted, rtol=1e-6, atol=1e-6)
    later = plan.apply(other).numeric
    np.testing.assert_allclose(later, authority.transform(objects(other)), rtol=1e-6, atol=1e-6)
    again = FeaturePlan.from_dict(json.loads(json.dumps(plan.as_dict(), allow_nan=False)))
    assert again.apply(other).numeric.tobytes() == later.tobytes()


def test_a_rows_own_target_is_not_in_its_encoding() -> None:
    """Levels of one row each tell nothing: cross-fitted they are all alike, with their own targets they tell all."""
    frame = pl.DataFrame({"id": [f"row {number}" for number in range(ROWS)], "x": np.arange(float(ROWS))})
    targets = Targets(np.random.default_rng(0).normal(size=ROWS))
    encode = {"name": "target", "smooth": 0.0}
    plan, matrix = FeaturePlan.fit_apply(frame, encode=encode, scale="none", targets=targets)
    place = plan.numeric_names.index("id")
    assert len(np.unique(matrix.numeric[:, place])) <= 5
    assert abs(np.corrcoef(plan.apply(frame).numeric[:, place], targets.values)[0, 1]) > 0.99


@pytest.mark.parametrize("kind", ["numbers", "binary"])
def test_rows_without_a_target_teach_nothing(kind: str) -> None:
    train = cities(0)
    targets = answers(kind, train)
    lost = np.arange(ROWS) % 7 == 0
    values = np.where(lost, -1.0 if targets.classes else np.nan, targets.values)
    encode = {"name": "target", "smooth": 5.0}
    whole, _ = FeaturePlan.fit_apply(train, encode=encode, targets=Targets(values, targets.classes))
    kept = train.filter(pl.Series(~lost))
    part, _ = FeaturePlan.fit_apply(kept, encode=encode, targets=targets[~lost])
    assert whole.sources.encoded[0].values == part.sources.encoded[0].values


def test_frequencies_are_shares_of_training_rows() -> None:
    frame = pl.DataFrame({"a": ["x", "x", "y", None, "x", "y", "z", "x"]})
    plan = FeaturePlan.fit(frame, encode="frequency", scale="none")
    numbers = plan.apply(pl.DataFrame({"a": ["x", "y", "z", None, "new"]})).numeric[:, 0]
    assert numbers.tolist() == [0.5, 0.25, 0.125, 0.125, 0.0]


def test_columns_have_encoders_of_their_own() -> None:
    frame = cities(0).with_columns(job=pl.Series(["a", "b", "c", "d"] * (ROWS // 4)), size=pl.lit(1.0))
    targets = answers("binary", frame)
    plan = FeaturePlan.fit(frame, columns={"city": "target", "job": "ordinal"}, targets=targets)
    assert {column.name: column.encoder for column in plan.sources.encoded} == {"city": "target", "job": "ordinal"}
    with pytest.raises(ConfigError, match=r"'features.columns.size.encode' is for a column of categories"):
        FeaturePlan.fit(frame, columns={"size": "target"}, targets=targets)


def test_without_targets_there_is_no_target_encoding() -> None:
    with pytest.raises(ConfigError, match="learned from the target"):
        FeaturePlan.fit(cities(0), encode="target")


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_few_rows_are_encoded_too(rows: int) -> None:
    frame = pl.DataFrame({"a": ["x", "y", "x"][:rows], "b": np.arange(float(rows))})
    with_two = Targets(np.arange(rows) % 2, 2)
    try:
        plan, matrix = FeaturePlan.fit_apply(frame, encode="target", targets=with_two)
    except ValueError:
        assert rows == 1
        return
    assert np.isfinite(matrix.numeric).all()
    assert np.isfinite(plan.apply(frame).numeric).all()
