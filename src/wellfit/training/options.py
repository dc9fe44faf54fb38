"""What a person may say of a training, and the recipe that it settles into."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.data.batches import Batches
from wellfit.errors import ConfigError, did_you_mean
from wellfit.losses import LOSSES, MemberLoss
from wellfit.metrics import METRICS
from wellfit.models.members import Members, factors_of
from wellfit.optimizers import OPTIMIZERS, check_batch_size, default_batch_size, grouped
from wellfit.registry import Choice, Option
from wellfit.runtime import default_threads, resolve_device
from wellfit.schedules import SCHEDULES
from wellfit.training.combinations import refuse_combinations
from wellfit.training.first_pass import tried
from wellfit.training.recipe import LossLike, Recipe, Score, updates_of

__all__ = ["FitOptions", "Settled", "as_loss", "settle"]


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """The scalar keys of ``train``; see `wellfit.fit` for each."""

    loss: Any = "auto"
    optimizer: Any = "adam"
    lr: float | None = None
    batch_size: int | None = None
    epochs: int = 20
    schedule: Any = None
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    early_stopping: Any = None
    metric: Any = None
    class_weight: Any = None
    precision: str = "auto"
    compile: bool | str = "auto"
    accumulate: int = 1
    ema: float | None = None
    augment: Any = None
    device: str = "auto"
    seed: int = 0
    steps: int | None = None
    epoch_steps: int | None = None
    threads: int | None = None
    time: float | None = None
    doctor: str = "watch"


_NUMBERS = (
    Option(name="epochs", kind="int", default=20, low=1, help="passes over the rows"),
    Option(name="l1", default=0.0, low=0.0, help="penalty on absolute weights"),
    Option(name="l2", default=0.0, low=0.0, help="penalty on squared weights"),
    Option(name="weight_decay", default=0.0, low=0.0, help="decoupled decay"),
    Option(name="clip_norm", default=None, low=0.0, low_open=True, example=1.0, help="largest norm"),
    Option(name="clip_value", default=None, low=0.0, low_open=True, example=0.5, help="largest entry"),
    Option(name="accumulate", kind="int", default=1, low=1, help="batches an update"),
    Option(name="ema", default=None, low=0.0, high=1.0, high_open=True, example=0.999, help="decay of the average"),
    Option(name="seed", kind="int", default=0, low=0, help="seed"),
    Option(name="steps", kind="int", default=None, low=0, example=1000, help="most updates"),
    Option(name="epoch_steps", kind="int", default=None, low=1, example=1000, help="most updates of an epoch"),
    Option(name="threads", kind="int", default=None, low=1, example=2, help="threads"),
    Option(name="time", default=None, low=0.0, low_open=True, example=60, help="seconds"),
)


@dataclass(frozen=True)
class Settled:
    """A recipe, and the values that were left open, as a config would hold them."""

    recipe: Recipe
    resolved: Mapping[str, Any]


def settle(
    module: nn.Module, train: Batches, options: FitOptions, *, has_valid: bool, score: Score | None = None
) -> Settled:
    """Look every name up, fill in what was left open, and refuse what can't go together."""
    for option in _NUMBERS:
        option.check(getattr(options, option.name), "fit")
    device = resolve_device(options.device)
    loss, loss_name = _loss(options)
    if isinstance(module, Members):
        loss = MemberLoss(loss, module.members)
    outputs = tried(module, loss, train, device)
    choice, make = _optimizer(options.optimizer, options.lr, factors_of(module))
    batch_rows = _batch_rows(choice, options, train.rows)
    score = score or _score(options.metric)
    judged = _judged_by(score, options, has_valid)
    recipe = Recipe(
        loss=loss,
        outputs=outputs,
        optimizer=make,
        batch_rows=batch_rows,
        epochs=options.epochs,
        steps=options.steps,
        epoch_steps=options.epoch_steps,
        factor=_factor(options, train, batch_rows),
        needs_closure=choice is not None and choice.entry.needs_closure,
        l1=options.l1,
        l2=options.l2,
        weight_decay=options.weight_decay,
        clip_norm=options.clip_norm,
        clip_value=options.clip_value,
        noise=_noise(options.augment),
        accumulate=options.accumulate,
        ema=options.ema,
        bfloat16=_bfloat16(options.precision, device),
        compile=options.compile is True,
        seed=options.seed,
        threads=options.threads or default_threads(),
        device=device,
        watch=_watched(options.doctor),
        score=score,
        **judged,
    )
    refuse_combinations(choice, module, recipe)
    return Settled(recipe, _resolved(recipe, choice, loss_name, score, device))


