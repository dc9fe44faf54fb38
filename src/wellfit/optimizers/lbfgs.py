"""L-BFGS: second-order steps on the whole set, with a line search."""

from __future__ import annotations

from typing import Any

from torch.optim import LBFGS, Optimizer

from wellfit.errors import ConfigError
from wellfit.optimizers.entry import OptimizerEntry
from wellfit.registry import Option

__all__ = ["ENTRY"]


def _build(params: list[Any], *, lr: float, max_iter: int, history_size: int) -> Optimizer:
    if isinstance(params[0], dict) and len(params) > 1:
        raise ConfigError(
            "lbfgs takes one parameter group: its step is one direction for all weights.",
            got=len(params),
            do="Pass the parameters in one list.",
        )
    optimizer = LBFGS(params, lr=lr, max_iter=max_iter, history_size=history_size, line_search_fn="strong_wolfe")
    optimizer.register_state_dict_post_hook(_without_scratch)
    return optimizer


def _without_scratch(optimizer: Optimizer, state_dict: dict[str, Any]) -> dict[str, Any]:
    """Leave out torch's list of intermediate results, which every step fills anew, and None in it."""
    states = {
        key: {name: value for name, value in state.items() if name != "al" and value is not None}
        for key, state in state_dict["state"].items()
    }
    return {**state_dict, "state": states}


_NOISE = "the line search compares losses, and noise makes them differ from one evaluation to the next"
_CLIPPING = "the line search needs the loss's own gradient; a clipped one contradicts the losses it is compared with"

ENTRY = OptimizerEntry(
    name="lbfgs",
    summary="second-order steps on the whole set, with a strong-Wolfe line search",
    build=_build,
    options=(
        Option(name="max_iter", default=20, kind="int", low=1, high=1000, help="iterations a step"),
        Option(name="history_size", default=20, kind="int", low=1, high=1000, help="pairs of steps and gradients kept"),
    ),
    formula="W <- W - t H g, H from the last steps and gradients, t by a strong-Wolfe line search from t = a",
    reference="Liu & Nocedal 1989, On the limited memory BFGS method",
    refuses="mini-batches, accumulation, dropout and augmentation (noise misleads the line search) and clipping",
    lr=1.0,
    lr_range=(0.1, 1.0),
    batch_rule="full",
    needs_closure=True,
    refuses_combinations={
        "batch_size": "its curvature compares gradients of one and the same loss",
        "accumulate": "it evaluates the whole set at once",
        "dropout": _NOISE,
        "augment": _NOISE,
        "clip_norm": _CLIPPING,
        "clip_value": _CLIPPING,
        "param_groups": "its step is one direction for all weights",
    },
    sparse=True,
)
