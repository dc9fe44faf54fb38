"""Training any module on any rows, in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

from torch import nn

from wellfit.data.bags import Bagged
from wellfit.data.batches import Batches, Resident, as_batches
from wellfit.data.image_rows import ImageRows
from wellfit.errors import BadInput, ConfigError
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.training.checkpoint import Checkpoints
from wellfit.training.compilation import forward_of
from wellfit.training.examiner import Examiner
from wellfit.training.loop import Trainer
from wellfit.training.monitor import LayerStatistics
from wellfit.training.options import FitOptions, Settled, deadline, settle
from wellfit.training.rate_finder import RateCurve, sweep
from wellfit.training.terms import option_terms, subject_terms
from wellfit.training.watching import Callback

__all__ = ["FitResult", "Readers", "find_rate", "fit", "make_trainer", "with_found_rate"]


class FitResult:
    """What a training left: the module, what was recorded, what was found."""

    def __init__(self, trainer: Trainer, readers: Readers | None = None) -> None:
        self.module: nn.Module = trainer.module
        """The module that was trained, in place."""
        self.best_epoch = trainer.stopping.best_epoch if trainer.weights.best is not None else None
        """The epoch whose weights were kept; None where the last were."""
        self.steps = trainer.position.step
        """Updates made."""
        self._trainer, self._readers = trainer, readers

    @cached_property
    def history(self) -> History:
        """What was recorded, with an appraisal of the kept weights beside baselines, which is made when it is read."""
        self._trainer.conclude()
        return self._trainer.history

    @cached_property
    def findings(self) -> list[Finding]:
        """What a diagnosis of the history says, errors first."""
        return [] if self._readers is None else self._readers.diagnose(self.history)

    @cached_property
    def fit(self) -> Any:
        """The verdict on the fit, a `wellfit.Verdict`; None where there is no evidence for one."""
        return None if self._readers is None else self._readers.judge(self.history)

    def read_by(self, readers: Readers) -> FitResult:
        """Give the same result, whose findings and verdict others find."""
        return FitResult(self._trainer, readers)

    def __repr__(self) -> str:
        return f"FitResult(steps={self.steps}, best_epoch={self.best_epoch})"


class Readers(NamedTuple):
    """Who reads a history: training knows of no diagnosis."""

    diagnose: Callable[[History], list[Finding]]
    judge: Callable[[History], Any]


def fit(
    module: nn.Module,
    train: Any,
    *,
    valid: Any = None,
    loss: Any = "auto",
    optimizer: Any = "adam",
    lr: float | str | None = None,
    batch_size: int | None = None,
    epochs: int = 20,
    schedule: Any = None,
    l1: float = 0.0,
    l2: float = 0.0,
    weight_decay: float = 0.0,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    early_stopping: Any = None,
    metric: Any = None,
    class_weight: Sequence[float] | None = None,
    precision: str = "auto",
    compile: bool | str = "auto",
    accumulate: int = 1,
    ema: float | None = None,
    augment: Any = None,
    device: str = "auto",
    seed: int = 0,
    steps: int | None = None,
    epoch_steps: int | None = None,
    time: float | None = None,
    threads: int | None = None,
    doctor: str = "watch",
    workers: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | float | None = None,
    resume: bool | None = None,
    callbacks: Sequence[Callback] = (),
) -> FitResult:
    """Train a module in place.

    Args:
        module: any ``nn.Module``; its ``forward`` takes the inputs of a batch in their order.
        train: ``(X, y)`` or ``(X, y, weight)`` of tensors or arrays (X may be a tuple of them), a torch `Dataset`,
            or an iterable of such batches.
        valid: the same, for the loss after every epoch and for early stopping; None trains on all rows.
        loss: a name from ``wellfit list losses``, a mapping of a name and its options, or
            ``(output, target) -> scalar``. Named classification losses take logits.
        optimizer: a name from ``wellfit list optimizers``, a mapping of a name and its options, an entry of your own,
            a torch optimizer, or ``params -> optimizer``, whose rate is kept.
        lr: the rate, above 0; None takes the optimizer's own default, ``"find"`` the one that `find_rate` suggests.
        batch_size: rows per update, 1 or more; None takes the optimizer's rule, or a size that suits the rows.
        epochs: how often the rows are walked through, 1 or more.
        schedule: a name, a mapping of a name and its options, or ``step -> factor`` on the rate, from step 0.
        l1: lambda of the penalty lambda sum |W| on weights, 0 or more.
        l2: lambda of the penalty lambda sum W^2 on weights, 0 or more.
        weight_decay: decoupled decay, W <- W (1 - lr weight_decay), 0 or more.
        clip_norm: the largest norm of all gradients together, above 0.
        clip_value: the largest absolute value of a gradient's entry, above 0.
        early_stopping: ``{"patience": epochs, "min_delta": 0.0, "restore_best": True}``, or a number of epochs.
            None trains all epochs and keeps the last weights.
        metric: a name from ``wellfit list metrics``, recorded for the validation rows and watched by early stopping,
            which watches the loss otherwise.
        class_weight: one weight a class, for the named classification losses.
        precision: ``auto``, ``float32`` or ``bfloat16`` (autocast; weights stay float32).
        compile: whether `torch.compile` makes the forward and backward pass. ``auto`` does not: on the CPUs it was
            measured on, a compiled network of full matrix products is no faster.
        accumulate: batches whose gradients make one update, 1 or more.
        ema: decay of a moving average of the weights, in [0, 1); the average is evaluated and kept.
        augment: ``{"noise": std}`` adds Gaussian noise to the first input.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        seed: decides every random draw of the training.
        steps: stop after so many updates.
        epoch_steps: updates of an epoch at the most; the next one shuffles all rows anew.
        time: stop after so many seconds.
        threads: threads torch computes with.
        doctor: ``watch`` records statistics of every layer, ``off`` does not.
        workers: processes that read a `Dataset`; results do not depend on their number.
        checkpoint: a folder for checkpoints.
        checkpoint_every: updates between checkpoints, or seconds as a float; None: 30 seconds.
        resume: whether to go on from the newest checkpoint in ``checkpoint``.
        callbacks: `wellfit.Callback` objects that watch.

    Returns:
        The module, the history, the findings and the verdict on the fit.

    Raises:
        BadInput: settings or rows that can't be used, said before anything is trained.
        Interrupted: Ctrl-C; the step was finished, and a checkpoint written where there is a folder for it.

    >>> import torch, wellfit
    >>> X = torch.linspace(-1, 1, 64).reshape(-1, 1)
    >>> result = wellfit.fit(torch.nn.Linear(1, 1), (X, 3 * X[:, 0]), loss="mse", optimizer="adam", lr=0.1, epochs=50)
    >>> bool(result.history["train_loss"][-1] < 0.01)
    True
    """
    given = {name: value for name, value in locals().items() if name in FitOptions.__dataclass_fields__}
    options = FitOptions(**given)
    _refuse(module, options, resume=resume, checkpoint=checkpoint)
    rows = as_batches(train, workers)
    held = None if valid is None else as_batches(valid, workers)
    options = with_found_rate(module, rows, options)
    settled = settle(module, rows, options, has_valid=held is not None)
    trainer = make_trainer(
        module,
        rows,
        held,
        settled,
        checkpoints=None if checkpoint is None else Checkpoints(Path(checkpoint)),
        checkpoint_every=checkpoint_every,
        callbacks=callbacks,
        until=deadline(options),
        terms=option_terms(options, settled.resolved),
    )
    if resume:
        trainer.resume()
    trainer.history.meta["own_module"] = True
    trainer.run()
    return FitResult(trainer)


def _refuse(
    module: nn.Module, options: FitOptions, *, resume: bool | None, checkpoint: str | os.PathLike[str] | None
) -> None:
    """Refuse what can't be trained, before any row is read."""
    if options.doctor == "treat":
        raise ConfigError(
            "wellfit.fit trains one module in place, and treating one takes many fresh ones.",
            got="doctor 'treat'",
            do="Call wellfit.treat(make_module, ...) with what makes the module.",
        )
    if not isinstance(module, nn.Module):
        raise BadInput("wellfit.fit trains a torch.nn.Module.", got=type(module).__name__)
    if resume and checkpoint is None:
        raise ConfigError("'resume' needs the folder of the checkpoints.", got=resume, do="Give checkpoint=FOLDER.")


