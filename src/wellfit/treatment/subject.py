"""What is treated: a maker of modules, its rows, its options, and the facts that remedies go by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.data.batches import Batch, Batches, as_batches
from wellfit.errors import BadInput, ConfigError, DataError
from wellfit.losses.loss import Loss
from wellfit.runtime import keyed_seed, reseed, restored_random_state
from wellfit.training import FitOptions, Recipe, settle
from wellfit.training.decoding import decoder_of
from wellfit.training.evaluation import evaluating
from wellfit.training.loss_facts import loss_facts
from wellfit.training.survey import sample_rows, survey
from wellfit.treatment.surgery import Anatomy, anatomy

__all__ = ["Rates", "Subject"]

MakeModule = Callable[[], nn.Module]
_SAMPLED = 4096
_SHOWN = 4


@dataclass(frozen=True)
class Rates:
    """What the optimizer is, as its first group says."""

    lr: float
    weight_decay: float
    maximize: bool


class Subject:
    """A training to be treated. ``options`` are keywords of `wellfit.fit`; all facts come from the training rows."""

    def __init__(self, make_module: MakeModule, train: Any, valid: Any, options: Mapping[str, Any]) -> None:
        self.make_module, self.options = make_module, dict(options)
        self.train: Batches = as_batches(train)
        self.valid: Batches = as_batches(valid)
        self._refuse_one_shot()
        if isinstance(options.get("optimizer"), torch.optim.Optimizer):
            raise ConfigError(
                "Treatment makes new modules, and an optimizer is bound to the weights of one module.",
                got=type(options["optimizer"]).__name__,
                do="Give a name, or a function: optimizer=lambda params: torch.optim.SGD(params, lr=0.1).",
            )
        module = self.fresh(0)
        if module is make_module():
            raise BadInput(
                "make_module must give a new module at each call.",
                got="the same one twice",
                do="Give a function that builds it, such as lambda: Net(10).",
            )
        self.recipe: Recipe = settle(module, self.train, FitOptions(**self.options), has_valid=True).recipe
        self.rates = _rates(self.recipe, module)
        rows = sample_rows(self.train, _SAMPLED)
        self.sample = tuple(part[:_SHOWN] for part in rows.inputs)
        self.rows = rows
        self.module = module.to("cpu")
        self.facts = survey(self.train)
        with restored_random_state(), torch.no_grad(), evaluating(module):
            output = module(*self.sample)
        self._describe(output, rows)

    def _describe(self, output: Any, rows: Batch) -> None:
        if not isinstance(output, Tensor):
            raise DataError("Treatment needs a module that gives one tensor.", got=type(output).__name__)
        target = self.recipe.loss.prepare(rows.target, self.recipe.outputs)
        decoder = decoder_of(self.recipe.loss, output, target)
        if decoder is None:
            raise DataError(
                "Treatment judges one class or one set of values a row.",
                got=[tuple(output.shape), tuple(rows.target.shape)],
                do="Train it with wellfit.fit and read its findings.",
            )
        self.classes = decoder.classes
        self.columns = int(output[0].numel())
        self.loss = loss_facts(self.recipe.loss, target, self.columns, output.shape[1:])
        self.outputs = decoder.expects if decoder.expects != "unknown" else "values"
        self.named_loss = isinstance(self.recipe.loss, Loss)

    def _refuse_one_shot(self) -> None:
        for name, rows in (("train", self.train), ("valid", self.valid)):
            if getattr(rows, "_one_shot", False):
                raise DataError(
                    "Treatment trains more than once, and an iterator can be walked through once.",
                    got=name,
                    do="Give a list, a DataLoader, or tensors.",
                )

    def fresh(self, seed: int) -> nn.Module:
        """Give a new module, its weights drawn under a seed."""
        with restored_random_state():
            reseed(keyed_seed(seed, "init"))
            made = self.make_module()
        if not isinstance(made, nn.Module):
            raise BadInput("make_module must give a torch.nn.Module.", got=type(made).__name__)
        return made

    @cached_property
    def anatomy(self) -> Anatomy:
        """The parts of the module as it was given."""
        return anatomy(self.module, self.sample)

    @property
    def epochs(self) -> int:
        """Epochs of the training as given."""
        return self.recipe.epochs

    @property
    def batch_rows(self) -> int:
        """Rows an update."""
        return self.recipe.batch_rows

    @property
    def count(self) -> int:
        """Training rows, as far as they are known."""
        return self.train.rows or self.rows.rows

    @property
    def updates(self) -> int:
        """Updates of the training as given."""
        return max(1, -(-self.count // self.batch_rows)) * self.epochs

    def given(self, name: str) -> Any:
        """Give an option as it was given; its default where it was left out."""
        return self.options.get(name, getattr(FitOptions, name, None))

    def had(self, setting: str) -> Any:
        """Give what a setting of `Change.settings` came to in the training as given."""
        settled = {
            "lr": self.rates.lr,
            "batch_size": self.batch_rows,
            "optimizer.weight_decay": self.rates.weight_decay,
            "optimizer.maximize": self.rates.maximize,
        }
        return settled[setting] if setting in settled else self.given(setting)

    @property
    def target(self) -> Mapping[str, Any]:
        """Facts about the target; see `wellfit.training.survey`."""
        return self.facts["target"]  # type: ignore[no-any-return]


def _rates(recipe: Recipe, module: nn.Module) -> Rates:
    named = [(name, weight) for name, weight in module.named_parameters() if weight.requires_grad]
    if not named:
        named = list(module.named_parameters())
    optimizer = recipe.optimizer(named)
    group = optimizer.param_groups[0]
    return Rates(
        lr=float(group.get("lr", 0.0)),
        weight_decay=float(group.get("weight_decay", 0.0) or 0.0),
        maximize=bool(group.get("maximize", False)),
    )
