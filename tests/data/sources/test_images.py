from __future__ import annotations

import gzip
import io
import json
import os
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from small import Command
from wellfit.data.sources import read_table
from wellfit.data.sources.entry import Reading
from wellfit.data.sources.images import blobs, decoding, storage
from wellfit.data.sources.images.given import images_given
from wellfit.errors import DataError

rng = np.random.default_rng(0)


def noise(height: int, width: int, channels: int = 3) -> np.ndarray[Any, Any]:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return rng.integers(0, 256, shape, dtype=np.uint8)


def save(path: Path, array: np.ndarray[Any, Any], **options: Any) -> None:
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
    assert sorted(table.frame["file"]) == sorted(prefix + name for name in made)
    for image, file in table.frame.select("image", "file").iter_rows():
        expected = torch.from_numpy(made[file.removeprefix(prefix)]).permute(2, 0, 1)
        assert torch.equal(table.images.pixels[image], expected), file


def packed(folder: Path, kind: str) -> Path:
    path = folder.parent / f"set.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, Path("set") / file.relative_to(folder))
    else:
        with tarfile.open(path, "w:gz" if kind.endswith("gz") else "w") as archive:
            archive.add(folder, "set")
    return path


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tar.gz", "tgz"])
@pytest.mark.parametrize("splits", [True, False])
def test_a_folder_per_class(tmp_path: Path, kind: str, splits: bool) -> None:
    folder = tmp_path / "pets"
    made = pictures(folder, splits=splits)
    (folder / "README.txt").write_text("pets")
    table = read_table(folder if kind == "folder" else packed(folder, kind))
    check_pixels(table, made, "" if kind == "folder" else "set/")
    assert table.images.pixels.shape == (len(made), 3, 6, 8)
    assert table.images.pixels.dtype == torch.uint8
    for row in table.frame.iter_rows(named=True):
        parts = row["file"].removeprefix("set/").split("/")
        assert row["label"] == parts[-2]
        assert row.get("split") == (parts[0] if splits else None)
    assert (table.record.kind, table.record.rows) == ("images", len(made))
    assert table.findings == ()


def test_the_checksum_is_of_names_and_contents(tmp_path: Path) -> None:
    pictures(tmp_path / "a")
    first = read_table(tmp_path / "a").record.checksum
    (tmp_path / "a").rename(tmp_path / "b")
    assert read_table(tmp_path / "b").record.checksum == first
    save(tmp_path / "b/train/cat/0.png", noise(6, 8))
    assert read_table(tmp_path / "b").record.checksum != first


def test_images_without_classes_have_no_label(tmp_path: Path) -> None:
    for place in range(3):
        save(tmp_path / "set" / f"{place}.png", noise(4, 4))
    assert read_table(tmp_path / "set").frame["label"].to_list() == [None] * 3


BROKEN = {
    "text.png": b"this is no image",
    "empty.jpg": b"",
    "cut.png": None,
    "late.jpg": None,
    "script.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
}


