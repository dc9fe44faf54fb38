"""Treating a training of a module of one's own: `treat`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any

from torch import nn

from wellfit.errors import BadInput, ConfigError
from wellfit.findings import Finding
from wellfit.runtime import restored_random_state
from wellfit.training.fit import FitResult, fit
from wellfit.treatment.advice import advice_for
from wellfit.treatment.bench import Bench, GivingUp
from wellfit.treatment.course import Change, Course
from wellfit.treatment.outcome import Treatment
from wellfit.treatment.procedure import FRESH, Conclusion, Procedure, Report, mean_metric
from wellfit.treatment.remedies import Case, proposed, standard_recipes
from wellfit.treatment.remedies.capacity import longer
from wellfit.treatment.remedies.rate import adam_with_cosine, rate_of, scaled_rate
from wellfit.treatment.subject import Subject
from wellfit.treatment.surgery.scales import Standardize, Unscale
from wellfit.treatment.yardstick import Figures, Yardstick

__all__ = ["ModuleBench", "treat"]

_OF_ONE_TRAINING = ("seed", "checkpoint", "checkpoint_every", "resume", "callbacks", "doctor")
"""Options that say something of a single training, and not of how it is trained."""


def treat(
    make_module: Callable[[], nn.Module],
    train: Any,
    *,
    valid: Any = None,
    seeds: int = 3,
    budget: int | None = None,
    report: Report | None = None,
    **fit_options: Any,
) -> Treatment:
    """Find what is wrong in a training, try the remedies of the field, and prove the best one.

    Every trial is trained like the given training, on the same seeds, and measured on the validation rows by one
    figure whatever its loss: accuracy (the mean of the classes' recalls where a class was ignored) or R^2. The best
    is compared with the training as given on fresh seeds that did not choose it, and accepted only where the gain is
    beyond seed noise. Test rows are never asked for.

    Args:
        make_module: gives a new, freshly initialised module at each call.
        train: rows, as `wellfit.fit` takes them.
        valid: rows that judge the trials.
        seeds: seeds that choose, and as many fresh ones that prove; 2 or more.
        budget: trainings of search and proof, None: 30; a proof that is close makes up to as many pairs again.
        report: is told in a few words what is being tried.
        **fit_options: what the training is like, as `wellfit.fit` takes it; ``seed`` is the first seed.

    Returns:
        Findings, trials, what was accepted, and the cured training; see `Treatment`.

    Raises:
        BadInput: rows or options that can't be used.

    >>> import torch
    >>> X = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    >>> make = lambda: nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())
    >>> y = X.sum(1, keepdim=True) * 3 + 5
    >>> treated = treat(make, (X[:200], y[:200]), valid=(X[200:], y[200:]), loss="mse", epochs=10, lr=0.01)
    >>> treated.after > 0.9
    True
    """
    started = time.monotonic()
    if valid is None:
        raise ConfigError("Treatment is judged on validation rows.", got="none", do="Give valid=(X, y).")
    if isinstance(make_module, nn.Module):
        raise BadInput(
            "wellfit.treat takes a function that makes a new module at each call.",
            got=f"a module, {type(make_module).__name__}",
            do="Give one such as lambda: Net(10).",
        )
    if seeds < 2:
        raise ConfigError("'seeds' must be 2 or more: one seed shows no noise.", got=seeds, do="Try 3.")
    first = int(fit_options.get("seed", 0))
    options = {name: value for name, value in fit_options.items() if name not in _OF_ONE_TRAINING}
    with restored_random_state():
        subject = Subject(make_module, train, valid, options)
        bench = ModuleBench(subject)
        conclusion = Procedure(_ModulePractice(subject, bench), range(first, first + seeds), budget, report).run()
        treatment = _treatment(subject, bench, conclusion, first + FRESH)
    treatment.seconds = time.monotonic() - started
    return treatment


class ModuleBench(Bench):
    """Trains courses of a module of one's own with `wellfit.fit`."""

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = subject

    @property
    def yardstick(self) -> Yardstick:
        """What measures."""
        subject = self.subject
        return Yardstick(subject.valid, subject.classes, self.balanced, subject.recipe.device)

    def train(self, course: Course, seed: int, *, watch: bool, hopeful: bool) -> tuple[FitResult, bool]:
        """Train a course under a seed; give the result, and whether it was given up half-way."""
        subject = self.subject
        options = {**course.options(subject), "seed": seed, "doctor": "watch" if watch else "off"}
        outputs, yardstick = course.outputs(subject), self.yardstick
        giving_up = GivingUp(lambda trainer: yardstick.measure(trainer.module, outputs))
        result = fit(
            course.module(subject, seed),
            subject.train,
            valid=subject.valid,
            callbacks=[] if hopeful else [giving_up],
            **options,
        )
        return result, giving_up.stopped

    def figures(self, course: Course, result: FitResult) -> Figures:
        """Measure a trained module on the validation rows."""
        return self.yardstick.measure(result.module, course.outputs(self.subject))


