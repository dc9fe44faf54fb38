"""The doctor's instruments on a training: facts before it, probes on the way, figures at its end.

A fault of the instruments never stops or changes the training that they watch: it is noted, and they are put away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from wellfit.data.bags import Bagged
from wellfit.data.batches import Batches
from wellfit.history import History
from wellfit.losses import MemberLoss
from wellfit.training.appraisal import judged
from wellfit.training.glimpse import Glimpse, glimpse
from wellfit.training.loss_facts import loss_facts
from wellfit.training.probes import ROWS, Probe
from wellfit.training.recipe import LossLike, Recipe
from wellfit.training.survey import sample_rows, survey

__all__ = ["Examiner"]


_FEWEST = 64
"""Rows of a probe at the least."""
_PART = 100
"""Part of the rows trained that all probes together pass through at the most, as far as that leaves them enough."""
_LONG = 400 * ROWS
"""Rows trained from which on the noise of gradients is measured: the rows it passes through are then 0.3 % of them."""
_MANY = 2000
"""Updates from which on it is measured: the parts it takes apart are as many small updates, then 0.4 % of the run."""


class Examiner:
    """Looks at a module, its rows and its loss before, during and after a training, and writes into its history.

    Probes are taken before the first update, after epochs 1, 4, 16 and so on, and at the end: their number is bounded
    by the logarithm of the run's length.
    """

    def __init__(
        self, module: nn.Module, train: Batches, valid: Batches | None, recipe: Recipe, options: dict[str, Any]
    ) -> None:
        self.module, self.train, self.valid, self.recipe = module, train, valid, recipe
        self.table = train.table if isinstance(train, Bagged) else train
        self.options = options
        self._probe: Probe | None = None
        self._seen: Callable[[], Glimpse] | None = None
        self._failed = False

    def before(self, history: History, optimizer: Any) -> None:
        """Write down what is known before the first update."""
        self._safely(history, lambda: self._before(history, optimizer))

    def after_epoch(self, history: History, *, step: int, epoch: int) -> None:
        """Probe after epochs that are powers of four."""
        if epoch & (epoch - 1) == 0 and epoch.bit_length() % 2 == 1 and epoch != self.recipe.epochs:
            self.probe(history, step=step, epoch=epoch)

    def probe(self, history: History, *, step: int, epoch: int) -> None:
        """Probe the weights as they are."""
        self._safely(history, lambda: self._record(history, step=step, epoch=epoch))

    def after(self, history: History, *, step: int, epoch: int) -> None:
        """Probe the weights that are kept, and look at training and validation rows through them."""
        self._safely(history, lambda: self._after(history, step=step, epoch=epoch))

    def conclude(self, history: History) -> None:
        """Judge what was seen at the end, beside baselines, once: it takes as long as a short training."""
        if self._seen is not None:
            seen, self._seen = self._seen, None
            history.meta["appraisal"] = judged(seen(), self.recipe)

    def _safely(self, history: History, work: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            work()
        except Exception as error:
            self._failed = True
            history.meta["doctor_failed"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]

    def _before(self, history: History, optimizer: Any) -> None:
        meta = history.meta
        recipe = self.recipe
        meta["settings"] = {**self.options, **_of_optimizer(optimizer)}
        meta["data"] = survey(self.table)
        probe = self._ready()
        operations, last, _, figures = probe.first_look()
        meta["operations"], meta["last_operation"] = operations, last
        meta["parameters"] = _of_parameters(self.module)
        meta["loss"] = loss_facts(_of_one(recipe.loss), probe.rows.target, recipe.outputs)
        for name, where, value in figures:
            history.add(step=0, epoch=0, name=name, value=value, where=where)

    def _after(self, history: History, *, step: int, epoch: int) -> None:
        self._record(history, step=step, epoch=epoch, noise=self._is_long(step))
        history.meta["steps"] = step
        self._seen = glimpse(self.module, self.train, self.valid, self.recipe)

    def _is_long(self, step: int) -> bool:
        return step >= _MANY and step * self.recipe.batch_rows >= _LONG

    def _record(self, history: History, *, step: int, epoch: int, noise: bool = False) -> None:
        for name, where, value in self._ready().look(noise=noise):
            history.add(step=step, epoch=epoch, name=name, value=value, where=where)

    def _ready(self) -> Probe:
        if self._probe is None:
            rows = sample_rows(self.table, self._rows()).to(self.recipe.device)
            target = self.recipe.loss.prepare(rows.target, self.recipe.outputs)
            self._probe = Probe(self.module, self.recipe.loss, type(rows)(rows.inputs, target, rows.weight))
        return self._probe

    def _rows(self) -> int:
        """Give the rows of a probe: its forward and backward pass take as long as an update's with as many rows."""
        rows, epochs = self.train.rows, self.recipe.epochs
        if rows is None:
            return ROWS
        probes = 2 + (epochs.bit_length() + 1) // 2
        return max(_FEWEST, min(ROWS, rows * epochs // (_PART * probes)))


def _of_one(loss: LossLike) -> LossLike:
    """Give the loss of one network where several are trained side by side."""
    return loss.inner if isinstance(loss, MemberLoss) else loss


def _of_optimizer(optimizer: Any) -> dict[str, Any]:
    if optimizer is None:
        return {}
    group = optimizer.param_groups[0]
    known = ("lr", "momentum", "weight_decay", "betas", "maximize", "alpha", "beta")
    facts = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in group.items()
        if name in known and isinstance(value, (int, float, bool, tuple))
    }
    return {"optimizer": type(optimizer).__name__, **facts}


def _of_parameters(module: nn.Module) -> dict[str, Any]:
    counts = {True: 0, False: 0}
    weights = {True: 0, False: 0}
    for parameter in module.parameters():
        counts[parameter.requires_grad] += parameter.numel()
        if parameter.ndim > 1:
            weights[parameter.requires_grad] += parameter.numel()
    return {
        "trained": counts[True],
        "frozen": counts[False],
        "trained_weights": weights[True],
        "frozen_weights": weights[False],
    }
