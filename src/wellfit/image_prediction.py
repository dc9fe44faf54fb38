"""From images to decoded predictions: files, folders, archives and arrays, of any size and mode.

Legend: pixels are uint8 ``[image, channel, height, width]``; ``probabilities`` are float64 ``[row, class]``.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from wellfit.artifact import RunFolder
from wellfit.data.cleaning import TargetPlan, rows_without_target
from wellfit.data.cleaning.contract import LEAST_ROWS, ColumnContract, Drift, shifted_names
from wellfit.data.cleaning.policy import checked_policy
from wellfit.data.image_rows import PixelScale
from wellfit.data.sources import read_table
from wellfit.data.sources.entry import Reading
from wellfit.data.sources.images.given import images_given
from wellfit.data.sources.web.headers import reading_for
from wellfit.data.table import Table
from wellfit.errors import ContractError, ContractWarning
from wellfit.losses import LOSSES
from wellfit.metrics import all_scores
from wellfit.models import MODELS, ImageInputs
from wellfit.models.views import VIEWS
from wellfit.prediction import Prediction, Scores

__all__ = ["ImagePredictor", "ImageReport", "brightness"]

_AT_ONCE = 1 << 16
"""Pixels of a channel in one forward pass. Every pass has as many images, blank ones where there are fewer: an answer
then does not depend on the images beside it."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class ImageReport:
    """What was changed in images so that the network could read them, and how far they are from training."""

    rows: int
    size: str
    """Height x width that all have now."""
    resized: int = 0
    converted: int = 0
    broken: Mapping[str, str] = field(default_factory=dict)
    """Files that can't be decoded, with the reason: they are answered as a blank image."""
    drift: Mapping[str, Drift] = field(default_factory=dict)
    """How far their brightness is from that of the training images; empty where they are too few to tell."""

    def sentences(self) -> list[str]:
        """Say what was changed, a line for each kind."""
        name, reason = next(iter(self.broken.items()), ("", ""))
        lines = {
            f"{_images(len(self.broken))} can't be decoded and answered as blank, such as {name!r}: {reason}.": len(
                self.broken
            ),
            f"{_images(self.resized)} resized to {self.size}.": self.resized,
            f"{_images(self.converted)} converted to the mode of the training images.": self.converted,
        }
        return [*(line for line, count in lines.items() if count), *self.drift_sentences()]

    def drift_sentences(self) -> list[str]:
        """Say whether the images are of another brightness than in training."""
        return [
            f"The {name} of the images has shifted since training: PSI {self.drift[name].psi:.2f}, where "
            f"{self.drift[name].threshold:.2f} is a shift."
            for name in shifted_names(self.drift)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Give the report as JSON holds it."""
        drift = {name: found.as_dict() for name, found in self.drift.items()}
        return {
            "rows": self.rows,
            "size": self.size,
            "resized": self.resized,
            "converted": self.converted,
            "broken": dict(self.broken),
            "drift": drift,
        }


def _images(count: int) -> str:
    return "1 image is" if count == 1 else f"{count:,} images are"


def brightness(pixels: Tensor, places: Tensor) -> pl.Series:
    """Give the mean of the pixels of each image at some places, from 0 to 255."""
    means = [pixels[part].float().mean((1, 2, 3)) for part in places.split(1024)]
    return pl.Series("brightness", torch.cat(means).double().numpy() if means else [], dtype=pl.Float64)


@dataclass
class ImagePredictor:
    """Images in, decoded predictions out: the plan and the network of one run."""

    target: TargetPlan
    module: nn.Module
    loss: Mapping[str, Any]
    """The loss by name and options: it knows what the network's output means."""
    scale: PixelScale
    inputs: ImageInputs
    contract: ColumnContract
    """How bright the training images were."""
    views: tuple[str, ...] = ("plain",)
    """Views whose answers are averaged."""
    policy: str = "warn"
    """What happens to images that don't fit: ``warn``, ``error`` or ``coerce``."""
    reading: Reading = field(default_factory=Reading)
    sources: tuple[Any, ...] = ()
    """Where the run's images came from: headers that were told for a host go nowhere else."""

    def __post_init__(self) -> None:
        """Make what turns outputs into probabilities or values."""
        choice = LOSSES.choose(self.loss)
        self._activate = choice.entry.make(**choice.options).activate
        self.module.eval()
        self._rows = max(1, _AT_ONCE // (self.inputs.height * self.inputs.width))

    def facts(self) -> dict[str, Any]:
        """Give what ``model.json`` holds of the prediction beside the network."""
        return {"views": list(self.views)}

    @property
    def classes(self) -> tuple[Any, ...]:
        """The classes, in the order of the probabilities' columns; empty for regression."""
        return self.target.classes

    @property
    def size(self) -> str:
        """Height x width of what the network reads."""
        return f"{self.inputs.height} x {self.inputs.width}"

    def read(self, data: Any) -> Table:
        """Read images: a file, a list of them, a folder, an archive, a table of paths, an array, a torch dataset.

        Raises:
            ContractError: there are no images in it.
        """
        told = reading_for(data, self.reading, self.sources)
        mode = "grey" if self.inputs.channels == 1 else "rgb"
        told = replace(told, image_size=(self.inputs.height, self.inputs.width), image_mode=mode)
        given = images_given(data, told)
        table = given if given is not None else read_table(data, reading=told)
        if table.images is None:
            got = os.fspath(data) if isinstance(data, (str, os.PathLike)) else type(data)
            raise ContractError("This model reads images.", got=got, do="Give files, a folder or an array of images.")
        return table

    def outputs(self, pixels: Tensor, places: Tensor) -> Array:
        """Give probabilities ``[row, class]``, or values in the target's unit ``[row]``.

        Args:
            pixels: uint8 ``[image, channel, height, width]``.
            places: the image of each row, int64 ``[row]``; below 0 for a blank one.
        """
        device = next(self.module.parameters()).device
        # The mean colour: black would say something.
        blank = self.scale.mean.round().to(torch.uint8)[:, None, None]
        parts = []
        with torch.inference_mode():
            for part in places.split(self._rows):
                whole = torch.cat([part, part.new_full((self._rows - len(part),), -1)])
                chosen = torch.where((whole < 0)[:, None, None, None], blank, pixels[whole.clamp_min(0)])
                images = self.scale.scaled(chosen.to(device))
                seen = [self._activate(self.module(VIEWS[view](images))) for view in self.views]
                parts.append(torch.stack(seen).double().mean(0)[: len(part)].cpu().numpy())
        joined = np.concatenate(parts) if parts else np.zeros((0, len(self.classes)))
        return self.target.decode(joined) if self.target.task == "regression" else joined

    def predict(self, data: Any, policy: str | None = None) -> Prediction:
        """Predict every image, in order; files that can't be decoded are answered as a blank image.

        Raises:
            ContractError: there are no images, or some don't fit under the policy ``error``.
        """
        table = self.read(data)
        report = self._report(table)
        self._apply_policy(report, checked_policy(policy or self.policy))
        outputs, files = self._answers(table), _files(table)
        if self.target.task == "regression":
            return Prediction(outputs, None, report, files)
        return Prediction(self.target.decode(outputs.argmax(axis=1)), outputs, report, files)

    def score(self, table: Table, *, policy: str | None = None) -> Scores:
        """Predict images whose target is known, and score all that have one.

        Args:
            table: The images.
            policy: What happens to images that don't fit; None: they are scored, and only the report tells.

        Raises:
            ConfigError: there is no such policy.
            ContractError: the target is missing, or images don't fit under the policy ``error``.
        """
        name = self.target.name
        if name not in table.frame.columns:
            do = "Give folders named by class, or use predict."
            raise ContractError(f"Images are scored against their target, '{name}'.", got=table.frame.columns, do=do)
        ids, target_report = self.target.encode(table.frame.get_column(name))
        report = self._report(table)
        if policy is not None:
            self._apply_policy(report, checked_policy(policy))
        known = ~rows_without_target(table.frame, name)
        truth = self.target.decode(ids) if self.target.task == "regression" else ids
        if self.target.task == "regression":
            known &= np.isfinite(truth)
        truth, predicted = truth[known], self._answers(table)[known]
        metrics = all_scores(self.target.task, truth, predicted) if len(truth) else {}
        lines = (*target_report.sentences(), *report.sentences())
        return Scores(metrics, truth, predicted, int((~known).sum()), lines, report)

    def _answers(self, table: Table) -> Array:
        assert table.images is not None
        return self.outputs(table.images.pixels, _places(table))

    def _report(self, table: Table) -> ImageReport:
        """Say what was changed in the images, and whether they are of another brightness than in training."""
        images, places = table.images, _places(table)
        assert images is not None
        drift = {}
        if len(places) >= LEAST_ROWS:
            drift["brightness"] = self.contract.compare(brightness(images.pixels, places[places >= 0]))
        return ImageReport(
            rows=len(places),
            size=self.size,
            resized=images.resized,
            converted=images.converted,
            broken=images.broken,
            drift=drift,
        )

    def _apply_policy(self, report: ImageReport, policy: str) -> None:
        lines = [] if policy == "coerce" else report.sentences()
        if lines and policy == "error":
            rule = "Images must be as those the model was trained on: " + " ".join(lines)
            raise ContractError(rule, do="Mend them, or take the policy warn (--on-schema warn).")
        if lines:
            warnings.warn(" ".join(lines), ContractWarning, stacklevel=4)

    @classmethod
    def load(cls, folder: RunFolder) -> ImagePredictor:
        """Read the plan and the network of a finished run."""
        plan, model, config = (
            folder.read_versioned("plan.json"),
            folder.read_versioned("model.json"),
            folder.read_config(),
        )
        try:
            inputs = ImageInputs(**model["inputs"])
            module = MODELS[model["type"]].make(inputs, model["outputs"], **_rebuilt(model["options"]))
            module.load_state_dict(folder.read_weights())
            return cls(
                target=TargetPlan.from_dict(plan["target"]),
                module=module,
                loss=model["loss"],
                scale=PixelScale.from_dict(plan["images"]["scale"]),
                inputs=inputs,
                contract=ColumnContract.from_dict(plan["images"]["brightness"]),
                views=tuple(view for view in model["views"] if view in VIEWS),
                policy=config["clean"]["on_schema"],
                reading=Reading.of(config["data"]),
                sources=tuple(config["data"].get(name) for name in ("source", "valid", "test")),
            )
        except (KeyError, TypeError, RuntimeError) as error:
            raise folder.altered("plan.json", f"{type(error).__name__}: {error}") from None


def _rebuilt(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options without the file that weights came from: those of the run are in the run."""
    return {name: None if name == "weights" else value for name, value in options.items()}


def _places(table: Table) -> Tensor:
    """Give the image of each row, int64 ``[row]``; -1 where it has none."""
    return torch.from_numpy(table.frame.get_column("image").fill_null(-1).to_numpy().astype(np.int64))


def _files(table: Table) -> tuple[str, ...]:
    return tuple(map(str, table.frame.get_column("file"))) if "file" in table.frame.columns else ()
