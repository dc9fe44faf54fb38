"""Dirt of known kinds put into a table of text; what every cell was is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

KINDS = ("missing", "text_number", "typo", "form", "date")

DISGUISES = (
    *("?", "NA", "N/A", "n/a", "null", "NULL", "None", "none", "unknown", "Unknown", "-", "--", "", " ", "missing"),
    *("#N/A", "nan", "NaN", "not available", "<NA>", "(blank)", "n.a.", "not_available", "undefined", "???"),
)

MISSING = ("", "?", "na", "nan", "unknown", "none")
"""Cells of the clean tables that are dirtied with nothing: they are missing already, or may be."""

Draw = np.random.Generator


@dataclass(frozen=True)
class Dirt:
    """A dirtied table and its truth."""

    frame: pl.DataFrame
    """The rows as they would be read, copies of rows among them."""
    origin: np.ndarray
    """For each row the number of the clean row it is."""
    copies: np.ndarray
    """Whether a row is an exact copy of one before it."""
    cells: dict[str, dict[str, np.ndarray]]
    """By kind and column, the numbers of the clean rows whose cell was dirtied."""


@dataclass(frozen=True)
class Roles:
    """Which columns may get which dirt, told from the clean table alone."""

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    dates: tuple[str, ...]


def roles_of(frame: pl.DataFrame) -> Roles:
    """Sort columns of text: numbers of more than ten values, words of at most 500 levels, ISO dates."""
    numbers: list[str] = []
    categories: list[str] = []
    dates: list[str] = []
    for series in frame.get_columns():
        known = series.drop_nulls().str.strip_chars()
        known = known.filter(~known.str.to_lowercase().is_in(MISSING))
        if not len(known):
            continue
        as_number = known.cast(pl.Float64, strict=False)
        if as_number.null_count() == 0:
            # Numbers with a zero in front are codes, which nobody writes as a price.
            if known.n_unique() > 10 and not known.str.contains(r"^0\d").any():
                numbers.append(series.name)
        elif known.str.contains(r"^\d{4}-\d{2}-\d{2}").all():
            dates.append(series.name)
        elif as_number.count() == 0 and 2 <= known.n_unique() <= min(500, len(known) // 10):
            categories.append(series.name)
    return Roles(tuple(numbers), tuple(categories), tuple(dates))


def inject(frame: pl.DataFrame, roles: Roles, *, rate: float = 0.05, copies: float = 0.03, seed: int = 0) -> Dirt:
    """Dirty a share of the cells of every column, each by one kind, and put copies of dirty rows anywhere."""
    draw = np.random.default_rng(seed)
    cells: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in KINDS}
    columns = []
    for series in frame.get_columns():
        values = series.to_list()
        left = np.flatnonzero([value is not None and value.strip().lower() not in MISSING for value in values])
        for kind, change in _changes(series, roles):
            rows = np.sort(draw.choice(left, size=min(round(rate * len(values)), len(left) // 4), replace=False))
            done = _changed(values, rows, change, draw)
            cells[kind][series.name] = done
            left = np.setdiff1d(left, done)
        columns.append(pl.Series(series.name, values, dtype=pl.String))
    dirty = pl.DataFrame(columns)
    origin = np.arange(frame.height)
    copied = np.sort(draw.choice(origin, size=round(copies * frame.height), replace=False))
    order = np.concatenate([origin, copied])
    place = np.concatenate([origin.astype(float), copied + draw.uniform(0.5, frame.height, len(copied))])
    order = order[np.argsort(place, kind="stable")]
    seen: set[int] = set()
    is_copy = np.array([row in seen or bool(seen.add(row)) for row in order.tolist()])
    return Dirt(dirty[order], order, is_copy, cells)


def _changes(series: pl.Series, roles: Roles) -> list[tuple[str, Callable[[str, Draw], str | None]]]:
    name = series.name
    changes: list[tuple[str, Callable[[str, Draw], str | None]]] = []
    if name in roles.numbers:
        changes.append(("text_number", number_writer(series)))
    if name in roles.categories:
        changes += [("typo", typo), ("form", form)]
    if name in roles.dates:
        changes.append(("date", date))
    if name in (*roles.numbers, *roles.categories, *roles.dates):
        levels = {text.strip().lower() for text in series.drop_nulls().unique().to_list()}
        disguises = [text for text in DISGUISES if text.lower() not in levels]
        changes.append(("missing", lambda text, draw: str(draw.choice(disguises))))
    return changes


def _changed(values: list, rows: np.ndarray, change: Callable[[str, Draw], str | None], draw: Draw) -> np.ndarray:
    done = []
    for row in rows.tolist():
        new = change(values[row], draw)
        if new is not None and new != values[row]:
            values[row] = new
            done.append(row)
    return np.array(done, dtype=np.int64)


def number_writer(series: pl.Series) -> Callable[[str, Draw], str | None]:
    """Give what writes a number otherwise without changing its value."""
    decimals = max((len(text.partition(".")[2]) for text in series.drop_nulls().head(200).to_list()), default=0)

    def write(text: str, draw: Draw) -> str | None:
        plain = text.strip()
        if "e" in plain.lower():
            return None
        whole, _, part = plain.lstrip("+-").partition(".")
        negative = plain.startswith("-")
        grouped = f"{int(whole or 0):,}" + (f".{part}" if part else "")
        forms = [f"${plain}", f"{plain} USD", f"€{plain}", f" {plain} ", f"{plain}%", f"EUR {plain}", f"+{plain}"]
        if "," in grouped:
            signed = f"-{grouped}" if negative else grouped
            forms += [signed, f"${signed}", signed.replace(",", " ") if not part else signed] * 2
        if part and decimals:
            forms += [plain.replace(".", ",")] * 2
        if negative:
            forms = [form for form in forms if "+" not in form] + [f"({plain[1:]})"] * 2
        return str(draw.choice(forms))

    return write


def typo(text: str, draw: Draw) -> str | None:
    """Swap, drop, double or replace one letter of a word of four letters or more, not the first; codes have no words."""
    plain = text.strip()
    words = [word for word in re.finditer(r"[^\W\d_]{4,}", plain) if not (word[0].isupper() and len(word[0]) == 4)]
    letters = [at for word in words for at in range(word.start() + 1, word.end())]
    if not letters or any(map(str.isdigit, plain)) or re.search("[a-z][A-Z]", plain):
        return None
    at = int(draw.choice(letters))
    how = draw.integers(4)
    if how == 0 and at + 1 < len(plain) and plain[at + 1].isalpha() and plain[at] != plain[at + 1]:
        return plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]
    if how == 1:
        return plain[:at] + plain[at + 1 :]
    if how == 2:
        return plain[:at] + plain[at] + plain[at:]
    other = chr(ord("a") + int(draw.integers(26)))
    return None if other == plain[at].lower() else plain[:at] + other + plain[at + 1 :]


def form(text: str, draw: Draw) -> str | None:
    """Write a level in another case, with other blanks, joints or Unicode forms."""
    plain = text.strip()
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in plain)
    forms = [plain.upper(), plain.lower(), plain.title(), plain.swapcase(), f" {plain}", f"{plain}  ", f"\t{plain}"]
    forms += [f"{plain}\u00a0", f"{plain}.", f"'{plain}'", wide]
    if " " in plain:
        forms += [
            plain.replace(" ", "_"),
            re.sub(r"(?<=[^\W\d_]) (?=[^\W\d_])", "-", plain),
            plain.replace(" ", "  "),
        ] * 2
    if "-" in plain:
        forms += [plain.replace("-", " "), plain.replace("-", "_")] * 2
    return str(draw.choice([one for one in forms if one != text]))


def date(text: str, draw: Draw) -> str | None:
    """Write an ISO date in another format, the day first with points, the month first with slashes."""
    plain = text.strip()
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        return None
    clock = "" if len(plain) == 10 else moment.strftime(" %H:%M:%S")
    formats = ("%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d", "%d %B %Y", "%b %d, %Y", "%d-%b-%Y", "%B %d, %Y", "%Y.%m.%d")
    return moment.strftime(str(draw.choice(formats))) + clock
