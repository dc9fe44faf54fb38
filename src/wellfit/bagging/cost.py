"""What training costs: measured on a few updates of a throwaway network, before the first one that counts."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from wellfit.config import Config, with_values
from wellfit.training import Callback, Trainer

__all__ = [
    "CAREFUL",
    "EXACT",
    "FEWEST_SECONDS",
    "SOME",
    "TRIED",
    "TRIED_ROWS",
    "TRIED_SECONDS",
    "WHOLE",
    "Cost",
    "Watch",
    "trial",
]

TRIED = 12
"""Updates that an architecture's cost is measured on, by their median: of five, the first ones, which are slower, made
a small network half as dear again as it is."""
TRIED_SECONDS = 0.25
"""Seconds after which no more updates are tried: of wide tables one takes long, and is measured well by few."""
TRIED_ROWS = 8192
"""Held-out rows that are answered to measure a validation: of a hundred thousand, one would take seconds."""
CAREFUL = 0.93
"""The share of the time that is planned for: what is left over covers a machine that is busier later."""
FEWEST_SECONDS = 1.0
"""Below this there is no network worth training, and the linear model is fitted."""
SOME = 4
"""Members that are worth more than longer training of fewer: one alone errs by chance where two or four do not."""
WHOLE = 6
"""Epochs of one member below which they are parts of the rows: whole ones leave time, or are cut at a high rate."""
PARTS = (1, 8)
"""The fewest and the most such parts: each is judged on the held-out rows, and the best is kept."""
JUDGING = 0.15
"""The share of the time that these judgements may take."""
EXACT = 2.0
"""What answering a row in float32 takes of what it does in bfloat16, as for the scores and in the validations."""
FEW = {1: 2.0, 2: 1.5, 3: 1.2}
"""What a member's part of an update takes where few are side by side, against that of `SOME`: by their number."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one member costs, and how many updates an epoch has."""

    update: float
    """Seconds an update, and a validation."""
    validation: float
    steps: int
    """Updates of an epoch of all rows."""
    together: int = 1
    """Members that were measured side by side: one alone takes longer."""

    @property
    def epoch(self) -> float:
        """Seconds an epoch."""
        return self.update * self.steps + self.validation

    def affordable(self, seconds: float) -> float:
        """Give the epochs of one member that fit into so many seconds."""
        return seconds / self.epoch

    def of_few(self, members: int) -> Cost:
        """Give the cost of a member where fewer are side by side than when it was measured."""
        if members >= self.together or self.together < SOME:
            return self
        return replace(self, update=FEW[members] * self.update, together=members)

    def parts(self, seconds: float) -> tuple[int, int]:
        """Give epochs of so many updates that they fill the time: the rate falls to its end before time does."""
        fewest, most = PARTS
        count = max(fewest, min(most, int(JUDGING * seconds / self.validation)))
        steps = int((seconds / count - self.validation) / self.update)
        return count, max(1, min(self.steps, steps))

    def of(self, member: Mapping[str, Any]) -> float:
        """Give the seconds that members take."""
        train = member["train"]
        steps = self.update * train.get("epoch_steps", self.steps)
        return float(member["members"] * train["epochs"] * (steps + self.validation))


class Watch(Callback):
    """Notes how long updates and validations take."""

    def __init__(self) -> None:
        self.updates: list[float] = []
        self.validations: list[float] = []
        self._last = math.nan

    def on_start(self, trainer: Trainer) -> None:
        """Begin."""
        self._last = time.perf_counter()

    def on_step(self, trainer: Trainer) -> None:
        """Note an update."""
        self.updates.append(self._passed())

    def on_epoch(self, trainer: Trainer) -> None:
        """Note a validation."""
        self.validations.append(self._passed())

    @property
    def update(self) -> float:
        """Seconds an update takes: the median, without the first one, which is slower."""
        return statistics.median(self.updates[1:] or self.updates)

    def _passed(self) -> float:
        before, self._last = self._last, time.perf_counter()
        return self._last - before


def trial(config: Config) -> Config:
    """Give a config that makes a few updates and keeps nothing."""
    return with_values(config, {"train.steps": TRIED, "train.doctor": "off", "train.checkpoint_every": None})
