"""The clinic's format, other cases: tasks, architectures and strengths that ``dev.jsonl`` does not have.

Each faulty case is its healthy twin with what is written here changed. ``accept`` here holds candidates:
verify.py keeps of them what the trainings show, finds the seeds on which a case is what it says, writes cases.jsonl.
"""

from __future__ import annotations

from typing import Any

Case = dict[str, Any]


def stack(*widths: int, act: Any = "relu", last: int = 1, end: tuple[Any, ...] = ()) -> list[Any]:
    """Give hidden layers of these widths, an activation after each, and an output layer."""
    hidden = [part for width in widths for part in (["linear", width], act)]
    return [*hidden, ["linear", last], *end]


def healthy(name: str, task: str, task_data: dict[str, Any], arch: list[Any], **settings: Any) -> Case:
    """Give a case that trains well; what is not said is what most of them have."""
    case = {
        "id": name,
        "origin": "own",
        "task": task,
        "task_data": task_data,
        "arch": arch,
        "init": "torch",
        "loss": "bce_logits",
        "optimizer": "adam",
        "lr": 0.003,
        "batch_size": 32,
        "epochs": 20,
        "extras": {},
        "truth": "healthy",
        "accept": [],
        "symptoms": [],
        "twin": None,
        "kind": "plain",
        "note": "",
    }
    return {**case, **settings}


def awkward(like: Case, name: str, note: str, **changed: Any) -> Case:
    """Give a healthy case that looks ill."""
    return {**like, "id": name, "kind": "awkward", "note": note, **changed}


def faulty(twin: Case, name: str, truth: str, note: str, accept: tuple[str, ...] = (), **changed: Any) -> Case:
    """Give the twin with a fault; ``accept`` are the codes that may be right beside the truth."""
    said = {"truth": truth, "accept": [truth, *accept], "twin": twin["id"], "kind": "fault", "note": note}
    return {**twin, "id": name, **said, **changed}


def rows(case: Case, **changed: Any) -> dict[str, Any]:
    """Give the case's data with something changed."""
    return {**case["task_data"], **changed}


COSINE = {"schedule": "cosine"}

