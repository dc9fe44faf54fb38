"""What is proposed for a run: changes of one network's config, or of an ensemble's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wellfit.config import model_spec, with_values
from wellfit.findings import Finding
from wellfit.prepared import PreparedTable
from wellfit.prepared_images import PreparedImages
from wellfit.treatment.bench import Bench
from wellfit.treatment.course import Change, Course
from wellfit.treatment.image_practice import ImagePractice
from wellfit.treatment.members import EVERY, Times, usual_members
from wellfit.treatment.procedure import Practice
from wellfit.treatment.run_bench import EnsembleBench, RunBench
from wellfit.treatment.settings import change_of, further_settings, settings_for, standard_settings

__all__ = ["practice_for"]


class _NetworkPractice:
    """Proposes changes of one network, of its training, and of what it reads."""

    def __init__(self, bench: RunBench) -> None:
        self.bench: Bench = bench
        self._run = bench

    def single(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose what the findings' remedies are."""
        return settings_for(findings)

    def standard(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose the settings of a new run."""
        return standard_settings()

    def further(self, course: Course, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose other rates."""
        rate = with_values(self._run.config, self.changed(course)).train.optimizer.get("lr")
        return further_settings(rate if isinstance(rate, float) else None)

    def changed(self, course: Course) -> dict[str, Any]:
        """Give the settings that a course changes."""
        return self._run.settings(course)


_RATE = f"{EVERY}train.optimizer.lr"
_STRONGER: Mapping[str, Sequence[tuple[Mapping[str, Any], str]]] = {
    "overfitting": (
        ({f"{EVERY}model.dropout": 0.3}, "units that may be absent can't remember single rows"),
        ({f"{EVERY}model.hidden": Times(0.25), f"{EVERY}model.width": Times(0.25)}, "less room to remember rows"),
        ({f"{EVERY}train.weight_decay": Times(10.0)}, "small weights make smooth functions"),
    ),
    "underfitting": (
        ({f"{EVERY}train.epochs": Times(3.0)}, "training may have stopped before it was done"),
        ({f"{EVERY}model.dropout": 0.0}, "units that are left out can't fit"),
        ({_RATE: Times(3.0)}, "a higher rate gets further in as many updates"),
    ),
    "not_learning": (({_RATE: Times(0.1)}, "a rate far too high learns nothing"),),
    "learning_rate_too_high": (({_RATE: Times(0.1)}, "steps that do not overshoot"),),
    "learning_rate_too_low": (({_RATE: Times(10.0)}, "about 0.001 of the weights a step"),),
    "exploding_gradient": (({f"{EVERY}train.clip_norm": 1.0, _RATE: Times(0.3)}, "signals and steps stay bounded"),),
    "non_finite": (({f"{EVERY}train.clip_norm": 1.0, _RATE: Times(0.1)}, "bounded steps"),),
    "batch_size_problem": (({f"{EVERY}train.batch_size": 64}, "enough updates, each of more than a few rows"),),
    "dead_units": (({_RATE: Times(0.3)}, "large steps push units below zero for good"),),
}
"""Changes of every network, by what is found."""
_OF_TRAINING = {*_STRONGER, "vanishing_gradient", "saturated_units", "bad_initialization"}


class _EnsemblePractice:
    """Proposes changes that all networks of an ensemble take: of rows, classes, and of every network alike."""

    def __init__(self, bench: EnsembleBench) -> None:
        self.bench: Bench = bench
        self._run = bench

    def single(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose each finding's own remedies, and changes of every network; none that changes nothing here."""
        given = {"model.members": model_spec(self._run.config)["members"]}
        return (change for change in settings_for(findings, _STRONGER) if self.changed(Course((change,))) != given)

    def standard(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose the networks and features of a new run, where it is training that went wrong."""
        table = self._run.prepared
        if isinstance(table, PreparedTable) and any(finding.code in _OF_TRAINING for finding in findings):
            members = usual_members(table, model_spec(self._run.config)["members"])
            features = {"features.scale": "quantile", "features.encode": {"name": "embedding", "onehot_up_to": 0}}
            yield Change(
                family="standard",
                what="the networks of a new run, for as long as they need",
                why="what suits most tables",
                options={**features, "model.members": members},
            )

    def further(self, course: Course, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose other rates, where what is left is of training."""
        if any(finding.code in _OF_TRAINING for finding in findings):
            for factor in (3.0, 0.3):
                yield change_of({_RATE: Times(factor)}, "rates nearer to what suits")

    def changed(self, course: Course) -> dict[str, Any]:
        """Give the settings that a course changes."""
        return self._run.settings(course)


def practice_for(bench: RunBench) -> Practice:
    """Give what proposes changes for the courses of a bench."""
    if isinstance(bench.prepared, PreparedImages):
        return ImagePractice(bench, bench.prepared)
    return _EnsemblePractice(bench) if isinstance(bench, EnsembleBench) else _NetworkPractice(bench)
