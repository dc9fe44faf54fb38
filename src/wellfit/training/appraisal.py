"""How good the kept weights are: figures of training and validation rows with intervals, beside baselines.

Legend: a figure is a list ``[value, low, high]`` of a number and its 95 % interval; of ``loss`` and ``rmse`` less is
better, of the others more. A lead is a baseline's figure less the network's, on the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from wellfit.data.batches import Batch, Batches
from wellfit.runtime import restored_random_state, threads
from wellfit.training.constant_guess import constant_output
from wellfit.training.decoding import Decoder, decoder_of
from wellfit.training.glimpse import Glimpse, glimpse
from wellfit.training.quick_learners import Design, Guesses, kernel_guesses, linear_guesses
from wellfit.training.recipe import Recipe
from wellfit.training.resampling import Draws, Sample, interval

__all__ = ["appraise", "judged"]

Record = dict[str, Any]
Learner = Callable[[Tensor, Tensor, Tensor], Guesses]

TOO_FEW = 16
"""Rows of which a 95 % interval of an accuracy spans half of its range; an iterator that ran out has two."""
FITTED_ROWS = 1024
"""Training rows that baselines are fitted to: the cost of the reference grows with their third power. Where several
networks learn side by side there is a baseline for each, of as many rows as cost the same in all."""
MOST_RECALLS = 100
"""Classes of which each gets a recall of its own."""
MISSED = 0.5
"""Recall below which more of a class's rows are missed than found."""
NEAR_PERFECT = 0.98
"""A validation figure at which no baseline can be ahead by enough to matter."""


def appraise(module: nn.Module, rows: Batches, held: Batches | None, recipe: Recipe) -> Record:
    """Judge a trained module: `glimpse` and `judged` at once.

    Args:
        module: in it are the weights that the run keeps.
        rows: the training rows, their targets as the loss wants them.
        held: the validation rows; None where all rows train.
        recipe: how it was trained.

    Returns:
        What `wellfit.diagnosis.verdict` reads, as JSON holds it: ``task``, ``main`` (the figure that is judged),
        ``train`` and ``valid`` (``rows``, ``figures``, for classes ``counts`` and ``recall``), ``gap``, and of the
        baselines ``constant``, ``linear`` and ``reference`` their ``figures`` and ``lead``, or why they were
        ``skipped``; ``kept_best`` says whether the weights are those of the best epoch. Where answers are hardly
        better than a constant guess's, ``auc`` is among the figures: what is ranked right may show in no answer. Where
        a class is missed, ``foremost`` has for each class how many of the rows that score highest for it are of it, and
        how many those are.
        What fails is noted under ``failed``; the training it looks at is never harmed.
    """
    return judged(glimpse(module, rows, held, recipe)(), recipe)


def judged(seen: Glimpse, recipe: Recipe) -> Record:
    """Judge what was seen, beside baselines; see `appraise`."""
    record: Record = {}
    try:
        if seen.failed is not None:
            raise seen.failed
        with restored_random_state(), threads(recipe.threads), torch.no_grad():
            _appraise(record, seen, recipe)
    except Exception as error:
        _note(record, "appraisal", error)
    return record


def _note(record: Record, part: str, error: Exception) -> None:
    """Note what failed: a baseline that can't be had must not end a training that went well."""
    text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    record.setdefault("failed", {})[part] = text


@dataclass
class _Part:
    """Sampled rows and what the network says of them."""

    batch: Batch
    output: Any
    sample: Sample
    losses: tuple[Any, Any]
    """Sums of losses and of weights by block."""
    figures: dict[str, Draws]
    foremost: list[list[int]] | None = None
    """Where a class is missed."""


def _appraise(record: Record, seen: Glimpse, recipe: Recipe) -> None:
    assert seen.train is not None
    batch, output = seen.train
    if batch.rows < TOO_FEW:
        record["skipped"] = f"{batch.rows} training rows at hand are too few to judge by"
        return
    beside = seen.valid
    # A class may stand in the validation rows alone.
    targets = [batch.target] if beside is None else [batch.target, beside[0].target]
    decoder = decoder_of(recipe.loss, output, torch.cat(targets)) if isinstance(output, Tensor) else None
    record["task"] = "other" if decoder is None else "classification" if decoder.classes else "regression"
    record["main"] = {"other": "loss", "classification": "accuracy", "regression": "r2"}[record["task"]]
    record["kept_best"] = beside is not None and recipe.restore_best
    train = _part(batch, output, decoder, recipe, seed=0)
    valid = None if beside is None else _part(*beside, decoder, recipe, seed=1)
    _rank([train] if valid is None else [train, valid], decoder)
    record["train"] = _described(train, decoder)
    if valid is not None:
        record["valid"] = _described(valid, decoder)
        with np.errstate(invalid="ignore"):
            record["gap"] = {name: interval(draws - valid.figures[name]) for name, draws in train.figures.items()}
    if decoder is None:
        return
    parts = {"train": train} if valid is None else {"train": train, "valid": valid}
    _tried(record, "constant", partial(_constant, parts, decoder, recipe))
    fitted, scored = _dealt(train, valid, decoder, recipe)
    record["scored"] = "train" if valid is None else "valid"
    for name, learner in (("linear", linear_guesses), ("reference", kernel_guesses)):
        reason = _needless(record, scored)
        if reason:
            record[name] = {"skipped": reason}
        else:
            _tried(record, name, partial(_baseline, learner, fitted, scored, decoder, seen.members))


