"""What the trainings recorded, kept in a folder, so that the checks can be scored again without training.

Of each training: ``<case>-<seed>.parquet`` (the history) and ``<case>-<seed>.json`` (findings raised, seconds, the
test metric at the end). A recording that is there is not made again.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from source import Run, clinic

if TYPE_CHECKING:
    import wellfit

ARMS = ("fit", "loop", "loop-rows", "torchmortem", "training-doctor", "torch-audit")
"""wellfit.fit; a plain loop watched by wellfit.Monitor, without and with the rows; the same loop watched by others."""
OURS = ARMS[:3]
# One thread a process; set before torch is imported, here and in the workers, which inherit it.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"


@dataclass
class Recording:
    """What is kept of a training beside its history."""

    case: str
    seed: int
    findings: list[dict[str, Any]]
    """As raised when the training ended."""
    seconds: float
    cpu_seconds: float
    test_metric: float
    failure: str = ""
    """The error's text where training was refused or failed; empty where it ended."""

    @property
    def key(self) -> tuple[str, int]:
        return self.case, self.seed


@dataclass(frozen=True)
class Shelf:
    """The folder of one arm's recordings."""

    folder: Path

    def path(self, run: Run, ending: str) -> Path:
        return self.folder / f"{run.case['id']}-{run.seed}.{ending}"

    def has(self, run: Run) -> bool:
        return self.path(run, "json").is_file()

    def lacks(self, run: Run) -> bool:
        """Whether a training is still to be made; one that failed is."""
        return not self.has(run) or bool(self.get(run).failure)

    def put(self, run: Run, recording: Recording, history: wellfit.History | None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if history is not None:
            history.write(self.path(run, "parquet"))
        self.path(run, "json").write_text(json.dumps(asdict(recording)))

    def get(self, run: Run) -> Recording:
        return Recording(**json.loads(self.path(run, "json").read_text()))

    def history(self, run: Run) -> wellfit.History | None:
        from wellfit import History

        path = self.path(run, "parquet")
        return History.read(path) if path.is_file() else None


def trained(problem: Any, module: ModuleType, arm: str) -> tuple[wellfit.History | None, list[dict[str, Any]]]:
    """Train in place; give what was recorded, None where the arm records nothing of ours, and what was found."""
    from adapter import fit
    from loop import WellfitMonitor, WellfitMonitorWithRows, train
    from rivals import RIVALS

    if arm == "fit":
        result = fit(problem, module)
        return result.history, [finding.as_dict() for finding in result.findings]
    kinds = {"loop": WellfitMonitor, "loop-rows": WellfitMonitorWithRows, **RIVALS}
    watcher = train(problem, module, kinds[arm])
    findings = watcher.findings()
    return (watcher.monitor.history if isinstance(watcher, WellfitMonitor) else None), findings


def record(run: Run, arm: str, folder: str, shelf: Shelf) -> Recording:
    """Train once and keep what was recorded."""
    import torch

    torch.set_num_threads(1)
    module = clinic(folder)
    problem = module.build(run.case, run.seed)
    began, began_cpu = time.perf_counter(), time.process_time()
    history: wellfit.History | None = None
    findings: list[dict[str, Any]] = []
    failure = ""
    try:
        history, findings = trained(problem, module, arm)
    except ImportError:
        raise  # the environment's fault, not the training's
    except Exception as error:
        # A training that fails is a run in which nothing was found; the text tells why.
        failure = f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-4)}"
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    metric = module.assess(problem, problem.test)[1]
    recording = Recording(run.case["id"], run.seed, findings, seconds, cpu_seconds, metric, failure)
    shelf.put(run, recording, history)
    return recording


def record_all(runs: Sequence[Run], arm: str, folder: str, shelf: Shelf, jobs: int) -> Iterator[Recording]:
    """Train what is not on the shelf, some at a time, each in a process of its own."""
    missing = [run for run in runs if shelf.lacks(run)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for future in as_completed([pool.submit(record, run, arm, folder, shelf) for run in missing]):
            yield future.result()
