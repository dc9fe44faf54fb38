"""What can't stand together across the sections of a config, and which default gives way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wellfit.config.families import family
from wellfit.config.problems import Path, Problem
from wellfit.errors import ConfigError

if TYPE_CHECKING:
    from wellfit.config.model import Config

__all__ = ["Clash", "check_combinations", "clashes"]


def check_combinations(config: Config) -> None:
    """Raise `Problem` for the first pair of settings that can't stand together, whoever gave them."""
    _files(config)
    _plateau(config)
    if isinstance(config.train.loss, Mapping):
        _fits_task(config, "losses", config.train.loss["name"], ("train", "loss"))
    if config.train.metric != "auto":
        _fits_task(config, "metrics", config.train.metric, ("train", "metric"))
    _class_weight(config)
    _batch_size(config)


def _files(config: Config) -> None:
    method, own = config.split.method, {"test": config.data.test, "valid": config.data.valid}
    for name, table in own.items():
        if table is not None and method == "column":
            raise Problem(
                f"'{name}' of data is a table of its own, and the method column of split takes the {name} rows from "
                "the source.",
                got=table,
                do="Leave out one of them.",
                path=("data", name),
            )
    if method == "files" and not any(own.values()):
        raise Problem(
            "Method files of split needs 'test' or 'valid' of data, the tables that the scores are taken on.",
            do="Add data.test, or try method: auto.",
            path=("split", "method"),
        )
    if config.data.valid is not None and config.split.folds is not None:
        raise Problem(
            "'folds' of split deals the rows that validate, and 'valid' of data is a table of them.",
            got=config.split.folds,
            do="Leave out one of them.",
            path=("split", "folds"),
        )


def _has_valid(config: Config) -> bool:
    dealt = config.split.valid > 0 or config.split.folds is not None or config.split.method == "column"
    return dealt or config.data.valid is not None


def _plateau(config: Config) -> None:
    schedule = config.train.schedule
    if schedule and not _has_valid(config) and family("schedules")[schedule["name"]].needs_losses:
        raise Problem(
            f"Schedule {schedule['name']} reads the validation loss, and 'valid' of split leaves no validation rows.",
            got=config.split.valid,
            do="Try split.valid: 0.16, or schedule: cosine.",
            path=("train", "schedule"),
        )


def _fits_task(config: Config, kind: str, name: str, path: Path) -> None:
    """Raise unless a loss or a metric is one for the task stated."""
    members = family(kind)
    task = config.data.task
    if task != "auto" and task not in members[name].tasks:
        others = [other for other, entry in members.items() if task in entry.tasks]
        do = f"Try auto, {' or '.join([', '.join(others[:-1]), others[-1]] if others[1:] else others)}."
        raise Problem(f"'{name}' is no {members.noun} for a {task} target.", do=do, path=path)


def _class_weight(config: Config) -> None:
    weights = config.train.class_weight
    if config.data.task == "regression" and weights not in ("auto", "none"):
        raise Problem(
            "'class_weight' of train weighs classes, and a regression has none.",
            got=weights,
            do="Try none.",
            path=("train", "class_weight"),
        )


_ANY_ROWS = 2**62


def _batch_size(config: Config) -> None:
    """Raise where the optimizer's name says another batch size, whatever the number of rows."""
    from wellfit.optimizers import check_batch_size

    entry = family("optimizers")[config.train.optimizer["name"]]
    size = config.train.batch_size
    if size == "auto" or entry.batch_rule == "full":
        return
    try:
        check_batch_size(entry, int(size), _ANY_ROWS)
    except ConfigError as error:
        raise Problem(error.rule, got=error.got, do=error.do, path=("train", "batch_size")) from None


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A setting that must give way: an error where the person gave it, changed where it is a default."""

    path: Path
    neutral: Any
    """The value that is in nobody's way."""
    rule: str
    do: str
    got: Any


_NEUTRAL: dict[str, tuple[Path, Any]] = {
    "clip_norm": (("train", "clip_norm"), None),
    "clip_value": (("train", "clip_value"), None),
    "accumulate": (("train", "accumulate"), 1),
    "augment": (("train", "augment"), "none"),
    "weight_decay": (("train", "weight_decay"), 0.0),
    "dropout": (("model", "dropout"), 0.0),
}
"""What an optimizer may refuse, where it stands, and the value that is nothing to refuse."""


def clashes(config: Config) -> Iterator[Clash]:
    """Give the settings that must give way to others."""
    yield from _refused(config)
    yield from _decayed_twice(config)
    yield from _norm(config)
    if config.train.early_stopping is not None and not _has_valid(config):
        yield Clash(
            path=("train", "early_stopping"),
            neutral=None,
            rule="'early_stopping' of train needs validation rows, and 'valid' of split leaves none.",
            do="Try split.valid: 0.16, or early_stopping: null.",
            got=None,
        )


def _refused(config: Config) -> Iterator[Clash]:
    entry = family("optimizers")[config.train.optimizer["name"]]
    for key, reason in entry.refuses_combinations.items():
        path, neutral = _NEUTRAL.get(key, ((), None))
        value = _at(config, path)
        if path and value != neutral:
            rule = f"{entry.name} can't be combined with '{key}' of {path[0]}: {reason}."
            shown = "null" if neutral is None else neutral
            yield Clash(path=path, neutral=neutral, rule=rule, do=f"Leave it out, or try {key}: {shown}.", got=value)


def _decayed_twice(config: Config) -> Iterator[Clash]:
    optimizer, decay = config.train.optimizer, config.train.weight_decay
    if decay and "weight_decay" in optimizer:
        yield Clash(
            path=("train", "weight_decay"),
            neutral=0.0,
            rule=f"{optimizer['name']} decays weights by itself, so 'weight_decay' of train must be 0.",
            do=f"Write optimizer: {{name: {optimizer['name']}, weight_decay: {decay:g}}}.",
            got=decay,
        )


def _norm(config: Config) -> Iterator[Clash]:
    single = family("optimizers")[config.train.optimizer["name"]].batch_rule == "single"
    if (single or config.train.batch_size == 1) and config.model.get("norm") == "batch":
        yield Clash(
            path=("model", "norm"),
            neutral="layer",
            rule="Norm batch of the model needs two rows or more per update, and there is one.",
            do="Try norm: layer.",
            got="batch",
        )


def _at(config: Config, path: Path) -> Any:
    """Give a setting's value; the neutral None where the model has no such option."""
    if not path:
        return None
    if path[0] == "model":
        return config.model.get(str(path[1]), _NEUTRAL[str(path[1])][1])
    return getattr(config.train, str(path[1]))
