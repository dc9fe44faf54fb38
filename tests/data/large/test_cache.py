"""The folder of shards: found again, made anew where something changed, never half, never without bound."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellfit
from small import QUICK, csv_text, small_columns
from wellfit.config import from_mapping
from wellfit.data.large import cache as cache_module
from wellfit.data.large.cache import Cache, Held
from wellfit.errors import RunFailed
from wellfit.preparation import prepare
from wellfit.prepared_shards import PreparedShards
from wellfit.sharding import learning


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(csv_text(small_columns(200)))
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


def shards_of(source: Path, folder: Path, **sections: Any) -> PreparedShards:
    data = {"source": str(source), "target": "label", "streamed": True, "cache": str(folder)}
    prepared = prepare(from_mapping({"data": data, **sections}))
    assert isinstance(prepared, PreparedShards)
    return prepared


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]


def test_the_second_time_nothing_is_read(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    first = shards_of(source, folder)
    monkeypatch.setattr("wellfit.sharding.streamed", None)
    monkeypatch.setattr(cache_module, "checksum_of", None)
    again = shards_of(source, folder)
    assert again.plan() == first.plan()
    assert again.shards.folder == first.shards.folder


def test_the_resolved_config_finds_the_same_shards(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shards_of(source, tmp_path / "cache")
    monkeypatch.setattr("wellfit.sharding.streamed", None)
    again = prepare(first.config)
    assert again.plan() == first.plan()


@pytest.mark.parametrize("changed", ["content", "settings"])
def test_what_changed_is_made_anew(changed: str, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    first = shards_of(source, folder)
    if changed == "content":
        text = source.read_text()
        source.write_text(text.replace("yes", "sure"))
        other = shards_of(source, folder)
        assert "sure" in other.target.classes
    else:
        other = shards_of(source, folder, split={"seed": 1})
    assert other.shards.folder != first.shards.folder
    assert len(kept(folder)) == 2


def test_a_change_of_same_size_and_time_within_the_clocks_grain_is_noticed(tmp_path: Path) -> None:
    path, folder = tmp_path / "t.csv", tmp_path / "cache"
    path.write_text(csv_text(small_columns(200)))
    shards_of(path, folder)
    info = path.stat()
    path.write_text(path.read_text().replace("yes", "yea"))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert "yea" in shards_of(path, folder).target.classes


def test_a_change_whose_time_was_set_back_is_noticed(tmp_path: Path) -> None:
    path, cache = tmp_path / "t.csv", Cache(tmp_path)
    path.write_bytes(b"a,b\n1,2\n")
    long_ago = 1_600_000_000
    os.utime(path, (long_ago, long_ago))
    first = cache.checksum(path)
    time.sleep(0.02)
    path.write_bytes(b"a,b\n1,3\n")
    os.utime(path, (long_ago, long_ago))
    assert cache.checksum(path) != first


def test_an_altered_shard_is_noticed_and_made_anew(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    first = shards_of(source, folder)
    path = first.shards.folder / "train.numeric"
    before = path.read_bytes()
    path.write_bytes(before[:-4] + np.float32(7).tobytes())
    again = shards_of(source, folder)
    assert (again.shards.folder / "train.numeric").read_bytes() == before
    assert any("made anew" in note for note in again.notes)


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from wellfit.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        f"sys.argv = ['wellfit', 'train', {str(source)!r}, '--target', 'label', '--out', {str(tmp_path / 'run')!r},"
        f" '-o', 'data.streamed=true', '-o', 'data.cache={tmp_path / 'cache'}']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert "could not be written down" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
    assert not kept(tmp_path / "cache")


def test_too_little_room_is_said_before_anything_is_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "SPARE", 1 << 60)
    with pytest.raises(RunFailed, match="and there is less"):
        shards_of(source, tmp_path / "cache")
    assert not kept(tmp_path / "cache")


def test_what_was_not_used_for_longest_goes_first_and_what_is_in_use_stays(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    held = shards_of(source, folder, split={"seed": 1})
    old = shards_of(source, folder, split={"seed": 2}).shards.folder
    new = shards_of(source, folder, split={"seed": 3}).shards.folder
    for age, path in enumerate((held.shards.folder, old, new)):
        os.utime(path, (1000 + age, 1000 + age))
    monkeypatch.setattr(cache_module, "SHARE", 0.0)
    last = shards_of(source, folder, split={"seed": 4})
    assert held.shards.folder.is_dir()
    assert not old.exists()
    assert last.shards.folder.is_dir()
    assert any("removed to make room" in note for note in last.notes)


def test_what_a_killed_writer_left_is_removed_and_what_is_at_work_stays(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = Cache(folder)
    left = folder / ".part-left"
    left.mkdir()
    (left / "train.numeric").write_bytes(b"half")
    with cache.workspace() as at_work:
        Cache(folder)
        assert at_work.is_dir()
        assert not left.exists()
    assert not at_work.exists()


def test_a_folder_that_cant_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFailed, match=r"Set data\.cache to another folder"):
        Cache(tmp_path / "file" / "cache")


def test_a_lock_is_given_back(tmp_path: Path) -> None:
    held = Held(tmp_path)
    with pytest.raises(OSError, match="temporarily unavailable"):
        Held(tmp_path, alone=True)
    held.close()
    Held(tmp_path, alone=True).close()


KILLED = """
import os, signal, sys
import wellfit, {module}
def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
{module}.{name} = kill
import wellfit.api
wellfit.train({source!r}, "label", out={out!r}, data={{"streamed": True, "cache": {cache!r}}}, **{quick!r})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("wellfit.sharding.learning", "find_leaks"),
        ("wellfit.sharding.laying", "_as_trained"),
        ("wellfit.data.large.cache", "_settle"),
        ("wellfit.data.sharded", "_known"),
    ],
)
def test_a_killed_run_leaves_nothing_that_is_taken_for_whole(
    module: str, name: str, source: Path, tmp_path: Path
) -> None:
    settings = {"source": str(source), "out": str(tmp_path / "run"), "cache": str(tmp_path / "cache"), "quick": QUICK}
    code = KILLED.format(module=module, name=name, **settings)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    common = {"data": {"streamed": True, "cache": str(tmp_path / "cache")}, **QUICK}
    wellfit.train(str(source), "label", out=str(tmp_path / "a"), **common)
    other = {**common, "data": {"streamed": True, "cache": str(tmp_path / "fresh")}}
    wellfit.train(str(source), "label", out=str(tmp_path / "b"), **other)
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()
    assert not list((tmp_path / "cache").glob(".part-*"))


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(source: Path, tmp_path: Path) -> None:
    from wellfit.config import from_keywords
    from wellfit.errors import Interrupted
    from wellfit.recording import resume_run, train_run

    class Stop:
        def on_start(self, trainer: Any) -> None: ...
        def on_epoch(self, trainer: Any) -> None: ...
        def on_end(self, trainer: Any) -> None: ...
        def on_step(self, trainer: Any) -> None:
            if trainer.position.step == 5:
                os.kill(os.getpid(), signal.SIGINT)

    common = {"data": {"streamed": True, "cache": str(tmp_path / "cache")}, **QUICK, "batch_size": 16}
    whole = wellfit.train(str(source), "label", out=str(tmp_path / "whole"), **common)
    settings = from_mapping(
        from_keywords(source=str(source), target="label", output={"run": str(tmp_path / "cut")}, **common)
    )
    with pytest.raises(Interrupted):
        train_run(settings, callbacks=[Stop()])
    resume_run(tmp_path / "cut")
    assert (tmp_path / "cut/model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()


def test_repeated_rows_are_those_that_memory_finds() -> None:
    import polars as pl

    from wellfit.data.cleaning import repeated_rows
    from wellfit.data.large.scan import repeated_hashes, row_hashes

    draw = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"a": draw.integers(0, 30, 3000), "b": draw.choice(list("uvw"), 3000), "c": [None, 1.5] * 1500}
    )
    hashes = np.concatenate([row_hashes(frame[first : first + 70]) for first in range(0, 3000, 70)])
    np.testing.assert_array_equal(repeated_hashes(hashes), repeated_rows(frame))


