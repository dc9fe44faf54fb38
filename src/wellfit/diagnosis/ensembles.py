"""Findings of an ensemble: their remedies are settings that all of its networks take, not those of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wellfit.config.model import OF_ANY
from wellfit.findings import Finding, Remedy

__all__ = ["for_ensemble", "is_of_all"]

_SECTIONS = ("data.", "split.", "clean.", "features.")
_OF_ALL = OF_ANY | {"l1", "l2", "augment"}
"""Keys of ``train`` that every network takes: those that no member's own recipe has a value for."""

_OTHERWISE: Mapping[str, Sequence[Remedy]] = {
    "unscaled_target": (),
    "shuffled_labels": (),
    "underfitting": (
        Remedy(path="model.members", value=None, why="networks are chosen anew by the time allowed: give more of it"),
        Remedy(path="features.scale", value="quantile", why="keeps differences in columns with a few values far out"),
    ),
}
_CHOSEN_ANEW = (Remedy(path="model.members", value=None, why="networks of the usual recipes, chosen anew"),)


def is_of_all(path: str) -> bool:
    """Tell whether a setting, by its dotted path, is one that every network of an ensemble takes.

    >>> is_of_all("train.class_weight"), is_of_all("train.l2"), is_of_all("model.dropout")
    (True, True, False)
    """
    section, _, key = path.partition(".")
    return path.startswith(_SECTIONS) or (section == "train" and key in _OF_ALL)


def for_ensemble(findings: Sequence[Finding]) -> list[Finding]:
    """Give findings with remedies that an ensemble's config accepts; the networks' own recipes are not one's to set.

    >>> dropout = Remedy(path="model.dropout", value=0.3, why="")
    >>> found = Finding(code="overfitting", severity="warning", message="m", remedies=(dropout,))
    >>> [remedy.path for remedy in for_ensemble([found])[0].remedies]
    ['model.members']
    """
    return [replace(finding, remedies=tuple(_remedies(finding))) for finding in findings]


def _remedies(finding: Finding) -> Sequence[Remedy]:
    kept = [remedy for remedy in finding.remedies if is_of_all(remedy.path)]
    if finding.code in _OTHERWISE:
        return [*kept, *_OTHERWISE[finding.code]]
    return kept or (_CHOSEN_ANEW if finding.remedies else ())
