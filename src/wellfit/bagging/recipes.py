"""How the members of an ensemble are trained: by their own recipes, changed where time is short."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from wellfit.bagging.stage import Member
from wellfit.models import MODELS, Occasion
from wellfit.prepared import Prepared
from wellfit.runtime import fast_bfloat16, resolve_device

__all__ = ["ARCHITECTURES", "architectures_of", "as_set", "epochs_of", "first_member", "hasty_member", "member_of"]

ARCHITECTURES = ("realmlp", "modernnca", "tabm")
"""The networks of an ensemble, in the order of their training: the last one takes what time is left."""
NEIGHBOURS = 1_500
"""Training rows from which on ModernNCA is among them.

On fewer the best of its epochs is best by chance: it gets more weight than it earns. With it the ensemble's loss on
test rows rose on MPG, German credit and Titanic (2, 1 and 1 %, three splits each), and fell on phoneme (10 and 13 %),
and on parts of 7,000 rows of covertype (9 %), letter (29 %) and California housing (7 %).
"""
MOST_CLASSES = 100
"""Classes beyond which ModernNCA is left out: each of its candidates is a flag for each of them."""
SHAPE = {"k": 8, "width": 128}
"""Of TabM here, half of its own: an update costs a third, and three times as many bring more than the greater width.

In the same time, on held-out rows, against k = 16 and 256 units: California housing 1 % and bike sharing 9 % less
RMSE, letter 20 % and covertype 14 % less log loss, sick and insurance alike.
"""
SMALL = {"hidden": [128, 128], "activation": "mish"}
"""Of RealMLP on fewer than `FEW_ROWS`, which learns by batches of 128 then.

For 80 epochs, against the recipe's network for 64 (six tables, three splits each): 1 to 7 % less loss on held-out rows
and on test rows from 9 % less to 1 % more, in half the time.
"""
WIDE_SHAPE = {"k": 4, "width": 256}
"""The same for more than `MANY_CLASSES`: in two runs the whole ensemble had 3 and 9 % less log loss on letter, of 26
classes, and up to 1.5 % more loss on Adult, bank and California housing."""
MANY_CLASSES = 10
"""Classes beyond which each of few units would have to say something of too many."""
MANY_ROWS = 8_000
"""Rows from which on TabM takes batches of 512, and needs more of them."""
FEW_ROWS = 2_000
"""Rows below which networks have soon learned them by heart."""
_UNBOUNDED = 1000
"""Epochs of TabM where nothing else is said: of few rows, patience ends it."""
_PATIENCE = 16
"""Epochs of TabM without a gain that end it, or a part of all: under a cosine the gain comes at the end."""
_PART, _FEW_PART = 3, 8
"""The part of all epochs, a third and an eighth: few rows are learned by heart early, where they are noisy at all."""
SOLVED = 1_000_000
"""Cells and classes, of all members' rows, for which a linear model is solved in about a second of one core."""
MOST_LINEAR_UPDATES = 2400
"""Updates of a linear model that is not solved: of very many rows an epoch of it is a part, as it is soon done."""
HASTY_STEPS = 600
"""Updates of a linear model whose rows are too many to be solved: what Adam needs to come near the optimum."""


def first_member(table: Prepared) -> Member:
    """Give the first network of the ensemble that rows would get, with all of its epochs."""
    return member_of(table, "realmlp", 1)


def architectures_of(table: Prepared) -> tuple[str, ...]:
    """Give the networks of an ensemble for these rows, in the order of their training."""
    # Rows with noise are none of those that it knows: it would find itself among its neighbours.
    noisy = isinstance(table.config.train.augment, Mapping)
    fit = table.rows["train"] >= NEIGHBOURS and len(table.target.classes) <= MOST_CLASSES and not noisy
    return tuple(name for name in ARCHITECTURES if fit or name != "modernnca")


