"""How long one network of a table learns within a time limit: so long that its schedule comes to its end."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TypeVar

from wellfit.bagging.cost import CAREFUL, EXACT, FEWEST_SECONDS, TRIED_SECONDS, WHOLE, Cost, Watch, trial
from wellfit.config import Config, with_values
from wellfit.config.recipes import given_settings
from wellfit.experiment import Experiment
from wellfit.prepared import Prepared

__all__ = ["paced"]

P = TypeVar("P", bound=Prepared)

_FORWARD = 0.4
"""What answering a row takes of what learning from it does: 0.25 for RealMLP, 0.43 for TabM, as bfloat16 is for updates
alone."""
_SETTLED = ("epochs", "epoch_steps", "steps")
"""Keys of ``train`` by which a person says how long a network learns."""


def paced(prepared: P, asked: Config, started: float) -> P:
    """Give fewer epochs, or epochs of a part of the rows, where the recipe's would not end within the time limit.

    Cut by the clock at a high rate, a network is worse than one of fewer updates whose rate went down. What a person
    said of the length stays.

    Args:
        prepared: The rows, and the config with the recipe of the network.
        asked: The config as the person gave it.
        started: When the command began, on `time.monotonic`'s clock.
    """
    config, given = prepared.config, given_settings(asked).get("train", {})
    if config.train.time is None or any(key in given for key in _SETTLED) or _sweeps(config):
        return prepared
    until = started + config.train.time - Experiment.reserve(config.train.time)
    if until - time.monotonic() < FEWEST_SECONDS:
        return prepared
    cost, answering = _measured(prepared, until)
    seconds = CAREFUL * (until - time.monotonic() - answering)
    affordable = cost.affordable(seconds)
    if affordable >= config.train.epochs or seconds <= 0.0:
        return prepared
    took = f"{cost.epoch:,.1f}" if cost.epoch >= 1.0 else f"{cost.epoch:.3f}"
    note = f"An epoch of all rows was measured to take {took} s"
    if affordable >= WHOLE or cost.steps < WHOLE:
        epochs = max(1, int(affordable))
        values, note = {"train.epochs": epochs}, f"{note}: {epochs:,} fit into the time."
    else:
        epochs, steps = cost.parts(seconds)
        values = {"train.epochs": epochs, "train.epoch_steps": steps}
        note = f"{note}: {epochs} of {steps:,} updates each fit into the time."
    return replace(prepared, config=with_values(config, values), notes=(*prepared.notes, note))


def _sweeps(config: Config) -> bool:
    """Whether a sweep finds the rate, which would be made twice."""
    return bool(config.train.optimizer.get("lr") == "find")


def _measured(prepared: Prepared, until: float) -> tuple[Cost, float]:
    """Measure a few updates of a throwaway network; give the cost, and the seconds that the scores will take."""
    watch = Watch()
    experiment = Experiment(replace(prepared, config=trial(prepared.config)), callbacks=[watch])
    trainer = experiment.trainer
    # Of very many held-out rows one validation could take all of the time.
    trainer.valid = None
    trainer.deadline = min(until, time.monotonic() + TRIED_SECONDS)
    trainer.run()
    recipe, rows = trainer.recipe, prepared.rows
    answer = _FORWARD * watch.update / (recipe.batch_rows * recipe.accumulate)
    cost = Cost(update=watch.update, validation=answer * rows["valid"], steps=trainer.epoch_steps or 1)
    exact = EXACT if recipe.bfloat16 else 1.0
    return cost, exact * answer * (rows["valid"] + rows["test"])
