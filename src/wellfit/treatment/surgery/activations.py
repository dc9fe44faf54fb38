"""Activations exchanged, and put where two linear layers follow each other."""

from __future__ import annotations

from torch import nn

from wellfit.errors import ConfigError
from wellfit.models.activations import ACTIVATIONS
from wellfit.treatment.surgery.anatomy import anatomy
from wellfit.treatment.surgery.edit import Edit, Sample, attach

__all__ = ["insert_activations", "swap_activations"]


def swap_activations(to: str, *, among: tuple[str, ...] = ()) -> Edit:
    """Put another activation in the place of every hidden one; ``among`` names the kinds that go, all where empty.

    Raises:
        ConfigError: when applied to a module whose activations are functions called in ``forward``.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1))
    >>> swap_activations("relu").apply(net, [torch.zeros(2, 2)])[1]
    ReLU()
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        hidden = [part for part in anatomy(module, sample).hidden if part.kind != to]
        chosen = [part for part in hidden if not among or part.kind in among]
        functions = [part.kind for part in chosen if not _exchangeable(module, part.where)]
        if not chosen or functions:
            got = f"{functions[0]} called in forward" if functions else "no other activation"
            do = "Write it as a module of its own, such as self.act = nn.ReLU()."
            raise ConfigError("Activations can be exchanged where each is a module.", got=got, do=do)
        for where in {part.where for part in chosen}:
            module.set_submodule(where, ACTIVATIONS[to].make())
        return module

    return Edit(f"activation {to}", apply)


def _exchangeable(module: nn.Module, where: str) -> bool:
    return bool(where) and not list(module.get_submodule(where).parameters())


def insert_activations(kind: str = "relu") -> Edit:
    """Put an activation after each linear layer whose output goes unbent into the next.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    >>> insert_activations().apply(net, [torch.zeros(2, 2)])[0]
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        bare = {part.follows for part in anatomy(module, sample).layers if part.follows}
        if not bare:
            raise ConfigError("An activation is put between two linear layers.", got="no such pair")
        for where in bare:
            attach(module, where, ACTIVATIONS[kind].make())
        return module

    return Edit(f"{kind} between linear layers", apply)
