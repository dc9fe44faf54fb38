"""What makes the output: taken off, put on, of another width."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from wellfit.errors import ConfigError
from wellfit.treatment.surgery.anatomy import anatomy
from wellfit.treatment.surgery.edit import Edit, Sample

__all__ = ["resize_output", "set_output"]

_MADE: dict[str, Callable[[], nn.Module]] = {"sigmoid": nn.Sigmoid, "softmax": lambda: nn.Softmax(-1)}


def set_output(kind: str) -> Edit:
    """Let a module end in ``sigmoid``, ``softmax``, or (``none``) in its last layer.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Softmax(-1))
    >>> set_output("none").apply(net, [torch.zeros(2, 2)])[1]
    Identity()
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        last = anatomy(module, sample).output
        if last is None:
            if kind == "none":
                raise ConfigError("An output layer is taken off where there is one.", got="none")
            return nn.Sequential(module, _MADE[kind]())
        if last.kind == kind:
            raise ConfigError("The output must be of another kind.", got=kind)
        if not last.own:
            do = "Take it out of forward, or write it as a module of its own."
            raise ConfigError("An output layer can be exchanged where it is a module.", got=last.kind, do=do)
        module.set_submodule(last.where, nn.Identity() if kind == "none" else _MADE[kind]())
        return module

    return Edit("no output activation" if kind == "none" else f"{kind} output", apply)


def resize_output(columns: int) -> Edit:
    """Give the last linear layer so many columns.

    >>> import torch
    >>> resize_output(3).apply(nn.Sequential(nn.Linear(2, 1)), [torch.zeros(2, 2)])[0]
    Linear(in_features=2, out_features=3, bias=True)
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        layers = anatomy(module, sample).layers
        last = module.get_submodule(layers[-1].where) if layers and layers[-1].own else None
        if not isinstance(last, nn.Linear) or last.out_features == columns:
            raise ConfigError("The last layer must be linear and of another width.", got=type(last).__name__)
        made = nn.Linear(last.in_features, columns, bias=last.bias is not None)
        module.set_submodule(layers[-1].where, made)
        return module

    return Edit(f"{columns} output columns", apply, reshapes=True)
