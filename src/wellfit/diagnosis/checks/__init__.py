"""Checks: one file and one line each, in the order in which causes come before what they cause."""

from __future__ import annotations

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.checks import (
    bad_initialization,
    batch_size_problem,
    dead_units,
    exploding_gradient,
    learning_rate_too_high,
    learning_rate_too_low,
    loss_output_mismatch,
    missing_nonlinearity,
    non_finite,
    saturated_units,
    unscaled_inputs,
    unscaled_target,
    vanishing_gradient,
)

__all__ = ["CHECKS"]

CHECKS: list[Check] = [
    loss_output_mismatch.CHECK,
    unscaled_inputs.CHECK,
    unscaled_target.CHECK,
    missing_nonlinearity.CHECK,
    bad_initialization.CHECK,
    learning_rate_too_high.CHECK,
    learning_rate_too_low.CHECK,
    batch_size_problem.CHECK,
    exploding_gradient.CHECK,
    vanishing_gradient.CHECK,
    dead_units.CHECK,
    saturated_units.CHECK,
    non_finite.CHECK,
]
