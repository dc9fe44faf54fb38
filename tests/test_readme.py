"""The README does what it says: every block is run, in order, in one folder that holds the demo's tables.

Output that is shown must be the output, line by line, but for blank lines, the width of gaps and lines, figures with
four decimals or more, and the numbers of epochs: they differ between machines. A line of three dots stands for any
lines.
"""

from __future__ import annotations

import os
import re
import runpy
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from small import run_command
from wellfit.cli import app
from wellfit.config import load_config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line its text begins at."""

    language: str
    text: str
    line: int


def blocks() -> Iterator[Block]:
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        yield Block(found[1], found[2], README.count("\n", 0, found.start(2)) + 1)


def normalized(output: str) -> list[str]:
    """The lines that are compared."""
    lines = []
    for line in output.splitlines():
        plain = re.sub(r"\d+\.\d{4,}|(?<=epoch )\d+|\d+(?= epochs?\b)", "#", line)
        plain = re.sub(r"─+", "─", " ".join(plain.split()))
        if plain:
            lines.append(plain)
    return lines


def matches(shown: str, given: str) -> bool:
    parts = [r"(?:.*\n)*" if line == "..." else re.escape(line) + "\n" for line in normalized(shown)]
    return re.fullmatch("".join(parts), "".join(line + "\n" for line in normalized(given))) is not None


@pytest.mark.parametrize(
    ("shown", "given", "same"),
    [
        ("a 0.1234  b\n───\n", "a 0.98765 b\n\n─────\n", True),
        ("21 epochs, of which epoch 11 is kept\n", "3 epochs, of which epoch 2 is kept\n", True),
        ("a\n...\nz\n", "a\nb\nc\nz\n", True),
        ("a\n...\n", "b\n", False),
        ("Rows: 357\n", "Rows: 358\n", False),
        ("lr = 0.02\n", "lr = 0.03\n", False),
        ("a\n", "a\nb\n", False),
    ],
)
def test_how_output_is_compared(shown: str, given: str, same: bool) -> None:
    assert matches(shown, given) is same


def sessions(text: str) -> Iterator[tuple[str, str]]:
    """Commands of a console block, each with the output that is shown."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def follow_console(block: Block) -> None:
    for command, shown in sessions(block.text):
        first, *arguments = shlex.split(command, comments=True)
        if first == "wellfit":
            answer = run_command(*arguments)
            assert answer.code == (2 if shown.startswith("error:") else 0), f"line {block.line}: {answer}"
            assert matches(shown, answer.out + answer.err), f"line {block.line}: {command}\n{answer.out}{answer.err}"
        elif first == "make":
            assert_made(command, arguments)
        else:
            known = [["git", "clone"], ["pip", "install"]]
            assert [first, arguments[0]] in known, f"line {block.line}: {command}"


def assert_made(command: str, arguments: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for argument in arguments:
        variable, given, _ = argument.partition("=")
        expected = rf"^{variable} \?=" if given else rf"^{variable}:"
        assert re.search(expected, makefile, re.MULTILINE), command


def test_every_block_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(ROOT / "examples" / "demo.py"))["export"]()
    namespace: dict[str, Any] = {}
    followed = []
    for block in blocks():
        if block.language == "python":
            # Blank lines before the code put an error at its line of the README.
            code = tmp_path / "README.py"
            code.write_text("\n" * (block.line - 1) + block.text)
            namespace |= runpy.run_path(str(code), init_globals=namespace)
        elif block.language == "yaml":
            (tmp_path / "run.yaml").write_text(block.text)
            load_config(tmp_path / "run.yaml")
        elif block.language == "console":
            follow_console(block)
        followed.append(block.language)
    assert followed.count("") == 1, "only the tree is no block of a language"
    assert {"python", "yaml", "console"} <= set(followed)
    assert_run_folder(tmp_path / "runs" / "patients")


def assert_run_folder(run: Path) -> None:
    table = README.split("## What a run folder holds")[1].split("\n\n")[1]
    named = {name for line in table.splitlines() for name in re.findall(r"`([\w.]+\.\w+)`", line.split("|")[1])}
    assert named == {path.name for path in run.iterdir()}


def test_every_command_is_named() -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    named = set(re.findall(r"wellfit (\w+)", " ".join(re.findall(r"`[^`\n]+`|^\$ .*$", README, re.MULTILINE))))
    assert named == commands


def tree() -> list[tuple[int, str]]:
    """The names in the tree, each with its depth below src/wellfit."""
    text = next(block.text for block in blocks() if block.language == "")
    entries = [(line, line.split()[0]) for line in text.splitlines()[1:]]
    return [((len(line) - len(line.lstrip())) // 2, name) for line, name in entries]


def modules(folder: Path) -> set[str]:
    files = {path.name for path in folder.glob("*.py")} - {"__init__.py", "__main__.py"}
    return files | {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}


def test_the_tree_names_every_module() -> None:
    package = ROOT / "src" / "wellfit"
    assert sorted(name for depth, name in tree() if depth == 1) == sorted(modules(package))
    assert sorted(name for depth, name in tree() if depth == 2) == sorted(modules(package / "data"))


def test_the_tree_is_in_the_order_of_the_layers() -> None:
    layers = PYPROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    place = {name.strip(): -height for height, line in enumerate(layers) for name in line.split("|")}
    places = [place[Path(name).stem] for depth, name in tree() if depth == 1]
    assert places == sorted(places)


def test_the_flow_is_named_in_the_tree() -> None:
    flow = re.search(r"^    (Source -> .*)$", README, re.MULTILINE)
    assert flow is not None
    text = next(block.text for block in blocks() if block.language == "")
    for word in flow[1].split(" -> "):
        assert re.search(rf"\b{word}s?\b", text), word


def test_files_that_are_named_are_there() -> None:
    for name in ("LICENSE", "Makefile", "constraints.txt", "examples/demo.py"):
        assert (ROOT / name).exists()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
