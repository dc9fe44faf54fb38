"""What can be wrong with a setting, before its place in a file is known."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.errors import ConfigError

__all__ = ["Bare", "Key", "Path", "Problem", "Unfit", "dotted", "given", "key_name", "one_line"]

Key = str | int
Path = tuple[Key, ...]
"""The way to a setting: keys of mappings and places in lists, from the outermost."""


def dotted(path: Sequence[Key]) -> str:
    """Give a path as ``-o`` takes it; a key that has a dot is quoted.

    >>> dotted(("features", "columns", "a.b", "type"))
    'features.columns."a.b".type'
    """
    return ".".join(f'"{key}"' if "." in str(key) or key == "" else str(key) for key in path)


def key_name(path: Sequence[Key]) -> str:
    """Give the last key and its owner as an error names them.

    >>> key_name(("train", "epochs")), key_name(("version",))
    ("'epochs' of train", "'version'")
    """
    owner = dotted(path[:-1])
    return f"'{path[-1]}' of {owner}" if owner else f"'{path[-1]}'"


def one_line(text: str, limit: int = 600) -> str:
    r"""Give text as a terminal can show it: on one line, control characters escaped, cut where it is very long.

    >>> print(one_line("a\n  b\x1b[31m"))
    a b\x1b[31m
    """
    text = " ".join(text[: 10 * limit].split())
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


class Bare(str):
    """Text that an error shows without quotes: ``null``, ``a tab``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def given(value: object) -> object:
    """Give a value as an error shows it: null, true and false as YAML has them.

    >>> given(None), given("none")
    (null, 'none')
    """
    return Bare(_written(value)) if value is None or isinstance(value, bool) else value


class Unfit(ValueError):
    """A value is not what its key takes, which the error puts as "'epochs' of train must be <needs>"."""

    def __init__(self, needs: str, got: object, example: object = None, *, do: str = "") -> None:
        super().__init__(needs)
        self.needs = needs
        self.got = given(got)
        self.do = do or ("" if example is None else f"Try {_written(example)}.")


class Problem(ValueError):
    """A rule is broken at ``path``, counted from the value under check."""

    def __init__(self, rule: str, *, got: object = None, do: str = "", path: Path = ()) -> None:
        super().__init__(rule)
        self.rule = rule
        self.got = got
        self.do = do
        self.path = path

    @classmethod
    def of(cls, error: ConfigError, path: Path = ()) -> Problem:
        """Give an error that knew no path as a problem at one."""
        return cls(error.rule, got=error.got, do=error.do, path=path)


def _written(example: object) -> str:
    """Give an example as YAML writes it."""
    if isinstance(example, bool):
        return str(example).lower()
    return "null" if example is None else str(example)
