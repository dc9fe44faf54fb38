"""What every loss promises: targets checked once, shapes never broadcast, settings checked, entries complete."""

import pytest
import torch

from wellfit.errors import ConfigError, DataError
from wellfit.losses import LOSSES, Loss, default_loss

nan = float("nan")


def make(name, **options):
    choice = LOSSES.choose({"name": name, **options})
    return choice.entry.make(**choice.options)


def test_the_family_is_complete():
    assert set(LOSSES) == {"mse", "mae", "huber", "bce", "cce", "focal", "quantile"}


@pytest.mark.parametrize("entry", LOSSES.values(), ids=list(LOSSES))
def test_an_entry_says_all_there_is_to_know(entry):
    assert entry.summary
    assert entry.formula
    assert entry.reference
    assert entry.tasks <= {"binary", "multiclass", "regression"}
    assert entry.per_class <= entry.tasks
    loss = entry.make(**entry.resolve({}))
    assert isinstance(loss, Loss)
    assert loss.name == entry.name
    assert list(loss.parameters()) == []
    assert loss.state_dict() == {}
    for option in entry.options:
        assert option.check(option.default, entry.name) == option.default


@pytest.mark.parametrize("entry", LOSSES.values(), ids=list(LOSSES))
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_prepare_outputs_and_activate_fit_together(entry, task):
    n_classes = {"binary": 2, "multiclass": 4, "regression": 0}[task]
    if task not in entry.tasks:
        with pytest.raises(ConfigError, match=f"{entry.name} is a loss for"):
            entry.outputs(task, n_classes)
        return
    columns = entry.outputs(task, n_classes)
    loss = entry.make()
    raw = torch.arange(12) % max(n_classes, 3) if task != "binary" else torch.arange(12) % 2
    output = torch.randn(12, columns)
    for given in (raw, raw.double(), raw[:, None], raw.to(torch.uint8)):
        target = loss.prepare(given, columns)
        assert target.shape == (12,)
        assert target.dtype == (torch.int64 if columns > 1 else torch.float32)
        assert torch.isfinite(loss(output, target))
    activated = loss.activate(output)
    if task == "regression":
        assert activated.shape == (12,)
    else:
        assert activated.shape == (12, n_classes)
        torch.testing.assert_close(activated.sum(1), torch.ones(12))


@pytest.mark.parametrize(
    ("name", "target", "columns", "words"),
    [
        ("mse", [1.0, nan, 2.0, nan], 1, "finite numbers; 2 of 4 rows break this, row 1 first. Got nan"),
        ("mse", [1.0, float("inf")], 1, "row 1 first. Got inf"),
        ("huber", [[1.0, 2.0]], 1, r"shape \(1,\)"),
        ("mae", [1.0, 2.0], 3, r"shape \(2, 3\)"),
        ("mse", [], 1, "at least one row"),
        ("bce", [0.0, 1.0, 2.0], 1, "1 of 3 rows break this, row 2 first. Got 2.0"),
        ("bce", [0.0, nan], 1, "row 1 first. Got nan"),
        ("bce", [[0.0, 1.0]], 1, r"shape \(1,\)"),
        ("cce", [0, 1, 3, -1], 3, "whole numbers from 0 to 2; 2 of 4 rows break this, row 2 first. Got 3"),
        ("cce", [0.0, 0.5], 3, "Got 0.5"),
        ("cce", [0.0, nan], 3, "Got nan"),
        ("cce", [0.0, float("inf")], 3, "Got inf"),
        ("cce", [[0.5, 0.5, 0.0], [0.5, 0.6, 0.0]], 3, "1 of 2 rows break this, row 1 first"),
        ("cce", [[1.5, -0.5, 0.0]], 3, "sum to 1"),
        ("cce", [[1.0, nan, 0.0]], 3, "sum to 1"),
        ("cce", [[0.5, 0.5]], 3, r"shape \(1, 3\)"),
        ("focal", [0, 2], 1, "from 0 to 1; 1 of 2 rows"),
        ("focal", [0, 5], 5, "from 0 to 4; 1 of 2 rows"),
    ],
)
def test_a_bad_target_is_one_clear_error(name, target, columns, words):
    with pytest.raises(DataError, match=words):
        make(name).prepare(torch.tensor(target), columns)


@pytest.mark.parametrize(
    ("name", "options", "columns", "words"),
    [
        ("bce", {}, 2, "one output column"),
        ("cce", {}, 1, "one output column a class"),
        ("cce", {"class_weight": [1.0, 2.0]}, 3, "each of the 3 classes"),
        ("bce", {"class_weight": [1.0]}, 1, "each of the 2 classes"),
        ("focal", {"alpha": 0.5}, 3, "'alpha' of focal"),
    ],
)
def test_settings_that_do_not_fit_the_network_are_refused(name, options, columns, words):
    with pytest.raises(ConfigError, match=words):
        make(name, **options).prepare(torch.tensor([0, 1, 0]), columns)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("bce", {"label_smoothing": 1.0}, r"\[0, 1\)"),
        ("huber", {"delta": 0.0}, r"\(0, inf\)"),
        ("quantile", {"q": 1.0}, r"\(0, 1\)"),
        ("cce", {"class_weight": [1.0, 0.0]}, "class_weight"),
        ("focal", {"gama": 1.0}, "Did you mean 'gamma'"),
        ("mse", {"delta": 1.0}, "mse has no option"),
    ],
)
def test_settings_out_of_range_are_refused(name, options, words):
    with pytest.raises(ConfigError, match=words):
        make(name, **options)


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "quantile", "bce", "focal"])
def test_a_column_is_never_broadcast_against_rows(name):
    output, target = torch.rand(6, 1), (torch.rand(6) > 0.5).float()
    rows = make(name).per_row(output, target)
    assert rows.shape == (6,)
    torch.testing.assert_close(rows, make(name).per_row(output[:, 0], target))
    with pytest.raises(ConfigError, match="shape"):
        make(name)(output[:3], target)


def test_cce_refuses_an_output_of_another_shape():
    for output, target in [(torch.rand(6), torch.zeros(6).long()), (torch.rand(6, 3), torch.zeros(5).long())]:
        with pytest.raises(ConfigError, match=r"\(row, class\)"):
            make("cce")(output, target)
    with pytest.raises(ConfigError, match=r"\(row, class\)"):
        make("cce")(torch.rand(6, 3), torch.rand(6, 2))


def test_row_weights_of_another_shape_are_refused():
    with pytest.raises(ConfigError, match="Row weights"):
        make("mse")(torch.rand(6), torch.rand(6), torch.rand(6, 1))


def test_weights_that_are_all_zero_give_zero_and_no_gradient():
    output = torch.rand(4, requires_grad=True)
    loss = make("mse")(output, torch.zeros(4), torch.zeros(4))
    loss.backward()
    assert loss == 0
    assert torch.equal(output.grad, torch.zeros(4))


def test_small_probabilities_keep_their_digits():
    assert make("bce").activate(torch.tensor([40.0]))[0, 0] == pytest.approx(4.248e-18, rel=1e-3)


def test_default_losses_fit_their_tasks():
    for task in ("binary", "multiclass", "regression"):
        assert task in LOSSES[default_loss(task)].tasks
    with pytest.raises(ConfigError, match="Did you mean 'binary'"):
        default_loss("binry")
