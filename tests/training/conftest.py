from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn


@pytest.fixture
def rows() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(203, 6, generator=generator)
    target = (inputs @ torch.randn(6, generator=generator) > 0).long()
    return inputs, target


@pytest.fixture
def held() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(61, 6, generator=generator)
    return inputs, (inputs[:, 0] > 0).long()


def net(seed: int = 0, *, dropout: float = 0.2, norm: bool = True, outputs: int = 2) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        middle = nn.BatchNorm1d(16) if norm else nn.Identity()
        drop = nn.Dropout(dropout) if dropout else nn.Identity()
        return nn.Sequential(nn.Linear(6, 16), middle, nn.ReLU(), drop, nn.Linear(16, outputs))


@pytest.fixture
def make_net():
    return net
