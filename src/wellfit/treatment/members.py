"""Changes of every network of an ensemble, and the settings that they come to.

A change names what it sets in each network by a key of its own: ``members.model.dropout`` is an option of those
architectures that have it, ``members.train.epochs`` a setting of their training. A config has them all in one list,
``model.members``; the linear model is left as it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wellfit.bagging import ARCHITECTURES, alike, architectures_of, epochs_of, member_of
from wellfit.config import Config, model_spec, with_values
from wellfit.models import MODELS
from wellfit.prepared import PreparedTable
from wellfit.treatment.course import Course

__all__ = ["EVERY", "Times", "as_trial", "settings_of", "usual_members"]

EVERY = "members."
"""What the keys of a change of every network begin with."""
_ENOUGH = 1200
"""Updates at the most of a trial's network that no recipe of wellfit's own trains."""

Member = Mapping[str, Any]


@dataclass(frozen=True)
class Times:
    """A value that each network has, times a factor.

    >>> Times(0.5).of(0.04), Times(3).of(16)
    (0.02, 48)
    """

    factor: float

    def of(self, value: float) -> float:
        """Give the new value; of whole numbers a whole one."""
        new = value * self.factor
        return max(1, round(new)) if isinstance(value, int) else float(f"{new:.3g}")

    def __str__(self) -> str:
        return f"x {self.factor:g}"


def settings_of(config: Config, course: Course) -> dict[str, Any]:
    """Give what a course changes in a config, by dotted key."""
    values = {key: value for change in course.changes for key, value in change.options.items()}
    of_each = {key.removeprefix(EVERY): values.pop(key) for key in list(values) if key.startswith(EVERY)}
    if of_each:
        members = values.get("model.members") or model_spec(config)["members"]
        values["model.members"] = [_changed(member, of_each) for member in members]
    return values


def _changed(member: Member, values: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(member)
    for key, value in values.items() if member["type"] != "linear" else ():
        section, _, name = key.partition(".")
        if section == "train":
            changed["train"] = _with(changed.get("train", {}), name.split("."), value)
        elif any(option.name == name for option in MODELS[member["type"]].options):
            changed = _with(changed, [name], value)
    return changed


def _with(held: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    name, *rest = path
    if rest:
        below = held.get(name)
        return {**held, name: _with(below, rest, value)} if isinstance(below, Mapping) else dict(held)
    if not isinstance(value, Times):
        return {**held, name: value}
    known = held.get(name)
    if isinstance(known, list):
        return {**held, name: [value.of(one) for one in known]}
    return {**held, name: value.of(known)} if isinstance(known, (int, float)) else dict(held)


def as_trial(config: Config, rows: int) -> Config:
    """Give the small ensemble that stands for an ensemble in a trial: one network of each architecture.

    Each makes as many updates as the run's own did, and no more than a network needs.

    Args:
        config: an ensemble's, its members named.
        rows: training rows, which say how many updates an epoch has.
    """
    first: dict[str, Member] = {}
    for member in model_spec(config)["members"]:
        first.setdefault(member["type"], member)
    return with_values(config, {"model.members": [_single(member, rows) for member in first.values()]})


def _single(member: Member, rows: int) -> dict[str, Any]:
    single = {**member, **({"members": 1} if "members" in member else {})}
    train = dict(member.get("train", {}))
    size = train.get("batch_size")
    if isinstance(size, int) and "epochs" in train:
        steps, name = max(1, rows // size), member["type"]
        most = epochs_of(name, rows, steps)[0] if name in ARCHITECTURES else math.ceil(_ENOUGH / steps)
        train["epochs"] = min(train["epochs"], max(1, most))
    return {**single, **({"train": train} if train else {})}


def usual_members(table: PreparedTable, given: Sequence[Member]) -> list[dict[str, Any]]:
    """Give the networks that a new run would have, as many of each as given, trained for as long as they need.

    Those of other settings, for which time was left, are not among them.
    """
    counts: Counter[str] = Counter()
    for member in given:
        if alike(member, next(one for one in given if one["type"] == member["type"])):
            counts[member["type"]] += int(member.get("members", 1))
    most = max(counts.values(), default=1)
    return [dict(_usual(table, name, counts[name] or most)) for name in ("linear", *architectures_of(table))]


def _usual(table: PreparedTable, name: str, members: int) -> Member:
    member = member_of(table, name, members)
    if name not in ARCHITECTURES:
        return member
    rows, most = table.rows["train"], int(member["train"]["epochs"])
    epochs = epochs_of(name, rows, max(1, rows // int(member["train"]["batch_size"])))[0]
    return member_of(table, name, members, min(most, epochs))
