"""The training core: recipe, step, loop, evaluation, early stopping, checkpoints."""

from wellfit.training.fit import FitResult, find_rate, fit, make_trainer, with_found_rate
from wellfit.training.loop import Trainer
from wellfit.training.observing import Monitor
from wellfit.training.options import FitOptions, settle
from wellfit.training.rate_finder import RateCurve
from wellfit.training.recipe import Recipe, Score
from wellfit.training.watching import Callback

__all__ = [
    "Callback",
    "FitOptions",
    "FitResult",
    "Monitor",
    "RateCurve",
    "Recipe",
    "Score",
    "Trainer",
    "find_rate",
    "fit",
    "make_trainer",
    "settle",
    "with_found_rate",
]
