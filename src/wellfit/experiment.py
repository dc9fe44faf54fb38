"""The whole flow, once: source, table, split, plans, model, training, scores, run folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import nn

from wellfit.answer_room import refuse_wide_answers
from wellfit.config import Config, model_spec, with_values
from wellfit.config.durations import Duration
from wellfit.data.batches import Batches, Resident
from wellfit.data.cleaning import TargetPlan
from wellfit.diagnosis import diagnose
from wellfit.errors import ConfigError
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.losses import LOSSES, default_loss
from wellfit.metrics import METRICS, all_scores, best_threshold, default_metric
from wellfit.models import MODELS, Members
from wellfit.models.members import known_rows
from wellfit.prediction import Answers, Predictor, Scores
from wellfit.prepared import Prepared
from wellfit.registry import Choice
from wellfit.runtime import keyed_seed, reseed, restored_random_state, versions
from wellfit.short_time import too_few_updates
from wellfit.training import Callback, FitOptions, Score, Trainer, make_trainer, settle, with_found_rate
from wellfit.training.checkpoint import Checkpoints
from wellfit.training.survey import sample_rows

__all__ = ["Experiment", "Outcome", "score_all"]


@dataclass
class Outcome:
    """What a training of a prepared table left, in memory."""

    prepared: Prepared
    config: Config
    predictor: Answers
    history: History
    findings: list[Finding]
    model: dict[str, Any]
    """What ``model.json`` holds."""
    metrics: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Scores] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


_FITTED_ROWS = 65_536
"""Training rows on disk that first weights are fitted to; of those in memory, all are."""


_SOON_FITTED = 20_000
"""Training rows to which the baselines are fitted even where the time is spent."""
_COPIES = 4
"""How often the probabilities of the rows that are scored are held at once: said, joined, ranked, summed up."""


class Experiment:
    """A prepared table, its network and its trainer: settled, and ready to be trained."""

    def __init__(
        self,
        prepared: Prepared,
        *,
        weights: Mapping[str, np.ndarray[Any, Any]] | None = None,
        checkpoints: Checkpoints | None = None,
        callbacks: Sequence[Callback] = (),
        started: float | None = None,
        until: float | None = None,
    ) -> None:
        """Settle everything; ``weights`` are row weights by split, a time limit counts from ``started``.

        ``until`` ends training on the monotonic clock, where something else than the config's limit says when.
        """
        self.prepared = prepared
        self.started = time.monotonic() if started is None else started
        target, config = prepared.target, prepared.config
        _refuse_threshold(config, target)
        refuse_wide_answers(target, max(prepared.rows["valid"], prepared.rows["test"]), copies=_COPIES)
        self.loss = _loss(config, target)
        self.outputs = self.loss.entry.outputs(target.task, len(target.classes))
        chosen = MODELS.choose(model_spec(config))
        self.architecture = Choice(
            chosen.entry, chosen.entry.settle(chosen.options, self.loss.entry.kind(self.outputs))
        )
        rows = {name: prepared.batches(name, weights) for name in ("train", "valid")}
        self.module = self._module(rows["train"])
        weighted = weights is not None or config.data.weight is not None
        options = _options(config, self.loss, target, weighted=weighted)
        score = _score(config, target)
        options = with_found_rate(self.module, rows["train"], options)
        self.settled = settle(self.module, rows["train"], options, has_valid=True, score=score)
        self.config = with_values(config, self._resolved())
        self.trainer: Trainer = make_trainer(
            self.module,
            rows["train"],
            rows["valid"],
            self.settled,
            checkpoints=checkpoints,
            checkpoint_every=_spacing(self.config),
            callbacks=callbacks,
            until=self._until() if until is None else until,
        )

    def _resolved(self) -> dict[str, Any]:
        """Give what the settings that were left to auto stand for."""
        values, train = self.settled.resolved, self.prepared.config.train
        resolved = {
            "train.loss": self.loss.spec(),
            "train.optimizer": values["optimizer"],
            "train.metric": values["metric"],
            **{f"model.{name}": value for name, value in self.architecture.options.items()},
            **{f"train.{name}": values[name] for name in ("batch_size", "precision", "compile", "device", "threads")},
        }
        meanings = {"class_weight": "none", "augment": "none", "checkpoint_every": "30s"}
        left = {name: meant for name, meant in meanings.items() if getattr(train, name) == "auto"}
        return {**resolved, **{f"train.{name}": meant for name, meant in left.items()}}

    def _module(self, rows: Batches) -> nn.Module:
        self.inputs = self.prepared.inputs
        with restored_random_state():
            reseed(keyed_seed(self.prepared.config.train.seed, "init"))
            made: nn.Module = self.architecture.entry.make(self.inputs, self.outputs, **self.architecture.options)
            if isinstance(made, Members):
                seen = rows if isinstance(rows, Resident) else sample_rows(rows, _FITTED_ROWS)
                numeric, categorical = seen.inputs
                made.fit_to(numeric, categorical, seen.target)
        return made

    def _until(self) -> float | None:
        limit = self.prepared.config.train.time
        if limit is None:
            return None
        return self.started + max(limit - self.reserve(limit), 0.05)

    @staticmethod
    def reserve(limit: float) -> float:
        """Give the seconds kept for scores, baselines and the report."""
        return min(0.3 + 0.06 * limit, 0.5 * limit)

    @property
    def steps(self) -> int:
        """Updates made."""
        return self.trainer.position.step

    def add_terms(self, terms: Mapping[str, str]) -> None:
        """Refuse checkpoints that were made under other terms."""
        self.trainer.terms = {**terms, **self.trainer.terms}

    def resume(self) -> None:
        """Go on from the newest whole checkpoint, if there is one."""
        self.trainer.resume()

    def run(self) -> Outcome:
        """Train, and score the validation and the test rows once."""
        self.trainer.run()
        outcome = self.outcome()
        score_all(outcome, started=self.started, limit=self.prepared.config.train.time)
        return outcome

    def outcome(self) -> Outcome:
        """Give what the trainer left, not scored yet."""
        trainer, prepared = self.trainer, self.prepared
        config = self.config
        if trainer.deadline is not None:
            # The clock decided how many updates there were: the replay makes those.
            config = with_values(config, {"train.time": None, "train.steps": trainer.position.step})
        if trainer.weights.best is not None:
            trainer.history.meta["best_epoch"] = trainer.stopping.best_epoch
        trainer.history.meta["task"] = prepared.target.task
        trainer.conclude()
        predictor = prepared.predictor(self.module, self.loss.spec(), config)
        return Outcome(
            prepared=prepared,
            config=config,
            predictor=predictor,
            history=trainer.history,
            findings=[*prepared.findings, *self._short_time(), *diagnose(trainer.history)],
            model=self._model() | predictor.facts(),
            notes=list(prepared.notes),
        )

    def _short_time(self) -> list[Finding]:
        """Say it where the clock left next to nothing of the training."""
        trainer = self.trainer
        whole = trainer.total_steps is None or self.steps >= trainer.total_steps or trainer.stopping.exhausted
        known = any(finding.code == "short_time" for finding in self.prepared.findings)
        return [] if trainer.deadline is None or whole or known else too_few_updates(self.steps)

    def _model(self) -> dict[str, Any]:
        return {
            "type": self.architecture.name,
            "options": dict(self.architecture.options),
            "inputs": self.inputs.as_dict(),
            "outputs": self.outputs,
            "loss": self.loss.spec(),
            "versions": versions(),
            "parameters": sum(weight.numel() for weight in self.module.parameters()),
            "known_rows": known_rows(self.module),
            "steps": self.trainer.position.step,
            "best_epoch": self.trainer.stopping.best_epoch or None,
        }


def _decide(outcome: Outcome) -> None:
    """Settle from which probability on the second of two classes is answered."""
    predictor, train = outcome.predictor, outcome.config.train
    threshold = train.threshold
    held = outcome.scores.get("valid")
    if threshold == "auto":
        fits = train.metric == "f1" and outcome.prepared.target.task == "binary" and isinstance(predictor, Predictor)
        threshold = None
        if fits and held is not None and (known := held.target >= 0).any():
            threshold = best_threshold(METRICS["f1"].make(), held.target[known], held.predicted[known])
        outcome.config = with_values(outcome.config, {"train.threshold": threshold})
    if threshold is None or not isinstance(predictor, Predictor):
        return
    predictor.threshold = threshold
    outcome.history.meta["threshold"] = threshold
    outcome.model |= predictor.facts()
    if held is not None:
        metrics = all_scores("binary", held.target, held.predicted, threshold=threshold)
        outcome.scores["valid"] = replace(held, metrics=metrics)


def _refuse_threshold(config: Config, target: TargetPlan) -> None:
    if config.train.threshold not in ("auto", None) and target.task != "binary":
        rule = f"'threshold' of train decides between two classes, and this is a {target.task} target."
        raise ConfigError(rule, got=config.train.threshold, do="Leave it out.")


def _loss(config: Config, target: TargetPlan) -> Choice[Any]:
    given = config.train.loss
    choice = LOSSES.choose(default_loss(target.task) if given == "auto" else given)
    options = dict(choice.options)
    if options.get("from_probabilities"):
        raise ConfigError(
            "The networks of wellfit give logits, and the loss must take them.",
            got="from_probabilities: true",
            do="Leave from_probabilities out.",
        )
    weights = _class_weight(config, target)
    if weights is not None and "class_weight" in options:
        options["class_weight"] = weights
    return Choice(choice.entry, options)


def _class_weight(config: Config, target: TargetPlan) -> list[float] | None:
    """Give one weight a class, of mean 1 over the training rows; None where all count alike."""
    given = config.train.class_weight
    if target.task == "regression" or given in ("auto", "none"):
        return None
    total = sum(target.counts)
    if given == "balanced":
        return [total / (len(target.classes) * max(count, 1)) for count in target.counts]
    by_label = {str(label): weight for label, weight in given.items()}  # type: ignore[union-attr]
    labels = [str(label) for label in target.classes]
    strange = [label for label in by_label if label not in labels]
    if strange:
        raise ConfigError(
            "class_weight must name the target's classes.", got=strange[0], do="They are " + ", ".join(labels) + "."
        )
    return [by_label.get(label, 1.0) for label in labels]


def _options(config: Config, loss: Choice[Any], target: TargetPlan, *, weighted: bool) -> FitOptions:
    train = config.train
    stopping = train.early_stopping
    # Images are changed by their batches.
    augment = "none" if MODELS[config.model["type"]].reads == "images" else train.augment
    # Metrics count every row alike: with weights, the loss tells the best epoch.
    usual = "auto" if weighted else default_metric(target.task)
    return FitOptions(
        loss=loss,
        optimizer=dict(train.optimizer),
        batch_size=None if train.batch_size == "auto" else train.batch_size,
        epochs=train.epochs,
        schedule=None if train.schedule is None else dict(train.schedule),
        l1=train.l1,
        l2=train.l2,
        weight_decay=train.weight_decay,
        clip_norm=train.clip_norm,
        clip_value=train.clip_value,
        early_stopping=None if stopping is None else stopping.model_dump(),
        metric=usual if train.metric == "auto" else train.metric,
        precision=train.precision,
        compile=train.compile,
        accumulate=train.accumulate,
        ema=train.ema,
        augment=augment if isinstance(augment, str) else dict(augment),
        device=train.device,
        seed=train.seed,
        steps=train.steps,
        epoch_steps=train.epoch_steps,
        threads=None if train.threads == "auto" else train.threads,
        time=train.time,
        doctor=train.doctor,
    )


def _score(config: Config, target: TargetPlan) -> Score:
    """Give the metric that is recorded each epoch, in the target's own unit."""
    name = default_metric(target.task) if config.train.metric == "auto" else config.train.metric
    entry = METRICS[name]
    made: Callable[[Any, Any], float] = entry.make()
    if target.task != "regression":
        return Score(name=name, greater_is_better=entry.greater_is_better, function=made)

    def in_units(truth: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any]) -> float:
        return made(target.decode(truth), target.decode(predicted))

    return Score(name=name, greater_is_better=entry.greater_is_better, function=in_units)


def _spacing(config: Config) -> int | float | None:
    """Give updates as a whole number, or seconds as a float."""
    spacing = config.train.checkpoint_every
    return Duration().check(spacing) if isinstance(spacing, str) else spacing


def score_all(outcome: Outcome, *, started: float, limit: float | None) -> None:
    """Score validation and test rows that were not scored, and the baselines beside them, within the time allowed."""
    prepared, predictor = outcome.prepared, outcome.predictor
    for split in ("valid", "test"):
        if prepared.rows[split] and split not in outcome.scores:
            outcome.scores[split] = prepared.score(predictor, split)
        if split == "valid":
            _decide(outcome)
    outcome.metrics = {split: outcome.scores[split].metrics for split in ("test", "valid") if split in outcome.scores}
    scored = "test" if "test" in outcome.scores else "valid"
    deadline = None if limit is None else started + 0.95 * limit
    if deadline is not None and prepared.rows["train"] <= _SOON_FITTED:
        # What the model is judged against takes less time than to write its page.
        deadline = max(deadline, time.monotonic() + 0.3)
    baselines = prepared.baselines(predictor, scored, deadline=deadline)
    outcome.metrics["baselines"] = dict(baselines.scores[scored])
    outcome.notes.extend(baselines.notes)
