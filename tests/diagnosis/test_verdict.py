"""The verdict on modules that are known to fit well, too closely, too loosely or not at all; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from given import Given, noise
from wellfit.data.batches import as_batches
from wellfit.diagnosis.fit_evidence import Figure
from wellfit.diagnosis.verdict import Verdict, judge
from wellfit.history import History
from wellfit.training.appraisal import appraise
from wellfit.training.options import FitOptions, settle

ROWS, HELD = 400, 300


def signal(x: Tensor) -> Tensor:
    return x[:, :1] - x[:, 1:2].square() / 2 + 0.5


def numbers(spread: float, rows: int, seed: int) -> tuple[Tensor, Tensor]:
    x = noise(rows, 5, seed=seed)
    return x, signal(x) + spread * noise(rows, 1, seed=seed + 50)


def remembering(x: Tensor, y: Tensor, *, otherwise: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Give the target of rows that were trained on, and something else of others."""

    def function(given: Tensor) -> Tensor:
        distance, nearest = torch.cdist(given, x).min(1)
        return torch.where(distance[:, None] < 1e-3, y[nearest], otherwise(given))

    return function


def judged(
    function: Callable[[Tensor], Tensor],
    rows: tuple[Tensor, Tensor],
    held: tuple[Tensor, Tensor] | None,
    loss: Any = functional.mse_loss,
    **curves: list[float],
) -> Verdict | None:
    module = Given(function)
    recipe = settle(module, as_batches(rows), FitOptions(loss=loss, threads=1), has_valid=False).recipe
    batches = None if held is None else as_batches(held)
    history = curved(**curves)
    history.meta["appraisal"] = appraise(module, as_batches(rows), batches, recipe)
    return judge(history)


def curved(**curves: list[float]) -> History:
    history = History()
    for name, values in curves.items():
        for epoch, value in enumerate(values, 1):
            history.add(step=10 * epoch, epoch=epoch, name=name, value=value)
    return history


@pytest.mark.parametrize("spread", [0.05, 0.5, 1.5])
def test_the_best_there_is_fits_well_however_noisy_the_task(spread: float) -> None:
    verdict = judged(signal, numbers(spread, ROWS, 0), numbers(spread, HELD, 1))
    assert verdict is not None
    assert verdict.verdict == "good_fit"
    assert verdict.valid["r2"].low < verdict.valid["r2"].value < verdict.valid["r2"].high
    assert "constant" in verdict.baselines


def test_a_constant_does_not_learn() -> None:
    verdict = judged(lambda x: torch.full((len(x), 1), 0.02), numbers(0.5, ROWS, 0), numbers(0.5, HELD, 1))
    assert verdict is not None
    assert verdict.verdict == "not_learning"
    assert "constant guess" in verdict.reasons[0]


def test_outputs_that_are_not_finite_do_not_learn() -> None:
    verdict = judged(lambda x: torch.full((len(x), 1), torch.nan), numbers(0.5, ROWS, 0), numbers(0.5, HELD, 1))
    assert verdict is not None
    assert verdict.verdict == "not_learning"


def test_a_fraction_of_the_signal_underfits() -> None:
    verdict = judged(lambda x: 0.4 * signal(x), numbers(0.5, ROWS, 0), numbers(0.5, HELD, 1))
    assert verdict is not None
    assert verdict.verdict == "underfitting"
    assert "kernel" in " ".join(verdict.reasons) or "linear" in " ".join(verdict.reasons)


def test_a_tenth_of_it_is_next_to_nothing() -> None:
    verdict = judged(lambda x: 0.02 * signal(x), numbers(0.3, ROWS, 0), numbers(0.3, HELD, 1))
    assert verdict is not None
    assert verdict.verdict == "not_learning"


def test_rows_learnt_by_heart_overfit() -> None:
    rows = numbers(1.0, ROWS, 0)
    function = remembering(*rows, otherwise=lambda x: signal(x) + noise(len(x), 1, seed=7))
    verdict = judged(function, rows, numbers(1.0, HELD, 1))
    assert verdict is not None
    assert verdict.verdict == "overfitting"
    assert verdict.gap["r2"].low > 0.2


def test_rows_learnt_by_heart_at_no_price_fit_well() -> None:
    rows = numbers(0.5, ROWS, 0)
    verdict = judged(remembering(*rows, otherwise=signal), rows, numbers(0.5, HELD, 1))
    assert verdict is not None
    assert verdict.verdict == "good_fit"


def fell_and_rose(low: float, end: float) -> list[float]:
    down = np.linspace(2.0, low, 10)
    return [*down.tolist(), *np.linspace(low, end, 20).tolist()]


