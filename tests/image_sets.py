"""Folders of noise as images, and archives of them."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

RANDOM = np.random.default_rng(0)


def noise(height: int, width: int, channels: int = 3) -> np.ndarray[Any, Any]:
    """Pixels of no picture."""
    shape = (height, width) if channels == 1 else (height, width, channels)
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


def save(path: Path, array: np.ndarray[Any, Any], **options: Any) -> None:
    """Write pixels as a file, in a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def pictures(folder: Path, *, splits: bool = True) -> dict[str, np.ndarray[Any, Any]]:
    """A folder per class, in folders of splits; gives the arrays by name."""
    made = {}
    for split, count in (("train", 3), ("test", 1)) if splits else (("", 3),):
        for label in ("cat", "dog"):
            for place in range(count):
                name = "/".join(part for part in (split, label, f"{place}.png") if part)
                made[name] = noise(6, 8)
                save(folder / name, made[name])
    return made


def check_pixels(table: Any, made: dict[str, np.ndarray[Any, Any]], prefix: str = "") -> None:
    """Expect the pixels that `pictures` gave."""
    assert sorted(table.frame["file"]) == sorted(prefix + name for name in made)
    for image, file in table.frame.select("image", "file").iter_rows():
        expected = torch.from_numpy(made[file.removeprefix(prefix)]).permute(2, 0, 1)
        assert torch.equal(table.images.pixels[image], expected), file


def packed(folder: Path, kind: str) -> Path:
    """Pack a folder, beside it."""
    path = folder.parent / f"set.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, Path("set") / file.relative_to(folder))
    else:
        with tarfile.open(path, "w:gz" if kind.endswith("gz") else "w") as archive:
            archive.add(folder, "set")
    return path
