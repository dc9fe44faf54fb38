"""Weights drawn anew, each layer's by the activation behind it; and frozen ones freed."""

from __future__ import annotations

import math

import torch
from torch import nn

from wellfit.errors import ConfigError
from wellfit.models.activations import ACTIVATIONS
from wellfit.models.initialization import INITS
from wellfit.treatment.surgery.anatomy import Anatomy, Part, anatomy
from wellfit.treatment.surgery.edit import WEIGHTS, Edit, Sample

__all__ = ["reinitialize", "unfreeze"]


def reinitialize(scheme: str = "auto") -> Edit:
    """Draw every layer's weights anew; biases become zero, norms what they start as.

    ``auto`` is He for the ReLU family, LeCun for SELU, Xavier for bounded activations (see `wellfit.models`); the
    last layer's variance is 1 / fan_in. Recurrent weights become orthogonal (Saxe et al. 2014), the identity under
    ReLU (Le et al. 2015), and an LSTM's forget gates start open (Jozefowicz et al. 2015). Draws come from torch's
    global generator.
    """

    @torch.no_grad()
    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        found = anatomy(module, sample)
        if not found.layers:
            raise ConfigError("Weights are drawn anew for linear, convolutional and recurrent layers.", got="none")
        for part in module.modules():
            if isinstance(part, (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)):
                part.reset_parameters()
        for layer in found.layers:
            _draw(module.get_submodule(layer.where), layer, found, scheme)
        return module

    return Edit(f"{scheme} init" if scheme != "auto" else "weights drawn by activation", apply, stage=WEIGHTS)


def _draw(layer: nn.Module, part: Part, found: Anatomy, scheme: str) -> None:
    if isinstance(layer, nn.RNNBase):
        _draw_recurrent(layer)
        return
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, nn.Parameter):
        return
    activation = found.activation_after(part)
    if part is found.layers[-1]:
        # No rectifier behind it: He's factor of two would start outputs too far out.
        nn.init.normal_(weight, std=1.0 / math.sqrt(weight[0].numel()))
    elif scheme != "auto":
        INITS[scheme](weight)
    else:
        INITS[ACTIVATIONS[activation].init if activation in ACTIVATIONS else "xavier_normal"](weight)
    if isinstance(getattr(layer, "bias", None), nn.Parameter):
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def _draw_recurrent(layer: nn.RNNBase) -> None:
    rectified = isinstance(layer, nn.RNN) and layer.nonlinearity == "relu"
    for name, weight in layer.named_parameters():
        if name.startswith("weight_hh"):
            for block in weight.split(layer.hidden_size):
                nn.init.eye_(block) if rectified else nn.init.orthogonal_(block)
        elif weight.ndim > 1:
            nn.init.xavier_uniform_(weight)
        else:
            nn.init.zeros_(weight)
            if isinstance(layer, nn.LSTM) and name.startswith("bias_ih"):
                weight[layer.hidden_size : 2 * layer.hidden_size] = 1.0


def unfreeze() -> Edit:
    """Let every parameter be trained.

    >>> net = nn.Linear(2, 1).requires_grad_(False)
    >>> unfreeze().apply(net, []).weight.requires_grad
    True
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        frozen = [weight for weight in module.parameters() if not weight.requires_grad]
        if not frozen:
            raise ConfigError("There must be frozen parameters to free.", got="none")
        for weight in frozen:
            weight.requires_grad_(True)
        return module

    return Edit("all parameters trained", apply)