class _ModulePractice:
    """Proposes changes of a module and of the options of its training."""

    def __init__(self, subject: Subject, bench: ModuleBench) -> None:
        self.subject = subject
        self.bench: Bench = bench

    def single(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose what the families of remedies do for what was found."""
        return proposed(Case(self.subject, Course(), findings))

    def standard(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose the standard recipes."""
        return standard_recipes(Case(self.subject, Course(), findings))

    def further(self, course: Course, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose Adam with a cosine, other rates, and longer training."""
        case = Case(self.subject, course, findings)
        if "rate" not in course.families and "standard" not in course.families:
            yield adam_with_cosine(case)
        yield scaled_rate(rate_of(case), 3.0)
        yield scaled_rate(rate_of(case), 0.3)
        if "length" not in course.families:
            yield longer(case)

    def changed(self, course: Course) -> dict[str, Any]:
        """Give the options that a course changes."""
        return course.changed(self.subject)


def _treatment(subject: Subject, bench: ModuleBench, conclusion: Conclusion, fresh: int) -> Treatment:
    course = conclusion.course
    treatment = Treatment(
        findings=conclusion.findings,
        trials=conclusion.rows,
        metric=bench.yardstick.metric,
        before=mean_metric(conclusion.before),
        make_module=subject.make_module,
        outputs=subject.outputs,
        result=(conclusion.before if course is None else conclusion.after)[conclusion.best].result,
        advice=advice_for(conclusion.serious, conclusion.refused),
        trainings=bench.trainings,
    )
    if course is None:
        return treatment
    treatment.after = mean_metric(conclusion.after)
    treatment.accepted = course.remedies(subject)
    treatment.options = course.changed(subject)
    treatment.make_module = partial(_next_module, course, subject, _seeds(fresh, conclusion.best))
    treatment.outputs = course.outputs(subject)
    treatment.scale = _scales(treatment.result.module)
    return treatment


def _seeds(fresh: int, best: int) -> Iterator[int]:
    """Give the seed of the best training, then the other fresh ones."""
    yield fresh + best
    yield from (seed for seed in count(fresh) if seed != fresh + best)


def _next_module(course: Course, subject: Subject, seeds: Iterator[int]) -> nn.Module:
    """Give a new module of a course, at each call from the next seed; the first is that of the result."""
    return course.module(subject, next(seeds))


def _scales(module: nn.Module) -> dict[str, Any]:
    """Give the scales within a module as plain numbers."""
    found: dict[str, Any] = {}
    for part in module.modules():
        if isinstance(part, (Standardize, Unscale)):
            name = "inputs" if isinstance(part, Standardize) else "target"
            found[name] = {"mean": part.mean.tolist(), "std": part.std.tolist(), "applied": "within the module"}
    return found
