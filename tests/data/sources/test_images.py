from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from image_sets import check_pixels, noise, packed, pictures, save
from small import Command
from wellfit.data.sources import read_table
from wellfit.data.sources.entry import Reading
from wellfit.data.sources.images.given import images_given
from wellfit.errors import DataError


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
