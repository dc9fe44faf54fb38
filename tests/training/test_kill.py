"""A run that is killed with SIGKILL at any moment, and resumed, ends with the bits of one that never was."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer

import wellfit
from wellfit.optimizers import OPTIMIZERS
from wellfit.run import Run

# Tests are imported by path, and a helper beside them is not found by name.
sys.path.insert(0, str(Path(__file__).parent))
from killer import Ended, Runs, small_fit, wait_and_signal

CONFIG = """\
version: 1
data: {{source: {source}, target: target}}
model: {{type: mlp, hidden: [16, 16], dropout: 0.2}}
train:
  {{optimizer: adam, batch_size: 16, epochs: 6, accumulate: 2, ema: 0.9, augment: {{noise: 0.1}}, schedule: cosine,
   early_stopping: {{patience: 4}}, threads: 1, checkpoint_every: {every}, seed: 5}}
output: {{report: false}}
"""
UPDATES = 6 * 12  # 364 training rows: 23 batches an epoch, by two


@dataclass
class Bench:
    """A table, a config, a server of runs, and the run that was never stopped."""

    folder: Path
    run: Runs
    rows: object
    whole: Path
    ended: Ended

    def train(self, name: str, *more: str, **order: object) -> Ended:
        return self.run("train", "-c", self.folder / "run.yaml", "--out", self.folder / name, *more, **order)

    def resume(self, name: str, **order: object) -> Ended:
        return self.run("resume", self.folder / name, **order)

    def killed(self, name: str, call: int, at: str = "replace") -> Path:
        """Begin a run that is killed at a call, and give its folder."""
        assert self.train(name, at=at, call=call).status == -signal.SIGKILL
        return self.folder / name

    def expect_same(self, name: str) -> None:
        expect_same(self.whole, self.folder / name, self.rows)


def expect_same(whole: Path, path: Path, rows: object) -> None:
    """The same files; the same bytes of weights and history; the same scores and predictions."""
    assert sorted(os.listdir(whole)) == sorted(os.listdir(path))
    for name in ("model.safetensors", "history.parquet", "metrics.json", "findings.json", "evaluation.json"):
        assert (whole / name).read_bytes() == (path / name).read_bytes(), name
    first, second = Run.load(whole), Run.load(path)
    assert first.history == second.history
    assert np.array_equal(first.predict_proba(rows), second.predict_proba(rows))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("kill")
    frame = load_breast_cancer(as_frame=True).frame
    frame.to_csv(folder / "cancer.csv", index=False)
    (folder / "run.yaml").write_text(CONFIG.format(source=folder / "cancer.csv", every=1))
    with Runs() as run:
        made = Bench(folder, run, frame, folder / "whole", Ended(0, "", 0.0, {}))
        made.ended = made.train("whole")
        assert made.ended.status == 0, made.ended.stderr
        yield made


def python_killed(bench: Bench, name: str, until: str, after: float, every: int) -> int:
    """Kill a true ``python -m wellfit train`` some time after a file is there; give how it ended."""
    config = bench.folder / f"{name}.yaml"
    config.write_text(CONFIG.format(source=bench.folder / "cancer.csv", every=every))
    command = [sys.executable, "-m", "wellfit", "train", "-c", config, "--out", bench.folder / name]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, **quiet)
    started.returncode = wait_and_signal(started.pid, until and str(bench.folder / name / until), after, signal.SIGKILL)
    return started.returncode


def test_a_real_process_killed_at_six_random_moments(bench):
    draw = random.Random(11)
    seconds = bench.ended.seconds
    # Start-up; four of training, between and inside checkpoints; the end of training and the writing of the folder.
    marks = [("", 2.0), ("config.yaml", 0.3), *[("checkpoint/*", seconds)] * 3, ("plan.json", 0.05)]
    moments = [(until, draw.random() * longest, 1 + place % 3) for place, (until, longest) in enumerate(marks)]
    with ThreadPoolExecutor(2) as pool:
        work = [pool.submit(python_killed, bench, f"six-{n}", *moment) for n, moment in enumerate(moments)]
        statuses = [done.result() for done in work]
    assert statuses.count(-signal.SIGKILL) >= 4, statuses  # one that was quicker than its moment proves nothing
    for place in range(len(moments)):
        name = f"six-{place}"
        begun = (bench.folder / name / "config.yaml").exists()
        if begun and place % 2:
            bench.resume(name, after=draw.random() * seconds)  # killed a second time, on the way
        ended = bench.resume(name) if begun else bench.train(name)
        assert (ended.status, ended.stderr) == (0, "")
        bench.expect_same(name)


# Calls of os.replace: 1 is config.yaml, then a checkpoint an update, then the files of the finished run.
@pytest.mark.parametrize(
    ("at", "call"), [("replace", 2), ("fsync", 10), ("unlink", 30), ("replace", -8), ("replace", -1), ("rmdir", 1)]
)
def test_killed_at_a_write(at, call, bench):
    name = f"write-{at}-{call}"
    bench.killed(name, call if call > 0 else bench.ended.calls[at] + 1 + call, at)
    ended = bench.resume(name)
    assert (ended.status, ended.stderr) == (0, "")
    bench.expect_same(name)


def test_killed_before_there_is_a_config_nothing_blocks_a_fresh_train(bench):
    folder = bench.killed("before", 1)
    assert [path.name for path in folder.iterdir()] == [".config.yaml.part"]
    assert "wellfit train wrote" in bench.resume(folder.name).stderr
    assert bench.train(folder.name).status == 0
    bench.expect_same(folder.name)


def test_killed_while_a_former_run_is_overwritten(bench):
    shutil.copytree(bench.whole, bench.folder / "force")
    for call in (1, 6, 12):
        assert bench.train("force", "--force", at="unlink", call=call).status == -signal.SIGKILL
    left = os.listdir(bench.folder / "force")
    assert "config.yaml" in left
    assert "metrics.json" not in left
    assert bench.train("force", "--force").status == 0
    bench.expect_same("force")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_signal_saves_the_step_and_says_how_to_resume(number, bench):
    name = f"signal-{number}"
    folder = bench.folder / name
    ended = bench.train(name, until=str(folder / "checkpoint" / "0*"), after=0.05, number=number)
    assert ended.status == 1
    assert ended.stderr.count("\n") == 1
    assert f"Go on with: wellfit resume {folder}" in ended.stderr
    newest = max(folder.glob("checkpoint/0*"))
    assert f"stopped after {int(newest.name[:10])} updates" in ended.stderr
    assert bench.resume(name).status == 0
    bench.expect_same(name)


def room_for_some(bench: Bench) -> int:
    """Bytes that hold a checkpoint of the first epochs, and none of the last: the history in it grows."""
    sizes = [path.stat().st_size for path in bench.killed("sizes", UPDATES).glob("checkpoint/0*")]
    return max(sizes) - 500


def test_a_full_disk_stops_the_run_with_the_last_state_intact(bench):
    ended = bench.train("full", largest_file=room_for_some(bench))
    assert ended.status == 1
    assert ended.stderr.count("\n") == 1
    assert "A checkpoint must be written, and the disk refused it. Got 'File too large" in ended.stderr
    left = [path.name for path in (bench.folder / "full" / "checkpoint").iterdir()]
    assert len(left) == 2
    assert all(name.startswith("0") for name in left)
    assert bench.resume("full").status == 0
    bench.expect_same("full")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mounted = tmp_path / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(mounted)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount a disk")
    yield mounted
    subprocess.run(["umount", str(mounted)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount")
@pytest.mark.parametrize("room", [40_960, 4_096, 0])
def test_a_disk_that_is_full(room, small_disk, bench):
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        file.write(bytes(409_600 - room))
    run = small_disk / "run"
    ended = bench.run("train", "-c", bench.folder / "run.yaml", "--out", run)
    assert ended.status == 1
    assert ended.stderr.count("\n") == 1
    assert "the disk refused it" in ended.stderr
    filler.unlink()
    begun = (run / "config.yaml").exists()
    again = ("resume", run) if begun else ("train", "-c", bench.folder / "run.yaml", "--out", run)
    assert bench.run(*again).status == 0
    expect_same(bench.whole, run, bench.rows)


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data if how == "altered" else data[: len(data) // 2])


@pytest.mark.parametrize("how", ["truncated", "altered"])
def test_a_damaged_checkpoint_is_passed_over(how, bench):
    folder = bench.killed(f"damaged-{how}", 40)
    newest = max(folder.glob("checkpoint/0*"))
    damage(newest, how)
    # Killed again before it got as far: the damaged file must not stand in the way of the newer ones.
    ended = bench.resume(folder.name, at="replace", call=2)
    assert ended.stderr == f"note: The checkpoint {newest.name} is damaged; the one before it is used.\n"
    assert not newest.exists()
    ended = bench.resume(folder.name)
    assert (ended.status, ended.stderr) == (0, "")
    bench.expect_same(folder.name)


def test_where_all_checkpoints_are_damaged_training_starts_anew(bench):
    folder = bench.killed("all-damaged", 40)
    for path in folder.glob("checkpoint/0*"):
        damage(path, "truncated")
    ended = bench.resume(folder.name, at="replace", call=6)
    assert "is damaged; training starts from the beginning." in ended.stderr
    assert len(list(folder.glob("checkpoint/0*"))) == 2
    assert (bench.resume(folder.name)).stderr == ""
    bench.expect_same(folder.name)


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_resuming_a_finished_run_changes_nothing(bench):
    before = everything(bench.whole)
    assert bench.resume("whole").status == 0
    assert everything(bench.whole) == before


def test_settings_and_rows_that_changed_are_refused_by_name(bench):
    folder = bench.killed("edited", 40)
    table = folder.parent / "edited.csv"
    shutil.copy(bench.folder / "cancer.csv", table)
    config = (folder / "config.yaml").read_text()

    def resumed(old: str, new: str) -> Ended:
        assert old in config
        (folder / "config.yaml").write_text(config.replace(old, new))
        return bench.resume("edited")

    for old, new, told in [
        ("lr: 0.001", "lr: 0.01", "train.optimizer.lr changed: 0.001 then, 0.01 now"),
        ("patience: 4", "patience: 5", "train.early_stopping.patience changed: 4 then, 5 now"),
        ("hidden: [16, 16]", "hidden: [16, 8]", "model.hidden changed: [16, 16] then, [16, 8] now"),
        ("  steps: null", "  steps: 12", "'steps' must be at least the 38 updates that were made"),
    ]:
        ended = resumed(old, new)
        assert ended.status == 2
        assert told in ended.stderr
        assert ended.stderr.count("\n") == 1
    text = table.read_text()
    table.write_text(text[: text.rstrip("\n").rindex("\n") + 1])
    ended = resumed("cancer.csv", "edited.csv")
    assert ended.status == 2
    assert "the content of data.source changed" in ended.stderr
    table.write_text(text)  # moved, and the same
    assert resumed("cancer.csv", "edited.csv").status == 0
    bench.expect_same("edited")


def test_a_run_limited_in_time_goes_on_with_the_time_that_was_left(bench):
    limited = bench.folder / "limited.yaml"
    text = CONFIG.format(source=bench.folder / "cancer.csv", every=3)
    limited.write_text(text.replace("epochs: 6", "epochs: 5000, time: 6").replace("patience: 4", "patience: 5000"))
    run = bench.folder / "limited"
    started = time.monotonic()
    ended = bench.run("train", "-c", limited, "--out", run, until=str(run / "checkpoint" / "0*"), after=0.6)
    assert ended.status == -signal.SIGKILL
    made = int(max(run.glob("checkpoint/0*")).name[:10])
    assert bench.resume("limited").status == 0
    assert time.monotonic() - started < 2 * 6
    config = (run / "config.yaml").read_text()
    assert "time: null" in config
    assert Run.load(run).config["train"]["steps"] > made
    assert bench.run("train", "-c", run / "config.yaml", "--out", bench.folder / "replayed").status == 0
    expect_same(run, bench.folder / "replayed", bench.rows)


class StopAt(wellfit.Callback):
    """Rests at one step, and stops at the next."""

    def __init__(self, step: int, rest: float = 0.0) -> None:
        self.step, self.rest = step, rest

    def on_step(self, trainer: object) -> None:
        if trainer.position.step == self.step - 1:
            time.sleep(self.rest)
        if trainer.position.step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("stop", [3, 13, 20])
def test_time_that_ran_out_within_an_epoch_gives_what_as_many_steps_give(stop, rows, held, make_net, tmp_path):
    options = {"loss": "cce", "batch_size": 16, "epochs": 9, "early_stopping": 3, "ema": 0.9, "schedule": "cosine"}
    limits = {"time": 1e6, "checkpoint": tmp_path, "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        wellfit.fit(make_net(), rows, valid=held, callbacks=[StopAt(stop + 1, rest=0.4)], **limits, **options)
    late = wellfit.fit(make_net(), rows, valid=held, resume=True, **{**limits, "time": 0.3}, **options)
    whole = wellfit.fit(make_net(), rows, valid=held, steps=stop, **options)
    assert late.steps == stop
    assert late.history == whole.history
    pairs = zip(late.module.state_dict().values(), whole.module.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_schedule_that_watches_the_loss_goes_on_from_the_losses_it_saw(rows, held, make_net, tmp_path):
    options = {"loss": "cce", "lr": 3.0, "schedule": {"name": "plateau", "patience": 1}, "valid": held, "epochs": 8}
    kept = {"checkpoint": tmp_path, "checkpoint_every": 1}
    whole = wellfit.fit(make_net(), rows, **options)
    assert len(set(whole.history["lr"])) > 1
    with pytest.raises(KeyboardInterrupt):
        wellfit.fit(make_net(), rows, callbacks=[StopAt(whole.steps * 3 // 4)], **kept, **options)
    assert wellfit.fit(make_net(), rows, resume=True, **kept, **options).history == whole.history


def test_fit_refuses_other_settings_and_rows_by_name(rows, held, make_net, tmp_path):
    options = {"loss": "cce", "lr": 0.1, "valid": held, "checkpoint": tmp_path, "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        wellfit.fit(make_net(), rows, callbacks=[StopAt(3)], **options)
    with pytest.raises(wellfit.errors.ConfigError, match=r"optimizer changed: .*0\.1.* then, .*0\.2"):
        wellfit.fit(make_net(), rows, resume=True, **{**options, "lr": 0.2})
    with pytest.raises(wellfit.errors.ConfigError, match="training rows changed"):
        wellfit.fit(make_net(), (rows[0] + 1, rows[1]), resume=True, **options)
    with pytest.raises(wellfit.errors.ConfigError, match="module changed"):
        wellfit.fit(make_net(dropout=0.3), rows, resume=True, **options)


def expect_same_fit(bench: Bench, optimizer: str, folder: Path, call: int, workers: int | None = None) -> None:
    order = {"optimizer": optimizer, "folder": str(folder), "workers": workers}
    assert bench.run(at="replace", call=call, **order).status == -signal.SIGKILL
    whole = small_fit(optimizer, workers=None if workers is None else 0)
    resumed = small_fit(optimizer, str(folder), resume=True, workers=None if workers is None else 1, seed=9)
    pairs = zip(whole.module.state_dict().values(), resumed.module.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert whole.history == resumed.history


def test_killed_while_workers_read_rows_and_resumed_with_another_number(bench, tmp_path):
    expect_same_fit(bench, "adam", tmp_path, call=9, workers=2)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_every_optimizer_killed(optimizer, bench, tmp_path):
    expect_same_fit(bench, optimizer, tmp_path, call=3)


@pytest.mark.slow
def test_killed_at_twenty_five_moments(bench):
    draw = random.Random(29)
    names = [*["fsync", "replace", "unlink"] * 6, *["time"] * 7]
    for place, name in enumerate(names):
        run = f"many-{place}"
        kill = (
            {"after": draw.random() * bench.ended.seconds}
            if name == "time"
            else {"at": name, "call": draw.randint(1, bench.ended.calls[name] - 1)}
        )
        bench.train(run, **kill)
        if (bench.folder / run / "config.yaml").exists():
            bench.resume(run, after=draw.random() * bench.ended.seconds)
            ended = bench.resume(run)
        else:
            ended = bench.train(run)
        assert (ended.status, ended.stderr) == (0, ""), kill
        bench.expect_same(run)
