"""All looks before a training, in order: the first pass, one batch by heart, labels shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wellfit.diagnosis import weighed
from wellfit.experiment import Experiment
from wellfit.findings import Finding
from wellfit.rehearsal.by_heart import learn_by_heart
from wellfit.rehearsal.first_pass import first_pass
from wellfit.rehearsal.shuffled import shuffle_labels

__all__ = ["Rehearsal", "rehearse"]


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What the looks before a training measured and found."""

    facts: dict[str, dict[str, Any]]
    """Numbers by look: ``first_pass``, ``by_heart``, ``shuffled``; a look that could not be had has none."""
    said: tuple[str, ...]
    """The same in sentences."""
    findings: tuple[Finding, ...]


def rehearse(experiment: Experiment) -> Rehearsal:
    """Look at a network before it is trained: by passes alone, and by small trainings of copies of it.

    The experiment is left as it is; validation rows are read, test rows are not.

    >>> from wellfit.config import from_keywords, from_mapping
    >>> from wellfit.preparation import prepare
    >>> rows = {"x": [float(i % 20) for i in range(200)], "y": ["a" if i % 20 < 10 else "b" for i in range(200)]}
    >>> settings = {"clean": {"duplicates": "keep"}, "model": {"hidden": [16]}, "threads": 1}
    >>> done = rehearse(Experiment(prepare(from_mapping(from_keywords(target="y", **settings)), rows)))
    >>> done.facts["by_heart"]["share"] < 0.1, [finding.code for finding in done.findings]
    (True, [])
    """
    trainer = experiment.trainer
    start, said, findings = first_pass(trainer)
    facts = {"first_pass": start}
    facts["by_heart"], told, found = learn_by_heart(trainer)
    said, findings = [*said, *told], [*findings, *found]
    # Where updates teach nothing, shuffled labels are no worse for reasons of their own.
    if all(finding.code == "underfitting" for finding in found):
        facts["shuffled"], told, found = shuffle_labels(trainer)
        said, findings = [*said, *told], [*findings, *found]
    return Rehearsal(
        facts={name: numbers for name, numbers in facts.items() if numbers},
        said=tuple(said),
        findings=tuple(weighed(findings)),
    )
