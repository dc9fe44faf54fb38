"""Tunings and treatments in tests: stopped on the way, and compared less what depends on the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import wellfit
from wellfit.treatment import Treatment
from wellfit.tuning.bench import Bench, Job, Measured


def stopped_at(key: str) -> Any:
    """Give a `Bench.measure` that Ctrl-C stops at one training."""
    measure = Bench.measure

    def stopping(self: Bench, job: Job, *more: Any) -> Measured:
        if job.key == key:
            raise KeyboardInterrupt
        return measure(self, job, *more)

    return stopping


def study_of(run: wellfit.Run) -> dict[str, Any]:
    """The search behind a tuned run."""
    record = dict(run.tuning or {})
    plain = {key: value for key, value in record.items() if not key.endswith("seconds")}
    return {**plain, "trials": _untimed(record["trials"])}


def treatment_of(treated: Treatment) -> dict[str, Any]:
    """The trials of a treatment and what they changed."""
    record = treated.as_dict()
    return {"trials": _untimed(record["trials"]), **{key: record[key] for key in ("before", "after", "options")}}


def _untimed(trials: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in trial.items() if key != "seconds"} for trial in trials]
