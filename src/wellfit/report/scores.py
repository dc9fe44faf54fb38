"""Scores: their names, their direction, how they are written, and the sentence that sums them up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wellfit.report.facts import ReportFacts, number, section

__all__ = [
    "METRICS",
    "UNKNOWN",
    "Column",
    "Metric",
    "best_of",
    "columns",
    "figure",
    "main_metric",
    "metric_names",
    "verdict",
]


class Metric(NamedTuple):
    """How a score is called and which way it is better."""

    label: str
    higher_is_better: bool
    meaning: str


UNKNOWN = "\u2013"
"""How a number that is not there is written."""

METRICS: dict[str, Metric] = {
    "accuracy": Metric("Accuracy", True, "share of rows predicted right"),
    "auc": Metric("AUC", True, "chance that a random positive row ranks above a random negative one; 0.5 is guessing"),
    "f1": Metric("F1", True, "balance of precision and recall"),
    "log_loss": Metric("Log loss", False, "how surprised the probabilities are by the truth"),
    "rmse": Metric("RMSE", False, "root of the mean squared error, in the target's unit"),
    "mae": Metric("MAE", False, "mean absolute error, in the target's unit"),
    "r2": Metric("R²", True, "share of the target's variance explained; 0 is always answering the mean"),
}


class Column(NamedTuple):
    """One column of the score table."""

    key: str
    title: str
    scores: Mapping[str, Any]


_MAIN = ("accuracy", "rmse", "mae", "r2", "auc", "log_loss", "f1")
_BASELINES = {"majority": "Most common class", "mean": "Always the mean", "linear": "Linear model"}


def figure(value: Any, digits: int = 4) -> str:
    """Write a number for a reader; what is missing or not finite is a dash.

    >>> figure(0.853214), figure(68627.412), figure(float("nan")) == UNKNOWN, figure(0.0000123), figure(12)
    ('0.8532', '68,627', True, '1.23e-05', '12')
    """
    known = number(value)
    if known is None:
        return UNKNOWN
    size = abs(known)
    if isinstance(value, int) or (known == int(known) and size < 1e15):
        return f"{int(known):,}"
    if size < 1e-3 or size >= 1e9:
        return f"{known:.{digits - 1}g}"
    decimals = digits if size < 1 else max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{known:,.{decimals}f}"


def columns(facts: ReportFacts) -> list[Column]:
    """Give the columns of the score table that hold any score: the model's splits first, then the baselines."""
    splits = {"test": "Test", "valid": "Validation"}
    found = [Column(key, title, section(facts.metrics, key)) for key, title in splits.items()]
    for key, scores in section(facts.metrics, "baselines").items():
        held = scores if isinstance(scores, Mapping) else {}
        found.append(Column(str(key), _BASELINES.get(str(key), str(key)), held))
    return [column for column in found if any(number(value) is not None for value in column.scores.values())]


def metric_names(table: Sequence[Column]) -> list[str]:
    """Give the scores that any column holds, the best known first."""
    held = {name for column in table for name, value in column.scores.items() if number(value) is not None}
    return [name for name in METRICS if name in held] + sorted(held - METRICS.keys())


def best_of(name: str, values: Mapping[str, Any]) -> str | None:
    """Give the key of the better value; None when the direction is unknown or fewer than two are there.

    >>> best_of("rmse", {"test": 0.5, "mean": 1.0, "linear": None})
    'test'
    """
    held = {key: known for key, value in values.items() if (known := number(value)) is not None}
    if name not in METRICS or len(held) < 2:
        return None
    choose = max if METRICS[name].higher_is_better else min
    return choose(held, key=held.__getitem__)


def main_metric(facts: ReportFacts) -> str | None:
    """Give the score that the verdict is told in."""
    held = metric_names(columns(facts)[:1])
    return next((name for name in _MAIN if name in held), held[0] if held else None)


def verdict(facts: ReportFacts) -> str:
    """Sum the run up in one plain sentence: the score, the rows, both baselines."""
    table = {column.key: column for column in columns(facts)}
    split = "test" if "test" in table else "valid"
    name = main_metric(facts)
    if split not in table or name is None:
        return "No rows were held back, so that there is no score of rows the model has not seen."
    rows = facts.rows(split)
    where = f"{'' if rows is None else f'{rows:,} '}{'test' if split == 'test' else 'validation'} rows"
    own = METRICS[name].label if name in METRICS else name
    said = [f"{own} {figure(table[split].scores.get(name), 3)} on {where}"]
    rivals = [_rival(facts, column, name) for key, column in table.items() if key not in ("test", "valid")]
    said += [", ".join(known for known in rivals if known)]
    return "; ".join(part for part in said if part) + "." + _beaten(table, split, name)


def _beaten(table: Mapping[str, Column], split: str, name: str) -> str:
    """Say so when a baseline does better, or as well."""
    own = table[split].scores.get(name)
    judged = {key: column for key, column in table.items() if key not in ("test", "valid")}
    better = [column.title for column in judged.values() if _as_good(name, column.scores.get(name), own)]
    if not better:
        return ""
    names = " or ".join(f"'{title.lower()}'" for title in better)
    return f" The network does not beat the baseline {names}."


def _as_good(name: str, rival: Any, own: Any) -> bool:
    if number(rival) is None or number(own) is None:
        return False
    return number(rival) == number(own) or best_of(name, {"rival": rival, "own": own}) == "rival"


def _rival(facts: ReportFacts, column: Column, name: str) -> str:
    value = column.scores.get(name)
    if number(value) is None:
        return ""
    shown = figure(value, 3)
    if column.key == "majority":
        return f"always answering {_majority(facts)} gives {shown}"
    if column.key == "mean":
        return f"always answering the mean gives {shown}"
    return f"a linear model {shown}" if column.key == "linear" else f"{column.title} {shown}"


def _majority(facts: ReportFacts) -> str:
    """Name the most common class of the training rows, where the plan holds their counts."""
    target = section(facts.plan, "target")
    counts = [number(count) or 0.0 for count in target.get("counts") or ()]
    labels = list(target.get("classes") or ())
    if not counts or len(counts) != len(labels):
        return "the most common class"
    return f"'{labels[counts.index(max(counts))]}'"
