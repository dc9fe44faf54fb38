"""Facts about the rows a training reads, as plain numbers: scales of inputs and target, classes, what is not finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from wellfit.data.bags import Bagged
from wellfit.data.batches import Batch, Batches, Resident, Streamed
from wellfit.data.sharded import Sharded

__all__ = ["sample_rows", "scales", "survey", "surveyed"]

_SURVEYED = 2048
"""Rows that scales are read from: their standard errors are then below 2 %."""


def sample_rows(rows: Batches, count: int) -> Batch:
    """Give at most so many rows, spread evenly over all where they are at hand, else the first ones.

    An iterator that can be walked through only once gives what it gives when it is peeked at.
    """
    if isinstance(rows, Resident):
        total = int(rows.target.shape[0])
        chosen = torch.linspace(0, total - 1, min(count, total)).round().long().to(rows.target.device)
        weight = None if rows.weight is None else rows.weight[chosen]
        return Batch(tuple(part[chosen] for part in rows.inputs), rows.target[chosen], weight)
    if isinstance(rows, Bagged):
        return rows.sample(count)
    if getattr(rows, "_one_shot", False):
        return rows.peek()
    # Of large images, fewer are as much as memory is meant for.
    count = min(count, getattr(rows, "most_sampled", count))
    found: list[Batch] = []
    # A data set that is sorted would show one class alone.
    drawn = isinstance(rows, (Sharded, Streamed)) and (rows.rows or 0) > count
    size = min(count, 256)
    for batch in rows.epoch(batch_rows=size, seed=0, epoch=0) if drawn else rows.walk(size):
        found.append(batch)
        if sum(part.rows for part in found) >= count:
            break
    inputs = zip(*(part.inputs for part in found), strict=True)
    weights = [part.weight for part in found if part.weight is not None]
    weight = torch.cat(weights)[:count] if weights else None
    target = torch.cat([part.target for part in found])[:count]
    return Batch(tuple(torch.cat(parts)[:count] for parts in inputs), target, weight)


def survey(rows: Batches) -> dict[str, Any]:
    """Give facts about inputs and target.

    ``inputs`` are of the first floating-point input: features are its last axis, or all pixels of a channel together.
    """
    return surveyed(rows)()


def surveyed(rows: Batches) -> Callable[[], dict[str, Any]]:
    """Copy sampled rows, and give what gives the facts about them."""
    sample = sample_rows(rows, _SURVEYED)
    count = rows.rows
    return lambda: {"rows": count, "inputs": _inputs(sample.inputs), "target": _target(sample.target)}


def _inputs(inputs: tuple[Tensor, ...]) -> dict[str, Any] | None:
    first = next((part for part in inputs if part.is_floating_point()), None)
    if first is None or first.numel() == 0:
        return None
    values = first.detach().double()
    shape = list(first.shape[1:])
    # Features stand apart in a table; pixels and time steps of one channel share a scale.
    flat = values.flatten(1) if values.ndim <= 2 else _by_channel(values)
    # Most rows are finite, which their sum shows sooner than each of them.
    finite = None if math.isfinite(float(flat.sum())) else torch.isfinite(flat)
    clean = flat if finite is None else torch.where(finite, flat, torch.zeros_like(flat))
    rms = clean.square().mean(0).sqrt()
    return {
        "shape": shape,
        "features": int(flat.shape[1]),
        "non_finite": 0 if finite is None else int((~finite).sum()),
        "non_finite_columns": [] if finite is None else (~finite).any(0).nonzero().flatten()[:5].tolist(),
        "largest": max(abs(end.item()) for end in clean.aminmax()),
        "rms_max": float(rms.max()),
        "rms_median": float(rms.median()),
        "widest": int(rms.argmax()),
    }


def scales(values: Tensor) -> dict[str, float]:
    """Give ``features``, and the largest root mean square of one, of what comes into a layer ``[row, ...]``.

    >>> scales(torch.tensor([[3.0, 0.0], [3.0, 1.0]]))
    {'features': 2, 'rms_max': 3.0}
    """
    flat = values.double() if values.ndim <= 2 else _by_channel(values.double())
    flat = flat.reshape(-1, flat.shape[-1])
    return {"features": int(flat.shape[1]), "rms_max": float(flat.square().mean(0).sqrt().max())}


def _by_channel(values: Tensor) -> Tensor:
    channels_last = values.movedim(1, -1) if values.ndim >= 4 else values
    return channels_last.reshape(-1, channels_last.shape[-1])


def _target(target: Tensor) -> dict[str, Any]:
    if target.is_floating_point():
        values = target.detach().double().reshape(-1)
        finite = torch.isfinite(values)
        clean = values[finite]
        facts: dict[str, Any] = {"kind": "numbers", "non_finite": int((~finite).sum()), "columns": _columns(target)}
        if clean.numel():
            facts |= {
                "mean": float(clean.mean()),
                "std": float(clean.std(correction=0)),
                "low": float(clean.min()),
                "high": float(clean.max()),
            }
        return facts
    ids = target.detach().reshape(-1).long()
    counts = torch.bincount(ids.clamp_min(0)).tolist() if ids.numel() else []
    return {"kind": "classes", "counts": counts[:1000], "classes": sum(count > 0 for count in counts)}


def _columns(target: Tensor) -> int:
    return 1 if target.ndim < 2 else int(target.shape[-1])
