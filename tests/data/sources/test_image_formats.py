"""Images that are no files of their own: MNIST's and CIFAR's files, NumPy archives, torch datasets."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from image_sets import RANDOM, noise, packed
from wellfit.data.sources import read_table
from wellfit.data.sources.entry import Reading
from wellfit.errors import DataError


def idx(array: np.ndarray[Any, Any]) -> bytes:
    return struct.pack(f">HBB{array.ndim}i", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("zipped", [True, False])
def test_mnist_files(tmp_path: Path, zipped: bool) -> None:
    truth = {}
    for start, count in (("train", 5), ("t10k", 2)):
        truth[start] = (
            RANDOM.integers(0, 256, (count, 4, 3), dtype=np.uint8),
            RANDOM.integers(0, 10, count, dtype=np.uint8),
        )
        for name, array in zip(("images-idx3", "labels-idx1"), truth[start], strict=True):
            data = idx(array)
            path = tmp_path / f"{start}-{name}-ubyte{'.gz' * zipped}"
            path.write_bytes(gzip.compress(data) if zipped else data)
    table = read_table(tmp_path)
    assert table.images.pixels.shape == (7, 1, 4, 3)
    for start, split in (("train", "train"), ("t10k", "test")):
        part = table.frame.filter(pl.col("split") == split)
        assert part["label"].to_list() == truth[start][1].tolist()
        assert np.array_equal(table.images.pixels[part["image"].to_list(), 0].numpy(), truth[start][0])


@pytest.mark.parametrize("fault", ["cut", "huge", "labels", "packed"])
def test_bad_mnist_files_are_told(tmp_path: Path, fault: str) -> None:
    images, labels = idx(noise(4, 12).reshape(3, 4, 12)), idx(np.zeros(3, np.uint8))
    if fault == "cut":
        images = images[:-1]
    if fault == "huge":
        images = struct.pack(">HBB3i", 0, 8, 3, 2**31 - 1, 2**31 - 1, 2**31 - 1) + b"x"
    if fault == "labels":
        labels = idx(np.zeros(2, np.uint8))
    if fault == "packed":
        images = gzip.compress(images)[:-9]
    (tmp_path / "train-images-idx3-ubyte").write_bytes(images)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(labels)
    with pytest.raises(DataError, match=r"cut off|one label for each image"):
        read_table(tmp_path)


@pytest.mark.parametrize("fine", [False, True])
def test_cifar_files(tmp_path: Path, fine: bool) -> None:
    pixels = RANDOM.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    labels = np.array([1, 0, 2, 1], np.uint8)
    heads = np.stack([labels * 0 + 9, labels], 1) if fine else labels[:, None]
    records = np.concatenate([heads, pixels.reshape(4, -1)], 1).astype(np.uint8)
    names = (
        ("train.bin", "test.bin", "fine_label_names.txt")
        if fine
        else (
            "data_batch_1.bin",
            "test_batch.bin",
            "batches.meta.txt",
        )
    )
    (tmp_path / "cifar").mkdir()
    (tmp_path / "cifar" / names[0]).write_bytes(records[:3].tobytes())
    (tmp_path / "cifar" / names[1]).write_bytes(records[3:].tobytes())
    (tmp_path / "cifar" / names[2]).write_text("plane\ncar\nbird\n")
    for source in (tmp_path / "cifar", packed(tmp_path / "cifar", "tar.gz")):
        table = read_table(source).frame.sort("split", descending=True)
        images = read_table(source).images
        assert table["label"].to_list() == ["car", "plane", "bird", "car"]
        assert table["split"].to_list() == ["train"] * 3 + ["test"]
        assert np.array_equal(images.pixels[table["image"].to_list()].numpy(), pixels)
    (tmp_path / "cifar" / names[0]).write_bytes(records.tobytes()[:-1])
    with pytest.raises(DataError, match=r"must hold records of 307[34] bytes"):
        read_table(tmp_path / "cifar")


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / "cifar").mkdir()
    (tmp_path / "cifar/data_batch_1").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    with pytest.raises(DataError, match=r"is pickled.*binary version"):
        read_table(tmp_path / "cifar")
    np.savez(tmp_path / "x.npz", images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="pickled objects, which are never opened"):
        read_table(tmp_path / "x.npz")


NPZ = {
    "keras": ("x_train", "y_train", "x_test", "y_test"),
    "medmnist": ("train_images", "train_labels", "test_images", "test_labels"),
}


@pytest.mark.parametrize("names", NPZ)
@pytest.mark.parametrize("scaled", [False, True])
def test_numpy_archives(tmp_path: Path, names: str, scaled: bool) -> None:
    images, labels = RANDOM.integers(0, 256, (5, 6, 6, 3), dtype=np.uint8), np.arange(5)
    images[0, 0, 0, 0] = 255
    given = images / 255 if scaled else images
    column = labels[:, None] if names == "medmnist" else labels
    first, second, third, fourth = NPZ[names]
    np.savez_compressed(
        tmp_path / "x.npz", **{first: given[:3], second: column[:3], third: given[3:], fourth: column[3:]}
    )
    table = read_table(tmp_path / "x.npz")
    assert table.frame["label"].to_list() == [0, 1, 2, 3, 4]
    assert table.frame["split"].to_list() == ["train"] * 3 + ["test"] * 2
    if not scaled:
        assert np.array_equal(table.images.pixels.permute(0, 2, 3, 1).numpy(), images)


def test_a_numpy_archive_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (10**7, 10**5)})
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("images.npy", file.getvalue())
    with pytest.raises(DataError, match="too large"):
        read_table(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", weights=np.ones((3, 3)))
    with pytest.raises(DataError, match="no images in the archive"):
        read_table(tmp_path / "y.npz")


class Items(torch.utils.data.Dataset):  # type: ignore[type-arg]
    classes = ("cat", "dog")

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> Any:
        return self.items[place]


def test_torch_datasets() -> None:
    array = noise(4, 5)
    chw = torch.from_numpy(array).permute(2, 0, 1)
    kinds = [Image.fromarray(array), chw, chw.float() / 255, array]
    kinds[2][0, 0, 0] = 1.0  # a picture of floats is told by its greatest value
    table = read_table(Items([(image, place % 2) for place, image in enumerate(kinds)]))
    assert table.frame["label"].to_list() == ["cat", "dog", "cat", "dog"]
    for place in (0, 1, 3):
        assert torch.equal(table.images.pixels[place], chw)
    assert torch.equal(table.images.pixels[2, 1:], chw[1:])
    with pytest.raises(DataError, match="item 0 is no image"):
        read_table(Items([("text", 0)]))


class Failing(Items):
    def __getitem__(self, place: int) -> Any:
        if self.items[place] is None:
            raise ValueError(f"no file for\n{place}")
        return self.items[place]


def test_items_that_a_dataset_cannot_give_are_named_and_set_aside() -> None:
    items = [(noise(4, 4), 0), None, (noise(4, 4), 1)]
    table = read_table(Failing(items))
    assert table.frame["file"].to_list() == ["0", "2"]
    assert table.frame["label"].to_list() == ["cat", "dog"]
    assert table.images.broken == {"item 1": "ValueError: no file for 1"}
    assert [finding.code for finding in table.findings] == ["broken_images"]
    with pytest.raises(DataError, match=r"gives no item.*ValueError: no file for 0"):
        read_table(Failing([None, None]))


def test_a_dataset_of_mixed_sizes_is_resized() -> None:
    items = [(Image.fromarray(noise(4, 4)), 0), (Image.fromarray(noise(4, 4)), 1), (Image.fromarray(noise(8, 9, 1)), 1)]
    table = read_table(Items(items), reading=Reading())
    assert table.images.pixels.shape == (3, 3, 4, 4)
    assert (table.images.resized, table.images.converted) == (1, 1)
