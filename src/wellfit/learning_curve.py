"""What more rows would bring: trainings on fractions of the training rows, and a power law through their losses.

Legend: a figure is ``[value, low, high]``, a number and its 95 % interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wellfit.bagging import of_one_network
from wellfit.config import Config, with_values
from wellfit.data.features import Matrix
from wellfit.errors import BadInput, ConfigError
from wellfit.experiment import Experiment
from wellfit.preparation import prepare
from wellfit.prepared import PreparedTable
from wellfit.training.evaluation import evaluate

__all__ = ["Ceiling", "LearningCurve", "Point", "fit_power_law", "learning_curve", "measure"]

Array = npt.NDArray[Any]
Ceiling = Literal["data", "capacity", "noise"]
Train = Callable[[Array, int, bool], tuple[float, float]]
"""``train(rows, seed, wider)`` trains on rows, given by number in the order of the subset, and gives the losses of
these rows and of the validation rows."""

FRACTIONS = (0.125, 0.25, 0.5, 1.0)
"""Each twice the one before: the law's exponent is read off ratios."""
SEEDS = (0, 1)
NOTABLE = 0.02
"""Share of the loss that a change must bring to be worth it: less is lost in the choice of a seed."""
_DRAWS = 1000
_EXPONENTS = np.linspace(0.05, 2.0, 40)
"""Measured exponents of many tasks lie from 0.07 to 0.35 (Hestness et al. 2017), simple ones come up to 1 and above."""
_FEWEST = 8
"""Rows of the smallest fraction."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One training."""

    rows: int
    seed: int
    train_loss: float
    valid_loss: float


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """Losses by number of training rows, and what they say of the ceiling."""

    points: tuple[Point, ...]
    law: Mapping[str, float]
    """``floor + scale rows^-exponent``, through the mean validation losses."""
    now: tuple[float, float, float]
    """The validation loss with all rows, as the law has it."""
    doubled: tuple[float, float, float]
    """The validation loss that twice the rows would bring."""
    gain: tuple[float, float, float]
    """What twice the rows would take off the loss, as a share of it."""
    wider: tuple[float, ...] = ()
    """Validation losses of a network twice as wide on all rows, one a seed; empty where none was trained."""
    ceiling: Ceiling
    """What holds the loss where it is: too few rows, too small a network, or noise in the rows."""
    reasons: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Give the curve as JSON holds it: what `Verdict.learning_curve` keeps."""
        record = asdict(self)
        return {**record, **{name: list(record[name]) for name in ("now", "doubled", "gain", "wider", "reasons")}}

    def __str__(self) -> str:
        return " ".join(self.reasons)


def learning_curve(
    config: Config, data: Any = None, *, fractions: Sequence[float] = FRACTIONS, seeds: Sequence[int] = SEEDS
) -> LearningCurve:
    """Train as a config says on fractions of its training rows, and judge what more of them would bring.

    The plans are those of all training rows, the validation rows are always the same, a training on fewer rows walks
    through them more often, so that all make as many updates; test rows are not read.

    Args:
        config: what was trained, as its run folder has it.
        data: the rows, where the config names no source.
        fractions: shares of the training rows, in (0, 1]; the last is 1.
        seeds: a training a fraction and seed; two or more, which tell what is chance.

    Raises:
        BadInput: too few fractions, seeds or rows.

    >>> from wellfit.config import from_keywords, from_mapping
    >>> draw = np.random.default_rng(0)
    >>> x = draw.normal(size=400)
    >>> rows = {"x": x, "y": 2 * x + draw.normal(size=400)}
    >>> settings = {"epochs": 5, "batch_size": 64, "threads": 1, "model": {"hidden": [8]}}
    >>> curve = learning_curve(from_mapping(from_keywords(target="y", **settings)), rows)
    >>> curve.ceiling in ("data", "capacity", "noise"), len(curve.points)
    (True, 8)
    """
    prepared = prepare(config, data)
    if not isinstance(prepared, PreparedTable):
        rule = "A learning curve is measured on a table that fits in memory."
        raise ConfigError(rule, got=prepared.source.uri, do="Give a part of its rows.")
    prepared = of_one_network(prepared)
    target, _ = prepared.target.encode(prepared.frames["train"].get_column(prepared.target.name))
    strata = None if prepared.target.task == "regression" else target
    wider = "hidden" in dict(prepared.config.model)

    def train(rows: Array, seed: int, doubled: bool) -> tuple[float, float]:
        return _trained(prepared, rows, seed, wider=doubled)

    return measure(train, len(target), strata=strata, fractions=fractions, seeds=seeds, wider=wider)


def measure(
    train: Train,
    rows: int,
    *,
    strata: Array | None = None,
    fractions: Sequence[float] = FRACTIONS,
    seeds: Sequence[int] = SEEDS,
    wider: bool = False,
) -> LearningCurve:
    """Train on fractions of so many rows, and judge; see `learning_curve`.

    ``strata`` are class ids [row], whose shares every fraction keeps. ``wider`` asks for a wider network too, where
    more rows would not help.

    >>> curve = measure(lambda chosen, seed, wider: (0.1, 0.2 + 3 / len(chosen) ** 0.5 + seed / 1000), 1600)
    >>> curve.ceiling, round(curve.doubled[0], 3)
    ('data', 0.254)
    """
    sizes = [round(fraction * rows) for fraction in fractions]
    _check(fractions, sizes, seeds)
    points = [point for seed in seeds for point in _points(train, _order(rows, strata, seed), sizes, seed)]
    law, now, doubled, gain = _extrapolated(points, sizes[-1])
    by_data = gain[1] > 0 and gain[0] >= NOTABLE
    widened = () if by_data or not wider else tuple(train(np.arange(rows), seed, True)[1] for seed in seeds)
    narrow = np.array([point.valid_loss for point in points if point.rows == sizes[-1]])
    by_capacity = bool(widened) and _clearly_less(np.array(widened), narrow)
    ceiling: Ceiling = "data" if by_data else "capacity" if by_capacity else "noise"
    return LearningCurve(
        points=tuple(points),
        law=law,
        now=now,
        doubled=doubled,
        gain=gain,
        wider=widened,
        ceiling=ceiling,
        reasons=tuple(_reasons(rows, now, doubled, gain, ceiling, widened)),
    )


def _points(train: Train, order: Array, sizes: Sequence[int], seed: int) -> Iterator[Point]:
    """Train on the first rows of an order, more and more of them."""
    for size in sizes:
        train_loss, valid_loss = train(np.sort(order[:size]), seed, False)
        yield Point(rows=size, seed=seed, train_loss=train_loss, valid_loss=valid_loss)


def _check(fractions: Sequence[float], sizes: Sequence[int], seeds: Sequence[int]) -> None:
    if len(fractions) < 3 or sorted(set(fractions)) != list(fractions) or fractions[0] <= 0 or fractions[-1] != 1:
        rule = "A learning curve needs three fractions or more, growing, in (0, 1], the last of them 1."
        raise BadInput(rule, got=list(fractions), do="Try [0.125, 0.25, 0.5, 1].")
    if len(set(seeds)) < 2:
        raise BadInput("A learning curve needs two seeds or more.", got=list(seeds), do="Try [0, 1].")
    if sizes[0] < _FEWEST:
        rule = f"The smallest fraction must have {_FEWEST} rows or more."
        raise BadInput(rule, got=sizes[0], do="Give more rows, or larger fractions.")


def _order(rows: int, strata: Array | None, seed: int) -> Array:
    """Shuffle rows so that the first of them, however many, have each class in its share."""
    draw = np.random.default_rng([seed, 1])
    shuffled = draw.permutation(rows)
    if strata is None:
        return shuffled
    place = np.empty(rows)
    for ids in np.unique(strata):
        own = shuffled[strata[shuffled] == ids]
        place[own] = (np.arange(len(own)) + draw.random()) / len(own)
    return np.argsort(place, kind="stable")


def fit_power_law(rows: Array, losses: Array) -> tuple[Array, Array, Array]:
    """Fit ``floor + scale rows^-exponent``, floor and scale not below 0, by least squares.

    Args:
        rows: how many rows, [size].
        losses: what was measured there, [draw, size].

    Returns:
        Floor, scale and exponent of each draw; rows are in units of the largest, so that the scale is a loss.

    >>> floor, scale, exponent = fit_power_law(np.array([1, 2, 4, 8]), 0.5 + 0.1 * np.array([[8, 4, 2, 1]]))
    >>> round(float(floor[0]), 3), round(float(scale[0]), 3), round(float(exponent[0]), 3)
    (0.5, 0.1, 1.0)
    """
    best = np.full((4, len(losses)), np.inf)
    for exponent in _EXPONENTS:
        shape = (rows / rows.max()) ** -exponent
        floor, scale = _nonnegative(shape, losses)
        error = np.square(floor[:, None] + scale[:, None] * shape - losses).sum(1)
        better = error < best[0]
        best[:, better] = np.stack([error, floor, scale, np.full(len(losses), exponent)])[:, better]
    return best[1], best[2], best[3]


def _nonnegative(shape: Array, losses: Array) -> tuple[Array, Array]:
    """Solve for a floor and a scale that are not below 0; where one would be, it is 0."""
    centred = shape - shape.mean()
    slope = (losses @ centred) / (centred @ centred)
    floor = losses.mean(1) - slope * shape.mean()
    alone = (losses @ shape) / (shape @ shape)
    scale = np.where(slope < 0, 0.0, np.where(floor < 0, alone, slope))
    return np.where(slope < 0, losses.mean(1), np.maximum(floor, 0.0)), scale


def _extrapolated(
    points: Sequence[Point], rows: int
) -> tuple[dict[str, float], tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]:
    """Fit the law to the means over the seeds, and to draws of them around their standard errors."""
    sizes = np.array(sorted({point.rows for point in points}))
    losses = np.array([[point.valid_loss for point in points if point.rows == size] for size in sizes])
    if not np.isfinite(losses).all():
        raise BadInput("A learning curve needs finite validation losses.", got=losses.mean(1).tolist())
    # Two seeds say little of one size's spread: all sizes' relative spreads are pooled.
    spread = math.sqrt(float(np.mean(losses.var(1, ddof=1) / losses.mean(1) ** 2)))
    errors = losses.mean(1) * spread / math.sqrt(losses.shape[1])
    # Few trainings tell their spread badly: draws of Student's t are as much wider.
    freedom = len(sizes) * (losses.shape[1] - 1)
    noise = np.random.default_rng(0).standard_t(freedom, size=(_DRAWS, len(sizes)))
    drawn = np.concatenate([losses.mean(1)[None], losses.mean(1) + noise * errors])
    floor, scale, exponent = fit_power_law(sizes, drawn)
    now, doubled = floor + scale, floor + scale * 2.0**-exponent
    law = {"floor": float(floor[0]), "scale": float(scale[0] * rows ** exponent[0]), "exponent": float(exponent[0])}
    return law, _figure(now), _figure(doubled), _figure(1 - doubled / now)


def _figure(draws: Array) -> tuple[float, float, float]:
    low, high = np.quantile(draws[1:], (0.025, 0.975))
    return float(draws[0]), float(low), float(high)


def _clearly_less(these: Array, those: Array) -> bool:
    """Whether losses are less by what is notable, and by more than two standard errors of the difference."""
    gain = float(those.mean() - these.mean())
    error = math.sqrt(these.var(ddof=1) / len(these) + those.var(ddof=1) / len(those))
    return gain >= NOTABLE * float(those.mean()) and gain > 2 * error


def _reasons(
    rows: int,
    now: tuple[float, float, float],
    doubled: tuple[float, float, float],
    gain: tuple[float, float, float],
    ceiling: Ceiling,
    wider: Sequence[float],
) -> list[str]:
    value, low, high = (max(0.0, share) for share in gain)
    said = [
        # The two losses share their chance, and their ratio is known better than each of them.
        f"With {2 * rows:,} training rows in place of {rows:,} the validation loss would be {value:.1%} less (95 % "
        f"interval {low:.1%} to {high:.1%}): about {doubled[0]:.4g} in place of {now[0]:.4g}."
    ]
    if ceiling == "data":
        return [*said, "The number of rows is what holds it: more of them would help."]
    if ceiling == "capacity":
        return [*said, f"A network twice as wide reaches {np.mean(wider):.4g}: the network's size is what holds it."]
    tried = f", and a network twice as wide reaches {np.mean(wider):.4g}" if wider else ""
    return [*said, f"More rows of this kind would not help{tried}: what is left is noise to these columns."]


def _trained(prepared: PreparedTable, rows: Array, seed: int, *, wider: bool) -> tuple[float, float]:
    """Train a network on some of the training rows; give the losses of these rows and of the validation rows."""
    matrix = prepared.matrices["train"]
    part = replace(
        prepared,
        config=with_values(prepared.config, _settings(prepared, len(rows), seed, wider=wider)),
        frames={**prepared.frames, "train": prepared.frames["train"][rows]},
        matrices={**prepared.matrices, "train": Matrix(matrix.numeric[rows], matrix.categorical[rows])},
    )
    trainer = Experiment(part).trainer
    trainer.run()
    assert trainer.valid is not None
    recipe = trainer.recipe
    losses = [
        evaluate(trainer.module, split, recipe.loss, device=recipe.device, outputs=recipe.outputs)["loss"]
        for split in (trainer.train, trainer.valid)
    ]
    return losses[0], losses[1]


def _settings(prepared: PreparedTable, rows: int, seed: int, *, wider: bool) -> dict[str, Any]:
    """Give what differs from the run: as many updates as on all rows, and nothing recorded or stopped by a clock."""
    config = prepared.config
    ratio = prepared.matrices["train"].numeric.shape[0] / rows
    values: dict[str, Any] = {
        "train.seed": seed,
        "train.epochs": math.ceil(config.train.epochs * ratio),
        "train.time": None,
        "train.doctor": "off",
        "train.checkpoint_every": None,
    }
    if config.train.early_stopping is not None:
        patience = math.ceil(config.train.early_stopping.patience * ratio)
        values["train.early_stopping"] = {**config.train.early_stopping.model_dump(), "patience": patience}
    if wider:
        values["model.hidden"] = [2 * width for width in dict(config.model)["hidden"]]
    return values
