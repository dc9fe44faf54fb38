"""scikit-learn's transformers that stand for steps of a plan: their settings are taken, and learned anew.

No object of scikit-learn is kept or run: a run folder holds plain numbers, and any transformer whose numbers are not
known here is refused before training.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wellfit.data.features.transformers import encoders, imputer, polynomials, scalers, selectors
from wellfit.data.features.transformers.translation import TransformerEntry
from wellfit.errors import ConfigError
from wellfit.registry import Family

__all__ = ["TRANSFORMERS", "translated", "translated_steps"]

TRANSFORMERS: Family[TransformerEntry] = Family(
    "transformers",
    "transformer",
    [*scalers.ENTRIES, *encoders.ENTRIES, imputer.ENTRY, polynomials.ENTRY, *selectors.ENTRIES],
)

_KEYS = {
    "scalers": ("scale", "a scaler"),
    "encoders": ("encode", "an encoder"),
    "selectors": ("select", "a selector"),
    "polynomials": ("polynomials", "polynomials"),
    "fills": ("clean.missing", "an imputer"),
}
"""Where each kind of step stands in a config, and what it is called."""


def translated(value: Any, step: str) -> Any:
    """Give the setting that stands for a transformer.

    Args:
        value: An object of scikit-learn; whether it is fitted makes no difference.
        step: What is wanted: ``scalers``, ``encoders``, ``selectors``, ``polynomials`` or ``fills``.

    Raises:
        ConfigError: No translation is known, for the class or for one of its settings; or it is another kind of step.

    >>> from sklearn.preprocessing import RobustScaler
    >>> translated(RobustScaler(), "scalers")
    {'name': 'robust', 'clip': None}
    """
    entry = _entry(value)
    if entry.step != step:
        key, kind = _KEYS[entry.step]
        where = key if "." in key else f"features.{key}"
        raise ConfigError(f"{entry.name} is {kind}, and stands under {where}.", do=f"Set {where}.")
    return entry.setting(value)


def translated_steps(value: Any) -> dict[str, Any]:
    """Give the settings of ``features`` that stand for a transformer, a list of some, or a pipeline.

    >>> from sklearn.preprocessing import StandardScaler, OrdinalEncoder
    >>> translated_steps([StandardScaler(), OrdinalEncoder()])
    {'scale': {'name': 'standard'}, 'encode': {'name': 'ordinal'}}
    """
    settings: dict[str, Any] = {}
    for transformer in _flat(value):
        entry = _entry(transformer)
        key = _KEYS[entry.step][0]
        if key == "clean.missing":
            do = "Give it as clean={'missing': SimpleImputer(...)}."
            raise ConfigError(f"{entry.name} mends cells, and stands under {key}.", do=do)
        if key in settings:
            raise ConfigError(f"There may be one transformer for features.{key}.", got=entry.name, do="Leave one out.")
        settings[key] = entry.setting(transformer)
    return settings


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _flat(item)
    elif _is_sklearns(value) and type(value).__name__ == "Pipeline":
        yield from (step for _, step in value.steps if step not in (None, "passthrough"))
    else:
        yield value


def _is_sklearns(value: Any) -> bool:
    return type(value).__module__.startswith("sklearn.") and hasattr(value, "get_params")


def _entry(value: Any) -> TransformerEntry:
    name = type(value).__name__
    if _is_sklearns(value) and name in TRANSFORMERS:
        return TRANSFORMERS[name]
    if _is_sklearns(value) and name == "ColumnTransformer":
        do = "Give features={'scale': ..., 'columns': {'city': {'encode': ...}}}."
        raise ConfigError("The steps of a ColumnTransformer are given one by one.", got=name, do=do)
    rule = "A transformer must be one whose steps wellfit can learn and replay itself."
    raise ConfigError(rule, got=name, do=f"Those that work: {', '.join(TRANSFORMERS)}.")
