"""Runs of wellfit that end as they are told to: killed at a moment or at a call, signalled, or on a full disk.

A server has imported everything once; each run is a process of its own, forked from it. Requests and answers are
lines of JSON on standard input and output. It computes with one thread and has computed nothing, so that it is safe
to fork.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

WATCHED = ("fsync", "replace", "unlink", "rmdir")
"""Functions of os at whose calls a run can be killed: all that change what a folder holds."""


IMPORTED = ("wellfit.recording", "wellfit.cli.summary", "pyarrow.parquet", "sklearn.linear_model", "torch._dynamo")
"""All that a run imports sooner or later."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A run, and how it ends; with nothing said, of itself."""

    argv: list[str] = field(default_factory=list)
    """Arguments of the command line."""
    optimizer: str | None = None
    """Or an optimizer, for a training through `wellfit.fit`; see `small_fit`."""
    folder: str = ""
    workers: int | None = None
    cwd: str = "."
    at: str = ""
    """Killed at a call of this function of os,"""
    call: int = 0
    """at this one, counted from 1."""
    until: str = ""
    """Once a path is there that matches this pattern,"""
    after: float | None = None
    """and after so many seconds more,"""
    number: int = signal.SIGKILL
    """this signal is sent."""
    largest_file: int | None = None
    """Bytes that a file may have: what a full disk is like."""


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    status: int
    """The exit code, or less than 0 for the signal that ended it."""
    stderr: str
    seconds: float
    calls: dict[str, int]
    """How often each function of os was called, where it ended of itself."""


class Runs:
    """The server, from outside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def __call__(self, *argv: str | Path, **order: Any) -> Ended:
        """Do one run, and tell how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = Order(argv=[str(part) for part in argv], **order)
        self._process.stdin.write(json.dumps(asdict(request)) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


def wait_and_signal(pid: int, until: str, after: float | None, number: int) -> int:
    """Wait for a child, and send it a signal when its moment comes; give how it ended."""
    moment = None
    sent = after is None
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if not sent and moment is None and (not until or any(Path("/").glob(until.lstrip("/")))):
            moment = time.monotonic() + (after or 0.0)
        if not sent and moment is not None and time.monotonic() >= moment:
            os.kill(pid, number)
            sent = True
        time.sleep(0.001)


def small_fit(
    optimizer: str, folder: str | None = None, *, resume: bool = False, workers: int | None = None, seed: int = 0
) -> Any:
    """Train a small network with everything on; from a `Dataset`, where workers are told."""
    import torch

    import wellfit
    from wellfit.optimizers import OPTIMIZERS

    torch.manual_seed(0)
    inputs = torch.randn(120, 6)
    target = (inputs.sum(1) > 0).long()
    torch.manual_seed(seed)
    drop = [] if optimizer == "lbfgs" else [torch.nn.Dropout(0.2)]
    norm = [] if optimizer == "sgd" else [torch.nn.BatchNorm1d(8)]
    module = torch.nn.Sequential(torch.nn.Linear(6, 8), *norm, torch.nn.ReLU(), *drop, torch.nn.Linear(8, 2))
    loud = {} if optimizer == "lbfgs" else {"accumulate": 2, "augment": {"noise": 0.1}, "clip_norm": 1.0}
    rows: Any = (inputs[:96], target[:96])
    return wellfit.fit(
        module,
        rows if workers is None else torch.utils.data.TensorDataset(*rows),
        valid=(inputs[96:], target[96:]),
        loss="cce",
        optimizer=optimizer,
        batch_size=8 if OPTIMIZERS[optimizer].batch_rule in ("any", "mini") else None,
        epochs=4,
        schedule="cosine",
        ema=0.9,
        l2=1e-4,
        early_stopping={"patience": 3},
        threads=1,
        workers=workers or 0,
        checkpoint=folder,
        checkpoint_every=1,
        resume=resume,
        **loud,
    )


def _child(order: Order, stderr: int, calls: Path) -> None:
    import wellfit.cli

    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)
    os.dup2(stderr, 2)
    os.chdir(order.cwd)
    counts = dict.fromkeys(WATCHED, 0)
    for name in WATCHED:
        setattr(os, name, _counted(name, getattr(os, name), counts, order))
    if order.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest_file, resource.RLIM_INFINITY))
    if order.optimizer is not None:
        small_fit(order.optimizer, order.folder, workers=order.workers)
    else:
        sys.argv = ["wellfit", *order.argv]
        wellfit.cli.STARTED = time.monotonic()
        wellfit.cli.main()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    calls.write_text(json.dumps(counts))


def _counted(name: str, function: Any, counts: dict[str, int], order: Order) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        counts[name] += 1
        if order.at == name and counts[name] == order.call:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    return call


def _forked(order: Order, folder: Path) -> Ended:
    started = time.monotonic()
    calls = folder / "calls.json"
    calls.unlink(missing_ok=True)
    with (folder / "stderr").open("w+b") as stderr:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _child(order, stderr.fileno(), calls)
                code = 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            finally:
                with suppress(Exception):
                    sys.stderr.flush()
                os._exit(code)
        status = wait_and_signal(pid, order.until, order.after, order.number)
        stderr.seek(0)
        text = stderr.read().decode(errors="replace")
    counts = json.loads(calls.read_text()) if calls.exists() else {}
    return Ended(status, text, time.monotonic() - started, counts)


def serve() -> None:
    """Answer requests until standard input ends."""
    import torch

    for name in IMPORTED:
        importlib.import_module(name)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            ended = _forked(Order(**json.loads(line)), Path(folder))
            sys.stdout.write(json.dumps(asdict(ended)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    serve()
