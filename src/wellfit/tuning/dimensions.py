"""One setting that is searched: its key and its range, as Optuna draws from it and as the config takes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wellfit.config import Range

if TYPE_CHECKING:
    from optuna.trial import Trial

__all__ = ["Dimension"]


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A setting and its range."""

    key: str
    """The setting's dotted key."""
    range: Range
    whole: bool = False
    """Whether only whole numbers are drawn."""
    under: str | None = None
    """The key of the member whose option this is, where that is searched too."""
    members: tuple[str, ...] = ()
    """The members that have this option."""

    def suggest(self, trial: Trial) -> Any:
        """Have Optuna draw; values of a list are drawn as text, since they may be lists themselves."""
        if self.range.kind == "list":
            return trial.suggest_categorical(self.key, [_text(value) for value in self.range.values])
        log = self.range.kind == "log"
        if self.whole:
            return trial.suggest_int(self.key, int(self.range.low), int(self.range.high), log=log)
        return trial.suggest_float(self.key, float(self.range.low), float(self.range.high), log=log)

    def value(self, drawn: Any) -> Any:
        """Give what the config takes for what Optuna drew."""
        if self.range.kind != "list":
            return drawn
        return next(value for value in self.range.values if _text(value) == drawn)

    def drawn(self, value: Any) -> Any:
        """Give what Optuna would have drawn for a value of the config; None where it is outside the range."""
        if self.range.kind == "list":
            known = [_text(item) for item in self.range.values]
            return _text(value) if _text(value) in known else None
        number = not isinstance(value, bool) and isinstance(value, (int, float))
        return value if number and self.range.low <= value <= self.range.high else None

    def belongs(self, values: dict[str, Any]) -> bool:
        """Tell whether the setting is one of the members that were drawn."""
        return self.under is None or self.under not in values or values[self.under] in self.members


def _text(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)
