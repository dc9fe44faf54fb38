"""What a treatment found, tried, proved, and left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wellfit.findings import Finding, Remedy
from wellfit.treatment.proof import Effect

__all__ = ["Treatment", "TrialRow"]


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """One remedy in the table."""

    remedy: str
    change: dict[str, Any]
    effect: Effect | None
    """The paired difference of the metric on the validation rows; None where it could not be tried."""
    seconds: float
    accepted: bool
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Give the row as JSON holds it."""
        found = self.effect
        interval = None if found is None or found.pairs < 2 else [found.low, found.high]
        return {
            "remedy": self.remedy,
            "change": {name: _plain(value) for name, value in self.change.items()},
            "effect": None if found is None else found.mean,
            "interval": interval,
            "pairs": 0 if found is None else found.pairs,
            "seconds": round(self.seconds, 3),
            "accepted": self.accepted,
            "why": self.why,
        }


@dataclass(kw_only=True)
class Treatment:
    """A treatment: ``accepted`` is empty where nothing was proved to help."""

    findings: list[Finding]
    """What was found in the training as it was given."""
    trials: list[TrialRow]
    metric: str
    """The figure that effects are in: accuracy, balanced_accuracy or r2; empty where nothing was tried."""
    before: float | None = None
    """The mean figure of the training as given, on fresh seeds where there were some."""
    after: float | None = None
    """The mean figure of the cured training on the same seeds; None where nothing was accepted."""
    accepted: list[Remedy] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    """What the cure changes: keywords of `wellfit.fit`, so that ``fit(make_module(), train, valid=valid, **{**given,
    **options})`` trains the cured module; for a run, settings by dotted key."""
    make_module: Callable[[], Any] | None = None
    """Gives a new module with the cure's edits; takes raw inputs, and gives what `outputs` says."""
    scale: dict[str, Any] = field(default_factory=dict)
    """Scales that are within the module, as plain numbers: ``inputs`` and ``target``, each mean and std."""
    outputs: str = ""
    """The space of the module's outputs: logits, probabilities or values."""
    result: Any = None
    """The cured training, a `FitResult`: of those on fresh seeds the best on the validation rows; for a run, the new
    `Run` where it was applied."""
    advice: list[str] = field(default_factory=list)
    """What only the author can change."""
    seconds: float = 0.0
    trainings: int = 0

    @property
    def cured(self) -> bool:
        """Whether a remedy was accepted."""
        return bool(self.accepted)

    @property
    def proved(self) -> str:
        """What the fresh seeds proved, in words; empty where nothing was accepted."""
        if not self.accepted or self.before is None or self.after is None:
            return ""
        moved = f"from {self.before:.4g} to {self.after:.4g}"
        if any(row.accepted and row.effect is not None and row.effect.low <= 0 for row in self.trials):
            alone = f"{self.metric} alone, {moved}, is no different beyond noise"
            return f"{self.metric} and probabilities are better together; {alone}"
        return f"{self.metric} goes {moved}"

    def as_dict(self) -> dict[str, Any]:
        """Give the treatment as JSON holds it."""
        return {
            "findings": [finding.as_dict() for finding in self.findings],
            "metric": self.metric,
            "before": self.before,
            "after": self.after,
            "proved": self.proved,
            "accepted": [{**remedy.as_dict(), "value": _plain(remedy.value)} for remedy in self.accepted],
            "options": {name: _plain(value) for name, value in self.options.items()},
            "scale": self.scale,
            "outputs": self.outputs,
            "trials": [row.as_dict() for row in self.trials],
            "advice": list(self.advice),
            "trainings": self.trainings,
            "seconds": round(self.seconds, 3),
        }

    def table(self) -> str:
        """Give the trials as a Markdown table."""
        head = ["remedy", f"effect on {self.metric}", "seconds", "accepted", "why"]
        rows = [
            [
                row.remedy,
                "" if row.effect is None else str(row.effect),
                f"{row.seconds:.1f}",
                "yes" if row.accepted else "no",
                row.why,
            ]
            for row in self.trials
        ]
        return _markdown([head, *rows])

    def __str__(self) -> str:
        """Give findings, table and what was accepted, in words."""
        found = [f"{finding.severity}: {finding.message}" for finding in self.findings]
        tried = ["", self.table(), "", self._ending()] if self.trials else [""]
        return "\n".join([*(found or ["nothing found"]), *tried, *self.advice])

    def _ending(self) -> str:
        if not self.proved:
            return "No remedy was proved to help."
        return f"Cured: {self.proved}, on seeds that did not choose the remedy."


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _plain(value: Any) -> Any:
    """Give a setting as JSON can hold it: of an object, its name."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return getattr(value, "__name__", type(value).__name__)
