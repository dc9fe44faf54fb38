"""`wellfit.train` to a run, and what the run answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

import wellfit
from small import QUICK, csv_text, small_columns
from wellfit.errors import BadInput, ConfigError, ContractError, WellfitWarning

COLUMNS = small_columns()
TEXT = csv_text(COLUMNS)
FRAME = pl.DataFrame(COLUMNS)

CLASSIFICATION = {"accuracy", "log_loss", "auc", "f1"}
REGRESSION = {"rmse", "mae", "r2"}


def number_target() -> dict[str, list[Any]]:
    return {**COLUMNS, "label": [round(5 * size - 2, 4) for size in COLUMNS["size"]]}


def three_classes() -> dict[str, list[Any]]:
    return {**COLUMNS, "label": [("low", "mid", "high")[min(int(size * 3), 2)] for size in COLUMNS["size"]]}


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    return wellfit.train(number_target(), "label", out=str(tmp_path_factory.mktemp("r") / "run"), **QUICK)


@pytest.fixture(scope="module")
def multiclass(tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    return wellfit.train(three_classes(), "label", out=str(tmp_path_factory.mktemp("m") / "run"), **QUICK)


def test_scores_have_the_names_of_their_task(
    finished: wellfit.Run, regression: wellfit.Run, multiclass: wellfit.Run
) -> None:
    for run, names, simplest in (
        (finished, CLASSIFICATION, "majority"),
        (multiclass, CLASSIFICATION, "majority"),
        (regression, REGRESSION, "mean"),
    ):
        assert set(run.metrics) == {"test", "valid", "baselines"}
        assert set(run.metrics["baselines"]) == {simplest, "linear"}
        for scores in (run.metrics["test"], run.metrics["valid"], *run.metrics["baselines"].values()):
            assert set(scores) == names
            assert all(isinstance(score, float) and np.isfinite(score) for score in scores.values())


def test_the_test_score_is_that_of_the_rows_held_back(finished: wellfit.Run, table: Path) -> None:
    """Dealt anew as scikit-learn deals them, and scored by its functions."""
    from sklearn.model_selection import train_test_split

    _, held = train_test_split(
        np.arange(120), test_size=0.2, random_state=42, stratify=FRAME["label"].to_numpy() == "yes"
    )
    rows = FRAME[np.sort(held)]
    chances, truth = finished.predict_proba(rows), rows["label"].to_numpy()
    scores = finished.metrics["test"]
    assert scores["accuracy"] == pytest.approx(accuracy_score(truth, finished.predict(rows)))
    assert scores["log_loss"] == pytest.approx(log_loss(truth, chances, labels=["no", "yes"]))
    assert scores["auc"] == pytest.approx(roc_auc_score(truth == "yes", chances[:, 1]))
    assert finished.evaluate(rows).metrics == pytest.approx(scores)


def test_findings_and_history_tell_how_it_came_about(finished: wellfit.Run) -> None:
    missing = next(finding for finding in finished.findings if finding.code == "missing_values")
    assert missing.where == "age"
    assert missing.evidence["cells"] > 0
    names = finished.history.names()
    assert {"train_loss", "valid_loss", "lr"} <= set(names)
    assert all(len(finished.history[name]) == 2 for name in ("train_loss", "valid_loss", "lr"))
    assert [record["epoch"] for record in finished.history.epochs()] == [1, 2]


def test_probabilities_are_in_the_order_of_the_classes(
    finished: wellfit.Run, multiclass: wellfit.Run, regression: wellfit.Run
) -> None:
    assert finished.classes_.tolist() == ["no", "yes"]
    assert multiclass.classes_.tolist() == ["high", "low", "mid"]
    assert regression.classes_.tolist() == []
    for run in (finished, multiclass):
        chances = run.predict_proba(FRAME)
        assert chances.shape == (120, len(run.classes_))
        assert chances.dtype == np.float64
        assert np.allclose(chances.sum(axis=1), 1)
        assert run.predict(FRAME).tolist() == run.classes_[chances.argmax(axis=1)].tolist()
    with pytest.raises(ContractError, match="Only a classifier has probabilities"):
        regression.predict_proba(FRAME)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 1], [0, 1]),
        ([3, 7], [3, 7]),
        ([-1, 1], [-1, 1]),
        ([True, False], [False, True]),
        (["0", "1"], [0, 1]),
        (["b", "a"], ["a", "b"]),
    ],
)
def test_labels_come_back_as_they_were_given(tmp_path: Path, labels: list[Any], classes: list[Any]) -> None:
    columns = {**COLUMNS, "label": [labels[size > 0.5] for size in COLUMNS["size"]]}
    run = wellfit.train(columns, "label", out=str(tmp_path / "run"), **QUICK)
    assert run.task == "binary"
    known = run.classes_.tolist()
    assert [str(label) for label in known] == [str(label) for label in classes]
    assert set(run.predict(columns).tolist()) <= set(known)
    again = wellfit.load(run.path)
    assert again.classes_.tolist() == known
    assert again.classes_.dtype == run.classes_.dtype


def test_every_row_is_answered_in_order(finished: wellfit.Run, regression: wellfit.Run) -> None:
    """Rows that stand twice, rows with missing cells, any order, any number at once: one value each, and the same."""
    order = np.random.default_rng(0).integers(0, 120, 500)
    for run, answer in ((finished, finished.predict_proba), (regression, regression.predict)):
        once = answer(FRAME)
        # In float64, sums in another order differ in the last bits alone.
        assert np.allclose(answer(FRAME[order]), once[order], rtol=1e-12)
        assert np.allclose(np.concatenate([answer(FRAME[[row]]) for row in range(20)]), once[:20], rtol=1e-12)
        assert len(run.predict(FRAME[order])) == 500


def test_a_run_read_back_predicts_the_same_bits(finished: wellfit.Run, regression: wellfit.Run) -> None:
    again = wellfit.load(finished.path)
    assert np.array_equal(again.predict_proba(FRAME), finished.predict_proba(FRAME))
    assert again.metrics == finished.metrics
    assert again.history == finished.history
    assert again.findings == finished.findings
    assert np.array_equal(wellfit.load(str(regression.path)).predict(FRAME), regression.predict(FRAME))


SOURCES = {
    "csv": lambda folder: folder / "rows.csv",
    "csv as text": lambda folder: str(folder / "rows.csv"),
    "parquet": lambda folder: folder / "rows.parquet",
    "json lines": lambda folder: folder / "rows.ndjson",
    "arrow file": lambda folder: folder / "rows.arrow",
    "polars": lambda _: FRAME,
    "pandas": lambda _: pd.DataFrame(COLUMNS),
    "pandas, any index": lambda _: pd.DataFrame(COLUMNS, index=range(500, 620)),
    "pandas, nullable": lambda _: pd.DataFrame(COLUMNS).convert_dtypes(),
    "pandas, categories": lambda _: pd.DataFrame(COLUMNS).astype({"kind": "category"}),
    "pandas, objects": lambda _: pd.DataFrame(COLUMNS).astype(object),
    "pyarrow": lambda _: pa.table(COLUMNS),
    "pyarrow, dictionary": lambda _: pa.table({**COLUMNS, "kind": pa.array(COLUMNS["kind"]).dictionary_encode()}),
    "lists": lambda _: COLUMNS,
    "arrays": lambda _: {name: np.array(cells, dtype=object) for name, cells in COLUMNS.items()},
    "all text": lambda _: pl.read_csv(TEXT.encode(), infer_schema=False),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "rows.csv").write_text(TEXT)
    FRAME.write_parquet(folder / "rows.parquet")
    FRAME.write_ndjson(folder / "rows.ndjson")
    FRAME.write_ipc(folder / "rows.arrow")
    return folder


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_table_gets_the_same_answers(finished: wellfit.Run, files: Path, kind: str) -> None:
    expected = finished.predict_proba(files / "rows.csv")
    assert np.array_equal(finished.predict_proba(SOURCES[kind](files), policy="coerce"), expected)


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_table_trains_the_same(finished: wellfit.Run, files: Path, kind: str, tmp_path: Path) -> None:
    run = wellfit.train(SOURCES[kind](files), "label", out=str(tmp_path / "run"), **QUICK)
    assert run.metrics["test"] == pytest.approx(finished.metrics["test"])
    weights = [(each.path / "model.safetensors").read_bytes() for each in (run, finished)]
    assert weights[0] == weights[1]


def test_an_array_trains_with_the_target_by_index(tmp_path: Path) -> None:
    array = np.column_stack([COLUMNS["size"], np.arange(120) % 7, np.array(COLUMNS["size"]) > 0.5]).astype(float)
    run = wellfit.train(array, -1, out=str(tmp_path / "run"), **QUICK)
    assert run.task == "binary"
    assert run.plan["target"]["name"] == "c2"
    assert len(run.predict(array[:, :2])) == 120


def test_settings_are_keywords_or_sections(tmp_path: Path) -> None:
    one = wellfit.train(COLUMNS, "label", out=str(tmp_path / "one"), **QUICK, lr=0.01, optimizer="adam")
    sections = {"train": {"epochs": 2, "threads": 1, "optimizer": {"name": "adam", "lr": 0.01}}}
    other = wellfit.train(
        COLUMNS, "label", out=str(tmp_path / "two"), model={"hidden": [4]}, output={"report": False}, **sections
    )
    assert one.history == other.history
    assert one.config["train"] == other.config["train"]


def test_the_data_may_be_a_keyword(tmp_path: Path) -> None:
    run = wellfit.train(data=FRAME, target="label", out=str(tmp_path / "run"), **QUICK)
    assert run.metrics["test"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"target": "lable"}, "Did you mean 'label'"),
        ({"target": 9}, "index"),
        ({"target": "label", "epohcs": 3}, "Did you mean 'epochs'"),
        ({"target": "label", "epochs": 0}, "'epochs'"),
        ({"target": "label", "test": 0.1}, "name the section"),
        ({"target": "label", "task": "regression"}, "label"),
        ({}, "target"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=said):
        wellfit.train(COLUMNS, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_without_a_table_there_is_nothing_to_train() -> None:
    with pytest.raises(ConfigError, match="must be data"):
        wellfit.train(target="label")
    with pytest.raises(BadInput, match="path or a table in memory"):
        wellfit.train(42, "label")


def test_the_default_folder_is_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [wellfit.train(files / "rows.csv", "label", **QUICK).path.as_posix() for _ in range(2)]
    assert paths == ["runs/rows-1", "runs/rows-2"]
    assert wellfit.train(COLUMNS, "label", **QUICK).path.as_posix() == "runs/table-1"


def test_rows_that_do_not_fit_are_told(finished: wellfit.Run) -> None:
    rows = {**COLUMNS, "size": ["many", *COLUMNS["size"][1:]], "more": [0] * 120}
    with pytest.warns(WellfitWarning, match="'size'.*'many'"):
        finished.predict(rows)
    with pytest.raises(ContractError, match="'many'"):
        finished.predict(rows, policy="error")
    assert len(finished.predict(rows, policy="coerce")) == 120
    report = finished.predict_rows(rows, policy="coerce").report
    assert report.columns["size"].unparsed == 1
    assert report.extra_columns == ("more",)


def test_unseen_levels_are_counted(finished: wellfit.Run) -> None:
    rows = {**COLUMNS, "kind": ["new", "new", *COLUMNS["kind"][2:]]}
    report = finished.predict_rows(rows).report
    assert report.columns["kind"].unseen == 2
    assert report.columns["kind"].examples["unseen"] == "new"
    assert "'kind': 2 cells have a level that is new or was rare (such as 'new')." in report.sentences()


def test_evaluate_needs_the_target_and_tells_of_rows_without(finished: wellfit.Run) -> None:
    with pytest.raises(ContractError, match="'label'"):
        finished.evaluate(FRAME.drop("label"))
    scores = finished.evaluate({**COLUMNS, "label": [None] * 20 + COLUMNS["label"][20:]})
    assert scores.without_target == 20
    assert len(scores.target) == 100


def test_a_run_without_test_rows_has_no_test_score(tmp_path: Path) -> None:
    run = wellfit.train(COLUMNS, "label", out=str(tmp_path / "run"), split={"test": 0.0}, **QUICK)
    assert "test" not in run.metrics
    assert run.metrics["valid"]
    assert run.metrics["baselines"]["majority"]


def test_a_target_with_a_far_scale_is_answered_in_its_own_unit(tmp_path: Path) -> None:
    columns = {**COLUMNS, "label": [1e6 + 1e5 * size for size in COLUMNS["size"]]}
    run = wellfit.train(columns, "label", out=str(tmp_path / "run"), **{**QUICK, "epochs": 40}, lr=0.02)
    assert run.task == "regression"
    assert 0.95e6 < run.predict(columns).min() < run.predict(columns).max() < 1.15e6
    assert run.metrics["test"]["rmse"] < 0.6 * run.metrics["baselines"]["mean"]["rmse"]


def test_training_beats_the_majority_where_there_is_something_to_learn(tmp_path: Path) -> None:
    run = wellfit.train(small_columns(rows=600), "label", out=str(tmp_path / "run"), epochs=15, threads=1, report=False)
    assert run.metrics["test"]["accuracy"] > 0.9
    assert run.metrics["test"]["accuracy"] > run.metrics["baselines"]["majority"]["accuracy"] + 0.2


def test_the_report_is_written_anew(finished: wellfit.Run) -> None:
    before = (finished.path / "report.html").read_bytes()
    assert finished.report() == finished.path / "report.html"
    assert (finished.path / "report.html").read_bytes() == before


def test_a_run_says_what_it_is(finished: wellfit.Run) -> None:
    assert repr(finished) == f"Run({str(finished.path)!r}, task='binary')"
    assert finished.config["data"]["target"] == "label"
    assert json.loads((finished.path / "model.json").read_text())["versions"]["wellfit"] == wellfit.__version__


def test_training_leaves_global_state_as_it_was(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(5)
    before, threads = torch.get_rng_state().clone(), torch.get_num_threads()
    np.random.seed(3)
    numbers = np.random.get_state()[1].copy()  # type: ignore[union-attr, index]
    wellfit.train(COLUMNS, "label", out=str(tmp_path / "run"), **QUICK)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    assert np.array_equal(np.random.get_state()[1], numbers)  # type: ignore[index]


def dirty_rows(rows: int) -> dict[str, list[str]]:
    draw = np.random.default_rng(0)
    size = draw.normal(1500, 300, rows)
    income = [f"${value:,.2f}" if value > 1500 else f"{value:.2f}" for value in size]
    return {
        "income": income,
        "town": draw.choice(["u", "v"], rows).tolist(),
        "rich": (size > 1600).astype(str).tolist(),
    }


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    """A run under the policy of error, whose training rows hold text numbers, beside its table."""
    folder = tmp_path_factory.mktemp("strict")
    pl.DataFrame(dirty_rows(300)).write_csv(folder / "rows.csv")
    clean = {"on_schema": "error"}
    return wellfit.train(folder / "rows.csv", "rich", out=str(folder / "run"), **QUICK, clean=clean)


def test_the_training_table_fits_under_the_policy_error(strict: wellfit.Run) -> None:
    assert len(strict.evaluate(strict.path.parent / "rows.csv").target) == 300


def test_one_policy_holds_for_predict_and_evaluate(strict: wellfit.Run) -> None:
    rows = {**dirty_rows(300), "town": ["nowhere"] * 300}
    for ask in (strict.predict, strict.evaluate):
        with pytest.raises(ContractError, match="'town': 300 cells have a level that is new"):
            ask(rows)
        with pytest.warns(WellfitWarning, match="'town' has shifted"):
            ask(rows, policy="warn")
        ask(rows, policy="coerce")
        with pytest.raises(ConfigError, match="Did you mean 'warn'"):
            ask(rows, policy="wan")


def test_a_column_that_lacks_is_filled_by_coerce_alone(strict: wellfit.Run) -> None:
    rows = {name: cells for name, cells in dirty_rows(300).items() if name != "town"}
    for ask in (strict.predict, strict.evaluate):
        for policy in ("error", "warn"):
            with pytest.raises(ContractError, match="'town' that the model needs"):
                ask(rows, policy=policy)
        ask(rows, policy="coerce")
    empty = {**rows, "town": [None] * 300}
    assert np.array_equal(strict.predict_proba(rows, policy="coerce"), strict.predict_proba(empty, policy="coerce"))
