"""Networks of several architectures, blended: what the weights of a run hold where it trained an ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.errors import ConfigError, did_you_mean
from wellfit.models.entry import ModelEntry, Occasion, TableInputs
from wellfit.models.members import KIND, Kind, settled_kind
from wellfit.registry import Option

__all__ = ["ENTRY", "Ensemble"]


class Ensemble(nn.Module):
    """A weighted mean of networks' probabilities, made softer or harder by a temperature; of values, the mean alone.

    Args:
        inputs: The shape of the rows, the same for all.
        outputs: Columns of the output.
        members: One mapping an architecture: its ``type`` and options; ``train`` is the business of training.
        kind: What the outputs are.

    >>> two = [{"type": "linear", "kind": "value"}, {"type": "mlp", "hidden": [8]}]
    >>> blended = Ensemble(TableInputs(numeric=3), 1, members=two, kind="value").eval()
    >>> blended(torch.zeros(4, 3), torch.zeros(4, 0, dtype=torch.int64)).shape
    torch.Size([4, 1])
    """

    weights: Tensor
    temperature: Tensor

    def __init__(
        self,
        inputs: TableInputs,
        outputs: int,
        *,
        members: Sequence[Mapping[str, Any]],
        kind: Kind = "value",
    ) -> None:
        super().__init__()
        self.kind = kind
        self.networks = nn.ModuleList(_made(inputs, outputs, member) for member in members)
        self.register_buffer("weights", torch.full((len(members),), 1.0 / len(members), dtype=torch.float64))
        self.register_buffer("temperature", torch.ones((), dtype=torch.float64))

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Map float32 ``[row, number]`` and int64 ``[row, category]`` to ``[row, output]``."""
        used = [place for place, weight in enumerate(self.weights.tolist()) if weight > 0]
        outputs = torch.stack([self.networks[place](numeric, categorical) for place in used], dim=-1)
        weights = self.weights[used].to(outputs)
        if self.kind == "value":
            return outputs @ weights
        logs = weights.log()
        if self.kind == "logits":
            return torch.logsumexp(functional.log_softmax(outputs, 1) + logs, -1) / self.temperature.to(outputs)
        sure = torch.logsumexp(functional.logsigmoid(outputs) + logs, -1)
        against = torch.logsumexp(functional.logsigmoid(-outputs) + logs, -1)
        return (sure - against) / self.temperature.to(outputs)


def _made(inputs: TableInputs, outputs: int, member: Mapping[str, Any]) -> nn.Module:
    # The family holds this entry too, so that it can't be imported before it is whole.
    from wellfit.models import MODELS

    options = {name: value for name, value in member.items() if name not in ("type", "train")}
    made: nn.Module = MODELS[member["type"]].make(inputs, outputs, **options)
    return made


def _settled(options: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    given, settings = options["members"], options["settings"]
    if given is not None and settings is not None:
        rule = "'settings' of ensemble are of members that are chosen by rows and time, and 'members' names them."
        raise ConfigError(rule, got=settings, do="Write them into members.")
    for one in settings or ():
        _member(one, kind)
    return {
        **options,
        "kind": settled_kind(options, kind),
        "members": None if given is None else [_member(one, kind) for one in given],
    }


def _member(given: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    from wellfit.models import MODELS

    name = given.get("type")
    if name not in MODELS or name == "ensemble":
        known = [other for other in MODELS if other != "ensemble"]
        raise ConfigError("A member of an ensemble has the type of a network.", got=name, do=did_you_mean(name, known))
    entry = MODELS[str(name)]
    options = {key: value for key, value in given.items() if key not in ("type", "train")}
    settled = entry.settle(entry.resolve(options), kind)
    return {"type": name, **settled, **({"train": dict(given["train"])} if "train" in given else {})}


def _recipe(occasion: Occasion) -> dict[str, Any]:
    """Give the features that all members read.

    Ids, of which each architecture makes what it wants, and numbers spread by their quantiles: a column in which most
    rows have one value, or a few are far out, keeps differences that a network can see. Columns that together tell more
    than each by itself are a category of their own, where training rows say so.
    """
    return {
        "features.scale": "quantile",
        "features.encode": {"name": "embedding", "onehot_up_to": 0},
        "features.crosses": "auto",
    }


ENTRY = ModelEntry(
    name="ensemble",
    summary="Networks of several architectures, cross-validated and blended within the time allowed",
    make=Ensemble,
    settle=_settled,
    recipe=_recipe,
    formula="p = softmax(log(sum_m w_m p_m) / T); values: sum_m w_m y_m",
    reference="Caruana et al. 2004 (weights); Guo et al. 2017 (temperature); Holzmueller et al. 2024 (members)",
    options=(
        Option(
            name="members",
            kind="mappings",
            default=None,
            help="one mapping a network, {type: realmlp, members: 4}; null chooses by rows and time",
        ),
        Option(
            name="settings",
            kind="mappings",
            default=None,
            help="what chosen members have otherwise than by their recipe, {type: realmlp, dropout: 0.3}",
        ),
        KIND,
    ),
)