def test_the_sample_is_even_and_the_same_in_other_batches() -> None:
    import polars as pl

    from wellfit.data.large.sample import Reservoir

    frame = pl.DataFrame({"row": range(20_000)})
    taken = []
    for size in (7, 1000, 20_000):
        reservoir = Reservoir(500)
        for first in range(0, 20_000, size):
            reservoir.add(frame[first : first + size], first)
        rows, sample = reservoir.taken()
        assert rows.tolist() == sample["row"].to_list()
        taken.append(rows.tolist())
    assert taken[0] == taken[1] == taken[2]
    assert len(taken[0]) == 500
    counts = np.histogram(taken[0], bins=10, range=(0, 20_000))[0]
    assert counts.min() > 25  # 50 are expected, and 25 are 3.7 standard deviations away


def test_memory_is_bounded_by_what_the_process_may_use(monkeypatch: pytest.MonkeyPatch, source: Path) -> None:
    from wellfit.data.large import memory
    from wellfit.sharding import is_streamed

    config = from_mapping({"data": {"source": str(source), "target": "label"}})
    assert not is_streamed(config, source)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (4096, resource.RLIM_INFINITY))
    assert memory.memory_limit() == 4096
    assert is_streamed(config, source)
    assert learning.SAMPLE_CELLS > 1_000_000
