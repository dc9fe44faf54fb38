"""Stages that are alike, as one: what they say of rows they did not learn, and what they are called."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wellfit.bagging.stage import Stage, alike, held_out

__all__ = ["Kinds", "answers_of", "kinds_of", "listed"]

Array = np.ndarray[Any, np.dtype[Any]]
Kinds = Sequence[Sequence[Stage]]


def kinds_of(stages: Sequence[Stage]) -> list[list[Stage]]:
    """Give the stages, those that are alike together."""
    kinds: list[list[Stage]] = []
    for stage in stages:
        known = next((kind for kind in kinds if alike(kind[0].member, stage.member)), None)
        if known is None:
            kinds.append([stage])
        else:
            known.append(stage)
    return kinds


def answers_of(kinds: Kinds) -> tuple[Array, Array]:
    """Give what each kind says of the rows that no member of it learned, ``[kind, row, ...]``, and their numbers."""
    said = [held_out(stages) for stages in kinds]
    rows = functools.reduce(np.intersect1d, [ids for _, ids in said])
    return np.stack([values[np.isin(ids, rows)] for values, ids in said]), rows


def listed(kinds: Kinds, shares: Mapping[Stage, float]) -> str:
    """Say which networks there are by architecture, and how much they count: ``16 tabm networks by 2 settings (45%)``.

    Args:
        kinds: Stages that are alike together.
        shares: How much each stage counts in the blend.
    """
    names = dict.fromkeys(kind[0].member["type"] for kind in kinds)
    by_name = [[kind for kind in kinds if kind[0].member["type"] == name] for name in names]
    return ", ".join(f"{_counted(several)} ({_share(several, shares):.0%})" for several in by_name)


def _counted(kinds: Kinds) -> str:
    members = sum(stage.bag.members for kind in kinds for stage in kind)
    counted = f"{members} {kinds[0][0].member['type']}" + (" networks" if members > 1 else "")
    return f"{counted} by {len(kinds)} settings" if len(kinds) > 1 else counted


def _share(kinds: Kinds, shares: Mapping[Stage, float]) -> float:
    return sum(shares[stage] for kind in kinds for stage in kind)
