"""What ``wellfit check`` says of a source of images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wellfit.cli.console import print_json, print_lines, print_table
from wellfit.cli.summary import finding_lines

if TYPE_CHECKING:
    from wellfit.data.table import Images, Table

__all__ = ["print_images"]

_SHOWN = 10
"""Sizes and broken files that are listed; ``--json`` gives all."""


def print_images(table: Table, *, json: bool) -> None:
    """Print the images of each class and split, their sizes and modes, and what is broken."""
    images = table.images
    if images is None:
        raise AssertionError("the table has images")
    counts = _counts(table)
    findings = [finding.as_dict() for finding in table.findings]
    if json:
        kept = {
            name: getattr(images, name) for name in ("sizes", "modes", "broken", "resized", "converted", "duplicates")
        }
        shape = dict(zip(("images", "channels", "height", "width"), images.pixels.shape, strict=True))
        print_json({**shape, "classes": counts, **kept, "findings": findings, "notes": list(table.notes)})
        return
    print_lines([*table.notes, *_lines(images)])
    _print_counts(counts)
    _print_most("height x width in the files", images.sizes)
    _print_most("mode in the files", images.modes)
    if images.broken:
        listed = list(images.broken.items())[:_SHOWN]
        print_table("Broken and set aside", ["file", "reason"], listed, right_from=9)
    print_lines(finding_lines(table.findings))
    print_lines(["There are no networks for images yet: they can be looked at and not trained on."])


def _counts(table: Table) -> dict[str, dict[str, int]]:
    """Count images by class and split; a table of paths may have other columns than these."""
    frame = table.frame
    splits = frame["split"].to_list() if "split" in frame.columns else ["all"] * frame.height
    labels = frame["label"].to_list() if "label" in frame.columns else [None] * frame.height
    counts: dict[str, dict[str, int]] = {}
    for label, split in zip(labels, splits, strict=True):
        by_split = counts.setdefault("(none)" if label is None else str(label), {})
        name = "(none)" if split is None else str(split)
        by_split[name] = by_split.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: _order(item[0])))


def _order(label: str) -> tuple[bool, int, str]:
    """Sort numbers by their size, before words."""
    return (not label.isdecimal(), int(label) if label.isdecimal() else 0, label)


def _lines(images: Images) -> Iterator[str]:
    count, channels, height, width = images.pixels.shape
    kind = "grey" if channels == 1 else "in colours"
    yield f"Images: {count:,} decoded, {kind}, {height} x {width}; {images.pixels.nbytes / 1e6:,.0f} MB of pixels"
    if images.resized:
        yield f"Resized to {height} x {width}: {images.resized:,} (data.image_size sets another size)"
    if images.converted:
        yield f"Converted to {kind}: {images.converted:,} (data.image_mode sets the mode)"


def _print_counts(counts: dict[str, dict[str, int]]) -> None:
    splits = list(dict.fromkeys(split for by_split in counts.values() for split in by_split))
    rows: list[list[str]] = [
        [label, *(f"{by_split.get(split, 0):,}" for split in splits)] for label, by_split in counts.items()
    ]
    print_table(f"{len(counts):,} classes", ["class", *splits], rows)


def _print_most(name: str, counts: Any) -> None:
    listed = [(name, f"{count:,}") for name, count in list(counts.items())[:_SHOWN]]
    left = len(counts) - len(listed)
    print_table("", [name, "images"], [*listed, *([(f"{left:,} more", "")] if left > 0 else [])])
