"""Labels as numbers: each row's class, for a split that deals the classes evenly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.categories import CategoryReader
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.cleaning.numbers import SMALL
from wellfit.data.cleaning.spellings import form_of
from wellfit.data.cleaning.tasks import absent_cells, infer_task, pieces
from wellfit.data.compact import is_compact, numbered

__all__ = ["Labels", "class_labels", "numbers_of"]

Labels = np.ndarray[Any, np.dtype[Any]]
"""Whole numbers; -1 where there is none."""


def class_labels(series: pl.Series, task: str = "auto") -> Labels | None:
    """Give each row's class by number, for a stratified split, or None where the target is a number.

    Rows without a target have the number -1.
    """
    series = safely_named(series)
    absent = absent_cells(series)
    given = series.filter(~absent) if absent.any() else series
    if task == "regression" or len(given) == 0 or (task == "auto" and infer_task(given) == "regression"):
        return None
    return _labels_of_forms(series)


def _labels_of_forms(series: pl.Series) -> Labels:
    """Number the labels in the order of their forms, in as few bytes as hold them; some rows at a time.

    Labels of one form are one class; what a label is written like is no matter of the other rows.
    """
    reader, seen = CategoryReader(words=False), dict[str, int]()
    ids: dict[str, int] = {}
    parts = []
    for part in pieces(series):
        texts = reader.read(part)[0]
        known = texts.drop_nulls().unique().cast(pl.String).to_list()
        for text in known:
            if text not in seen:
                seen[text] = ids.setdefault(form_of(text), len(ids))
        found = numbers_of(texts, {text: seen[text] for text in known})
        parts.append(found.astype(np.min_scalar_type(-1 - len(ids))))
    label_of = np.full(len(ids) + 1, -1, dtype=np.min_scalar_type(-1 - len(ids)))
    label_of[[ids[form] for form in sorted(ids)]] = np.arange(len(ids))
    return np.concatenate([label_of[part] for part in parts])


def numbers_of(texts: pl.Series, ids: Mapping[Any, int]) -> Labels:
    """Give the number of each text, -1 where there is none."""
    if len(texts) <= SMALL:
        return np.array([ids.get(text, -1) for text in texts.to_list()], dtype=np.int64)
    if is_compact(texts):
        return numbered(texts, ids, -1)
    known = {text: number for text, number in ids.items() if text is not None}
    old, new = pl.Series(list(known), dtype=pl.String), pl.Series(list(known.values()), dtype=pl.Int64)
    return texts.replace_strict(old, new, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy(writable=True)
