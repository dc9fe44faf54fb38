"""Strict YAML: text to a `Document`, by the YAML 1.2 core schema, every line known.

The parser's events are read one by one, so that depth and size are bounded before anything is built, duplicate keys
are seen, and no tag makes an object. Keys are text as it is written, since they name settings, columns and labels.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import yaml

from wellfit.config.document import Document, Origin
from wellfit.config.problems import Bare, Path, key_name
from wellfit.errors import ConfigError

__all__ = ["LARGEST", "decoded", "read_value", "read_yaml", "scalar"]

LARGEST = 1024 * 1024
"""The largest config that is read, in bytes."""
_MOST_VALUES = 100_000
_DEEPEST = 20

_NULL = ("", "~", "null", "Null", "NULL")
_FLAGS = {
    word: flag for flag, text in ((True, "true"), (False, "false")) for word in (text, text.title(), text.upper())
}
_INT = re.compile(r"[-+]?[0-9]{1,400}", re.ASCII)
_BASED = {"0o": (re.compile(r"0o[0-7]{1,400}"), 8), "0x": (re.compile(r"0x[0-9a-fA-F]{1,400}"), 16)}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_CUT = re.compile(r"(log|uniform|int)\([^()]*")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def scalar(text: str) -> Any:
    """Give a plain scalar's value by the YAML 1.2 core schema.

    >>> [scalar(text) for text in ("1e-3", "yes", "0x10", "true", "~", "1_000")]
    [0.001, 'yes', 16, True, None, '1_000']
    """
    if text in _NULL:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if _INT.fullmatch(text):
        return int(text)
    pattern, base = _BASED.get(text[:2], (None, 10))
    if pattern and pattern.fullmatch(text):
        return int(text[2:], base)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _SPECIAL.fullmatch(text) else text


def decoded(raw: bytes, name: str) -> str:
    """Give the text of a config file, or a `ConfigError` for what is no UTF-8 text of a sensible size."""
    if len(raw) > LARGEST:
        do = "Is this a config? Give the data as data.source."
        raise ConfigError(f"{name}: a config has at most {LARGEST // 2**20} MiB.", do=do)
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigError(f"{name}, line 1: a config is UTF-8 text.", got=Bare("UTF-16"), do="Save it as UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = Bare(f"byte 0x{raw[error.start]:02x}")
        raise ConfigError(f"{name}, line {line}: a config is UTF-8 text.", got=byte, do="Save it as UTF-8.") from None


def read_yaml(text: str, name: str) -> Document:
    """Read one YAML document whose root is a mapping.

    Args:
        text: the YAML text.
        name: what errors call it.

    Raises:
        ConfigError: for what is no YAML, and what is YAML but more than a config needs.
    """
    return _Reader(text, name).document()


def read_value(text: str, name: str) -> Any:
    """Read one value, as ``-o key=value`` has it."""
    reader = _Reader(text, name, lines=False)
    value = reader.root()
    if reader.fault:
        raise reader.fault[1]
    return value


class _Reader:
    """Builds plain values from the parser's events."""

    def __init__(self, text: str, name: str, *, lines: bool = True) -> None:
        self.name = name
        self.lines = lines
        self.origins: dict[Path, Origin] = {}
        self.fault: tuple[Origin, ConfigError] | None = None
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self._events = self._parsed(text)

    def document(self) -> Document:
        value = self.root()
        start = self._origin(0, 0)
        self.origins.setdefault((), start)
        if not isinstance(value, dict):
            do = "Write sections, such as train: {epochs: 100}."
            got = Bare("nothing") if value is None else value
            raise start.error("A config is a mapping of sections.", got=got, do=do)
        return Document(value, self.origins, self.fault)

    def root(self) -> Any:
        """Give the value of the only document; None where there is none."""
        event = next(self._events)
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self._value(event, (), 0)
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._found(self._at(event), "A config is one YAML document.", do="Remove the second '---'.")
                break
        return value

    def _parsed(self, text: str) -> Iterator[Any]:
        """Give the parser's events; what it stops at is one error with its line."""
        if len(text.encode("utf-8", "replace")) > LARGEST:
            raise ConfigError(f"{self.name}: a config has at most {LARGEST // 2**20} MiB.", do="Is this a config?")
        strange = yaml.reader.Reader.NON_PRINTABLE.search(text)
        if strange:
            origin = self._origin(text.count("\n", 0, strange.start()), 0)
            letter = Bare(f"character U+{ord(strange.group()):04X}")
            raise origin.error("A config is text without control characters.", got=letter, do="Remove it.")
        try:
            yield from yaml.parse(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            raise self._no_yaml(error) from None
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            if isinstance(error, ConfigError):
                raise
            raise self._origin(0, 0).error("This is no YAML.", do="Is a character's code in it too large?") from None

    def _no_yaml(self, error: yaml.MarkedYAMLError) -> ConfigError:
        mark = error.problem_mark or error.context_mark
        origin = self._origin(mark.line, mark.column) if mark else self._origin(0, 0)
        problem = " ".join((error.problem or "its form is wrong").split())
        if "'\\t'" in problem:
            return origin.error("YAML is indented with spaces.", got=Bare("a tab"), do="Put spaces in its place.")
        line = mark.buffer.splitlines()[mark.line : mark.line + 1] if mark and mark.buffer else []
        got = line[0].rstrip("\0").strip() if line else None
        return origin.error(
            f"This is no YAML: {problem}.", got=got or None, do="Are quotes, brackets and colons right?"
        )

    def _origin(self, line: int, column: int) -> Origin:
        return Origin((line + 1, column), f"{self.name}, line {line + 1}" if self.lines else self.name)

    def _at(self, event: Any) -> Origin:
        return self._origin(event.start_mark.line, event.start_mark.column)

    def _found(self, origin: Origin, rule: str, *, got: object = None, do: str = "") -> None:
        """Keep the first thing that is wrong with the form; what can still be read, is."""
        if self.fault is None or origin < self.fault[0]:
            self.fault = origin, origin.error(rule, got=got, do=do)

    def _value(self, event: Any, path: Path, depth: int) -> Any:
        self._count(event, 1)
        if depth > _DEEPEST:
            raise self._at(event).error(f"A config is at most {_DEEPEST} levels deep.", do="Remove brackets.")
        self.origins.setdefault(path, self._at(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            self._found(self.origins[path], "A config takes no tags.", got=event.tag, do="Write the value alone.")
        before = self._values
        value = self._untagged(event, path, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._values - before + 1
        return value

    def _untagged(self, event: Any, path: Path, depth: int) -> Any:
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        return scalar(event.value) if event.implicit[0] else event.value

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > _MOST_VALUES:
            raise self._at(event).error(f"A config has at most {_MOST_VALUES} values.", do="Is this a config?")

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            do = f"Write &{event.anchor} before a value above."
            raise self._at(event).error(f"There is no anchor '{event.anchor}' above.", got=f"*{event.anchor}", do=do)
        value, size = self._anchors[event.anchor]
        self._count(event, size)
        return value

    def _sequence(self, path: Path, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*path, len(values)), depth + 1))
        return values

    def _mapping(self, path: Path, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            origin = self._at(event)
            if key in lines:
                rule = f"{key_name((*path, key))} is given twice, first in line {lines[key]}."
                self._found(origin, rule, do="Keep one of them.")
            lines.setdefault(key, origin.order[0])
            self.origins.setdefault((*path, key), origin)
            values[key] = self._closed(self._value(next(self._events), (*path, key), depth + 1))
        return values

    def _closed(self, value: Any) -> Any:
        """Put ``log(a, b)`` together again, which YAML cuts at the comma inside ``{key: log(a, b)}``."""
        if not isinstance(value, str) or not _CUT.fullmatch(value):
            return value
        rest = list(itertools.islice(self._events, 2))
        texts = [event.value if isinstance(event, yaml.ScalarEvent) else None for event in rest]
        if len(texts) == 2 and texts[0] is not None and texts[0].endswith(")") and texts[1] == "":
            return f"{value}, {texts[0]}"
        self._events = itertools.chain(rest, self._events)
        return value

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            got = f"*{event.anchor}" if isinstance(event, yaml.AliasEvent) else Bare("a list or a mapping")
            raise self._at(event).error("A key is a word.", got=got, do="Write key: value.")
        if event.tag is not None:
            self._found(self._at(event), "A config takes no tags.", got=event.tag, do="Write the key alone.")
        if event.anchor is not None:
            self._anchors[event.anchor] = event.value, 1
        return str(event.value)
