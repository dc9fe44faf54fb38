"""A small residual convolutional network that starts as nearly nothing but whitening: for images of any size.

    x <- GELU(W x + b)                       W: eigenvectors of training patches over the roots of their eigenvalues
    x <- GELU(norm(pool(conv x)))            a group's first convolution, pooled
    x <- x + GELU(norm(conv ...))            its others, with a residual
    logits <- head(maxpool x) / 9

Convolutions start as the identity, norms have no scale, and the biases of norms learn faster than weights.
Legend: images are ``[row, channel, height, width]``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.models.entry import ModelEntry, Occasion
from wellfit.models.image_inputs import ImageInputs
from wellfit.registry import Option

__all__ = ["ENTRY", "ConvNet", "whitening"]

_LARGEST_MAP = 64
"""Pixels of a side that the first convolutions see; larger images are whitened in strides."""
_WIDEST_STRIDE = 8
"""Pixels between two patches at the most: the whitening of patches grows with the fourth power of their side."""
_WHITENED = 1 << 27
"""Numbers of all patches that are whitened, 1 GB, as far as one image has no more."""
_GROUP_MAP = 33
"""Pixels of a side at which the groups begin; larger maps are halved by groups of the first width before."""
_MOST_FILTERS = 16
"""Eigenvectors of the patches that are kept, each with both signs."""
_BIAS_RATE = 8.0
"""How much faster the biases of norms learn than weights: airbench takes 64, which is no better here."""
_HEAD_SCALE = 1.0 / 9.0
_EPSILON = 5e-4
"""Added to the eigenvalues of patches, so that directions without variance are not blown up."""


def whitening(images: Tensor, size: int, stride: int = 1) -> Tensor:
    """Give filters that make patches of images uncorrelated with variance 1, and their negatives.

    Args:
        images: float32 ``[row, channel, height, width]``.
        size: side of the square patches in pixels, 1 or more.
        stride: pixels between two patches, 1 or more.

    Returns:
        ``[filter, channel, size, size]``: twice as many filters as eigenvectors are kept, at most 32.

    >>> whitening(torch.randn(64, 1, 8, 8), 3).shape
    torch.Size([18, 1, 3, 3])
    """
    channels = images.shape[1]
    an_image = images[0].numel() * (size / stride) ** 2
    patches = images[: max(1, int(_WHITENED / an_image))].unfold(2, size, stride).unfold(3, size, stride)
    flat = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, channels * size * size).double()
    flat = flat - flat.mean(0)
    values, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
    kept = min(_MOST_FILTERS, len(values))
    # The largest last; a sign that depends on no library makes first weights the same everywhere.
    values, vectors = values[-kept:].flip(0), vectors[:, -kept:].flip(1)
    vectors = vectors * torch.where(vectors.gather(0, vectors.abs().argmax(0, keepdim=True)) < 0, -1.0, 1.0)
    filters = (vectors / (values.clamp_min(0.0) + _EPSILON).sqrt()).T.reshape(kept, channels, size, size).float()
    return torch.cat([filters, -filters])


class Identity(nn.Conv2d):
    """A convolution of 3 x 3 without bias that starts by handing on as many channels as it can."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=False)
        with torch.no_grad():
            nn.init.dirac_(self.weight[: min(inputs, outputs)])


