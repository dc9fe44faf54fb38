"""What only short trainings can tell of images: whether mirroring helps, and how many epochs the time allows.

All is decided once, before training, and written into the config: a resumed or replayed run repeats them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from wellfit.augmentation import pipeline_of
from wellfit.config import model_spec, with_values
from wellfit.data.image_rows import ImageRows
from wellfit.image_views import VIEWS_AT_MOST, views_cost
from wellfit.losses import LOSSES, default_loss
from wellfit.models import MODELS, Occasion
from wellfit.models.convnet import ConvNet
from wellfit.models.image_inputs import ImageInputs
from wellfit.prepared_images import PreparedImages
from wellfit.runtime import default_threads, keyed_seed, reseed, resolve_device, restored_random_state, threads
from wellfit.short_time import linear_instead, too_few_updates
from wellfit.training import FitOptions, make_trainer, settle

__all__ = ["augmentations_to_try", "decided", "decided_for_search", "default_augmentation", "mirror_verdict"]

_TRAINED, _JUDGED = 6000, 3000
"""Images that the trial trains on, and of each split at the most."""
_PASSES = 4
_SIDE = 32
"""Pixels of a side that the trial sees at the most."""
_SURE = 1.64
"""Standard errors by which mirroring must be worse: chance does that in one trial of twenty."""
_FEWEST = 200
"""Training images below which a trial tells nothing."""
_SHORTEST = 30.0
"""Seconds of a time limit below which there is no time for a trial."""
_SHARE = 0.06
"""The share of a time limit that each of the two trainings may take."""
_SMALL = 64
"""Pixels of a side up to which images are shifted; larger ones are cropped."""
_TIMED = 12
"""Updates that are timed."""
_FEWEST_TIMED = 3
_TIMING_SHARE = 0.03
"""The share of the time left that timing may take."""
_LONG = 20
"""Epochs from which on parts of images are painted over: before, there is little to be learnt by heart."""
_ENOUGH = 60
"""Epochs after which more of them bring less than a wider network does."""
_WIDER = 2
_MARGIN = 0.9
"""The share of the time that is planned for: other work on the machine slows some updates."""
_REST = 4.0
"""Seconds for baselines and the report."""
_TRAININGS = 12
"""Whole trainings that a search has time for: about seven that search, four that prove, and the final one."""


def decided(prepared: PreparedImages, started: float) -> PreparedImages:
    """Settle augmentation, epochs and the network's width where they were left open.

    Args:
        prepared: the images.
        started: when the command began, on `time.monotonic`'s clock: a time limit counts from there.
    """
    limit = prepared.config.train.time
    until = None if limit is None else started + limit
    made = _decided(prepared, limit, lambda held: _paced(held, until or 0.0))
    return replace(made, until=until)


def decided_for_search(prepared: PreparedImages, *, total: float | None, each: float | None) -> PreparedImages:
    """Settle augmentation and epochs once, for all trainings of a search.

    Args:
        prepared: the images.
        total: seconds of the whole search, or None.
        each: seconds that one training may take at the most, or None.
    """
    seconds = [end for end in (each, None if total is None else total / _TRAININGS) if end is not None]
    limit = each if total is None else total
    return _decided(prepared, limit, lambda held: _paced_for_search(held, min(seconds)))


Pace = Callable[[PreparedImages], tuple[PreparedImages, str]]


def _decided(prepared: PreparedImages, limit: float | None, pace: Pace) -> PreparedImages:
    """Settle what was left open; ``pace`` plans the epochs where time is limited."""
    notes: list[str] = []
    augment_open = prepared.config.train.augment == "auto"
    mirror = False
    if augment_open:
        mirror, note = _mirror(_with(prepared, {"train.time": limit}))
        notes.append(note)
        prepared = _with(prepared, {"train.augment": default_augmentation(prepared.inputs, 1, mirror=mirror)})
    if limit is not None and prepared.epochs_open:
        prepared, note = pace(prepared)
        notes.append(note)
    if augment_open and prepared.config.train.augment != "none":
        chosen = default_augmentation(prepared.inputs, prepared.config.train.epochs, mirror=mirror)
        prepared = _with(prepared, {"train.augment": chosen})
    return replace(prepared, notes=(*prepared.notes, *notes))


def _with(prepared: PreparedImages, values: Mapping[str, Any]) -> PreparedImages:
    return replace(prepared, config=with_values(prepared.config, values))


def default_augmentation(inputs: ImageInputs, epochs: int, *, mirror: bool) -> dict[str, Any]:
    """Give what is done to images of a size where nothing was said.

    >>> default_augmentation(ImageInputs(channels=1, height=28, width=28), 12, mirror=False)
    {'translate': 2}
    """
    chosen: dict[str, Any] = {"flip": True} if mirror else {}
    if inputs.side <= _SMALL:
        chosen["translate"] = max(1, round(inputs.side / 14))
    else:
        chosen["crop"] = {"least": 0.35}
    if epochs >= _LONG:
        chosen["cutout"] = {"size": max(2, round(inputs.side * 2 / 7)), "share": 0.5}
    return chosen


def augmentations_to_try(inputs: ImageInputs, usual: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what is done to images of a size, without and with one thing more at a time, the usual first.

    >>> augmentations_to_try(ImageInputs(channels=1, height=28, width=28), {"translate": 2})[:3]
    [{'translate': 2}, {}, {'translate': 2, 'rotate': 10.0}]
    """
    more: dict[str, Any] = {"rotate": 10.0}
    if inputs.channels > 1:
        more["jitter"] = 0.3
    more |= {"cutout": {"size": max(2, round(inputs.side * 2 / 7)), "share": 0.5}, "mixup": 0.2, "cutmix": 0.5}
    kept = dict(usual)
    return [kept, *([{}] if kept else []), *({**kept, name: value} for name, value in more.items() if name not in kept)]


