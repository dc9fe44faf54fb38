"""What holds weights back: penalties and weight decay, how strong they are, and what is lighter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wellfit.findings import Remedy

__all__ = ["STRONG", "lighter", "strength"]

STRONG = 0.05
"""Weight decay or penalty far above the 0.0001 to 0.01 of usual recipes: with it a smaller lead tells."""

_PATHS = {
    "weight_decay": "train.optimizer.weight_decay",
    "decoupled_weight_decay": "train.weight_decay",
    "l1": "train.l1",
    "l2": "train.l2",
}


def strength(settings: Mapping[str, Any]) -> float:
    """Give the largest of the penalties and weight decays.

    >>> strength({"l2": 0.1, "weight_decay": 1.0, "optimizer": "AdamW"})
    0.1
    """
    # AdamW's decay is taken off by the rate's share of it: 0.1 is usual there, and weak.
    names = ("l1", "l2") if settings.get("optimizer") == "AdamW" else ("l1", "l2", "weight_decay")
    return max(float(settings.get(name) or 0.0) for name in names)


def lighter(settings: Mapping[str, Any]) -> Iterator[Remedy]:
    """Propose none of a penalty that is strong, and a tenth of one that is not."""
    for name, path in _PATHS.items():
        given = float(settings.get(name) or 0.0)
        if given >= STRONG:
            yield Remedy(path=path, value=0.0, why="nothing then holds weights back")
        elif given:
            yield Remedy(path=path, value=given / 10, why="regularization holds weights back")
