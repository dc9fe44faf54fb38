"""What is made of time that is left when all members are trained: members of further folds, and of other settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from wellfit.bagging.bag import Pool
from wellfit.bagging.budget import SHARED
from wellfit.bagging.cost import CAREFUL
from wellfit.bagging.kinds import Kinds
from wellfit.bagging.recipes import ARCHITECTURES
from wellfit.bagging.stage import Member, Stage
from wellfit.bagging.variants import KEPT, Variant

__all__ = ["more_members", "poorer_variants"]


def more_members(
    kinds: Kinds,
    weights: Sequence[float],
    pool: Pool,
    seconds: float,
    variants: Mapping[str, Sequence[Variant]],
    tried: Mapping[str, int],
) -> Member | None:
    """Give further members that fit into so many seconds; None if there are none.

    First each architecture gets one a fold, that which counts the most before others. Then come members of other
    settings, one a fold as well, the architectures in turn. When all of these are trained, the folds get second ones,
    which begin elsewhere, and no more: so all are better by 0.2 % on some hundred rows (six tables, five splits each),
    and every further one makes predictions slower.

    Args:
        kinds: What was trained, stages that are alike together.
        weights: How much each of them counts.
        pool: How rows are dealt.
        seconds: What is left, for what a member took when it was trained beside others.
        variants: Other settings by architecture, in the order in which they are tried.
        tried: How many of them there were.
    """
    once = len(pool.folds) if pool.crossed else SHARED
    ranked = sorted(zip(weights, kinds, strict=True), key=lambda pair: -pair[0])
    planned = _planned(kinds)
    usual = [kind for _, kind in ranked if kind in planned]
    return (
        _of_folds(usual, once, seconds)
        or _of_other_settings(usual, once, seconds, variants, Counter(tried))
        or _of_folds(usual, 2 * once, seconds)
    )


def poorer_variants(kinds: Kinds, losses: Sequence[float]) -> list[Sequence[Stage]]:
    """Give the networks of other settings beyond the best few of each architecture.

    Args:
        kinds: What was trained, stages that are alike together.
        losses: The loss of each of them alone on rows that it did not learn.
    """
    planned, seen = _planned(kinds), Counter[str]()
    poorer = []
    for _, kind in sorted(zip(losses, kinds, strict=True), key=lambda pair: pair[0]):
        name = kind[0].member["type"]
        if kind in planned or name not in ARCHITECTURES:
            continue
        seen[name] += 1
        if seen[name] > KEPT:
            poorer.append(kind)
    return poorer


def _planned(kinds: Kinds) -> list[Sequence[Stage]]:
    """Give the networks of the recipes, which are the first of their architectures."""
    first: dict[str, Sequence[Stage]] = {}
    for kind in kinds:
        first.setdefault(kind[0].member["type"], kind)
    return [kind for name, kind in first.items() if name in ARCHITECTURES]


def _of_folds(kinds: Kinds, most: int, seconds: float) -> Member | None:
    """Give as many members as fit into the time of the first kind that has fewer than so many."""
    for kind in kinds:
        stage, members = kind[0], sum(stage.bag.members for stage in kind)
        if members < most:
            # One alone takes up to twice what one of many does.
            fitting = min(most - members, int(CAREFUL * seconds / _each(stage)) - (stage.bag.members > 1))
            if fitting > 0:
                return {**stage.member, "members": fitting}
    return None


def _of_other_settings(
    kinds: Kinds, members: int, seconds: float, variants: Mapping[str, Sequence[Variant]], tried: Counter[str]
) -> Member | None:
    """Give the next variant that fits, of the architecture of which there were the fewest."""
    for kind in sorted(kinds, key=lambda kind: tried[kind[0].member["type"]]):
        stage = kind[0]
        name = stage.member["type"]
        left = variants.get(name, ())[tried[name] :]
        if left and left[0].cost * members * _each(stage) <= CAREFUL * seconds:
            return left[0].of(stage.member, members=members)
    return None


def _each(stage: Stage) -> float:
    """Give the seconds that a member took."""
    return stage.seconds / stage.bag.members
