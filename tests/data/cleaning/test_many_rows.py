"""Of many rows only a few columns are looked at first; what is found is the same as by all of them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from wellfit.data.cleaning.contract import ColumnContract
from wellfit.data.cleaning.duplicates import repeated_rows, telling_columns
from wellfit.data.cleaning.split_leaks import shared_rows
from wellfit.data.columnwise import MANY
from wellfit.data.compact import compact_text, level_counts

ROWS = 2 * MANY


def _table(seed: int, rows: int = ROWS) -> pl.DataFrame:
    """Give measures with missing cells, of which rows are alike in most, beside columns of few levels."""
    rng = np.random.default_rng(seed)
    numbers = {f"n{place}": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)) for place in range(6)}
    levels = {f"c{place}": rng.integers(0, 4, rows) for place in range(3)}
    return pl.DataFrame(numbers | levels, nan_to_null=True)


def _with_copies(frame: pl.DataFrame) -> pl.DataFrame:
    """Copy some rows, and copy others in all columns but one that tells rows apart or does not."""
    nearly = [frame[:50].with_columns(pl.lit(9.0).alias(name)) for name in ("n5", "n0")]
    return pl.concat([frame, frame[100:400], frame[:70].with_columns(c2=pl.lit(9, dtype=pl.Int64)), *nearly])


@pytest.mark.parametrize("places", [slice(0, 9), slice(6, 9)], ids=["telling", "levels alone"])
def test_repeated_rows_are_those_that_polars_finds(places: slice) -> None:
    frame = _with_copies(_table(0))[:, places]
    assert (len(telling_columns(frame)) < frame.width) == (frame.width == 9)
    first = frame.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
    np.testing.assert_array_equal(repeated_rows(frame), ~first)
    assert (~first).sum() >= 300


def test_no_row_is_repeated_where_none_is() -> None:
    frame = _table(0).filter(pl.sum_horizontal(pl.all().is_not_null()) > 6)
    assert frame.height > 0.7 * ROWS
    assert not repeated_rows(frame).any()


def test_shared_rows_are_counted_by_all_columns() -> None:
    train = _table(0)
    copies = train[:900].filter(pl.col("n0").is_not_null() & pl.col("n1").is_not_null())
    nearly = train[2_000:3_000].with_columns(c2=pl.lit(9, dtype=pl.Int64))
    (found,) = shared_rows(train, pl.concat([_table(2, 5_000), copies, nearly]), "test")
    assert found.evidence["rows"] in range(copies.height, copies.height + 6)
    assert not list(shared_rows(train, pl.concat([_table(2, 5_000), nearly]), "test"))


def test_levels_are_counted_as_polars_counts_them() -> None:
    texts = pl.Series("^odd.*$", ["b", None, "a", "", "b"] * 300)
    counts = texts.alias("text").drop_nulls().value_counts().rows()
    assert level_counts(texts.cast(compact_text())) == dict(counts)
    assert level_counts(texts[:0].cast(compact_text())) == {}
    assert level_counts(texts.cast(compact_text())[1:2]) == {}


def test_bins_are_those_of_a_search() -> None:
    rng = np.random.default_rng(3)
    train, later = (pl.Series(rng.integers(0, 40, rows) / 4, dtype=pl.Float64) for rows in (3_000, 2_000))
    later = later.scatter(np.arange(0, 2_000, 9), None)
    contract = ColumnContract.learn(train)
    places = np.searchsorted(contract.edges, later.drop_nulls().to_numpy(), side="left")
    counts = [later.null_count(), *np.bincount(places, minlength=len(contract.edges) + 1)]
    np.testing.assert_array_equal(contract._counts(later), counts)
    later_shares = (np.array(counts) + 0.5) / (2_000 + 0.5 * len(counts))
    before = (np.array(contract.shares) * 3_000 + 0.5) / (3_000 + 0.5 * len(counts))
    expected = ((later_shares - before) * np.log(later_shares / before)).sum()
    assert contract.compare(later).psi == pytest.approx(expected, rel=1e-12)
