"""Device, number of threads and random state: the only place where global state is touched."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from importlib import metadata
from typing import Any

import torch

from wellfit.errors import ConfigError

__all__ = [
    "default_threads",
    "fast_bfloat16",
    "keyed_generator",
    "keyed_seed",
    "reseed",
    "resolve_device",
    "restored_random_state",
    "spare_compiler",
    "spare_compiler_in_steps",
    "threads",
    "versions",
]


def keyed_seed(seed: int, *keys: int | str) -> int:
    """Give a seed in [0, 2**63) that depends on every key, the same on every machine.

    >>> keyed_seed(0, "order", 1) == keyed_seed(0, "order", 1) != keyed_seed(0, "order", 2)
    True
    """
    text = "\x1f".join(str(key) for key in (seed, *keys))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def keyed_generator(seed: int, *keys: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """Give a generator of its own for one draw, keyed like `keyed_seed`."""
    return torch.Generator(device=device).manual_seed(keyed_seed(seed, *keys))


def reseed(value: int) -> None:
    """Set torch's global generators: what dropout and user modules draw from.

    The generators are set directly: ``torch.manual_seed`` also walks every back end, which costs more than a
    small training step.
    """
    torch.default_generator.manual_seed(value)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(value)


@contextmanager
def restored_random_state() -> Iterator[None]:
    """Leave torch's global random state as it was found."""
    cpu = torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)


def spare_compiler() -> None:
    """Let optimizers be made and used without importing torch's compiler, which takes about a second.

    torch marks four of their methods as nothing to compile, and imports the compiler for the mark. As long as nobody
    has imported it nothing can be compiled, and the mark says nothing; from then on it is made as torch makes it.
    """
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        marked = getattr(torch.optim.Optimizer, name)
        method = getattr(marked, "__wrapped__", None)
        if method is not None and not hasattr(method, _MARK):
            setattr(method, _MARK, partial(_unmarked, method, marked))


def spare_compiler_in_steps(kind: type[torch.optim.Optimizer]) -> None:
    """Let one class of torch's optimizers make steps without importing the compiler, as `spare_compiler` does.

    torch imports it at each step, to tell it where a step begins and ends.
    """
    told: Any = getattr(kind.step, "__wrapped__", None)
    if getattr(getattr(told, "__code__", None), "co_name", None) != "_use_grad":
        return
    plain = told.__wrapped__

    @wraps(plain)
    def step(self: torch.optim.Optimizer, *args: Any, **options: Any) -> Any:
        if "torch._dynamo" in sys.modules:
            return told(self, *args, **options)
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            return plain(self, *args, **options)

    hooked = torch.optim.Optimizer.profile_hook_step(step)
    hooked.hooked = True  # type: ignore[attr-defined]
    kind.step = hooked  # type: ignore[method-assign]


_MARK = "__dynamo_disable"
"""Where torch keeps the marked method once it has made it."""


def _unmarked(method: Callable[..., Any], marked: Callable[..., Any], *args: Any, **options: Any) -> Any:
    if "torch._dynamo" not in sys.modules:
        return method(*args, **options)
    delattr(method, _MARK)
    return marked(*args, **options)


def versions() -> dict[str, str]:
    """Give the versions that a result depends on."""
    names = ("wellfit", "torch", "numpy", "polars", "scikit-learn")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def default_threads() -> int:
    """Give the number of threads torch uses unless told otherwise: the cores this process may use."""
    return torch.get_num_threads()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with a number of threads, and with the former one afterwards.

    Sums are split by thread, so that the number belongs to what decides the bits of a result.
    """
    former = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(former)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether products of bfloat16 are faster than those of float32: where the hardware has instructions for them.

    >>> fast_bfloat16(torch.device("mps"))
    False
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def resolve_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps`` into a device that is there.

    >>> resolve_device("cpu").type
    'cpu'
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError("'device' must be auto, cpu, cuda, cuda:N or mps.", got=name, do="Try auto.") from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.type, False):
        raise ConfigError("'device' must be there.", got=name, do="This machine has none: try auto or cpu.")
    return device
