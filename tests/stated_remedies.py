"""The remedies that are written in the package's source, for tests that each of them can be followed."""

from __future__ import annotations

import ast
from pathlib import Path

import wellfit
from wellfit.findings import Remedy

_SOURCE = Path(wellfit.__file__).parent


def stated_remedies(*patterns: str) -> list[Remedy]:
    """Give the remedies whose path and value are written in the files of these patterns, each once."""
    files = [file for pattern in patterns for file in _SOURCE.glob(pattern)]
    found = (remedy for file in files for remedy in _stated(ast.parse(file.read_text())))
    each = {(remedy.path, repr(remedy.value)): remedy for remedy in found}
    return sorted(each.values(), key=lambda remedy: (remedy.path, repr(remedy.value)))


def _stated(tree: ast.AST) -> list[Remedy]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Remedy":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            try:
                path, value = (ast.literal_eval(given[name]) for name in ("path", "value"))
            except (ValueError, KeyError):
                continue
            found.append(Remedy(path=path, value=value, why=""))
    return found
