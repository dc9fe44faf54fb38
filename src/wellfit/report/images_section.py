"""The parts of a run's page that tell of images: what they are, and which were answered worst."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from wellfit.report.facts import ReportFacts, inside, number, section
from wellfit.report.html import Markup, fold, join, table, tag
from wellfit.report.scores import figure

__all__ = ["images_table", "mistakes_section"]

_LISTED = 12


def images_table(facts: ReportFacts) -> Markup | None:
    """Say which sizes and modes the images have, and which were set aside; None for runs on tables."""
    images = section(facts.plan, "images")
    if not images:
        return None
    shape = f"{images.get('height')} x {images.get('width')}, " + ("grey" if images.get("channels") == 1 else "colours")
    rows: list[list[object]] = [
        ["Read as (height x width)", shape],
        ["Resized", figure(images.get("resized"))],
        ["Converted", figure(images.get("converted"))],
        ["Views averaged in prediction", ", ".join(map(str, facts.model.get("views") or ()))],
    ]
    made = table(["Images", ""], rows, caption="What the network reads")
    listings = [
        _counts("Size in the files", section(images, "sizes")),
        _counts("Mode in the files", section(images, "modes")),
        _broken(section(images, "broken")),
    ]
    return join([made, _classes(section(facts.plan, "target")), *listings])


def _classes(target: Mapping[str, Any]) -> Markup | None:
    counts = list(zip(target.get("classes") or (), target.get("counts") or (), strict=False))
    if not counts:
        return None
    rows = [[str(label), figure(count)] for label, count in counts]
    listed = table(["Class", "Training images"], rows, caption=f"{len(rows):,} classes")
    return listed if len(rows) <= _LISTED else fold(f"{len(rows):,} classes", listed)


def _counts(title: str, counts: Mapping[str, Any]) -> Markup | None:
    if len(counts) < 2:
        return None
    rows = [[name, figure(count)] for name, count in list(counts.items())[:_LISTED]]
    more = f", the {_LISTED} most frequent of {len(counts):,}" if len(counts) > _LISTED else ""
    return table([title, "Images"], rows, caption=f"{title}{more}")


def _broken(broken: Mapping[str, Any]) -> Markup | None:
    if not broken:
        return None
    rows = [[tag("code", name), str(reason)] for name, reason in broken.items()]
    return fold(f"{len(rows):,} set aside", table(["File", "Reason"], rows, caption="Images that can't be decoded"))


def mistakes_section(evaluation: Mapping[str, Any]) -> Markup | None:
    """Show the sheet of the worst mistakes, and say under it what each is and was taken for."""
    worst = section(evaluation, "worst_images")
    png = worst.get("png")
    if not isinstance(png, str) or not _is_png(png):
        return None
    captions = [str(caption) for caption in worst.get("captions") or ()]
    across = int(number(worst.get("across")) or len(captions) or 1)
    lines = [tag("li", caption) for caption in captions]
    split = {"test": "test", "valid": "validation"}.get(str(inside(evaluation, "split")), "evaluated")
    return join(
        [
            tag("p", f"The {len(captions):,} {split} images that were answered worst, in rows of {across}."),
            tag("img", src=f"data:image/png;base64,{png}", alt="The images that were answered worst", loading="lazy"),
            fold("What each is, and was taken for", tag("ol", *lines)),
        ]
    )


def _is_png(text: str) -> bool:
    """Tell whether text is a PNG in base64: nothing else is put into the page."""
    try:
        return base64.b64decode(text, validate=True).startswith(b"\x89PNG\r\n\x1a\n")
    except (binascii.Error, ValueError):
        return False