MOONS = healthy(
    "moons-ok", "moons", {"name": "moons", "n": 1200, "noise": 0.2}, stack(32, 32), epochs=40, extras=COSINE
)
SPIRALS = healthy(
    "spirals-ok",
    "spirals",
    {"name": "spirals", "n": 2000, "turns": 1.0, "noise": 0.08},
    stack(48, 48, act="tanh"),
    lr=0.01,
    batch_size=64,
    epochs=60,
    extras=COSINE,
)
XOR = healthy(
    "xor-ok", "xor", {"name": "xor", "n": 1600, "dims": 4}, stack(40, 40, act="elu"), lr=0.005, epochs=40, extras=COSINE
)
WINE = healthy(
    "wine-ok",
    "wine",
    {"name": "wine", "scale": "standard", "split": [0.2, 0.3]},
    stack(24, last=3),
    loss="cross_entropy",
    lr=0.01,
    batch_size=16,
    epochs=25,
)
CANCER = healthy(
    "cancer-ok", "cancer", {"name": "breast_cancer", "scale": "standard"}, stack(24, act="silu"), lr=0.003, epochs=12
)
FRIEDMAN2 = healthy(
    "friedman2-ok",
    "friedman2",
    {"name": "friedman2", "n": 1500, "noise": 20.0, "scale": "standard"},
    stack(48, 48),
    loss="mse",
    batch_size=32,
    epochs=30,
    extras=COSINE,
)
SINE = healthy(
    "sine-ok",
    "sine",
    {"name": "sine", "n": 800, "noise": 0.1, "scale": "standard"},
    stack(48, 48, act="tanh"),
    loss="mse",
    lr=0.01,
    epochs=120,
    extras=COSINE,
)
BLOBS = healthy(
    "blobs20-ok",
    "blobs20",
    {"name": "blobs", "n": 3000, "options": {"centers": 20, "n_features": 6, "cluster_std": 2.0}, "scale": "standard"},
    stack(64, last=20, act="gelu"),
    loss="cross_entropy",
    lr=0.005,
    batch_size=64,
    epochs=20,
)
CLASSES = healthy(
    "classes5-ok",
    "classes5",
    {
        "name": "classification",
        "n": 2500,
        "options": {"n_features": 16, "n_informative": 8, "n_classes": 5, "n_clusters_per_class": 1, "class_sep": 1.5},
        "data_seed": 7,
    },
    stack(64, 32, last=5),
    loss="cross_entropy",
    lr=0.003,
    batch_size=64,
    epochs=15,
    extras={"weight_decay": 0.001},
)
REGRESSION = healthy(
    "regr15-ok",
    "regr15",
    {"name": "regression", "n": 1200, "noise": 10.0, "options": {"n_features": 15, "n_informative": 8}, "data_seed": 3},
    stack(32, act="silu"),
    loss="mse",
    lr=0.01,
    batch_size=32,
    epochs=25,
    extras=COSINE,
)
SUM = healthy(
    "sum20-ok",
    "sum20",
    {"name": "sum", "n": 1600, "steps": 20},
    [["rnn", 16], ["linear", 1]],
    lr=0.01,
    epochs=15,
    extras=COSINE,
)
FIRST = healthy(
    "first30-ok",
    "first30",
    {"name": "first", "n": 1500, "steps": 30},
    [["rnn", 24, {"nonlinearity": "relu"}], ["linear", 1]],
    init={"recurrent": "identity:1.0"},
    lr=0.002,
    batch_size=32,
    epochs=10,
    extras={"clip_norm": 1.0},
)
IMAGES = healthy(
    "digits-conv-ok",
    "digits-images",
    {"name": "digits", "scale": "0.0625", "shape": [1, 8, 8]},
    [["conv", 12, 3], ["bn"], "relu", ["maxpool", 2], ["conv", 24, 3], ["bn"], "relu", ["flatten"], ["linear", 10]],
    loss="cross_entropy",
    lr=0.003,
    batch_size=64,
    epochs=10,
)
NOISY = healthy(
    "noisy8-ok",
    "noisy8",
    {"name": "noisy_line", "n": 1200, "noise": 1.0, "dims": 8},
    stack(16),
    loss="mse",
    lr=0.003,
    epochs=10,
    extras={"schedule": "cosine", "weight_decay": 0.001},
    kind="awkward",
    note="half of the target is noise",
)
RARE = healthy(
    "raremoons-ok",
    "raremoons",
    {"name": "moons", "n": 5000, "noise": 0.3, "keep_share": {"1": 0.04}, "oversample": True},
    stack(32, 32),
    lr=0.003,
    batch_size=64,
    epochs=6,
    metric="balanced_accuracy",
    kind="awkward",
    note="rare class repeated",
)
RARE3 = healthy(
    "rareclass-ok",
    "rareclass",
    {
        "name": "classification",
        "n": 6000,
        "options": {"n_features": 10, "n_informative": 6, "n_classes": 3, "n_clusters_per_class": 1},
        "data_seed": 11,
        "keep_share": {"2": 0.03},
        "oversample": True,
    },
    stack(32, last=3),
    loss="cross_entropy",
    batch_size=64,
    epochs=6,
    metric="balanced_accuracy",
    kind="awkward",
    note="rare class repeated",
)