def member_of(
    table: Prepared, name: str, members: int, epochs: int | None = None, epoch_steps: int | None = None
) -> Member:
    """Give so many members of an architecture as ``model.members`` has them; None: all epochs of the recipe.

    ``epoch_steps`` are the updates of an epoch where that is not of all rows.
    """
    recipe = {key.removeprefix("train."): value for key, value in _recipe(table, name).items() if key[:6] == "train."}
    # All give outputs of one form, which the blend reads.
    recipe["loss"] = _recipe(table, "realmlp").get("train.loss", "auto")
    given = {"epochs": epochs, "epoch_steps": epoch_steps}
    said = {key: value for key, value in given.items() if value is not None}
    train = {**recipe, **_changed(table, name), **said}
    if name == "linear" and train["epochs"] * table.rows["train"] > MOST_LINEAR_UPDATES * train["batch_size"]:
        train["epoch_steps"] = MOST_LINEAR_UPDATES // train["epochs"]
    if name == "tabm":
        part = _FEW_PART if table.rows["train"] < FEW_ROWS else _PART
        train["early_stopping"] = {"patience": max(_PATIENCE, train["epochs"] // part)}
    member = {"type": name, "members": members, **_shape(table, name), "train": train}
    return as_set(member, table.config.model.get("settings"), keep=said)


def as_set(member: Member, settings: Sequence[Member] | None, keep: Collection[str]) -> Member:
    """Give a member with what a person or a search set for its architecture; ``keep`` is what the time allows."""
    for one in settings or ():
        if one["type"] == member["type"]:
            own = {key: value for key, value in one.get("train", {}).items() if key not in keep}
            train = {key: _merged(member["train"].get(key), value) for key, value in own.items()}
            member = {**member, **one, "members": member["members"], "train": {**member["train"], **train}}
    return member


def _merged(held: Any, value: Any) -> Any:
    """Give a value of a key; options of what is there already leave its others as they are."""
    both = isinstance(held, Mapping) and isinstance(value, Mapping)
    return {**held, **value} if both and value.get("name", held.get("name")) == held.get("name") else value


def _shape(table: Prepared, name: str) -> Mapping[str, Any]:
    if name == "tabm":
        return WIDE_SHAPE if len(table.target.classes) > MANY_CLASSES else SHAPE
    if name == "realmlp" and table.rows["train"] < FEW_ROWS:
        return SMALL
    recipe = _recipe(table, name).items()
    return {key.removeprefix("model."): value for key, value in recipe if key.startswith("model.")}


def hasty_member(table: Prepared, folds: int) -> Member:
    """Give the linear model that is trained whatever the clock says, as its work is bounded.

    Where rows allow, it is solved: steps of L-BFGS on all rows at once, ended as soon as held-out rows get worse, with
    the penalty of scikit-learn's C = 1. Adam would need more passes, and end further from the optimum.
    """
    inputs, rows = table.inputs, table.rows["train"]
    cells = rows * (inputs.numeric + len(inputs.cardinalities) + len(table.target.classes))
    members = folds if cells * folds <= SOLVED else 1
    member = member_of(table, "linear", members)
    if cells > 2 * SOLVED:
        return {**member, "train": {**member["train"], "steps": HASTY_STEPS}}
    solved = {
        "optimizer": {"name": "lbfgs", "max_iter": 5},
        "batch_size": "auto",
        "schedule": None,
        "weight_decay": 0.0,
        "l2": 0.5 / (rows * members),
        "epochs": 60,
        "early_stopping": {"patience": 3},
        "precision": "float32",
    }
    return {**member, "train": {**member["train"], **solved}}


def epochs_of(name: str, rows: int, steps: int) -> tuple[int, int]:
    """Give the epochs that a member needs before a second one helps more, and those beyond which it gains nothing.

    Seen on rows that were held out, in the same time. RealMLP: on some hundred rows four members of 64 epochs are 2 to
    7 % better than one of 256, and as good as eight of 256 (Titanic, German credit, Pima, MPG, three splits each); on
    six thousand, two of 1,350 updates are better than one of 2,700 on five of seven tables, and four of 2,700 better
    than eight of 1,600 (covertype 12 %, diamonds 4 %, Adult 2 %, bank 1 %); on more, one of 2,700 is better than two of
    1,350 by 1 to 4 %, and 5,400 are worse (California housing, bike sharing). TabM of k = 8 and 128 units under a
    cosine: on six thousand rows four members of 1,200 updates are better than one of 4,800 (Adult 4 %, diamonds 1 %,
    bank and covertype nothing; letter wants 2,400); on more it gains 11 % (bike sharing) and 21 % (covertype) from 900
    to 2,700, and two members of 3,300 are 1 to 2 % better than one of 6,600 or three of 2,200 (California housing); on
    some hundred rows it is best after 4 to 30 epochs where answers are noisy, and patience ends it, but gains 7 % from
    50 to 100 epochs and 10 % to 200 where they are not (concrete, three splits). ModernNCA under a cosine: on
    some thousand rows 180 updates are as good as 600 (wine and phoneme, three splits each); on more, 600 are 2 to 6 %
    better than 330 (letter, California housing, covertype).

    Args:
        name: The architecture.
        rows: Training rows.
        steps: Updates an epoch.
    """
    ranges = _RANGES[name]
    _, updates, epochs = next(entry for entry in ranges if rows < entry[0])
    fewest, enough = (min(most, math.ceil(count / steps)) for count, most in zip(updates, epochs, strict=True))
    return fewest, enough


_REALMLP = (
    (FEW_ROWS, (1200, 2700), (64, 80)),
    (MANY_ROWS, (1350, 2700), (64, 130)),
    (math.inf, (2700, 2700), (256, 256)),
)
"""The updates of `epochs_of` below so many rows, and epochs that are not exceeded: few rows are learned by heart."""
_TABM = (
    (FEW_ROWS, (1800, 3600), (100, 200)),
    (MANY_ROWS, (1800, 3600), (80, 1000)),
    (math.inf, (3300, 5400), (1000, 1000)),
)
"""The same of TabM."""
_MODERNNCA = (
    (MANY_ROWS, (100, 240), (12, 24)),
    (math.inf, (330, 900), (1000, 1000)),
)
"""The same of ModernNCA."""
_RANGES = {"realmlp": _REALMLP, "modernnca": _MODERNNCA, "tabm": _TABM}


def _recipe(table: Prepared, name: str) -> dict[str, Any]:
    """Give an architecture's own recipe for these rows, by dotted key."""
    occasion = Occasion(task=table.target.task, rows=table.rows["train"], metric=table.config.train.metric)
    return dict(MODELS[name].recipe(occasion))


def _small_training(table: Prepared) -> dict[str, Any]:
    recipe = _recipe(table, "realmlp")
    optimizer = recipe["train.optimizer"]
    return {"batch_size": 128, "weight_decay": 0.012, "optimizer": {**optimizer, "lr": 0.8 * optimizer["lr"]}}


def _changed(table: Prepared, name: str) -> dict[str, Any]:
    if name in ("linear", "modernnca"):
        return {}
    precision = table.config.train.precision
    if precision == "auto":
        precision = "bfloat16" if fast_bfloat16(resolve_device(table.config.train.device)) else "float32"
    if name == "realmlp" and table.rows["train"] < FEW_ROWS:
        return {"precision": precision, **_small_training(table)}
    if name != "tabm":
        return {"precision": precision}
    # A rate that falls to zero needs fewer epochs than one that stays; twice the rows bear twice the rate.
    usual = 2 * int(_recipe(table, name)["train.batch_size"])
    size = 512 if table.rows["train"] >= MANY_ROWS else usual
    return {
        "precision": precision,
        "schedule": "cosine",
        "batch_size": size,
        "optimizer": {"name": "adam", "lr": 4e-3},
        "epochs": _UNBOUNDED,
    }
