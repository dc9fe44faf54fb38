"""The record of a benchmark, which stands one folder up, for the scripts of this folder."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from record import facts as _facts
from record import save, show, spread

__all__ = ["facts", "save", "show", "spread"]


def facts(*packages: str) -> dict[str, Any]:
    """Give machine, versions, day and command; of paths in the command only the last part."""
    arguments = [Path(argument).name if "/" in argument else argument for argument in sys.argv[1:]]
    command = shlex.join(["python", f"benchmarks/clinic/{Path(sys.argv[0]).name}", *arguments])
    names = ("wellfit", "torch", "numpy", "polars", "scikit-learn", *packages)
    return {**_facts(names), "command": command}
