"""What cleaning found in a column: how many cells, an example, what is done, and the setting that turns it off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from wellfit.data.cleaning.date_style import dates_by_hand
from wellfit.data.cleaning.dates_as_numbers import number_dates
from wellfit.data.cleaning.inference import Inferred
from wellfit.data.cleaning.sentinels import sentinels
from wellfit.data.compact import as_text, is_worded
from wellfit.findings import Finding, Remedy

__all__ = ["column_findings"]


def column_findings(name: str, series: pl.Series, inferred: Inferred, *, mixed: bool) -> Iterator[Finding]:
    """Tell what was found in the training cells of a column.

    Args:
        name: The column's name.
        series: The raw training cells.
        inferred: What the column is.
        mixed: Whether the table has typed columns too, so that text is worth a mention.
    """
    if inferred.units:
        yield _units(name, inferred.units)
    if inferred.torn:
        yield _torn(name, *inferred.torn)
    if inferred.drop or inferred.note:
        yield _not_used(name, inferred)
    if inferred.drop:
        return
    if inferred.codes and not inferred.note:
        yield _codes(name, series)
    yield from _missing(name, series, inferred)
    if inferred.counts.infinite:
        message = f"'{name}': {inferred.counts.infinite:,} training cells are infinite and count as missing."
        yield _info("infinite_values", name, message, cells=inferred.counts.infinite)
    yield from _text_numbers(name, series, inferred, mixed)
    yield from _spellings(name, inferred)
    if inferred.reader.kind == "datetime" and is_worded(series):
        yield from _dates(name, as_text(series), inferred)
    if inferred.guessed:
        yield _guessed(name, inferred)
    if inferred.reader.kind == "number":
        yield from _sentinels(name, inferred)
        yield from _number_dates(name, inferred)


def _info(code: str, where: str, message: str, *remedies: Remedy, applied: bool = True, **evidence: Any) -> Finding:
    evidence = {**evidence, "applied": "yes" if applied else "proposed"}
    return Finding(code=code, severity="info", where=where, message=message, evidence=evidence, remedies=remedies)


def _setting(name: str, key: str, value: object, why: str) -> Remedy:
    return Remedy(path=f"clean.columns.{name}.{key}", value=value, why=why)


def _not_used(name: str, inferred: Inferred) -> Finding:
    done = f"'{name}' is left out: {inferred.drop}." if inferred.drop else f"'{name}': {inferred.note}."
    remedy = Remedy(path=f"features.columns.{name}.type", value=inferred.reader.kind, why="to use it all the same")
    remedies = (remedy,) if inferred.code in ("id_column", "duplicate_column") else ()
    return Finding(code=inferred.code, severity="info", where=name, message=done, remedies=remedies)


def _missing(name: str, series: pl.Series, inferred: Inferred) -> Iterator[Finding]:
    rows, counts = len(series), inferred.counts
    lost = counts.missing + counts.unparsed
    if not lost:
        return
    evidence: dict[str, Any] = {"cells": lost, "share": lost / rows, "unparsed": counts.unparsed}
    message = f"'{name}': {lost:,} of {rows:,} training cells are missing"
    disguises = _disguises(series, inferred.typed) if lost > series.null_count() else {}
    remedies: tuple[Remedy, ...] = ()
    if disguises:
        written = ", ".join(map(repr, list(disguises)[:3])) + (", ..." if len(disguises) > 3 else "")
        message += f", {sum(disguises.values()):,} of them written as {written}"
        evidence |= {
            "disguised": sum(disguises.values()),
            "example": next((text for text in disguises if text.strip()), ""),
        }
    why = "to take them for levels"
    if disguises and inferred.reader.kind == "category":
        remedies = (_setting(name, "keep", [text.strip() for text in disguises if text.strip()], why),)
    elif disguises and inferred.reader.kind in ("number", "datetime"):
        remedies = (Remedy(path=f"features.columns.{name}.type", value="category", why=why),)
    yield _info("missing_values", name, f"{message}.", *remedies, **evidence)


def _disguises(series: pl.Series, typed: pl.Series) -> dict[str, int]:
    """Count the texts that were read as missing, the most frequent first."""
    if not is_worded(series):
        return {}
    found = pl.DataFrame({"cell": series.alias("cell"), "typed": typed.alias("typed")})
    found = found.filter(pl.col("typed").is_null() & pl.col("cell").is_not_null())
    counts = found.group_by("cell").len().with_columns(pl.col("cell").cast(pl.String))
    counts = counts.sort("len", "cell", descending=[True, False])
    return dict(counts.head(20).rows())


def _text_numbers(name: str, series: pl.Series, inferred: Inferred, mixed: bool) -> Iterator[Finding]:
    if not is_worded(series) or inferred.reader.kind != "number":
        return
    comma = getattr(inferred.reader, "decimal", ".") == ","
    cells = inferred.typed.count() if mixed or comma else inferred.counts.converted
    if cells:
        read = as_text(series).filter(inferred.typed.is_not_null())
        example = inferred.counts.examples.get("converted") or read[0]
        message = f"'{name}': {cells:,} training cells are numbers written as text, such as {example!r}."
        off = _setting(name, "types", "keep", "to take only plain numbers for numbers")
        yield _info("numbers_as_text", name, message, off, cells=cells, example=example)


def _codes(name: str, series: pl.Series) -> Finding:
    example = str(series.drop_nulls()[0])
    cells = series.count()
    message = (
        f"'{name}': {cells:,} training cells are whole numbers such as {example} that are read as codes, not amounts."
    )
    off = Remedy(path=f"features.columns.{name}.type", value="number", why="to take them for numbers")
    return _info("numbers_as_codes", name, message, off, cells=cells, example=example)


def _spellings(name: str, inferred: Inferred) -> Iterator[Finding]:
    if inferred.forms:
        cells = _cells(inferred.forms, inferred.cells)
        text = max(inferred.forms, key=lambda form: (inferred.cells[form], form))
        message = (
            f"'{name}': {cells:,} training cells are other spellings of a level, such as {text!r} for "
            f"{inferred.forms[text]!r}; they are read as that level."
        )
        off = _setting(name, "spellings", "keep", "to keep them apart")
        yield _info("inconsistent_spellings", name, message, off, cells=cells, example=text)
    if inferred.typos:
        yield _typos(name, inferred)


def _typos(name: str, inferred: Inferred) -> Finding:
    cells = _cells(inferred.typos, inferred.cells)
    text = max(inferred.typos, key=lambda typo: (inferred.cells[typo], typo))
    merged = any(typo in getattr(inferred.reader, "merged", {}) for typo in inferred.typos)
    message = (
        f"'{name}': {cells:,} training cells look like typing errors, such as {text!r} for {inferred.typos[text]!r}; "
        f"they are {'read as that level' if merged else 'kept'}."
    )
    other = ("keep", "to keep them apart") if merged else ("merge", "to read them as the level they mean")
    remedy = _setting(name, "spellings", *other)
    return _info("inconsistent_spellings", name, message, remedy, applied=merged, cells=cells, example=text)


def _cells(texts: Mapping[str, str], cells: Mapping[str, int]) -> int:
    return sum(cells[text] for text in texts)


def _dates(name: str, series: pl.Series, inferred: Inferred) -> Iterator[Finding]:
    texts = dates_by_hand(series, inferred.typed)
    if len(texts):
        message = f"'{name}': {len(texts):,} training cells are dates that are not written year-month-day, such as "
        off = _setting(name, "types", "keep", "to take only dates that are written year-month-day for dates")
        evidence = {"cells": len(texts), "example": texts[0]}
        yield _info("dates_as_text", name, f"{message}{texts[0]!r}; they are read as dates.", off, **evidence)


def _number_dates(name: str, inferred: Inferred) -> Iterator[Finding]:
    found = number_dates(name, inferred.typed)
    if found is not None:
        cells = inferred.typed.count()
        such = f"such as {found.example} for {found.moment}"
        message = f"'{name}': {cells:,} training cells look like dates in numbers, {such}; they are kept as numbers."
        remedy = Remedy(path=f"features.columns.{name}.type", value="datetime", why="to read them as dates")
        yield _info("dates_as_numbers", name, message, remedy, applied=False, cells=cells, example=found.example)


def _torn(name: str, day: str, month: str) -> Finding:
    message = (
        f"'{name}': dates such as {day!r} have the day first and others such as {month!r} the month; the column is not "
        "read as dates."
    )
    remedy = _setting(name, "dates", "dmy", "to read all as dates, the day first where both are possible")
    return _info("ambiguous_dates", name, message, remedy, applied=False, example=f"{day}; {month}")


def _guessed(name: str, inferred: Inferred) -> Finding:
    first = "day" if inferred.guessed and getattr(inferred.reader, "order", "") == "dmy" else "month"
    other = "mdy" if first == "day" else "dmy"
    message = (
        f"'{name}': dates such as {inferred.guessed!r} may have the day or the month first, and nothing in the column "
        f"tells; they are read {first} first."
    )
    return _info("ambiguous_dates", name, message, _setting(name, "dates", other, "to read them the other way"))


def _units(name: str, units: Mapping[str, int]) -> Finding:
    ranked = sorted(units, key=lambda unit: (-units[unit], unit))
    message = f"'{name}': its numbers have several units ({', '.join(ranked[:4])}); it is not read as numbers."
    remedy = _setting(name, "unit", ranked[0], f"to turn every number into {ranked[0]}")
    cells = sum(units.values()) - units[ranked[0]]
    return _info("mixed_units", name, message, remedy, applied=False, cells=cells, example=ranked[-1])


def _sentinels(name: str, inferred: Inferred) -> Iterator[Finding]:
    for sentinel in sentinels(inferred.typed):
        shown = f"{sentinel.value:.15g}"
        message = (
            f"'{name}': {sentinel.cells:,} training cells are {shown}, which may stand for a missing value: "
            f"{sentinel.reason}; they are kept as numbers."
        )
        remedy = _setting(name, "markers", [shown], "to take them for missing")
        yield _info("sentinel_values", name, message, remedy, applied=False, cells=sentinel.cells, example=shown)