def find_rate(module: nn.Module, train: Any, **options: Any) -> RateCurve:
    """Sweep over learning rates and suggest one; the module is left as it is.

    Args:
        module: any ``nn.Module``.
        train: rows, as `fit` takes them.
        **options: ``loss``, ``optimizer``, ``batch_size``, ``clip_norm``, ``seed`` and the like, as `fit` takes them.

    Returns:
        The rates tried, the loss at each, and the suggestion, None where no rate made the loss fall.
    """
    rows = as_batches(train)
    settled = settle(module, rows, FitOptions(**options), has_valid=False)
    return sweep(module, _ready(rows, settled), settled.recipe)


def with_found_rate(module: nn.Module, train: Batches, options: FitOptions) -> FitOptions:
    """Put the rate that a sweep suggests where ``find`` was asked for; where it suggests none, the default."""
    named = options.optimizer if isinstance(options.optimizer, Mapping) else {}
    if "find" not in (options.lr, named.get("lr")):
        return options
    optimizer = {**named, "lr": "auto"} if named else options.optimizer
    asked = replace(options, lr=None, optimizer=optimizer)
    bare = replace(asked, schedule=None, early_stopping=None)
    settled = settle(module, train, bare, has_valid=False)
    return replace(asked, lr=sweep(module, _ready(train, settled), settled.recipe).suggestion)


