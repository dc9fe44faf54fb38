"""Who trains: this process, one training after the other, or several processes at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from wellfit.errors import RunFailed
from wellfit.tuning.bench import Bench, Job, Measured

__all__ = ["Here", "Processes", "Runner"]

Next = Callable[[], Job | None]
Asked = Callable[[Job, int, float], bool]
Done = Callable[[Job, Measured], None]


class Runner(ABC):
    """Makes trainings until there is no further one."""

    @abstractmethod
    def run(self, following: Next, asked: Asked, done: Done) -> None:
        """Make the trainings.

        Args:
            following: gives the next training, or None.
            asked: ``asked(job, epoch, value)`` tells whether a training is given up.
            done: is told what each gave.
        """


class Here(Runner):
    """Trains in this process."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def run(self, following: Next, asked: Asked, done: Done) -> None:
        """Make the trainings one after the other."""
        while (job := following()) is not None:
            done(job, self.bench.measure(job, partial(asked, job)))


class Processes(Runner):
    """Trains in processes of their own, which end with this one.

    Args:
        folder: the run folder of the study.
        count: how many processes there are.
        threads: the threads of each.
    """

    def __init__(self, folder: Path, *, count: int, threads: int) -> None:
        self.folder, self.count, self.threads = folder, count, threads
        self._workers: dict[int, subprocess.Popen[str]] = {}
        self._stopped = False
        self._faults: list[BaseException] = []
        self._servants: list[threading.Thread] = []

    @contextmanager
    def opened(self) -> Iterator[Processes]:
        """Start the processes, and end them afterwards."""
        try:
            for place in range(self.count):
                self._workers[place] = self._start()
            yield self
        finally:
            self._stopped = True
            for worker in self._workers.values():
                worker.kill()
            for servant in self._servants:
                servant.join()
            for worker in self._workers.values():
                _close(worker)

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "wellfit.tuning.worker", str(self.folder), str(os.getpid())]
        threads = {name: str(self.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")}
        # A session of its own: Ctrl-C in the terminal reaches this process alone, which ends the others.
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **threads},
            start_new_session=True,
        )

    def run(self, following: Next, asked: Asked, done: Done) -> None:
        """Make the trainings, one a process at a time."""
        serve = partial(self._serve, following=following, asked=asked, done=done)
        self._servants = [threading.Thread(target=serve, args=(place,), daemon=True) for place in self._workers]
        for servant in self._servants:
            servant.start()
        # Waited for in turns, so that Ctrl-C is heard.
        while any(servant.is_alive() for servant in self._servants):
            for servant in self._servants:
                servant.join(0.1)
        if self._faults:
            raise self._faults[0]

    def _serve(self, place: int, following: Next, asked: Asked, done: Done) -> None:
        try:
            while not self._faults and (job := following()) is not None:
                measured = self._trained(place, job, asked)
                if self._stopped:
                    return
                done(job, measured)
        except BaseException as fault:
            self._faults.append(fault)

    def _trained(self, place: int, job: Job, asked: Asked) -> Measured:
        """Have a process make a training; one that is lost on it is replaced, and the training has failed."""
        worker = self._workers[place]
        # A process that is killed leaves a closed pipe, or half a line.
        with suppress(OSError, json.JSONDecodeError):
            self._write(worker, asdict(job))
            for line in worker.stdout or ():
                answer = json.loads(line)
                if "state" in answer:
                    return Measured(**answer)
                if "fault" in answer:
                    raise RunFailed(answer["fault"])
                self._write(worker, {"stop": asked(job, answer["epoch"], answer["value"])})
        if not self._stopped:
            _close(worker)
            self._workers[place] = self._start()
        return Measured(state="failed", reason=_lost(worker.wait()))

    @staticmethod
    def _write(worker: subprocess.Popen[str], record: Any) -> None:
        assert worker.stdin is not None
        worker.stdin.write(json.dumps(record) + "\n")
        worker.stdin.flush()


def _close(worker: subprocess.Popen[str]) -> None:
    """Wait for a process that is at its end, and close its pipes."""
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            # What was written to a process that is gone is lost, and fails once more here.
            with suppress(OSError):
                pipe.close()


def _lost(code: int) -> str:
    if code == -9:
        return "The system ended its process, most likely for want of memory."
    return f"Its process ended with code {code}."
