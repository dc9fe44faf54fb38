"""The frame of the page: head, scripts and policy; it loads nothing and runs nothing but its own two scripts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from wellfit.report.engine import chart_engine
from wellfit.report.html import Markup, embedded_json, join, script_text, tag
from wellfit.report.style import CHART_CONFIG, STYLE

__all__ = ["chart_figure", "document"]

_CHART_CLASS = "chart"

_LOADER = """
const options = OPTIONS;
for (const holder of document.querySelectorAll(".chart")) {
  const spec = JSON.parse(holder.nextElementSibling.textContent);
  window.vegaEmbed(holder, spec, options).catch((error) => {
    holder.textContent = "This chart could not be drawn: " + error.message;
  });
}
addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("details")) part.open = true; });
"""

_OPTIONS = {
    "actions": False,
    "renderer": "svg",
    # Expressions are interpreted, not compiled, so that the page's policy can forbid making code from text.
    "ast": True,
    "defaultStyle": False,
    "tooltip": {"disableDefaultStyle": True},
    "config": CHART_CONFIG,
}


def chart_figure(spec: Mapping[str, Any] | None, *, title: str, label: str, caption: object = None) -> Markup | None:
    """Make a figure of a chart; ``label`` says to those who cannot see it what it shows. No chart, no figure."""
    if spec is None:
        return None
    return tag(
        "figure",
        tag("h3", title),
        tag("div", class_=_CHART_CLASS, role="img", aria_label=label),
        tag("script", embedded_json(spec), type="application/json"),
        None if caption is None else tag("figcaption", caption),
    )


def document(title: str, *parts: object) -> str:
    """Give the whole page; the chart engine is in it once, and only where there is a chart."""
    body = join(parts)
    scripts = [chart_engine(), _loader()] if f'class="{_CHART_CLASS}"' in body else []
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(scripts)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content="wellfit"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    missing = tag("noscript", tag("p", "The charts need JavaScript; all figures are in the tables.", class_="note"))
    tail = [tag("script", script, type="module") for script in scripts]
    page = tag("html", head, tag("body", body, missing if scripts else None, *tail), lang="en")
    return f"<!doctype html>\n{page}\n"


def _policy(scripts: list[Markup]) -> str:
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts) or "'none'"
    parts = [
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"script-src {allowed}",
        "base-uri 'none'",
    ]
    return "; ".join([*parts, "form-action 'none'"])


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _loader() -> Markup:
    return script_text(_LOADER.replace("OPTIONS", json.dumps(_OPTIONS)))
