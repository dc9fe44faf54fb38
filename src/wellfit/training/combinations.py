"""What can't go together in one training."""

from __future__ import annotations

from typing import Any

from torch import nn

from wellfit.errors import ConfigError
from wellfit.registry import Choice
from wellfit.training.recipe import Recipe

__all__ = ["refuse_combinations"]


def refuse_combinations(choice: Choice[Any] | None, module: nn.Module, recipe: Recipe) -> None:
    """Refuse an optimizer with what it says it can't be combined with, and batch norm with one row an update.

    Raises:
        ConfigError: the recipe holds such a pair.
    """
    if choice is not None:
        _refuse_beside(choice, module, recipe)
    one_row = recipe.batch_rows == 1
    if one_row and any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in module.modules()):
        raise ConfigError(
            "Batch norm needs at least two rows per update.",
            got="batch_size 1",
            do="Use layer norm (model.norm=layer), or minibatch instead of sgd.",
        )


def _refuse_beside(choice: Choice[Any], module: nn.Module, recipe: Recipe) -> None:
    used = {
        "clip_norm": recipe.clip_norm is not None,
        "clip_value": recipe.clip_value is not None,
        "dropout": any(isinstance(part, nn.Dropout) and part.p > 0 for part in module.modules()),
        "augment": recipe.noise > 0,
        "accumulate": recipe.accumulate > 1,
        "weight_decay": recipe.weight_decay > 0,
    }
    if recipe.weight_decay > 0 and "weight_decay" in choice.options:
        raise ConfigError(
            f"{choice.name} decays weights by itself.",
            got=f"train.weight_decay {recipe.weight_decay:g}",
            do=f"Write optimizer: {{name: {choice.name}, weight_decay: {recipe.weight_decay:g}}}.",
        )
    for key, reason in choice.entry.refuses_combinations.items():
        if used.get(key):
            raise ConfigError(f"{choice.name} can't be combined with {key}: {reason}", do=f"Leave {key} out.")