class Norm(nn.BatchNorm2d):
    """Batch norm whose scale stays 1; its bias learns faster."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.weight.requires_grad_(False)


class Group(nn.Module):
    """A pooled convolution, then others with a residual over them all; the map's sides are halved."""

    def __init__(self, inputs: int, outputs: int, *, depth: int, pooled: bool) -> None:
        super().__init__()
        self.first = Identity(inputs, outputs)
        self.pool = nn.MaxPool2d(2) if pooled else nn.Identity()
        self.norm = Norm(outputs)
        self.others = nn.ModuleList(Identity(outputs, outputs) for _ in range(depth - 1))
        self.norms = nn.ModuleList(Norm(outputs) for _ in range(depth - 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[row, inputs, height, width]`` to ``[row, outputs, height / 2, width / 2]``."""
        start = functional.gelu(self.norm(self.pool(self.first(x))))
        y = start
        for place, (conv, norm) in enumerate(zip(self.others, self.norms, strict=True)):
            y = norm(conv(y))
            y = functional.gelu(y + start if place == len(self.others) - 1 else y)
        return y


class ConvNet(nn.Module):
    """Whitening, groups of convolutions, the greatest of each channel, a linear head.

    >>> model = ConvNet(ImageInputs(channels=1, height=28, width=28), 10, widths=[8, 16, 16])
    >>> model(torch.zeros(4, 1, 28, 28)).shape
    torch.Size([4, 10])
    """

    def __init__(
        self,
        inputs: ImageInputs,
        outputs: int,
        *,
        widths: Sequence[int] = (32, 64, 128),
        depth: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        stride, size = _stem(inputs)
        sample = torch.randn(8, inputs.channels, 4 * size, 4 * size) if inputs.sample is None else inputs.sample
        filters = whitening(sample, size, stride)
        self.whiten = nn.Conv2d(inputs.channels, len(filters), size, stride=stride)
        with torch.no_grad():
            self.whiten.weight.copy_(filters)
            nn.init.zeros_(self.whiten.bias)  # type: ignore[arg-type]
        self.whiten.weight.requires_grad_(False)
        side = (inputs.side - size) // stride + 1
        self.groups = nn.Sequential(*_groups(len(filters), widths, side, depth))
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.head = nn.Linear(widths[-1], outputs)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Tensor) -> Tensor:
        """Map float32 ``[row, channel, height, width]`` to ``[row, output]``."""
        x = functional.gelu(self.whiten(pixels.contiguous(memory_format=torch.channels_last)))
        # A maximum over places alone: torch's adaptive pooling is slower than two of these.
        x = self.groups(x).amax((2, 3))
        logits: Tensor = self.head(self.dropout(x) * _HEAD_SCALE)
        return logits.float()

    def factors(self) -> dict[str, tuple[float, float]]:
        """Give the factors of rate and decay by parameter: biases of norms learn faster and don't decay."""
        biases = [name for name, _ in self.named_parameters() if name.endswith("bias") and "norm" in name]
        return dict.fromkeys(biases, (_BIAS_RATE, 0.0))


def _stem(inputs: ImageInputs) -> tuple[int, int]:
    """Give stride and size of the whitening patches: of 2 x 2 pixels in colours, of 3 x 3 in grey or few channels."""
    stride = min(_WIDEST_STRIDE, 2 ** max(0, math.ceil(math.log2(inputs.side / _LARGEST_MAP))))
    size = 2 * stride if stride > 1 else 3 if inputs.channels < 3 else 2
    return stride, min(size, inputs.side)


def _groups(inputs: int, widths: Sequence[int], side: int, depth: int) -> list[Group]:
    early = max(0, math.ceil(math.log2(side / _GROUP_MAP)))
    groups = []
    for before, after in itertools.pairwise([inputs, *[widths[0]] * early, *widths]):
        pooled = side >= 4
        groups.append(Group(before, after, depth=depth, pooled=pooled))
        side = side // 2 if pooled else side
    return groups


def _recipe(occasion: Occasion) -> dict[str, Any]:
    """Give the training that it was measured with: one cycle of Nesterov's momentum, smoothed labels."""
    smoothed = 0.0 if occasion.metric in ("log_loss", "auc") else 0.1
    losses = {"binary": "bce", "multiclass": "cce"}
    loss = {"name": losses[occasion.task], "label_smoothing": smoothed} if occasion.task in losses else "mse"
    rows = batch_rows(occasion.rows)
    return {
        "train.loss": loss,
        "train.optimizer": {"name": "nesterov", "beta": 0.85, "lr": RATE * rows / 256},
        "train.batch_size": rows,
        "train.epochs": epochs(occasion.rows),
        "train.schedule": {"name": "one_cycle", "share": 0.2, "start": 0.2, "final": 0.0},
        "train.weight_decay": 5e-4,
        "train.clip_norm": None,
        "train.early_stopping": None,
    }


RATE = 2.3
"""The rate for batches of 256 images."""
_STEPS = 30
"""Updates that an epoch has at the least, where the images are few."""


def batch_rows(rows: int) -> int:
    """Give the images of an update: 256, fewer where an epoch would have fewer than 30 updates.

    >>> batch_rows(50_000), batch_rows(1000)
    (256, 32)
    """
    return max(8, min(256, 1 << int(math.log2(max(rows / _STEPS, 1)))))


def epochs(rows: int) -> int:
    """Give the epochs where no time is told: 12 of many images, up to 60 of few.

    >>> epochs(50_000), epochs(1000)
    (12, 60)
    """
    return min(60, max(12, 600_000 // max(rows, 1)))


ENTRY = ModelEntry(
    name="convnet",
    summary="Small residual convolutional network: whitening, identity init; for images of any size",
    make=ConvNet,
    reads="images",
    recipe=_recipe,
    formula="x <- GELU(norm(pool(conv x))); x <- x + GELU(norm(conv x)), a group; logits = head(max x) / 9",
    reference="Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024; He et al. 2016 (residual)",
    options=(
        Option(
            name="widths",
            kind="ints",
            default=[32, 64, 128],
            low=1,
            high=4096,
            help="channels of each group; the sides of the map are halved by each",
            candidates=((16, 32, 64), (32, 64, 128), (48, 96, 192)),
            example=[32, 64, 128],
        ),
        Option(name="depth", kind="int", default=2, low=2, high=8, help="convolutions of a group", example=2),
        Option(
            name="dropout",
            default=0.0,
            low=0.0,
            high=1.0,
            high_open=True,
            help="share of channels dropped before the head",
            search=(0.0, 0.5),
            example=0.1,
        ),
    ),
)