def _resolved(
    recipe: Recipe, choice: Choice[Any] | None, loss_name: str, score: Score | None, device: torch.device
) -> dict[str, Any]:
    return {
        "loss": loss_name,
        "optimizer": {} if choice is None else choice.spec(),
        "batch_size": recipe.batch_rows,
        "metric": None if score is None else score.name,
        "precision": "bfloat16" if recipe.bfloat16 else "float32",
        "compile": recipe.compile,
        "device": str(device),
        "threads": recipe.threads,
    }


class _CallableLoss:
    """A person's own ``(output, target) -> scalar``, taken as the mean over the rows of a batch."""

    def __init__(self, function: Callable[[Any, Tensor], Tensor]) -> None:
        self.function = function

    def total(self, output: Any, target: Tensor, weight: Tensor | None = None) -> tuple[Tensor, float]:
        """Give the mean times the number of rows, and the number of rows."""
        if weight is not None:
            raise ConfigError(
                "A loss of your own is called with output and target alone.",
                got="row weights",
                do="Leave the weights out, or name a loss: " + ", ".join(LOSSES) + ".",
            )
        value = self.function(output, target)
        if not isinstance(value, Tensor) or value.numel() != 1:
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ConfigError("A loss must return one number.", got=shape, do="Take the mean over the rows.")
        if isinstance(output, Tensor) and output.requires_grad and not value.requires_grad:
            do = "Compute it with torch alone, without detach(), item() or no_grad()."
            raise ConfigError(
                "A loss must follow from the output: gradients come by it.", got="a detached number", do=do
            )
        rows = float(target.shape[0])
        return value.reshape(()) * rows, rows

    def prepare(self, target: Tensor, n_outputs: int) -> Tensor:
        """Give the target as it is: only the function knows what it wants."""
        return target

    def activate(self, output: Tensor) -> Tensor:
        """Give the output as it is."""
        return output


def as_loss(given: Any) -> LossLike:
    """Read a loss as `wellfit.fit` takes it."""
    return _loss(FitOptions(loss=given))[0]


def _loss(options: FitOptions) -> tuple[LossLike, str]:
    given = options.loss
    if given == "auto":
        raise ConfigError("A module of your own needs a loss.", got=given, do="One of " + ", ".join(LOSSES) + ".")
    if callable(getattr(given, "total", None)):
        return given, type(given).__name__
    if callable(given) and not isinstance(given, Choice):
        return _CallableLoss(given), getattr(given, "__name__", type(given).__name__)
    choice = LOSSES.choose(given)
    extra = {} if options.class_weight is None else {"class_weight": list(options.class_weight)}
    made: LossLike = choice.entry.make(**{**choice.options, **extra})
    return made, choice.name


def _optimizer(
    given: Any, lr: float | None, factors: Mapping[str, tuple[float, float]]
) -> tuple[Choice[Any] | None, Callable[[Any], torch.optim.Optimizer]]:
    if isinstance(given, torch.optim.Optimizer):
        return None, lambda _: given
    if callable(given) and not isinstance(given, (Choice, Mapping)):
        return None, lambda named: _made(given, named)
    spec = dict(given) if isinstance(given, Mapping) else {"name": given}
    if spec.get("lr") == "auto":
        spec["lr"] = None
    if lr is not None:
        spec["lr"] = lr
    choice = OPTIMIZERS.choose(spec)
    if choice.options["lr"] is None:
        choice = Choice(choice.entry, {**choice.options, "lr": choice.entry.default_lr(choice.options)})
    entry, settings = choice.entry, choice.options
    return choice, lambda named: entry.make(grouped(named, factors, settings), **settings)