def make_trainer(
    module: nn.Module,
    train: Batches,
    valid: Batches | None,
    settled: Settled,
    *,
    checkpoints: Checkpoints | None = None,
    checkpoint_every: int | float | None = None,
    callbacks: Sequence[Callback] = (),
    until: float | None = None,
    terms: Mapping[str, str] | None = None,
) -> Trainer:
    """Check all targets, put rows and module on the device, and make the trainer.

    ``terms`` are what decides the training beside module and rows; see `Trainer.terms`.
    """
    recipe = settled.recipe
    module.to(recipe.device)
    rows, held = _ready(train, settled), None if valid is None else _ready(valid, settled)
    examiner = Examiner(module, rows, held, recipe, settings_of(settled)) if recipe.watch else None
    return Trainer(
        module,
        rows,
        held,
        recipe,
        forward=forward_of(module, compile=recipe.compile, device=recipe.device),
        monitor=LayerStatistics(module) if recipe.watch else None,
        examiner=examiner,
        callbacks=callbacks,
        checkpoints=checkpoints,
        checkpoint_every=checkpoint_every,
        deadline=until,
        terms={} if checkpoints is None else {**(terms or {}), **subject_terms(module, rows, held)},
    )


def settings_of(settled: Settled) -> dict[str, Any]:
    """Give the settings that a diagnosis weighs, as plain numbers."""
    recipe = settled.recipe
    return {
        "batch_size": recipe.batch_rows * recipe.accumulate,
        "epochs": recipe.epochs,
        "schedule": recipe.factor is not None,
        "l1": recipe.l1,
        "l2": recipe.l2,
        "decoupled_weight_decay": recipe.weight_decay,
        "clip_norm": recipe.clip_norm,
        "early_stopping": recipe.patience,
        "loss": str(settled.resolved["loss"]),
    }


def _ready(rows: Batches, settled: Settled) -> Batches:
    if isinstance(rows, Bagged):
        return rows.with_table(cast(Resident, _ready(rows.table, settled)))
    if isinstance(rows, ImageRows):
        return rows.to(settled.recipe.device)
    if not isinstance(rows, Resident):
        return rows
    recipe = settled.recipe
    target = recipe.loss.prepare(rows.target, recipe.outputs)
    return Resident(rows.inputs, target, rows.weight).to(recipe.device)
