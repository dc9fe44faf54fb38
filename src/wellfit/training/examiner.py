"""The doctor's instruments on a training: facts before it, probes on the way, figures at its end.

A fault of the instruments never stops or changes the training that they watch: it is noted, and they are put away.

On the way, a copy of the weights is all that is taken: what they do to the sampled rows is found when the history is
first read. Of a short training, looking takes longer than an epoch; of a large module the copies would take memory, and
it is looked at on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from wellfit.data.bags import Bagged
from wellfit.data.batches import Batches
from wellfit.history import History
from wellfit.losses import MemberLoss
from wellfit.runtime import threads
from wellfit.training.appraisal import judged
from wellfit.training.glimpse import Glimpse, glimpse
from wellfit.training.kept_weights import Weights
from wellfit.training.loss_facts import loss_facts, softened_over_rows
from wellfit.training.probes import ROWS, Probe
from wellfit.training.recipe import LossLike, Recipe
from wellfit.training.survey import sample_rows, surveyed

__all__ = ["Examiner", "optimizer_facts"]


_FEWEST = 64
"""Rows of a probe at the least."""
_PART = 100
"""Part of the rows trained that all probes together pass through at the most, as far as that leaves them enough."""
_LONG = 400 * ROWS
"""Rows trained from which on the noise of gradients is measured: the rows it passes through are then 0.3 % of them."""
_KEPT = 2**22
"""Numbers of all copies together at the most, 16 MB."""
_MANY = 2000
"""Updates from which on it is measured: the parts it takes apart are as many small updates, then 0.4 % of the run."""


_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


class Examiner:
    """Looks at a module, its rows and its loss before, during and after a training, and writes into its history.

    Probes are taken before the first update, after epochs 1, 4, 16 and so on, and at the end: their number is bounded
    by the logarithm of the run's length.
    """

    def __init__(
        self,
        module: nn.Module,
        train: Batches,
        valid: Batches | None,
        recipe: Recipe,
        options: dict[str, Any],
        probe_rows: int | None = None,
    ) -> None:
        """Make the instruments; ``probe_rows`` are a probe's rows, None for as many as the training's length allows."""
        self.module, self.train, self.valid, self.recipe = module, train, valid, recipe
        self.table = train.table if isinstance(train, Bagged) else train
        self.options, self._probe_rows = options, probe_rows
        self._probe: Probe | None = None
        self._seen: Callable[[], Glimpse] | None = None
        self._weights = Weights(module)
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
        self._look(history, lambda part: self._record(part, step=step, epoch=epoch))

    def after(self, history: History, *, step: int, epoch: int) -> None:
        """Probe the weights that are kept, and look at training and validation rows through them."""
        noise = self._is_long(step)
        self._look(history, lambda part: self._record(part, step=step, epoch=epoch, noise=noise))
        history.later(lambda part: part.meta.update(steps=step))
        self._safely(history, self._glimpse)

    def look_again(self, history: History) -> None:
        """Look at the rows through kept weights that were read from a checkpoint of the finished training."""
        self._safely(history, self._glimpse)

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

    def _look(self, history: History, work: Callable[[History], None]) -> None:
        """Have the module looked at as it is now: when the history is read, or at once where it is large."""
        if self._weights.size * self._looks() > _KEPT:
            self._safely(history, lambda: work(history))
            return
        kept = self._weights.copy()

        def look(part: History) -> None:
            with threads(self.recipe.threads), torch.inference_mode(False), self._weights.put(kept):
                work(part)

        history.later(lambda part: self._safely(part, lambda: look(part)))

    def _before(self, history: History, optimizer: Any) -> None:
        facts = {
            "settings": {**self.options, **optimizer_facts(optimizer)},
            "parameters": _of_parameters(self.module),
        }
        # Rows are copied now: later, they may be others.
        survey_of_rows, probe = surveyed(self.table), self._ready()

        def describe(part: History) -> None:
            part.meta.update(facts, data=survey_of_rows())
            operations, last, output, figures = probe.first_look()
            part.meta.update(operations=operations, last_operation=last)
            shape = None if output is None else output.shape[1:]
            of_loss = loss_facts(_of_one(self.recipe.loss), probe.rows.target, self.recipe.outputs, shape)
            part.meta["loss"] = {**of_loss, "over_rows": softened_over_rows(output, last)}
            for name, where, value in figures:
                part.add(step=0, epoch=0, name=name, value=value, where=where)

        self._look(history, describe)

    def _glimpse(self) -> None:
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

    def _looks(self) -> int:
        """Give how many looks a training takes: before, after, and after epochs that are powers of four."""
        return 2 + (self.recipe.epochs.bit_length() + 1) // 2

    def _rows(self) -> int:
        """Give the rows of a probe: its forward and backward pass take as long as an update's with as many rows."""
        rows, epochs = self.train.rows, self.recipe.epochs
        if rows is None or self._probe_rows is not None:
            return self._probe_rows or ROWS
        return max(_FEWEST, min(ROWS, rows * epochs // (_PART * self._looks())))


def _of_one(loss: LossLike) -> LossLike:
    """Give the loss of one network where several are trained side by side."""
    return loss.inner if isinstance(loss, MemberLoss) else loss


def optimizer_facts(optimizer: Any) -> dict[str, Any]:
    """Give an optimizer's name and the settings of its first group."""
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
        "dropout": max((part.p for part in module.modules() if isinstance(part, _DROPOUTS)), default=0.0),
    }
