"""One contestant in a process of its own: it makes itself ready, then trains a round for every line it is sent.

Not run by hand: benchmarks/training_loop.py starts it. Each contestant is set up as its documentation recommends for
speed; what was chosen stands beside it. Rounds of the rivals leave out their set-up where they offer a way to go on
with the same model; wellfit's and the hand-written loop's rounds are whole trainings from a new network.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from record import version
from workloads import WIDTHS, WORKLOADS, Workload, quick, read_rows

Round = Callable[[int], float | None]
"""Trains so many epochs; gives the seconds where it took the time itself."""
RATE = 1e-3


def network(work: Workload) -> Any:
    import torch
    from torch import nn

    torch.manual_seed(0)
    if work.images:
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * 7 * 7, work.outputs),
        )  # fmt: skip
    layers = [part for a, b in pairwise(WIDTHS) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(WIDTHS[-1], work.outputs))


def tensors(X: np.ndarray, y: np.ndarray, device: str) -> tuple[Any, Any]:
    import torch

    return torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)


def hand_written(
    work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str, *, watched: bool = False
) -> Round:
    """Make the loop that a person would write for speed: rows on the device, permuted once an epoch, then sliced.

    A watched one has a bare `wellfit.Monitor`, whose history is not read.
    """
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    inputs, target = tensors(X, y, device)

    def train(epochs: int) -> None:
        module = network(work).to(device)
        optimizer = torch.optim.Adam(module.parameters(), lr=RATE, fused=True)
        monitor = bare_monitor(module, optimizer) if watched else None
        for _ in range(epochs):
            order = torch.randperm(work.rows, device=device)
            shuffled, wanted = inputs[order], target[order]
            for first in range(0, work.rows, work.batch):
                rows = slice(first, first + work.batch)
                loss = functional.cross_entropy(module(shuffled[rows]), wanted[rows])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                if monitor is not None:
                    monitor.observe(loss)
                optimizer.step()
        if device != "cpu":
            torch.cuda.synchronize()

    return train


def bare_monitor(module: Any, optimizer: Any) -> Any:
    import wellfit

    return wellfit.Monitor(module, optimizer)


class Stopwatch:
    """CPU seconds of the thread that trains, between starts and stops; what it takes itself is counted too."""

    def __init__(self) -> None:
        self.seconds = self.began = 0.0

    def start(self, *_: Any) -> None:
        self.began = time.thread_time()

    def stop(self, *_: Any) -> None:
        self.seconds += time.thread_time() - self.began


def monitor_alone(work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str) -> Round:
    """Take the time of a Monitor's calls and hooks within a loop: of so many steps that it watches, by their side."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    inputs, target = tensors(X, y, device)

    def train(steps: int) -> float:
        module, watch = network(work).to(device), Stopwatch()
        optimizer = torch.optim.Adam(module.parameters(), lr=RATE, fused=True)
        # Hooks are called in the order in which they are registered.
        hooks = (
            module.register_forward_pre_hook, module.register_forward_hook,
            optimizer.register_step_pre_hook, optimizer.register_step_post_hook,
        )  # fmt: skip
        for register in hooks:
            register(watch.start)
        monitor = bare_monitor(module, optimizer)
        for register in hooks:
            register(watch.stop)
        for step in range(steps):
            first = step * work.batch % (work.rows - work.batch + 1)
            rows = slice(first, first + work.batch)
            loss = functional.cross_entropy(module(inputs[rows]), target[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            watch.start()
            monitor.observe(loss)
            watch.stop()
            optimizer.step()
        return watch.seconds

    return train


def wellfit_(
    work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str, *, watched: bool = True,
    compiled: bool | str = "auto", **penalties: float,
) -> Round:  # fmt: skip
    """Call wellfit.fit with history, the progress bar (drawn to nowhere, at full cost) and layer statistics."""
    from rich.console import Console

    import wellfit
    from wellfit.training.progress import LiveProgress

    if not watched:
        # There is no setting that leaves the statistics out: this is for their cost alone.
        vars(sys.modules["wellfit.training.fit"])["LayerStatistics"] = lambda module: None
    data = tensors(X, y, device)
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115
    module = None

    def train(epochs: int) -> None:
        nonlocal module
        # A compiled network is kept, so that the first round alone pays for compiling it.
        module = network(work) if module is None or compiled is not True else module
        progress = LiveProgress(Console(file=nowhere, force_terminal=True, width=120))
        try:
            wellfit.fit(
                module, data, loss="cce", optimizer="adam", lr=RATE, batch_size=work.batch, epochs=epochs,
                precision="float32", compile=compiled, threads=threads, device=device, callbacks=[progress],
                **penalties,
            )  # fmt: skip
        finally:
            progress.close()

    return train


def statistics_alone(work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str) -> Round:
    """Take the samples of the layers' statistics that are due in so many steps, and do nothing else."""
    import torch
    from torch.nn import functional

    from wellfit.training.monitor import LayerStatistics

    torch.set_num_threads(threads)
    module = network(work).to(device)
    inputs, target = tensors(X[: work.batch], y[: work.batch], device)
    functional.cross_entropy(module(inputs), target).backward()
    monitor = LayerStatistics(module)

    def sample(steps: int) -> None:
        for _ in filter(monitor.wants, range(steps)):
            monitor.before_update()
            monitor.after_update()

    return sample


def penalty_alone(work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str, *, name: str) -> Round:
    """Add a penalty's gradients as in so many steps, and do nothing else."""
    import torch
    from torch.nn import functional

    from wellfit.regularizers import L1, L2, decayed_parameters

    torch.set_num_threads(threads)
    module = network(work).to(device)
    inputs, target = tensors(X[: work.batch], y[: work.batch], device)
    functional.cross_entropy(module(inputs), target).backward()
    penalty = {"l1": L1, "l2": L2}[name](STRENGTH)
    weights = [weight for _, weight in decayed_parameters(module)]

    def add(steps: int) -> None:
        for _ in range(steps):
            penalty.add_gradient(weights)

    return add


STRENGTH = 1e-6
"""Of the penalties: so little that training goes as without."""


def keras_(work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str, *, backend: str) -> Round:
    """Call Keras's fit on arrays in memory, without metrics and output.

    On JAX, `steps_per_execution` compiles several updates into one call, which Keras recommends for small models, and
    images have their channels last; on torch it saves nothing there, and they come first, as torch wants them.
    """
    os.environ["KERAS_BACKEND"] = backend
    import keras

    if backend == "torch":
        import torch

        torch.set_num_threads(threads)
    layers = keras.layers
    form = "channels_first" if backend == "torch" else "channels_last"
    if work.images:
        X = X if backend == "torch" else np.ascontiguousarray(X.transpose(0, 2, 3, 1))
        conv = {"padding": "same", "activation": "relu", "data_format": form}
        pool = {"pool_size": 2, "data_format": form}
        hidden = [layers.Conv2D(16, 3, **conv), layers.MaxPooling2D(**pool)]
        hidden += [layers.Conv2D(32, 3, **conv), layers.MaxPooling2D(**pool), layers.Flatten()]
    else:
        hidden = [layers.Dense(width, activation="relu") for width in WIDTHS[1:]]
    model = keras.Sequential([keras.Input(X.shape[1:]), *hidden, layers.Dense(work.outputs)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    together = STEPS_PER_EXECUTION if backend == "jax" else 1
    model.compile(keras.optimizers.Adam(RATE), loss, steps_per_execution=together)

    def train(epochs: int) -> None:
        model.fit(X, y, batch_size=work.batch, epochs=epochs, verbose=0)

    return train


STEPS_PER_EXECUTION = 8


def loader_settings(work: Workload, data: Any, *, plain: bool) -> dict[str, Any]:
    """Give the DataLoader's settings: those that both libraries' documentation shows, or the fastest.

    The plain ones collect a batch row by row; the fastest read it at once, torch's way without automatic batching.
    """
    from torch.utils.data import BatchSampler, RandomSampler

    if plain:
        return {"batch_size": work.batch, "shuffle": True}
    return {"batch_size": None, "sampler": BatchSampler(RandomSampler(data), work.batch, drop_last=False)}


def lightning_(
    work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str, *, plain: bool = False
) -> Round:
    """Call Lightning's Trainer in its `barebones` mode, which leaves out all that could slow the loop down."""
    import logging

    import lightning
    import torch
    from torch.nn import functional
    from torch.utils.data import DataLoader, TensorDataset

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(threads)
    data = TensorDataset(*tensors(X, y, "cpu"))
    loader = DataLoader(data, **loader_settings(work, data, plain=plain))

    class Net(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network(work)
            self.began = self.seconds = 0.0

        def training_step(self, batch: Any, place: int) -> Any:
            return functional.cross_entropy(self.inner(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=RATE, fused=True)

        def on_train_start(self) -> None:
            self.began = time.perf_counter()

        def on_train_end(self) -> None:
            self.seconds = time.perf_counter() - self.began

    net = Net()

    def train(epochs: int) -> float:
        accelerator = "cpu" if device == "cpu" else "gpu"
        lightning.Trainer(max_epochs=epochs, accelerator=accelerator, devices=1, barebones=True).fit(net, loader)
        return net.seconds

    return train


def skorch_(work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str, *, plain: bool = False) -> Round:
    """Call skorch on tensors, with no validation split and no callbacks."""
    import torch
    from skorch import NeuralNetClassifier
    from skorch.dataset import Dataset

    torch.set_num_threads(threads)
    inputs, target = tensors(X, y, "cpu")
    data = Dataset(inputs, target)
    settings = loader_settings(work, data, plain=plain)
    loader = {f"iterator_train__{name}": value for name, value in settings.items()}
    net = NeuralNetClassifier(
        network(work), criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, optimizer__lr=RATE,
        optimizer__fused=True, train_split=None, callbacks="disable", verbose=0, device=device, **loader,
    )  # fmt: skip
    net.initialize()

    def train(epochs: int) -> None:
        net.set_params(max_epochs=epochs)
        net.partial_fit(data, None)

    return train


def scikit_learn(work: Workload, X: np.ndarray, y: np.ndarray, threads: int, device: str) -> Round:
    """Call MLPClassifier in float32, in which its BLAS is fastest, without penalty and without stopping early."""
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    if work.images:
        raise NotImplementedError("it has no convolutions")
    warnings.simplefilter("ignore")
    threadpool_limits(threads)

    def train(epochs: int) -> None:
        MLPClassifier(
            WIDTHS[1:], batch_size=work.batch, max_iter=epochs, learning_rate_init=RATE, alpha=0.0, tol=0.0,
            n_iter_no_change=10**9, random_state=0,
        ).fit(X, y)  # fmt: skip

    return train


CONTESTANTS: dict[str, tuple[Callable[..., Round], dict[str, Any], tuple[str, ...]]] = {
    "hand-written": (hand_written, {}, ("torch",)),
    "hand-written, watched": (hand_written, {"watched": True}, ("wellfit",)),
    "Monitor alone": (monitor_alone, {}, ("wellfit",)),
    "wellfit": (wellfit_, {}, ("wellfit",)),
    "wellfit, no statistics": (wellfit_, {"watched": False}, ("wellfit",)),
    "statistics alone": (statistics_alone, {}, ("wellfit",)),
    "wellfit, L1": (wellfit_, {"l1": STRENGTH}, ("wellfit",)),
    "wellfit, L2": (wellfit_, {"l2": STRENGTH}, ("wellfit",)),
    "L1 alone": (penalty_alone, {"name": "l1"}, ("wellfit",)),
    "L2 alone": (penalty_alone, {"name": "l2"}, ("wellfit",)),
    "wellfit, compiled": (wellfit_, {"compiled": True}, ("wellfit",)),
    "Keras on torch": (keras_, {"backend": "torch"}, ("keras", "torch")),
    "Keras on JAX": (keras_, {"backend": "jax"}, ("keras", "jax")),
    "Lightning": (lightning_, {"plain": True}, ("lightning",)),
    "Lightning, batches read at once": (lightning_, {}, ("lightning",)),
    "skorch": (skorch_, {"plain": True}, ("skorch",)),
    "skorch, batches read at once": (skorch_, {}, ("skorch",)),
    "scikit-learn": (scikit_learn, {}, ("scikit-learn",)),
}
"""How each is made, its options, and the packages it needs."""


def peak_mb() -> float:
    """Give the most memory this process held; Linux's own figure knows nothing of the process that started it."""
    import resource

    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(name: str, work: Workload, folder: Path, threads: int, device: str, answer: Callable[..., None]) -> None:
    make, options, packages = CONTESTANTS[name]
    missing = [package for package in packages if version(package) is None]
    if missing:
        answer(refused=f"{missing[0]} is not installed")
        return
    started = time.perf_counter()
    try:
        train = make(work, *read_rows(work, folder), threads, device, **options)
    except NotImplementedError as error:
        answer(refused=str(error))
        return
    train(max(1, work.epochs // 100))
    versions = {package: version(package) for package in packages}
    answer(startup=time.perf_counter() - started, versions=versions)
    for line in sys.stdin:
        epochs = json.loads(line)
        began, used = time.perf_counter(), time.process_time()
        own = train(epochs)
        answer(seconds=own or time.perf_counter() - began, cpu=time.process_time() - used)
    answer(peak_mb=peak_mb())


def main() -> None:
    name, workload, short, folder, threads, device = sys.argv[1:]
    # What a contestant prints must not reach the answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**content: Any) -> None:
        print(json.dumps(content), file=out, flush=True)

    work = quick(WORKLOADS[workload]) if short == "quick" else WORKLOADS[workload]
    serve(name, work, Path(folder), int(threads), device, answer)


if __name__ == "__main__":
    main()
