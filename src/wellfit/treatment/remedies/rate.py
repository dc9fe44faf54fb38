"""The learning rate: the one that a sweep finds, powers of ten around the given one, Adam's own."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.remedy import Case, Remedies

__all__ = ["REMEDIES", "adam_rate", "adam_with_cosine", "rate_of", "scaled_rate"]

_HIGH = {"learning_rate_too_high", "exploding_gradient", "dead_units", "non_finite", "batch_size_problem"}
_LOW = {"learning_rate_too_low", "underfitting", "vanishing_gradient"}
_ADAM = 3e-3
"""Between Adam's own 1e-3 and the 1e-2 that small networks bear: Karpathy's 3e-4 is for large ones."""
_LARGE = 1_000_000
"""Weights from which on Adam's own rate is taken."""


def propose(case: Case) -> Iterator[Change]:
    """Lower or higher by tens, by what was found, and Adam with a cosine."""
    high, low = case.codes & _HIGH, case.codes & _LOW
    lr = rate_of(case)
    # Two powers of ten first: one off is seldom found out, and Adam's own rate lies between.
    factors = ([0.01, 0.1] if high else []) + ([100.0, 10.0] if low else [])
    if not factors:
        factors = [0.1, 10.0]
    yield scaled_rate(lr, factors[0])
    yield adam_with_cosine(case)
    for factor in factors[1:]:
        yield scaled_rate(lr, factor)
    if high:
        why = "small first steps find the way before large ones are taken"
        schedule = {"name": "warmup", "share": 0.1}
        yield Change(family="schedule", what="warm-up", why=why, options={"schedule": schedule})


def adam_with_cosine(case: Case) -> Change:
    """Give Adam at its rate, falling along a cosine."""
    return Change(
        family="rate",
        what=f"adam at {adam_rate(case):g} with a cosine",
        why="steps that do not grow with the gradient, and smaller ones towards the end",
        options={"optimizer": "adam", "lr": adam_rate(case), "schedule": "cosine"},
    )


def rate_of(case: Case) -> float:
    """Give the rate that the case's course trains at."""
    lr = case.subject.rates.lr
    for change in case.course.changes:
        lr = change.optimizer.get("lr", change.options.get("lr") or lr)
    return lr


def scaled_rate(lr: float, factor: float) -> Change:
    """Give another rate, rounded to two digits."""
    rate = float(f"{lr * factor:.2g}")
    why = "smaller steps do not overshoot" if factor < 1 else "larger steps get there in time"
    return Change(family="rate", what=f"rate {rate:g}", why=why, optimizer={"lr": rate})


def adam_rate(case: Case) -> float:
    """Give the rate for Adam: lower for large and recurrent networks."""
    weights = sum(weight.numel() for weight in case.subject.module.parameters())
    return 1e-3 if weights > _LARGE else _ADAM


REMEDIES = Remedies(
    family="rate",
    codes=frozenset(
        {
            "learning_rate_too_high",
            "learning_rate_too_low",
            "exploding_gradient",
            "dead_units",
            "non_finite",
            "not_learning",
            "underfitting",
            "batch_size_problem",
        }
    ),
    propose=propose,
)
