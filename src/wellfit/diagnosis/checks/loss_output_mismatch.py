"""A loss that does not fit the output layer or the target."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_SQUASHES = {"softmax": "softmax", "sigmoid": "sigmoid", "hardsigmoid": "sigmoid", "log_softmax": "log-softmax"}
_UNBOUNDED = (
    "linear",
    "conv",
    "relu",
    "leaky_relu",
    "prelu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "softplus",
)
_RANGES = {
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, float("inf")),
}
_OUTSIDE = 0.25
"""Standard deviations by which the target passes the range: the square of it is then lost at the least."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    for rule in (
        _upside_down,
        _mixed_rows,
        _impossible_target,
        _ids_as_numbers,
        _one_column,
        _over_rows,
        _pairing,
        _range,
        _squares,
    ):
        found = rule(evidence)
        if found is not None:
            yield found
            return


def _upside_down(evidence: Evidence) -> Finding | None:
    if not evidence.loss.get("upside_down"):
        return None
    return _finding(
        evidence,
        "A wrong output costs less than a right one: the loss has the wrong sign.",
        Remedy(path="train.loss", value="auto", why="the loss must fall as outputs get better"),
    )


def _mixed_rows(evidence: Evidence) -> Finding | None:
    if evidence.classification or not evidence.loss.get("constant_beats_right"):
        return None
    return _finding(
        evidence,
        "One output for all rows costs less than the right output for each: output and target are compared across "
        "rows, as where [n, 1] is broadcast against [n].",
        Remedy(path="train.loss", value="auto", why="give the loss output and target of one shape"),
    )


def _impossible_target(evidence: Evidence) -> Finding | None:
    best = evidence.loss.get("best")
    if best is None or best == best:
        return None
    return _finding(
        evidence,
        "The loss is not a number even for a perfect output: it can't take this target (a logarithm of numbers that "
        "are not above zero?).",
        Remedy(path="train.loss", value="auto", why="a loss that is defined for every target"),
    )


def _ids_as_numbers(evidence: Evidence) -> Finding | None:
    classes = int(evidence.target.get("classes") or 0)
    outputs = int(evidence.loss.get("outputs") or 0)
    if not evidence.classification or classes < 3 or outputs not in range(1, classes):
        return None
    return _finding(
        evidence,
        f"The target has {classes} classes and the output {outputs} column{'s' if outputs > 1 else ''}: class ids are "
        "names, not numbers on a scale.",
        Remedy(path="train.loss", value="cce", why=f"{classes} output columns and categorical cross-entropy"),
    )


def _one_column(evidence: Evidence) -> Finding | None:
    if evidence.loss.get("outputs") != 1 or evidence.last_operation not in ("softmax", "log_softmax"):
        return None
    return _finding(
        evidence,
        "A softmax over one column is 1 for every row: nothing can be learnt.",
        Remedy(path="train.loss", value="bce", why="leave the softmax out and take binary cross-entropy from logits"),
    )


def _over_rows(evidence: Evidence) -> Finding | None:
    if not evidence.loss.get("over_rows"):
        return None
    return _finding(
        evidence,
        f"The network ends in a {_SQUASHES[evidence.last_operation]} over the rows of a batch: each column sums to 1 "
        "over them, and what is said of one row depends on the others.",
        Remedy(path="train.loss", value="auto", why="take it over the columns, dim=-1, or leave it out of the network"),
    )


def _pairing(evidence: Evidence) -> Finding | None:
    expects, last = evidence.loss.get("expects"), evidence.last_operation
    if expects == "logits" and last in _SQUASHES and last != "log_softmax":
        return _finding(
            evidence,
            f"The loss takes logits and the network ends in a {_SQUASHES[last]}: it is squashed twice, and gradients "
            "fade as outputs become sure.",
            Remedy(path="train.loss", value="auto", why=f"leave the {_SQUASHES[last]} out of the network"),
        )
    if expects == "logits" and last in ("relu", "relu6", "tanh", "softplus"):
        return _finding(
            evidence,
            f"The loss takes logits of any sign and size and the network ends in a {last}.",
            Remedy(path="train.loss", value="auto", why=f"end the network in a linear layer, without the {last}"),
        )
    if expects == "probabilities" and evidence.classification and last in _UNBOUNDED:
        return _finding(
            evidence,
            f"The loss takes probabilities and the network ends in a {last} layer, whose outputs may be anything: "
            "outside 0 to 1 the loss has no slope.",
            Remedy(path="train.loss", value="auto", why="take the loss from logits, or end in a softmax or sigmoid"),
        )
    several = int(evidence.loss.get("outputs") or 0) > 1 and int(evidence.target.get("classes") or 0) > 2
    if expects == "probabilities" and evidence.classification and several and last == "sigmoid" and evidence.poor:
        return _finding(
            evidence,
            "Classes that exclude each other need a softmax; sigmoids are not tied to each other.",
            Remedy(path="train.loss", value="cce", why="take categorical cross-entropy from logits"),
        )
    return None


def _range(evidence: Evidence) -> Finding | None:
    span = _RANGES.get(evidence.last_operation)
    target = evidence.target
    if span is None or evidence.classification or target.get("low") is None or not target.get("std"):
        return None
    below = (span[0] - target["low"]) / target["std"]
    above = (target["high"] - span[1]) / target["std"]
    if max(below, above) < _OUTSIDE:
        return None
    return _finding(
        evidence,
        f"The network ends in a {evidence.last_operation}, which gives {span[0]:g} to {span[1]:g}, and the target goes "
        f"from {target['low']:.4g} to {target['high']:.4g}: those rows can't be reached.",
        Remedy(path="train.loss", value="mse", why="end the network in a linear layer"),
        low=target["low"],
        high=target["high"],
    )


def _squares(evidence: Evidence) -> Finding | None:
    """Squares of class ids or one-hot targets learn, but slowly once outputs are squashed: a fault where they hurt."""
    if not evidence.classification or evidence.loss.get("expects") != "values" or not evidence.poor:
        return None
    return _finding(
        evidence,
        "Classes are learnt by squared or absolute errors, whose gradients fade where a squashed output is wrong and "
        "sure; cross-entropy's do not.",
        Remedy(path="train.loss", value="auto", why="cross-entropy from logits"),
    )


def _finding(evidence: Evidence, message: str, remedy: Remedy, **numbers: float) -> Finding:
    facts: dict[str, float | int | str] = {
        "loss_takes": str(evidence.loss.get("expects", "unknown")),
        "last_operation": evidence.last_operation or "unknown",
        "outputs": int(evidence.loss.get("outputs") or 0),
    }
    return Finding(
        code="loss_output_mismatch",
        severity="error",
        where="output layer",
        evidence={**facts, **numbers},
        message=message,
        remedies=(remedy,),
    )


CHECK = Check(
    code="loss_output_mismatch",
    reads="what the loss takes, the last operation, the target's range",
    find=_find,
    live=True,
    explains=(
        "learning_rate_too_high",
        "learning_rate_too_low",
        "batch_size_problem",
        "exploding_gradient",
        "vanishing_gradient",
        "dead_units",
        "saturated_units",
        "not_learning",
        "underfitting",
        "bad_initialization",
        "overfitting",
    ),
)
