"""Freed memory goes back to the system soon, and stays from update to update, unless somebody has said otherwise."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys, time
import wellfit
import polars as pl
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
column = [pl.Series(range(100_000)).cast(pl.Float64) + number for number in range(200)]
held = resident()
del column
time.sleep(1.0)
pl.Series([1.0]) + 1
print(held - resident())
"""


UPDATES = """
import resource
import torch
from wellfit.allocation import keep_freed_memory
keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def update():
    held = [torch.ones(2_000_000)]
    for _ in range(10):
        held.append(held[-1] + 1)
    return float(held[-1][0])
def updates():
    for _ in range(5):
        update()
updates()
before = faults()
updates()
print(faults() - before)
"""


def _freed(**environment: str) -> int:
    given = {key: value for key, value in os.environ.items() if key != "_RJEM_MALLOC_CONF"} | environment
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=given, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other allocators")
def test_freed_memory_goes_back_unless_the_process_keeps_it() -> None:
    assert _freed() > 100_000_000
    assert _freed(_RJEM_MALLOC_CONF="dirty_decay_ms:-1,muzzy_decay_ms:-1") < 100_000_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_an_update_gets_the_memory_of_the_last_one_unless_the_person_has_set_the_parameters() -> None:
    def faults(**environment: str) -> int:
        given = {key: value for key, value in os.environ.items() if "MALLOC" not in key} | environment
        done = subprocess.run([sys.executable, "-c", UPDATES], env=given, capture_output=True, text=True, check=True)
        return int(done.stdout)

    # Each of an update's eleven tensors has 2,000 pages; where the heap lies decides whether some are still new.
    assert faults() < 10_000
    assert faults(MALLOC_MMAP_THRESHOLD_="131072") > 50_000
