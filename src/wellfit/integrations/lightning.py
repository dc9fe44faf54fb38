"""The doctor as a callback of Lightning (https://lightning.ai/docs/pytorch/stable/extensions/callbacks.html)."""

from __future__ import annotations

import functools
import importlib
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from wellfit.errors import BadInput
from wellfit.integrations.attendant import Attendant, Attended, whole

__all__ = ["DoctorCallback"]


class _Steps:
    """A view of an optimizer whose step begins when its gradients are there.

    Lightning computes them within ``optimizer.step(closure)``, after the optimizer's own hooks for the step's begin.
    """

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = optimizer
        self._before: OrderedDict[int, Callable[..., None]] = OrderedDict()

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return self._optimizer.param_groups  # type: ignore[no-any-return]

    def register_step_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        handle = RemovableHandle(self._before)
        self._before[handle.id] = hook
        return handle

    def register_step_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        return self._optimizer.register_step_post_hook(hook)  # type: ignore[no-any-return]

    def begin(self) -> None:
        for hook in list(self._before.values()):
            hook()


def _steps_of(optimizer: Any) -> _Steps:
    """Make the view under the optimizer's own name, by which a diagnosis knows it."""
    named: type[_Steps] = type(type(optimizer).__name__, (_Steps,), {})
    return named(optimizer)


class Doctor(Attended):
    """Watches a training by Lightning, names problems as they come, and diagnoses it at its end.

        from wellfit.integrations.lightning import DoctorCallback
        doctor = DoctorCallback()
        Trainer(callbacks=[doctor]).fit(model, rows)

    Then ``doctor.findings``, ``doctor.fit`` and ``doctor.history``. Automatic and manual optimization are watched; of
    several optimizers, the first. On several machines the first process watches.

    Args:
        valid_loss: the name under which the model logs its validation loss.
        **options: what `wellfit.Monitor` takes beside module and optimizer, such as ``loss`` and ``train``.
    """

    def __init__(self, *, valid_loss: str = "val_loss", **options: Any) -> None:
        super().__init__()
        self._valid_loss = valid_loss
        self._options = options
        self._attendant: Attendant | None = None
        self._optimizer: Any = None
        self._steps: _Steps | None = None
        self._loss: Tensor | None = None

    def on_train_start(self, trainer: Any, pl_module: nn.Module) -> None:
        """Begin to watch."""
        if trainer.is_global_zero:
            self._optimizer = next(iter(trainer.optimizers), None)
            self._steps = None if self._optimizer is None else _steps_of(self._optimizer)
            self._attendant = Attendant(whole(pl_module), self._steps, self._options)

    def on_before_backward(self, trainer: Any, pl_module: nn.Module, loss: Tensor) -> None:
        """Keep the loss of the step, with the graph that computed it."""
        self._loss = loss

    def on_before_optimizer_step(self, trainer: Any, pl_module: nn.Module, optimizer: Any) -> None:
        """Look at the step: gradients are whole, not clipped yet, and the weights are as before."""
        attendant, loss = self._attendant, self._loss
        if attendant is None or loss is None or optimizer is not self._optimizer:
            return
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        if scaler is not None:
            if not _finite(optimizer):
                # Half precision at work: the scaler leaves this step out and takes a smaller scale.
                return
            loss = loss / scaler.get_scale()
        share = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
        attendant.step(loss if share == 1 else loss * share)
        if self._steps is not None:
            self._steps.begin()
        self._loss = None

    def on_train_epoch_end(self, trainer: Any, pl_module: nn.Module) -> None:
        """Take in the epoch's losses."""
        if self._attendant is not None:
            valid = trainer.callback_metrics.get(self._valid_loss)
            self._attendant.end_epoch(**({} if valid is None else {"valid_loss": float(valid)}))

    def on_train_end(self, trainer: Any, pl_module: nn.Module) -> None:
        """Diagnose."""
        self._end()

    def on_exception(self, trainer: Any, pl_module: nn.Module, exception: BaseException) -> None:
        """Diagnose what came to a bad end."""
        self._end()

    def _end(self) -> None:
        if self._attendant is not None:
            self._attendant.end()


def _finite(optimizer: Any) -> bool:
    gradients = [weight.grad for group in optimizer.param_groups for weight in group["params"]]
    return all(bool(torch.isfinite(gradient).all()) for gradient in gradients if gradient is not None)


@functools.cache
def _callback() -> type[Any]:
    """Make the callback of the Lightning that is installed, under either of its names."""
    for load in (_lightning, _pytorch_lightning):
        try:
            base = load()
        except ImportError:
            continue
        return type("DoctorCallback", (Doctor, base), {"__doc__": Doctor.__doc__, "__module__": __name__})
    rule = "wellfit.integrations.lightning needs Lightning, which is not installed."
    raise BadInput(rule, do="Install it: pip install 'lightning!=2.6.2,!=2.6.3'.")


def _lightning() -> type[Any]:
    base: type[Any] = importlib.import_module("lightning.pytorch").Callback
    return base


def _pytorch_lightning() -> type[Any]:
    base: type[Any] = importlib.import_module("pytorch_lightning").Callback
    return base


if TYPE_CHECKING:
    DoctorCallback = Doctor
else:

    def __getattr__(name: str) -> Any:
        if name == "DoctorCallback":
            return _callback()
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
