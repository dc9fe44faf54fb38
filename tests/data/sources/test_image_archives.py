"""Archives of images and what lies in them, and large sets of images: nothing is trusted, nothing held twice."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from image_sets import check_pixels, noise, packed, pictures
from wellfit.data.sources import read_table
from wellfit.data.sources.images import blobs, decoding, storage
from wellfit.errors import DataError


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
