"""Which members fit into the time: settled by the measured cost of an update, before the first one is made."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wellfit.bagging.bag import Bag, Pool
from wellfit.bagging.recipes import architectures_of, epochs_of, hasty_member, member_of
from wellfit.bagging.stage import Member, stage_config
from wellfit.config import Config, with_values
from wellfit.experiment import Experiment
from wellfit.prepared import Prepared, PreparedTable
from wellfit.runtime import default_threads
from wellfit.training import Callback, Trainer

__all__ = ["Cost", "chosen_members", "with_threads"]

TRIED = 12
"""Updates that an architecture's cost is measured on, by their median: of five, the first ones, which are slower, made
a small network half as dear again as it is."""
TRIED_SECONDS = 0.25
"""Seconds after which no more updates are tried: of wide tables one takes long, and is measured well by few."""
CAREFUL = 0.93
"""The share of the time that is planned for: what is left over covers a machine that is busier later."""
FEWEST_SECONDS = 1.0
"""Below this there is no network worth training, and the linear model is fitted."""
SOME = 4
"""Members that are worth more than longer training of fewer: one alone errs by chance where two or four do not."""
SHARED = 4
"""Members of an architecture where all learn from the same rows: they differ in what they draw."""
SLACK = 0.4
"""The share of the others' time that one leaves them at the least, should its epochs take longer than was measured."""
SHARES = {"realmlp": 0.35, "tabm": 0.65}
"""Each architecture's share of the time: RealMLP's update costs the least."""
WITH_NEIGHBOURS = {"realmlp": 0.2, "modernnca": 0.25, "tabm": 0.4}
"""The same with ModernNCA. What is left makes more members of those that count the most."""
WITH_SOME_NEIGHBOURS = {"realmlp": 0.3, "modernnca": 0.12, "tabm": 0.5}
"""The same of more than `MANY_ROWS`: ModernNCA looks among a part of them alone, and counts where that is enough."""
MANY_ROWS = 40_000


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one member costs, and how many updates an epoch has."""

    epoch: float
    """Seconds an epoch."""
    steps: int

    def affordable(self, seconds: float) -> float:
        """Give the epochs of one member that fit into so many seconds."""
        return seconds / self.epoch


def chosen_members(
    table: PreparedTable, pool: Pool, until: float, known: Mapping[str, Cost] | None = None
) -> tuple[list[Member], list[float | None]]:
    """Choose the members of an ensemble, and when each has to be done.

    Args:
        table: The rows.
        pool: How they are dealt.
        until: When the last one has to be done, on the monotonic clock.
        known: What was measured before, by architecture.

    Returns:
        The members as ``model.members`` has them, and the end of each on the monotonic clock; None for one that is
        trained to its end, as it was made to be short.
    """
    folds = len(pool.folds) if pool.crossed else SHARED
    names, costs = architectures_of(table), dict[str, Cost]()
    for name in names:
        if not _worth(until):
            break
        cost = (known or {}).get(name)
        # Members of RealMLP side by side cost less each than one alone.
        costs[name] = cost or _measured(table, pool, name, min(SOME, folds) if name == "realmlp" else 1, until)
    # Measuring takes time too, on a busy machine more than was left.
    if not _worth(until):
        return [hasty_member(table, folds if pool.crossed else 1)], [None]
    return _shared_out(table, folds, costs, until)


def _shared_out(
    table: PreparedTable, folds: int, costs: Mapping[str, Cost], until: float
) -> tuple[list[Member], list[float | None]]:
    """Give each architecture its share of the time, and the next ones what it does not need."""
    left = until - time.monotonic()
    names = _learnable(table, costs, left)
    shares = _shares(table, names)
    members: list[Member] = [member_of(table, "linear", folds)]
    ends: list[float | None] = [until]
    spare = left * (sum(shares.values()) if len(names) > 1 else 1.0)
    for place, name in enumerate(names):
        others = sum(shares[other] for other in names[place + 1 :])
        part = spare * shares[name] / (shares[name] + others)
        chosen = _fitted(table, name, folds, costs[name], part * CAREFUL)
        spare -= costs[name].epoch * chosen["members"] * chosen["train"]["epochs"] / CAREFUL
        members.append(chosen)
        # Of few rows an epoch costs more than its updates, and one that is cut at a high rate is worth little.
        ends.append(until - max(spare, 0.0) * SLACK if others else until)
    return members, ends


def _learnable(table: PreparedTable, costs: Mapping[str, Cost], left: float) -> list[str]:
    """Give the architectures that can learn something in their parts of the time; RealMLP, which learns soonest."""
    for without in ((), ("tabm",), ("modernnca",)):
        names = [name for name in costs if name not in without]
        shares = _shares(table, names)
        whole = left * CAREFUL * sum(shares.values()) / sum(shares[name] for name in names)
        if all(name == "realmlp" or _learns(table, name, costs[name], whole * shares[name]) for name in names):
            return names
    return ["realmlp"]


def _learns(table: PreparedTable, name: str, cost: Cost, seconds: float) -> bool:
    needed, _ = epochs_of(name, table.rows["train"], cost.steps)
    return cost.affordable(seconds) >= needed / 3


def _shares(table: PreparedTable, names: Sequence[str]) -> Mapping[str, float]:
    if "modernnca" not in names:
        return SHARES
    return WITH_NEIGHBOURS if table.rows["train"] <= MANY_ROWS else WITH_SOME_NEIGHBOURS


def with_threads(table: PreparedTable, pool: Pool, until: float) -> tuple[PreparedTable, Mapping[str, Cost]]:
    """Give the table to be trained by one thread where several are slower, and what was measured to tell.

    That is so where others use the cores, or there are fewer than there seem to be, as in a container with a quota:
    threads wait for each other at every product, and an update takes longer than with one.
    """
    if table.config.train.threads != "auto" or default_threads() == 1 or not _worth(until):
        return table, {}
    alone = replace(table, config=with_values(table.config, {"train.threads": 1}))
    single, several = (_measured(each, pool, "tabm", 1, until) for each in (alone, table))
    return (alone, {"tabm": single}) if several.epoch > single.epoch else (table, {"tabm": several})


def _worth(until: float) -> bool:
    return until - time.monotonic() >= FEWEST_SECONDS


def _fitted(table: Prepared, name: str, folds: int, cost: Cost, seconds: float) -> Member:
    """Share out the epochs that one member could have: to some members first, then for longer, then to more."""
    affordable = cost.affordable(seconds)
    most = int(member_of(table, name, 1)["train"]["epochs"])
    fewest, enough = (min(most, epochs) for epochs in epochs_of(name, table.rows["train"], cost.steps))
    wanted = max(min(SOME, int(affordable / fewest)), int(affordable / enough))
    members = max(1, min(folds, wanted))
    return member_of(table, name, members, max(1, min(enough, int(affordable / members))))


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


def _measured(table: PreparedTable, pool: Pool, name: str, members: int, until: float) -> Cost:
    """Make a few updates of a throwaway network, and look at the validations that come with them.

    Where time ends before, nothing is known, and nothing more will be trained.
    """
    watch = _Watch()
    config = _trial(stage_config(table.config, member_of(table, name, members, TRIED), 0))
    trainer = Experiment(Bag.of(table, pool, members, config), callbacks=[watch]).trainer
    trainer.deadline = min(until, time.monotonic() + TRIED_SECONDS)
    trainer.run()
    update = statistics.median(watch.updates[1:] or watch.updates)
    steps = trainer.epoch_steps or 1
    return Cost(epoch=(update * steps + min(watch.validations)) / members, steps=steps)


def _trial(config: Config) -> Config:
    return with_values(config, {"train.steps": TRIED, "train.doctor": "off", "train.checkpoint_every": None})
