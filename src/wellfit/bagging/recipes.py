"""How the members of an ensemble are trained: by their own recipes, changed where time is short."""

from __future__ import annotations

from typing import Any

from wellfit.bagging.stage import Member
from wellfit.models import MODELS, Occasion
from wellfit.prepared import Prepared
from wellfit.runtime import fast_bfloat16, resolve_device

__all__ = ["UPDATES", "first_member", "member_of", "recipe_of"]

UPDATES = {"realmlp": (1200, 2700), "tabm": (900, 1600)}
"""Updates that a member needs before a second one helps more, and beyond which it gains nothing.

Seen on held-out rows of California housing and Adult: RealMLP is best after 900 to 2,700 updates and worse after twice
as many; TabM under a cosine is within 1 % of its best after 900.
"""
MANY_ROWS = 8_000
"""Rows from which on TabM takes batches of 512 at twice its rate, which costs a quarter less an epoch."""


def first_member(table: Prepared) -> Member:
    """Give the first network of the ensemble that rows would get, with all of its epochs."""
    return member_of(table, "realmlp", 1)


def member_of(table: Prepared, name: str, members: int, epochs: int | None = None) -> Member:
    """Give so many members of an architecture as ``model.members`` has them; None: all epochs of the recipe."""
    recipe = {key.removeprefix("train."): value for key, value in recipe_of(table, name).items() if key[:6] == "train."}
    # All give outputs of one form, which the blend reads.
    recipe["loss"] = recipe_of(table, "realmlp").get("train.loss", "auto")
    train = {**recipe, **_changed(table, name)}
    return {"type": name, "members": members, "train": {**train, **({} if epochs is None else {"epochs": epochs})}}


def recipe_of(table: Prepared, name: str) -> dict[str, Any]:
    """Give an architecture's own recipe for these rows, by dotted key."""
    occasion = Occasion(task=table.target.task, rows=table.rows["train"], metric=table.config.train.metric)
    return dict(MODELS[name].recipe(occasion))


def _changed(table: Prepared, name: str) -> dict[str, Any]:
    if name == "linear":
        return {}
    precision = table.config.train.precision
    if precision == "auto":
        precision = "bfloat16" if fast_bfloat16(resolve_device(table.config.train.device)) else "float32"
    if name != "tabm":
        return {"precision": precision}
    # A rate that falls to zero needs fewer epochs than one that stays.
    large = table.rows["train"] >= MANY_ROWS
    size = {"batch_size": 512, "optimizer": {"name": "adam", "lr": 4e-3}} if large else {}
    return {"precision": precision, "schedule": "cosine", **size}
