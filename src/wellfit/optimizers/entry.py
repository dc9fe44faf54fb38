"""What an optimizer tells of itself, and how one is built from what it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from torch import Tensor
from torch.optim import Optimizer

from wellfit.errors import ConfigError, did_you_mean
from wellfit.optimizers.gradients import watch_sparse
from wellfit.optimizers.states import exact_loading
from wellfit.registry import Entry, Option
from wellfit.runtime import spare_compiler, spare_compiler_in_steps

__all__ = ["BatchRule", "OptimizerEntry", "Params"]

BatchRule = Literal["any", "full", "single", "mini"]
Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class OptimizerEntry(Entry):
    """An optimizer as data.

    ``make(params, lr=None, **options)`` builds it: ``params`` are tensors, pairs of a name and a tensor, or groups
    (dictionaries of ``params`` and, where it should differ, ``lr`` or ``weight_decay``); ``lr=None`` means the
    default rate. A wrong option, an empty list or a group with an unknown key is a `ConfigError`.

    >>> import torch
    >>> from wellfit.optimizers import OPTIMIZERS
    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> optimizer = OPTIMIZERS["nadam"].make([weight], beta1=0.8)
    >>> optimizer.param_groups[0]["lr"]
    0.002
    """

    build: Callable[..., Optimizer]
    """Builds the optimizer from checked settings: ``build(params, lr=..., **options)``."""
    make: Callable[..., Any] = field(init=False, repr=False, compare=False)
    lr: float
    """The rate at which it works on ordinary networks with standardised inputs."""
    lr_range: tuple[float, float]
    """The rates worth tuning over, on a logarithmic scale."""
    batch_rule: BatchRule = "any"
    """Rows an update: any number, the whole set, one, or more than one and fewer than all."""
    needs_closure: bool = False
    """Whether ``step`` needs a function that computes the loss and its gradients anew."""
    refuses_combinations: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Settings it can't be combined with, by their key in the config, and why."""
    sparse: bool = False
    """Whether it accepts sparse gradients."""
    group_keys: tuple[str, ...] = ()
    """What a parameter group may set apart from ``params``, ``lr`` and, if it is an option, ``weight_decay``."""
    lr_factor: Callable[[Mapping[str, Any]], float] = field(default=lambda options: 1.0, repr=False)
    """What the default rate is multiplied by under the given options."""

    def __post_init__(self) -> None:
        rate = Option(
            name="lr",
            default=None,
            optional=True,
            low=0.0,
            low_open=True,
            example=self.lr,
            search=self.lr_range,
            log=True,
            help=f"learning rate; left out: {self.lr:g}",
        )
        if all(option.name != "lr" for option in self.options):
            object.__setattr__(self, "options", (rate, *self.options))
        object.__setattr__(self, "make", partial(_make, self))

    def default_lr(self, options: Mapping[str, Any]) -> float:
        """Give the rate that ``lr=None`` stands for under the given options."""
        return self.lr * self.lr_factor(self.resolve(options))


def _make(entry: OptimizerEntry, params: Params, lr: float | None = None, **options: Any) -> Optimizer:
    settings = entry.resolve({"lr": lr, **options})
    if settings["lr"] is None:
        settings["lr"] = entry.lr * entry.lr_factor(settings)
    given = _checked_params(entry, params)
    spare_compiler()
    try:
        optimizer = entry.build(given, **settings)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{entry.name} can't take these parameters: {error}.") from None
    spare_compiler_in_steps(type(optimizer))
    watch_sparse(optimizer, entry.name, accepted=entry.sparse)
    exact_loading(optimizer)
    return optimizer


def _checked_params(entry: OptimizerEntry, params: Params) -> list[Any]:
    given = list(params) if isinstance(params, Iterable) and not isinstance(params, (Tensor, Mapping)) else None
    if given is None:
        raise ConfigError(
            f"{entry.name} takes a list of parameters.", got=type(params).__name__, do="Pass module.parameters()."
        )
    groups = [_checked_group(entry, item) for item in given] if given and isinstance(given[0], Mapping) else []
    tensors = [item for group in groups for item in group["params"]] if groups else given
    if not tensors:
        raise ConfigError(
            f"{entry.name} needs at least one parameter, and the list is empty.",
            do="Pass a module's parameters() that have requires_grad.",
        )
    for item in tensors:
        tensor = item[1] if isinstance(item, tuple) and len(item) == 2 else item
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            raise ConfigError(f"{entry.name} takes real floating-point tensors.", got=item)
    return groups or given


def _checked_group(entry: OptimizerEntry, group: Any) -> dict[str, Any]:
    if not isinstance(group, Mapping) or "params" not in group:
        raise ConfigError("A parameter group is a dictionary with 'params'.", got=group)
    options = {option.name: option for option in entry.options}
    tunable = [name for name in ("lr", "weight_decay") if name in options]
    allowed = ["params", *tunable, *entry.group_keys]
    checked = {}
    for key, value in group.items():
        if key not in allowed:
            hint = did_you_mean(key, allowed)
            raise ConfigError(f"A parameter group of {entry.name} has no setting '{key}'.", got=value, do=hint)
        if key in tunable and value is not None:
            checked[key] = options[key].check(value, entry.name)
        elif key not in tunable:
            checked[key] = value
    checked["params"] = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
    return checked
