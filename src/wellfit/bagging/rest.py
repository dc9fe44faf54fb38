"""What is made of time that is left when all members are trained: members of further folds."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.bagging.bag import Pool
from wellfit.bagging.budget import SHARED
from wellfit.bagging.cost import CAREFUL
from wellfit.bagging.recipes import ARCHITECTURES
from wellfit.bagging.stage import Member, Stage

__all__ = ["more_members"]


def more_members(
    kinds: Sequence[Sequence[Stage]], weights: Sequence[float], pool: Pool, seconds: float
) -> Member | None:
    """Give as many members as fit into so many seconds, of the architecture that counts the most; None if none does.

    When all have one member a fold, each gets a second one, which begins elsewhere, and no more: so all are better by
    0.2 % on some hundred rows (six tables, five splits each), and every further one makes predictions slower.

    Args:
        kinds: What was trained, stages that are alike together.
        weights: How much each of them counts.
        pool: How rows are dealt.
        seconds: What is left, for what a member took when it was trained beside others.
    """
    once = len(pool.folds) if pool.crossed else SHARED
    ranked = sorted(zip(weights, kinds, strict=True), key=lambda pair: -pair[0])
    for most in (once, 2 * once):
        for _, kind in ranked:
            stage, members = kind[0], sum(stage.bag.members for stage in kind)
            if stage.member["type"] in ARCHITECTURES and members < most:
                each = stage.seconds / stage.bag.members
                # One alone takes up to twice what one of many does.
                fitting = min(most - members, int(CAREFUL * seconds / each) - (stage.bag.members > 1))
                if fitting > 0:
                    return {**stage.member, "members": fitting}
    return None
