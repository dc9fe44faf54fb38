"""The study: which settings are tried next, which trainings are given up, and the journal that keeps it all on disk.

The journal is Optuna's: one JSON object a line, appended and flushed, so that a study that was killed goes on.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellfit.errors import ConfigError
from wellfit.runtime import keyed_seed
from wellfit.tuning.bench import Job, Measured
from wellfit.tuning.dimensions import Dimension

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

__all__ = ["Study", "expect_optuna", "rungs_of"]

_ETA = 2
"""Of how many trainings at a rung one goes on. Li et al. 2018 (ASHA) take 4, for thousands of trials; with a few dozen,
what starts slowly and ends well would be lost too often."""

_LEAST = 0.2
"""The share of the epochs that lies before the first rung."""

_TRIES = 2
"""How often a training is begun that ends the process before it is given up."""


def expect_optuna() -> None:
    """Raise `ConfigError` where Optuna is not installed."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        rule = "Tuning needs the package optuna."
        raise ConfigError(rule, do="Install it with: pip install 'wellfit[tune]'.") from None


def rungs_of(epochs: int) -> tuple[int, ...]:
    """Give the epochs after which the worse trainings are given up.

    >>> rungs_of(100)
    (20, 40, 80)
    """
    rungs = [max(1, round(_LEAST * epochs))]
    while rungs[-1] * _ETA < epochs:
        rungs.append(rungs[-1] * _ETA)
    return tuple(rung for rung in rungs if rung < epochs)


