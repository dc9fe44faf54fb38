"""Which members fit into the time: settled by the measured cost of an update, before the first one is made."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from typing import Any

from wellfit.bagging.bag import Bag, Pool
from wellfit.bagging.stage import Member, stage_config
from wellfit.config import Config, with_values
from wellfit.experiment import Experiment
from wellfit.models import MODELS, Occasion
from wellfit.prepared import Prepared, PreparedTable
from wellfit.training import Callback, Trainer

__all__ = ["chosen_members", "first_member"]

TRIED = 5
"""Updates that an architecture's cost is measured on; the first ones, which are slower, do not count."""
CAREFUL = 0.85
"""The share of the time that is planned for: what is left over covers a machine that is busier later."""
FEWEST_SECONDS = 1.0
"""Below this there is no network worth training, and the linear model is fitted."""
SHARED = 4
"""Members of an architecture where all learn from the same rows: they differ in what they draw."""
FEWEST_EPOCHS = {"realmlp": 40, "tabm": 30}
"""Epochs that a member needs before a second one helps more than longer training of the first."""
FIRST_SHARE = 0.5
"""The share of the time for RealMLP, whose cost per epoch is the smaller; TabM takes the rest."""


@dataclass(frozen=True, kw_only=True)
class _Cost:
    """What one member costs per epoch, in seconds."""

    epoch: float

    def affordable(self, seconds: float) -> float:
        """Give the epochs of one member that fit into so many seconds."""
        return seconds / self.epoch


def chosen_members(table: PreparedTable, pool: Pool, until: float) -> tuple[list[Member], list[float]]:
    """Choose the members of an ensemble, and when each has to be done.

    Args:
        table: The rows.
        pool: How they are dealt.
        until: When the last one has to be done, on the monotonic clock.

    Returns:
        The members as ``model.members`` has them, and the end of each on the monotonic clock.
    """
    folds = len(pool.folds) if pool.crossed else SHARED
    plain = _member(table, "linear", folds, None)
    if until - time.monotonic() < FEWEST_SECONDS:
        return [plain], [until]
    first = _measured(table, pool, "realmlp", folds)
    second = _measured(table, pool, "tabm", 1)
    left = until - time.monotonic()
    share = FIRST_SHARE if second.affordable(left * (1 - FIRST_SHARE)) >= FEWEST_EPOCHS["tabm"] / 3 else 1.0
    chosen = [_fitted(table, "realmlp", folds, first.affordable(left * share * CAREFUL))]
    ends = [until - left * (1 - share)]
    if share < 1:
        rest = left - first.epoch * chosen[0]["members"] * chosen[0]["train"]["epochs"]
        chosen.append(_fitted(table, "tabm", folds, second.affordable(max(rest, left * (1 - share)) * CAREFUL)))
        ends.append(until)
    return [plain, *chosen], [until, *ends]


def _fitted(table: PreparedTable, name: str, folds: int, affordable: float) -> Member:
    """Share out the epochs that one member could have among as many members as are worth it."""
    most = int(dict(_recipe(table, name)).get("train.epochs", 100))
    members = max(1, min(folds, int(affordable / FEWEST_EPOCHS[name])))
    return _member(table, name, members, max(1, min(most, int(affordable / members))))


def first_member(table: Prepared) -> Member:
    """Give the first network of the ensemble that rows would get, with all of its epochs."""
    return _member(table, "realmlp", 1, None)


def _member(table: Prepared, name: str, members: int, epochs: int | None) -> Member:
    train = {key.removeprefix("train."): value for key, value in _recipe(table, name).items() if key[:6] == "train."}
    # All give outputs of one form, which the blend reads.
    train["loss"] = _recipe(table, "realmlp").get("train.loss", "auto")
    given: dict[str, Any] = {"type": name, **({"members": members} if members else {})}
    return {**given, "train": {**train, **({} if epochs is None else {"epochs": epochs})}}


def _recipe(table: Prepared, name: str) -> dict[str, Any]:
    occasion = Occasion(task=table.target.task, rows=table.rows["train"], metric=table.config.train.metric)
    return dict(MODELS[name].recipe(occasion))


class _Watch(Callback):
    """Notes how long updates and validations take."""

    def __init__(self) -> None:
        self.updates: list[float] = []
        self.validations: list[float] = []
        self._last = math.nan

    def on_start(self, trainer: Trainer) -> None:
        """Begin."""
        self._last = time.perf_counter()

    def on_step(self, trainer: Trainer) -> None:
        """Note an update."""
        self.updates.append(self._passed())

    def on_epoch(self, trainer: Trainer) -> None:
        """Note a validation."""
        self.validations.append(self._passed())

    def _passed(self) -> float:
        before, self._last = self._last, time.perf_counter()
        return self._last - before


def _measured(table: PreparedTable, pool: Pool, name: str, members: int) -> _Cost:
    """Make a few updates of a throwaway network, and look at the validations that come with them."""
    watch = _Watch()
    config = _trial(stage_config(table.config, _member(table, name, members, TRIED), 0))
    trainer = Experiment(Bag.of(table, pool, members, config), callbacks=[watch]).trainer
    trainer.run()
    update = statistics.median(watch.updates[1:])
    return _Cost(epoch=(update * (trainer.epoch_steps or 1) + min(watch.validations)) / members)


def _trial(config: Config) -> Config:
    return with_values(config, {"train.steps": TRIED, "train.doctor": "off", "train.checkpoint_every": None})
