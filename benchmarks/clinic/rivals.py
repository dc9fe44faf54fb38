"""The other packages that judge a training, as their documentation shows them in a loop, and their words as codes.

Install them apart, in the versions of rivals.txt: ``pip install --no-deps --target DIR -r rivals.txt``, and run with
``PYTHONPATH=DIR``.

Each finding becomes the code that it is closest to. Where it has no counterpart but says that something is wrong, it
counts under a name of its own: an alarm on a healthy run, a wrong finding on a faulty one. Advice on speed, style and
hardware is left out, in the package's favour.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from loop import Findings, Watcher
from torch import Tensor, nn

MORTEM_CODES = {
    "Vanishing gradients": "vanishing_gradient",
    "Exploding gradients": "exploding_gradient",
    "Gradient stalling": "vanishing_gradient",
    "Dead units": "dead_units",
    "Activation saturation": "saturated_units",
    # Its text: common with very small batches.
    "High gradient noise": "batch_size_problem",
    # Its text: typically the learning rate is too high.
    "Training divergence": "learning_rate_too_high",
    "Loss plateau": "not_learning",
    "Update ratio too low": "learning_rate_too_low",
    "Update ratio too high": "learning_rate_too_high",
    "Weight norm explosion": "exploding_gradient",
    "Stagnant weight norms": "learning_rate_too_low",
    "Inter-layer weight norm imbalance": "bad_initialization",
    "Rank collapse": "rank_collapse",
}


class Torchmortem(Watcher):
    """``autopsy.step(loss=...)`` after each update; its default sampling."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, problem: Any) -> None:
        from torchmortem import Autopsy

        super().__init__(module, optimizer, problem)
        self.autopsy = Autopsy(module, optimizer=optimizer)
        self.autopsy.attach()

    def step(self, loss: Tensor) -> None:
        super().step(loss)
        self.autopsy.step(loss=loss.item())

    def findings(self) -> Findings:
        self.autopsy.detach()
        said = sorted(self.autopsy.get_report().findings, key=lambda finding: -finding.severity)
        return [
            {"code": code, "severity": "warning"}
            for finding in said
            if finding.severity.name in ("WARNING", "CRITICAL")
            for title, code in MORTEM_CODES.items()
            if finding.title.startswith(title)
        ]


DOCTOR_CODES = {
    "Learning rate likely too high": "learning_rate_too_high",
    "Learning rate may be too low": "learning_rate_too_low",
    "Training plateau detected": "not_learning",
    "Overfitting detected": "overfitting",
    "Gradient instability detected": "exploding_gradient",
}


class TrainingDoctor(Watcher):
    """``doctor.log`` with all the figures that its detectors read: loss, rate, gradient norm, validation loss."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, problem: Any) -> None:
        from training_doctor import Doctor

        super().__init__(module, optimizer, problem)
        self.doctor, self.steps = Doctor(), 0

    def step(self, loss: Tensor) -> None:
        norms = [weight.grad.norm() for weight in self.module.parameters() if weight.grad is not None]
        norm = math.sqrt(sum(float(norm) ** 2 for norm in norms))
        super().step(loss)
        rate = self.optimizer.param_groups[0]["lr"]
        self.doctor.log(step=self.steps, loss=loss.item(), lr=rate, grad_norm=norm)
        self.steps += 1

    def epoch_ended(self, step: int, valid_loss: float) -> None:
        self.doctor.log(step=step, eval_loss=valid_loss)

    def findings(self) -> Findings:
        said = sorted(self.doctor.diagnoses, key=lambda diagnosis: -diagnosis.confidence)
        return [
            {"code": DOCTOR_CODES[diagnosis.problem], "severity": "warning"}
            for diagnosis in said
            if diagnosis.severity.value in ("warning", "critical")
        ]


AUDIT_CODES = {
    "TA100": "non_finite",
    "TA102": "exploding_gradient",
    "TA104": "not_learning",
    "TA105": "dead_units",
    "TA301": "unscaled_inputs",
    "TA302": "flat_inputs",
    "TA304": "batch_size_problem",
    "TA305": "invalid_inputs",
    "TA405": "bad_initialization",
    "TA500": "unused_layer",
    "TA501": "layer_reused",
}


class TorchAudit(Watcher):
    """Its wrapper mode, "the most accurate"; each tenth step audited, for these runs are shorter than its 1,000."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, problem: Any) -> None:
        from torch_audit import Auditor

        super().__init__(module, optimizer, problem)
        self.auditor = Auditor(module, optimizer=optimizer, every_n_steps=10)
        self.auditor.attach()
        self.auditor.audit_static()
        self.auditor.audit_init()

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.auditor.forward(inputs)
        return output

    def backward(self, loss: Tensor) -> None:
        self.auditor.backward(loss)

    def step(self, loss: Tensor) -> None:
        self.auditor.optimizer_step()

    def findings(self) -> Findings:
        self.auditor.detach()
        said = sorted(self.auditor.finish().findings, key=lambda finding: finding.severity, reverse=True)
        return [
            {"code": AUDIT_CODES[finding.rule_id], "severity": "warning"}
            for finding in said
            if finding.severity.value != "INFO" and finding.rule_id in AUDIT_CODES
        ]


RIVALS: dict[str, type[Watcher]] = {
    "torchmortem": Torchmortem,
    "training-doctor": TrainingDoctor,
    "torch-audit": TorchAudit,
}