@pytest.mark.parametrize(("end", "verdict"), [(1.2, "overfitting"), (0.33, "good_fit")])
def test_a_loss_that_rose_again_overfits_if_it_rose_by_much(end: float, verdict: str) -> None:
    rows = numbers(0.5, ROWS, 0)
    function = remembering(*rows, otherwise=signal)
    curves = {"valid_loss": fell_and_rose(0.25, end), "train_loss": np.linspace(2, 0, 30).tolist()}
    found = judged(function, rows, numbers(0.5, HELD, 1), **curves)
    assert found is not None
    assert found.verdict == verdict
    assert found.best_epoch == 10
    if verdict == "overfitting":
        assert "rose to" in found.reasons[0]


def test_a_loss_that_rose_again_is_no_matter_where_the_best_epoch_was_kept() -> None:
    rows, held = numbers(0.5, ROWS, 0), numbers(0.5, HELD, 1)
    module = Given(remembering(*rows, otherwise=signal))
    recipe = settle(module, as_batches(rows), FitOptions(loss=functional.mse_loss, threads=1), has_valid=False).recipe
    history = curved(valid_loss=fell_and_rose(0.25, 1.2), train_loss=np.linspace(2, 0, 30).tolist())
    history.meta |= {"best_epoch": 10, "appraisal": appraise(module, as_batches(rows), as_batches(held), recipe)}
    verdict = judge(history)
    assert verdict is not None
    assert verdict.verdict == "good_fit"


def test_curves_alone_tell_of_overfitting_and_of_nothing_else() -> None:
    falling = np.linspace(2, 0, 30).tolist()
    assert judge(curved(train_loss=falling)) is None
    assert judge(curved(train_loss=falling, valid_loss=falling)) is None
    verdict = judge(curved(train_loss=falling, valid_loss=fell_and_rose(0.25, 1.2)))
    assert verdict is not None
    assert verdict.verdict == "overfitting"
    jumping = [1.0 + 0.8 * (epoch % 2) for epoch in range(30)]
    assert judge(curved(train_loss=falling, valid_loss=jumping)) is None
    assert judge(curved(train_loss=falling, valid_loss=[*falling[:-1], float("nan")])) is None


def test_a_loss_still_falling_is_a_reason_beside_underfitting() -> None:
    curves = {"train_loss": np.linspace(2, 1, 30).tolist(), "valid_loss": np.linspace(2, 1, 30).tolist()}
    found = judged(lambda x: 0.4 * signal(x), numbers(0.5, ROWS, 0), numbers(0.5, HELD, 1), **curves)
    assert found is not None
    assert "still falling" in found.reasons[-1]


def test_without_validation_rows_a_lack_of_fit_is_told_and_a_good_fit_is_not() -> None:
    rows = numbers(0.5, ROWS, 0)
    assert judged(signal, rows, None) is None
    under = judged(lambda x: 0.4 * signal(x), rows, None)
    assert under is not None
    assert under.verdict == "underfitting"
    blind = judged(lambda x: torch.zeros(len(x), 1), rows, None)
    assert blind is not None
    assert blind.verdict == "not_learning"


def test_a_loss_above_a_constants_throughout_is_no_good_fit() -> None:
    """Where the validation loss never came below a constant guess's, there is no progress to lose a share of."""
    rows = numbers(1.0, 150, 0)
    function = remembering(*rows, otherwise=lambda x: signal(x) + 0.9 * noise(len(x), 1, seed=7))
    curves = {"valid_loss": np.linspace(5, 9, 30).tolist(), "train_loss": np.linspace(2, 0, 30).tolist()}
    verdict = judged(function, rows, numbers(1.0, 60, 1), **curves)
    assert verdict is not None
    assert verdict.verdict == "overfitting"
    assert "throughout" in verdict.reasons[0]


def test_what_is_mostly_lost_on_other_rows_was_learnt_by_heart() -> None:
    """No baseline is ahead for sure on so few rows, and next to all that was learnt is of the training rows."""
    rows = numbers(2.0, 150, 0)
    verdict = judged(remembering(*rows, otherwise=lambda x: 0.7 * signal(x)), rows, numbers(2.0, 150, 1))
    assert verdict is not None
    assert verdict.verdict == "overfitting"
    assert "single rows" in verdict.reasons[0]


def with_leads(figure: tuple[float, float, float], of_train: tuple[float, float, float]) -> History:
    """Give a network of R2 0.06 on both parts, and the leads of a kernel model."""
    own, nothing = [0.06, 0.02, 0.1], [0.0, 0.0, 0.0]
    part = {"figures": {"r2": own}}
    constant = {"figures": {"r2": nothing}, "lead": {"r2": [-0.06, -0.1, -0.02]}}

    def ahead(lead: tuple[float, float, float]) -> dict[str, Any]:
        return {"figures": {"r2": [0.06 + value for value in lead]}, "lead": {"r2": list(lead)}}

    appraisal = {
        "task": "regression",
        "main": "r2",
        "train": part,
        "valid": part,
        "gap": {"r2": [0.0, -0.05, 0.05]},
        "constant": {"train": constant, "valid": constant},
        "reference": {**ahead(figure), "train": ahead(of_train)},
    }
    return History({"appraisal": appraisal})


