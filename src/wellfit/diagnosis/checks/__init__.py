"""Checks: one file and one line each, in the order in which causes come before what they cause."""

from __future__ import annotations

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.checks import (
    bad_initialization,
    batch_size_problem,
    class_imbalance_ignored,
    constant_target,
    dead_units,
    exploding_gradient,
    good_fit,
    learning_rate_too_high,
    learning_rate_too_low,
    loss_output_mismatch,
    missing_nonlinearity,
    non_finite,
    not_learning,
    overfitting,
    saturated_units,
    shuffled_labels,
    underfitting,
    unscaled_inputs,
    unscaled_target,
    vanishing_gradient,
)

__all__ = ["CHECKS"]

CHECKS: list[Check] = [
    loss_output_mismatch.CHECK,
    constant_target.CHECK,
    non_finite.CHECK,
    unscaled_inputs.CHECK,
    unscaled_target.CHECK,
    shuffled_labels.CHECK,
    missing_nonlinearity.CHECK,
    bad_initialization.CHECK,
    learning_rate_too_high.CHECK,
    exploding_gradient.CHECK,
    vanishing_gradient.CHECK,
    saturated_units.CHECK,
    dead_units.CHECK,
    learning_rate_too_low.CHECK,
    batch_size_problem.CHECK,
    class_imbalance_ignored.CHECK,
    not_learning.CHECK,
    overfitting.CHECK,
    underfitting.CHECK,
    good_fit.CHECK,
]
