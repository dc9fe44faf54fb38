"""Against learning rows by heart: decay, dropout, noise, fewer epochs, a smaller network."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.surgery import narrow, set_dropout

__all__ = ["REMEDIES"]


def propose(case: Case) -> Iterator[Change]:
    """Stop at the best epoch, penalties, dropout, noise, a smaller network, and several of these together."""
    patience = max(3, case.subject.epochs // 5)
    stopping = {"patience": patience, "restore_best": True}
    yield Change(
        family="stopping",
        what=f"early stopping, patience {patience}",
        why="the epoch is kept before validation turns",
        options={"early_stopping": stopping},
    )
    smaller = case.can(narrow(), set_dropout(0.3))
    yield Change(
        family="regularization",
        what="smaller network, dropout 0.3, decay and early stopping" if len(smaller) > 1 else "decay, early stopping",
        why="less room for single rows",
        edits=smaller,
        options={"l2": 1e-3, "early_stopping": stopping},
    )
    why = "units learn not to rely on single others (Srivastava et al. 2014)"
    yield Change(family="dropout", what="dropout 0.5", why=why, edits=(set_dropout(0.5),))
    yield Change(family="decay", what="l2 0.003", why="small weights make smooth functions", options={"l2": 3e-3})
    yield Change(family="size", what="narrower hidden layers", why="less room for single rows", edits=(narrow(),))
    if case.subject.rows.inputs[0].is_floating_point():
        why = "rows a little different each time can't be learned by heart (Bishop 1995)"
        yield Change(family="noise", what="input noise 0.1", why=why, options={"augment": {"noise": 0.1}})
    yield Change(family="l1", what="l1 0.0003", why="weights that are not needed become 0", options={"l1": 3e-4})


REMEDIES = Remedies(family="regularization", codes=frozenset({"overfitting"}), propose=propose)
