"""Which members fit into the time: settled by the measured cost of an update, before the first one is made."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from wellfit.bagging.bag import Bag, Pool
from wellfit.bagging.cost import (
    CAREFUL,
    EXACT,
    FEWEST_SECONDS,
    SOME,
    TRIED,
    TRIED_ROWS,
    TRIED_SECONDS,
    WHOLE,
    Cost,
    Watch,
    trial,
)
from wellfit.bagging.recipes import architectures_of, epochs_of, hasty_member, member_of
from wellfit.bagging.stage import Member, stage_config
from wellfit.config import with_values
from wellfit.experiment import Experiment
from wellfit.prepared import Prepared, PreparedTable
from wellfit.runtime import default_threads

__all__ = ["chosen_members", "with_threads"]

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
MOST_ANSWERING = 0.5
"""The share of the time that is kept at the most to answer the test rows."""


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
    answering = _answering(table, pool, costs, _shared_out(table, folds, costs, until)[0])
    # Fewer members answer sooner than those that all of the time would give.
    kept = min(answering, MOST_ANSWERING * (until - time.monotonic()))
    return _shared_out(table, folds, costs, until - kept)


def _answering(table: PreparedTable, pool: Pool, costs: Mapping[str, Cost], members: Sequence[Member]) -> float:
    """Give the seconds that members take to answer the test rows, by what a validation takes."""
    share = EXACT * table.rows["test"] / len(pool.fold(0).valid)
    networks = [member for member in members if member["type"] in costs]
    return share * sum(costs[member["type"]].validation * int(member["members"]) for member in networks)


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
        chosen, cost = _fitted(table, name, folds, costs[name], part * CAREFUL)
        spare -= cost.of(chosen) / CAREFUL
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


def _fitted(table: Prepared, name: str, folds: int, cost: Cost, seconds: float) -> tuple[Member, Cost]:
    """Share out the epochs that one member could have: to some members first, then for longer, then to more.

    Returns:
        The members, and what one of them costs.
    """
    most = int(member_of(table, name, 1)["train"]["epochs"])
    fewest, enough = (min(most, epochs) for epochs in epochs_of(name, table.rows["train"], cost.steps))

    def wanted(cost: Cost) -> int:
        affordable = cost.affordable(seconds)
        return min(folds, max(min(SOME, int(affordable / fewest)), int(affordable / enough)))

    members = next((count for count in range(wanted(cost), 1, -1) if wanted(cost.of_few(count)) >= count), 1)
    cost = cost.of_few(members)
    affordable = cost.affordable(seconds) / members
    if members == 1 and affordable < min(WHOLE, enough):
        return member_of(table, name, 1, *cost.parts(seconds)), cost
    return member_of(table, name, members, max(1, min(enough, int(affordable)))), cost


def _measured(table: PreparedTable, pool: Pool, name: str, members: int, until: float) -> Cost:
    """Make a few updates of a throwaway network, and look at the validations that come with them.

    Where time ends before, nothing is known, and nothing more will be trained.
    """
    watch = Watch()
    config = trial(stage_config(table.config, member_of(table, name, members, TRIED), 0))
    folds = tuple(replace(fold, valid=fold.valid[:TRIED_ROWS]) for fold in pool.folds)
    trainer = Experiment(Bag.of(table, replace(pool, folds=folds), members, config), callbacks=[watch]).trainer
    trainer.deadline = min(until, time.monotonic() + TRIED_SECONDS)
    trainer.run()
    held = len(pool.fold(0).valid) / len(folds[0].valid)
    return Cost(
        update=watch.update / members,
        validation=held * min(watch.validations) / members,
        steps=trainer.epoch_steps or 1,
        together=members,
    )
