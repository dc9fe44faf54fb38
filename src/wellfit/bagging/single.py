"""The one network that stands for an ensemble where one is looked at: a learning curve, a look before training."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from wellfit.bagging.recipes import first_member
from wellfit.bagging.stage import foremost, stage_config
from wellfit.prepared import Prepared

__all__ = ["of_one_network"]

P = TypeVar("P", bound=Prepared)


def of_one_network(prepared: P) -> P:
    """Give prepared rows whose config trains the first network of an ensemble alone; any other as it is."""
    config = prepared.config
    if config.model["type"] != "ensemble":
        return prepared
    members = config.model["members"] or [first_member(prepared)]
    member = dict(members[foremost(members)])
    if "members" in member:
        member["members"] = 1
    return replace(prepared, config=stage_config(config, member, 0))
