"""Where the clinic is: its module (builder and scorer) and its cases.

The clinic is a folder with ``clinic.py`` and ``dev.jsonl``; it is named by ``--clinic`` or by WELLFIT_CLINIC.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

OWN_CASES = Path(__file__).parent / "cases.jsonl"
Case = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One training of one case."""

    case: Case
    seed: int

    @property
    def key(self) -> tuple[str, int]:
        return self.case["id"], self.seed

    @property
    def healthy(self) -> bool:
        return bool(self.case["truth"] == "healthy")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which cases are run."""
    parser.add_argument("--clinic", default=os.environ.get("WELLFIT_CLINIC"), help="the folder with clinic.py")
    parser.add_argument("--cases", default="dev.jsonl", help="a file of cases; 'own' for the ones of this folder")
    parser.add_argument("--seeds", type=int, help="the first so many verified seeds of each case; all where left out")
    parser.add_argument("--only", default="", help="cases whose id holds one of these texts, with commas between")


def clinic(folder: str | None) -> ModuleType:
    """Import the clinic's module from its folder."""
    if not folder or not (Path(folder) / "clinic.py").is_file():
        raise SystemExit("Name the folder with clinic.py: --clinic DIR or WELLFIT_CLINIC=DIR.")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("clinic")


def read_cases(options: argparse.Namespace) -> list[Case]:
    """Give the cases that the options choose, in the order of the file."""
    given = OWN_CASES if options.cases == "own" else Path(options.cases)
    path = given if given.is_file() else Path(options.clinic) / given
    cases: list[Case] = clinic(options.clinic).load_cases(path)
    wanted = [text for text in options.only.split(",") if text]
    return [case for case in cases if not wanted or any(text in case["id"] for text in wanted)]


def runs_of(cases: list[Case], seeds: int | None) -> list[Run]:
    """Give every verified training of the cases, or of each the first few."""
    return [Run(case, seed) for case in cases for seed in case["seeds"][:seeds]]