class Study:
    """Trials on disk.

    Args:
        path: the journal.
        dimensions: what is searched.
        trials: trials to be made in all.
        greater_is_better: the metric's direction.
        seed: what the draws depend on, beside the trial's number and the trials before it.
        default: where the config itself stands, by key; keys outside their range are left out.
        first: settings that are tried next, by key.
        rungs: epochs, or folds, after which the worse trainings are given up.
        of_folds: whether they are folds: a figure of some of them is held against those of the same alone.
    """

    def __init__(
        self,
        path: Path,
        *,
        dimensions: Sequence[Dimension],
        trials: int,
        greater_is_better: bool,
        seed: int,
        default: Mapping[str, Any],
        rungs: Sequence[int],
        of_folds: bool = False,
        first: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.dimensions, self.trials, self.seed = tuple(dimensions), trials, seed
        self.greater_is_better = greater_is_better
        self.rungs, self.of_folds = tuple(rungs), of_folds
        self._lock = threading.RLock()
        self._asked: dict[str, Trial] = {}
        _mend(path)
        with _Quiet():
            self._study = optuna.create_study(
                storage=optuna.storages.JournalStorage(_backend(path)),
                study_name="wellfit",
                load_if_exists=True,
                direction="maximize" if greater_is_better else "minimize",
                pruner=optuna.pruners.SuccessiveHalvingPruner(
                    min_resource=max(1, self.rungs[0] if self.rungs else 1), reduction_factor=_ETA
                ),
            )
            self._left = self._left_over()
            self._enqueue(default, first)

    def _enqueue(self, default: Mapping[str, Any], first: Sequence[Mapping[str, Any]]) -> None:
        """Put what is tried before anything is drawn into the journal, or what a process that ended here left out."""
        drawn = [self._drawn(settings) for settings in (default, *first)]
        for place in range(len(self._study.get_trials(deepcopy=False)), len(drawn)):
            known = {"default": True, "known": list(drawn[0])} if place == 0 else None
            self._study.enqueue_trial(drawn[place], user_attrs=known)

    def _drawn(self, default: Mapping[str, Any]) -> dict[str, Any]:
        drawn = {dimension.key: dimension.drawn(default.get(dimension.key)) for dimension in self.dimensions}
        return {key: value for key, value in drawn.items() if value is not None}

    def _left_over(self) -> list[FrozenTrial]:
        """Give the trials that were under way when the study was stopped; one that kills the process has failed."""
        from optuna.trial import TrialState

        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        for frozen in running:
            if frozen.user_attrs.get("begun", 0) >= _TRIES:
                self._study.tell(frozen.number, state=TrialState.FAIL)
        return [frozen for frozen in running if frozen.user_attrs.get("begun", 0) < _TRIES]

    def next(self) -> Job | None:
        """Give the next training; None where all were begun."""
        with self._lock, _Quiet():
            trial = self._next()
            if trial is None:
                return None
            trial.set_user_attr("begun", trial.user_attrs.get("begun", 0) + 1)
            default = bool(trial.user_attrs.get("default"))
            values = self._values(trial, default)
            key = f"trial {trial.number}"
            self._asked[key] = trial
            return Job(
                key=key, values={} if default else values, rungs=() if default and not self.of_folds else self.rungs
            )

    def _next(self) -> Trial | None:
        from optuna.trial import Trial, TrialState

        # Draws are keyed by the trial's number, so that a study that was stopped draws what it would have drawn.
        if self._left:
            frozen = self._left.pop(0)
            self._study.sampler = self._sampler(frozen.number)
            return Trial(self._study, frozen._trial_id)
        trials = self._study.get_trials(deepcopy=False)
        begun = [trial for trial in trials if trial.state != TrialState.WAITING]
        if len(begun) >= self.trials:
            return None
        self._study.sampler = self._sampler(len(begun))
        return self._study.ask()

    def _sampler(self, number: int) -> Any:
        import optuna

        first = min(10, max(3, self.trials // 4))
        seed = keyed_seed(self.seed, "trial", number) % 2**32
        return optuna.samplers.TPESampler(n_startup_trials=first, multivariate=True, group=True, seed=seed)

    def _values(self, trial: Trial, default: bool) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for dimension in self.dimensions:
            known = not default or dimension.key in trial.user_attrs["known"]
            if known and dimension.belongs(values):
                values[dimension.key] = dimension.value(dimension.suggest(trial))
        return values

    def report(self, job: Job, epoch: int, value: float) -> bool:
        """Take a figure at a rung, and tell whether the training is given up: one that leads already never is."""
        with self._lock, _Quiet():
            trial = self._asked[job.key]
            trial.report(value, epoch)
            given_up = bool(trial.should_prune()) and not self._leads(value)
            return given_up and not trial.user_attrs.get("default")

    def _leads(self, value: float) -> bool:
        from optuna.trial import TrialState

        if self.of_folds:
            return False
        ended = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        held = [trial.value for trial in ended if trial.value is not None]
        return bool(held) and (value > max(held) if self.greater_is_better else value < min(held))

    def tell(self, job: Job, measured: Measured) -> None:
        """Take what a training gave."""
        from optuna.trial import TrialState

        states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        with self._lock, _Quiet():
            trial = self._asked.pop(job.key)
            attributes = {"seconds": measured.seconds, "epochs": measured.epochs, "reason": measured.reason}
            for name, given in {**attributes, "value": measured.value}.items():
                trial.set_user_attr(name, given)
            value = measured.value if measured.state == "complete" else None
            self._study.tell(trial.number, value, state=states[measured.state])

    def records(self) -> list[dict[str, Any]]:
        """Give the trials as ``tuning.json`` holds them; what is under way is left out."""
        names = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
        ended = [trial for trial in self._study.get_trials(deepcopy=False) if trial.state.name in names]
        return [
            {
                "number": trial.number,
                "state": names[trial.state.name],
                "value": trial.user_attrs.get("value"),
                "values": self._settings(trial),
                "default": bool(trial.user_attrs.get("default")),
                "epochs": trial.user_attrs.get("epochs", 0),
                "seconds": round(trial.user_attrs.get("seconds", 0.0), 3),
                "reason": trial.user_attrs.get("reason", _ENDED),
            }
            for trial in ended
        ]

    def _settings(self, trial: FrozenTrial) -> dict[str, Any]:
        known = {dimension.key: dimension for dimension in self.dimensions}
        return {key: known[key].value(drawn) for key, drawn in trial.params.items() if key in known}

    def kept(self, name: str) -> Any:
        """Give what was noted under a name; None where nothing was."""
        return self._study.user_attrs.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Note something beside the trials."""
        with self._lock:
            self._study.set_user_attr(name, value)

    def importances(self) -> dict[str, float]:
        """Give each setting's share of what decides whether a trial is among the best (PED-ANOVA, Watanabe 2023).

        Empty where there are too few trials to tell.
        """
        import optuna

        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        with _Quiet(), suppress(ValueError, RuntimeError, ZeroDivisionError):
            shares = optuna.importance.get_param_importances(self._study, evaluator=evaluator)
            return {key: float(share) for key, share in shares.items() if share == share}
        return {}


_ENDED = "The process ended while it was trained, most likely for want of memory."


def _backend(path: Path) -> Any:
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    # One process writes: a lock that is there was left by one that is gone.
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    return JournalFileBackend(str(path), JournalFileOpenLock(str(path)))


def _mend(path: Path) -> None:
    """Cut off the line that a killed process did not finish."""
    if path.is_file():
        whole = path.read_bytes()
        end = whole.rfind(b"\n") + 1
        if end < len(whole):
            with path.open("rb+") as file:
                file.truncate(end)


class _Quiet(warnings.catch_warnings):
    """Keeps Optuna's remarks on what is experimental to itself."""

    def __enter__(self) -> Any:
        caught = super().__enter__()
        warnings.simplefilter("ignore")
        return caught
