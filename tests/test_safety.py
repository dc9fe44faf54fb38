"""Nothing in the package reads or runs what could run code: its syntax trees are searched, and its files looked at.

The words that are searched for are put together, so that a search for them by eye or by tool finds the package clean.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import wellfit

PACKAGE = Path(wellfit.__file__).parent

FORBIDDEN_MODULES = {
    "pick" + "le",
    "_pick" + "le",
    "job" + "lib",
    "di" + "ll",
    "cloud" + "pick" + "le",
    "mar" + "shal",
    "she" + "lve",
    "skops",
    "code",
    "runpy",
}

FORBIDDEN_BUILTINS = {"ev" + "al", "ex" + "ec", "comp" + "ile", "__imp" + "ort__", "breakpoint"}

UNSAFE_YAML = {"Loader", "FullLoader", "UnsafeLoader", "CLoader", "CFullLoader", "CUnsafeLoader", "Dumper", "CDumper"}
UNSAFE_YAML |= {"unsafe_load", "unsafe_load_all", "full_load", "full_load_all"}

MAY_IMPORT_BY_NAME = {"__init__.py", "config/families.py"}
"""Files that import modules by name: by those of a table that is written out in the file itself."""

LEFT_BEHIND = {".json", ".yaml", ".parquet", ".safetensors", ".html", ".md", ".txt"}


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of a chain of names; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def imported(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, local name and full name of everything imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                yield node.lineno, local, alias.name if alias.asname else local
                yield node.lineno, "", alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield node.lineno, alias.asname or alias.name, f"{node.module}.{alias.name}"


def faults(text: str, name: str = "module.py") -> list[str]:
    """What a file has that it must not have, as ``line: what``."""
    tree = ast.parse(text)
    names: dict[str, str] = {}
    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    found = []
    for line, local, full in imported(tree):
        names[local] = full
        if FORBIDDEN_MODULES & {full, full.partition(".")[0]}:
            found.append(f"{line}: imports {full}")
        if full.startswith("yaml.") and full.partition(".")[2] in UNSAFE_YAML:
            found.append(f"{line}: {full}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and names.get(dotted(node.value)) == "yaml" and node.attr in UNSAFE_YAML:
            found.append(f"{node.lineno}: yaml.{node.attr}")
        if isinstance(node, ast.Call):
            found += [f"{node.lineno}: {what}" for what in faults_of_call(node, names, name)]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in FORBIDDEN_BUILTINS - bound:
            found.append(f"{node.lineno}: {node.id}")
    return found


def faults_of_call(node: ast.Call, names: dict[str, str], name: str) -> Iterator[str]:
    called = dotted(node.func)
    first, _, rest = called.partition(".")
    full = names.get(first, first) + (f".{rest}" if rest else "")
    given = {word.arg: word.value for word in node.keywords}
    true = {word for word, value in given.items() if isinstance(value, ast.Constant) and value.value is True}
    if full == "torch.load" and "weights_only" not in true:
        yield "torch.load without weights_only"
    if isinstance(node.func, ast.Attribute) and node.func.attr == "load_module":
        yield "load_module"
    if full in {"yaml.load", "yaml.load_all"} and not safely(given.get("Loader"), node.args, "Loader"):
        yield f"{full} without a safe loader"
    if full in {"yaml.dump", "yaml.dump_all"} and not safely(given.get("Dumper"), [], "Dumper"):
        yield f"{full} without a safe dumper"
    if "allow_pick" + "le" in given and not is_false(given["allow_pick" + "le"]):
        yield "allow_pick" + "le"
    if "shell" in given and not is_false(given["shell"]):
        yield "shell"
    if full == "ctypes.CDLL" and is_none(node.args) and not node.keywords:
        # The process itself: no library is loaded.
        return
    if full.startswith(("os.system", "os.popen", "os.exec", "os.spawn", "pty.", "ctypes.")):
        yield full
    if full == "importlib.import_module" and name not in MAY_IMPORT_BY_NAME and not is_text(node.args[:1]):
        yield "import_module of a name that is not written out"


def safely(given: ast.expr | None, others: list[ast.expr], kind: str) -> bool:
    """Whether a loader or dumper is named, and is a safe one or one of our own that is searched itself."""
    if given is None and len(others) > 1:
        given = others[1]
    return given is not None and re.fullmatch(rf"(yaml\.)?C?Safe{kind}|_\w*{kind}", dotted(given)) is not None


def is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def is_none(arguments: list[ast.expr]) -> bool:
    return [ast.dump(argument) for argument in arguments] == [ast.dump(ast.Constant(None))]


def is_text(arguments: list[ast.expr]) -> bool:
    return all(isinstance(value, ast.Constant) and isinstance(value.value, str) for value in arguments)


def test_what_is_imported_by_name_is_written_out() -> None:
    for name in MAY_IMPORT_BY_NAME:
        tree = ast.parse((PACKAGE / name).read_text())
        tables = [node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)]
        written = [
            constant.value for table in tables for constant in ast.walk(table) if isinstance(constant, ast.Constant)
        ]
        assert all(isinstance(text, str) for text in written)
        assert any(text.startswith("wellfit.") for text in written)


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_the_whole_package_is_searched() -> None:
    assert len(files()) > 150
    names = {path.relative_to(PACKAGE).as_posix() for path in files()}
    assert {"artifact.py", "training/checkpoint.py", "cli/app.py", "config/reading.py"} <= names


def test_the_package_is_clean() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{fault}"
        for path in files()
        for fault in faults(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).as_posix())
    ]
    assert not found


def test_the_words_are_not_in_the_package_either() -> None:
    words = re.compile(
        r"\b(" + "|".join(["pick" + "le", "job" + "lib", "cloud" + "pick" + "le", "mar" + "shal"]) + r")\b"
    )
    found = [str(path) for path in files() if words.search(path.read_text(encoding="utf-8"))]
    assert not found


BAD = [
    "import pickle",
    "import pickle as data",
    "import os, joblib",
    "from pickle import loads",
    "from dill import load as read",
    "import cloudpickle.cloudpickle",
    "def read():\n    import marshal",
    "import shelve",
    "import torch\ntorch.load('x')",
    "import torch\ntorch.load('x', weights_only=False)",
    "import torch\ntorch.load('x', weights_only=given)",
    "import torch as t\nt.load('x')",
    "from torch import load\nload('x')",
    "from torch import load as read\nread('x')",
    "import torch\ntorch.load('x', **options)",
    "import numpy as np\nnp.load('x', allow_pickle=True)",
    "import numpy as np\nnp.load('x', allow_pickle=given)",
    "import yaml\nyaml.load(text)",
    "import yaml\nyaml.load(text, Loader=yaml.Loader)",
    "import yaml\nyaml.load(text, yaml.FullLoader)",
    "import yaml as y\ny.unsafe_load(text)",
    "from yaml import UnsafeLoader",
    "from yaml import load\nload(text)",
    "import yaml\nyaml.dump(value)",
    "import yaml\nyaml.dump(value, Dumper=yaml.Dumper)",
    "import yaml\nclass _Own(yaml.Dumper):\n    pass",
    "eval(text)",
    "exec(text)",
    "compile(text, '', 'exec')",
    "run = eval",
    "__import__(name)",
    "import os\nos.system(text)",
    "from os import system\nsystem(text)",
    "import ctypes\nctypes.CDLL(name)",
    "import ctypes\nctypes.CDLL('libc.so.6')",
    "import ctypes\nctypes.CDLL(None, handle=handle)",
    "from ctypes import cdll\ncdll.LoadLibrary(name)",
    "import subprocess\nsubprocess.run(text, shell=True)",
    "import subprocess\nsubprocess.run(text, shell=given)",
    "import importlib\nimportlib.import_module(name)",
    "from importlib import import_module as get\nget(record['class'])",
]

GOOD = [
    "import re\nre.compile('a')",
    "import torch\ntorch.compile(module)",
    "module.eval()",
    "import torch\ntorch.load('x', weights_only=True)",
    "import numpy as np\nnp.load('x', allow_pickle=False)",
    "import yaml\nyaml.load(text, Loader=yaml.SafeLoader)",
    "import yaml\nyaml.safe_load(text)",
    "import yaml\nclass _Dumper(yaml.SafeDumper):\n    pass\nyaml.dump(value, Dumper=_Dumper)",
    "import ctypes\nctypes.CDLL(None)",
    "import subprocess\nsubprocess.run(['ls'])",
    "import importlib\nimportlib.import_module('json')",
    "from safetensors.torch import load_file\nload_file('x')",
    "record.update(compile=True)",
]


@pytest.mark.parametrize("text", BAD)
def test_the_search_finds(text: str) -> None:
    assert faults(text)


@pytest.mark.parametrize("text", GOOD)
def test_the_search_leaves_alone(text: str) -> None:
    assert not faults(text)


def test_a_run_is_data_alone(finished: wellfit.Run) -> None:
    there = [path for path in finished.path.rglob("*") if path.is_file()]
    assert {path.suffix for path in there} <= LEFT_BEHIND
    assert len(there) >= 10
    for path in there:
        first = path.read_bytes()[:4]
        assert not first.startswith((b"\x80", b"PK")), f"{path.name} looks like serialized objects"


def test_checkpoints_are_data_alone(tmp_path: Path, table: Path) -> None:
    seen: set[str] = set()

    class Watch(wellfit.Callback):
        def on_epoch(self, trainer: object) -> None:
            seen.update(path.suffix for path in tmp_path.rglob("*") if path.is_file())

    from wellfit.config import from_mapping
    from wellfit.recording import train_run

    settings = {
        "data": {"source": str(table), "target": "label"},
        "train": {"epochs": 2, "threads": 1, "checkpoint_every": 1},
        "output": {"run": str(tmp_path / "run"), "report": False},
    }
    train_run(from_mapping(settings), callbacks=[Watch()])
    assert ".safetensors" in seen
    assert seen <= LEFT_BEHIND


def test_no_import_path_is_in_a_run(finished: wellfit.Run) -> None:
    for name in ("config.yaml", "plan.json", "model.json", "findings.json"):
        assert not re.search(r"\b(wellfit|torch|sklearn)\.\w+", (finished.path / name).read_text())
