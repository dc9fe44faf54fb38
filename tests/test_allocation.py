"""Freed memory goes back to the system soon, unless somebody has said otherwise."""

from __future__ import annotations

import os
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


def _freed(**environment: str) -> int:
    given = {key: value for key, value in os.environ.items() if key != "_RJEM_MALLOC_CONF"} | environment
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=given, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other allocators")
def test_freed_memory_goes_back_unless_the_process_keeps_it() -> None:
    assert _freed() > 100_000_000
    assert _freed(_RJEM_MALLOC_CONF="dirty_decay_ms:-1,muzzy_decay_ms:-1") < 100_000_000
