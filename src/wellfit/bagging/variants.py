"""Members with other settings than their recipe's: what time is left gives the blend networks that err otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wellfit.bagging.recipes import FEW_ROWS
from wellfit.bagging.stage import Member

__all__ = ["KEPT", "Variant", "variants_of"]

KEPT = 3
"""Variants of an architecture that are kept, the best by held-out rows: of more the blend chooses by chance, and each
makes predictions slower."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """How a member differs from the recipe of its architecture."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the network."""
    decay: float
    """The weight decay."""
    rate: float = 1.0
    """Factors of the recipe's rate, batch and epochs."""
    batch: float = 1.0
    epochs: float = 1.0
    cost: float = 1.0
    """What it takes at the most of the time that the recipe's members take."""

    def of(self, member: Member, *, members: int) -> Member:
        """Give so many members of a member's architecture with these settings."""
        train = dict(member["train"])
        optimizer = train["optimizer"]
        own = {
            "optimizer": {**optimizer, "lr": self.rate * optimizer["lr"]},
            "weight_decay": self.decay,
            "batch_size": max(1, round(self.batch * train["batch_size"])),
            "epochs": max(1, round(self.epochs * train["epochs"])),
        }
        return {**member, **self.options, "members": members, "train": {**train, **own}}


def variants_of(rows: int) -> Mapping[str, tuple[Variant, ...]]:
    """Give the settings by architecture, in the order in which they are tried, for so many training rows.

    They are some of 14 that were drawn for RealMLP and TabM on tables of 191 to 1,069 training rows. With the best
    three of each beside the networks of RealMLP's published recipe and of TabM's, the blend had 0 to 4 % less loss on
    test rows, in the mean 1 % (eight tables, nine splits); with all of them 4 % more on horse colic, where answers are
    noisy. On more rows their gain was not measured.
    """
    return _OF_FEW_ROWS if rows < FEW_ROWS else _OF_MORE_ROWS


_DEEP, _FLAT = [256, 256, 256], [128, 128]
_OF_FEW_ROWS = {
    "realmlp": (
        Variant(
            options={"hidden": [128, 128, 128], "dropout": 0.0}, rate=0.6, decay=0.004, batch=0.5, epochs=0.5, cost=0.9
        ),
        Variant(decay=0.012, epochs=2.0, cost=2.1),
        Variant(options={"hidden": _DEEP, "dropout": 0.0}, rate=0.3, decay=0.003, batch=2.0, epochs=3.0, cost=5.0),
        Variant(options={"hidden": _DEEP, "dropout": 0.2}, rate=0.5, decay=0.013, batch=0.5, epochs=2.0, cost=6.5),
    ),
    "tabm": (
        Variant(options={"width": 64, "bins": 8}, rate=2.2, decay=0.0, cost=1.1),
        Variant(options={"bins": 16, "dropout": 0.0}, rate=1.1, decay=0.008, batch=2.0, cost=1.2),
        Variant(options={"bins": 16, "dropout": 0.35}, rate=0.6, decay=0.0, cost=1.6),
    ),
}
_OF_MORE_ROWS = {
    "realmlp": (
        Variant(
            options={"hidden": _FLAT, "activation": "mish"}, rate=0.8, decay=0.012, batch=0.5, epochs=2.0, cost=1.4
        ),
        Variant(options={"dropout": 0.0}, rate=0.25, decay=0.003, epochs=3.0, cost=3.3),
    ),
    "tabm": (
        Variant(options={"width": 64, "bins": 8}, rate=2.2, decay=0.0, cost=1.3),
        Variant(options={"bins": 16, "dropout": 0.0}, rate=1.1, decay=0.008, batch=2.0, cost=1.5),
    ),
}
