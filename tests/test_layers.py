"""The layers: imports run downwards only, and every module has its place."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def linted(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    arguments = ["--config", str(config), "--no-cache"]
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_contracts_hold() -> None:
    done = linted(ROOT / "pyproject.toml", ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in done.stdout


def test_every_module_has_a_layer() -> None:
    layers = next(contract for contract in CONTRACTS if contract["type"] == "layers")
    assert layers["exhaustive"]
    placed = {name.strip() for line in layers["layers"] for name in line.split("|")} | set(layers["exhaustive_ignores"])
    package = ROOT / "src" / "wellfit"
    there = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert placed == there - {"__init__"}


@pytest.mark.parametrize(
    ("kept", "files"),
    [
        (False, {"low.py": "import layered.high\n", "high.py": ""}),
        (False, {"low.py": "", "high.py": "", "stray.py": ""}),
        (True, {"low.py": "", "high.py": "import layered.low\n"}),
    ],
)
def test_a_breach_is_seen(tmp_path: Path, kept: bool, files: dict[str, str]) -> None:
    package = tmp_path / "layered"
    package.mkdir()
    for name, text in {"__init__.py": "", **files}.items():
        (package / name).write_text(text)
    config = tmp_path / "layers.toml"
    config.write_text(
        '[tool.importlinter]\nroot_packages = ["layered"]\n[[tool.importlinter.contracts]]\nname = "downwards"\n'
        'type = "layers"\nexhaustive = true\ncontainers = ["layered"]\nlayers = ["high", "low"]\n'
    )
    assert (linted(config, tmp_path).returncode == 0) is kept
