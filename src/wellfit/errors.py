"""Every error wellfit raises on purpose.

The tree, with the exit code of the command line:

    WellfitError                   1
    ├── BadInput (a ValueError)    2   what was given can't be used
    │   ├── ConfigError            2   a setting: unknown, of a wrong type, impossible
    │   ├── DataError              2   a source or a table: unreadable, empty, unusable
    │   ├── ContractError          2   rows that don't fit the schema of a run
    │   └── RunFolderError         2   a run folder: missing, unfinished, altered
    ├── RunFailed                  1   a run that began and could not finish
    │   └── Interrupted            1   stopped by the person
    └── CheckRefused               3   a check that was asked to refuse, did
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BadInput",
    "CheckRefused",
    "ConfigError",
    "ContractError",
    "ContractWarning",
    "DataError",
    "Interrupted",
    "RunFailed",
    "RunFolderError",
    "WellfitError",
    "WellfitWarning",
    "did_you_mean",
    "shown",
]


class WellfitError(Exception):
    """The root: everything wellfit raises on purpose.

    An error says the rule, what was given and what to do, in that order.

    >>> print(WellfitError("'dropout' of mlp must be in [0, 1).", got=1.5, do="Try 0.1."))
    'dropout' of mlp must be in [0, 1). Got 1.5. Try 0.1.
    """

    exit_code = 1

    def __init__(self, rule: str, *, got: object = None, do: str = "") -> None:
        self.rule = rule
        self.got = got
        self.do = do
        parts = [rule, "" if got is None else f"Got {shown(got)}.", do]
        super().__init__(" ".join(part for part in parts if part))


class BadInput(WellfitError, ValueError):
    """What was given can't be used: a setting, a table, a row, a path."""

    exit_code = 2


class ConfigError(BadInput):
    """A setting is unknown, of a wrong type, out of range, or impossible beside another."""


class DataError(BadInput):
    """A source or a table is unreadable, empty, or can't be learned from."""


class ContractError(BadInput):
    """Rows don't fit the schema of the run that should score them."""


class RunFolderError(BadInput):
    """A run folder is missing, unfinished, altered, or would be overwritten."""


class RunFailed(WellfitError):
    """A run began and could not finish."""


class Interrupted(RunFailed):
    """The person stopped the run; what was done is kept."""


class CheckRefused(WellfitError):
    """A check that was asked to refuse, did."""

    exit_code = 3


class WellfitWarning(UserWarning):
    """Something was mended or left out, and the result stands."""


class ContractWarning(WellfitWarning):
    """Rows don't fit the schema of the run that scores them, and were read all the same."""


def shown(value: object, limit: int = 80) -> str:
    """Give a value as an error shows it: ``repr``, on one line, cut at ``limit`` characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def did_you_mean(given: object, known: Iterable[str]) -> str:
    """Name the nearest of the known names, or list them when none is near.

    >>> did_you_mean("adm", ["adam", "sgd"])
    "Did you mean 'adam'?"
    >>> did_you_mean("xyz", ["adam", "sgd"])
    'Known: adam, sgd.'
    """
    names = [str(name) for name in known]
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(str(given).casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{folded[close[0]]}'?"
    if not names:
        return ""
    listing = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"Known: {listing}."
