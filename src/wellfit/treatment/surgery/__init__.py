"""Edits of standard layers on any module: each applied whole, or refused with the reason."""

from wellfit.treatment.surgery.activations import insert_activations, swap_activations
from wellfit.treatment.surgery.anatomy import Anatomy, Part, anatomy
from wellfit.treatment.surgery.dropouts import set_dropout
from wellfit.treatment.surgery.edit import Edit, perform
from wellfit.treatment.surgery.norms import insert_norms
from wellfit.treatment.surgery.outputs import resize_output, set_output
from wellfit.treatment.surgery.recurrence import gate_recurrence, rectify_recurrence
from wellfit.treatment.surgery.residuals import add_residuals
from wellfit.treatment.surgery.scales import standardize_inputs, unscale_outputs
from wellfit.treatment.surgery.weights import reinitialize, unfreeze
from wellfit.treatment.surgery.widths import deepen, narrow, widen

__all__ = [
    "Anatomy",
    "Edit",
    "Part",
    "add_residuals",
    "anatomy",
    "deepen",
    "gate_recurrence",
    "insert_activations",
    "insert_norms",
    "narrow",
    "perform",
    "rectify_recurrence",
    "reinitialize",
    "resize_output",
    "set_dropout",
    "set_output",
    "standardize_inputs",
    "swap_activations",
    "unfreeze",
    "unscale_outputs",
    "widen",
]
