"""Treating a training of a module of one's own: diagnose, try remedies in pairs, prove the best on fresh seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count, islice
from typing import Any

from torch import nn

from wellfit.diagnosis import diagnose
from wellfit.errors import ConfigError
from wellfit.findings import Finding
from wellfit.treatment.advice import advice_for
from wellfit.treatment.bench import Bench, Trial
from wellfit.treatment.course import Change, Course
from wellfit.treatment.outcome import Treatment, TrialRow
from wellfit.treatment.proof import effect, proven
from wellfit.treatment.remedies import Case, proposed, standard_recipes
from wellfit.treatment.remedies.capacity import longer
from wellfit.treatment.remedies.rate import rate_of, scaled_rate
from wellfit.treatment.search import KEPT, NEARLY_PERFECT, Candidate, Search, simplest
from wellfit.treatment.subject import Subject
from wellfit.treatment.yardstick import Yardstick

__all__ = ["treat"]

BUDGET = 26
"""Trainings at the most, unless told otherwise: three as given, about eight candidates, and six for the proof."""
_SCREENED = 7
"""Candidates beside the standard recipes."""
_REFINED = 3
_FRESH = 1000
"""Distance of the seeds that prove from those that choose."""
_INCURABLE = ("shuffled_labels",)
_NO_OPTIONS = ("seed", "valid", "checkpoint", "checkpoint_every", "resume", "callbacks", "doctor")

Report = Callable[[str], None]


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
        budget: trainings at the most; None: 26.
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
    if seeds < 2:
        raise ConfigError("'seeds' must be 2 or more: one seed shows no noise.", got=seeds, do="Try 3.")
    first = int(fit_options.get("seed", 0))
    options = {name: value for name, value in fit_options.items() if name not in _NO_OPTIONS}
    subject = Subject(make_module, train, valid, options)
    treating = _Treating(subject, range(first, first + seeds), BUDGET if budget is None else budget, report)
    treatment = treating.run()
    treatment.seconds = time.monotonic() - started
    return treatment


class _Treating:
    """One treatment, step by step."""

    def __init__(self, subject: Subject, seeds: Sequence[int], budget: int, report: Report | None) -> None:
        self.subject, self.seeds, self.budget = subject, list(seeds), budget
        self.say: Report = report or (lambda text: None)
        self.yardstick = Yardstick(subject.valid, subject.classes, device=subject.recipe.device)
        self.bench = Bench(subject, self.yardstick)
        self.search = Search(self.bench, self.seeds, budget - 2 * len(self.seeds))
        self.rows: list[TrialRow] = []

    def run(self) -> Treatment:
        """Diagnose, search, prove."""
        self.say("training as given")
        base = self.search.given()
        findings = _findings(base.trials[self.seeds[0]])
        serious = [finding for finding in findings if finding.severity != "info"]
        if any(finding.code in _INCURABLE for finding in serious):
            return self._untreated(base, findings, serious)
        if any(finding.code == "class_imbalance_ignored" for finding in serious):
            base = self._rebalanced(base)
        chosen = self._chosen(base, serious)
        if chosen is None or chosen.value() <= base.value():
            self._note(base, None, "")
            return self._untreated(base, findings, serious)
        return self._proved(base, chosen, findings, serious)

    def _rebalanced(self, base: Candidate) -> Candidate:
        """Measure anew by the figure in which every class counts alike."""
        self.yardstick = Yardstick(self.subject.valid, self.subject.classes, True, self.subject.recipe.device)
        self.bench.yardstick = self.yardstick
        outputs = Course().outputs(self.subject)
        for seed, trial in base.trials.items():
            figures = self.yardstick.measure(trial.result.module, outputs)
            base.trials[seed] = Trial(figures, trial.seconds, trial.result)
        self.search.best_skill = base.skill()
        return base

    def _chosen(self, base: Candidate, findings: Sequence[Finding]) -> Candidate | None:
        case = Case(self.subject, Course(), findings)
        single = self.search.screen(self._courses(Course(), islice(_each_once(proposed(case)), _SCREENED)))
        standard = self.search.screen(self._courses(Course(), standard_recipes(case)))
        finalists = [*single[:KEPT], *standard[:1]]
        settled = [found for found in self.search.settle(finalists) if not found.refused]
        if not settled:
            return None
        best = simplest(settled)
        improving = [found.course for found in single if found.value() > base.trials[self.seeds[0]].figures.value]
        return self._refined(best, improving)

    def _courses(self, course: Course, changes: Any) -> Any:
        for change in changes:
            further = course.then(change)
            self.say(further.what)
            yield further

    def _refined(self, best: Candidate, improving: Sequence[Course]) -> Candidate:
        """Put further changes on the best course, greedily, as long as they help."""
        for _ in range(2):
            if best.skill() >= NEARLY_PERFECT or self.search.left < 1:
                break
            changes = self._further(best, improving)
            wider = self.search.screen(self._courses(best.course, islice(changes, _REFINED)))
            better = [found for found in wider[:1] if _clearly(found, best, self.seeds[0])]
            if not better or self.search.settle(better)[0].value() <= best.value():
                break
            best = better[0]
        return best

    def _further(self, best: Candidate, improving: Sequence[Course]) -> Any:
        """Propose by what is still wrong under the best course, then what helped alone, then another rate."""
        course = best.course
        trial = self.bench.measure(course, self.seeds[0], watch=True)
        left = [finding for finding in _findings(trial) if finding.severity != "info"]
        case = Case(self.subject, course, left)
        yield from (change for change in islice(proposed(case), 2) if change.family not in course.families)
        for other in improving:
            if not other.families & course.families and "standard" not in course.families:
                yield other.changes[-1]
                break
        yield scaled_rate(rate_of(case), 3.0)
        yield scaled_rate(rate_of(case), 0.3)
        if "length" not in course.families:
            yield longer(case)

    def _proved(
        self, base: Candidate, chosen: Candidate, findings: list[Finding], serious: Sequence[Finding]
    ) -> Treatment:
        self.say("proof on fresh seeds")
        fresh: list[int] = []
        before, after, accepted, why = [], [], False, ""
        for number in islice(count(self.seeds[0] + _FRESH), 2 * len(self.seeds)):
            before.append(self.bench.measure(Course(), number))
            after.append(self.bench.measure(chosen.course, number, watch=not fresh))
            fresh.append(number)
            if len(fresh) >= len(self.seeds):
                accepted, why = proven([t.figures for t in before], [t.figures for t in after])
                if accepted or _mean(after) <= _mean(before):
                    break
        gains = [b.figures.metric - a.figures.metric for a, b in zip(before, after, strict=True)]
        proof = TrialRow(
            remedy=chosen.course.what,
            change=chosen.course.changed(self.subject),
            effect=effect(gains),
            seconds=sum(trial.seconds for trial in after),
            accepted=accepted,
            why=why,
        )
        self._note(base, proof, chosen.course.what)
        if not accepted:
            treatment = self._untreated(base, findings, serious)
            treatment.result, treatment.before = before[0].result, _metric(before)
            return treatment
        return self._cured(chosen.course, before, after, findings, serious)

    def _cured(
        self, course: Course, before: list[Trial], after: list[Trial], findings: list[Finding], serious: Sequence[Finding]
    ) -> Treatment:
        subject = self.subject
        return Treatment(
            findings=findings,
            trials=self.rows,
            metric=self.yardstick.metric,
            before=_metric(before),
            after=_metric(after),
            accepted=[remedy for change in course.changes for remedy in change.remedies()],
            options=course.changed(subject),
            make_module=partial(_fresh_module, course, subject, count(self.seeds[0] + _FRESH)),
            scale=_scales(after[0].result.module),
            outputs=course.outputs(subject),
            result=after[0].result,
            advice=advice_for(serious, self._refusals()),
            trainings=self.bench.trainings,
        )

    def _untreated(self, base: Candidate, findings: list[Finding], serious: Sequence[Finding]) -> Treatment:
        trials = list(base.trials.values())
        return Treatment(
            findings=findings,
            trials=self.rows,
            metric=self.yardstick.metric,
            before=_metric(trials),
            make_module=self.subject.make_module,
            outputs=self.subject.outputs,
            result=trials[0].result,
            advice=advice_for(serious, self._refusals()),
            trainings=self.bench.trainings,
        )

    def _refusals(self) -> list[str]:
        return [candidate.refused for candidate in self.search.tried if candidate.refused]

    def _note(self, base: Candidate, proof: TrialRow | None, chosen: str) -> None:
        """Write all that was tried into the table, the proof last."""
        for candidate in self.search.tried:
            seeds = [seed for seed in self.seeds if seed in candidate.trials]
            gains = [
                after.metric - before.metric
                for before, after in zip(base.figures(seeds), candidate.figures(seeds), strict=True)
            ]
            stopped = any(trial.stopped for trial in candidate.trials.values())
            why = "given up half-way: no better than a constant guess" if stopped else f"tried on {len(seeds)} seeds"
            if candidate.course.what == chosen:
                why = "chosen for the proof"
            self.rows.append(
                TrialRow(
                    remedy=candidate.course.what,
                    change=candidate.course.changed(self.subject),
                    effect=effect(gains) if gains else None,
                    seconds=candidate.seconds,
                    accepted=False,
                    why=candidate.refused or why,
                )
            )
        if proof is not None:
            self.rows.append(proof)


def _fresh_module(course: Course, subject: Subject, seeds: Iterator[int]) -> nn.Module:
    """Give a new module of a course, at each call from the next seed; the first is the first of the proof."""
    return course.module(subject, next(seeds))


def _findings(trial: Trial) -> list[Finding]:
    """Diagnose a watched trial; what the training itself found comes first."""
    own = list(trial.result.findings)
    codes = {finding.code for finding in own}
    return [*own, *(finding for finding in diagnose(trial.result.history) if finding.code not in codes)]


def _each_once(changes: Any) -> Any:
    seen: set[str] = set()
    for change in changes:
        if change.what not in seen:
            seen.add(change.what)
            yield change


def _clearly(found: Candidate, best: Candidate, seed: int) -> bool:
    """Whether a candidate beats the best course on the screening seed by more than values that are alike differ."""
    if found.refused or seed not in found.trials:
        return False
    return found.trials[seed].figures.value > best.trials[seed].figures.value + 0.01


def _metric(trials: Sequence[Trial]) -> float:
    return sum(trial.figures.metric for trial in trials) / len(trials)


def _mean(trials: Sequence[Trial]) -> float:
    return sum(trial.figures.value for trial in trials) / len(trials)


def _scales(module: nn.Module) -> dict[str, Any]:
    """Give the scales within a module as plain numbers."""
    from wellfit.treatment.surgery.scales import Standardize, Unscale

    found: dict[str, Any] = {}
    for part in module.modules():
        if isinstance(part, (Standardize, Unscale)):
            name = "inputs" if isinstance(part, Standardize) else "target"
            found[name] = {"mean": part.mean.tolist(), "std": part.std.tolist(), "applied": "within the module"}
    return found
