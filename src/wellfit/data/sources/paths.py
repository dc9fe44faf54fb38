"""Paths and URIs: what may be opened, what is missing, and what must not be shown."""

from __future__ import annotations

import difflib
import os
import re
import stat
from pathlib import Path
from urllib.parse import unquote

from wellfit.errors import DataError

__all__ = ["PARAMETER", "files_in", "is_secret", "looks_like_uri", "masked", "readable_file"]

_URI = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+:)+//|sql:")
_LOGIN = re.compile(r"//(?:[^\s/@:]*:\S*|[^\s/?#]*)@")
PARAMETER = re.compile(r"(?<=[?&;])(?P<name>[^=&;?\s]*)=(?P<secret>[^&;#\s]+)")
"""A parameter of an address and its value, which may be a secret: `is_secret` tells."""

_SECRET_NAME = re.compile(
    r".*(?:pass|pwd|token|secret|key|sig|credential|auth|jwt|session|bearer).*|s?sid|app_?id|x-?api", re.IGNORECASE
)
_KEY = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TURN = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")

_TURNS = 5
"""Changes between letters and digits from which on a long value was drawn at random: names and dates have fewer."""


def looks_like_uri(text: str) -> bool:
    """Tell ``https://host/x.csv`` and ``sql:postgresql://host/db`` from a path."""
    return _URI.match(text) is not None


def masked(uri: str) -> str:
    """Hide logins, and values in the query whose names say that they are secret.

    >>> masked("https://ann:hunter2@host/x.csv?rows=5&api_key=abc")
    'https://***@host/x.csv?rows=5&api_key=***'
    """
    return PARAMETER.sub(_masked, _LOGIN.sub("//***@", uri))


def _masked(found: re.Match[str]) -> str:
    return f"{found['name']}=***" if is_secret(found["name"], found["secret"]) else found[0]


def is_secret(name: str, value: str) -> bool:
    """Tell a secret by its parameter's name, or by its value where that is long and drawn at random.

    A ``code`` is one where letters and digits are mixed in it; a UUID names what is public as often as not.

    >>> [is_secret(*one) for one in (("appid", "abc"), ("code", "DE"), ("code", "Zk81abcd"), ("rows", "500"))]
    [True, False, True, False]
    """
    value = unquote(value)
    if _SECRET_NAME.fullmatch(name):
        return True
    if name.casefold() == "code":
        return len(value) >= 8 and any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return _KEY.fullmatch(value) is not None and not _UUID.fullmatch(value) and len(_TURN.findall(value)) >= _TURNS


def readable_file(path: Path) -> Path:
    """Return the path of a regular file that can be opened and is not empty.

    Raises:
        DataError: nothing is there, or a folder, a device, an unreadable or an empty file is.
    """
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise DataError("A folder is not a table.", got=str(path), do=files_in(path))
        if not stat.S_ISREG(info.st_mode):
            raise DataError(
                "Only regular files are read, not pipes or devices.", got=str(path), do="Save it to a file first."
            )
        path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path) from None
    except PermissionError:
        raise DataError(
            "The file may not be read: permission denied.", got=str(path), do="Ask its owner for the right to read it."
        ) from None
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError("The path can't be opened.", got=str(path), do=f"The system says: {_said(error)}.") from None
    if info.st_size == 0:
        raise DataError("The file is empty.", got=str(path), do="Give a table with at least one row.")
    return path


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _missing(path: Path) -> DataError:
    if not path.parent.is_dir():
        return DataError("There is no such folder.", got=str(path.parent), do="Check the path.")
    near = difflib.get_close_matches(path.name, _names_in(path.parent), n=1)
    hint = f"Did you mean '{path.parent / near[0]}'?" if near else "Check the path."
    return DataError("There is no such file.", got=str(path), do=hint)


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except OSError:
        return []


def files_in(folder: Path) -> str:
    """Say which files of a folder may be meant."""
    names = [name for name in _names_in(folder) if (folder / name).is_file() and not name.startswith(".")]
    listing = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"Name one file in it: {listing}." if names else "There is no file in it."