def _tried(record: Record, name: str, work: Callable[[], Record]) -> None:
    try:
        record[name] = work()
    except Exception as error:
        _note(record, name, error)


def _strided(output: Any, first: int, step: int) -> Any:
    if isinstance(output, Tensor):
        return output[first::step]
    if isinstance(output, Mapping):
        return {name: _strided(part, first, step) for name, part in output.items()}
    return tuple(_strided(part, first, step) for part in output)


def _part(batch: Batch, output: Any, decoder: Decoder | None, recipe: Recipe, *, seed: int) -> _Part:
    truth = np.zeros((batch.rows, 1)) if decoder is None else decoder.truth(batch.target)
    sample = Sample(truth, 0 if decoder is None else decoder.classes, seed)
    losses = _block_losses(output, batch, sample.blocks, recipe)
    figures = {"loss": sample.means(*losses)}
    if decoder is not None:
        figures |= sample.figures(decoder.guess(output))
    return _Part(batch, output, sample, losses, figures)


def _rank(parts: list[_Part], decoder: Decoder | None) -> None:
    """Add what ranks tell, where the answers to the last part's rows are a constant guess's or miss a class."""
    if decoder is None or not decoder.classes:
        return
    found = [decoder.scores(part.output) for part in parts]
    hardly, misses = _hardly_answers(parts[-1]), _misses_one(parts[-1], decoder)
    for part, scores in zip(parts, found, strict=True):
        if hardly and scores is not None:
            part.figures["auc"] = part.sample.auc(scores)
        if misses and scores is not None:
            part.foremost = part.sample.foremost(scores)


def _misses_one(part: _Part, decoder: Decoder) -> bool:
    if not 0 < decoder.classes <= MOST_RECALLS:
        return False
    recalls = part.sample.recalls(decoder.guess(part.output))
    return any(value is not None and value < MISSED for value, _, _ in recalls)


def _hardly_answers(part: _Part) -> bool:
    """Whether the balanced accuracy is not above a constant guess's by two half-widths of its 95 % interval."""
    value, low, _ = interval(part.figures["balanced_accuracy"])
    there = sum(count > 0 for count in part.sample.counts())
    return value is not None and low is not None and value - 2 * (value - low) <= 1 / max(1, there)


def _block_losses(output: Any, batch: Batch, blocks: int, recipe: Recipe) -> tuple[Any, Any]:
    sums, weights = np.zeros(blocks), np.zeros(blocks)
    for block in range(blocks):
        weight = None if batch.weight is None else batch.weight[block::blocks]
        total, count = recipe.loss.total(_strided(output, block, blocks), batch.target[block::blocks], weight)
        sums[block], weights[block] = float(total), float(count)
    return sums, weights


def _described(part: _Part, decoder: Decoder | None) -> Record:
    figures = {name: interval(draws) for name, draws in part.figures.items()}
    record: Record = {"rows": part.sample.rows, "figures": figures}
    if decoder is not None and 0 < decoder.classes <= MOST_RECALLS:
        record |= {"counts": part.sample.counts(), "recall": part.sample.recalls(decoder.guess(part.output))}
    if part.foremost is not None:
        record["foremost"] = part.foremost
    return record


def _constant(parts: Mapping[str, _Part], decoder: Decoder, recipe: Recipe) -> Record:
    """Score the best constant output of the training rows, and the guess of the most frequent class or the mean."""
    train = parts["train"]
    best = constant_output(recipe.loss, decoder, train.batch.target, train.output.shape[1:])
    if decoder.classes:
        guess = np.full((1,), np.bincount(train.sample.truth, minlength=decoder.classes).argmax())
    else:
        guess = train.sample.truth.mean(0, keepdims=True)
    record: Record = {}
    for name, part in parts.items():
        figures = part.sample.figures(np.repeat(guess, part.sample.rows, 0))
        if best is not None:
            output = best.expand(part.sample.rows, *best.shape)
            losses = _block_losses(output, part.batch, part.sample.blocks, recipe)
            figures["loss"] = part.sample.means(*losses)
        if "auc" in part.figures:
            figures["auc"] = np.full_like(part.figures["auc"], 0.5)
        record[name] = _compared(figures, part.figures)
    return record