def test_a_lead_that_is_sure_on_training_rows_and_likely_on_others_is_underfitting() -> None:
    sure, likely, unsure = (0.77, 0.73, 0.81), (0.58, -0.03, 0.81), (0.58, -1.0, 0.9)
    verdicts = [
        judge(with_leads(lead, of_train)) for lead, of_train in ((likely, sure), (unsure, sure), (likely, likely))
    ]
    assert [verdict and verdict.verdict for verdict in verdicts] == ["underfitting", "good_fit", "good_fit"]
    for verdict in verdicts[1:]:
        assert verdict is not None
        assert "these rows can't tell" in verdict.reasons[-1]


def test_right_answers_of_worse_odds_than_none_are_no_good_fit() -> None:
    rows, held = classes(ROWS, 0), classes(HELD, 1)
    everywhere = judged(logits(400.0), rows, held, functional.cross_entropy)
    assert everywhere is not None
    assert everywhere.verdict == "underfitting"
    assert "odds are worse than none" in everywhere.reasons[0]


def test_other_figures_than_the_runs_are_told_apart() -> None:
    history = with_leads((-0.1, -0.2, -0.05), (-0.1, -0.2, -0.05))
    history.meta |= {"threshold": 0.31, "best_epoch": 2}
    history.meta["appraisal"]["task"] = "classification"
    for epoch, loss in enumerate([3.0, 2.0, 1.0], 1):
        history.add(step=epoch, epoch=epoch, name="valid_loss", value=loss)
    verdict = judge(history)
    assert verdict is not None
    assert "0.31" in verdict.reasons[-2]
    assert "Epoch 2 is kept" in verdict.reasons[-1]
    assert "epoch 3" in verdict.reasons[-1]


def classes(rows: int, seed: int) -> tuple[Tensor, Tensor]:
    x = noise(rows, 4, seed=seed)
    return x, ((x[:, 0] + x[:, 1].square() - 1 + 0.3 * noise(rows, seed=seed + 20)) > 0).long()


def logits(scale: float) -> Callable[[Tensor], Tensor]:
    def function(x: Tensor) -> Tensor:
        odds = scale * (x[:, 0] + x[:, 1].square() - 1)
        return torch.stack([-odds, odds], 1)

    return function


def test_classes_are_judged_by_accuracy() -> None:
    rows, held = classes(ROWS, 0), classes(HELD, 1)
    good = judged(logits(2.0), rows, held, functional.cross_entropy)
    assert good is not None
    assert (good.verdict, good.main) == ("good_fit", "accuracy")
    blind = judged(lambda x: torch.zeros(len(x), 2) + torch.tensor([0.1, 0.0]), rows, held, functional.cross_entropy)
    assert blind is not None
    assert blind.verdict == "not_learning"
    linear = judged(lambda x: torch.stack([0 * x[:, 0], x[:, 0]], 1), rows, held, functional.cross_entropy)
    assert linear is not None
    assert linear.verdict == "underfitting"


def test_odds_without_another_guess_are_learnt_all_the_same() -> None:
    """Of a rare class that is never guessed, the odds may be right: that is no lack of learning."""
    x = noise(2000, 3)
    ids = (torch.rand(2000, generator=torch.Generator().manual_seed(0)) < 0.25 * torch.sigmoid(2 * x[:, 0])).long()

    def odds(x: Tensor) -> Tensor:
        p = (0.25 * torch.sigmoid(2 * x[:, 0])).reshape(-1, 1)
        return torch.log(torch.cat([1 - p, p], 1))

    verdict = judged(odds, (x[:1200], ids[:1200]), (x[1200:], ids[1200:]), functional.cross_entropy)
    assert verdict is not None
    assert verdict.verdict == "good_fit"


def test_a_verdict_is_the_same_after_a_history_was_saved(tmp_path: Path) -> None:
    rows, held = numbers(0.5, ROWS, 0), numbers(0.5, HELD, 1)
    module = Given(lambda x: 0.4 * signal(x))
    recipe = settle(module, as_batches(rows), FitOptions(loss=functional.mse_loss, threads=1), has_valid=False).recipe
    history = curved(train_loss=[2.0, 1.5, 1.4])
    history.meta["appraisal"] = appraise(module, as_batches(rows), as_batches(held), recipe)
    history.write(tmp_path / "history.parquet")
    verdict = judge(history)
    assert verdict is not None
    assert judge(History.read(tmp_path / "history.parquet")) == verdict
    assert Verdict.from_dict(verdict.as_dict()) == verdict


def test_a_figure_that_is_not_finite_is_none() -> None:
    assert Figure.of([None, None, None]) is None
    assert Figure.of(None) is None
    assert str(Figure(0.5, 0.25, 0.75)) == "0.5 (0.25 to 0.75)"
