"""What a training loop reads: rows resident on the device, a `Dataset`, or an iterable of batches.

Legend: ``inputs`` is a tuple of tensors whose first axis is the row; ``target`` and ``weight`` too.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate

from wellfit.errors import DataError
from wellfit.runtime import keyed_generator, keyed_seed, reseed

__all__ = ["Batch", "Batches", "Resident", "Streamed", "Walked", "as_batches", "bounds"]


@dataclass(frozen=True)
class Batch:
    """Rows that one forward pass reads."""

    inputs: tuple[Tensor, ...]
    target: Tensor
    weight: Tensor | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.inputs[0].shape[0])

    def to(self, device: torch.device) -> Batch:
        """Give the batch on a device; the same object where it is there already."""
        tensors = [*self.inputs, self.target, *([] if self.weight is None else [self.weight])]
        if all(tensor.device == device for tensor in tensors):
            return self
        weight = None if self.weight is None else self.weight.to(device)
        return Batch(tuple(tensor.to(device) for tensor in self.inputs), self.target.to(device), weight)


class Batches(Protocol):
    """Rows in batches, in an order that depends on the seed and the epoch alone."""

    rows: int | None
    """How many rows an epoch has; None where only walking through them tells."""

    def steps(self, batch_rows: int) -> int | None:
        """Give the number of batches an epoch has, or None where only walking through them tells."""

    def epoch(self, *, batch_rows: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Walk through a shuffled epoch from batch ``start`` on."""

    def walk(self, batch_rows: int) -> Iterator[Batch]:
        """Walk through the rows as they stand."""

    def peek(self) -> Batch:
        """Give at most two rows, to try a module on."""


def _steps(rows: int, batch_rows: int) -> int:
    """Count the batches: a last batch of a single row joins the one before it.

    Batch norm can't take one row, and a gradient from one row alone is the noisiest of the epoch.
    """
    full, rest = divmod(rows, batch_rows)
    return max(1, full + (rest > 1))


def bounds(rows: int, batch_rows: int) -> list[tuple[int, int]]:
    """Give the first row and the end of each batch of an epoch."""
    count = _steps(rows, batch_rows)
    return [(step * batch_rows, rows if step == count - 1 else (step + 1) * batch_rows) for step in range(count)]


