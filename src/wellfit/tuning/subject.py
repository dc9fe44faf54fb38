"""Which network a search trains: the config's own, or the one that stands for an ensemble, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.bagging import as_set, epochs_of, member_of
from wellfit.config import Config, Document, with_values
from wellfit.config.paths import split_path
from wellfit.image_preparation import with_image_network
from wellfit.models import MODELS, Occasion
from wellfit.prepared import Prepared, PreparedTable
from wellfit.source_preparation import are_images
from wellfit.tuning.settings import is_left_open, setting_at, with_settings

__all__ = ["Subject"]

_MEMBER = "realmlp"
"""The architecture that is tuned of an ensemble's: it counts in nearly all of them."""
_OF_ALL = ("class_weight", "metric", "threshold")
"""Keys of ``train`` that are those of all members."""


class Subject:
    """What is tuned.

    Of an ensemble it is one architecture, trained alone as members are: by the features that all of them read and for
    as many epochs. What is found becomes the settings of those members. Who searches the architecture itself wants one
    network.

    Args:
        asked: The config as it was given.
        data: Its rows, where they are in memory.
    """

    def __init__(self, asked: Config, data: Any = None) -> None:
        self.asked = asked
        images, several = are_images(asked, data), setting_at(asked, "model.type") == "ensemble"
        self.of_ensemble = several and not images and "model.type" not in asked.tune.search
        self.config = with_image_network(asked) if images else self._alone() if several else asked
        """The config of one network."""

    def _alone(self) -> Config:
        if not self.of_ensemble:
            return with_settings(self.asked, {"model.type": _MEMBER})
        occasion = Occasion(task="regression", rows=1, metric="auto")
        features = MODELS["ensemble"].recipe(occasion).items()
        wanted = {key: value for key, value in features if is_left_open(self.asked, key)}
        model = {"model.type": _MEMBER, **wanted, **_flat(self._settings())}
        return with_settings(self.asked, model)

    def _settings(self) -> dict[str, Any]:
        """Give what was set for the architecture before."""
        return dict(as_set({"train": {}, "type": _MEMBER, "members": 1}, self.asked.model.get("settings"), keep=()))

    def settled(self, prepared: Prepared) -> dict[str, Any]:
        """Give what all trainings have in common where they stand for members, by dotted key."""
        if not self.of_ensemble or not isinstance(prepared, PreparedTable):
            return {}
        rows = prepared.rows["train"]
        train = member_of(prepared, _MEMBER, 1)["train"]
        enough = epochs_of(_MEMBER, rows, max(1, rows // int(train["batch_size"])))[1]
        wanted = _flat(member_of(prepared, _MEMBER, 1, min(enough, int(train["epochs"]))))
        return {key: value for key, value in wanted.items() if value != "auto" and is_left_open(self.config, key)}

    def with_found(self, values: Mapping[str, Any], prepared: Prepared, settled: Mapping[str, Any]) -> Config:
        """Give the config of the final training, with what was found in it.

        Rows that are read in batches have no ensemble: of these it is the one network. What was settled for all
        trainings is settled anew by an ensemble.
        """
        if not self.of_ensemble or not isinstance(prepared, PreparedTable):
            return with_settings(with_values(self.config, settled), values)
        common = {key: value for key, value in values.items() if _is_common(key)}
        own = _member({key: value for key, value in values.items() if key not in common})
        members, settings = self.asked.model["members"], self.asked.model["settings"]
        model: dict[str, Any] = {"settings": [*(settings or ()), *([own] if len(own) > 1 else [])] or None}
        if members is not None:
            model = {"members": [dict(as_set(member, [own], keep=())) for member in members]}
        return with_values(with_settings(self.asked, common), {"model": {"type": "ensemble", **model}})


def _is_common(key: str) -> bool:
    section, *rest = split_path(key)
    return section not in ("model", "train") or (section == "train" and rest[0] in _OF_ALL)


def _member(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings by dotted key as ``model.settings`` has them."""
    document = Document({"type": _MEMBER})
    for key, value in values.items():
        path = split_path(key)
        document = document.with_value(path[1:] if path[0] == "model" else path, value)
    return document.value


def _flat(member: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings of ``model.settings`` by dotted key."""
    options = {f"model.{key}": value for key, value in member.items() if key not in ("type", "members", "train")}
    return {**options, **{f"train.{key}": value for key, value in member["train"].items()}}
