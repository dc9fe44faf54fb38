"""What a check found: the code, the evidence, the place, the time and what would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["CODES", "Finding", "Remedy", "Severity"]

Severity = Literal["info", "warning", "error"]

CODES: dict[str, str] = {
    "missing_values": "cells are missing",
    "duplicate_rows": "rows stand more than once",
    "inconsistent_spellings": "one category is written in several ways",
    "numbers_as_text": "numbers are written as text",
    "numbers_as_codes": "whole numbers are codes and read as categories",
    "dates_as_text": "dates are written in other ways than year-month-day",
    "dates_as_numbers": "dates are kept as numbers",
    "id_column": "a column names the row and tells nothing of it",
    "constant_column": "a column has one value or none",
    "duplicate_column": "a column equals another in every row",
    "near_duplicates": "rows differ in one cell, or only in how they are written",
    "sentinel_values": "a number may stand for missing cells",
    "mixed_units": "numbers of one column have several units",
    "ambiguous_dates": "dates may have the day or the month first",
    "infinite_values": "cells are infinite",
    "missing_target": "rows have no target",
    "broken_images": "images can't be decoded and are set aside",
    "empty_class": "a class folder holds no image",
    "target_leakage": "a column gives the target away",
    "split_leakage": "rows of one split stand in another",
    "class_imbalance": "a class is rare",
    "class_imbalance_ignored": "a rare class is never predicted",
    "shuffled_labels": "the labels have nothing to do with the inputs",
    "distribution_shift": "the splits are not alike",
    "unscaled_inputs": "inputs are of very different or very large scales",
    "unscaled_target": "the target is of a very large scale",
    "loss_output_mismatch": "the loss does not fit the output layer",
    "bad_initialization": "the first signal through the network is wrong",
    "missing_nonlinearity": "layers follow each other without an activation",
    "vanishing_gradient": "gradients die on the way to the first layers",
    "exploding_gradient": "gradients grow without bound",
    "non_finite": "a loss, a gradient or a weight is not finite",
    "dead_units": "units are zero for every row",
    "saturated_units": "units are stuck at the ends of their activation",
    "not_learning": "training does no better than a constant guess",
    "learning_rate_too_high": "the learning rate is too high",
    "learning_rate_too_low": "the learning rate is too low",
    "batch_size_problem": "the batch size is too small or too large",
    "overfitting": "the network learnt the training rows by heart",
    "underfitting": "the network could fit the training rows better",
    "good_fit": "training and validation agree and beat the baselines",
    "short_time": "the time limit left no room for a network",
    "doctor_failed": "the doctor stopped looking",
}
"""The codes a finding may have. Codes are added, never renamed."""


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """One change of the config that would mend a finding."""

    path: str
    """Dotted path in the config, such as ``train.clip_norm``."""
    value: Any
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Give the remedy as JSON holds it."""
        return {"path": self.path, "value": self.value, "why": self.why}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing a check found, with its evidence.

    >>> Finding(code="constant_column", severity="info", where="a", message="'a' has one value.").code
    'constant_column'
    """

    code: str
    severity: Severity
    message: str
    where: str = ""
    """A layer, a column or a split; empty for the whole run."""
    when: str = ""
    """Steps or epochs; empty where time plays no part."""
    evidence: Mapping[str, float | int | str] = field(default_factory=dict)
    remedies: tuple[Remedy, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a code that is not in `CODES`."""
        if self.code not in CODES:
            raise ValueError(f"'{self.code}' is not a finding's code")

    def as_dict(self) -> dict[str, Any]:
        """Give the finding as JSON holds it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "where": self.where,
            "when": self.when,
            "evidence": dict(self.evidence),
            "message": self.message,
            "remedies": [remedy.as_dict() for remedy in self.remedies],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Finding:
        """Read a finding back from what `as_dict` gave."""
        remedies = tuple(Remedy(**remedy) for remedy in record.get("remedies", ()))
        return cls(**{**record, "remedies": remedies})
