"""What is searched: the ranges of a config, checked before anything is trained, or those of the registry's entries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wellfit.config import Config, Range, parse_range, with_values
from wellfit.config.families import family
from wellfit.errors import ConfigError, shown
from wellfit.registry import Option
from wellfit.regularizers import REGULARIZERS
from wellfit.tuning.dimensions import Dimension
from wellfit.tuning.images import reads_images
from wellfit.tuning.settings import NAMES, is_left_open, setting_at, with_settings

__all__ = ["default_space", "given_space", "portfolio"]

_REFUSED = {
    r"version": "the format's version is none of the training's settings",
    r"data(\..*)?": "which rows there are is not searched",
    r"split(\..*)?": "trials are compared on the same rows",
    r"tune(\..*)?": "the search does not search itself",
    r"output(\..*)?": "where the run is written changes no figure",
    r"train\.metric": "trials are compared by the same metric",
    r"train\.seed": "a seed is no setting that carries over to new rows",
    r"train\.(time|steps|device|threads|workers|checkpoint_every|doctor)": "it says how a training is run, not what",
}
"""Keys that can't be searched, and why."""

_OF_COLUMNS = {r"features(\..*)?|clean\.(?!duplicates).*": "images have no columns"}
"""The same where images are read."""

_RATE = "train.optimizer.lr"

_BELOW, _ABOVE = 8.0, 4.0
"""How far below and above its own rate an architecture is searched: too high a rate fails sooner."""

SCALES = ("robust", "standard", "quantile")
"""Scalers worth trying; the others are one of these for columns without outliers."""

