"""From a source of images to rows that a network can read; everything is learned on the training rows alone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import torch

from wellfit.config import Config, with_recipe, with_values
from wellfit.config.recipes import given_settings
from wellfit.data.cleaning import RowsLeft, TargetPlan, rows_without_target
from wellfit.data.cleaning.contract import ColumnContract
from wellfit.data.image_rows import PixelScale
from wellfit.data.sources import read_table
from wellfit.data.sources.lasting import secrets_kept_out
from wellfit.data.sources.web.headers import headers_kept_out, lasting_headers, reading_for
from wellfit.data.splitting import Split, split_rows
from wellfit.data.table import Images, Table, resolve_column
from wellfit.errors import ConfigError, DataError
from wellfit.findings import Finding
from wellfit.image_prediction import brightness
from wellfit.image_room import refuse_large_images
from wellfit.models import MODELS
from wellfit.preparation_findings import imbalance, misspelt, targets_missing
from wellfit.preparation_settings import dealt, lasting_source, method_of, target_spellings
from wellfit.prepared import sources_of
from wellfit.prepared_images import PreparedImages

__all__ = ["prepare_images", "with_image_network"]

SPLITS = ("train", "valid", "test")

_MOST_VALID = 5000
"""Validation rows taken from training images where the share was left open: accuracy is then known to 0.4 %."""


def prepare_images(config: Config, table: Table, data: Any = None) -> PreparedImages:
    """Split, and learn scale and target on the training rows; nothing is trained and nothing written.

    Raises:
        ConfigError: the model reads tables, or the target is no column.
        DataError: there is nothing to learn.
    """
    table = _with_own(config, table)
    images = table.images
    assert images is not None
    if config.data.weight is not None:
        raise ConfigError("Images all count alike.", got=f"data.weight {config.data.weight}", do="Leave it out.")
    network_open = given_settings(config).get("model", _TABLES_DEFAULTS[0]) == _TABLES_DEFAULTS[0]
    config = with_image_network(config)
    target = resolve_column(table.frame, "label" if config.data.target is None else config.data.target)
    left, rows, findings = _usable(table.frame, images, target, drop=config.clean.duplicates == "drop")
    split = _split(config, left.frame, target)
    frames = {name: left.frame[getattr(split, name)] for name in SPLITS}
    labels = frames["train"].get_column(target)
    if labels.dtype == pl.String:
        _refuse_one_class(labels, table.findings)
    plan = TargetPlan.fit(labels, _task(config, table, target), spellings=target_spellings(config, target))
    given = given_settings(config)
    epochs_open = "epochs" not in given.get("train", {})
    width_open = config.model["type"] == "convnet" and "widths" not in given.get("model", {})
    config = with_recipe(config, task=plan.task, rows=frames["train"].height)
    refuse_large_images(config, *images.pixels.shape[2:])
    places = torch.from_numpy(frames["train"].get_column("image").to_numpy().astype(np.int64))
    resolved = {
        **_lasting(config, from_source=data is None),
        "data.target": target,
        "data.task": plan.task,
        "data.header": True,
        "split.method": method_of(config, split),
        "train.precision": _precision(config),
        **_weights(config),
    }
    leaks = _straddling(frames, images) if config.clean.leaks == "warn" else []
    return PreparedImages(
        config=with_values(config, resolved),
        source=table.record,
        target=plan,
        frames=frames,
        images=images,
        scale=PixelScale.fit(images.pixels, places),
        epochs_open=epochs_open,
        width_open=width_open,
        network_open=network_open,
        contract=ColumnContract.learn(brightness(images.pixels, places)),
        rows={**rows, **{name: part.height for name, part in frames.items()}},
        findings=(*table.findings, *findings, *leaks, *misspelt(plan), *imbalance(plan)),
        set_aside=left.table(),
        notes=(*table.notes, *_kept_out(config), *split.notes, *_from_scratch(config)),
    )


def _refuse_one_class(labels: pl.Series, findings: Iterable[Finding]) -> None:
    """Say it in the words of folders, and name one that was meant to hold a second class."""
    kinds = labels.drop_nulls().unique()
    if len(kinds) != 1:
        return
    empty = next((str(found.evidence["example"]) for found in findings if found.code == "empty_class"), None)
    do = f"Put images into '{empty}'." if empty else "Put those of each class into a folder of its own."
    raise DataError("There must be images of at least two classes.", got=kinds[0], do=do)


def _lasting(config: Config, *, from_source: bool) -> dict[str, Any]:
    """Give the sources as a run keeps them; rows that were given stand for the first."""
    data = config.data
    return {
        "data.source": lasting_source(data.source) if from_source else data.source,
        "data.valid": lasting_source(data.valid),
        "data.test": lasting_source(data.test),
        "data.headers": lasting_headers(data.headers),
    }


def _kept_out(config: Config) -> list[str]:
    """Say which secrets the run does not keep."""
    sources = [config.data.source, config.data.valid, config.data.test]
    return [*secrets_kept_out(sources), *headers_kept_out(config.data.headers)]


_TABLES_DEFAULTS = ({"type": "ensemble"}, {"type": "mlp"})
"""What stands where no network was named."""


def with_image_network(config: Config) -> Config:
    """Take the network for images where none was named, and refuse one that reads tables.

    >>> with_image_network(Config()).model["type"]
    'convnet'

    Raises:
        ConfigError: the network that was named reads tables.
    """
    if given_settings(config).get("model", _TABLES_DEFAULTS[0]) in _TABLES_DEFAULTS:
        return with_values(config, {"model": {"type": "convnet"}})
    name = config.model["type"]
    if MODELS[name].reads != "images":
        others = [other for other, entry in MODELS.items() if entry.reads == "images"]
        rule = f"'{name}' reads tables, and the source holds images."
        raise ConfigError(rule, got=name, do=f"Try {' or '.join(others)}.")
    return config


def _weights(config: Config) -> dict[str, Any]:
    """Give the file of weights so that it is found from any folder."""
    path = config.model.get("weights")
    return {} if path is None else {"model.weights": os.path.abspath(path)}


def _from_scratch(config: Config) -> list[str]:
    """Say so where a network that people expect to be trained already is not."""
    if "weights" not in config.model or config.model["weights"] is not None:
        return []
    return [f"{config.model['type']} is trained from scratch: model.weights names no file."]


def _precision(config: Config) -> str:
    """Give the precision: half of it where the processor multiplies that faster."""
    if config.train.precision != "auto":
        return config.train.precision
    on_cpu = config.train.device == "cpu" or (config.train.device == "auto" and not torch.cuda.is_available())
    return "bfloat16" if on_cpu and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "auto"


def _task(config: Config, table: Table, target: str) -> str:
    """Give the task: the names of class folders are classes, also where they are numbers."""
    told = config.data.task != "auto" or target != "label" or table.record.details.get("layout") == "table of paths"
    if told:
        return config.data.task
    known = table.frame.get_column(target).drop_nulls().n_unique()
    return "binary" if known == 2 else "multiclass" if known > 2 else "auto"


def _with_own(config: Config, table: Table) -> Table:
    """Put the images of ``data.valid`` and ``data.test`` beside those of the source, as splits."""
    own = {"valid": config.data.valid, "test": config.data.test}
    for name, source in own.items():
        if source is not None:
            reading = reading_for(source, config.data.reading(), sources_of(config))
            table = _joined(table, source, name, reading)
    return table


def _joined(table: Table, source: Any, name: str, reading: Any) -> Table:
    first = table.images
    assert first is not None
    mode = "grey" if first.pixels.shape[1] == 1 else "rgb"
    size = (first.pixels.shape[2], first.pixels.shape[3])
    other = read_table(source, reading=replace(reading, image_size=size, image_mode=mode))
    if other.images is None:
        raise DataError(f"data.{name} must hold images, as the source does.", got=source, do="Give a folder of images.")
    frame = table.frame
    if "split" not in frame.columns or name not in frame.get_column("split").unique():
        frame = frame.with_columns(pl.lit("train").alias("split")) if "split" not in frame.columns else frame
    moved = other.frame.with_columns(pl.col("image") + len(first.pixels), pl.lit(name).alias("split"))
    joined = pl.concat([frame, moved.select([one for one in frame.columns if one in moved.columns])], how="diagonal")
    pixels = torch.cat([first.pixels, other.images.pixels])
    images = replace(
        first,
        pixels=pixels,
        resized=first.resized + other.images.resized,
        converted=first.converted + other.images.converted,
        broken={**first.broken, **other.images.broken},
    )
    return replace(table, frame=joined, images=images, findings=(*table.findings, *other.findings))


def _usable(
    frame: pl.DataFrame, images: Images, target: str, *, drop: bool
) -> tuple[RowsLeft, dict[str, int], list[Finding]]:
    """Set aside rows without a target, and training images that equal an earlier one of the same label."""
    rows, findings = {"read": frame.height}, []
    absent = rows_without_target(frame, target)
    rows["without_target"] = int(absent.sum())
    left = RowsLeft.of(frame).without(absent, "it has no target")
    if rows["without_target"]:
        findings.append(targets_missing(target, rows["without_target"]))
    if not left.frame.height:
        raise DataError(
            f"The target '{target}' must have values.", got="none", do="Put the images into a folder per class."
        )
    repeated = _repeated(left.frame, images, target) if drop else np.zeros(left.frame.height, dtype=bool)
    rows["duplicates_dropped"] = int(repeated.sum())
    left = left.without(repeated, "it equals an earlier image in every pixel")
    if left.frame.height < 3:
        got = f"{left.frame.height} different images of {rows['read']:,}"
        raise DataError("A split needs at least three different images.", got=got, do="Give more images.")
    return left, rows, findings


def digests(frame: pl.DataFrame, images: Images) -> list[bytes]:
    """Give a digest of each row's pixels."""
    pixels = images.pixels.numpy()
    return [
        hashlib.blake2b(pixels[place].tobytes(), digest_size=16).digest()
        for place in frame.get_column("image").to_list()
    ]


