"""A stage: members of one architecture, trained side by side, and what they say of rows they did not learn."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from wellfit.bagging.bag import Bag, Pool
from wellfit.config import Config, Train, as_mapping, with_values
from wellfit.config.model import OF_ANY
from wellfit.experiment import Experiment
from wellfit.prepared import PreparedTable
from wellfit.training import Callback
from wellfit.training.checkpoint import Checkpoints
from wellfit.training.evaluation import evaluating

__all__ = ["Member", "Stage", "alike", "foremost", "held_out", "stage_config"]

Array = np.ndarray[Any, np.dtype[Any]]
Member = Mapping[str, Any]
"""An architecture as ``model.members`` has it: its ``type`` and options, and under ``train`` how it is trained."""

_OF_EACH = frozenset(Train.model_fields) - (OF_ANY - {"precision"}) - {"steps"}
"""Keys of ``train`` in which the members of an ensemble may differ."""
_ROWS_AT_ONCE = 8192


def foremost(members: Sequence[Member]) -> int:
    """Give the place of the first network, which stands for all where one has to; the linear model if it is alone."""
    return next((place for place, member in enumerate(members) if member["type"] != "linear"), 0)


def alike(one: Member, other: Member) -> bool:
    """Whether two are networks of one kind, trained in one way: they are counted together.

    >>> alike({"type": "tabm", "k": 8, "members": 2}, {"type": "tabm", "k": 8})
    True
    """
    return _kind(one) == _kind(other)


def _kind(member: Member) -> Member:
    train = {key: value for key, value in member.get("train", {}).items() if key not in ("steps", "seed")}
    return {**{key: value for key, value in member.items() if key != "members"}, "train": train}


def stage_config(config: Config, member: Member, place: int) -> Config:
    """Give the config that trains one architecture of an ensemble alone; each has a seed of its own, by its place."""
    network = {key: value for key, value in member.items() if key != "train"}
    own = {f"train.{key}": value for key, value in member.get("train", {}).items()}
    seed = (config.train.seed + place) % 2**32
    return with_values(config, {"model": network, "train.seed": seed, **own, "train.time": None})


class Stage:
    """Members of one architecture of an ensemble."""

    def __init__(
        self,
        table: PreparedTable,
        pool: Pool,
        member: Member,
        place: int,
        *,
        first: int = 0,
        checkpoints: Checkpoints | None = None,
        callbacks: Sequence[Callback] = (),
        until: float | None = None,
    ) -> None:
        """Settle the training of a member; it is trained until ``until`` on the monotonic clock at the longest.

        ``first`` is the fold of its first network.
        """
        config = stage_config(table.config, member, place)
        self.bag = Bag.of(table, pool, int(config.model.get("members", 1)), config, first)
        self.member = member
        self.seconds = 0.0
        """How long training took in this process, and what the members say of rows they did not learn."""
        self.answering = 0.0
        """How much of that was the latter."""
        self.experiment = Experiment(self.bag, checkpoints=checkpoints, callbacks=callbacks, until=until)
        self._said: tuple[Array, Array] | None = None

    @property
    def steps(self) -> int:
        """Updates made."""
        return self.experiment.trainer.position.step

    @property
    def _timed_out(self) -> bool:
        trainer = self.experiment.trainer
        short = trainer.total_steps is not None and self.steps < trainer.total_steps
        return trainer.deadline is not None and short

    @property
    def cut(self) -> bool:
        """Whether the clock ended training, and not patience."""
        return self._timed_out and not self.experiment.trainer.stopping.exhausted

    def run(self) -> None:
        """Train, and keep what was trained should the process be killed in a later stage."""
        began, trainer = time.monotonic(), self.experiment.trainer
        trainer.run()
        self.seconds = time.monotonic() - began
        if trainer.checkpoints is not None:
            trainer.checkpoints.save(trainer.position.step, trainer.state())

    def forget(self) -> None:
        """Remove the checkpoints: what was trained is of no more use."""
        if self.experiment.trainer.checkpoints is not None:
            self.experiment.trainer.checkpoints.clear()

    def network(self) -> dict[str, Any]:
        """Give the architecture with all of its options."""
        return {"type": self.experiment.architecture.name, **self.experiment.architecture.options}

    def spec(self, beside: Config) -> dict[str, Any]:
        """Give the member as a replay trains it: where the clock ended training, by the updates that were made.

        Args:
            beside: the config that it will stand in; what is otherwise there is said of the member.
        """
        trainer = self.experiment.trainer
        own, common = (as_mapping(config)["train"] for config in (self.experiment.config, beside))
        otherwise = {key: own[key] for key in own if key in _OF_EACH and own[key] != common[key]}
        ended = trainer.position.finished and self._timed_out
        train = {**self.member.get("train", {}), **otherwise, **({"steps": self.steps} if ended else {})}
        return {**self.network(), "train": train}

    def said(self) -> tuple[Array, Array]:
        """Give what the members say of rows that they did not learn, once they are trained.

        Returns:
            Sums of their probabilities ``[row, class]`` or values ``[row]``, float64, for all rows of the pool, and how
            many of them did not learn each row.
        """
        if self._said is None:
            began = time.monotonic()
            self._said = self._answers()
            self.answering = time.monotonic() - began
            self.seconds += self.answering
        return self._said

    def scoring(self, rows: int) -> float:
        """Give how long all members take to say something of so many rows, in seconds, by what they took before."""
        answered = sum(len(ids) for ids in self.bag.ids("valid"))
        return self.answering * self.bag.members * rows / max(1, answered)

    def _answers(self) -> tuple[Array, Array]:
        trainer = self.experiment.trainer
        parts = []
        with torch.inference_mode(), evaluating(trainer.module):
            for batch in self.bag.batches("valid").walk(_ROWS_AT_ONCE):
                outputs = trainer.module(*batch.to(trainer.recipe.device).inputs)
                parts.append(trainer.recipe.loss.activate(outputs.double()).cpu().numpy())
        said = np.concatenate(parts)
        said = said if self.bag.members > 1 else said[:, None]
        total = np.zeros((int(self.bag.pool.rows.target.shape[0]), *said.shape[2:]))
        times = np.zeros(len(total))
        for place, ids in enumerate(self.bag.ids("valid")):
            rows = ids.numpy()
            total[rows] += said[: len(rows), place]
            times[rows] += 1
        return total, times


def held_out(stages: Sequence[Stage]) -> tuple[Array, Array]:
    """Give what the members of stages that are alike say of rows they did not learn, and the rows' numbers.

    Returns:
        Probabilities ``[row, class]`` or values ``[row]``, float64, and the rows, ascending. Where several members
        did not learn a row, their mean.
    """
    totals, counts = zip(*(stage.said() for stage in stages), strict=True)
    total, times = np.sum(totals, axis=0), np.sum(counts, axis=0)
    known = np.flatnonzero(times)
    return total[known] / times[known].reshape(-1, *[1] * (total.ndim - 1)), known
