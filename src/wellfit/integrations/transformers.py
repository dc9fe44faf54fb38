"""The doctor as a callback of Transformers (https://huggingface.co/docs/transformers/main_classes/callback)."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from wellfit.errors import BadInput
from wellfit.integrations.attendant import Attendant, Attended

__all__ = ["DoctorCallback"]


class Doctor(Attended):
    """Watches a training by the Trainer of Transformers, names problems as they come, and diagnoses it at its end.

        from wellfit.integrations.transformers import DoctorCallback
        doctor = DoctorCallback()
        Trainer(model, args, train_dataset=rows, callbacks=[doctor]).train()

    Then ``doctor.findings``, ``doctor.fit`` and ``doctor.history``. The loss is the one that the model gives, as models
    of Transformers do where they are given labels; without it, the one that is logged. Gradients are seen after the
    Trainer clipped them. On several machines the first process watches.

    Args:
        **options: what `wellfit.Monitor` takes beside module and optimizer, such as ``loss`` and ``train``.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = options
        self._attendant: Attendant | None = None
        self._loss: Tensor | None = None
        self._logged: Tensor | None = None
        self._valid: float | None = None
        self._begun = False
        self._hook: Any = None

    def on_train_begin(
        self, args: Any, state: Any, control: Any, model: Any = None, optimizer: Any = None, **_: Any
    ) -> None:
        """Begin to watch."""
        if model is None or not state.is_world_process_zero:
            return
        # Accelerate's optimizer wraps the one that makes the step.
        self._attendant = Attendant(model, getattr(optimizer, "optimizer", optimizer), self._options)
        self._loss = self._logged = self._valid = None
        self._begun = False
        self._hook = model.register_forward_hook(self._keep_loss)

    def _keep_loss(self, model: nn.Module, inputs: Any, output: Any) -> None:
        if model.training:
            self._loss = _loss_of(output)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Close the epoch before: its evaluation comes after its end."""
        if self._begun:
            self._close_epoch()
        self._begun = True

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Look at the step: gradients are there, and the weights are as before."""
        loss = self._logged if self._loss is None else self._loss
        if self._attendant is not None and loss is not None:
            self._attendant.step(loss)
        self._loss = None

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Keep the loss that is logged, for models that give none."""
        if logs and "loss" in logs:
            self._logged = Tensor([float(logs["loss"])])

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        """Keep the loss of the evaluation rows."""
        if metrics and "eval_loss" in metrics:
            self._valid = float(metrics["eval_loss"])

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Diagnose."""
        self._close_epoch()
        if self._hook is not None:
            self._hook.remove()
        if self._attendant is not None:
            self._attendant.end()

    def _close_epoch(self) -> None:
        if self._attendant is not None:
            self._attendant.end_epoch(**({} if self._valid is None else {"valid_loss": self._valid}))
        self._valid = None


def _loss_of(output: Any) -> Tensor | None:
    """Give the loss that a model's output holds: under its name, or first where it is one number."""
    first = output[0] if isinstance(output, tuple) and output else None
    found = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", first)
    return found if isinstance(found, Tensor) and found.numel() == 1 else None


@functools.cache
def _callback() -> type[Any]:
    """Make the callback of the Transformers that is installed."""
    try:
        base = importlib.import_module("transformers").TrainerCallback
    except ImportError:
        rule = "wellfit.integrations.transformers needs Transformers, which is not installed."
        raise BadInput(rule, do="Install it: pip install 'transformers[torch]>=4.46'.") from None
    return type("DoctorCallback", (Doctor, base), {"__doc__": Doctor.__doc__, "__module__": __name__})


if TYPE_CHECKING:
    DoctorCallback = Doctor
else:

    def __getattr__(name: str) -> Any:
        if name == "DoctorCallback":
            return _callback()
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
