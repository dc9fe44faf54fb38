"""Every example in a docstring runs, and gives what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import wellfit
from wellfit.runtime import threads

MODULES = sorted(
    ["wellfit"]
    + [
        module.name
        for module in pkgutil.walk_packages(wellfit.__path__, "wellfit.")
        if not module.name.endswith("__main__")
    ]
)

SKIPPED = 2
"""Lines that are shown and not run: they read files of the reader."""


def examples_of(name: str) -> list[doctest.DocTest]:
    module = importlib.import_module(name)
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for test in examples_of(name):
        report: list[str] = []
        with threads(1):
            failed = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append).failed
        assert not failed, "".join(report)


def test_few_examples_are_skipped() -> None:
    tests = [test for name in MODULES for test in examples_of(name)]
    skipped = [
        f"{test.name}: {example.source.strip()}"
        for test in tests
        for example in test.examples
        if example.options.get(doctest.SKIP)
    ]
    assert len(tests) > 100
    assert len(skipped) <= SKIPPED, skipped