BATCHES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Batch sizes worth trying, as parts of the one that a training takes by itself."""


def given_space(config: Config) -> tuple[Dimension, ...]:
    """Check the ranges of ``tune.search``.

    Raises:
        ConfigError: a key is unknown or not searched, or it does not take a value of its range.
    """
    if isinstance(config.tune.search, str):
        return ()
    ranges = {key: parse_range(item) for key, item in config.tune.search.items()}
    for key in ranges:
        _refuse(key, config)
    if reads_images(config) and is_left_open(config, "train.augment"):
        # It is settled before the first trial: its keys stand beside what was found.
        config = with_values(config, {"train.augment": {}})
    return tuple(_dimension(config, key, ranges) for key in sorted(ranges, key=lambda key: key not in NAMES))


def _refuse(key: str, config: Config) -> None:
    images = reads_images(config)
    for pattern, why in {**_REFUSED, **(_OF_COLUMNS if images else {})}.items():
        if re.fullmatch(pattern, key):
            sections = "model, train or clean.duplicates" if images else "model, train, features or clean"
            raise ConfigError(f"'{key}' can't be searched: {why}.", do=f"Search keys of {sections}.")


def _dimension(config: Config, key: str, ranges: Mapping[str, Range]) -> Dimension:
    under = next((name for name, place in NAMES.items() if name != key and key.startswith(f"{place}.")), None)
    under = under if under in ranges else None
    contexts = _contexts(config, under, ranges)
    whole = ranges[key].kind == "int" or _takes_whole_numbers(contexts, key, ranges[key])
    fitting = {name: _complaint(context, key, ranges[key], whole) for name, context in contexts.items()}
    members = tuple(name for name, complaint in fitting.items() if complaint is None)
    if not members:
        complaint = next(iter(fitting.values()))
        assert complaint is not None
        rule = f"A value of the range of '{key}' can't be set: {complaint.rule}"
        raise ConfigError(rule, got=complaint.got, do=complaint.do)
    return Dimension(key=key, range=ranges[key], whole=whole, under=under, members=members if under else ())


def _contexts(config: Config, under: str | None, ranges: Mapping[str, Range]) -> dict[str, Config]:
    """Give the config as it is, or with each member whose option a key may be."""
    if under is None:
        return {"": config}
    return {str(name): with_settings(config, {under: name}) for name in ranges[under].values}


def _takes_whole_numbers(contexts: Mapping[str, Config], key: str, searched: Range) -> bool:
    """Tell whether a key refuses a number between the two ends because it is a fraction."""
    if searched.kind == "list" or not all(float(end).is_integer() for end in searched.ends):
        return False
    between = searched.low + 0.5
    context = next(iter(contexts.values()))
    return _accepts(context, key, int(searched.high)) and not _accepts(context, key, between)


def _accepts(config: Config, key: str, value: Any) -> bool:
    try:
        with_settings(config, {key: value})
    except ConfigError:
        return False
    return True


def _complaint(config: Config, key: str, searched: Range, whole: bool) -> ConfigError | None:
    for value in searched.ends:
        try:
            with_settings(config, {key: int(value) if whole and searched.kind != "list" else value})
        except ConfigError as error:
            return error
    return None


def default_space(
    config: Config, resolved: Config, rows: int, *, augmentations: Sequence[Mapping[str, Any]] = ()
) -> tuple[Dimension, ...]:
    """Give the ranges that the entries of the model, the optimizer and the training name.

    What the config sets is left as it is.

    Args:
        config: the config as it was given.
        resolved: the same with every auto resolved, as the first trial is trained.
        rows: training rows.
        augmentations: values of ``train.augment`` worth trying, two or more, or none.
    """
    found = dict(_found(resolved, rows))
    if len(augmentations) > 1:
        found["train.augment"] = Range(kind="list", values=tuple(augmentations))
    dimensions = [
        Dimension(key=key, range=searched, whole=searched.kind == "int")
        for key, searched in found.items()
        if is_left_open(config, key) and _complaint(resolved, key, searched, searched.kind == "int") is None
    ]
    if not dimensions:
        raise ConfigError(
            "There is nothing to search: the config sets all that would be.",
            got=shown(sorted(found)),
            do="Name ranges in tune.search.",
        )
    return tuple(dimensions)


def portfolio(resolved: Config, dimensions: Sequence[Dimension]) -> list[dict[str, Any]]:
    """Give the settings that are known to do well on many tables, as far as all of them are searched.

    Args:
        resolved: the config with every auto resolved.
        dimensions: what is searched.
    """
    searched = {dimension.key: dimension for dimension in dimensions}
    rate = setting_at(resolved, _RATE)
    found = []
    for settings in family("models")[setting_at(resolved, "model.type")].portfolio:
        own = {key: value * rate if key == _RATE else value for key, value in settings.items()}
        if all(key in searched and searched[key].drawn(value) is not None for key, value in own.items()):
            found.append(own)
    return found


def _found(resolved: Config, rows: int) -> Iterator[tuple[str, Range]]:
    optimizer = family("optimizers")[setting_at(resolved, "train.optimizer.name")]
    options = {option.name: option for option in optimizer.options}
    model = family("models")[setting_at(resolved, "model.type")]
    rate = setting_at(resolved, _RATE)
    yield _RATE, _around(options["lr"], rate, always=model.reads == "images")
    if "weight_decay" in options:
        yield from _of_options("train.optimizer", [options["weight_decay"]], resolved)
    elif "weight_decay" not in optimizer.refuses_combinations:
        (decay,) = REGULARIZERS["weight_decay"].options
        yield "train.weight_decay", _range(decay)
    yield from _of_options("model", model.options, resolved)
    if optimizer.batch_rule in ("any", "mini"):
        yield from _batches(setting_at(resolved, "train.batch_size"), rows)
    if model.reads == "table":
        yield from _scales(setting_at(resolved, "features.scale"))


def _of_options(place: str, options: Any, resolved: Config) -> Iterator[tuple[str, Range]]:
    for option in options:
        key = f"{place}.{option.name}"
        if option.candidates:
            usual = setting_at(resolved, key)
            values = [list(item) if isinstance(item, tuple) else item for item in option.candidates]
            yield key, Range(kind="list", values=tuple(values if usual in values else [usual, *values]))
        elif option.search is not None:
            yield key, _range(option)


def _range(option: Option) -> Range:
    assert option.search is not None
    low, high = option.search
    return Range(kind="log" if option.log else "int" if option.kind == "int" else "uniform", low=low, high=high)


def _around(option: Option, usual: Any, *, always: bool) -> Range:
    """Give the range of a rate; an architecture that wants one outside it is searched about its own.

    ``always`` so: networks for images start close to a rate that was measured, and learn nothing far below it.
    """
    searched = _range(option)
    if not isinstance(usual, float) or (not always and searched.low <= usual <= searched.high):
        return searched
    return Range(kind="log", low=usual / _BELOW, high=usual * _ABOVE)


def _batches(usual: Any, rows: int) -> Iterator[tuple[str, Range]]:
    sizes = sorted({max(16, int(usual * part)) for part in BATCHES if usual * part <= max(rows // 4, 16)} | {usual})
    if len(sizes) > 1:
        yield "train.batch_size", Range(kind="list", values=tuple(sizes))


def _scales(usual: Any) -> Iterator[tuple[str, Range]]:
    if isinstance(usual, str):
        yield "features.scale", Range(kind="list", values=tuple(dict.fromkeys([usual, *SCALES])))
