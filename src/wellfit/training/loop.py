"""The training loop: epochs of updates, an evaluation after each, and an end that can be repeated bit for bit."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from wellfit.allocation import keep_freed_memory
from wellfit.data.batches import Batch, Batches
from wellfit.errors import ConfigError, DataError, Interrupted, RunFailed
from wellfit.history import History
from wellfit.runtime import restored_random_state, threads
from wellfit.training.checkpoint import Checkpoints, to_device
from wellfit.training.chosen_weights import ChosenWeights
from wellfit.training.evaluation import evaluate, prepared
from wellfit.training.examiner import Examiner
from wellfit.training.interrupt import Interruption
from wellfit.training.loss_windows import LossWindows
from wellfit.training.monitor import LayerStatistics
from wellfit.training.products import LinearByOneDnn
from wellfit.training.recipe import Recipe, updates_of
from wellfit.training.step import Updater
from wellfit.training.stopping import EarlyStopping
from wellfit.training.terms import refuse_changed
from wellfit.training.watching import Callback, Position

__all__ = ["Trainer"]

_FLUSH_EVERY = 256
"""Losses held on the device before they are read: one wait for the device instead of 256."""


@dataclass
class Trainer:
    """Trains a module in place.

    ``forward`` is what computes outputs while training: the module, or its compiled form.
    """

    module: nn.Module
    train: Batches
    valid: Batches | None
    recipe: Recipe
    forward: Callable[..., Any] | None = None
    monitor: LayerStatistics | None = None
    examiner: Examiner | None = None
    callbacks: Sequence[Callback] = ()
    checkpoints: Checkpoints | None = None
    checkpoint_every: int | float | None = None
    """Updates between checkpoints, or seconds as a float, which change no result; None: 30 seconds."""
    deadline: float | None = None
    """When to stop, on `time.monotonic`'s clock; the steps done are in `position`."""
    terms: Mapping[str, str] = field(default_factory=dict)
    """What decides this training, by name: checkpoints made under other terms are refused."""
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        """Make the optimizer and the state that a checkpoint holds."""
        self.position = Position()
        self.latest: dict[str, float] = {}
        self.stopping = EarlyStopping(self.recipe.patience, self.recipe.min_delta, self.recipe.greater_is_better)
        named = [(name, weight) for name, weight in self.module.named_parameters() if weight.requires_grad]
        if not named:
            raise DataError(
                "A module must have parameters that are trained.",
                got=type(self.module).__name__,
                do="Set requires_grad on those that should be.",
            )
        self.optimizer = self.recipe.optimizer(named)
        steps = self.epoch_steps
        planned = None if steps is None else steps * self.recipe.epochs
        forward = self.module if self.forward is None else self.forward
        self.updater = Updater(self.module, forward, self.optimizer, self.recipe, self.monitor, planned)
        self.weights = ChosenWeights(self.module, self.optimizer, self.recipe.ema)
        self._pending: list[tuple[Tensor, Tensor | float]] = []
        self._losses: list[float] = []
        # Not the steps asked for: a run that time ended is replayed with those, and to the same history.
        self._windows = LossWindows(planned)
        self._saved_at = time.monotonic()

    @property
    def total_steps(self) -> int | None:
        """Updates that all epochs make together; None where the rows' number is not known."""
        steps = self.epoch_steps
        whole = None if steps is None else steps * self.recipe.epochs
        if whole is None or self.recipe.steps is None:
            return self.recipe.steps if whole is None else whole
        return min(whole, self.recipe.steps)

    @property
    def epoch_steps(self) -> int | None:
        """Updates that one epoch makes."""
        return updates_of(self.train, self.recipe.batch_rows, self.recipe.accumulate, self.recipe.epoch_steps)

    def resume(self) -> bool:
        """Go on from the newest whole checkpoint, if there is one."""
        state = None if self.checkpoints is None else self.checkpoints.latest()
        if state is None:
            return False
        self.restore(state)
        return True

    def run(self) -> None:
        """Train until the epochs are done, patience or time has run out, or a gradient is not finite.

        Raises:
            Interrupted: where the person asked to stop; the step was finished and a checkpoint written.
        """
        if self.position.finished:
            self._finished_before()
            return
        keep_freed_memory()
        frozen = [part for part in self.module.modules() if not part.training] if self.module.training else []
        self.module.train()
        for part in frozen:
            part.training = False
        if self.examiner is not None and self.position.step == 0:
            with threads(self.recipe.threads):
                self.examiner.before(self.history, self.optimizer)
        for callback in self.callbacks:
            callback.on_start(self)
        started = time.monotonic() - self.position.seconds
        try:
            with restored_random_state(), threads(self.recipe.threads), Interruption() as interruption:
                self._epochs(started, interruption)
        finally:
            for callback in self.callbacks:
                callback.on_end(self)
        self._settle()
        if self.examiner is not None:
            with threads(self.recipe.threads):
                self.examiner.after(self.history, step=self.position.step, epoch=self.position.epoch)

    def _finished_before(self) -> None:
        """Leave a training that a checkpoint holds to its end as its run left it."""
        self.module.eval()
        if self.examiner is not None and "appraisal" not in self.history.meta:
            with threads(self.recipe.threads):
                self.examiner.look_again(self.history)

    def _epochs(self, started: float, interruption: Interruption) -> None:
        while not self._done():
            if not self._updates(started, interruption):
                break
            self._finish_epoch()
            self._save_if_due(epoch_ended=True)

    def _done(self) -> bool:
        if self.position.batch:
            # Resumed within an epoch, which is evaluated even where no update is left to make.
            return False
        return self.position.epoch >= self.recipe.epochs or self.stopping.exhausted or self._cut_short()

    def _cut_short(self) -> bool:
        """Whether updates or time are used up, in the middle of an epoch or not."""
        steps = self.recipe.steps
        return (steps is not None and self.position.step >= steps) or self._late()

    def _late(self) -> bool:
        """Whether time is up; one update is made in any case, so that there is something to keep."""
        return self.position.step > 0 and self.deadline is not None and time.monotonic() >= self.deadline

    def _updates(self, started: float, interruption: Interruption) -> bool:
        """Make the updates of an epoch; give False where a gradient was not finite, which ends training."""
        position, recipe = self.position, self.recipe
        if self._cut_short():
            return True
        reader = self.train.epoch(
            batch_rows=recipe.batch_rows, seed=recipe.seed, epoch=position.epoch, start=position.batch
        )
        made = -(-position.batch // recipe.accumulate)
        most = None if recipe.epoch_steps is None else max(0, recipe.epoch_steps - made)
        for batches in itertools.islice(_grouped(reader, recipe.accumulate), most):
            ready = [prepared(batch.to(recipe.device), recipe.loss, self.train, recipe.outputs) for batch in batches]
            try:
                self._pending.append(self.updater(ready, position.step, self._losses))
            except RunFailed as failure:
                self._note_non_finite(failure)
                return False
            position.step += 1
            position.batch += len(batches)
            self.weights.average()
            if len(self._pending) >= _FLUSH_EVERY:
                self._read_losses()
            for callback in self.callbacks:
                callback.on_step(self)
            position.seconds = time.monotonic() - started
            if interruption.asked:
                self._interrupted()
            if self._cut_short():
                break
            self._save_if_due(epoch_ended=False)
        return True

    def _read_losses(self) -> None:
        """Add the pending losses one by one, so that the sum does not depend on when they are read."""
        epoch = self.position.epoch + 1
        for total, weight in self._pending:
            number, size = float(total), float(weight)
            self.position.loss_sum += number
            self.position.loss_weight += size
            self._windows.add(number, size, self.history, epoch)
        self._pending.clear()

    def training_loss(self) -> float:
        """Give the mean loss over the present epoch's rows so far."""
        self._read_losses()
        position = self.position
        return position.loss_sum / position.loss_weight if position.loss_weight else float("nan")

    def _finish_epoch(self) -> None:
        position = self.position
        loss = self.training_loss() + self.updater.penalty()
        position.epoch += 1
        position.batch, position.loss_sum, position.loss_weight = 0, 0.0, 0.0
        self._record("train_loss", loss)
        self._record("lr", self.updater.rate)
        if self.monitor is not None:
            self.monitor.flush(self.history, step=position.step, epoch=position.epoch)
        if self.valid is not None:
            self._validate()
        if self.examiner is not None:
            self.examiner.after_epoch(self.history, step=position.step, epoch=position.epoch)
        for callback in self.callbacks:
            callback.on_epoch(self)

    def _record(self, name: str, value: float) -> None:
        self.latest[name] = value
        self.history.add(step=self.position.step, epoch=self.position.epoch, name=name, value=value)

    def _validate(self) -> None:
        assert self.valid is not None
        recipe = self.recipe
        with self.weights.evaluated():
            figures = evaluate(
                self.module,
                self.valid,
                recipe.loss,
                device=recipe.device,
                batch_rows=recipe.batch_rows,
                outputs=recipe.outputs,
                score=recipe.score,
            )
            for name, value in figures.items():
                self._record(f"valid_{name}", value)
            self._losses.append(figures["loss"])
            value = figures[recipe.monitored]
            if self.stopping.improves(self.position.epoch, value) and recipe.restore_best:
                self.weights.keep_best()

    def _settle(self) -> None:
        """Leave in the module the weights that the run keeps."""
        self.weights.settle()
        self.module.eval()
        if self.position.epoch < self.recipe.epochs and not self.stopping.exhausted and self._cut_short():
            # Time or steps alike: a run that time ended is replayed with its steps, and to the same history.
            self.history.meta["cut_short"] = True
        self.position.finished = True

    def _note_non_finite(self, failure: RunFailed) -> None:
        self._read_losses()
        # What led here is the evidence: it is written down before the epoch ends.
        self._windows.flush(self.history, self.position.epoch + 1)
        if self.monitor is not None:
            self.monitor.flush(self.history, step=self.position.step, epoch=self.position.epoch + 1)
        # The rule names the parameter in quotes.
        place = failure.rule.split("'")[1] if "'" in failure.rule else ""
        self.history.meta["non_finite"] = {
            "step": self.position.step + 1,
            "where": place,
            "lr": self.updater.rate,
            "message": failure.rule,
        }

    def _interrupted(self) -> None:
        do = "No folder for checkpoints was named: they are lost."
        if self.checkpoints is not None:
            self.checkpoints.save(self.position.step, self.state())
            do = f"They are kept in {self.checkpoints.folder}: go on with resume=True."
        raise Interrupted(f"Training was stopped after {self.position.step:,} updates.", do=do)

    def _save_if_due(self, *, epoch_ended: bool) -> None:
        if self.checkpoints is None:
            return
        if isinstance(self.checkpoint_every, int):
            due = self.position.step % self.checkpoint_every == 0 and not epoch_ended
        else:
            due = time.monotonic() - self._saved_at >= (self.checkpoint_every or _SECONDS_BETWEEN)
        if due:
            self.checkpoints.save(self.position.step, self.state())
            self._saved_at = time.monotonic()

    def conclude(self) -> None:
        """Write down how good the kept weights are beside baselines; once, when it is asked for."""
        if self.examiner is not None:
            self.examiner.conclude(self.history)

    def state(self) -> dict[str, Any]:
        """Give all that the rest of the training depends on."""
        self._read_losses()
        return {
            "terms": dict(self.terms),
            "threads": self.recipe.threads,
            "position": asdict(self.position),
            "module": dict(self.module.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            **self.weights.state(),
            "stopping": self.stopping.state(),
            "losses": list(self._losses),
            "parts": self.updater.parts,
            "products": self.updater.products is not None,
            "monitor": None if self.monitor is None else self.monitor.state(),
            "windows": self._windows.state(),
            "history": self.history.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            ConfigError: it was made under other terms, or has more updates than are asked for.
        """
        refuse_changed(state["terms"], self.terms)
        state = to_device(state, self.recipe.device)
        self.recipe = replace(self.recipe, threads=state["threads"])
        self.position = Position(**state["position"])
        if self.recipe.steps is not None and self.position.step > self.recipe.steps:
            raise ConfigError(
                f"'steps' must be at least the {self.position.step:,} updates that were made.",
                got=self.recipe.steps,
                do="Set it back, or train anew.",
            )
        if self.deadline is not None:
            self.deadline -= self.position.seconds
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.weights.restore(state)
        self.stopping.restore(state["stopping"])
        self._losses = list(state["losses"])
        self.updater.parts = state["parts"]
        # Checkpoints of earlier versions do not tell: they were made without.
        self.updater.products = LinearByOneDnn() if state.get("products") else None
        if self.monitor is not None:
            self.monitor.restore(state["monitor"])
        self._windows.restore(state["windows"])
        self.history.restore(state["history"])


_SECONDS_BETWEEN = 30.0


def _grouped(reader: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while group := list(itertools.islice(reader, size)):
        yield group
