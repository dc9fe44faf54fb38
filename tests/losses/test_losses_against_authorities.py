"""Every loss against torch.nn.functional, scikit-learn, Keras, a float64 formula and its numeric gradient."""

import os

import numpy as np
import pytest
import sklearn.metrics
import torch
from torch.nn import functional

from wellfit.losses import LOSSES

ROWS, CLASSES = 37, 5


def numbers(*shape, seed=0, scale=2.0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * scale


def ids(n_classes, rows=ROWS, seed=1):
    return torch.randint(0, n_classes, (rows,), generator=torch.Generator().manual_seed(seed))


def shares(seed=2):
    return numbers(ROWS, CLASSES, seed=seed).softmax(1)


def make(name, **options):
    choice = LOSSES.choose({"name": name, **options})
    return choice.entry.make(**choice.options)


def close(ours, theirs, tolerance=1e-12):
    torch.testing.assert_close(ours, torch.as_tensor(theirs, dtype=ours.dtype), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "options", "authority"),
    [
        ("mse", {}, functional.mse_loss),
        ("mae", {}, functional.l1_loss),
        ("huber", {"delta": 0.7}, lambda o, t: functional.huber_loss(o, t, delta=0.7)),
        ("huber", {}, functional.smooth_l1_loss),
        ("quantile", {"q": 0.5}, lambda o, t: functional.l1_loss(o, t) / 2),
    ],
)
@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 1), (ROWS, 3)])
def test_values_agree_with_torch(name, options, authority, shape):
    output, target = numbers(*shape), numbers(*shape, seed=5)
    close(make(name, **options)(output, target), authority(output, target))


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantile_agrees_with_sklearn(q):
    output, target, weight = numbers(ROWS), numbers(ROWS, seed=5), numbers(ROWS, seed=6).abs()
    expected = sklearn.metrics.mean_pinball_loss(target, output, sample_weight=weight, alpha=q)
    close(make("quantile", q=q)(output[:, None], target, weight), expected)


def test_the_q_quantile_makes_the_quantile_loss_smallest():
    target = numbers(1001, seed=3)
    guesses = torch.linspace(-4, 4, 801, dtype=torch.float64)
    loss = make("quantile", q=0.8)
    best = guesses[torch.stack([loss(g.expand(1001), target) for g in guesses]).argmin()]
    assert best == pytest.approx(float(target.quantile(0.8)), abs=0.02)


