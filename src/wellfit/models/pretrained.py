"""Any network of timm or torchvision by its name, where that package is installed; weights come from a local file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from wellfit.errors import ConfigError
from wellfit.models.entry import ModelEntry
from wellfit.models.fine_tuning import WEIGHTS, depth_factors, fine_tuned, load_weights
from wellfit.models.image_inputs import ImageInputs
from wellfit.registry import Option

__all__ = ["ENTRIES", "Wrapped"]

_HEADS = ("head", "fc", "classifier", "last_linear", "heads")
"""What the last layer of a published network is called."""


class Wrapped(nn.Module):
    """A published network with a head for these outputs.

    Args:
        body: it takes ``[row, channel, height, width]`` and gives ``[row, output]``.
        weights: a local file of its weights; None trains from scratch.
    """

    def __init__(self, body: nn.Module, weights: str | None = None) -> None:
        super().__init__()
        self.body = body
        self.pretrained = weights is not None
        if weights is not None:
            load_weights(body, weights, head=_head_of(body))

    def forward(self, pixels: Tensor) -> Tensor:
        """Map float32 ``[row, channel, height, width]`` to ``[row, output]``."""
        logits: Tensor = self.body(pixels)
        return logits.float()

    def factors(self) -> dict[str, tuple[float, float]]:
        """Give the factors of rate and decay by parameter: of weights from a file, early parts learn slower."""
        if not self.pretrained:
            return {}
        stages = [(name,) for name, part in self.body.named_children() if any(True for _ in part.parameters())]
        return {f"body.{name}": factor for name, factor in depth_factors(self.body, stages).items()}


def _head_of(body: nn.Module) -> str:
    names = [name for name, part in body.named_children() if any(True for _ in part.parameters())]
    return next((name for name in _HEADS if name in names), names[-1])


@contextmanager
def _needing(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a build for another torch fails in its own ways
        rule = f"A network of {name} needs the package {name}, in a build for the installed torch."
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        raise ConfigError(rule, got=reason, do=f"Install it, or take resnet18: pip install {name}.") from None


def _of_timm(inputs: ImageInputs, outputs: int, *, network: str, weights: str | None = None) -> Wrapped:
    with _needing("timm"):
        import timm
    if network not in timm.list_models():
        near = timm.list_models(f"*{network[:6]}*")[:5]
        raise ConfigError("timm has no such network.", got=network, do="Try " + ", ".join(near) + "." if near else "")
    return Wrapped(timm.create_model(network, pretrained=False, num_classes=outputs, in_chans=inputs.channels), weights)


def _of_torchvision(inputs: ImageInputs, outputs: int, *, network: str, weights: str | None = None) -> Wrapped:
    with _needing("torchvision"):
        from torchvision import models
    if network not in models.list_models():
        raise ConfigError("torchvision has no such network.", got=network, do="See torchvision.models.list_models().")
    body = models.get_model(network, weights=None, num_classes=outputs)
    return Wrapped(_with_channels(body, inputs.channels), weights)


def _with_channels(body: nn.Module, channels: int) -> nn.Module:
    """Give the network a first convolution for so many channels."""
    for name, part in body.named_modules():
        if isinstance(part, nn.Conv2d):
            if part.in_channels != channels:
                made = nn.Conv2d(
                    channels,
                    part.out_channels,
                    part.kernel_size,  # type: ignore[arg-type]
                    part.stride,  # type: ignore[arg-type]
                    part.padding,  # type: ignore[arg-type]
                    bias=part.bias is not None,
                )
                body.set_submodule(name, made)
            return body
    return body


def _settled(options: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    if not options["network"]:
        raise ConfigError("A network of a package needs its name.", do="Write model: {type: timm, network: resnet18}.")
    return dict(options)


def _entry(package: str, make: Any) -> ModelEntry:
    network = Option(
        name="network", kind="str", default="", help=f"what {package} calls the network", example="resnet18"
    )
    return ModelEntry(
        name=package,
        summary=f"Any network of {package} by its name, where that is installed; fine-tuned from a file of weights",
        make=make,
        reads="images",
        settle=_settled,
        recipe=fine_tuned,
        reference=f"the documentation of {package}",
        options=(network, WEIGHTS),
    )


ENTRIES = (_entry("timm", _of_timm), _entry("torchvision", _of_torchvision))
