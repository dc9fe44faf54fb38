"""What the translation of a transformer is: the step it stands for, and which of its settings may differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wellfit.errors import ConfigError
from wellfit.registry import Entry

__all__ = ["TransformerEntry", "refused"]


@dataclass(frozen=True, kw_only=True)
class TransformerEntry(Entry):
    """A class of scikit-learn; ``make(**settings)`` gives the setting of a config that stands for it."""

    step: str
    """The kind of step: ``scalers``, ``encoders``, ``selectors``, ``polynomials`` or ``fills``."""
    fixed: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """The values that a setting may have, where others would change the numbers."""
    ignored: tuple[str, ...] = ()
    """Settings that change no number, or that are of no meaning here."""

    def setting(self, value: Any) -> Any:
        """Give the setting that stands for an object of the class.

        Raises:
            ConfigError: One of its settings has no translation.
        """
        settings = {name: item for name, item in value.get_params(deep=False).items() if name not in self.ignored}
        for name, allowed in self.fixed.items():
            item = settings.pop(name, allowed[0])
            if not any(_same(item, one) for one in allowed):
                raise refused(self.name, name, item, f"It may be {' or '.join(map(repr, allowed))}.")
        return self.make(**settings)


def refused(owner: str, name: str, value: Any, do: str) -> ConfigError:
    """Give the error for a setting that has no translation."""
    return ConfigError(f"'{name}' of {owner} has no such value in wellfit.", got=value, do=do)


def _same(item: Any, allowed: Any) -> bool:
    if isinstance(item, (str, bool, type(None))) or isinstance(allowed, (str, bool, type(None))):
        return item is allowed or (isinstance(item, str) and item == allowed)
    if isinstance(item, float) and isinstance(allowed, float) and np.isnan(item) and np.isnan(allowed):
        return True
    return bool(np.array_equal(item, allowed))
