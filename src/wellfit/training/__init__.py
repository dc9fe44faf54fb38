"""The training core: recipe, step, loop, evaluation, early stopping, checkpoints."""

from wellfit.training.fit import FitResult, fit, make_trainer
from wellfit.training.loop import Callback, Trainer
from wellfit.training.options import FitOptions, settle
from wellfit.training.recipe import Recipe, Score

__all__ = ["Callback", "FitOptions", "FitResult", "Recipe", "Score", "Trainer", "fit", "make_trainer", "settle"]
