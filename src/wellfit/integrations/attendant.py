"""What the callbacks share: a `Monitor` on a framework's training, and an alarm that speaks while it goes on."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from wellfit.alarm import Alarm, to_standard_error
from wellfit.diagnosis import Verdict, diagnose, judge
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.training import Monitor

__all__ = ["Attendant", "Attended", "whole"]


class Attendant:
    """Watches a training, names problems as they come, and diagnoses it at its end.

    ``optimizer`` is a torch optimizer, or has its ``param_groups`` and hooks for the step's begin and end; ``options``
    are those of `wellfit.Monitor`.
    """

    def __init__(self, module: nn.Module, optimizer: Any, options: dict[str, Any]) -> None:
        self._monitor = Monitor(module, optimizer, **options)
        self._alarm = Alarm(to_standard_error)
        self._losses: list[Tensor] = []
        self.epoch = 1
        """The present epoch, counted from 1."""
        self.ended = False

    @property
    def history(self) -> History:
        """What was recorded so far."""
        return self._monitor.history

    def step(self, loss: Tensor) -> None:
        """Take in a step's loss, when its gradients are there and the weights are as before the update."""
        self._monitor.observe(loss)
        self._losses.append(loss.detach().reshape(()))
        self._alarm.look_if_due(lambda: self._monitor.history, self.epoch)

    def end_epoch(self, **figures: float) -> None:
        """Take in what was measured after an epoch, beside the mean of its losses."""
        if self._losses:
            # One wait for the device an epoch.
            mean = sum(float(loss) for loss in self._losses) / len(self._losses)
            self._monitor.record(train_loss=mean, **figures)
            self._losses = []
        self._alarm.look_if_due(lambda: self._monitor.history, self.epoch)
        self.epoch += 1

    def end(self) -> None:
        """Name what is wrong at the end, and leave the module as it was."""
        if not self.ended:
            self.ended = True
            self._monitor.close()
            self._alarm.look(self._monitor.history, max(self.epoch - 1, 1), sure=True, live=False)

    def findings(self) -> list[Finding]:
        """Give what the checks find so far, or at the end."""
        return diagnose(self.history, live=not self.ended)

    def verdict(self) -> Verdict | None:
        """Give the verdict on the fit; None where there is no evidence of it."""
        return judge(self.history)


class Attended:
    """What every callback of the doctor tells."""

    _attendant: Attendant | None = None

    @property
    def history(self) -> History:
        """What was recorded so far."""
        return History() if self._attendant is None else self._attendant.history

    @property
    def findings(self) -> list[Finding]:
        """What the checks find, the gravest first."""
        return [] if self._attendant is None else self._attendant.findings()

    @property
    def fit(self) -> Verdict | None:
        """The verdict on the fit; None where there is no evidence of it."""
        return None if self._attendant is None else self._attendant.verdict()


def whole(module: nn.Module) -> nn.Module:
    """Give the part of a module that holds all of its parameters, where there is one: the network itself.

    >>> wrapped = nn.Module()
    >>> wrapped.net = nn.Sequential(nn.Linear(2, 1))
    >>> whole(wrapped) is wrapped.net
    True
    """
    holding = [part for part in module.children() if any(True for _ in part.parameters())]
    own = list(module.parameters(recurse=False))
    return holding[0] if len(holding) == 1 and not own else module
