"""Statistics of every layer's gradients, weights and updates, on sampled steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wellfit.history import History

__all__ = ["LayerStatistics"]

SAMPLE_EVERY = 50
"""Steps between samples at first: a sample takes as long as half of a small network's step, which is then 1 %."""
_FIRST, _DENSE = 200, 2000
"""Steps from which on samples are twice and four times as far apart: what is wrong from the start shows within the
first, a rate that is wrong within the others, and a long training is spared three samples of four."""

FIGURES = ("grad_norm", "weight_norm", "update_ratio")


class LayerStatistics:
    """Norms of gradients and weights, and of updates relative to weights, for every parameter.

    Read from the parameters themselves, outside any compiled graph. Sums stay on the device and are written to the
    history once an epoch, as means over the sampled steps.
    """

    def __init__(self, module: nn.Module, every: int = SAMPLE_EVERY) -> None:
        named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
        self.names = [name for name, _ in named]
        self.parameters: list[Tensor] = [parameter for _, parameter in named]
        self.every = every
        self._samples = 0
        self._sums: Tensor | None = None
        self._before: list[Tensor] = []
        self._norms: list[Tensor] = []

    def wants(self, step: int) -> bool:
        """Whether a step, counted from 0, is sampled."""
        sooner = (step < _FIRST) + (step < _DENSE)
        return step % (self.every << (2 - sooner)) == 0 and bool(self.parameters)

    @torch.no_grad()
    def before_update(self) -> None:
        """Read gradients and keep a copy of the weights."""
        zero = self.parameters[0].new_zeros(())
        gradients = [zero if weight.grad is None else weight.grad for weight in self.parameters]
        dense = [gradient.coalesce().values() if gradient.is_sparse else gradient for gradient in gradients]
        self._before = [weight.clone() for weight in self.parameters]
        self._norms = [*torch._foreach_norm(dense), *torch._foreach_norm(self._before)]

    @torch.no_grad()
    def after_update(self) -> None:
        """Read the weights anew and add the step to the sums."""
        after = torch._foreach_norm(self.parameters)
        moved, self._before = self._before, []
        torch._foreach_sub_(moved, self.parameters)
        norms = [*self._norms, *torch._foreach_norm(moved), *after]
        alike = all(norm.dtype == torch.float32 for norm in norms)
        sample = torch.stack(norms if alike else [norm.float() for norm in norms]).view(4, -1)
        # Weights that start from zero are compared with what they become.
        sample[2] /= torch.maximum(sample[1], sample[3]).clamp_min_(torch.finfo(torch.float32).tiny)
        self._sums = sample[:3] if self._sums is None else self._sums + sample[:3]
        self._samples += 1

    @property
    def sampling(self) -> bool:
        """Whether the weights before an update are held, to be compared with those after it."""
        return bool(self._before)

    def flush(self, history: History, *, step: int, epoch: int) -> None:
        """Write the means since the last flush to the history, if any step was sampled."""
        if self._sums is None:
            return
        sums, samples, names = self._sums, self._samples, self.names
        self._sums, self._samples = None, 0

        def write(part: History) -> None:
            for figure, values in zip(FIGURES, (sums / samples).tolist(), strict=True):
                for name, value in zip(names, values, strict=True):
                    part.add(step=step, epoch=epoch, name=figure, value=value, where=name)

        history.later(write)

    def state(self) -> dict[str, object]:
        """Give what a checkpoint keeps."""
        return {"samples": self._samples, "sums": self._sums}

    def restore(self, state: dict[str, object]) -> None:
        """Go on from what `state` gave."""
        samples, sums = state["samples"], state["sums"]
        assert isinstance(samples, int)
        assert sums is None or isinstance(sums, Tensor)
        self._samples, self._sums = samples, sums
