"""Against underfitting: more units and layers, less regularization, longer training."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.rate import rate_of, scaled_rate
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.surgery import deepen, reinitialize, set_dropout, widen

__all__ = ["REMEDIES", "freed", "longer"]

_UPDATES = 1500
"""Updates that small networks need to learn a table, whatever their batch size."""
_MOST_TIMES = 25
_LONGER = 4
_USUAL_DECAY = 0.01


def propose(case: Case) -> Iterator[Change]:
    """Less regularization where there is much, wider, longer, deeper; longer alone where only updates were too few."""
    if "underfitting" not in case.codes and case.findings:
        yield longer(case)
        return
    relief = freed(case)
    held = relief is not None and _strongly_held(case)
    if relief is not None and held:
        yield relief
    wider = case.can(widen(4.0), reinitialize())
    if len(wider) > 1:
        yield Change(family="size", what="wider hidden layers", why="more units fit finer functions", edits=wider)
    yield longer(case)
    deeper = case.can(widen(2.0), deepen(), reinitialize())
    if len(deeper) > 1:
        yield Change(
            family="size", what="wider and deeper", why="more layers build on each other's features", edits=deeper
        )
    if relief is not None and not held:
        yield relief
    yield scaled_rate(rate_of(case), 3.0)


def _strongly_held(case: Case) -> bool:
    """Whether weights are held down by more than what is usual beside Adam and SGD (1e-5 to 1e-2)."""
    recipe = case.subject.recipe
    return max(case.subject.rates.weight_decay, recipe.weight_decay, recipe.l1, recipe.l2) > _USUAL_DECAY


def freed(case: Case) -> Change | None:
    """Take off what holds weights down; None where nothing does."""
    recipe, rates = case.subject.recipe, case.subject.rates
    held = {name: 0.0 for name in ("l1", "l2", "weight_decay") if getattr(recipe, name)}
    group = {"weight_decay": 0.0} if rates.weight_decay and not held.get("weight_decay") else {}
    edits = case.can(set_dropout(0.0))
    if not (held or group or edits):
        return None
    why = "weights that are held down can't reach what fits"
    return Change(
        family="regularization", what="no decay, no dropout", why=why, options=held, optimizer=group, edits=edits
    )


def longer(case: Case) -> Change:
    """Train longer: four times, and until there were enough updates for a small network to learn."""
    subject = case.subject
    times = max(_LONGER, min(_MOST_TIMES, -(-_UPDATES // subject.updates)))
    epochs = subject.epochs * times
    options = {"epochs": epochs, "schedule": "cosine", "steps": None}
    return Change(family="length", what=f"{epochs} epochs", why="the loss was still falling", options=options)


REMEDIES = Remedies(
    family="capacity", codes=frozenset({"underfitting", "batch_size_problem", "learning_rate_too_low"}), propose=propose
)
