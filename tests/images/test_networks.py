"""Networks for images: any size, the whitening, and what a new one starts from."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wellfit.errors import ConfigError, DataError
from wellfit.models import MODELS, ImageInputs
from wellfit.models.convnet import ConvNet, whitening
from wellfit.models.pretrained import Wrapped

PACKAGES = ("timm", "torchvision")
OWN = [name for name, entry in MODELS.items() if entry.reads == "images" and name not in PACKAGES]


def test_whitened_patches_have_unit_variance_and_no_correlation() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(400, 1, 10, 10, generator=generator).cumsum(3) / 3
    filters = whitening(images, 3)
    assert torch.equal(filters[9:], -filters[:9])
    flat = torch.nn.functional.conv2d(images, filters[:9]).movedim(1, -1).reshape(-1, 9).double()
    assert torch.allclose(torch.cov(flat.T), torch.eye(9, dtype=torch.float64), atol=0.02)


@pytest.mark.parametrize(
    "name", [name for name, entry in MODELS.items() if entry.reads == "images" and name not in PACKAGES]
)
@pytest.mark.parametrize(("channels", "height", "width"), [(1, 8, 8), (3, 32, 32), (4, 65, 40), (3, 128, 160)])
def test_any_size_and_any_number_of_channels(name: str, channels: int, height: int, width: int) -> None:
    module = MODELS[name].make(ImageInputs(channels=channels, height=height, width=width), 5)
    images = torch.randn(3, channels, height, width)
    output = module(images)
    assert output.shape == (3, 5)
    output.sum().backward()
    assert all(weight.grad is not None for weight in module.parameters() if weight.requires_grad)


def test_new_convolutions_hand_their_input_on() -> None:
    module = ConvNet(ImageInputs(channels=1, height=16, width=16), 3, widths=[4, 8])
    images = torch.randn(2, 4, 6, 6)
    # the second convolution of the first group starts as the identity
    assert torch.equal(module.groups[0].others[0](images), images)  # type: ignore[index]


class _Body(nn.Module):
    """What a package's network looks like: parts in order, the head last."""

    def __init__(self, channels: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 4, 3)
        self.stage = nn.Conv2d(4, 4, 3)
        self.fc = nn.Linear(4, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.stage(self.stem(x)).mean((2, 3)))


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_weights_of_a_file_but_not_its_head(tmp_path: Path, kind: str) -> None:
    known = _Body()
    path = tmp_path / f"weights.{kind}"
    if kind == "pt":
        torch.save({"state_dict": known.state_dict()}, path)
    else:
        save_file(known.state_dict(), path)
    wrapped = Wrapped(_Body(channels=1, classes=2), str(path))
    assert torch.equal(wrapped.body.stage.weight, known.stage.weight)  # type: ignore[union-attr]
    assert torch.allclose(wrapped.body.stem.weight, known.stem.weight.sum(1, keepdim=True))  # type: ignore[union-attr]
    assert wrapped(torch.zeros(2, 1, 8, 8)).shape == (2, 2)
    rates = {name: rate for name, (rate, _) in wrapped.factors().items()}
    assert rates["body.fc.weight"] == 1.0
    assert rates["body.stage.weight"] == pytest.approx(0.7)
    assert rates["body.stem.weight"] == pytest.approx(0.49)


def test_files_that_are_no_weights_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        Wrapped(_Body(), str(tmp_path / "none.pt"))
    (tmp_path / "text.pt").write_text("weights")
    with pytest.raises(DataError, match="tensors and nothing else"):
        Wrapped(_Body(), str(tmp_path / "text.pt"))
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(DataError, match="one of this network"):
        Wrapped(_Body(), str(tmp_path / "other.pt"))
    torch.save(Path("code"), tmp_path / "code.pt")
    with pytest.raises(DataError, match="tensors and nothing else"):
        Wrapped(_Body(), str(tmp_path / "code.pt"))


def test_a_package_is_used_where_it_is_and_named_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    entry, inputs = MODELS["timm"], ImageInputs(channels=2, height=8, width=8)
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match="needs the package timm"):
        entry.make(inputs, 3, network="small")

    def create_model(name: str, *, pretrained: bool, num_classes: int, in_chans: int) -> nn.Module:
        return _Body(in_chans, num_classes)

    there = SimpleNamespace(list_models=lambda pattern="": ["small"], create_model=create_model)
    monkeypatch.setitem(sys.modules, "timm", there)
    assert entry.make(inputs, 3, network="small")(torch.zeros(1, 2, 8, 8)).shape == (1, 3)
    with pytest.raises(ConfigError, match="no such network"):
        entry.make(inputs, 3, network="large")


def test_torchvisions_weights_fit_the_resnet(tmp_path: Path) -> None:
    known = MODELS["resnet18"].make(ImageInputs(channels=3, height=96, width=96), 1000)
    save_file({name: value.contiguous() for name, value in known.state_dict().items()}, tmp_path / "r.safetensors")
    tuned = MODELS["resnet18"].make(
        ImageInputs(channels=3, height=96, width=96), 4, weights=str(tmp_path / "r.safetensors")
    )
    assert torch.equal(tuned.conv1.weight, known.conv1.weight)
    assert tuned.factors()["layer4.0.conv1.weight"][0] == pytest.approx(0.7)
    assert known.factors() == {}
