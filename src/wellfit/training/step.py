"""One update of the weights: gradients of a batch, penalties, clipping, the optimizer's rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import _engine_run_backward as run_backward

from wellfit.data.batches import Batch
from wellfit.errors import RunFailed
from wellfit.models.members import factors_of, pace_of, told_of
from wellfit.optimizers import refuse_non_finite, require_finite, stepper
from wellfit.regularizers import L1, L2, ClipNorm, ClipValue, Penalty, WeightDecay, add_noise, decayed_parameters
from wellfit.runtime import keyed_generator, keyed_seed, reseed
from wellfit.training.monitor import LayerStatistics
from wellfit.training.products import linear_by_onednn
from wellfit.training.recipe import Recipe

__all__ = ["Updater"]

Totals = tuple[Tensor, Tensor | float]


class Updater:
    """Applies one update at a time.

    Every random draw of a step is keyed by (seed, step), so that a step can be repeated: after a resume, and when
    memory ran out and the batch is taken again in smaller parts.
    """

    def __init__(
        self,
        module: nn.Module,
        forward: Callable[..., Any],
        optimizer: torch.optim.Optimizer,
        recipe: Recipe,
        monitor: LayerStatistics | None,
        planned: int | None = None,
    ) -> None:
        """Make what updates a module; ``planned`` is how many updates the whole run would make, if that is known."""
        self.module, self.forward, self.optimizer = module, forward, optimizer
        self.recipe, self.monitor = recipe, monitor
        self.parts = 1
        """Into how many parts a batch is split so that it fits into memory."""
        plain = forward is module and not recipe.bfloat16
        self.products = linear_by_onednn(module, recipe.batch_rows, recipe.device) if plain else None
        """What computes large linear layers faster; None where torch does as well."""
        self._named = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]
        self._step = stepper(optimizer)
        self._base = [group["lr"] for group in optimizer.param_groups]
        self._decays = [group.get("weight_decay") for group in optimizer.param_groups]
        self._planned = planned
        self._at = pace_of(module)
        self._told = told_of(module)
        self._decay_share = 1.0
        """The share of the weight decay that is in force."""
        self._trained = [weight for _, weight in self._named]
        self._weights: list[Tensor] = [weight for _, weight in decayed_parameters(module) if weight.requires_grad]
        self._decayed, self._factors = self._to_decay(module)
        self._penalties = _penalties(recipe)
        self._buffers = [buffer for buffer in module.buffers() if buffer.is_floating_point()]
        self._kept = [buffer.clone() for buffer in self._buffers]
        self._versions = [_version(buffer) for buffer in self._buffers]
        self._shares: dict[tuple[float, torch.dtype], Tensor] = {}

    def __call__(self, batches: Sequence[Batch], step: int, losses: Sequence[float]) -> Totals:
        """Make the update of a step from its batches; give the sum of the rows' losses and of their weights.

        Raises:
            RunFailed: where a gradient is not finite; weights and buffers are then as before the step.
        """
        self._set_rate(step, losses)
        self._set_moment(step)
        self._keep_buffers()
        try:
            if self.recipe.needs_closure:
                return self._search(batches, step)
            totals = self._gradients(batches, step)
            self._apply(step)
        except RunFailed:
            if self._buffers:
                torch._foreach_copy_(self._buffers, self._kept)
            raise
        return totals

    def _keep_buffers(self) -> None:
        """Keep what the last update changed: bins, or rows that a network knows, stay what they are."""
        versions = [_version(buffer) for buffer in self._buffers]
        changed = [place for place, version in enumerate(versions) if version != self._versions[place]]
        if changed:
            torch._foreach_copy_([self._kept[place] for place in changed], [self._buffers[place] for place in changed])
            self._versions = versions

    @property
    def rate(self) -> float:
        """The rate of the first group at the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def _set_rate(self, step: int, losses: Sequence[float]) -> None:
        if self.recipe.factor is not None:
            factor = self.recipe.factor(step, losses)
            for group, base in zip(self.optimizer.param_groups, self._base, strict=True):
                group["lr"] = base * factor
        to_point = getattr(self.optimizer, "train", None)
        if to_point is not None:
            to_point()

    def _set_moment(self, step: int) -> None:
        """Tell a module that follows the run how far it is; one of unknown length stays as it began."""
        if self._at is None:
            return
        self._decay_share = self._at(min(step / self._planned, 1.0) if self._planned else 0.0)
        for group, decay in zip(self.optimizer.param_groups, self._decays, strict=True):
            if decay:
                group["weight_decay"] = decay * self._decay_share

    def _to_decay(self, module: nn.Module) -> tuple[list[Tensor], list[float] | None]:
        """Give the weights that decay, and the factor of each where a module has factors of its own."""
        factors = factors_of(module)
        if not factors:
            return self._weights, None
        found = [(weight, factors.get(name, (1.0, 1.0))[1]) for name, weight in self._named]
        return [weight for weight, factor in found if factor], [factor for _, factor in found if factor]

    def _gradients(self, batches: Sequence[Batch], step: int) -> Totals:
        while True:
            try:
                return self._backward(self._split(batches), step)
            except RuntimeError as error:
                if not _out_of_memory(error) or not self._can_split(batches):
                    raise
                self.parts *= 2

    def _can_split(self, batches: Sequence[Batch]) -> bool:
        return self.parts * 2 <= max(batch.rows for batch in batches)

    def _split(self, batches: Sequence[Batch]) -> list[Batch]:
        if self.parts == 1:
            return list(batches)
        return [part for batch in batches for part in _halves(batch, self.parts)]

    def _backward(self, batches: Sequence[Batch], step: int) -> Totals:
        # What zero_grad does, without the profiler's mark that it leaves: that costs more than the work.
        for group in self.optimizer.param_groups:
            for weight in group["params"]:
                weight.grad = None
        if len(batches) == 1:
            return self._row_losses(batches[0], step, 0, alone=True)
        totals = [self._row_losses(batch, step, place, alone=False) for place, batch in enumerate(batches)]
        # Sums of rows, divided once by all rows' weight: the mean of the whole batch, however it was split.
        weight = sum(part for _, part in totals)
        gradients = [trained.grad for trained in self._trained if trained.grad is not None]
        torch._foreach_div_(gradients, weight)
        return torch.stack([total for total, _ in totals]).sum(), weight

    def _row_losses(self, batch: Batch, step: int, place: int, *, alone: bool) -> Totals:
        reseed(keyed_seed(self.recipe.seed, "step", step, place))
        with self.products or nullcontext():
            total, weight = self._forward(batch, step, place)
        # What total.backward(share) does, without its checks of a shape: they import SymPy, a third of a second.
        share = self._share(total, weight) if alone else torch.ones_like(total)
        run_backward((total,), (share,), False, False, (), allow_unreachable=True, accumulate_grad=True)
        return total.detach(), weight

    def _share(self, total: Tensor, weight: Tensor | float) -> Tensor:
        """Give the gradient that makes the sum of the rows' losses their mean: one over their weight."""
        if isinstance(weight, Tensor):
            return (1.0 / weight).to(total)
        # Nearly all batches have one size: the tensor is made once.
        key = (weight, total.dtype)
        if key not in self._shares:
            self._shares[key] = torch.full_like(total, 1.0 / weight, requires_grad=False)
        return self._shares[key]

    def _forward(self, batch: Batch, step: int, place: int) -> Totals:
        inputs = batch.inputs
        if self.recipe.noise:
            generator = keyed_generator(self.recipe.seed, "noise", step, place, device=inputs[0].device)
            inputs = (add_noise(inputs[0], self.recipe.noise, generator), *inputs[1:])
        if self._told is not None:
            self._told(batch.target)
        with self._precision():
            output = self.forward(*inputs)
            return self.recipe.loss.total(output, batch.target, batch.weight)

    def _precision(self) -> AbstractContextManager[Any]:
        if not self.recipe.bfloat16:
            return nullcontext()
        return torch.autocast(self.recipe.device.type, dtype=torch.bfloat16)

    def _apply(self, step: int) -> None:
        for penalty in self._penalties:
            penalty.add_gradient(self._weights)
        if self.recipe.clip_norm is None:
            refuse_non_finite(self._named)
        else:
            ClipNorm(self.recipe.clip_norm).apply(self._trained, require_finite(self._named))
        if self.recipe.clip_value is not None:
            ClipValue(self.recipe.clip_value).apply(self._trained)
        sampled = self.monitor is not None and self.monitor.wants(step)
        if sampled and self.monitor is not None:
            self.monitor.before_update()
        if self.recipe.weight_decay:
            decay = WeightDecay(self.recipe.weight_decay * self._decay_share, self._factors)
            decay.apply(self._decayed, self.rate, self.optimizer)
        self._step()
        if sampled and self.monitor is not None:
            self.monitor.after_update()

    def _search(self, batches: Sequence[Batch], step: int) -> Totals:
        """Let a line search evaluate the loss as often as it needs; the first evaluation is the step's loss."""
        first: list[Totals] = []

        def closure() -> Tensor:
            totals = self._gradients(batches, step)
            for penalty in self._penalties:
                penalty.add_gradient(self._weights)
            if not first:
                refuse_non_finite(self._named)
                first.append(totals)
            total, weight = totals
            return total / weight + sum(penalty.value(self._weights) for penalty in self._penalties)

        self.optimizer.step(closure)  # type: ignore[arg-type]
        return first[0]

    def penalty(self) -> float:
        """Give what the penalties add to the loss at the present weights."""
        with torch.no_grad():
            return sum(float(penalty.value(self._weights)) for penalty in self._penalties)


def _version(buffer: Tensor) -> int:
    """Give the count of a buffer's changes; what inference mode made has none, and can't be changed."""
    return -1 if buffer.is_inference() else buffer._version


def _penalties(recipe: Recipe) -> list[Penalty]:
    made: list[Penalty] = []
    if recipe.l1:
        made.append(L1(recipe.l1))
    if recipe.l2:
        made.append(L2(recipe.l2))
    return made


def _halves(batch: Batch, parts: int) -> list[Batch]:
    size = -(-batch.rows // parts)
    pieces = []
    for first in range(0, batch.rows, size):
        part = slice(first, first + size)
        weight = None if batch.weight is None else batch.weight[part]
        pieces.append(Batch(tuple(tensor[part] for tensor in batch.inputs), batch.target[part], weight))
    return pieces


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
