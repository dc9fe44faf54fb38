"""Initial weights that hide the inputs, blow them up, or make all units the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_STRONG = 4.0
"""Gain of a layer's weights (1 keeps a linear layer's variance, 1.4 that of a ReLU's): four layers at this multiply a
signal by 256."""
_LOSS = 10.0
"""Times the loss of the best constant at which an initial loss is too high: a sound start is at about 1."""
_FAINT = 1e-3
"""Share of the inputs' spread that reaches the output at the start, below which it has been lost on the way."""
_WEAK = 0.3
"""Median gain of the hidden layers below which it is the weights that lose the signal, and not the activations."""
_WEAK_RELU = 1.2
"""The same for rectifiers, which halve a signal's power: a gain of 1.41 makes up for that."""
_RECURRENT = 1.2
"""Largest singular value of recurrent weights: over 40 steps it multiplies a state by 1,500."""

_REMEDY = Remedy(path="model.init", value="he", why="keeps the variance of signals and gradients through ReLU layers")


def _find(evidence: Evidence) -> Iterator[Finding]:
    for rule in (_alike, _strong, _faint, _silent):
        found = rule(evidence)
        if found is not None:
            yield found
            return


def _alike(evidence: Evidence) -> Finding | None:
    """Units that start alike get the same gradient and stay alike; a last layer of zeros is sound."""
    hidden = evidence.layers[:-1]
    alike = [layer for layer in hidden if layer.facts.get("alike")]
    if not alike:
        return None
    return _finding(
        alike[0].where,
        f"All units of '{alike[0].where}' start with the same weights, get the same gradient and stay the same.",
        {"layers_alike": len(alike), "layers": len(evidence.layers)},
    )


def _strong(evidence: Evidence) -> Finding | None:
    gains = [(float(layer.facts.get("gain") or 0.0), layer) for layer in evidence.layers[:-1] or evidence.layers]
    start, constant = evidence.first("probe_loss"), evidence.constant_loss
    # The gates of a GRU or LSTM bound what is handed on.
    plain = [layer for layer in evidence.layers if layer.kind == "rnn"]
    recurrent = [(float(layer.facts.get("recurrent_gain") or 0.0), layer) for layer in plain]
    loud = max(recurrent, key=lambda pair: pair[0], default=(0.0, None))
    if loud[1] is not None and loud[0] > _RECURRENT and evidence.poor:
        return _finding(
            loud[1].where,
            f"The recurrent weights of '{loud[1].where}' stretch a state by up to {loud[0]:.2f} at every step.",
            {"recurrent_gain": loud[0]},
        )
    if not gains:
        return None
    gain, layer = max(gains, key=lambda pair: pair[0])
    high = start is not None and constant is not None and constant > 0 and start > _LOSS * constant
    if gain < _STRONG and not high:
        return None
    if not evidence.poor and not high:
        return None
    if high and gain < 2.0:
        return None
    return _finding(
        layer.where,
        f"The weights of '{layer.where}' multiply a signal's spread by {gain:.1f}"
        + (f", and the loss starts at {start:.4g}, where a constant has {constant:.4g}." if high else "."),
        {"gain": gain, "initial_loss": start or 0.0, "constant_loss": constant or 0.0},
    )


def _faint(evidence: Evidence) -> Finding | None:
    """The signal that reaches the last layer at the start, relative to the first."""
    if len(evidence.layers) < 3 or not evidence.poor:
        return None
    signals = evidence.firsts("signal")
    first, last = signals.get(evidence.layers[0].where), signals.get(evidence.layers[-1].where)
    gain = float(np.median([float(layer.facts.get("gain") or 1.0) for layer in evidence.layers[:-1]]))
    if first is None or last is None or not first > 0 or last / first > _FAINT or gain > _least(evidence):
        return None
    return _finding(
        evidence.layers[-1].where,
        f"Of the spread that '{evidence.layers[0].where}' gives, {last / first:.1e} reaches the last layer.",
        {"signal_first": first, "signal_last": last, "median_gain": gain},
    )


def _least(evidence: Evidence) -> float:
    """Give the gain that hands a signal on through the network's activations."""
    return _WEAK_RELU if any(facts["kind"] in ("relu", "leaky_relu") for facts in evidence.operations) else _WEAK


def _silent(evidence: Evidence) -> Finding | None:
    """Units that were silent before the first update were made so."""
    silent = evidence.firsts("silent_share")
    worst = max(silent, key=lambda where: silent[where], default=None)
    if worst is None or silent[worst] < 0.9 or not evidence.poor:
        return None
    return _finding(
        worst,
        f"Before the first update {silent[worst]:.0%} of the units of '{worst}' are zero for every row.",
        {"silent_share": silent[worst]},
    )


def _finding(where: str, message: str, evidence: dict[str, float | int | str]) -> Finding:
    return Finding(
        code="bad_initialization",
        severity="warning",
        where=where,
        when="start",
        evidence=evidence,
        message=message,
        remedies=(_REMEDY,),
    )


CHECK = Check(
    code="bad_initialization",
    reads="weights and signals before the first update",
    find=_find,
    explains=(
        "learning_rate_too_high",
        "learning_rate_too_low",
        "batch_size_problem",
        "not_learning",
        "underfitting",
        "overfitting",
    ),
)
