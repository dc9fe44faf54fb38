"""What decides a training, as text by name: a checkpoint is gone on from only under the terms it was made under."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.data.bags import Bagged
from wellfit.data.batches import Batches, Resident
from wellfit.data.sharded import Sharded
from wellfit.errors import ConfigError
from wellfit.registry import Choice

__all__ = ["as_text", "option_terms", "refuse_changed", "subject_terms"]

_UNSET = "unset"
_SHOWN = 3

FREE = frozenset({"steps", "time", "threads", "lr"})
"""Options that need not be the same: the first two say when training stops and not how it goes, the number of threads
is repeated from the checkpoint, and the rate is among the optimizer's options."""


def as_text(value: Any) -> str:
    """Give a setting as text that is the same in every process; of an object, its name.

    >>> as_text({"name": "adam", "lr": 0.001}), as_text(re.compile)
    ('{"lr": 0.001, "name": "adam"}', '"re.compile"')
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_named)


def _named(value: Any) -> Any:
    if isinstance(value, Choice):
        return value.spec()
    if hasattr(value, "tolist"):  # an array, a tensor, a NumPy number
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, torch.optim.Optimizer):
        return [type(value).__qualname__, value.defaults]
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"


def option_terms(options: Any, resolved: Mapping[str, Any]) -> dict[str, str]:
    """Give the terms that options set; ``resolved`` has the values that were left open.

    Args:
        options: a dataclass of options, such as `FitOptions`.
        resolved: what they settled into, by the same names.
    """
    values = {name: getattr(options, name) for name in options.__dataclass_fields__ if name not in FREE}
    named = {name: value for name, value in resolved.items() if name in values and name != "loss"}
    settled = {name: value for name, value in named.items() if value not in (None, {})}
    return {name: as_text(value) for name, value in {**values, **settled}.items()}


def subject_terms(module: nn.Module, train: Batches, valid: Batches | None) -> dict[str, str]:
    """Give the terms that the module's structure and the rows set; of the rows, a digest of every bit."""
    shapes = [(name, str(value.dtype), list(value.shape)) for name, value in module.state_dict().items()]
    # A default repr has an address in it, another one in every process.
    structure = re.sub(r" at 0x[0-9a-f]+", "", repr(module))
    rows = {"training rows": train, "validation rows": valid}
    return {"module": _digest(structure.encode(), as_text(shapes).encode())} | {
        name: _rows_text(given) for name, given in rows.items()
    }


def _rows_text(rows: Batches | None) -> str:
    if rows is None:
        return "none"
    if isinstance(rows, Bagged):
        return _digest(*(_bits(ids) for ids in rows.members), _rows_text(rows.table).encode())
    if isinstance(rows, Sharded):
        return rows.digest[:16]
    if not isinstance(rows, Resident):
        return f"{type(rows).__name__} of {rows.rows} rows"
    tensors = [*rows.inputs, rows.target, *([] if rows.weight is None else [rows.weight])]
    return _digest(*(part for tensor in tensors for part in (_shape(tensor), _bits(tensor))))


def _shape(tensor: Tensor) -> bytes:
    return f"{tensor.dtype}{tuple(tensor.shape)}".encode()


def _bits(tensor: Tensor) -> Any:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()


def _digest(*parts: Any) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def refuse_changed(begun: Mapping[str, str], present: Mapping[str, str]) -> None:
    """Raise `ConfigError` where a term is not as it was when the training was begun, naming what differs.

    >>> refuse_changed({"lr": "0.1"}, {"lr": "0.2"})
    Traceback (most recent call last):
    wellfit.errors.ConfigError: A training is resumed as it was begun, and lr changed: 0.1 then, 0.2 now. Set it back, \
or train anew.
    """
    names = [name for name in {**present, **begun} if begun.get(name, _UNSET) != present.get(name, _UNSET)]
    if not names:
        return
    told = [f"{name} changed: {begun.get(name, _UNSET)} then, {present.get(name, _UNSET)} now" for name in names]
    more = f"; and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise ConfigError(
        f"A training is resumed as it was begun, and {'; '.join(told[:_SHOWN])}{more}.",
        do="Set it back, or train anew.",
    )