def _mirror(prepared: PreparedImages) -> tuple[bool, str]:
    """Say whether mirrored images are used, and why."""
    verdict = mirror_verdict(prepared)
    if verdict is None:
        return (
            False,
            "Mirrored images were not tried: there are too few images or too little time to tell. They are left out.",
        )
    said = "They are used" if verdict.helps else "They are left out"
    note = (
        f"Mirrored images were tried in a short training: {verdict.mirrored:.1%} of {verdict.rows:,} validation images "
        f"right with them, {verdict.plain:.1%} without. {said}."
    )
    return verdict.helps, note


class Verdict(NamedTuple):
    """What the trial of mirrored images said: shares of validation images that were right."""

    plain: float
    mirrored: float
    rows: int
    helps: bool


def mirror_verdict(prepared: PreparedImages) -> Verdict | None:
    """Train a small network briefly with mirrored images and without, from one start, and compare them in pairs.

    Mirroring is given up where it is worse beyond chance: McNemar's statistic, (b - c) / sqrt(b + c) for the b images
    that only the plain training gets right and the c that only the mirrored one does, is 1.64 or more.
    """
    limit = prepared.config.train.time
    rows, held = prepared.batches("train"), prepared.batches("valid")
    if prepared.target.task == "regression" or (limit is not None and limit < _SHORTEST) or len(rows.places) < _FEWEST:
        return None
    train, valid = _reduced(rows, _TRAINED), _reduced(held, _JUDGED)
    allowed = None if limit is None else _SHARE * limit
    plain = _right(prepared, train, valid, mirror=False, allowed=allowed)
    mirrored = None if plain is None else _right(prepared, train, valid, mirror=True, allowed=allowed)
    if plain is None or mirrored is None:
        return None
    lost, won = int((plain & ~mirrored).sum()), int((mirrored & ~plain).sum())
    worse = (lost - won) / math.sqrt(max(lost + won, 1)) >= _SURE
    return Verdict(float(plain.mean()), float(mirrored.mean()), len(plain), not worse)


def _reduced(rows: ImageRows, most: int) -> ImageRows:
    """Give some of the rows, their images at most 32 pixels wide and high."""
    places = rows.places[:most]
    pixels = rows.pixels[places]
    size = (min(_SIDE, pixels.shape[2]), min(_SIDE, pixels.shape[3]))
    if size != tuple(pixels.shape[2:]):
        small = [nn.functional.adaptive_avg_pool2d(part.float(), size).round() for part in pixels.split(256)]
        pixels = torch.cat(small).to(torch.uint8)
    return replace(rows, pixels=pixels, places=torch.arange(len(places)), target=rows.target[:most], augment=None)


def _right(
    prepared: PreparedImages, train: ImageRows, valid: ImageRows, *, mirror: bool, allowed: float | None
) -> np.ndarray[Any, Any] | None:
    """Train briefly, and say which validation images are right; None where that takes more seconds than allowed."""
    _, channels, height, width = train.pixels.shape
    inputs = ImageInputs(channels=channels, height=height, width=width)
    task, seed = prepared.target.task, prepared.config.train.seed
    sample = train.scale.scaled(train.pixels[:1000])
    with restored_random_state():
        reseed(keyed_seed(seed, "trial"))
        outputs = LOSSES[default_loss(task)].outputs(task, len(prepared.target.classes))
        module = ConvNet(replace(inputs, sample=sample), outputs, widths=(16, 32, 32))
        chosen = default_augmentation(inputs, 1, mirror=mirror)
        options = FitOptions(
            loss=default_loss(task),
            optimizer="adam",
            lr=0.005,
            batch_size=64,
            epochs=_PASSES,
            schedule="cosine",
            seed=seed,
            doctor="off",
            device="cpu",
        )
        rows = replace(train, augment=pipeline_of(chosen))
        until = None if allowed is None else time.monotonic() + allowed
        trainer = make_trainer(module, rows, None, settle(module, rows, options, has_valid=False), until=until)
        trainer.run()
        if trainer.position.step < (trainer.total_steps or 0):
            return None
        with torch.inference_mode():
            said = torch.cat([module(*batch.inputs) for batch in valid.walk(256)])
    guess = said.argmax(1) if said.shape[1] > 1 else (said[:, 0] > 0).long()
    return np.asarray((guess == valid.target).numpy())


