"""The `train` section: the loss, the optimizer, how long, how fast, how regular."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from wellfit.config.augment import Augmentations
from wellfit.config.durations import Duration, Spacing
from wellfit.config.families import ClassWeights, FamilyName, Member
from wellfit.config.rules import Either, Flag, Number, OneOf, Pattern, Whole
from wellfit.config.sections import SEED, Section

__all__ = ["EarlyStopping", "Train"]


class EarlyStopping(Section):
    """When training stops for want of progress on the validation rows."""

    patience: Annotated[int, Whole(1, example=10)] = 10
    """Epochs without progress until training stops, 1 or more."""
    min_delta: Annotated[float, Number(0, example=0.001)] = 0.0
    """What counts as progress, in the metric's unit, 0 or more."""
    restore_best: Annotated[bool, Flag()] = True
    """Whether the weights of the best epoch are kept, not those of the last."""


class Train(Section):
    """How the network is trained."""

    loss: Annotated[Any, Member("losses", words=("auto",))] = "auto"
    """What is made small: a name or a name with options; auto fits it to the task."""
    optimizer: Annotated[Any, Member("optimizers", default="nadam", auto=("lr",))] = Field(default="nadam")
    """What makes it small: a name, or a name with options such as ``lr``, the learning rate."""
    batch_size: Annotated[
        Literal["auto"] | int, Either("auto", rule=Whole(1, 2**31 - 1, example=256), null_is="auto")
    ] = "auto"
    """Rows an update sees, 1 or more."""
    epochs: Annotated[int, Whole(1, 10**9, example=100)] = 100
    """Passes over the training rows at the most, 1 or more."""
    steps: Annotated[int | None, Either(null=True, rule=Whole(0, 2**53, example=1000))] = None
    """Updates after which training stops; what a run that time ended saves, so that its replay trains those."""
    epoch_steps: Annotated[int | None, Either(null=True, rule=Whole(1, 2**53, example=1000))] = None
    """Updates of an epoch at the most, after which the next one shuffles all rows anew; null: all rows, once."""
    schedule: Annotated[Any, Member("schedules", null=True)] = Field(default="cosine")
    """How the learning rate goes over the updates; null: it stays."""
    l1: Annotated[float, Number(0, example=0.0001)] = 0.0
    """Weight of sum |W| in the loss, over weights that are no biases or norms, 0 or more."""
    l2: Annotated[float, Number(0, example=0.0001)] = 0.0
    """Weight of sum W^2 in the loss, over weights that are no biases or norms, 0 or more."""
    weight_decay: Annotated[float, Number(0, example=0.01)] = 0.0
    """Decoupled decay: each update takes lr x this share off the weights, 0 or more."""
    clip_norm: Annotated[float | None, Either(null=True, rule=Number(0, low_open=True, example=1.0))] = 1.0
    """The norm that the gradient is held to, above 0; null: none."""
    clip_value: Annotated[float | None, Either(null=True, rule=Number(0, low_open=True, example=0.5))] = None
    """The size that each entry of the gradient is held to, above 0; null: none."""
    early_stopping: EarlyStopping | None = EarlyStopping()
    """When to stop for want of progress; null: never."""
    metric: Annotated[str, FamilyName("metrics")] = "auto"
    """What tells the best epoch on the validation rows; auto is the loss."""
    threshold: Annotated[
        Literal["auto"] | float | None,
        Either("auto", null=True, rule=Number(0, 1, low_open=True, high_open=True, example=0.3)),
    ] = "auto"
    """Of two classes, the probability of the second from which on it is predicted, in (0, 1); null: the likelier
    class; auto is null, and where the metric is f1 what is best on rows that were not learned."""
    class_weight: Annotated[str | Mapping[str, float], ClassWeights()] = "auto"
    """How much a row of each class counts: auto, none, balanced, or weights above 0 by label."""
    precision: Annotated[Literal["auto", "float32", "bfloat16"], OneOf("auto", "float32", "bfloat16")] = "auto"
    """The numbers that layers compute in; weights stay float32."""
    compile: Annotated[Literal["auto"] | bool, Either("auto", rule=Flag())] = "auto"
    """Whether the network is compiled; auto where that repays its cost."""
    accumulate: Annotated[int, Whole(1, 2**31 - 1, example=1)] = 1
    """Batches whose gradients make up one update, 1 or more."""
    ema: Annotated[float | None, Either(null=True, rule=Number(0, 1, low_open=True, high_open=True, example=0.999))] = (
        None
    )
    """Decay, for each update, of the moving average of weights that is evaluated and kept, in (0, 1); null: none."""
    augment: Annotated[Any, Augmentations()] = "auto"
    """What is done to training rows anew in each epoch: ``{noise: 0.1}``, of images ``{flip: true, cutout: 8}`` too."""
    device: Annotated[
        str,
        Pattern(
            r"auto|cpu|mps|cuda(:[0-9]{1,3})?",
            "auto, cpu, cuda, cuda:N or mps",
            remarks={"gpu": "Did you mean 'cuda'?", "metal": "Did you mean 'mps'?"},
        ),
    ] = "auto"
    """Where it is computed."""
    threads: Annotated[Literal["auto"] | int, Either("auto", rule=Whole(1, 4096, example=2))] = "auto"
    """Threads of the processor that compute; they belong to what decides the bits of a result."""
    workers: Annotated[int, Whole(0, 4096, example=0)] = 0
    """Processes that read rows ahead, 0 or more; they change no result."""
    checkpoint_every: Annotated[int | str | None, Either("auto", null=True, rule=Spacing())] = "auto"
    """Updates between two checkpoints, or a time such as 30s, which changes no result; null: none is written."""
    seed: Annotated[int, SEED] = 0
    """Seed of first weights, order, dropout and noise, in [0, 2^32 - 1]."""
    time: Annotated[float | None, Either(null=True, rule=Duration())] = None
    """The longest a run may take, in seconds or as 90s, 2m, 1h30m; null: no limit."""
    doctor: Annotated[
        Literal["off", "watch", "treat"],
        OneOf("off", "watch", "treat"),
    ] = "watch"
    """Whether training is watched for what goes wrong; treat: what is found is treated, and the cure is trained."""
