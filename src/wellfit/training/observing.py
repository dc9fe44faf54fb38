"""`Monitor`: the doctor's instruments on a loop that someone else wrote."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from wellfit.data.batches import Batch, Batches, Resident, as_batches
from wellfit.errors import BadInput, DataError
from wellfit.history import History
from wellfit.training.apart import apart
from wellfit.training.attachment import as_written, refuse_another, refuse_options
from wellfit.training.bad_gradients import BadGradients
from wellfit.training.calls import SeenCalls
from wellfit.training.examiner import Examiner, optimizer_facts
from wellfit.training.kept_weights import Weights
from wellfit.training.loop_losses import LoopLosses
from wellfit.training.loss_graph import loss_from_graph, loss_kind
from wellfit.training.monitor import SAMPLE_EVERY, LayerStatistics
from wellfit.training.options import as_loss
from wellfit.training.probes import ROWS, Figure, Probe
from wellfit.training.recipe import LossLike, Recipe
from wellfit.training.recovered_rows import MOST_ROWS, RecoveredRows
from wellfit.training.survey import survey

__all__ = ["Monitor"]

_LOG = logging.getLogger("wellfit")

_MOST_KEPT = 2**22 // 16
"""Numbers of a module at the most whose copies, one for each doubling of the steps, are kept for later looks."""


class Monitor:
    """Records what a training loop does, for `wellfit.diagnose`; it changes nothing and stops nothing.

    A compiled module is given compiled, ``Monitor(torch.compile(module), optimizer)``: it is looked at as it was
    written. Looks are passes in evaluation mode after which buffers and plain attributes are as they were; hooks of
    your own are called in them. A fault of the doctor is logged, told by `wellfit.diagnose`, and ends its looks alone.

    Told ``loss``, ``train`` and ``valid``, it has the evidence of all checks. Told nothing, it takes up to 2,048 rows
    from what the module is called with in the first steps; their targets follow from the gradient at the output where
    the loss is a squared error or a cross-entropy without weights and the module is called once a step. With these,
    baselines are fitted and learning is judged on training rows; what needs validation rows, such as overfitting, or
    the whole set, such as labels that were shuffled, stays unsaid. With any other loss there are curves, gradients,
    updates and activations alone.

    Args:
        module: any ``nn.Module``; at least one parameter must require gradients.
        optimizer: what updates it; without it, updates relative to weights are not known.
        loss: ``(output, target) -> scalar``, as the loop computes it, or a name from ``wellfit list losses``.
        train: training rows as ``(X, y)``, a `Dataset` or batches.
        valid: validation rows, for the verdict on the fit.
        every: steps between samples of gradients and updates, 1 or more; twice as many from
            step 200 on, four times from step 2,000.

    Raises:
        BadInput: the module has nothing that is trained, the optimizer is none, or rows can't be read.

    >>> import torch, wellfit
    >>> module = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    >>> monitor = wellfit.Monitor(module, optimizer)
    >>> for _ in range(20):
    ...     X = torch.randn(32, 2)
    ...     loss = torch.nn.functional.mse_loss(module(X)[:, 0], X.sum(1))
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     monitor.observe(loss)
    ...     _ = optimizer.step()
    >>> len(monitor.history["batch_loss"])
    20
    >>> [finding.code for finding in wellfit.diagnose(monitor.history)]
    ['underfitting']
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: Optimizer | None = None,
        *,
        loss: Any = None,
        train: Any = None,
        valid: Any = None,
        every: int = SAMPLE_EVERY,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise BadInput("wellfit.Monitor watches a torch.nn.Module.", got=type(module).__name__)
        refuse_options(optimizer, every)
        called, module = module, as_written(module)
        refuse_another(optimizer, module)
        self.module, self.optimizer = module, optimizer
        self._named = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]
        if not self._named:
            raise DataError(
                "A module must have parameters that are trained.",
                got=type(module).__name__,
                do="Set requires_grad on those that should be.",
            )
        self._loss = None if loss is None else as_loss(loss)
        self._rows = None if train is None else as_batches(train)
        self._held = None if valid is None else as_batches(valid)
        self._history = History({"own_module": True})
        self._statistics = LayerStatistics(module, every)
        # Frozen ones too: they may be trained later.
        self._gradients = BadGradients(list(module.named_parameters()), optimizer, self._tell_of_gradient)
        self._losses = LoopLosses()
        self._due = True
        """Whether the next update is looked at: most are not, and cost no more than this."""
        self._step = 0
        self._closed = False
        self._seen = SeenCalls(ROWS)
        self._examiner: Examiner | None = None
        self._weights = Weights(module)
        self._kind = ""
        self._recovered: RecoveredRows | None = None
        self._recovered_of = 0
        self._settings: dict[str, Any] = {}
        self._finished_at = -1
        self._handles = [called.register_forward_pre_hook(self._called, with_kwargs=True)]
        if optimizer is not None:
            self._handles.append(optimizer.register_step_pre_hook(self._before_update))
            self._handles.append(optimizer.register_step_post_hook(self._after_update))
        if self._rows is not None and self._loss is not None:
            self._safely(self._examine)
        else:
            self._recovered = RecoveredRows(called)

    def observe(self, loss: Tensor | float) -> None:
        """Take in a step's loss, after ``backward()``; before ``optimizer.step()`` if gradients are to be checked.

        Args:
            loss: the step's loss, one number.
        """
        self._safely(self._observe, loss)

    def record(self, **figures: float) -> None:
        """Take in figures of an epoch that has ended, such as ``valid_loss=0.3``.

        >>> Monitor(nn.Linear(1, 1)).record(valid_loss=0.3)
        """
        epoch = 1 + len(set(self._history.series("epoch")[0].tolist()))
        for name, value in {"epoch": epoch, **figures}.items():
            self._history.add(step=self._step, epoch=epoch, name=name, value=float(value))

    @property
    def history(self) -> History:
        """What was recorded so far, with a probe of the module as it is now."""
        self._safely(self._finish)
        return self._history

    def close(self) -> None:
        """Take the instruments off the module and the optimizer."""
        self._safely(self._finish)
        self._closed = True
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if self._recovered is not None:
            self._recovered.close()

    def _safely(self, work: Callable[..., None], *given: Any) -> None:
        """Do what must never stop the loop that is watched; a fault puts the instruments away."""
        if self._closed:
            return
        try:
            work(*given)
        except Exception as error:
            self._closed = True
            fault = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            self._history.meta["doctor_failed"] = fault
            _LOG.warning("wellfit.Monitor stopped looking, and training goes on: %s", fault)

    def _examine(self) -> None:
        assert self._rows is not None
        assert self._loss is not None
        device = self._named[0][1].device
        rows, held = _on(self._rows, device), None if self._held is None else _on(self._held, device)
        sample = rows.peek()
        with torch.no_grad(), apart(self.module):
            output = self.module(*sample.to(device).inputs)
        outputs = int(output.shape[-1]) if isinstance(output, Tensor) and output.ndim > 1 else 1
        self._examiner = Examiner(self.module, rows, held, _recipe(self._loss, outputs, device, 1), {}, ROWS)
        self._examiner.before(self._history, self.optimizer)

    def _with_recovered(self) -> Examiner:
        """Give the instruments with the rows that were recovered so far."""
        recovered = self._recovered
        assert recovered is not None
        if self._examiner is None or recovered.count > self._recovered_of:
            self._recovered_of = recovered.count
            rows = recovered.rows()
            recipe = _recipe(as_loss(recovered.loss), recovered.columns, rows.target.device, self._seen.batch_rows)
            self._examiner = Examiner(self.module, rows, None, recipe, self._settings, ROWS)
        return self._examiner

    def _called(self, module: nn.Module, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        """Keep what the module is called with in the first steps: a sample for probes."""
        if module.training and not torch.compiler.is_compiling():
            self._safely(self._keep, arguments, named)

    def _keep(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        self._seen.take(arguments, named)
        if self._seen.enough:
            self._handles.pop(0).remove()

    def _observe(self, loss: Tensor | float) -> None:
        if isinstance(loss, Tensor):
            if loss.numel() != 1:
                raise ValueError(f"observe takes a loss of one number, not of shape {tuple(loss.shape)}")
            if self._step == 0:
                self._first(loss)
            if self._recovered is not None and self._recovered.open:
                self._recovered.take(loss, self._kind)
        kept = self._losses.add(loss)
        self._gradients.look(self._step + 1, kept)
        if self._step & (self._step - 1) == 0:
            self._probe(epoch=0)
        self._due = self._gradients.waiting is not None or self._statistics.wants(self._step)
        self._step += 1
        if len(self._losses) >= self._statistics.every:
            self._read()

    def _first(self, loss: Tensor) -> None:
        meta = self._history.meta
        settings = meta.setdefault("settings", {})
        if self.optimizer is not None:
            settings.setdefault("lr", self._rate)
        self._settings = {**settings, **optimizer_facts(self.optimizer)}
        self._kind = loss_kind(loss)
        if self._examiner is None:
            meta["loss"] = loss_from_graph(loss)
            if self._seen:
                first = self._seen.first
                meta["data"] = {"inputs": survey(Resident(first, torch.zeros(len(first[0]))))["inputs"], "rows": None}

    def _tell_of_gradient(self, found: dict[str, Any]) -> None:
        told = {**found, "lr": self._rate}
        # Looks that wait are not taken in the midst of a step.
        self._history.later(lambda part: part.meta.update(non_finite=told))

    @property
    def _rate(self) -> float:
        return 0.0 if self.optimizer is None else float(self.optimizer.param_groups[0]["lr"])

    @property
    def _all_seen(self) -> bool:
        """Whether the first rows came again within those that were recovered."""
        assert self._examiner is not None
        return (self._examiner.train.rows or 0) < min(self._recovered_of, MOST_ROWS)

    @property
    def _recovers(self) -> bool:
        return self._recovered is not None and self._recovered.count > 0

    def _look_later(self, *, epoch: int) -> None:
        """Have the weights as they are looked at once the history is read: more rows may be known then."""
        step = self._step
        if self._weights.size > _MOST_KEPT:
            self._look(self._history, None, step, epoch)
            return
        kept = self._weights.copy()
        self._history.later(lambda part: self._safely(lambda: self._look(part, kept, step, epoch)))

    def _look(self, part: History, kept: list[Tensor] | None, step: int, epoch: int) -> None:
        examiner = self._with_recovered()
        with torch.inference_mode(False), self._weights.put(kept):
            if step:
                examiner.probe(part, step=step, epoch=epoch)
            else:
                examiner.before(part, None)
                if not self._all_seen:
                    part.meta["data"]["rows"] = None

    def _probe(self, *, epoch: int) -> None:
        if self._recovers:
            self._look_later(epoch=epoch)
            return
        if self._examiner is not None:
            if self._step:
                self._examiner.probe(self._history, step=self._step, epoch=epoch)
            return
        found = [*self._figures(), *self._of_gradients()]
        for name, where, value in found:
            self._history.add(step=self._step, epoch=epoch, name=name, value=value, where=where)

    def _of_gradients(self) -> list[Figure]:
        return [
            ("probe_grad", name, float(weight.grad.double().square().mean().sqrt()))
            for name, weight in self._named
            if weight.grad is not None and not weight.grad.is_sparse
        ]

    def _figures(self) -> list[Figure]:
        """Give what the module does to the inputs seen."""
        if not self._seen:
            return []
        inputs = self._seen.sample()
        rows = Batch(inputs, torch.zeros(len(inputs[0])))
        probe = Probe(self.module, None, rows, partial(self._seen.again, self.module))
        if "operations" in self._history.meta:
            return probe.look()
        operations, last, output, found = probe.first_look()
        self._history.meta |= {"operations": operations, "last_operation": last}
        if output is not None and output.ndim > 1:
            self._history.meta.setdefault("loss", {})["outputs"] = int(output.shape[-1])
        return found

    def _before_update(self, *_: Any) -> None:
        if self._due:
            self._safely(self._begin_update)

    def _begin_update(self) -> None:
        self._gradients.before_update()
        if self._statistics.wants(max(self._step - 1, 0)):
            self._statistics.before_update()

    def _after_update(self, *_: Any) -> None:
        if self._statistics.sampling:
            self._safely(self._statistics.after_update)

    def _read(self) -> None:
        self._losses.read(rate=None if self.optimizer is None else self._rate)

    def _finish(self) -> None:
        """Write down what is open, and look at the module as it is now; once for each step."""
        if self._finished_at == self._step:
            return
        self._finished_at = self._step
        self._read()
        self._statistics.flush(self._history, step=self._step, epoch=0)
        self._history.replace(list(self._losses.rows()))
        meta = self._history.meta
        meta["steps"] = self._step
        if self._recovers:
            self._with_recovered()
        if self._examiner is not None:
            self._examiner.after(self._history, step=self._step, epoch=0)
            self._examiner.conclude(self._history)
        elif self._step:
            self._probe(epoch=0)


def _recipe(loss: LossLike, outputs: int, device: torch.device, batch_rows: int) -> Recipe:
    return Recipe(loss=loss, optimizer=_no_optimizer, batch_rows=batch_rows, epochs=1, outputs=outputs, device=device)


def _no_optimizer(_: Any) -> Optimizer:
    raise NotImplementedError


def _on(rows: Batches, device: torch.device) -> Batches:
    return rows.to(device) if isinstance(rows, Resident) else rows