def broken_set(folder: Path) -> None:
    pictures(folder, splits=False)
    file = io.BytesIO()
    Image.fromarray(noise(64, 64)).save(file, "PNG")
    (folder / "cat/cut.png").write_bytes(file.getvalue()[: len(file.getvalue()) // 2])
    file = io.BytesIO()
    Image.fromarray(noise(64, 64)).save(file, "JPEG")
    (folder / "cat/late.jpg").write_bytes(file.getvalue()[:-900])
    for name, content in BROKEN.items():
        if content is not None:
            (folder / "cat" / name).write_bytes(content)


@pytest.mark.parametrize("kind", ["folder", "zip", "tar.gz"])
def test_broken_images_are_named_and_set_aside(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "pets"
    broken_set(folder)
    table = read_table(folder if kind == "folder" else packed(folder, kind))
    assert table.frame.height == len(table.images.pixels) == 6
    assert {Path(name).name for name in table.images.broken} == set(BROKEN)
    assert table.frame["image"].to_list() == list(range(6))
    [finding] = table.findings
    assert (finding.code, finding.severity, finding.evidence) == ("broken_images", "warning", {"images": 5, "of": 11})
    assert "cut off or damaged" in finding.message


def test_a_set_of_broken_images_alone_is_told(tmp_path: Path) -> None:
    (tmp_path / "set/a").mkdir(parents=True)
    (tmp_path / "set/a/x.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"No image can be decoded.*x\.png"):
        read_table(tmp_path / "set")


def test_modes_are_converted_as_pillow_does(tmp_path: Path) -> None:
    colour = noise(5, 5)
    deep = np.array([[0, 256, 65535]], dtype=np.uint16).repeat(5, 0)
    images = {
        "rgb": Image.fromarray(colour),
        "rgb2": Image.fromarray(noise(5, 5)),
        "rgb3": Image.fromarray(noise(5, 5)),
        "grey": Image.fromarray(noise(5, 5, 1)),
        "alpha": Image.fromarray(noise(5, 5, 4)),
        "palette": Image.fromarray(colour).convert("P"),
        "bits": Image.fromarray(noise(5, 5, 1)).convert("1"),
        "ink": Image.fromarray(noise(5, 5)).convert("CMYK"),
        "deep": Image.fromarray(deep),
    }
    for name, image in images.items():
        suffix = "jpg" if name == "ink" else "png"
        (tmp_path / "set/a").mkdir(parents=True, exist_ok=True)
        image.save(tmp_path / f"set/a/{name}.{suffix}")
    reading = Reading(image_size=(5, 5))
    table = read_table(tmp_path / "set", reading=reading)
    assert table.images.pixels.shape == (9, 3, 5, 5)
    assert table.images.modes == {"RGB": 3, "L": 1, "RGBA": 1, "P": 1, "1": 1, "CMYK": 1, "I;16": 1}
    assert table.images.converted == 6
    for image, file in table.frame.select("image", "file").iter_rows():
        if Path(file).stem == "deep":
            assert table.images.pixels[image].max() == 255
            continue
        expected = np.asarray(Image.open(tmp_path / "set" / file).convert("RGB"))
        assert np.array_equal(table.images.pixels[image].permute(1, 2, 0).numpy(), expected), file
    grey = read_table(tmp_path / "set", reading=Reading(image_size=(5, 5), image_mode="grey"))
    assert grey.images.pixels.shape == (9, 1, 5, 5)
    place = grey.frame.filter(pl.col("file") == "a/rgb.png")["image"].item()
    assert np.array_equal(grey.images.pixels[place, 0].numpy(), np.asarray(Image.fromarray(colour).convert("L")))


def test_sixteen_bits_are_divided_and_not_cut_off(tmp_path: Path) -> None:
    deep = np.arange(0, 65536, 4096, dtype=np.uint16).reshape(4, 4)
    save(tmp_path / "set/a/x.png", deep)
    pixels = read_table(tmp_path / "set").images.pixels
    assert np.array_equal(pixels[0, 0].numpy(), (deep >> 8).astype(np.uint8))


def test_sizes_become_the_most_common_one(tmp_path: Path) -> None:
    arrays = {f"{place}": noise(*size) for place, size in enumerate([(4, 6), (4, 6), (9, 9), (3, 2)])}
    for name, array in arrays.items():
        save(tmp_path / f"set/a/{name}.png", array)
    table = read_table(tmp_path / "set")
    assert table.images.pixels.shape == (4, 3, 4, 6)
    assert (table.images.resized, table.record.details["resized"]) == (2, 2)
    assert table.images.sizes == {"4 x 6": 2, "9 x 9": 1, "3 x 2": 1}
    for image, file in table.frame.select("image", "file").iter_rows():
        whole = Image.fromarray(arrays[Path(file).stem])
        expected = np.asarray(whole if whole.size == (6, 4) else whole.resize((6, 4), Image.Resampling.BILINEAR))
        assert np.array_equal(table.images.pixels[image].permute(1, 2, 0).numpy(), expected)


def test_equal_images_are_counted(tmp_path: Path) -> None:
    made = pictures(tmp_path / "set", splits=False)
    save(tmp_path / "set/dog/again.png", made["cat/0.png"])
    table = read_table(tmp_path / "set")
    assert table.images.duplicates == 1
    assert [finding.code for finding in table.findings] == ["duplicate_rows"]


def test_a_table_of_paths(tmp_path: Path) -> None:
    made = pictures(tmp_path, splits=False)
    rows = pl.DataFrame({"age": range(6), "path": list(made), "label": ["x", "y"] * 3})
    rows.write_csv(tmp_path / "list.csv")
    table = read_table(f"images:{tmp_path / 'list.csv'}")
    assert sorted(table.frame.columns) == ["age", "image", "label", "path"]
    for image, path in table.frame.select("image", "path").iter_rows():
        assert torch.equal(table.images.pixels[image], torch.from_numpy(made[path]).permute(2, 0, 1))
    assert table.frame["label"].to_list() == ["x", "y"] * 3


def test_a_table_of_paths_keeps_to_its_folder(tmp_path: Path) -> None:
    save(tmp_path / "secret.png", noise(4, 4))
    save(tmp_path / "set/a.png", noise(4, 4))
    os.symlink(tmp_path / "secret.png", tmp_path / "set/link.png")
    for path in ("../secret.png", str(tmp_path / "secret.png"), "link.png"):
        (tmp_path / "set/list.csv").write_text(f"path,label\na.png,x\n{path},y\n")
        table = read_table(f"images:{tmp_path / 'set/list.csv'}")
        assert table.frame["path"].to_list() == ["a.png"]
        (name, reason), *others = table.images.broken.items()
        assert not others
        assert name.startswith("row 1, ")
        assert "the table's folder" in reason
        given = images_given(str(tmp_path / "set/list.csv"), Reading())
        assert given.frame["image"].is_null().to_list() == [False, True]
        assert list(given.images.broken) == [name]
        (tmp_path / "set/list.csv").write_text(f"path,label\n{path},y\n")
        with pytest.raises(DataError, match=r"below the table's folder.*row 0"):
            read_table(f"images:{tmp_path / 'set/list.csv'}")
    (tmp_path / "set/list.csv").write_text("path,label\na.png,x\nmissing.png,y\n")
    table = read_table(f"images:{tmp_path / 'set/list.csv'}")
    assert table.images.broken == {"missing.png": "there is no such file"}
    (tmp_path / "set/list.csv").write_text("n,label\n1,x\n")
    with pytest.raises(DataError, match="one column of paths"):
        read_table(f"images:{tmp_path / 'set/list.csv'}")


def idx(array: np.ndarray[Any, Any]) -> bytes:
    return struct.pack(f">HBB{array.ndim}i", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("zipped", [True, False])
def test_mnist_files(tmp_path: Path, zipped: bool) -> None:
    truth = {}
    for start, count in (("train", 5), ("t10k", 2)):
        truth[start] = rng.integers(0, 256, (count, 4, 3), dtype=np.uint8), rng.integers(0, 10, count, dtype=np.uint8)
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
    pixels = rng.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
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
    images, labels = rng.integers(0, 256, (5, 6, 6, 3), dtype=np.uint8), np.arange(5)
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


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", ["../evil.png", "/evil.png", "a/../../evil.png", "..\\evil.png", "C:\\evil.png"])
def test_an_archive_that_leaves_its_folder_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    file = io.BytesIO()
    Image.fromarray(noise(4, 4)).save(file, "PNG")
    path = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, file.getvalue())
    else:
        with tarfile.open(path, "w") as tar:
            info = tarfile.TarInfo(name)
            info.size = len(file.getvalue())
            tar.addfile(info, io.BytesIO(file.getvalue()))
    with pytest.raises(DataError, match="leaves its folder"):
        read_table(path)
    assert sorted(tmp_path.parent.glob("evil*")) == []


def test_links_and_devices_in_an_archive_are_left_out(tmp_path: Path) -> None:
    made = pictures(tmp_path / "set", splits=False)
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(tmp_path / "set", "set")
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"set/cat/{kind.decode()}.png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert read_table(path).frame.height == len(made)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_damaged_archive_is_told(tmp_path: Path, kind: str) -> None:
    pictures(tmp_path / "set")
    path = packed(tmp_path / "set", kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cut off or damaged|is a zip archive"):
        read_table(path)


def test_a_bomb_is_set_aside_and_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(tmp_path / "set", splits=False)
    # Pillow itself refuses the one, and only warns of the other
    for name, side in (("bomb", 20_000), ("large", 12_000)):
        Image.new("1", (side, side)).save(tmp_path / f"set/cat/{name}.png")
        assert (tmp_path / f"set/cat/{name}.png").stat().st_size < 100_000
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded") if self.width > 1000 else load(self))
    table = read_table(tmp_path / "set")
    assert sorted(table.images.broken.values()) == ["it has too many pixels", "it has too many pixels (12000 x 12000)"]


load = Image.Image.load


def test_a_large_set_is_mapped_and_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pictures(tmp_path / "set")
    monkeypatch.setattr(storage, "IN_MEMORY", 10)
    check_pixels(read_table(tmp_path / "set"), made)


def test_a_set_that_fits_nowhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(tmp_path / "set")
    monkeypatch.setattr(storage, "IN_MEMORY", 10)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 100}))
    with pytest.raises(DataError, match=r"Set data\.image_size to a smaller one"):
        read_table(tmp_path / "set")


def test_a_tar_that_is_not_held_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pictures(tmp_path / "set")
    monkeypatch.setattr(blobs, "_HELD", 100)
    check_pixels(read_table(packed(tmp_path / "set", "tar.gz")), made, "set/")


def test_threads_change_no_pixel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = pictures(tmp_path / "set")
    monkeypatch.setattr(decoding, "_SMALL", 1)
    check_pixels(read_table(tmp_path / "set"), made)


def test_tables_are_still_tables(tmp_path: Path) -> None:
    pictures(tmp_path / "mixed", splits=False)
    for place in range(9):
        (tmp_path / f"mixed/part-{place}.csv").write_text("a\n1\n")
    assert read_table(tmp_path / "mixed").images is None
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("t.csv", "a\n1\n")
    with pytest.raises(DataError, match="is a zip archive"):
        read_table(tmp_path / "t.zip")


def test_the_command_line_counts_images(command: Command, tmp_path: Path) -> None:
    broken_set(tmp_path / "pets")
    done = command("check", "pets", "--json")
    told = json.loads(done.out)
    assert told["classes"] == {"cat": {"all": 3}, "dog": {"all": 3}}
    assert {Path(name).name for name in told["broken"]} == set(BROKEN)
    assert (told["images"], told["height"], told["width"]) == (6, 6, 8)
    shown = command("check", "pets", "-o", "data.image_size=4").out
    assert "6 decoded, in colours, 4 x 4" in shown
    assert "cut.png" in shown
    assert "network: convnet" in shown
    assert not (tmp_path / "runs").exists()


FOLDER = os.environ.get("WELLFIT_DATA")
REAL = {
    "brain-tumor-mri/brain_tumor_mri.tar.gz": (253, {"L": 30, "RGB": 217, "RGBA": 5, "P": 1}, 25, None),
    "mnist-png/mnist_png.tar.gz": (70000, {"L": 70000}, 0, (0.1309, 0.3084)),
}
"""Images, modes and equal images as counted when the sets were gathered; mean and deviation of all MNIST's pixels."""


@pytest.mark.skipif(FOLDER is None, reason="WELLFIT_DATA is not set")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name.startswith("mnist") else name for name in REAL]
)
def test_real_sets(name: str) -> None:
    count, modes, duplicates, moments = REAL[name]
    images = read_table(Path(FOLDER or "") / name).images
    assert (len(images.pixels), images.modes, images.duplicates, images.broken) == (count, modes, duplicates, {})
    if moments:
        pixels = images.pixels.float() / 255
        assert (pixels.mean().item(), pixels.std().item()) == pytest.approx(moments, abs=1e-4)