HEALTHY = [
    *(MOONS, SPIRALS, XOR, WINE, CANCER, FRIEDMAN2, SINE, BLOBS, CLASSES, REGRESSION),
    *(SUM, FIRST, IMAGES, NOISY, RARE, RARE3),
    awkward(MOONS, "moons-long", "trained four times as long", epochs=160, extras={**COSINE, "weight_decay": 0.001}),
    awkward(MOONS, "moons-sgd05", "SGD at 0.5", optimizer="sgd", lr=0.5),
    awkward(
        MOONS,
        "moons-deeptanh",
        "14 layers of tanh that train",
        arch=stack(*[20] * 14, act="tanh"),
        lr=0.002,
        epochs=60,
        init="glorot_uniform",
    ),
    awkward(MOONS, "moons-x4", "inputs to 4 and beyond", task_data=rows(MOONS, scale="3"), task="moons-x4"),
    awkward(
        SPIRALS,
        "spirals-res",
        "residual blocks",
        lr=0.003,
        arch=[
            ["linear", 32],
            ["repeat", 12, [["residual", [["ln"], ["linear", 32], "relu", ["linear", 32]]]]],
            ["ln"],
            ["linear", 1],
        ],
    ),
    awkward(
        SPIRALS,
        "spirals-warm",
        "warm-up and momentum",
        optimizer={"name": "sgd", "momentum": 0.9},
        lr=0.1,
        extras={"schedule": "warmup_cosine"},
    ),
    awkward(
        XOR,
        "xor-noisy",
        "a tenth of the labels flipped",
        task="xor-noisy",
        task_data=rows(XOR, noise=0.1, n=3000),
        epochs=20,
        extras={"schedule": "cosine", "weight_decay": 0.001},
    ),
    awkward(WINE, "wine-linear", "no hidden layer, and none is needed", arch=[["linear", 3]], lr=0.02, epochs=40),
    awkward(WINE, "wine-small", "seventy rows", task="wine-small", task_data=rows(WINE, train_rows=70), epochs=20),
    awkward(CANCER, "cancer-minmax", "inputs in 0..1", task_data=rows(CANCER, scale="minmax"), lr=0.01, epochs=25),
    awkward(CANCER, "cancer-adagrad", "Adagrad", optimizer="adagrad", lr=0.05),
    awkward(FRIEDMAN2, "friedman2-mae", "absolute error", loss="mae"),
    awkward(FRIEDMAN2, "friedman2-nadam", "NAdam, no schedule", optimizer="nadam", lr=0.002, extras={}),
    awkward(SINE, "sine-raw", "target as it is, within -1..1", task_data=rows(SINE, target_scale="none")),
    awkward(SINE, "sine-relu", "ReLU on a curve", arch=stack(96, 96), lr=0.005),
    awkward(
        BLOBS,
        "blobs20-softmax",
        "softmax and the loss of probabilities",
        arch=stack(64, last=20, act="gelu", end=("softmax",)),
        loss="categorical",
    ),
    awkward(BLOBS, "blobs20-sgd", "SGD at 0.3", optimizer="sgd", lr=0.3),
    awkward(BLOBS, "blobs20-smooth", "label smoothing", loss="label_smoothing"),
    awkward(
        CLASSES,
        "classes5-dropout",
        "dropout of a half",
        arch=[["linear", 128], "relu", ["dropout", 0.5], ["linear", 64], "relu", ["dropout", 0.3], ["linear", 5]],
        epochs=30,
        extras=COSINE,
    ),
    awkward(
        CLASSES,
        "classes5-sparse",
        "most ReLU outputs are zero",
        arch=stack(256, last=5),
        init={"weights": "he_uniform", "bias": "constant:-1"},
        lr=0.001,
        epochs=20,
    ),
    awkward(
        CLASSES,
        "classes5-rmsprop",
        "RMSprop, batches of eight",
        optimizer="rmsprop",
        lr=0.0005,
        batch_size=8,
        epochs=12,
    ),
    awkward(REGRESSION, "regr15-huber", "Huber loss, batches of four", loss="huber", batch_size=4, lr=0.002, epochs=15),
    awkward(
        REGRESSION,
        "regr15-zero-last",
        "an output layer that starts at zero",
        init={"weights": "he_uniform", "last": "zeros"},
    ),
    awkward(SUM, "sum20-gru", "GRU", arch=[["gru", 16], ["linear", 1]], epochs=12),
    awkward(
        SUM,
        "sum20-lstm",
        "LSTM, clipped",
        arch=[["lstm", 16], ["linear", 1]],
        epochs=15,
        extras={"schedule": "cosine", "clip_norm": 1.0},
    ),
    awkward(
        IMAGES,
        "digits-conv-plain",
        "no batch norm, momentum",
        arch=[["conv", 12, 3], "relu", ["maxpool", 2], ["conv", 24, 3], "relu", ["flatten"], ["linear", 10]],
        optimizer={"name": "sgd", "momentum": 0.9},
        lr=0.05,
        batch_size=32,
    ),
    awkward(IMAGES, "digits-conv-long", "converged long ago", epochs=40, extras=COSINE),
    awkward(
        NOISY,
        "noisy8-hard",
        "four fifths of the target are noise",
        task="noisy8-hard",
        task_data=rows(NOISY, noise=2.0, n=3000),
    ),
]

