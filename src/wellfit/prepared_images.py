"""`PreparedImages`: images made ready for a network, by split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.augmentation import Pipeline, pipeline_of
from wellfit.baselines import Baselines, fit_baselines
from wellfit.config import Config
from wellfit.data.cleaning.contract import ColumnContract
from wellfit.data.image_rows import ImageRows, PixelScale
from wellfit.data.sources.fingerprint import content_checksum
from wellfit.data.table import Images, Table
from wellfit.errors import DataError
from wellfit.image_prediction import ImagePredictor
from wellfit.image_views import chosen_views
from wellfit.models import ImageInputs
from wellfit.prediction import Scores
from wellfit.prepared import Prepared, sources_of
from wellfit.runtime import keyed_generator

__all__ = ["PreparedImages"]

_SAMPLED = 2000
"""Training images that first filters are fitted to."""
_SAMPLED_BYTES = 1 << 28
_BASELINE_SIDE = 14
"""Pixels of a side that the linear baseline sees."""
_BASELINE_ROWS = 20_000
"""Training images that the linear baseline is fitted to."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, kw_only=True)
class PreparedImages(Prepared):
    """Images in memory or mapped from disk, made ready."""

    frames: Mapping[str, pl.DataFrame]
    """Rows of train, valid and test: ``image`` is the place of each in the pixels."""
    images: Images
    scale: PixelScale
    contract: ColumnContract
    epochs_open: bool
    """Whether nobody said how many epochs to train."""
    width_open: bool
    """Whether nobody said how wide the network is."""
    network_open: bool
    """Whether nobody said which network there is, nor anything of how it is trained."""
    until: float | None = None
    """When the run has to be done, on `time.monotonic`'s clock."""

    def plan(self) -> dict[str, Any]:
        """Give what ``plan.json`` holds."""
        images = self.images
        return {
            "source": self.source.as_dict(),
            "rows": dict(self.rows),
            "split": {key: getattr(self.config.split, key) for key in ("method", "seed", "column", "folds", "fold")},
            "target": self.target.as_dict(),
            "cleaning": {"columns": []},
            "features": {},
            "not_features": [],
            "images": {
                **self._shape(),
                "scale": self.scale.as_dict(),
                "brightness": self.contract.as_dict(),
                "sizes": dict(images.sizes),
                "modes": dict(images.modes),
                "resized": images.resized,
                "converted": images.converted,
                "broken": dict(images.broken),
            },
        }

    def _shape(self) -> dict[str, int]:
        _, channels, height, width = self.images.pixels.shape
        return {"channels": channels, "height": height, "width": width}

    @cached_property
    def inputs(self) -> ImageInputs:
        """What a network reads of a row."""
        return ImageInputs(**self._shape(), sample=self.scale.scaled(self._sampled(self._sample_size())))

    def _sample_size(self) -> int:
        channels, height, width = self._shape().values()
        return max(8, min(_SAMPLED, _SAMPLED_BYTES // (4 * channels * height * width)))

    def _sampled(self, count: int) -> Tensor:
        """Give pixels of training rows, spread evenly."""
        places = self.places("train")
        chosen = torch.linspace(0, len(places) - 1, min(count, len(places))).round().long()
        return self.images.pixels[places[chosen]]

    def places(self, split: str) -> Tensor:
        """Give the place of each row's image in the pixels, int64 ``[row]``."""
        return torch.from_numpy(self.frames[split].get_column("image").to_numpy().astype(np.int64))

    def encoded_target(self, split: str) -> Array:
        """Give class ids (-1: a label not seen in training) or scaled numbers, ``[row]``."""
        return self.target.encode(self.frames[split].get_column(self.target.name))[0]

    def batches(self, split: str, weights: Mapping[str, Array] | None = None) -> ImageRows:
        """Give the rows of ``train`` or ``valid`` that have a target known from training; ``weights`` are by split."""
        target, places = torch.from_numpy(self.encoded_target(split)), self.places(split)
        known = target.isfinite() if target.is_floating_point() else target >= 0
        if not known.any():
            labels = self.frames[split].get_column(self.target.name).unique().head(5).to_list()
            rule = "Validation rows must have labels that training rows have."
            raise DataError(rule, got=labels, do="Deal the rows otherwise.")
        # In an order that says nothing: whoever looks at the first rows sees a fair sample.
        rows = known.nonzero().flatten()
        rows = rows[torch.randperm(len(rows), generator=keyed_generator(0, "stored", split))]
        weight = None if weights is None else torch.from_numpy(weights[split].astype(np.float32))[rows]
        return ImageRows(
            pixels=self.images.pixels,
            places=places[rows],
            target=target[rows],
            scale=self.scale,
            weight=weight,
            classes=len(self.target.classes),
            augment=self.augment if split == "train" else None,
        )

    @property
    def augment(self) -> Pipeline | None:
        """What is done to training images; None for nothing, and until that is decided."""
        given = self.config.train.augment
        return None if isinstance(given, str) or not given else pipeline_of(given)

    def predictor(self, module: nn.Module, loss: Mapping[str, Any], config: Config) -> ImagePredictor:
        """Give what predicts from images with a network, by the views that are best on the validation rows."""
        predictor = ImagePredictor(
            target=self.target,
            module=module,
            loss=loss,
            scale=self.scale,
            inputs=replace(self.inputs, sample=None),
            contract=self.contract,
            policy=config.clean.on_schema,
            reading=config.data.reading(),
            sources=sources_of(config),
        )
        mirrored = not isinstance(config.train.augment, str) and "flip" in config.train.augment
        views = chosen_views(
            predictor,
            self.images.pixels,
            self.places("valid"),
            self.truth("valid"),
            mirrored=mirrored,
            scored=self.rows["valid"] + self.rows["test"],
            until=self.until,
        )
        return replace(predictor, views=views)

    def score(self, predictor: ImagePredictor, split: str) -> Scores:
        """Predict the rows of ``train``, ``valid`` or ``test``, and score them."""
        quiet = replace(self.images, resized=0, converted=0, broken={})
        return predictor.score(Table(frame=self.frames[split], record=self.source, images=quiet))

    def baselines(self, predictor: ImagePredictor, split: str, *, deadline: float | None) -> Baselines:
        """Fit the baselines on the training rows, and score them on a split: the linear one sees small images."""
        truth, places = self.truth("train"), self.places("train")
        chosen = torch.linspace(0, len(places) - 1, min(_BASELINE_ROWS, len(places))).round().long()
        fitted = fit_baselines(
            self.target.task,
            self._small(places[chosen]),
            truth[chosen.numpy()],
            {split: (self._small(self.places(split)), self.truth(split))},
            n_classes=len(self.target.classes),
            seed=self.config.train.seed,
            deadline=deadline,
        )
        if len(chosen) == len(places):
            return fitted
        note = f"The linear baseline saw {len(chosen):,} of {len(places):,} training images."
        return replace(fitted, notes=(note, *fitted.notes))

    def _small(self, places: Tensor) -> Any:
        """Give images of at most 14 x 14 pixels as the features of a linear model."""
        size = (min(_BASELINE_SIDE, self.images.pixels.shape[2]), min(_BASELINE_SIDE, self.images.pixels.shape[3]))
        parts = [
            functional.adaptive_avg_pool2d(self.images.pixels[part].float(), size).flatten(1)
            for part in places.split(1024)
        ]
        numeric = torch.cat(parts).numpy()
        return SimpleNamespace(numeric=numeric, categorical=np.zeros((len(numeric), 0), dtype=np.int64))

    def truth(self, split: str) -> Array:
        """Give class ids, or numbers in the target's unit, ``[row]``."""
        encoded = self.encoded_target(split)
        return cast(Array, self.target.decode(encoded)) if self.target.task == "regression" else encoded

    def content(self, split: str) -> str:
        """Give a checksum of the raw rows of a split."""
        digest = hashlib.sha256()
        for part in self.places(split).split(1024):
            digest.update(self.images.pixels[part].numpy().tobytes())
        return content_checksum(self.frames[split].with_columns(pl.lit(digest.hexdigest()).alias("pixels")))
