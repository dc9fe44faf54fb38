"""An ensemble's training: stage after stage, then the blend, then its scores."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from scipy.special import softmax

from wellfit.answer_room import refuse_wide_answers
from wellfit.bagging.bag import pooled
from wellfit.bagging.budget import chosen_members, with_threads
from wellfit.bagging.kinds import Kinds, answers_of, kinds_of, listed
from wellfit.bagging.recipes import ARCHITECTURES, epochs_of, hasty_member, member_of
from wellfit.bagging.rest import more_members, poorer_variants
from wellfit.bagging.stage import Member, Stage, alike, foremost, held_out
from wellfit.bagging.variants import variants_of
from wellfit.config import Config, model_spec, with_values
from wellfit.diagnosis import diagnose
from wellfit.ensembling import blend, clearly_better, greedy_weights, mean_loss, temperature
from wellfit.experiment import Experiment, Outcome, score_all
from wellfit.findings import Finding
from wellfit.metrics import all_scores
from wellfit.models import MODELS
from wellfit.models.ensemble import Ensemble
from wellfit.models.members import known_rows
from wellfit.prediction import Scores
from wellfit.prepared import PreparedTable
from wellfit.runtime import default_threads, threads, versions
from wellfit.short_time import linear_instead
from wellfit.training import Callback
from wellfit.training.checkpoint import Checkpoints

__all__ = ["EnsembleExperiment"]

Array = np.ndarray[Any, np.dtype[Any]]

DEFAULT_SECONDS = 120.0
"""How long a run may take that names no members and no time."""
_COPIES = 8
"""How often the probabilities of all rows are held at once: of three stages, joined, and blended."""


class EnsembleExperiment:
    """A prepared table, and the networks that are trained on it one architecture after the other."""

    def __init__(
        self,
        prepared: PreparedTable,
        *,
        folder: Path | None = None,
        callbacks: Sequence[Callback] = (),
        started: float | None = None,
        crossed: bool = True,
    ) -> None:
        """Settle the members; a time limit counts from ``started``, checkpoints go below ``folder``.

        ``crossed`` lets members learn from validation rows too, each judged on those that it did not learn.
        """
        self.started = time.monotonic() if started is None else started
        _refuse_wrong_members(prepared.config)
        self.prepared, self.pool = prepared, pooled(prepared, crossed=crossed)
        self.callbacks = callbacks
        refuse_wide_answers(prepared.target, len(self.pool.rows.target), copies=_COPIES)
        limit, given = prepared.config.train.time, prepared.config.model["members"]
        if limit is None and given is None:
            limit = DEFAULT_SECONDS
        self._dealt = limit if given is None else None
        """The seconds by which the members were chosen; None where they were given."""
        self._until = None if limit is None else self.started + limit - Experiment.reserve(limit)
        members, ends = self._members(given)
        self._folder = folder
        self._tried: Counter[str] = Counter()
        """How many variants of each architecture there were."""
        self.stages: list[Stage] = []
        for place, (member, end) in enumerate(zip(members, ends, strict=True)):
            self.stages.append(self._stage(member, place=place, until=end))
        self.config = self._config(limit)

    def _stage(self, member: Member, *, place: int, until: float | None) -> Stage:
        """Settle a stage beside those that there are; of the same kind as one of them, it has the next folds."""
        return Stage(
            self.prepared,
            self.pool,
            member,
            place,
            first=sum(stage.bag.members for stage in self.stages if alike(stage.member, member)),
            checkpoints=None if self._folder is None else Checkpoints(self._folder / f"{place + 1}"),
            callbacks=self.callbacks,
            until=until,
        )

    def _members(self, given: Any) -> tuple[list[Member], list[float | None]]:
        if given is not None:
            return [dict(one) for one in given], [self._until] * len(given)
        until = cast(float, self._until)
        self.prepared, known = with_threads(self.prepared, self.pool, until)
        members, ends = chosen_members(self.prepared, self.pool, until, known)
        return members, list(ends)

    def _config(self, limit: float | None) -> Config:
        """Give the config with everything settled: of the first network, and what others have otherwise under them."""
        members = [stage.spec(beside=self._foremost.config) for stage in self.stages]
        own = {"model": {"type": "ensemble", "members": members}, "train.seed": self.prepared.config.train.seed}
        return with_values(self._foremost.config, {**own, "train.time": limit})

    @property
    def _foremost(self) -> Experiment:
        """The training that says for all what they have in common."""
        return self.stages[foremost([stage.member for stage in self.stages])].experiment

    @property
    def steps(self) -> int:
        """Updates made, of all networks."""
        return sum(stage.steps for stage in self.stages)

    def add_terms(self, terms: Mapping[str, str]) -> None:
        """Refuse checkpoints that were made under other terms."""
        for stage in self.stages:
            stage.experiment.add_terms(terms)

    def resume(self) -> None:
        """Go on from where the process was killed: in the middle of a stage, or between two."""
        for stage in self.stages:
            stage.experiment.resume()

    def run(self) -> Outcome:
        """Train every member, blend them, and score the rows."""
        with self._computing():
            outcome = self.trained()
            score_all(outcome, started=self.started, limit=self.prepared.config.train.time)
        return outcome

    def _computing(self) -> AbstractContextManager[None]:
        count = self.prepared.config.train.threads
        return threads(default_threads() if count == "auto" else int(count))

    def trained(self) -> Outcome:
        """Train every member, blend them, and score the rows that they did not learn; the test rows are not read."""
        for stage in self.stages:
            stage.run()
        if self._dealt is not None and any(map(self._hurried, self.stages)):
            self._fall_back()
        elif self._dealt is not None:
            self._use_rest()
        answers, rows = answers_of(kinds_of(self.stages))
        truth = self.pool.rows.target.numpy()[rows]
        weights = greedy_weights(answers, truth)
        mixed = blend(answers, weights)
        heat = 1.0 if self.prepared.target.task == "regression" else temperature(mixed, truth)
        main = self.stages.index(kinds_of(self.stages)[int(weights.argmax())][0])
        outcome = self._outcome(self._blended(weights, heat), main)
        outcome.scores["valid"] = self._scores(mixed, truth, heat)
        return outcome

    def _hurried(self, stage: Stage) -> bool:
        """Whether the clock ended a stage, or left it a quarter of the updates that it needs."""
        name = stage.member["type"]
        if stage.cut or name not in ARCHITECTURES or stage.experiment.trainer.stopping.exhausted:
            return stage.cut
        shortened = stage.member["train"]["epochs"] < member_of(self.prepared, name, 1)["train"]["epochs"]
        epoch = stage.experiment.trainer.epoch_steps or 1
        wanted = epoch * epochs_of(name, self.prepared.rows["train"], epoch)[0]
        return bool(shortened) and stage.steps < wanted / 4

    def _use_rest(self) -> None:
        """Train more members of what counts the most, and such of other settings, in the time that is left."""
        planned, made = list(self.stages), len(self.stages)
        while member := self._more():
            # A seed by its own number: of those before, not all are kept.
            seed = (self.prepared.config.train.seed + made) % 2**32
            stage = self._stage({**member, "train": {**member["train"], "seed": seed}}, place=made, until=self._until)
            made += 1
            stage.run()
            if stage.cut:
                stage.forget()
                break
            self.stages.append(stage)
            if not any(alike(stage.member, one.member) for one in planned):
                self._tried[stage.member["type"]] += 1
                self._drop(poorer_variants(kinds_of(self.stages), self._losses()))
        unused = [kind for kind, weight in zip(kinds_of(self.stages), self._weights(), strict=True) if not weight]
        self._drop([kind for kind in unused if not any(alike(kind[0].member, one.member) for one in planned)])

    def _drop(self, kinds: Kinds) -> None:
        """Forget networks that are of no use in the blend."""
        for stage in [stage for kind in kinds for stage in kind]:
            stage.forget()
            self.stages.remove(stage)

    def _losses(self) -> list[float]:
        """Give the loss of each kind of network alone."""
        answers, rows = answers_of(kinds_of(self.stages))
        truth = self.pool.rows.target.numpy()[rows]
        return [mean_loss(said, truth) for said in answers]

    def _weights(self) -> Array:
        answers, rows = answers_of(kinds_of(self.stages))
        return greedy_weights(answers, self.pool.rows.target.numpy()[rows])

    def _more(self) -> Member | None:
        variants = variants_of(self.prepared.rows["train"])
        scoring = sum(stage.scoring(self.prepared.rows["test"]) for stage in self.stages)
        left = cast(float, self._until) - time.monotonic() - scoring
        weights = self._weights().tolist()
        return more_members(kinds_of(self.stages), weights, self.pool, left, variants, self._tried)

    def _fall_back(self) -> None:
        """Keep a linear model alone where the clock ended networks so early that it is clearly better."""
        answers, rows = answers_of(kinds_of(self.stages))
        truth = self.pool.rows.target.numpy()
        mixed = blend(answers, greedy_weights(answers, truth[rows]))
        plain = Stage(self.prepared, self.pool, hasty_member(self.prepared, len(self.pool.folds)), 0)
        plain.run()
        values, ids = held_out([plain])
        common = np.intersect1d(rows, ids)
        if clearly_better(values[np.isin(ids, common)], mixed[np.isin(rows, common)], truth[common]):
            # A resumed run would go on from them, and it is the linear model that it has to train then.
            for stage in self.stages:
                stage.forget()
            self.stages = [plain]

    def _blended(self, weights: Array, heat: float) -> Ensemble:
        first = self._foremost
        members = [stage.network() for stage in self.stages]
        self.options = {"members": members, "kind": first.loss.entry.kind(first.outputs)}
        module = Ensemble(first.inputs, first.outputs, **self.options)
        for network, stage in zip(module.networks, self.stages, strict=True):
            network.load_state_dict(stage.experiment.module.state_dict())
        module.weights.copy_(torch.from_numpy(self._shares(weights)))
        module.temperature.fill_(heat)
        return module.to(first.trainer.recipe.device).eval()

    def _shares(self, weights: Array) -> Array:
        """Give each stage its part of the weight of its kind, by its members."""
        shares = np.zeros(len(self.stages))
        for weight, kind in zip(weights, kinds_of(self.stages), strict=True):
            for stage in kind:
                shares[self.stages.index(stage)] = weight * stage.bag.members / sum(one.bag.members for one in kind)
        return shares

    def _scores(self, mixed: Array, truth: Array, heat: float) -> Scores:
        """Score what members said of rows that they did not learn."""
        target = self.prepared.target
        if target.task == "regression":
            truth, predicted = target.decode(truth), target.decode(mixed)
        else:
            predicted = softmax(np.log(np.clip(mixed, 1e-300, None)) / heat, axis=1)
        return Scores(all_scores(target.task, truth, predicted), truth, predicted)

    def _outcome(self, module: Ensemble, main: int) -> Outcome:
        first, weightiest = self._foremost, self.stages[main].experiment
        trainer = weightiest.trainer
        trainer.history.meta["task"] = self.prepared.target.task
        trainer.history.meta["ensemble"] = True
        if trainer.weights.best is not None:
            trainer.history.meta["best_epoch"] = trainer.stopping.best_epoch
        trainer.conclude()
        config = self._config(None)
        model = self._model(module, main)
        return Outcome(
            prepared=self.prepared,
            config=config,
            predictor=self.prepared.predictor(module, first.loss.spec(), config),
            history=trainer.history,
            findings=[*self.prepared.findings, *self._short_time(), *diagnose(trainer.history)],
            model=model,
            notes=[*self.prepared.notes, f"Trained: {model['summary']}."],
        )

    def _model(self, module: Ensemble, main: int) -> dict[str, Any]:
        first = self._foremost
        inputs = first.inputs
        shares = dict(zip(self.stages, module.weights.tolist(), strict=True))
        judged = "each judged on rows it did not learn" if self.pool.crossed else "judged on the validation rows"
        return {
            "type": "ensemble",
            "options": self.options,
            "summary": f"ensemble of {listed(kinds_of(self.stages), shares)}, {judged}",
            "inputs": {"numeric": inputs.numeric, "cardinalities": list(inputs.cardinalities)},
            "outputs": first.outputs,
            "loss": first.loss.spec(),
            "versions": versions(),
            "parameters": sum(weight.numel() for weight in module.parameters()),
            "known_rows": known_rows(module),
            "steps": self.steps,
            "best_epoch": self.stages[main].experiment.trainer.stopping.best_epoch or None,
        }

    def _short_time(self) -> list[Finding]:
        """Say it where time was dealt, and was enough for a linear model alone."""
        if self._dealt is None or any(stage.member["type"] != "linear" for stage in self.stages):
            return []
        return [linear_instead(self._dealt)]


def _refuse_wrong_members(config: Config) -> None:
    chosen = MODELS.choose(model_spec(config))
    chosen.entry.settle(chosen.options, "value")
