"""The address of one or many objects: the store's scheme, the bucket, and a key, a pattern or a folder."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from wellfit.data.sources.paths import masked
from wellfit.errors import DataError

__all__ = ["Address", "parsed"]

_PIECE = re.compile(r"\*\*/?|\*|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)
_FORM = "Write s3://bucket/key, gs://bucket/key or az://container/key."


@dataclass(frozen=True, kw_only=True)
class Address:
    """Which objects of which bucket."""

    scheme: str
    bucket: str
    key: str
    """A key, a pattern, or a folder with a slash at its end."""

    @property
    def shown(self) -> str:
        """The address as errors show it."""
        return f"{self.scheme}://{self.bucket}/{self.key}"

    @property
    def is_pattern(self) -> bool:
        """Whether the key holds ``*``, ``?`` or ``[``."""
        return glob.has_magic(self.key)

    @property
    def is_folder(self) -> bool:
        """Whether the key ends in a slash, or is empty: the whole bucket."""
        return not self.key or self.key.endswith("/")

    @property
    def root(self) -> str:
        """The folders of the key before the first one with a magic character; empty for the bucket itself."""
        parts = PurePosixPath(self.key).parts
        if self.is_folder and not self.is_pattern:
            return "/".join(parts)
        magic = [place for place, part in enumerate(parts) if glob.has_magic(part)]
        return "/".join(parts[: min([*magic, len(parts) - 1])])

    def as_folder(self) -> Address:
        """Give the address of the folder of that name."""
        return replace(self, key=self.key.rstrip("/") + "/")

    def fits(self, key: str) -> bool:
        """Tell whether a key is meant.

        >>> parsed("s3://bucket/data/**/*.csv").fits("data/2024/x.csv")
        True
        """
        if self.is_pattern:
            return re.fullmatch(_translated(self.key), key) is not None
        return key.startswith(self.key)


def parsed(address: str) -> Address:
    """Take an address apart.

    Raises:
        DataError: it has no bucket, or a login in it.

    >>> parsed("s3://bucket/data/part-*.csv").root
    'data'
    """
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    if masked(address).startswith(f"{scheme}://***@"):
        do = "Leave the login out of the address, and set the variables of the store."
        raise DataError("The login to a bucket comes from the environment alone.", got=masked(address), do=do)
    if not re.fullmatch(r"[A-Za-z0-9$][A-Za-z0-9._-]*", bucket):
        raise DataError("The address must name a bucket.", got=masked(address), do=_FORM)
    return Address(scheme=scheme.lower(), bucket=bucket, key=key)


def _translated(pattern: str) -> str:
    """Give a pattern as a regular expression: ``*`` stays within a folder, ``**`` does not."""
    return "".join(map(_piece, _PIECE.findall(pattern)))


def _piece(piece: str) -> str:
    if piece.startswith("**"):
        return "(?:.*/)?" if piece.endswith("/") else ".*"
    if piece in ("*", "?"):
        return "[^/]" + piece.replace("?", "")
    if len(piece) > 1:
        inside = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[{'^' + inside[1:] if inside.startswith('!') else inside}]"
    return re.escape(piece)