def _compared(figures: Mapping[str, Draws], own: Mapping[str, Draws]) -> Record:
    return {
        "figures": {name: interval(draws) for name, draws in figures.items()},
        "lead": {name: interval(draws - own[name]) for name, draws in figures.items()},
    }


def _needless(record: Record, scored: _Part) -> str:
    """Say why no further baseline is needed; empty where one is."""
    value = scored.figures[record["main"]][0]
    # Where a class is rare, an accuracy that is near perfect may be a constant guess's.
    least = min(value, scored.figures.get("balanced_accuracy", [value])[0])
    if least >= NEAR_PERFECT:
        return f"the {record['main']} of {value:.3f} leaves nothing to gain"
    return ""


def _dealt(train: _Part, valid: _Part | None, decoder: Decoder, recipe: Recipe) -> tuple[_Part, _Part]:
    """Give the rows that baselines are fitted to, and those they are scored on.

    Without validation rows they are one half of the training rows and the other.
    """
    if valid is not None:
        return train, valid
    halves = []
    for first in (0, 1):
        weight = None if train.batch.weight is None else train.batch.weight[first::2]
        inputs = tuple(part[first::2] for part in train.batch.inputs)
        batch = Batch(inputs, train.batch.target[first::2], weight)
        halves.append(_part(batch, _strided(train.output, first, 2), decoder, recipe, seed=2))
    _rank(halves, decoder)
    return halves[0], halves[1]


def _baseline(learner: Learner, fitted: _Part, scored: _Part, decoder: Decoder, members: int) -> Record:
    """Fit a learner to training rows; compare it on the scored rows, and on its own, guessed half from half.

    Of several networks side by side each has rows of its own, and so has the learner: a row that one is scored on is
    among those that another learned.
    """
    chosen, said = _learned(learner, fitted, scored, decoder, members)
    truth = fitted.sample.truth[chosen]
    sample = Sample(truth, decoder.classes, seed=3)
    beside = fitted.output[torch.from_numpy(chosen).to(fitted.output.device)]
    own = sample.figures(decoder.guess(beside))
    ranks = decoder.scores(beside)
    if "auc" in scored.figures and ranks is not None:
        own["auc"] = sample.auc(ranks)
    described = {
        "rows": len(chosen),
        **_compared(_said(scored.sample, said.others, own), scored.figures),
        "train": _compared(_said(sample, said.own, own), own),
    }
    if 0 < decoder.classes <= MOST_RECALLS:
        described["recall"] = scored.sample.recalls(said.others.argmax(1).numpy())
    if scored.foremost is not None:
        described["foremost"] = scored.sample.foremost(said.others.double().numpy())
        described["train"]["foremost"] = sample.foremost(said.own.double().numpy())
    return described


def _learned(
    learner: Learner, fitted: _Part, scored: _Part, decoder: Decoder, members: int
) -> tuple[npt.NDArray[np.int64], Guesses]:
    """Give the rows that the first learner was fitted to with what it says of them, and what all say of scored ones."""
    most = max(1, round(FITTED_ROWS / members ** (1 / 3)))
    rows, told = [], []
    for member in range(members):
        own = np.arange(member, fitted.sample.rows, members)
        chosen = own[np.linspace(0, len(own) - 1, min(most, len(own))).round().astype(np.int64)]
        inputs = [part.cpu()[torch.from_numpy(chosen)] for part in fitted.batch.inputs]
        truth = fitted.sample.truth[chosen]
        y = torch.from_numpy(np.eye(decoder.classes)[truth] if decoder.classes else truth).float()
        design = Design.fit(inputs)
        others = design.features([part.cpu()[member::members] for part in scored.batch.inputs])
        rows.append(chosen)
        told.append(learner(design.features(inputs), y, others))
    together = torch.stack([one.others for one in told], 1).flatten(0, 1)
    return rows[0], Guesses(told[0].own, together)


def _said(sample: Sample, said: Tensor, own: Mapping[str, Draws]) -> dict[str, Draws]:
    """Give the figures of what a learner says, those that the network has."""
    values = said.double().numpy()
    figures = sample.figures(values.argmax(1) if sample.classes else values)
    return {**figures, **({"auc": sample.auc(values)} if "auc" in own else {})}