@dataclass
class Resident:
    """Rows held as tensors: a batch is one gather, with no Python per row.

    >>> data = Resident((torch.zeros(10, 3),), torch.zeros(10))
    >>> [batch.rows for batch in data.epoch(batch_rows=4, seed=0, epoch=0)]
    [4, 4, 2]
    """

    inputs: tuple[Tensor, ...]
    target: Tensor
    weight: Tensor | None = None

    def __post_init__(self) -> None:
        """Refuse tensors whose first axes differ, and an empty set."""
        lengths = {int(tensor.shape[0]) if tensor.ndim else -1 for tensor in self._tensors()}
        if len(lengths) != 1 or -1 in lengths:
            raise DataError(
                "Inputs, target and weight must have the same number of rows.",
                got=[tuple(tensor.shape) for tensor in self._tensors()],
                do="The first axis is the row.",
            )
        self.rows: int | None = lengths.pop()
        if self.rows == 0:
            raise DataError("There must be at least one row.", got=0, do="Was everything filtered out?")

    def _tensors(self) -> list[Tensor]:
        return [*self.inputs, self.target, *([] if self.weight is None else [self.weight])]

    def steps(self, batch_rows: int) -> int:
        """Give the number of batches an epoch has."""
        return _steps(cast(int, self.rows), batch_rows)

    def epoch(self, *, batch_rows: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Walk through a shuffled epoch from batch ``start`` on."""
        rows = cast(int, self.rows)
        # Drawn on the CPU, so that the order is the same on every device.
        order = torch.randperm(rows, generator=keyed_generator(seed, "order", epoch))
        order = order.to(self.target.device)
        for first, last in bounds(rows, batch_rows)[start:]:
            yield self._gather(order[first:last])

    def _gather(self, chosen: Tensor) -> Batch:
        weight = None if self.weight is None else self.weight.index_select(0, chosen)
        inputs = tuple(tensor.index_select(0, chosen) for tensor in self.inputs)
        return Batch(inputs, self.target.index_select(0, chosen), weight)

    def walk(self, batch_rows: int) -> Iterator[Batch]:
        """Walk through the rows as they stand; slices, not copies."""
        rows = cast(int, self.rows)
        for first in range(0, rows, batch_rows):
            part = slice(first, first + batch_rows)
            weight = None if self.weight is None else self.weight[part]
            yield Batch(tuple(tensor[part] for tensor in self.inputs), self.target[part], weight)

    def peek(self) -> Batch:
        """Give at most two rows, to try a module on."""
        return next(self.walk(2))

    def to(self, device: torch.device) -> Resident:
        """Give the same rows on a device."""
        batch = Batch(self.inputs, self.target, self.weight).to(device)
        return Resident(batch.inputs, batch.target, batch.weight)


class _Keyed(Dataset[Any]):
    """A map-style data set whose random draws depend on seed, epoch and row, not on the worker that draws them."""

    def __init__(self, dataset: Dataset[Any], seed: int, epoch: int) -> None:
        self.dataset, self.seed, self.epoch = dataset, seed, epoch

    def __getitem__(self, row: int) -> Any:
        key = keyed_seed(self.seed, "row", self.epoch, row)
        reseed(key)
        # A user's own transform may draw from Python's or NumPy's global generator.
        random.seed(key)
        np.random.seed(key % 2**32)
        return self.dataset[row]


class Streamed:
    """A map-style `torch.utils.data.Dataset`, read row by row, by worker processes where there are any."""

    def __init__(self, dataset: Dataset[Any], workers: int = 0) -> None:
        self.dataset = dataset
        self.workers = workers
        self.rows: int | None = len(dataset)  # type: ignore[arg-type]
        if self.rows == 0:
            raise DataError("A data set must have at least one row.", got=type(dataset).__name__)

    def steps(self, batch_rows: int) -> int:
        """Give the number of batches an epoch has."""
        return _steps(cast(int, self.rows), batch_rows)

    def epoch(self, *, batch_rows: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Walk through a shuffled epoch from batch ``start`` on."""
        rows = cast(int, self.rows)
        order = torch.randperm(rows, generator=keyed_generator(seed, "order", epoch)).tolist()
        chosen = [order[first:last] for first, last in bounds(rows, batch_rows)[start:]]
        return self._load(chosen, seed, epoch)

    def walk(self, batch_rows: int) -> Iterator[Batch]:
        """Walk through the rows as they stand."""
        rows = cast(int, self.rows)
        starts = range(0, rows, batch_rows)
        return self._load([list(range(first, min(first + batch_rows, rows))) for first in starts], 0, -1)

    def peek(self) -> Batch:
        """Give at most two rows, to try a module on."""
        return as_batch(default_collate([self.dataset[row] for row in range(min(2, cast(int, self.rows)))]))

    def _load(self, chosen: Sequence[list[int]], seed: int, epoch: int) -> Iterator[Batch]:
        loader: DataLoader[Any] = DataLoader(
            _Keyed(self.dataset, seed, epoch),
            batch_sampler=chosen,
            num_workers=self.workers,
            collate_fn=default_collate,
            generator=torch.Generator().manual_seed(0),
        )
        return (as_batch(item) for item in loader)


class Walked:
    """An iterable that gives batches itself; each epoch walks through it anew."""

    def __init__(self, source: Iterable[Any]) -> None:
        self.source = source
        self.rows: int | None = None
        self._one_shot = iter(source) is source
        self._walked = False

    def steps(self, batch_rows: int) -> int | None:
        """Give the number of batches an epoch has, or None where only walking through them tells."""
        try:
            return len(self.source)  # type: ignore[arg-type]
        except TypeError:
            return None

    def epoch(self, *, batch_rows: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Walk through the batches in the order the iterable gives them."""
        reseed(keyed_seed(seed, "order", epoch))
        return itertools.islice(self.walk(batch_rows), start, None)

    def peek(self) -> Batch:
        """Give at most two rows, to try a module on; an iterator gives its first batch again when it is walked."""
        items = iter(self.source)
        first = next(items, None)
        if first is None:
            raise self._empty()
        if self._one_shot:
            self.source = itertools.chain([first], items)
        batch = as_batch(first)
        return Batch(tuple(part[:2] for part in batch.inputs), batch.target[:2])

    def _empty(self) -> DataError:
        return DataError("An iterable of batches must yield at least one.", got=type(self.source).__name__)

    def walk(self, batch_rows: int) -> Iterator[Batch]:
        """Walk through the batches as they come."""
        if self._one_shot and self._walked:
            raise DataError(
                "An iterator can be walked through once, and every epoch needs it anew.",
                got=type(self.source).__name__,
                do="Give a list, a DataLoader, or an object whose __iter__ starts anew.",
            )
        self._walked = True
        found = False
        for item in self.source:
            found = True
            yield as_batch(item)
        if not found:
            raise self._empty()


def as_batch(item: Any) -> Batch:
    """Read one batch as a loader gives it: ``(X, y)`` or ``(X, y, weight)``, X a tensor or a tuple of tensors."""
    if isinstance(item, Batch):
        return item
    if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
        raise DataError(
            "A batch is (X, y) or (X, y, weight).",
            got=type(item).__name__,
            do="X is a tensor, or a tuple of tensors that the module's forward takes in that order.",
        )
    weight = as_tensor(item[2]) if len(item) == 3 else None
    return Batch(_inputs(item[0]), as_tensor(item[1]), weight)


def _inputs(given: Any) -> tuple[Tensor, ...]:
    if isinstance(given, (tuple, list)) and given and all(hasattr(part, "shape") for part in given):
        return tuple(as_tensor(part) for part in given)
    return (as_tensor(given),)


_TO_INT64 = (torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32)


def as_tensor(values: Any) -> Tensor:
    """Give values as a tensor: float64 becomes float32, what torch trains in; whole numbers become int64."""
    if not isinstance(values, Tensor):
        values = _from_array(values)
    if values.dtype == torch.float64:
        return cast(Tensor, values.float())
    return cast(Tensor, values.long() if values.dtype in _TO_INT64 else values)


def _from_array(values: Any) -> Tensor:
    array = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)
    if array.dtype.kind not in "fiub":
        raise DataError(
            "Rows must be numbers.",
            got=f"values of type {array.dtype}",
            do="Train tables with text through wellfit.train, which encodes it.",
        )
    if array.dtype == np.float16 or array.dtype.itemsize > 8:
        array = array.astype(np.float32)
    # A read-only or negatively strided array can't be shared with torch.
    shareable = array.flags.writeable and array.flags.c_contiguous
    return torch.from_numpy(array if shareable else np.array(array, order="C"))


def as_batches(data: Any, workers: int = 0) -> Batches:
    """Read what `wellfit.fit` takes: ``(X, y)``, ``(X, y, weight)``, a `Dataset`, or an iterable of batches.

    >>> as_batches((np.zeros((4, 2)), np.zeros(4))).rows
    4
    """
    if isinstance(data, (Resident, Streamed, Walked)):
        return data
    if isinstance(data, (tuple, list)) and len(data) in (2, 3) and not _is_batch_list(data):
        batch = as_batch(tuple(data))
        return Resident(batch.inputs, batch.target, batch.weight)
    if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        return Streamed(data, workers)
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes, dict)):
        return Walked(data)
    raise DataError(
        "Rows are given as (X, y), a torch Dataset, or an iterable of batches.",
        got=type(data).__name__,
        do="Give wellfit.fit(module, (X, y)), or train a table with wellfit.train.",
    )


def _is_batch_list(data: Sequence[Any]) -> bool:
    """Tell a list of batches ``[(X, y), (X, y)]`` from one pair ``(X, y)``."""
    return isinstance(data, list) and all(isinstance(item, (tuple, list)) and len(item) in (2, 3) for item in data)
