"""What ``wellfit check`` says of a source of images, and of the network that would be trained on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from wellfit.cli.console import print_json, print_lines, print_table
from wellfit.cli.summary import finding_lines, rows_line

if TYPE_CHECKING:
    from wellfit.config import Config
    from wellfit.data.table import Images, Table
    from wellfit.findings import Finding

__all__ = ["print_images"]

_SHOWN = 10
"""Sizes and broken files that are listed; ``--json`` gives all."""


def print_images(config: Config, table: Table, *, json: bool) -> None:
    """Print the images of each class and split, their sizes and modes, what is broken, and the network for them."""
    images = table.images
    if images is None:
        raise AssertionError("the table has images")
    counts = _counts(table)
    network, found = _network(config, table)
    findings = [finding.as_dict() for finding in found]
    if json:
        kept = {
            name: getattr(images, name) for name in ("sizes", "modes", "broken", "resized", "converted", "duplicates")
        }
        shape = dict(zip(("images", "channels", "height", "width"), images.pixels.shape, strict=True))
        print_json(
            {**shape, "classes": counts, **kept, "network": network, "findings": findings, "notes": list(table.notes)}
        )
        return
    print_lines([*table.notes, *_lines(images)])
    _print_counts(counts)
    _print_most("height x width in the files", images.sizes)
    _print_most("mode in the files", images.modes)
    if images.broken:
        listed = list(images.broken.items())[:_SHOWN]
        print_table("Broken and set aside", ["file", "reason"], listed, right_from=9)
    print_lines(finding_lines(found))
    print_lines([_told(network)])


def _network(config: Config, table: Table) -> tuple[dict[str, Any], Sequence[Finding]]:
    """Make the images and their network ready and try two; say what is in the way where something is."""
    from wellfit.errors import BadInput
    from wellfit.experiment import Experiment
    from wellfit.image_preparation import prepare_images

    try:
        prepared = prepare_images(config, table)
        module = Experiment(prepared).module
    except BadInput as problem:
        return {"problem": str(problem)}, table.findings
    weights = sum(weight.numel() for weight in module.parameters())
    held = prepared.images.pixels.nbytes
    # Weights, gradients and velocities, four bytes each.
    megabytes = round((held + 3 * 4 * weights) / 1e6, 1)
    rows = {split: prepared.rows[split] for split in ("train", "valid", "test")}
    made = {"type": prepared.config.model["type"], "parameters": weights, "memory_mb": megabytes, "rows": rows}
    return made, prepared.findings


def _told(network: dict[str, Any]) -> str:
    if "problem" in network:
        return f"They can't be trained on: {network['problem']}"
    weights, memory = network["parameters"], network["memory_mb"]
    return (
        f"Rows: {rows_line(network['rows'])}; network: {network['type']}, {weights:,} weights; "
        f"about {memory:,.0f} MB of memory for pixels and weights."
    )


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
