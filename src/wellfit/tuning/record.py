"""What tuning leaves: ``tuning.json`` in the run's folder, and a line for each training while it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wellfit.report.facts import plain
from wellfit.run import Run
from wellfit.tuning.bench import Bench, Measured
from wellfit.tuning.dimensions import Dimension
from wellfit.tuning.folder import StudyFolder
from wellfit.tuning.proof import Candidate, Proof
from wellfit.tuning.study import Study

__all__ = ["Record", "trial_line"]


class Record:
    """A finished study in numbers."""

    def __init__(
        self,
        bench: Bench,
        study: Study,
        dimensions: Sequence[Dimension],
        proofs: Sequence[Proof],
        chosen: Candidate | None,
        *,
        seconds: float,
    ) -> None:
        trials = study.records()
        self.values = {
            "metric": bench.metric,
            "greater_is_better": bench.greater_is_better,
            "kept": "default" if chosen is None else "tuned",
            "best": None if chosen is None else {"number": chosen.number, "values": dict(chosen.values)},
            "folds": bench.folds,
            "space": {dimension.key: dimension.range.as_setting() for dimension in dimensions},
            "trials": trials,
            "proofs": [proof.as_dict() for proof in proofs],
            "importances": study.importances(),
            "search_seconds": round(seconds, 3),
        }

    def written(self, run: Run, folder: StudyFolder, *, seconds: float) -> Run:
        """Write it beside the run, and into the run's page."""
        self.values["seconds"] = round(seconds, 3)
        run.folder.write_json("tuning.json", plain(self.values))
        if run.config["output"]["report"]:
            run.report()
        folder.close()
        return Run(run.folder)


def trial_line(key: str, measured: Measured, trials: Sequence[Mapping[str, Any]], metric: str, *, greater: bool) -> str:
    """Say what a training gave, beside the best so far.

    >>> trial_line("trial 3", Measured(state="failed", reason="It diverged."), [], "rmse", greater=False)
    'trial 3: failed: It diverged.'
    """
    if measured.state == "failed":
        return f"{key}: failed: {measured.reason}"
    figure = "-" if measured.value is None else f"{measured.value:.4g}"
    ending = " (given up early)" if measured.state == "pruned" else ""
    held = [trial["value"] for trial in trials if trial["state"] == "complete"]
    best = f", best {(max if greater else min)(held):.4g}" if held else ""
    return f"{key}: {metric} {figure}{ending}{best}"
