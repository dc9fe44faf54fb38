"""What is proposed for a run on images: changes of the network that reads them, of its training and of the images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from wellfit.augmentation import AUGMENTATIONS
from wellfit.config import Config, as_mapping, with_values
from wellfit.errors import ConfigError
from wellfit.findings import Finding
from wellfit.image_preparation import with_image_network
from wellfit.image_trials import augmentations_to_try, default_augmentation
from wellfit.models import MODELS, Occasion
from wellfit.prepared_images import PreparedImages
from wellfit.treatment.bench import Bench
from wellfit.treatment.course import Change, Course
from wellfit.treatment.run_bench import RunBench
from wellfit.treatment.settings import More, further_settings, settings_for

__all__ = ["ImagePractice"]

_SECTIONS = ("model", "train.")
"""What images and their network can be changed in: they have no columns."""
_DECAY = 5e-3
"""Ten times the weight decay of a new run."""


class ImagePractice:
    """Proposes changes that the network of a run on images takes, and that change something."""

    def __init__(self, bench: RunBench, prepared: PreparedImages) -> None:
        self.bench: Bench = bench
        self._run, self._prepared = bench, prepared

    def single(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose what this network takes of the findings' remedies, and what images can be changed in."""
        proposed = settings_for([self._of_images(finding) for finding in findings], more=self._more())
        return (change for change in proposed if _changes(self._run.config, change))

    def _of_images(self, finding: Finding) -> Finding:
        """Give a finding whose augmentation is one of images, on top of what is done to them already."""
        remedies = (
            replace(remedy, value=self._stronger()) if remedy.path == "train.augment" else remedy
            for remedy in finding.remedies
        )
        return replace(finding, remedies=tuple(remedies))

    def _more(self) -> More:
        """Give what goes together, by a finding's code."""
        own = {key: value for key, value in self._new().items() if key in ("train.optimizer", "train.schedule")}
        recipe = [(own, "the rate and the schedule that suit the network")]
        bounded = [({**own, "train.clip_norm": 1.0}, "signals and steps stay bounded")]
        return {
            "overfitting": [
                ({"train.augment": {**self._stronger(), "mixup": 0.2}}, "a blend of two images is never seen again"),
                ({"train.weight_decay": _DECAY}, "small weights make smooth functions"),
                *self._widths(0.5, "a narrower network has less room to remember images"),
            ],
            "underfitting": [
                ({"train.augment": "none"}, "images that are not changed are easier to learn"),
                *self._widths(2.0, "more channels can follow more of the target"),
                ({"train.weight_decay": 0.0, "train.l1": 0.0, "train.l2": 0.0}, "nothing holds it back"),
                *recipe,
            ],
            "learning_rate_too_high": recipe,
            "learning_rate_too_low": recipe,
            "not_learning": recipe,
            "dead_units": recipe,
            "exploding_gradient": bounded,
            "non_finite": bounded,
            "batch_size_problem": [({"train.batch_size": self._new()["train.batch_size"]}, "enough updates an epoch")],
        }

    def _stronger(self) -> dict[str, Any]:
        """Give what is done to images, and beside it all that moves, turns and hides parts of them."""
        given = self._run.config.train.augment
        usual = {} if isinstance(given, str) else dict(given)
        start = usual or default_augmentation(self._prepared.inputs, 1, mirror=False)
        tried = augmentations_to_try(self._prepared.inputs, start)
        together = {name: value for one in tried for name, value in one.items()}
        return {name: value for name, value in together.items() if name in usual or not AUGMENTATIONS[name].mixes}

    def _widths(self, factor: float, why: str) -> Iterator[tuple[dict[str, Any], str]]:
        """Give other widths of a network that has any."""
        widths = self._run.config.model.get("widths")
        if widths is not None:
            yield {"model.widths": [max(1, round(factor * width)) for width in widths]}, why

    def _new(self) -> dict[str, Any]:
        """Give the settings that a new run has, of no more epochs than this one's: trials cost alike."""
        prepared, config = self._prepared, self._run.config
        name = with_image_network(Config()).model["type"]
        rows = prepared.rows["train"]
        occasion = Occasion(task=prepared.target.task, rows=rows, metric=config.train.metric)
        recipe = dict(MODELS[name].recipe(occasion))
        epochs = min(recipe["train.epochs"], config.train.epochs)
        mirror = not isinstance(config.train.augment, str) and "flip" in config.train.augment
        augment = default_augmentation(prepared.inputs, epochs, mirror=mirror)
        network = {} if config.model["type"] == name else {"model": name}
        plain = {"train.l1": 0.0, "train.l2": 0.0}
        return {**network, **recipe, **plain, "train.epochs": epochs, "train.augment": augment}

    def standard(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose the settings of a new run."""
        change = Change(
            family="standard",
            what="the settings of a new run",
            why="what suits most sets of images",
            options=self._new(),
        )
        return (one for one in (change,) if _changes(self._run.config, one))

    def further(self, course: Course, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose other rates."""
        rate = with_values(self._run.config, self.changed(course)).train.optimizer.get("lr")
        return further_settings(rate if isinstance(rate, float) else None)

    def changed(self, course: Course) -> dict[str, Any]:
        """Give the settings that a course changes."""
        return self._run.settings(course)


def _changes(config: Config, change: Change) -> bool:
    """Tell whether a config takes a change of a network for images, and is another one with it."""
    if not change.options or not all(key.startswith(_SECTIONS) for key in change.options):
        return False
    try:
        return as_mapping(with_values(config, change.options)) != as_mapping(config)
    except ConfigError:
        return False
