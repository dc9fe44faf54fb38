"""Features and splits from settings to predictions, and nothing learned from rows that don't train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.preprocessing import StandardScaler, TargetEncoder

import wellfit
from small import QUICK, Command, csv_text
from wellfit.config import from_mapping
from wellfit.errors import ConfigError, DataError
from wellfit.preparation import prepare

ROWS = 240
PARTS = [("train", "valid", "test", "train", "train")[row % 5] for row in range(ROWS)]
GOOD = ["lovely", "works", "perfect", "happy", "great"]
BAD = ["broken", "awful", "refund", "waste", "poor"]
COMMON = ["the", "thing", "that", "we", "bought", "was", "and", "is", "for", "our", "house"]


def shop(seed: int = 0) -> dict[str, list[Any]]:
    """Incomes, debts, shops of many levels, customers with several rows, dates and reviews."""
    random = np.random.default_rng(seed)
    liked = random.integers(0, 2, ROWS)
    words = [" ".join([*random.choice(COMMON, 9), *random.choice(GOOD if like else BAD, 2)]) for like in liked]
    return {
        "income": random.lognormal(10, 1, ROWS).round(2).tolist(),
        "debt": np.where(random.random(ROWS) < 0.1, 0.0, random.lognormal(9, 1, ROWS)).round(2).tolist(),
        "shop": [f"shop {number}" for number in random.integers(0, 30, ROWS)],
        "customer": [f"k{number:03}x" for number in random.integers(0, 60, ROWS)],
        "at": [f"2021-{row % 12 + 1:02}-{row % 28 + 1:02} {row % 24:02}:15" for row in range(ROWS)],
        "review": words,
        "bought": np.where(liked ^ (random.random(ROWS) < 0.1), "yes", "no").tolist(),
    }


EVERYTHING = {
    "derive": {"share": "debt / income", "rich": "log(income) > 10"},
    "ratios": {"columns": ["income", "debt"]},
    "polynomials": {"degree": 2, "columns": ["income", "debt"]},
    "columns": {"shop": {"encode": "target"}, "customer": {"encode": {"name": "frequency"}}},
    "select": {"name": "k_best", "k": 30},
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    out = tmp_path_factory.mktemp("everything") / "run"
    return wellfit.train(shop(), "bought", out=str(out), **QUICK, features=EVERYTHING)


def test_a_run_with_all_of_it_predicts_from_raw_rows(everything: wellfit.Run) -> None:
    plan = json.loads((everything.path / "plan.json").read_text())["features"]
    assert {column["name"] for column in plan["derived"]} >= {"share", "rich", "income / debt", "income debt"}
    assert len(plan["selection"]["kept"]) == 30
    rows = pl.DataFrame(shop()).drop("bought")
    found = wellfit.load(everything.path).predict_proba(rows)
    assert found.shape == (ROWS, 2)
    np.testing.assert_allclose(found, everything.predict_proba(rows), rtol=1e-6)
    np.testing.assert_allclose(found[:7], everything.predict_proba(rows.head(7)), rtol=1e-5)
    strange = rows.head(2).with_columns(debt=pl.lit(None, pl.Float64), shop=pl.lit("a new one"), review=pl.lit(""))
    assert np.isfinite(everything.predict_proba(strange)).all()


def test_a_run_is_replayed_from_its_config_to_the_same_weights(everything: wellfit.Run, tmp_path: Path) -> None:
    config = yaml.safe_load((everything.path / "config.yaml").read_text())
    sections = {name: config[name] for name in ("split", "clean", "features", "model", "train")}
    again = wellfit.train(shop(), "bought", out=str(tmp_path / "again"), report=False, **sections)
    first, second = (run.path / "model.safetensors" for run in (everything, again))
    assert first.read_bytes() == second.read_bytes()


WILD = {
    "income": lambda row: -1e30 if row % 2 else None,
    "debt": lambda row: 1e300,
    "shop": lambda row: f"new {row}",
    "customer": lambda row: None,
    "review": lambda row: "wholly other words than any that trained before",
    "at": lambda row: "1970-01-01 00:00",
    "bought": lambda row: "yes" if row % 2 else "no",
}


@pytest.mark.parametrize("select", [EVERYTHING["select"], {"name": "model_based"}, {"name": "variance"}])
def test_other_rows_change_nothing_that_is_learned(tmp_path: Path, select: Any) -> None:
    """The plan and the weights are those of the training rows, target encoding, words and selection included."""
    runs = []
    features = {**EVERYTHING, "select": select}
    options = {**QUICK, "features": features, "early_stopping": None, "split": {"method": "column", "column": "part"}}
    for name in ("as it is", "wild"):
        columns = {**shop(), "part": PARTS}
        for column, cell in WILD.items() if name == "wild" else ():
            its = columns[column]
            columns[column] = [cell(row) if PARTS[row] != "train" else its[row] for row in range(ROWS)]  # type: ignore[no-untyped-call]
        path = tmp_path / f"{name}.csv"
        path.write_text(csv_text(columns))
        runs.append(wellfit.train(path, "bought", out=str(tmp_path / name), **options))
    plans = [json.loads((run.path / "plan.json").read_text()) for run in runs]
    for key in ("cleaning", "features", "target"):
        assert plans[0][key] == plans[1][key]
    weights = [(run.path / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]


def prepared(columns: dict[str, list[Any]] | None = None, **sections: Any) -> Any:
    return prepare(from_mapping({"data": {"target": "bought"}, **sections}), columns or shop())


def test_transformers_do_what_their_settings_do() -> None:
    given = [StandardScaler(), TargetEncoder(), SelectKBest(f_classif, k=12)]
    named = {"scale": "standard", "encode": "target", "select": {"name": "k_best", "k": 12}}
    first, second = prepared(features=given), prepared(features=named)
    assert first.plan()["features"] == second.plan()["features"]
    assert first.matrices["train"].numeric.tobytes() == second.matrices["train"].numeric.tobytes()
    assert first.config.features == second.config.features


def test_free_text_is_used_by_its_words_and_names_are_not() -> None:
    kinds = {column.name: column.kind for column in prepared().cleaning.columns}
    assert kinds["review"] == "text"
    names = [f"Mr {chr(65 + row % 26)} Braund {row}" for row in range(ROWS)]
    kinds = {column.name: column.kind for column in prepared({**shop(), "name": names}).cleaning.columns}
    assert kinds["name"] == "drop"
    stated = prepared({**shop(), "name": names}, features={"columns": {"name": {"type": "text"}}, "text": "hash"})
    assert any(feature.startswith("name words") for feature in stated.features.feature_names)


def test_training_rows_get_what_the_other_folds_tell() -> None:
    """The rows that train a network are cross-fitted; rows that are predicted get what all training rows tell."""
    made = prepared(features={"columns": {"shop": {"encode": "target"}}, "scale": "none"})
    place = made.features.numeric_names.index("shop")
    later = made.features.apply(made.cleaning.apply(made.frames["train"].drop("bought"))[0])
    shops = made.frames["train"]["shop"].to_list()
    for matrix, most in ((made.matrices["train"], 5), (later, 1)):
        values: dict[str, set[float]] = {}
        for shop_, value in zip(shops, matrix.numeric[:, place].tolist(), strict=True):
            values.setdefault(shop_, set()).add(value)
        assert max(map(len, values.values())) == most


def test_a_group_split_keeps_customers_together_and_out_of_the_features() -> None:
    made = prepared(split={"method": "group", "column": "customer"})
    parts = [set(made.frames[name]["customer"]) for name in ("train", "valid", "test")]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert made.not_features == ("bought", "customer")
    assert made.plan()["split"]["method"] == "group"
    assert "customer" not in made.features.feature_names


def test_a_time_split_keeps_the_order_and_the_column() -> None:
    made = prepared(split={"method": "time", "column": "at"})
    ends = [(made.frames[name]["at"].min(), made.frames[name]["at"].max()) for name in ("train", "valid", "test")]
    assert ends[0][1] < ends[1][0] <= ends[1][1] < ends[2][0]
    assert made.not_features == ("bought",)
    assert any(name.startswith("at ") for name in made.features.feature_names)


def test_folds_share_their_test_rows_and_validate_every_other_row_once() -> None:
    splits = [prepared(split={"folds": 4, "fold": fold}).split for fold in range(4)]
    assert all(split.test.tolist() == splits[0].test.tolist() for split in splits)
    validated = np.concatenate([split.valid for split in splits])
    assert sorted([*validated, *splits[0].test]) == list(range(ROWS))


def test_validation_and_test_rows_may_be_tables_of_their_own(tmp_path: Path) -> None:
    paths = {}
    for seed, name in enumerate(("train", "valid", "test")):
        paths[name] = tmp_path / f"{name}.csv"
        paths[name].write_text(csv_text(shop(seed)))
    data = {"source": str(paths["train"]), "target": "bought", "valid": str(paths["valid"]), "test": str(paths["test"])}
    made = prepare(from_mapping({"data": data}))
    assert [made.rows[name] for name in ("train", "valid", "test")] == [ROWS, ROWS, ROWS]
    assert made.frames["valid"]["income"].to_list() == [str(value) for value in shop(1)["income"]]
    assert made.config.split.method == "files"
    assert made.config.data.valid == str(paths["valid"].resolve())
    half = prepare(from_mapping({"data": {**data, "test": None}}))
    assert [half.rows[name] for name in ("train", "valid", "test")] == [192, ROWS, 48]
    assert prepare(half.config).split.test.tolist() == half.split.test.tolist()


def test_a_method_that_was_named_is_kept_beside_a_test_file(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text(csv_text(shop(2)))
    for split in ({"method": "random"}, {"method": "group", "column": "customer"}):
        made = prepared(data={"target": "bought", "test": str(path)}, split=split)
        assert made.config.split.method == split["method"]
        again = prepare(made.config, shop())
        assert again.split.valid.tolist() == made.split.valid.tolist()


@pytest.mark.parametrize(
    ("sections", "error", "said"),
    [
        ({"features": {"derive": {"ratio": "incom / debt"}}}, ConfigError, "'features.derive.ratio', character 1"),
        ({"features": {"derive": {"leak": "bought + 1"}}}, ConfigError, "no such column among the features"),
        ({"features": {"derive": {"debt": "income * 2"}}}, ConfigError, "a name of its own"),
        ({"features": {"select": {"name": "k_best", "score": "chi2"}}}, ConfigError, "has negative numbers"),
        ({"features": {"columns": {"income": {"encode": "target"}}}}, ConfigError, "for a column of categories"),
        ({"features": {"columns": {"incom": {"encode": "target"}}}}, ConfigError, "Did you mean 'income'"),
        ({"split": {"method": "time", "column": "review"}}, DataError, "must tell the time of every row"),
        ({"split": {"method": "group", "column": "bought"}}, ConfigError, "another column than the target"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(sections: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        prepared(**sections)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plan_of_before_these_keys_is_read() -> None:
    record = prepared(features={"columns": {"review": {"type": "drop"}}}).plan()["features"]
    for key in ("derived", "texts", "selection"):
        del record[key]
    again = wellfit.data.features.FeaturePlan.from_dict(record)  # type: ignore[attr-defined]
    assert (again.derived, again.sources.texts, again.selection) == ((), (), None)


@pytest.mark.parametrize("family", ["splits", "scalers", "encoders", "texts", "selectors", "transformers"])
def test_the_command_line_lists_the_families(command: Command, family: str) -> None:
    answer = command("list", family)
    assert answer.code == 0, answer.err
    record = command("list", family, "--json").record[family]
    assert all(entry["name"] in answer.out and entry["summary"] for entry in record)


def test_init_shows_the_keys_and_schema_knows_them(command: Command, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(csv_text(shop()))
    text = command("init", "shop.csv", "--target", "bought").out
    for key in ("derive:", "ratios:", "polynomials:", "select:", "encode:", "group"):
        assert key in text
    schema = json.loads(command("schema").out)
    keys = schema["$defs"]["Features"]["properties"]
    assert {"derive", "ratios", "polynomials", "select", "dates", "text", "scale", "encode", "columns"} <= set(keys)
    assert {"folds", "fold", "column"} <= set(schema["$defs"]["Split"]["properties"])


def test_the_command_line_takes_them(command: Command, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(csv_text(shop()))
    answer = command(
        *("check", "shop.csv", "--target", "bought"),
        *("-o", "features.derive.share=debt / income", "-o", "features.select={name: k_best, k: 5}"),
    )
    assert answer.code == 0, answer.err
    wrong = command("check", "shop.csv", "--target", "bought", "-o", "features.derive.share=debt // income")
    assert wrong.code == 2
    assert "character 7" in wrong.errors[0]
