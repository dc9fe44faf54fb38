"""The chart engine: Vega, Vega-Lite and Vega-Embed as one script, put together once a machine and version."""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from wellfit.report.html import Markup, script_text

__all__ = ["chart_engine"]

_HANDED_OUT = "window.vegaEmbed = vegaEmbed;"


@functools.cache
def chart_engine() -> Markup:
    """Give the script; putting it together takes a second, so that it is kept in the person's cache folder."""
    kept = _cache_folder() / f"charts-{metadata.version('vl-convert-python')}.js"
    with suppress(OSError, UnicodeDecodeError):
        script = kept.read_text(encoding="utf-8")
        if script.endswith(_END):
            return script_text(script.removesuffix(_END))
    import vl_convert

    made: str = vl_convert.javascript_bundle(_HANDED_OUT)
    # A cache that can't be written costs a second the next time, and nothing else.
    with suppress(OSError):
        _keep(kept, made + _END)
    return script_text(made)


_END = "\n// whole\n"
"""Tells a script that was written to its end from one cut short."""


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "wellfit"


def _keep(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(script, encoding="utf-8")
    os.replace(temporary, path)
