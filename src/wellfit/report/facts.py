"""What a report is made of: plain facts of one run, read with care since older runs may lack some."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wellfit.findings import Finding
from wellfit.history import History

__all__ = ["ReportFacts", "best_epoch", "flat", "inside", "masked", "number", "plain", "section"]


_OF_EPOCHS = ("epoch", "step", "lr")


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """Everything a report says of one run, as the files of the run folder hold it."""

    name: str
    config: Mapping[str, Any]
    """The resolved config: `config.yaml`."""
    plan: Mapping[str, Any]
    """Source, rows, target, cleaning and features: `plan.json`."""
    model: Mapping[str, Any]
    """Type, options and number of parameters: `model.json`."""
    metrics: Mapping[str, Any]
    """Scores of test, validation and baselines: `metrics.json`."""
    evaluation: Mapping[str, Any]
    """What `summarize_predictions` gave: `evaluation.json`."""
    history: History
    findings: Sequence[Finding] = ()
    learning_curve: Mapping[str, Any] | None = None
    """What more rows would bring, where that was measured: `learning_curve.json`."""
    tuning: Mapping[str, Any] | None = None
    """How settings were searched for, where they were: `tuning.json`."""
    explanation: Mapping[str, Any] | None = None
    """Which columns the predictions hang on, where that was measured: `explanation.json`."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The config had nothing been set; with it, the page lists what differs."""

    @property
    def task(self) -> str:
        """Give binary, multiclass or regression; empty when no file says it."""
        return str(inside(self.plan, "target", "task") or inside(self.config, "data", "task") or "")

    @property
    def target(self) -> str:
        """Give the name of the target column; empty when no file says it."""
        return str(inside(self.plan, "target", "name") or inside(self.config, "data", "target") or "")

    @property
    def source(self) -> str:
        """Give where the data came from, secrets masked; empty when no file says it."""
        return masked(str(inside(self.plan, "source", "uri") or inside(self.config, "data", "source") or ""))

    @property
    def epochs(self) -> list[dict[str, float]]:
        """Give the losses, metrics and rates of each epoch that ended, without what was measured in between."""
        kept = [
            {
                name: value
                for name, value in record.items()
                if name in _OF_EPOCHS or name.startswith(("train_", "valid_"))
            }
            for record in self.history.epochs()
        ]
        return [record for record in kept if not record.keys() <= {"epoch", "step"}]

    def rows(self, split: str) -> int | None:
        """Give the number of rows of a split, where it was recorded."""
        count = number(inside(self.plan, "rows", split))
        return None if count is None else int(count)


def inside(record: Any, *keys: str) -> Any:
    """Give what stands under nested keys, or None.

    >>> inside({"a": {"b": 1}}, "a", "b"), inside({"a": 3}, "a", "b")
    (1, None)
    """
    for key in keys:
        if not isinstance(record, Mapping):
            return None
        record = record.get(key)
    return record


def section(record: Any, *keys: str) -> Mapping[str, Any]:
    """Give the mapping under nested keys, or an empty one."""
    found = inside(record, *keys)
    return found if isinstance(found, Mapping) else {}


def number(value: Any) -> float | None:
    """Give a finite number as a float, anything else as None.

    >>> number(3), number(float("nan")), number("3"), number(True)
    (3.0, None, None, None)
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return None
    return float(value) if math.isfinite(value) else None


def plain(value: Any) -> Any:
    """Turn a value into what JSON and YAML can hold; NaN and infinities become None.

    >>> plain({"a": (1, float("inf")), 2: np.float32(0.5)})
    {'a': [1, None], '2': 0.5}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


def flat(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give a nested mapping as dotted keys and values.

    >>> dict(flat({"train": {"l1": 0.0, "optimizer": {"name": "adam"}}}))
    {'train.l1': 0.0, 'train.optimizer.name': 'adam'}
    """
    for key, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


_LOGIN = re.compile(r"(?<=://)[^/\s@]*@")
_SECRET = re.compile(r"(?i)\b(token|password|passwd|pwd|secret|api_?key|access_?key|signature|sig)=[^&\s'\"]+")


def masked(text: str) -> str:
    """Hide logins and secret parameters of addresses.

    >>> masked("sql:postgresql://ann:pw@db/x?table=loans&token=abc")
    'sql:postgresql://***@db/x?table=loans&token=***'
    """
    return _SECRET.sub(r"\1=***", _LOGIN.sub("***@", text))


def best_epoch(facts: ReportFacts) -> int | None:
    """Give the epoch whose weights were kept: as recorded, else the one of least validation loss."""
    recorded = number(facts.history.meta.get("best_epoch")) or number(facts.model.get("best_epoch"))
    if recorded is not None:
        return int(recorded)
    losses = {int(record["epoch"]): number(record.get("valid_loss")) for record in facts.epochs}
    finite = {epoch: loss for epoch, loss in losses.items() if loss is not None}
    return min(finite, key=finite.__getitem__) if finite else None
