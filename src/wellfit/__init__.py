"""wellfit trains deep-learning models to a good fit.

>>> import wellfit
>>> run = wellfit.train("data.csv", target="y")  # doctest: +SKIP
>>> run.predict("new.csv")  # doctest: +SKIP

Names are loaded when they are first used, so that importing wellfit loads no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wellfit.allocation import give_freed_memory_back

if TYPE_CHECKING:
    from wellfit.api import diagnose, find_rate, fit, load, train, tune
    from wellfit.diagnosis import Verdict
    from wellfit.estimators import WellfitClassifier, WellfitRegressor
    from wellfit.findings import Finding
    from wellfit.history import History
    from wellfit.run import Run
    from wellfit.training import Callback, FitResult, Monitor
    from wellfit.treatment import treat

# Before anything here loads Polars.
give_freed_memory_back()

__version__ = "0.1.0"

__all__ = [
    "Callback",
    "Finding",
    "FitResult",
    "History",
    "Monitor",
    "Run",
    "Verdict",
    "WellfitClassifier",
    "WellfitRegressor",
    "diagnose",
    "find_rate",
    "fit",
    "load",
    "train",
    "treat",
    "tune",
]

_HOMES = {
    "Callback": "wellfit.training",
    "Finding": "wellfit.findings",
    "FitResult": "wellfit.training",
    "History": "wellfit.history",
    "Monitor": "wellfit.training",
    "Run": "wellfit.run",
    "Verdict": "wellfit.diagnosis",
    "WellfitClassifier": "wellfit.estimators",
    "WellfitRegressor": "wellfit.estimators",
    "diagnose": "wellfit.api",
    "find_rate": "wellfit.api",
    "fit": "wellfit.api",
    "load": "wellfit.api",
    "train": "wellfit.api",
    "treat": "wellfit.treatment",
    "tune": "wellfit.api",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'wellfit' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
