"""A course of treatment: changes of the module and of the options of its training, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.errors import ConfigError
from wellfit.findings import Remedy
from wellfit.losses import LOSSES
from wellfit.runtime import keyed_seed, reseed, restored_random_state
from wellfit.training.terms import as_text
from wellfit.treatment.subject import Subject
from wellfit.treatment.surgery import Edit, perform

__all__ = ["AdjustedOptimizer", "Change", "Course", "Scale", "ScaledLoss"]


@dataclass(frozen=True)
class Scale:
    """The target's scale: a module is trained on ``(target - mean) / std`` and its outputs are put back."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """One remedy: edits of the module, options of `wellfit.fit`, settings of the optimizer's groups.

    Edits can't be compared: a change is equal to itself alone.
    """

    family: str
    """The remedy's family; of one family a course holds one change, the last."""
    what: str
    why: str
    edits: tuple[Edit, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    """What is set in every group of the optimizer, such as ``lr``; of a named optimizer, its options."""
    outputs: str = ""
    """The space outputs are in with it, where that changes: logits, probabilities or values."""
    scale: Scale | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What it sets: keywords of `wellfit.fit`, and beside its rate ``optimizer.`` settings of every group."""
        groups = {name if name == "lr" else f"optimizer.{name}": value for name, value in self.optimizer.items()}
        return {**self.options, **groups}


@dataclass(frozen=True)
class Course:
    """Changes put together, in the order in which they were found."""

    changes: tuple[Change, ...] = ()

    @property
    def what(self) -> str:
        """What is changed, in words."""
        return " + ".join(change.what for change in self.changes) or "as given"

    @property
    def families(self) -> set[str]:
        """The families of its changes."""
        return {change.family for change in self.changes}

    def then(self, change: Change) -> Course:
        """Give the course with a further change; one of the same family goes."""
        kept = tuple(held for held in self.changes if held.family != change.family)
        return Course((*kept, change))

    def outputs(self, subject: Subject) -> str:
        """Give the space that outputs are in."""
        named = [change.outputs for change in self.changes if change.outputs]
        return named[-1] if named else subject.outputs

    def module(self, subject: Subject, seed: int) -> nn.Module:
        """Give a new module with all edits made, its weights drawn under a seed.

        Raises:
            ConfigError: an edit can't be made.
        """
        made = subject.fresh(seed)
        edits = [edit for change in self.changes for edit in change.edits]
        with restored_random_state():
            reseed(keyed_seed(seed, "edits"))
            return perform(edits, made, subject.sample) if edits else made

    def options(self, subject: Subject) -> dict[str, Any]:
        """Give the keywords of `wellfit.fit` under this course."""
        options = dict(subject.options)
        settings: dict[str, Any] = {}
        for change in self.changes:
            if "optimizer" in change.options:
                settings = {}
                options["lr"] = None
            options.update(change.options)
            settings.update(change.optimizer)
        if settings:
            options.update(_adjusted(options, settings))
        scales = [change.scale for change in self.changes if change.scale is not None]
        if scales:
            options["loss"] = ScaledLoss(options["loss"], scales[-1])
        return options

    def changed(self, subject: Subject) -> dict[str, Any]:
        """Give the options that differ from those given; what was left out is given by its default."""
        return {name: value for name, value in self.options(subject).items() if not same(subject.given(name), value)}

    def remedies(self, subject: Subject) -> list[Remedy]:
        """Give what it changes as remedies: edits of the ``module``, and settings other than the training had."""
        edits = [Remedy(path="module", value=edit.what, why=one.why) for one in self.changes for edit in one.edits]
        # Of changes that set the same the last one counts.
        values = {name: (value, one.why) for one in self.changes for name, value in one.settings.items()}
        settings = [
            Remedy(path=name, value=_plain(value), why=why)
            for name, (value, why) in values.items()
            if not same(subject.had(name), value)
        ]
        return [*edits, *settings]


def same(a: Any, b: Any) -> bool:
    """Tell whether two options say the same: a name, or a mapping of nothing else.

    >>> same({"name": "adam"}, "adam"), same({"name": "adam", "beta1": 0.5}, "adam"), same(None, 0.0)
    (True, False, False)
    """
    if callable(a) or callable(b):
        return a is b
    return as_text(_named(a)) == as_text(_named(b))


def _named(value: Any) -> Any:
    """Give a mapping of a name alone as that name."""
    return value["name"] if isinstance(value, Mapping) and set(value) == {"name"} else value


def _plain(value: Any) -> Any:
    """Give a setting as it is read: of a function its name."""
    if callable(value) and not isinstance(value, type):
        return getattr(value, "__name__", repr(value))
    return _named(value)


def _adjusted(options: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    given = options.get("optimizer", "adam")
    if callable(given) and not isinstance(given, Mapping):
        return {"optimizer": AdjustedOptimizer(given, dict(settings))}
    others = {name: value for name, value in settings.items() if name != "lr"}
    rate = {"lr": settings["lr"]} if "lr" in settings else {}
    if "maximize" in others:
        raise ConfigError("A named optimizer makes the loss small.", got="maximize")
    named = dict(given) if isinstance(given, Mapping) else {"name": given}
    decay = {"weight_decay": others.pop("weight_decay")} if "weight_decay" in others else {}
    if decay and "weight_decay" in named:
        named |= decay
    return {"optimizer": {**named, **others}, **rate, **({} if "weight_decay" in named else decay)}


class AdjustedOptimizer:
    """A maker of optimizers with settings of its groups set anew: ``params -> optimizer``.

    >>> make = AdjustedOptimizer(lambda params: torch.optim.SGD(params, lr=1.0), {"lr": 0.1})
    >>> make([nn.Parameter(torch.ones(1))]).param_groups[0]["lr"]
    0.1
    """

    def __init__(self, make: Callable[[Any], torch.optim.Optimizer], settings: Mapping[str, Any]) -> None:
        self.make, self.settings = make, dict(settings)
        self.__name__ = "optimizer with " + ", ".join(f"{name}={value}" for name, value in self.settings.items())

    def __call__(self, params: Any) -> torch.optim.Optimizer:
        """Make the optimizer, and set its groups."""
        optimizer = self.make(params)
        for group in optimizer.param_groups:
            # A setting that the optimizer does not know would be ignored without a word.
            group.update({name: value for name, value in self.settings.items() if name in group})
        return optimizer

    def __repr__(self) -> str:
        return f"<{self.__name__}>"


class ScaledLoss:
    """A loss asked in the target's own scale: ``loss((output - mean) / std, (target - mean) / std)``.

    >>> loss = ScaledLoss("mse", Scale((10.0,), (2.0,)))
    >>> float(loss(torch.tensor([[12.0]]), torch.tensor([[10.0]])))
    1.0
    """

    def __init__(self, loss: Any, scale: Scale) -> None:
        self.inner = loss if callable(loss) and not isinstance(loss, Mapping) else _made(loss)
        self.scale = scale
        self.__name__ = f"{getattr(loss, '__name__', loss)} of the scaled target"

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """Give the mean loss over the rows."""
        loss: Tensor = self.inner(self._scaled(output), self._scaled(target))
        return loss

    def _scaled(self, values: Tensor) -> Tensor:
        numbers = values if values.is_floating_point() else values.float()
        return (numbers - numbers.new_tensor(self.scale.mean)) / numbers.new_tensor(self.scale.std)

    def __repr__(self) -> str:
        return f"<{self.__name__}>"


def _made(loss: Any) -> Any:
    choice = LOSSES.choose(loss)
    return choice.entry.make(**choice.options)
