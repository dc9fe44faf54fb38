"""Losses of a loop, in windows: as they are read, whenever that is."""

from __future__ import annotations

import pytest
import torch

from wellfit.training.loop_losses import LoopLosses
from wellfit.training.merged_windows import MergedWindows


def plain_windows(losses: list[float], most: int = 128) -> list[tuple[int, float, float]]:
    """Give the windows by their definition: all alike, of the smallest power of two that leaves few enough."""
    size = 1
    while -(-len(losses) // size) > most:
        size *= 2
    parts = [losses[first : first + size] for first in range(0, len(losses), size)]
    return [
        (min((place + 1) * size, len(losses)), sum(part) / len(part), max(part)) for place, part in enumerate(parts)
    ]


@pytest.mark.parametrize("count", [1, 128, 129, 1000, 4097])
@pytest.mark.parametrize("together", [1, 7, 50])
def test_windows_are_those_of_all_losses_together(count: int, together: int) -> None:
    losses = torch.rand(count, generator=torch.Generator().manual_seed(0), dtype=torch.float64).tolist()
    windows = MergedWindows()
    for first in range(0, count, together):
        windows.add(losses[first : first + together])
    found, wanted = list(windows.ends()), plain_windows(losses)
    assert [(step, most) for step, _, most in found] == [(step, most) for step, _, most in wanted]
    assert [mean for _, mean, _ in found] == pytest.approx([mean for _, mean, _ in wanted], rel=1e-12)


def test_numbers_and_tensors_are_read_in_their_order() -> None:
    losses = LoopLosses()
    given = [torch.tensor(0.1), 0.1, torch.tensor([[0.7]], dtype=torch.bfloat16), torch.tensor(3, dtype=torch.int64)]
    for loss in given:
        losses.add(loss)
    assert len(losses) == 4
    losses.read(rate=None)
    assert len(losses) == 0
    assert [value for _, name, value in losses.rows() if name == "batch_loss"] == [float(loss) for loss in given]
    assert not [name for _, name, _ in losses.rows() if name == "lr"]


def test_what_is_elsewhere_waits_there_until_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(torch.Tensor):
        """Stands for a tensor of another device: its number can't be had at once."""

        is_cpu = False

        def item(self) -> float:
            raise AssertionError("a wait for the device")

    losses = LoopLosses()
    kept = losses.add(torch.full((1, 1), 0.5, requires_grad=True).as_subclass(Elsewhere))
    assert isinstance(kept, torch.Tensor)
    assert (kept.shape, kept.requires_grad) == ((), False)
    losses.add(0.25)
    losses.read(rate=0.1)
    assert [value for _, name, value in losses.rows() if name == "batch_loss"] == [0.5, 0.25]
    assert [value for _, name, value in losses.rows() if name == "lr"] == [0.1, 0.1]
