"""What a `Monitor` may be attached to."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer

from wellfit.errors import BadInput

__all__ = ["as_written", "refuse_another", "refuse_options"]


def refuse_options(optimizer: Any, every: Any) -> None:
    """Refuse what would fault in the midst of a training."""
    hooks = ("param_groups", "register_step_pre_hook", "register_step_post_hook")
    if optimizer is not None and not all(hasattr(optimizer, name) for name in hooks):
        raise BadInput(
            "'optimizer' of wellfit.Monitor must be the torch.optim.Optimizer that updates the module.",
            got=optimizer if isinstance(optimizer, str) else type(optimizer).__name__,
            do="Make it first, or leave it out.",
        )
    if not isinstance(every, int) or every < 1:
        raise BadInput("'every' of wellfit.Monitor must be a whole number of steps, 1 or more.", got=every)


def refuse_another(optimizer: Any, module: nn.Module) -> None:
    """Refuse an optimizer of another module; one that is no torch class may hold weights of its own."""
    own = {id(weight) for weight in module.parameters()}
    if isinstance(optimizer, Optimizer) and not any(
        id(weight) in own for group in optimizer.param_groups for weight in group["params"]
    ):
        raise BadInput(
            "'optimizer' of wellfit.Monitor must update parameters of the module.",
            got=f"{type(optimizer).__name__}, none of whose parameters are the module's",
            do="Give it module.parameters(), or monitor the module that it updates.",
        )


def as_written(module: nn.Module) -> nn.Module:
    """Give the module that ``torch.compile`` wrapped: its names are those that its author gave."""
    written = getattr(module, "_orig_mod", module)
    assert isinstance(written, nn.Module)
    return written