def _made(function: Callable[[Any], Any], named: Sequence[tuple[str, Tensor]]) -> torch.optim.Optimizer:
    made = function([weight for _, weight in named])
    if not isinstance(made, torch.optim.Optimizer):
        raise ConfigError("An optimizer of your own must be a torch.optim.Optimizer.", got=type(made).__name__)
    return made


def _batch_rows(choice: Choice[Any] | None, options: FitOptions, rows: int | None) -> int:
    size = options.batch_size
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise ConfigError("'batch_size' must be a whole number above 0.", got=size, do="Try 256.")
    if rows is None:
        return size or 32
    if choice is None:
        return min(size or default_batch_size(rows), rows)
    return check_batch_size(choice.entry, size, rows)


def _score(given: Any) -> Score | None:
    if given is None or given == "auto":
        return None
    if isinstance(given, Score):
        return given
    if isinstance(given, str):
        entry = METRICS[given]
        return Score(name=entry.name, greater_is_better=entry.greater_is_better, function=entry.make())
    raise ConfigError("'metric' must be a metric's name.", got=given, do="One of " + ", ".join(METRICS) + ".")


_STOPPING = {"patience": 10, "min_delta": 0.0, "restore_best": True}


def _judged_by(score: Score | None, options: FitOptions, has_valid: bool) -> dict[str, Any]:
    """Give what a recipe says of how epochs are compared, and of when the best is long past."""
    watched = score if options.metric not in (None, "auto") else None
    return {
        "monitored": "loss" if watched is None else watched.name,
        "greater_is_better": watched is not None and watched.greater_is_better,
        **_stopping(options.early_stopping, has_valid),
    }


def _stopping(given: Any, has_valid: bool) -> dict[str, Any]:
    if given is None or given is False:
        return {}
    stopping = {} if given is True else {"patience": given} if isinstance(given, int) else dict(given)
    for key in stopping:
        if key not in _STOPPING:
            raise ConfigError(f"early_stopping has no '{key}'.", got=stopping[key], do=did_you_mean(key, _STOPPING))
    if not has_valid:
        raise ConfigError("early_stopping needs validation rows.", got="none", do="Give valid=(X, y).")
    return {**_STOPPING, **stopping}


def _factor(options: FitOptions, train: Batches, batch_rows: int) -> Callable[[int, Sequence[float]], float] | None:
    given = options.schedule
    if given is None or given == "constant":
        return None
    if callable(given) and not isinstance(given, (Choice, Mapping)):
        takes_losses = len(inspect.signature(given).parameters) > 1
        return given if takes_losses else lambda step, losses: float(given(step))
    choice = SCHEDULES.choose(given)
    per_epoch = updates_of(train, batch_rows, options.accumulate, options.epoch_steps)
    if per_epoch is None:
        raise ConfigError(
            "A schedule must know how many updates an epoch has.",
            got=choice.name,
            do="Give rows whose number is known, an iterable with a length, or a function of the step.",
        )
    made: Callable[[int, Sequence[float]], float] = choice.entry.make(
        total_steps=per_epoch * options.epochs, steps_per_epoch=per_epoch, **choice.options
    )
    return made


def _noise(augment: Any) -> float:
    if augment in (None, "none", "auto"):
        return 0.0
    if isinstance(augment, Mapping) and set(augment) == {"noise"}:
        return float(augment["noise"])
    raise ConfigError("'augment' of a table is {noise: std}.", got=augment, do="Try {noise: 0.1}.")


def _watched(doctor: str) -> bool:
    # To treat is to train anew, which is done above: each of those trainings is watched.
    if doctor not in ("off", "watch", "treat"):
        raise ConfigError("'doctor' must be off or watch.", got=doctor, do=did_you_mean(doctor, ("off", "watch")))
    return doctor != "off"


def _bfloat16(precision: str, device: torch.device) -> bool:
    if precision not in ("auto", "float32", "bfloat16"):
        raise ConfigError("'precision' must be auto, float32 or bfloat16.", got=precision)
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return precision == "bfloat16"


def deadline(options: FitOptions) -> float | None:
    """Give the end of the time allowed, on `time.monotonic`'s clock."""
    return None if options.time is None else time.monotonic() + options.time