def _repeated(frame: pl.DataFrame, images: Images, target: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which rows to learn from equal an earlier one in every pixel and in the target."""
    labels = frame.get_column(target).to_list()
    splits = frame.get_column("split").to_list() if "split" in frame.columns else ["train"] * frame.height
    seen: set[Any] = set()
    repeated = np.zeros(frame.height, dtype=bool)
    for row, key in enumerate(zip(digests(frame, images), labels, splits, strict=True)):
        repeated[row] = key in seen and splits[row] == "train"
        seen.add(key)
    return repeated


def _straddling(frames: Mapping[str, pl.DataFrame], images: Images) -> list[Finding]:
    """Count held-out images that are training images too."""
    known = set(digests(frames["train"], images))
    findings = []
    for name in ("valid", "test"):
        count = sum(one in known for one in digests(frames[name], images))
        if count:
            message = f"{count:,} {name} images are training images too; their score is no evidence."
            evidence: dict[str, float | int | str] = {"rows": count}
            findings.append(
                Finding(code="split_leakage", severity="warning", where=name, evidence=evidence, message=message)
            )
    return findings


def _split(config: Config, frame: pl.DataFrame, target: str) -> Split:
    """Deal the rows: as their folders say, else as any table."""
    given = config.split
    by_folder = "split" in frame.columns and given.method in ("auto", "files") and given.column is None
    if not by_folder or given.folds is not None:
        return dealt(config, frame, target)
    names = frame.get_column("split").fill_null("train").to_numpy()
    parts = {name: np.flatnonzero(names == name) for name in SPLITS}
    if not len(parts["train"]):
        raise DataError("There must be training images.", got=sorted(set(names.tolist())), do="Name a folder train.")
    notes = ["The folders say which images train and which test."]
    if not len(parts["valid"]):
        parts["valid"], parts["train"] = _held_out(config, frame[parts["train"]], target, parts["train"])
        notes.append(f"{len(parts['valid']):,} of the training images validate.")
    # Replayed as it was told: the folders say it again.
    return Split.of_rows(frame.height, **parts, method=given.method, notes=tuple(notes))


def _held_out(config: Config, frame: pl.DataFrame, target: str, rows: Any) -> tuple[Any, Any]:
    """Draw validation rows from the training rows; of many, no more than tell enough unless a share was given."""
    share = config.split.valid
    if "valid" not in given_settings(config).get("split", {}):
        share = min(share, _MOST_VALID / frame.height)
    drawn = split_rows(frame, target=target, test=0.0, valid=share, seed=config.split.seed)
    return rows[drawn.valid], rows[drawn.train]
