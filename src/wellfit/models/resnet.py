"""Residual networks of 18 and 34 layers, with a stem for small images and one for large ones.

    x <- relu(norm(conv(relu(norm(conv x)))) + x)      a block; where the width changes, x goes through a 1 x 1 conv

Weights are named as torchvision names them, so that its files fit, but for the stem for small images.
Legend: images are ``[row, channel, height, width]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.models.entry import ModelEntry
from wellfit.models.fine_tuning import WEIGHTS, depth_factors, fine_tuned, load_weights
from wellfit.models.image_inputs import ImageInputs

__all__ = ["ENTRIES", "ResNet"]

_SMALL = 64
"""Pixels of a side up to which the stem keeps the size of the image."""
_WIDTHS = (64, 128, 256, 512)


class Block(nn.Module):
    """Two convolutions of 3 x 3 and the input added."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        # A block starts as the identity (Goyal et al. 2017).
        nn.init.zeros_(self.bn2.weight)
        straight = stride == 1 and inputs == outputs
        self.downsample = (
            None
            if straight
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[row, inputs, height, width]`` to ``[row, outputs, height / stride, width / stride]``."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A stem, four stages of blocks, the mean of each channel, a linear head.

    >>> model = ResNet(ImageInputs(channels=3, height=32, width=32), 10, blocks=(2, 2, 2, 2))
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, inputs: ImageInputs, outputs: int, *, blocks: Sequence[int], weights: str | None = None) -> None:
        super().__init__()
        small = inputs.side <= _SMALL
        size, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(inputs.channels, 64, size, stride=stride, padding=size // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.pool = nn.Identity() if small else nn.MaxPool2d(3, 2, 1)
        widths = (64, *_WIDTHS)
        for place, count in enumerate(blocks):
            first = Block(widths[place], widths[place + 1], 2 if place else 1)
            others = [Block(widths[place + 1], widths[place + 1], 1) for _ in range(count - 1)]
            self.add_module(f"layer{place + 1}", nn.Sequential(first, *others))
        self.fc = nn.Linear(_WIDTHS[-1], outputs)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        self.pretrained = weights is not None
        if weights is not None:
            load_weights(self, weights, head="fc")
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Tensor) -> Tensor:
        """Map float32 ``[row, channel, height, width]`` to ``[row, output]``."""
        x = pixels.contiguous(memory_format=torch.channels_last)
        x = self.pool(functional.relu(self.bn1(self.conv1(x))))
        for place in range(1, 5):
            x = self.get_submodule(f"layer{place}")(x)
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits.float()

    def factors(self) -> dict[str, tuple[float, float]]:
        """Give the factors of rate and decay by parameter: of weights from a file, early layers learn slower."""
        stages = [("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",), ("fc",)]
        return depth_factors(self, stages) if self.pretrained else {}


def _entry(layers: int, blocks: tuple[int, ...]) -> ModelEntry:
    return ModelEntry(
        name=f"resnet{layers}",
        summary=f"Residual network of {layers} layers; weights of torchvision's form can be read from a file",
        make=partial(ResNet, blocks=blocks),
        reads="images",
        recipe=fine_tuned,
        formula="x <- relu(norm(conv(relu(norm(conv x)))) + x), a block; logits = head(mean x)",
        reference="He et al., Deep residual learning for image recognition, 2016",
        options=(WEIGHTS,),
    )


ENTRIES = (_entry(18, (2, 2, 2, 2)), _entry(34, (3, 4, 6, 3)))
