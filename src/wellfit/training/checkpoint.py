"""Checkpoints: the whole state of a training in one file, written so that no crash can spoil it.

A file's name holds the number of updates and a digest of its bytes: ``0000001200-3f9c2b8a51d0e7f4.safetensors``. It is
written under a temporary name, flushed to the disk and renamed; the one before it is kept. A file whose bytes do not
match its name is passed over, with a warning, and the one before it is used; where none is whole, training starts from
the beginning, which gives the same bits later.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from wellfit.errors import RunFailed, WellfitWarning

__all__ = ["Checkpoints"]

_SUFFIX = ".safetensors"


class Checkpoints:
    """The checkpoints of one training, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last: Path | None = None
        """The file this training was read from, or wrote last."""

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write the state after ``step`` updates; the last good one stays until this one is whole.

        Raises:
            RunFailed: where the disk refuses it; the checkpoints before it are intact.
        """
        data = _encode(state)
        path = self.folder / f"{step:010d}-{_digest(data)}{_SUFFIX}"
        temporary = self.folder / f".{path.name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_through(temporary, data)
            os.replace(temporary, path)
            _sync_folder(self.folder)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise RunFailed(
                "A checkpoint must be written, and the disk refused it.",
                got=f"{error.strerror} in {self.folder}",
                do="Make room there; the run can be resumed from the checkpoint before.",
            ) from None
        self._remove_all_but(path, self._last)
        self._last = path

    def latest(self) -> dict[str, Any] | None:
        """Read the newest whole checkpoint; None where there is none."""
        files = self._files()
        for place, path in enumerate(files):
            state = _read(path)
            if state is not None:
                self._last = path
                return state
            instead = "training starts from the beginning" if place == len(files) - 1 else "the one before it is used"
            warnings.warn(f"The checkpoint {path.name} is damaged; {instead}.", WellfitWarning, stacklevel=2)
        return None

    def clear(self) -> None:
        """Remove all checkpoints, once the run is finished."""
        self._remove_all_but()
        with suppress(OSError):  # something else is in it, or it was never made
            self.folder.rmdir()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"[0-9]*{_SUFFIX}"), reverse=True)

    def _remove_all_but(self, *kept: Path | None) -> None:
        """Remove the older ones, and whatever damage, a former training or a killed process left here."""
        for path in [*self._files(), *self.folder.glob(".*.part")]:
            if path not in kept:
                path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    """Read a checkpoint; None where it is not as it was written."""
    try:
        data = path.read_bytes()
        return _decode(data) if _digest(data) == path.stem.partition("-")[2] else None
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encode(state: dict[str, Any]) -> bytes:
    """Put tensors into safetensors and everything else into its header, as JSON that points at them."""
    tensors: dict[str, Tensor] = {}
    skeleton = json.dumps(_plain(state, tensors))
    return save(tensors, metadata={"state": skeleton})


def _plain(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        key = str(len(tensors))
        # A copy: safetensors refuses tensors that share memory, as tied weights do.
        tensors[key] = value.detach().to("cpu", copy=True).contiguous()
        return {"tensor": key}
    if isinstance(value, dict):
        return {"pairs": [[key, _plain(item, tensors)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"list" if isinstance(value, list) else "tuple": [_plain(item, tensors) for item in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a checkpoint can't hold a {type(value).__name__}")


def _decode(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    state = _rebuilt(json.loads(header["__metadata__"]["state"]), load(data))
    if not isinstance(state, dict):
        raise ValueError("a checkpoint holds a mapping")
    return state


def _rebuilt(value: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "pairs":
        return {key: _rebuilt(item, tensors) for key, item in content}
    items = [_rebuilt(item, tensors) for item in content]
    return items if kind == "list" else tuple(items)


def to_device(value: Any, device: torch.device) -> Any:
    """Move every tensor of a nested state to a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {key: to_device(item, device) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_device(item, device) for item in value)
    return value