def test_bce_agrees_with_torch_and_sklearn():
    output, target = numbers(ROWS, 1), ids(2).double()
    close(make("bce")(output, target), functional.binary_cross_entropy_with_logits(output[:, 0], target))
    expected = sklearn.metrics.log_loss(target, y_proba=output[:, 0].sigmoid().numpy())
    close(make("bce")(output, target), expected)
    close(make("bce", from_probabilities=True)(output.sigmoid(), target), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cce_agrees_with_torch_for_ids_and_shares(smoothing):
    output = numbers(ROWS, CLASSES)
    loss = make("cce", label_smoothing=smoothing)
    other = make("cce", label_smoothing=smoothing, from_probabilities=True)
    for target in (ids(CLASSES), shares()):
        expected = functional.cross_entropy(output, target, label_smoothing=smoothing)
        close(loss(output, target), expected)
        close(other(output.softmax(1) * 3.0, target), expected)


def test_cce_of_one_hot_targets_is_cce_of_ids():
    output, target = numbers(ROWS, CLASSES), ids(CLASSES)
    one_hot = make("cce").prepare(functional.one_hot(target, CLASSES), CLASSES)
    close(make("cce")(output, one_hot), make("cce")(output, target))


def test_class_weights_agree_with_torch_and_sklearn():
    output, target = numbers(ROWS, CLASSES), ids(CLASSES)
    weights = [0.5, 1.0, 2.0, 4.0, 0.25]
    ours = make("cce", class_weight=weights)(output, target)
    close(ours, functional.cross_entropy(output, target, weight=torch.tensor(weights).double()))
    rows = np.array(weights)[target]
    expected = sklearn.metrics.log_loss(target, y_proba=output.softmax(1).numpy(), sample_weight=rows)
    close(ours, expected)


def test_class_weights_of_bce_weigh_rows():
    output, target = numbers(ROWS), ids(2).double()
    weight = numbers(ROWS, seed=9).abs()
    rows = torch.where(target == 1, 3.0, 0.5) * weight
    expected = sklearn.metrics.log_loss(target, y_proba=output.sigmoid().numpy(), sample_weight=rows)
    close(make("bce", class_weight=[0.5, 3.0])(output, target, weight), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_is_its_formula(gamma):
    output, target = numbers(ROWS, CLASSES), ids(CLASSES)
    own = output.softmax(1).gather(1, target[:, None])[:, 0]
    expected = -((1 - own) ** gamma) * own.log()
    close(make("focal", gamma=gamma).per_row(output, target), expected)
    close(make("focal", gamma=gamma, from_probabilities=True).per_row(output.softmax(1), target), expected)


def test_focal_without_gamma_is_cross_entropy():
    output, target = numbers(ROWS, 1), ids(2)
    close(make("focal", gamma=0.0)(output, target), make("bce")(output, target))


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", reason="Keras is a test dependency")


def test_agrees_with_keras(keras):
    output, target = numbers(ROWS, 1), ids(2)[:, None].double()
    probabilities, hot = numbers(ROWS, CLASSES).softmax(1), functional.one_hot(ids(CLASSES), CLASSES).double()
    losses = keras.losses
    pairs = [
        (make("huber", delta=0.7), losses.Huber(delta=0.7), output, target),
        (make("bce", label_smoothing=0.1), losses.BinaryCrossentropy(True, 0.1), output, target),
        (
            make("bce", from_probabilities=True),
            losses.BinaryCrossentropy(),
            output.sigmoid().round(decimals=1),
            target,
        ),
        (make("focal", alpha=0.25), losses.BinaryFocalCrossentropy(True, 0.25, from_logits=True), output, target),
        (make("cce", from_probabilities=True), losses.CategoricalCrossentropy(), probabilities, hot),
        (
            make("cce", from_probabilities=True, label_smoothing=0.2),
            losses.CategoricalCrossentropy(label_smoothing=0.2),
            probabilities,
            hot,
        ),
    ]
    for ours, theirs, given, wanted in pairs:
        close(ours(given.float(), wanted).float(), theirs(wanted, given).float(), 2e-6)
    focal = keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=2.0)(hot, probabilities)
    close(make("focal", from_probabilities=True)(probabilities, ids(CLASSES)).float(), focal.float(), 2e-6)


CASES = [
    *[(name, {}, 1, "values") for name in ("mse", "huber", "mae", "quantile")],
    ("bce", {"label_smoothing": 0.1, "class_weight": [1.0, 3.0]}, 1, "binary"),
    ("bce", {"from_probabilities": True}, 1, "binary"),
    ("cce", {"label_smoothing": 0.1, "class_weight": [1.0, 3.0, 2.0, 1.0, 0.5]}, CLASSES, "ids"),
    ("cce", {"class_weight": [1.0, 3.0, 2.0, 1.0, 0.5]}, CLASSES, "shares"),
    ("cce", {"from_probabilities": True, "label_smoothing": 0.1}, CLASSES, "ids"),
    ("focal", {"gamma": 0.5, "alpha": 0.3}, 1, "binary"),
    ("focal", {"gamma": 2.0}, CLASSES, "ids"),
    ("focal", {"gamma": 2.0, "from_probabilities": True}, CLASSES, "ids"),
]


def case(name, options, columns, kind):
    target = {"values": numbers(ROWS, seed=4), "binary": ids(2).double(), "ids": ids(CLASSES), "shares": shares()}[kind]
    output = numbers(ROWS, columns)
    if options.get("from_probabilities"):
        output = output.sigmoid() if columns == 1 else output.softmax(1)
    return make(name, **options), output, target


@pytest.mark.parametrize("spec", CASES, ids=lambda spec: f"{spec[0]}-{spec[3]}-{spec[1]}")
class TestEveryLoss:
    def test_gradient_is_the_numeric_one(self, spec):
        loss, output, target = case(*spec)
        output, target, weight = output[:7].clone(), target[:7], numbers(7, seed=8).abs()
        output.requires_grad_()
        assert torch.autograd.gradcheck(lambda o: loss(o, target), output)
        assert torch.autograd.gradcheck(lambda o: loss(o, target, weight), output)

    def test_mean_is_that_of_the_rows(self, spec):
        loss, output, target = case(*spec)
        rows = loss.per_row(output, target)
        assert rows.shape == (ROWS,)
        weight = numbers(ROWS, seed=8).abs()
        for given in (None, weight):
            own = loss.row_weights(target, given)
            own = torch.ones(ROWS) if own is None else own
            close(loss(output, target, given), (own * rows).sum() / own.sum())

    def test_totals_of_uneven_batches_give_the_mean_of_the_whole(self, spec):
        loss, output, target = case(*spec)
        weight = numbers(ROWS, seed=8).abs()
        for given in (None, weight):
            parts = [
                loss.total(output[rows], target[rows], None if given is None else given[rows])
                for rows in torch.arange(ROWS).split(16)
            ]
            whole = sum(total for total, _ in parts) / sum(count for _, count in parts)
            close(whole, loss(output, target, given))

    def test_float32_agrees_with_float64_far_from_zero(self, spec):
        loss, output, target = case(*spec)
        if not spec[1].get("from_probabilities"):
            output = output * 40
        close(loss(output.float(), target).double(), loss(output, target), 1e-5)
        half = loss(output.bfloat16(), target)
        assert half.dtype == torch.float32
        close(half.double(), loss(output.bfloat16().double(), target), 1e-5)

    def test_extreme_outputs_give_finite_gradients(self, spec):
        loss, output, target = case(*spec)
        columns = spec[2]
        output = torch.tensor([1.0, 0.0] * 20)[: ROWS * columns].repeat(columns)[: ROWS * columns]
        output = output.reshape(ROWS, columns) + (1e-30 if columns > 1 else 0)
        output = (output if spec[1].get("from_probabilities") else output * 1e5 - 5e4).requires_grad_()
        loss(output, target.float() if target.is_floating_point() else target).backward()
        assert torch.isfinite(output.grad).all()

    def test_compiles_without_a_graph_break(self, spec):
        loss, output, target = case(*spec)
        torch.compiler.reset()
        compiled = torch.compile(lambda o, t, w: (loss(o, t), loss(o, t, w)), backend="eager", fullgraph=True)
        plain, weighted = compiled(output, target, numbers(ROWS, seed=8).abs())
        close(plain, loss(output, target))
        close(weighted, loss(output, target, numbers(ROWS, seed=8).abs()))
