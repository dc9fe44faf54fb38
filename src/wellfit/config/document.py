"""A config as it was given, before it is checked: plain values, and where each came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wellfit.config.problems import Path, dotted, one_line
from wellfit.errors import ConfigError

__all__ = ["Document", "Origin"]


@dataclass(frozen=True, order=True)
class Origin:
    """Where a setting was given: its order in what was read, and its name for errors."""

    order: tuple[int, int]
    """Line and column; overrides come after every line."""
    where: str = field(compare=False)
    """``run.yaml, line 3`` or ``option -o train.epochs=3``; empty for what Python code gave."""

    def error(self, rule: str, *, got: object = None, do: str = "") -> ConfigError:
        """Give the error for a rule that is broken here."""
        rule = one_line(f"{self.where}: {rule}" if self.where else rule)
        return ConfigError(rule, got=got, do=one_line(do))


NOWHERE = Origin((0, 0), "")
AFTER_EVERY_LINE = 2**40

_NAMED: dict[Path, str] = {
    ("train", "optimizer"): "name",
    ("train", "loss"): "name",
    ("train", "schedule"): "name",
    **{("features", step): "name" for step in ("scale", "encode", "text", "select")},
    ("model",): "type",
}
"""The keys whose value may be a name alone, and the key that the name has in a mapping."""


@dataclass(frozen=True)
class Document(Mapping[str, Any]):
    """A mapping of sections, the origin of each setting, and the first thing wrong with its form, if any.

    >>> document = Document({"train": {"optimizer": "adam"}}).with_value(("train", "optimizer", "lr"), 0.1)
    >>> document["train"]
    {'optimizer': {'name': 'adam', 'lr': 0.1}}
    """

    value: dict[str, Any] = field(default_factory=dict)
    origins: Mapping[Path, Origin] = field(default_factory=dict)
    fault: tuple[Origin, ConfigError] | None = None

    def __getitem__(self, key: str) -> Any:
        return self.value[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def origin(self, path: Path) -> Origin:
        """Give where a setting was given, or the nearest one around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return self.origins.get((), NOWHERE)

    def with_value(self, path: Path, value: Any, where: str = "") -> Document:
        """Give a copy with one setting changed; ``where`` names who changed it: ``option --seed``.

        A name on the way becomes a mapping that has it, null an empty mapping; any other value is a `ConfigError`.
        """
        last = max((origin.order for origin in self.origins.values()), default=(0, 0))
        origin = Origin((max(last[0], AFTER_EVERY_LINE) + 1, 0), where)
        changed: dict[str, Any] = dict(self.value)
        holder = changed
        for depth in range(1, len(path)):
            below = self._opened(path[:depth], holder.get(str(path[depth - 1])), origin)
            holder[str(path[depth - 1])] = below
            holder = below
        holder[str(path[-1])] = value
        kept = {known: its for known, its in self.origins.items() if known[: len(path)] != path}
        return Document(changed, {**kept, path: origin}, self.fault)

    def _opened(self, path: Path, held: Any, origin: Origin) -> dict[str, Any]:
        """Give a copy of the mapping at a path, to be changed."""
        if held is None:
            return {}
        if isinstance(held, Mapping):
            return dict(held)
        if isinstance(held, str) and path in _NAMED:
            return {_NAMED[path]: held}
        raise origin.error(f"'{dotted(path)}' has no keys of its own.", got=held, do=f"Give {dotted(path)} a value.")
