"""Inputs and target put on a scale that networks learn on."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from wellfit.treatment.course import Change, Scale
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.subject import Subject
from wellfit.treatment.surgery import standardize_inputs, unscale_outputs

__all__ = ["REMEDIES", "input_scaling", "target_scaling"]


def propose(case: Case) -> Iterator[Change]:
    """Standardise the inputs, and train on a standardised target."""
    inputs, target = input_scaling(case.subject), target_scaling(case.subject)
    if inputs is not None and "unscaled_target" not in case.codes:
        yield inputs
    if target is not None:
        yield target
    if inputs is not None and target is not None:
        yield Change(
            family="target scale",
            what="inputs and target standardised",
            why=target.why,
            edits=(*inputs.edits, *target.edits),
            scale=target.scale,
        )


def input_scaling(subject: Subject) -> Change | None:
    """Standardise the first input by the training rows; None where it is not of floating-point numbers."""
    rows = subject.rows.inputs[0]
    if not rows.is_floating_point() or rows.ndim < 2:
        return None
    axis = 1 if rows.ndim >= 4 else -1
    by_feature = rows.movedim(axis, -1).reshape(-1, rows.shape[axis])
    mean, std = _moments(by_feature)
    return Change(
        family="input scale",
        what="inputs standardised",
        why="features of one scale are learned at one rate, and what is not finite is filled with the mean",
        edits=(standardize_inputs(mean, std, axis),),
    )


def target_scaling(subject: Subject) -> Change | None:
    """Train on the standardised target; None for classes, and for a target that is standardised already."""
    target = subject.rows.target
    if subject.classes or subject.outputs != "values":
        return None
    mean, std = _moments(target.reshape(len(target), -1))
    if all(abs(m) < 0.5 and 0.5 < s < 2 for m, s in zip(mean, std, strict=True)):
        return None
    return Change(
        family="target scale",
        what="target standardised",
        why="outputs start near 0 with spread 1, and so should what they are to reach",
        edits=(unscale_outputs(mean, std),),
        scale=Scale(tuple(mean), tuple(std)),
    )


def _moments(values: Tensor) -> tuple[list[float], list[float]]:
    """Give mean and standard deviation by column, over what is finite; 1 for a column that does not vary."""
    numbers = values.detach().double().cpu()
    numbers = torch.where(torch.isfinite(numbers), numbers, torch.nan)
    mean = numbers.nanmean(0).nan_to_num(0.0)
    std = ((numbers - mean) ** 2).nanmean(0).sqrt().nan_to_num(1.0)
    std = torch.where(std > 1e-6 * mean.abs().clamp_min(1e-6), std, torch.ones_like(std))
    return mean.tolist(), std.tolist()


REMEDIES = Remedies(
    family="scaling",
    codes=frozenset(
        {"unscaled_inputs", "unscaled_target", "non_finite", "exploding_gradient", "not_learning", "underfitting"}
    ),
    propose=propose,
)