FAULTY = [
    # non_finite
    faulty(
        CANCER,
        "cancer-inf",
        "non_finite",
        "cells that are infinite",
        task_data=rows(CANCER, poison={"column": 3, "share": 0.02, "value": "inf"}),
    ),
    faulty(
        WINE,
        "wine-nan",
        "non_finite",
        "cells that are NaN",
        task_data=rows(WINE, poison={"column": 7, "share": 0.03, "value": "nan"}),
    ),
    faulty(
        FRIEDMAN2,
        "friedman2-log",
        "non_finite",
        "logarithm of a standardised target",
        ("loss_output_mismatch",),
        loss="log_mse",
    ),
    faulty(
        BLOBS,
        "blobs20-unguarded",
        "non_finite",
        "logarithm of a probability that reaches zero",
        ("learning_rate_too_high", "loss_output_mismatch"),
        arch=stack(64, last=20, act="gelu", end=("softmax",)),
        loss="categorical_unguarded",
        lr=0.3,
    ),
    # not_learning
    faulty(
        CLASSES,
        "classes5-frozen",
        "not_learning",
        "weights frozen",
        arch=stack(16, 16, act="sigmoid", last=5),
        extras={"freeze": "weights"},
    ),
    faulty(SPIRALS, "spirals-frozen", "not_learning", "weights frozen", extras={**COSINE, "freeze": "weights"}),
    faulty(SINE, "sine-frozen", "not_learning", "weights frozen", extras={**COSINE, "freeze": "weights"}),
    faulty(
        BLOBS,
        "blobs20-negative",
        "loss_output_mismatch",
        "the loss with the wrong sign",
        ("not_learning", "exploding_gradient"),
        loss="negative_cross_entropy",
    ),
    faulty(
        REGRESSION,
        "regr15-negative",
        "loss_output_mismatch",
        "the loss with the wrong sign",
        ("not_learning", "exploding_gradient"),
        loss="negative_mse",
    ),
    # exploding_gradient
    faulty(
        FIRST,
        "first30-explode",
        "exploding_gradient",
        "recurrent weights that grow",
        ("bad_initialization", "learning_rate_too_high"),
        init={"recurrent": "orthogonal:1.7"},
        optimizer="sgd",
        lr=0.02,
        extras={},
    ),
    faulty(
        SUM,
        "sum20-explode",
        "exploding_gradient",
        "recurrent weights that grow",
        ("bad_initialization", "learning_rate_too_high"),
        arch=[["rnn", 16, {"nonlinearity": "relu"}], ["linear", 1]],
        init={"recurrent": "orthogonal:2.2"},
        optimizer="sgd",
        lr=0.05,
    ),
    faulty(
        REGRESSION,
        "regr15-explode",
        "exploding_gradient",
        "ten layers of too large weights",
        ("bad_initialization", "learning_rate_too_high"),
        arch=stack(*[32] * 10),
        init="he_normal:1.8",
        optimizer="sgd",
        lr=0.01,
    ),
    faulty(
        CLASSES,
        "classes5-explode",
        "exploding_gradient",
        "twelve layers of too large weights",
        ("bad_initialization", "learning_rate_too_high"),
        arch=stack(*[32] * 12, last=5),
        init="he_normal:2.0",
        optimizer="sgd",
        lr=0.05,
    ),
    # dead_units
    faulty(
        MOONS,
        "moons-dead",
        "dead_units",
        "biases far below zero",
        ("bad_initialization",),
        init={"weights": "he_uniform", "bias": "constant:-4"},
    ),
    faulty(
        CLASSES,
        "classes5-dead",
        "dead_units",
        "biases far below zero",
        ("bad_initialization",),
        init={"weights": "he_uniform", "bias": "constant:-12"},
    ),
    faulty(
        FRIEDMAN2,
        "friedman2-dead",
        "dead_units",
        "biases far below zero",
        ("bad_initialization",),
        init={"weights": "he_uniform", "bias": "constant:-5"},
    ),
    faulty(
        IMAGES,
        "digits-conv-dead",
        "dead_units",
        "biases far below zero",
        ("bad_initialization",),
        arch=[["conv", 12, 3], "relu", ["maxpool", 2], ["conv", 24, 3], "relu", ["flatten"], ["linear", 10]],
        init={"weights": "he_uniform", "bias": "constant:-4"},
    ),
    # saturated_units
    faulty(
        SPIRALS,
        "spirals-saturated",
        "saturated_units",
        "large weights under tanh",
        ("bad_initialization",),
        arch=stack(48, 48, 48, act="tanh"),
        init="normal:10",
        lr=0.001,
    ),
    faulty(
        CLASSES,
        "classes5-saturated",
        "saturated_units",
        "large weights under sigmoid",
        ("bad_initialization",),
        arch=stack(48, 48, 48, act="sigmoid", last=5),
        init="normal:14",
        lr=0.001,
    ),
    faulty(
        SINE,
        "sine-saturated",
        "saturated_units",
        "large weights under tanh",
        ("bad_initialization",),
        arch=stack(40, 40, 40, act="tanh"),
        init="normal:12",
        lr=0.001,
    ),
    # batch_size_problem
    faulty(
        SPIRALS,
        "spirals-fullbatch",
        "batch_size_problem",
        "all rows in every batch",
        ("underfitting", "learning_rate_too_low"),
        batch_size=1100,
        lr=0.003,
    ),
    faulty(
        FRIEDMAN2,
        "friedman2-fullbatch",
        "batch_size_problem",
        "all rows in every batch",
        ("underfitting", "learning_rate_too_low"),
        batch_size=825,
        lr=0.001,
    ),
    faulty(
        XOR,
        "xor-bs1",
        "batch_size_problem",
        "one row a batch",
        ("learning_rate_too_high",),
        arch=stack(40, 40),
        batch_size=1,
        optimizer={"name": "sgd", "momentum": 0.9},
        lr=0.05,
        epochs=4,
        extras={},
    ),
    faulty(
        BLOBS,
        "blobs20-bs2",
        "batch_size_problem",
        "two rows a batch",
        ("learning_rate_too_high",),
        batch_size=2,
        lr=0.06,
        epochs=4,
    ),
    # vanishing_gradient
    faulty(
        BLOBS,
        "blobs20-vanish",
        "vanishing_gradient",
        "nine layers of sigmoid",
        (),
        arch=stack(*[32] * 9, act="sigmoid", last=20),
        init="glorot_uniform",
    ),
    faulty(
        FIRST,
        "first30-vanish",
        "vanishing_gradient",
        "recurrent weights that shrink",
        ("bad_initialization",),
        arch=[["rnn", 24], ["linear", 1]],
        init={"recurrent": "torch*0.4"},
        extras={},
    ),
    faulty(
        MOONS,
        "moons-vanish",
        "vanishing_gradient",
        "twelve layers of tiny weights",
        ("bad_initialization",),
        arch=stack(*[24] * 12, act="tanh"),
        init="normal:0.02",
    ),
    # the rate
    faulty(
        WINE,
        "wine-lrhigh",
        "learning_rate_too_high",
        "three hundred times too high",
        ("dead_units",),
        arch=stack(24, 24, last=3),
        lr=3.0,
    ),
    faulty(SINE, "sine-lrhigh", "learning_rate_too_high", "a hundred times too high", ("saturated_units",), lr=1.0),
    faulty(
        FRIEDMAN2,
        "friedman2-lrhigh",
        "learning_rate_too_high",
        "SGD at 1",
        ("exploding_gradient", "non_finite"),
        optimizer="sgd",
        lr=1.0,
        extras={},
    ),
    faulty(CANCER, "cancer-lrlow", "learning_rate_too_low", "a thousand times too low", ("underfitting",), lr=3e-6),
    faulty(
        CLASSES,
        "classes5-lrlow",
        "learning_rate_too_low",
        "SGD at 0.0003",
        ("underfitting",),
        optimizer="sgd",
        lr=0.0003,
    ),
    faulty(REGRESSION, "regr15-lrlow", "learning_rate_too_low", "a thousand times too low", ("underfitting",), lr=1e-5),
    # scales
    faulty(
        FRIEDMAN2,
        "friedman2-rawinputs",
        "unscaled_inputs",
        "inputs to 1,700",
        (),
        task_data=rows(FRIEDMAN2, scale="none"),
        extras={},
    ),
    faulty(
        WINE,
        "wine-rawinputs",
        "unscaled_inputs",
        "inputs to 1,700, SGD",
        ("exploding_gradient",),
        task_data=rows(WINE, scale="none"),
        optimizer="sgd",
        lr=0.01,
    ),
    faulty(
        CANCER,
        "cancer-rawinputs",
        "unscaled_inputs",
        "inputs to 4,000, SGD",
        ("exploding_gradient",),
        task_data=rows(CANCER, scale="none"),
        optimizer="sgd",
        lr=0.01,
    ),
    faulty(
        FRIEDMAN2,
        "friedman2-rawtarget",
        "unscaled_target",
        "target to 1,700",
        ("learning_rate_too_low", "underfitting"),
        task_data=rows(FRIEDMAN2, target_scale="none"),
        lr=0.001,
        extras={},
    ),
    faulty(
        SINE,
        "sine-rawtarget",
        "unscaled_target",
        "target times 3,000",
        ("underfitting",),
        task_data=rows(SINE, target_scale="3000"),
        lr=0.001,
    ),
    # loss and output
    faulty(
        CANCER,
        "cancer-softmax1",
        "loss_output_mismatch",
        "softmax over one unit",
        (),
        arch=stack(24, act="silu", end=("softmax",)),
        loss="bce",
    ),
    faulty(
        SINE,
        "sine-sigmoid-out",
        "loss_output_mismatch",
        "a sigmoid before a target that goes below zero",
        (),
        arch=stack(48, 48, act="tanh", end=("sigmoid",)),
    ),
    faulty(
        REGRESSION,
        "regr15-relu-out",
        "loss_output_mismatch",
        "a ReLU before a target that goes below zero",
        ("dead_units",),
        arch=stack(32, act="silu", end=("relu",)),
    ),
    faulty(
        FRIEDMAN2,
        "friedman2-broadcast",
        "loss_output_mismatch",
        "the target's shape broadcasts",
        (),
        loss="mse_broadcast",
    ),
    faulty(
        WINE,
        "wine-ids",
        "loss_output_mismatch",
        "class ids under a sigmoid",
        (),
        arch=stack(24, end=("sigmoid",)),
        loss="mse",
    ),
    faulty(
        BLOBS,
        "blobs20-onehot",
        "loss_output_mismatch",
        "squared error on twenty classes",
        ("learning_rate_too_low", "underfitting"),
        loss="mse_onehot",
        optimizer="sgd",
        lr=0.01,
    ),
    # data
    faulty(
        CLASSES,
        "classes5-shuffled",
        "shuffled_labels",
        "labels shuffled",
        (),
        task_data=rows(CLASSES, labels="shuffled"),
    ),
    faulty(
        CANCER,
        "cancer-shuffled",
        "shuffled_labels",
        "training labels shuffled",
        ("overfitting",),
        task_data=rows(CANCER, labels="shuffled_train"),
    ),
    faulty(
        REGRESSION,
        "regr15-sorted",
        "shuffled_labels",
        "target sorted apart from the inputs",
        ("overfitting",),
        task_data=rows(REGRESSION, labels="sorted"),
    ),
    faulty(
        RARE,
        "raremoons-ignored",
        "class_imbalance_ignored",
        "a rare class, not repeated",
        ("underfitting",),
        task_data={k: v for k, v in RARE["task_data"].items() if k != "oversample"},
    ),
    faulty(
        RARE3,
        "rareclass-ignored",
        "class_imbalance_ignored",
        "a rare class, not repeated",
        ("underfitting",),
        task_data={k: v for k, v in RARE3["task_data"].items() if k != "oversample"},
    ),
    # fit
    faulty(
        NOISY,
        "noisy8-overfit",
        "overfitting",
        "wide and long on noise",
        (),
        arch=stack(256, 256),
        lr=0.002,
        epochs=80,
        extras=COSINE,
    ),
    faulty(
        XOR,
        "xor-overfit",
        "overfitting",
        "a quarter of the labels flipped, few rows",
        (),
        task_data=rows(XOR, noise=0.25, train_rows=200),
        arch=stack(256, 256),
        lr=0.002,
        epochs=100,
    ),
    faulty(SPIRALS, "spirals-narrow", "underfitting", "three units", (), arch=stack(3, act="tanh")),
    faulty(
        CLASSES,
        "classes5-short",
        "underfitting",
        "trained for one epoch",
        ("learning_rate_too_low",),
        epochs=1,
        batch_size=128,
        lr=0.001,
    ),
    faulty(SINE, "sine-regularized", "underfitting", "weight decay of 0.3", (), extras={"weight_decay": 0.3, **COSINE}),
    # initialization and structure
    faulty(MOONS, "moons-zeros", "bad_initialization", "all weights zero", (), init="zeros"),
    faulty(CLASSES, "classes5-constant", "bad_initialization", "all weights alike", (), init="constant:0.05"),
    faulty(XOR, "xor-huge", "bad_initialization", "weights of 6", ("exploding_gradient",), init="normal:6"),
    faulty(
        SPIRALS,
        "spirals-linear",
        "missing_nonlinearity",
        "no activations",
        ("underfitting",),
        arch=[["linear", 48], ["linear", 48], ["linear", 1]],
    ),
    faulty(
        XOR,
        "xor-linear",
        "missing_nonlinearity",
        "no activations",
        ("underfitting", "not_learning"),
        arch=[["linear", 40], ["linear", 40], ["linear", 1]],
    ),
    faulty(
        SINE,
        "sine-linear",
        "missing_nonlinearity",
        "no activations",
        ("underfitting",),
        arch=[["linear", 48], ["linear", 48], ["linear", 1]],
    ),
]

CASES = [*HEALTHY, *FAULTY]
