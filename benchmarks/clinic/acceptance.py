"""When a case is what it says it is: the clinic's rule, on the figures of its trainings alone.

The rule is the clinic README's: a faulty case is worse than its healthy twin on the same seed, or diverges, or
overfits; a healthy one is as good as the best seen on its task, and ends as well as it was.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SEEDS = 3
"""Accepted seeds that a case needs."""
WORSE, WORSE_ON_AVERAGE, SHARE = 0.02, 0.04, 0.6
DIVERGED = 10.0
RISE, SLIGHT = 1.15, 0.02
"""Rise of the validation loss that is overfitting; a rise that is slight beside the first loss is none."""
GAP, TWIN_GAP = 0.15, 0.10
TOLERANCE = {"accuracy": 0.03, "balanced_accuracy": 0.04, "r2": 0.05}


@dataclass(frozen=True)
class Ending:
    """What one training came to."""

    train: float
    valid: float
    test: float
    test_at_best: float
    """The test metric at the epoch of the least validation loss."""
    first_loss: float
    last_loss: float
    valid_rise: float
    """The last validation loss over the least."""
    valid_risen: float
    """The rise as a share of the first validation loss."""
    test_rows: int

    @property
    def diverged(self) -> bool:
        return not math.isfinite(self.last_loss) or self.last_loss > DIVERGED * self.first_loss > 0

    @property
    def rises(self) -> bool:
        return not (self.valid_rise <= RISE or self.valid_risen < SLIGHT)


def ending_of(history: Mapping[str, Any], test_rows: int) -> Ending:
    """Read a training of `clinic.reference_fit`."""
    losses = history["valid_loss"]
    finite = [loss for loss in losses if math.isfinite(loss)]
    least = min(finite, default=math.nan)
    best = losses.index(least) if finite else -1
    return Ending(
        train=history["train_metric"][-1],
        valid=history["valid_metric"][-1],
        test=history["test_metric"][-1],
        test_at_best=history["test_metric"][best],
        first_loss=history["train_loss"][0],
        last_loss=history["train_loss"][-1],
        valid_rise=losses[-1] / least if least > 0 else 1.0,
        valid_risen=(losses[-1] - least) / abs(losses[0]) if losses[0] else 0.0,
        test_rows=test_rows,
    )


def noise(ending: Ending, metric: str) -> float:
    """Give two standard errors of a test metric; of R2, which has no formula, the tolerance again."""
    if metric == "r2":
        return TOLERANCE["r2"]
    share = min(max(ending.test, 0.0), 1.0)
    return 2 * math.sqrt(share * (1 - share) / ending.test_rows)


def is_healthy(ending: Ending, best: float, metric: str) -> bool:
    """Tell whether a training is as good as the best mean seen on its task, and ends as well as it was."""
    tolerance = TOLERANCE[metric]
    return (
        not ending.diverged
        and ending.test >= best - tolerance - noise(ending, metric)
        and not ending.rises
        and ending.test >= ending.test_at_best - tolerance
        and ending.train - max(ending.valid, ending.test) < GAP
    )


def healthy_seeds(endings: Mapping[int, Ending], best: float, metric: str) -> list[int]:
    """Give the seeds on which a healthy case is one; none where its mean is too far from the best."""
    seeds = [seed for seed, ending in endings.items() if is_healthy(ending, best, metric)]
    if len(seeds) < SEEDS:
        return []
    mean = statistics.mean(endings[seed].test for seed in seeds)
    return seeds if mean >= best - TOLERANCE[metric] else []


def faulty_seeds(truth: str, endings: Mapping[int, Ending], twin: Mapping[int, Ending]) -> list[int]:
    """Give the seeds on which a case is worse than its twin; ``twin`` holds the seeds on which that one is healthy."""
    pairs = {seed: (endings[seed], twin[seed]) for seed in endings if seed in twin}
    if truth == "overfitting":
        seeds = [seed for seed, (case, other) in pairs.items() if _overfits(case, other)]
        return seeds if len(seeds) >= SEEDS else []
    if len(pairs) >= SEEDS and all(case.diverged for case, _ in pairs.values()):
        return list(pairs)
    seeds = [seed for seed, (case, other) in pairs.items() if other.test - case.test >= WORSE]
    if len(seeds) < max(SEEDS, SHARE * len(pairs)) or not _apart([pairs[seed] for seed in seeds]):
        return []
    return seeds


def _overfits(case: Ending, twin: Ending) -> bool:
    risen = case.valid_rise >= RISE and case.test < case.test_at_best
    apart = case.train - case.valid >= twin.train - twin.valid + TWIN_GAP and case.test <= twin.test
    return risen or apart


def _apart(pairs: Sequence[tuple[Ending, Ending]]) -> bool:
    losses = [twin.test - case.test for case, twin in pairs]
    if statistics.mean(losses) < WORSE_ON_AVERAGE:
        return False
    if max(case.test for case, _ in pairs) < min(twin.test for _, twin in pairs):
        return True
    return statistics.mean(losses) >= 2 * statistics.stdev(losses) / math.sqrt(len(losses))


def outcomes(endings: Sequence[Ending], twins: Sequence[Ending], constant: float) -> list[str]:
    """Give the codes that are facts of the outcome on any seed; ``constant`` is a constant guess's metric."""
    facts = set()
    for case, twin in zip(endings, twins, strict=True):
        if case.train <= constant + 0.05:
            facts.add("not_learning")
        if case.train <= twin.train - 0.10:
            facts.add("underfitting")
        if case.train > max(case.valid, case.test) + 0.2:
            facts.add("overfitting")
        if not math.isfinite(case.last_loss):
            facts.add("non_finite")
        if case.diverged:
            facts.add("exploding_gradient")
    return sorted(facts)
