"""The doctor's instruments on a training: facts before it, probes on the way, figures at its end.

A fault of the instruments never stops or changes the training that they watch: it is noted, and they are put away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from wellfit.data.batches import Batches
from wellfit.history import History
from wellfit.training.appraisal import Glimpse, glimpse, judged
from wellfit.training.loss_facts import loss_facts
from wellfit.training.probes import ROWS, Probe
from wellfit.training.recipe import Recipe
from wellfit.training.survey import sample_rows, survey

__all__ = ["Examiner"]


_FEWEST = 32
"""Rows of a probe's backward pass at the least; a forward pass takes a third of the time, and twice as many."""
_PART = 50
"""Part of the training's rows that probes pass through, at the most."""
_LONG = 400 * ROWS
"""Rows trained from which on the noise of gradients is measured: it then costs less than a hundredth of the run."""


class Examiner:
    """Looks at a module, its rows and its loss before, during and after a training, and writes into its history.

    Probes are taken before the first update, after epochs 1, 2, 4, 8 and so on, and at the end: their cost is bounded
    by the logarithm of the run's length.
    """

    def __init__(
        self, module: nn.Module, train: Batches, valid: Batches | None, recipe: Recipe, options: dict[str, Any]
    ) -> None:
        self.module, self.train, self.valid, self.recipe = module, train, valid, recipe
        self.options = options
        self._probe: Probe | None = None
        self._seen: Glimpse | None = None
        self._failed = False

    def before(self, history: History, optimizer: Any) -> None:
        """Write down what is known before the first update."""
        self._safely(history, lambda: self._before(history, optimizer))

    def after_epoch(self, history: History, *, step: int, epoch: int) -> None:
        """Probe after epochs that are powers of two."""
        if epoch & (epoch - 1) == 0 and epoch != self.recipe.epochs:
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
            history.meta["appraisal"] = judged(seen, self.recipe)

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
        meta["data"] = survey(self.train)
        probe = self._ready()
        operations, last, _, figures = probe.first_look()
        meta["operations"], meta["last_operation"] = operations, last
        meta["parameters"] = _of_parameters(self.module)
        meta["loss"] = loss_facts(recipe.loss, probe.rows.target, recipe.outputs)
        for name, where, value in [*figures, *probe.gradients(noise=False)]:
            history.add(step=0, epoch=0, name=name, value=value, where=where)

    def _after(self, history: History, *, step: int, epoch: int) -> None:
        self._record(history, step=step, epoch=epoch, noise=step * self.recipe.batch_rows >= _LONG)
        history.meta["steps"] = step
        self._seen = glimpse(self.module, self.train, self.valid, self.recipe)

    def _record(self, history: History, *, step: int, epoch: int, noise: bool = False) -> None:
        probe = self._ready()
        for name, where, value in [*probe.activations(), *probe.gradients(noise=noise)]:
            history.add(step=step, epoch=epoch, name=name, value=value, where=where)

    def _ready(self) -> Probe:
        if self._probe is None:
            rows = sample_rows(self.train, self._rows(2)).to(self.recipe.device)
            target = self.recipe.loss.prepare(rows.target, self.recipe.outputs)
            ready = type(rows)(rows.inputs, target, rows.weight)
            self._probe = Probe(self.module, self.recipe.loss, ready, gradient_rows=self._rows(1))
        return self._probe

    def _rows(self, share: int) -> int:
        """Give the rows of a probe: all probes together make a few hundredths of the training's own passes."""
        if self.train.rows is None:
            return ROWS
        probes = 2 + self.recipe.epochs.bit_length()
        seen = self.train.rows * self.recipe.epochs
        return max(share * _FEWEST, min(ROWS, share * seen // (_PART * probes)))


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
