"""What a person sees: lines, tables and errors; results on standard output, all else on standard error."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from wellfit.errors import WellfitWarning

__all__ = ["complain", "noted", "print_json", "print_lines", "print_table", "said", "working"]


def print_json(record: Any) -> None:
    """Print one JSON object; what is not finite is null."""
    sys.stdout.write(json.dumps(_finite(record), ensure_ascii=False, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value


def print_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        sys.stdout.write(line + "\n")


def said(line: str) -> None:
    """Say something beside the result."""
    sys.stderr.write(line + "\n")


def complain(message: str, exit_code: int, *, as_json: bool) -> None:
    """Say in one line what went wrong."""
    said("error: " + " ".join(message.split()))
    if as_json:
        print_json({"error": message, "exit_code": exit_code})


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right_from: int = 1) -> None:
    """Print a table; columns from ``right_from`` on are numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title, style="bold") if title else None, box=SIMPLE_HEAD, show_edge=False, title_justify="left"
    )
    for place, column in enumerate(columns):
        # Cells are text of the person's data: never markup.
        table.add_column(Text(column), justify="right" if place >= right_from else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 140, highlight=False)
    with console.capture() as capture:
        console.print(table)
    print_lines(line.rstrip() for line in ["", *capture.get().strip("\n").splitlines(), ""])


@contextmanager
def working(doing: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Say what goes on, in a line that moves where there is a terminal, in plain lines elsewhere.

    Gives a function that says what is done now. ``quiet`` says nothing.
    """
    if quiet or not sys.stderr.isatty():
        if not quiet:
            said(doing)
        yield (lambda now: None) if quiet else said
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(doing)) as status:
        yield lambda now: status.update(Text(f"{doing}: {now}"))


@contextmanager
def noted(silent: type[WellfitWarning] | None = None) -> Iterator[None]:
    """Say our own warnings as notes, but for a ``silent`` kind, and keep those of libraries to themselves."""

    def show(message: Warning | str, category: type[Warning], *_: Any) -> None:
        if issubclass(category, WellfitWarning) and not (silent and issubclass(category, silent)):
            said(f"note: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", WellfitWarning)
        warnings.showwarning = show  # type: ignore[assignment]
        yield
