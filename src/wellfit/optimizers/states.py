"""States that survive saving: loaded exactly as they were saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["exact_loading"]


def exact_loading(optimizer: Optimizer) -> None:
    """Make ``load_state_dict`` keep every tensor's own type, and share no memory with what was given.

    torch casts all of a parameter's state to the parameter's type. That rounds states which are wider on purpose:
    Nadam's running product, and the float32 states of bfloat16 parameters.
    """
    pending: list[Mapping[str, Any]] = []

    def before(loading: Optimizer, state_dict: dict[str, Any]) -> None:
        pending[:] = [state_dict]

    def after(loading: Optimizer) -> None:
        saved = pending.pop()
        keys = [key for group in saved["param_groups"] for key in group["params"]]
        params = [param for group in loading.param_groups for param in group["params"]]
        for key, param in zip(keys, params, strict=True):
            if key in saved["state"]:
                loading.state[param] = _as_saved(saved["state"][key], loading.state[param])

    optimizer.register_load_state_dict_pre_hook(before)
    optimizer.register_load_state_dict_post_hook(after)


def _as_saved(saved: Any, loaded: Any) -> Any:
    """Copy a saved state to where torch put the loaded one."""
    if isinstance(saved, Tensor):
        return torch.empty_like(saved, device=loaded.device).copy_(saved)
    if isinstance(saved, Mapping):
        return {key: _as_saved(value, loaded[key]) for key, value in saved.items()}
    if isinstance(saved, (list, tuple)):
        return [_as_saved(value, other) for value, other in zip(saved, loaded, strict=True)]
    return saved
