"""Commands that tell what there is: list, schema."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from wellfit.cli.console import print_json, print_lines, print_table
from wellfit.registry import Entry, Family, Option

__all__ = ["list_", "schema"]


def _families() -> dict[str, Family[Any]]:
    from wellfit.augmentation import AUGMENTATIONS
    from wellfit.data.features import ENCODERS, SCALERS, SELECTORS, TEXTS
    from wellfit.data.features.transformers import TRANSFORMERS
    from wellfit.data.sources import SOURCES
    from wellfit.data.splitting import SPLITS
    from wellfit.losses import LOSSES
    from wellfit.metrics import METRICS
    from wellfit.models import MODELS
    from wellfit.optimizers import OPTIMIZERS
    from wellfit.regularizers import REGULARIZERS
    from wellfit.schedules import SCHEDULES

    families: list[Family[Any]] = [
        SOURCES,
        SPLITS,
        SCALERS,
        ENCODERS,
        TEXTS,
        SELECTORS,
        TRANSFORMERS,
        MODELS,
        LOSSES,
        OPTIMIZERS,
        SCHEDULES,
        REGULARIZERS,
        AUGMENTATIONS,
        METRICS,
    ]
    return {family.name: family for family in families}


def list_(
    family: Annotated[str | None, typer.Argument(metavar="[FAMILY]", help="optimizers, losses, ...")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List what there is: optimizers, losses, schedules, ... with formulas and ranges."""
    families = _families()
    if family is None:
        if json:
            print_json({name: list(members) for name, members in families.items()})
            return
        print_table(
            "", ["family", "members"], ((name, ", ".join(members)) for name, members in families.items()), right_from=9
        )
        print_lines(["More of one: wellfit list optimizers"])
        return
    members = _member(families, family)
    if json:
        print_json({members.name: [_record(entry) for entry in members.values()]})
        return
    for entry in members.values():
        print_lines(_lines(entry))


def _member(families: dict[str, Family[Any]], name: str) -> Family[Any]:
    from wellfit.errors import BadInput, did_you_mean

    if name not in families:
        raise BadInput("There is no such family.", got=name, do=did_you_mean(name, families))
    return families[name]


def _record(entry: Entry) -> dict[str, Any]:
    options = [
        {"name": option.name, "default": option.default, "range": option.interval(), "help": option.help}
        for option in entry.options
    ]
    rate = {"lr": entry.lr} if hasattr(entry, "lr") else {}
    return {
        "name": entry.name,
        "summary": entry.summary,
        "formula": entry.formula,
        **rate,
        "options": options,
        "reference": entry.reference,
        "refuses": entry.refuses or dict(getattr(entry, "refuses_combinations", {})),
    }


def _lines(entry: Entry) -> list[str]:
    lines = [f"{entry.name}: {entry.summary}"]
    if entry.formula:
        lines.append(f"    {entry.formula}")
    lines += [_option_line(option, entry) for option in entry.options]
    refused = entry.refuses or "; ".join(
        f"{key}: {why}" for key, why in getattr(entry, "refuses_combinations", {}).items()
    )
    if refused:
        lines.append(f"    refuses {refused}")
    if entry.reference:
        lines.append(f"    {entry.reference}")
    return [*lines, ""]


def _option_line(option: Option, entry: Entry) -> str:
    default = getattr(entry, "lr", None) if option.name == "lr" else option.default
    return f"    {option.name} = {default}  in {option.interval()}: {option.help}"


def schema() -> None:
    """Print the JSON Schema of the config."""
    import json

    from wellfit.config import json_schema

    print_lines([json.dumps(json_schema(), indent=1)])
