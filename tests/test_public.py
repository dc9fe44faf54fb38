"""The public surface: what `import wellfit` and the command `wellfit` hand out."""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

import wellfit
from small import Command
from wellfit import errors

NAMES = [
    "Callback",
    "Finding",
    "FitResult",
    "History",
    "Run",
    "WellfitClassifier",
    "WellfitRegressor",
    "fit",
    "load",
    "train",
]

COMMANDS = [
    "init", "check", "train", "resume", "diagnose", "treat", "predict", "evaluate", "report", "list", "schema",
]  # fmt: skip


def test_the_names_are_sorted_and_all_there() -> None:
    assert wellfit.__all__ == sorted(wellfit.__all__)
    assert set(NAMES) <= set(wellfit.__all__)


@pytest.mark.parametrize("name", wellfit.__all__)
def test_each_name_is_documented(name: str) -> None:
    thing = getattr(wellfit, name)
    text = inspect.getdoc(thing) or ""
    assert text
    assert not text.startswith(f"{name}("), "the docstring is the one that dataclass makes"
    assert thing.__module__.startswith("wellfit.")
    members = {key: member for key, member in vars(thing).items() if not key.startswith("_")} if callable(thing) else {}
    for key, member in members.items():
        if inspect.isfunction(member) or isinstance(member, (property, classmethod, functools.cached_property)):
            assert inspect.getdoc(member), key


@pytest.mark.parametrize("name", [name for name in wellfit.__all__ if name[0].islower()])
def test_each_function_says_what_it_takes(name: str) -> None:
    signature = inspect.signature(getattr(wellfit, name))
    assert all(part.annotation is not inspect.Parameter.empty for part in signature.parameters.values())
    assert signature.return_annotation is not inspect.Signature.empty


def test_dir_lists_the_public_names_alone() -> None:
    assert sorted(dir(wellfit)) == sorted([*wellfit.__all__, "__version__"])


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        wellfit.trian  # noqa: B018


def test_the_version_is_the_installed_one() -> None:
    assert wellfit.__version__ == importlib.metadata.version("wellfit")


@pytest.mark.parametrize("statement", ["import wellfit", "import wellfit.config", "from wellfit.cli import app"])
def test_importing_loads_nothing_heavy(statement: str) -> None:
    heavy = "{'torch', 'polars', 'numpy', 'pandas', 'sklearn', 'pyarrow', 'altair'}"
    program = f"import sys; {statement}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def tree(root: type[BaseException] = errors.WellfitError) -> Iterator[type[BaseException]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def drawn() -> dict[str, int]:
    """Names and exit codes in the tree that the docstring of `wellfit.errors` draws."""
    lines = re.findall(r"^ +[│├└─ ]*(\w+)(?: \(a \w+\))? +(\d)", errors.__doc__ or "", flags=re.MULTILINE)
    return {name: int(code) for name, code in lines}


def test_the_tree_of_errors_is_as_drawn() -> None:
    codes = {error.__name__: error.exit_code for error in tree() if error.__module__ == "wellfit.errors"}
    assert codes == drawn()
    assert len(codes) >= 9


def test_bad_input_is_a_value_error() -> None:
    for error in tree():
        assert issubclass(error, ValueError) == issubclass(error, errors.BadInput)
        assert error.__doc__


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(command: Command, name: str) -> None:
    answer = command(name, "--help")
    assert answer.code == 0
    assert not answer.err
    assert "Usage: wellfit" in answer.out
    assert name in answer.out


def test_the_help_names_every_command(command: Command) -> None:
    answer = command("--help")
    assert answer.code == 0
    for name in COMMANDS:
        assert re.search(rf"^│ {name} ", answer.out, flags=re.MULTILINE), name


def test_the_command_tells_its_version(command: Command) -> None:
    assert command("--version").out == f"wellfit {wellfit.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--bogus"], "--bogus"),
        (["frobnicate"], "frobnicate"),
        (["predict"], "RUN"),
        (["train", "--seed", "x"], "--seed"),
        (["init", "data.csv"], "--target"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_wrong_usage_is_one_line(command: Command, arguments: list[str], said: str, as_json: bool) -> None:
    answer = command(*arguments, *["--json"] * as_json)
    assert answer.code == 2
    assert len(answer.errors) == 1
    assert answer.err.count("\n") == 1
    assert said in answer.err
    assert "--help" in answer.err
    if as_json:
        assert answer.record["exit_code"] == 2
    else:
        assert not answer.out


def test_python_as_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "wellfit", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"wellfit {wellfit.__version__}\n"
