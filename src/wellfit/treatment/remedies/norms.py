"""Norms and residual connections, which keep signals and gradients alive through depth."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.surgery import add_residuals, insert_norms, reinitialize, swap_activations

__all__ = ["REMEDIES"]


def propose(case: Case) -> Iterator[Change]:
    """Batch norm, batch norm with residual connections, layer norm for small batches."""
    if case.subject.batch_rows > 4:
        why = "every layer's input keeps mean 0 and spread 1 (Ioffe & Szegedy 2015)"
        yield Change(family="norm", what="batch norm", why=why, edits=(insert_norms("batch"),))
        edits = case.can(swap_activations("relu"), insert_norms("batch"), add_residuals(), reinitialize())
        why = "gradients pass around a layer as well as through it (He et al. 2016)"
        if len(edits) > 1:
            yield Change(family="norm", what="batch norm, ReLU and residuals", why=why, edits=edits)
    else:
        why = "every row's features keep mean 0 and spread 1 (Ba et al. 2016)"
        yield Change(family="norm", what="layer norm", why=why, edits=(insert_norms("layer"),))


REMEDIES = Remedies(
    family="norm",
    codes=frozenset({"vanishing_gradient", "exploding_gradient", "saturated_units"}),
    propose=propose,
)
