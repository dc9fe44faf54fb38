"""The config's JSON Schema, for editors and other programs."""

from __future__ import annotations

from typing import Any

from wellfit.config.model import Config

__all__ = ["json_schema"]


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a config, the families' options and their ranges included.

    >>> json_schema()["properties"]["version"]["const"]
    1
    """
    schema = Config.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "wellfit config"}
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}