def _paced(prepared: PreparedImages, until: float) -> tuple[PreparedImages, str]:
    """Plan as many epochs as fit into the time; where they are more than enough, a wider network has fewer."""
    epochs, seconds = _affordable(prepared, until)
    if epochs > _ENOUGH and prepared.width_open:
        wide = _with(prepared, {"model.widths": [_WIDER * width for width in prepared.config.model["widths"]]})
        fewer, longer = _affordable(wide, until)
        if fewer >= _ENOUGH // 2:
            prepared, epochs, seconds = wide, fewer, longer
    steps = prepared.batches("train").steps(int(prepared.config.train.batch_size))
    # Of an epoch that does not fit, the updates that do.
    found = too_few_updates(max(1, int(epochs * steps)))
    if found and prepared.network_open:
        return _linear(prepared, until)
    whole = max(1, int(epochs))
    note = f"An epoch was measured to take {seconds:.1f} s: {whole:,} fit into the time."
    return replace(_with(prepared, {"train.epochs": whole}), findings=(*prepared.findings, *found)), note


def _linear(prepared: PreparedImages, until: float) -> tuple[PreparedImages, str]:
    """Give a linear model in the network's place, with as many of its epochs as fit."""
    config = prepared.config
    occasion = Occasion(task=prepared.target.task, rows=prepared.rows["train"], metric=config.train.metric)
    recipe = MODELS["linear_pixels"].recipe(occasion)
    plain = _with(prepared, {"model": {"type": "linear_pixels"}, **recipe, "train.augment": "none"})
    fitting, seconds = _affordable(plain, until)
    epochs = min(max(1, int(fitting)), plain.config.train.epochs)
    note = f"There is no time for a network. An epoch of a linear model was measured to take {seconds:.2f} s."
    found = linear_instead(float(config.train.time or 0.0))
    return replace(_with(plain, {"train.epochs": epochs}), findings=(*prepared.findings, found)), note


def _paced_for_search(prepared: PreparedImages, seconds: float) -> tuple[PreparedImages, str]:
    """Plan as many epochs as fit into the time of one training, and no more than there would be without a limit."""
    fitting, took = _affordable(prepared, time.monotonic() + seconds, rest=0.0)
    epochs = min(max(1, int(fitting)), prepared.config.train.epochs)
    note = f"An epoch was measured to take {took:.1f} s: a training of the search has {epochs:,}."
    return _with(prepared, {"train.epochs": epochs}), note


def _affordable(prepared: PreparedImages, until: float, *, rest: float = _REST) -> tuple[float, float]:
    """Give the epochs that fit into the time left, and the seconds of one, from the cost of a few updates.

    Below 1 a part of one fits. ``rest`` are seconds that are needed afterwards.
    """
    rows, held = prepared.batches("train"), prepared.rows
    size = int(prepared.config.train.batch_size)
    update = _update_seconds(prepared, rows, size, most=_TIMING_SHARE * (until - time.monotonic()))
    # A forward pass is a third of an update's work, and is made in full precision.
    forward = update / size / 2.0
    epoch = update * rows.steps(size) + forward * held["valid"]
    scores = forward * VIEWS_AT_MOST * (held["valid"] + held["test"]) + forward * views_cost(held["valid"])
    left = until - time.monotonic()
    return max(0.0, _MARGIN * left - scores - rest) / epoch, epoch


def _update_seconds(prepared: PreparedImages, rows: ImageRows, size: int, most: float) -> float:
    """Time forward and backward passes of a fresh network, a few or until ``most`` seconds; the later ones' median."""
    config, target = prepared.config, prepared.target
    loss = LOSSES.choose(default_loss(target.task)) if config.train.loss == "auto" else LOSSES.choose(config.train.loss)
    outputs = loss.entry.outputs(target.task, len(target.classes))
    made = loss.entry.make(**loss.options)
    chosen = MODELS.choose(model_spec(config))
    with restored_random_state():
        module = chosen.entry.make(prepared.inputs, outputs, **chosen.options)
    device = resolve_device(config.train.device)
    module.to(device).train()
    rows = rows.to(device)
    half = config.train.precision == "bfloat16" or (config.train.precision == "auto" and device.type == "cuda")
    seconds = []
    threads_used = default_threads() if config.train.threads == "auto" else int(config.train.threads)
    with threads(threads_used):
        began = time.perf_counter()
        for batch in islice(rows.epoch(batch_rows=size, seed=0, epoch=0), _TIMED):
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
                total, weight = made.total(module(*batch.inputs), made.prepare(batch.target, outputs), batch.weight)
            (total / weight).backward()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - began)
            if len(seconds) >= _FEWEST_TIMED and sum(seconds) > most:
                break
            began = time.perf_counter()
    return float(np.median(seconds[len(seconds) // 3 :]))
