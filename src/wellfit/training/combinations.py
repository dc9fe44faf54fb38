"""What can't go together in one training."""

from __future__ import annotations

from typing import Any

from torch import nn

from wellfit.errors import ConfigError
from wellfit.models.members import known_rows
from wellfit.registry import Choice
from wellfit.training.recipe import Recipe

__all__ = ["refuse_combinations"]


def refuse_combinations(choice: Choice[Any] | None, module: nn.Module, recipe: Recipe) -> None:
    """Refuse an optimizer beside what it says it can't be combined with, and modules beside what spoils them.

    Batch norm has no use for one row an update, nor a network that knows its training rows for noise in them.

    Raises:
        ConfigError: the recipe holds such a pair.
    """
    if choice is not None:
        _refuse_beside(choice, module, recipe)
    if recipe.noise > 0 and known_rows(module):
        raise ConfigError(
            "A network that looks answers up among the training rows knows a row by what it holds: with noise in it, "
            "it would find the row itself.",
            got=f"augment: {{noise: {recipe.noise:g}}}",
            do="Leave the noise out, or choose another model.",
        )
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
