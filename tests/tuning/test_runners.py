"""Processes answer, are asked at rungs, and one that is lost costs its training alone; how many there are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wellfit.errors import RunFailed
from wellfit.tuning import room
from wellfit.tuning.bench import Job, Measured
from wellfit.tuning.runners import Processes

ANSWERING = """
import json, sys
for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"epoch": 1, "value": 0.5}), flush=True)
    stop = json.loads(sys.stdin.readline())["stop"]
    state = "pruned" if stop else "complete"
    print(json.dumps({"state": state, "value": float(job["seed"]), "epochs": 1}), flush=True)
"""
DYING = "import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 9)"
REFUSING = """print('{"fault": "The rows are gone."}', flush=True); import sys; sys.stdin.readline()"""


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], Processes]:
    """Processes that run a text in place of the worker."""

    def made(code: str, count: int) -> Processes:
        def start(self: Processes) -> subprocess.Popen[str]:
            pipe = subprocess.PIPE
            return subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True)

        monkeypatch.setattr(Processes, "_start", start)
        return Processes(Path("none"), count=count, threads=1)

    return made


def run(processes: Processes, jobs: list[Job], stop: bool = False) -> dict[str, Measured]:
    given: dict[str, Measured] = {}
    waiting = iter(jobs)
    with processes.opened() as opened:
        opened.run(
            lambda: next(waiting, None), lambda job, epoch, value: stop, lambda job, gave: given.update({job.key: gave})
        )
    return given


JOBS = [Job(key=f"trial {number}", values={"train.l2": 0.1}, seed=number, rungs=(1,)) for number in range(5)]


@pytest.mark.parametrize(("stop", "state"), [(False, "complete"), (True, "pruned")])
def test_each_training_is_answered_and_asked_at_its_rungs(
    processes: Callable[[str, int], Processes], stop: bool, state: str
) -> None:
    given = run(processes(ANSWERING, 2), JOBS, stop)
    assert {key: (gave.state, gave.value) for key, gave in given.items()} == {
        job.key: (state, float(job.seed or 0)) for job in JOBS
    }


def test_a_process_that_is_lost_costs_its_training_alone(processes: Callable[[str, int], Processes]) -> None:
    given = run(processes(DYING, 1), JOBS[:2])
    assert [gave.state for gave in given.values()] == ["failed", "failed"]
    assert "want of memory" in given["trial 0"].reason


def test_a_process_that_can_not_begin_ends_the_search(processes: Callable[[str, int], Processes]) -> None:
    with pytest.raises(RunFailed, match="The rows are gone"):
        run(processes(REFUSING, 1), JOBS[:2])


def test_no_process_outlives_the_search(processes: Callable[[str, int], Processes]) -> None:
    held = processes(ANSWERING, 2)
    with held.opened():
        workers = list(held._workers.values())
        assert all(worker.poll() is None for worker in workers)
    assert all(worker.poll() is not None for worker in workers)


@pytest.mark.parametrize(
    ("cells", "rows", "trials", "memory", "count"),
    [
        (100_000, 10_000, 50, 64e9, 4),
        (100_000, 10_000, 3, 64e9, 3),
        (100_000, 10_000, 50, 2.5e9, 2),
        (100_000, 10_000, 50, 1e8, 1),
        (10_000_000, 100_000, 50, 64e9, 1),
        (1_000, 100, 50, 64e9, 1),
    ],
)
def test_processes_fit_the_cores_the_memory_and_the_table(
    cells: int, rows: int, trials: int, memory: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "cores", lambda: 4)
    monkeypatch.setattr(room, "free_memory", lambda: memory)
    assert room.worker_count(cells=cells, rows=rows, trials=trials) == count


def test_free_memory_is_that_of_the_system() -> None:
    assert 0 < room.free_memory() < 1e15
