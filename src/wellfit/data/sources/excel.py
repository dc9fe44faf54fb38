"""Excel and OpenDocument workbooks: one sheet is a table."""

from __future__ import annotations

import logging
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl

from wellfit.data.sources.contents import first_bytes, foreign_format, refuse_trap
from wellfit.data.sources.delimited.header import has_header, names_from
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import distinct_names, finished, index_names
from wellfit.data.sources.paths import readable_file
from wellfit.data.table import Table
from wellfit.errors import DataError, did_you_mean, shown

__all__ = ["ENTRY", "SHEET", "Sheet", "sheet_of"]

_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
SHEET = re.compile(r"(?P<path>.+\.(?:xlsx|xlsm|xlsb|xls|ods))\?sheet=(?P<sheet>.*)", re.IGNORECASE | re.DOTALL)
_HEAD_BYTES = 1 << 16
_PROBE_ROWS = 200
_INSTALL = "Install it: pip install 'wellfit[excel]'."


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook, by its name."""

    path: Path
    name: str


def sheet_of(text: str) -> Sheet | None:
    """Tell ``book.xlsx?sheet=May`` from the path of a file.

    >>> sheet_of("book.xlsx") is None
    True

    Raises:
        DataError: there is no such file.
    """
    named = SHEET.fullmatch(text)
    return Sheet(readable_file(Path(named["path"])), named["sheet"]) if named else None


def read(source: Path | Sheet, header: Header) -> Table:
    """Read the named sheet, or the first; columns keep the types of their cells, those of mixed cells are text.

    Raises:
        DataError: the workbook is damaged or locked, the sheet is not there, or the reader is not installed.
    """
    path = source.path if isinstance(source, Sheet) else source
    book = _opened(path)
    name = _chosen(book.sheet_names, source)
    others = [sheet for sheet in book.sheet_names if sheet != name]
    try:
        frame, named, title = _frame(book, name, header)
    except DataError as error:
        raise _with_others(error, others) from None
    notes = [f"Sheet '{name}' is read; others: {', '.join(others)}."] if others else []
    notes += [f"Above the table stands {shown(title)}, which is left out."] if title else []
    details: dict[str, str | int | bool] = {"sheet": name, "header": named, "bytes": path.stat().st_size}
    uri = str(path) + (f"?sheet={name}" if isinstance(source, Sheet) else "")
    # without the file's checksum: that of the rows tells one sheet from another
    return finished(frame, uri=uri, kind="excel", details=details, notes=notes)


def _with_others(error: DataError, others: list[str]) -> DataError:
    """Name the other sheets of the workbook in what is wrong with one."""
    if not others:
        return error
    names = ", ".join(others[:10]) + (", ..." if len(others) > 10 else "")
    return DataError(error.rule, got=error.got, do=f"{error.do} The other sheets are: {names}.".strip())


def _opened(path: Path) -> Any:
    try:
        import fastexcel
    except ImportError:
        raise DataError("Reading a workbook needs fastexcel.", got=str(path), do=_INSTALL) from None
    # its remarks on columns without any cell are of no use to a person
    logging.getLogger("fastexcel").addHandler(logging.NullHandler())
    _refuse_trap(path)
    try:
        return fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        raise _damaged(path, str(error)) from None


def _refuse_trap(path: Path) -> None:
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, OSError) as error:
            raise _damaged(path, str(error)) from None
        refuse_trap(path, "workbook", unpacked)


def _damaged(path: Path, reason: str) -> DataError:
    if "password" in reason.lower():
        return DataError("The workbook is locked by a password.", got=str(path), do="Save it without one.")
    said = reason.partition("\n")[0].rstrip(".")
    return DataError(
        "The workbook is cut off or damaged.", got=str(path), do=f"Save it again. The reader says: {said}."
    )


def _chosen(sheets: list[str], source: Path | Sheet) -> str:
    if not sheets:
        raise DataError("The workbook has no sheets.", got=str(source), do="Save it again.")
    if not isinstance(source, Sheet):
        return sheets[0]
    for name in (source.name, unquote(source.name)):
        if name in sheets:
            return name
    if source.name.isdecimal() and 1 <= int(source.name) <= len(sheets):
        return sheets[int(source.name) - 1]
    rule = f"There is no such sheet in '{source.path}'."
    raise DataError(rule, got=source.name, do=did_you_mean(source.name, sheets))


def _frame(book: Any, name: str, header: Header) -> tuple[pl.DataFrame, bool, str]:
    """Read a sheet with the names of its first row, or with numbered ones; a title above the table is given apart."""
    head = _loaded(book, name, n_rows=_PROBE_ROWS, dtypes="string")
    if not head.height:
        raise DataError(f"The sheet '{name}' is empty.", do="Name another: book.xlsx?sheet=NAME.")
    rows = [["" if cell is None else cell for cell in row] for row in head.rows()]
    above = _rows_above(rows)
    title, rows = " ".join(cell for row in rows[:above] for cell in row if cell.strip()), rows[above:]
    named = has_header(rows) if header == "auto" else header
    names = names_from(rows[0])[0] if named else index_names(head.width)
    skipped = above + named
    body = _loaded(book, name, skip_rows=skipped) if skipped else _loaded(book, name)
    if not body.height:
        do = "Give a sheet with at least one row, or set header to false if the first row is data."
        raise DataError(f"The sheet '{name}' has a header of {len(names)} names and no rows.", do=do)
    kept = [place for place in range(body.width) if not _blank(body, place, rows[0] if named else None)]
    distinct_names([names[place] for place in kept], "Rename them in the sheet.")
    frame = pl.DataFrame([_typed(body.to_series(place)).alias(names[place]) for place in kept])
    return _without_blank_rows(frame), named, title


def _rows_above(rows: list[list[str]]) -> int:
    """Count the rows above a table: a title and the like have one cell at the most, and the table has more."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    above = next((place for place, cells in enumerate(filled) if cells > 1), 0)
    return above if len(rows[0]) > 2 and filled[above] > len(rows[0]) / 2 else 0


def _loaded(book: Any, name: str, **options: Any) -> pl.DataFrame:
    frame: pl.DataFrame = book.load_sheet(name, header_row=None, **options).to_polars()
    return frame


def _typed(cells: pl.Series) -> pl.Series:
    """Give whole numbers as such: a workbook holds no others than fractions."""
    if not cells.dtype.is_float() or not ((cells == cells.round()) & (cells.abs() < 2**53)).all():
        return cells
    return cells.cast(pl.Int64)


def _blank(body: pl.DataFrame, place: int, first: list[str] | None) -> bool:
    """Whether a column has neither a name nor a cell: sheets keep such where something was cleared."""
    return (first is None or not first[place].strip()) and body.to_series(place).null_count() == body.height


def _without_blank_rows(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _matches(source: Any) -> bool:
    if isinstance(source, Sheet):
        return True
    if not isinstance(source, Path) or source.is_dir():
        return False
    return source.suffix.lower() in _SUFFIXES or foreign_format(first_bytes(source, _HEAD_BYTES)) == "an Excel workbook"


ENTRY = SourceEntry(
    name="excel",
    summary="an Excel or OpenDocument workbook: book.xlsx, or book.xlsx?sheet=NAME",
    make=read,
    matches=_matches,
    reference="https://fastexcel.toucantoco.dev",
)
