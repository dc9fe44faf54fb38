"""A ResNet-18 in plain torch and in Keras, trained as their tutorials do until a share of the test images is right.

Run by benchmarks/images.py: python benchmarks/image_rivals.py torch|keras DATA.npz GOAL CAP SEED
Prints {"seconds": training until the goal or null, "stopped_at": ..., "accuracy": ..., "epochs": ...}.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BATCH, LOOKS = 128, 4
EPOCHS = 30


class Race:
    """Counts the seconds of training; looks are not counted."""

    def __init__(self, goal: float, cap: float) -> None:
        self.goal, self.cap = goal, cap
        self.seconds, self.accuracy = 0.0, 0.0
        self.began = time.perf_counter()

    def look(self, accuracy: Callable[[], float]) -> bool:
        """Give True where the race is over."""
        self.seconds += time.perf_counter() - self.began
        self.accuracy = accuracy()
        self.began = time.perf_counter()
        return self.accuracy >= self.goal or self.seconds >= self.cap

    def result(self, epochs: float) -> dict[str, Any]:
        there = self.accuracy >= self.goal
        return {
            "seconds": round(self.seconds, 1) if there else None,
            "stopped_at": round(self.seconds, 1),
            "accuracy": round(self.accuracy, 4),
            "epochs": round(epochs, 2),
        }


def of_torch(x: Any, y: Any, x_test: Any, y_test: Any, race: Race, seed: int) -> dict[str, Any]:
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(seed)

    class Block(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            same = stride == 1 and inputs == outputs
            short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            self.short = nn.Identity() if same else short

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
            return functional.relu(y + self.short(x))

    widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
    blocks = [Block(widths[i], widths[i + 1], 2 if widths[i] != widths[i + 1] else 1) for i in range(8)]
    stem = [nn.Conv2d(1, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    model = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
    steps = len(x) // BATCH
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps * 5)
    images, labels = torch.from_numpy(x), torch.from_numpy(y)
    held, truth = torch.from_numpy(x_test), torch.from_numpy(y_test)

    def accuracy() -> float:
        model.eval()
        with torch.inference_mode():
            said = torch.cat([model(part).argmax(1) for part in held.split(500)])
        model.train()
        return float((said == truth).float().mean())

    race.began = time.perf_counter()
    for epoch in range(EPOCHS):
        order = torch.randperm(len(images))
        for step in range(steps):
            rows = order[step * BATCH : (step + 1) * BATCH]
            loss = functional.cross_entropy(model(images[rows]), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if epoch < 5 and epoch * steps + step < steps * 5 - 1:
                schedule.step()
            if (step + 1) % (steps // LOOKS) == 0 and race.look(accuracy):
                return race.result(epoch + (step + 1) / steps)
    return race.result(EPOCHS)


def of_keras(x: Any, y: Any, x_test: Any, y_test: Any, race: Race, seed: int) -> dict[str, Any]:
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)

    def block(x: Any, width: int, stride: int) -> Any:
        y = layers.Conv2D(width, 3, stride, "same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(width, 3, 1, "same", use_bias=False)(y))
        if stride > 1 or x.shape[-1] != width:
            x = layers.BatchNormalization()(layers.Conv2D(width, 1, stride, use_bias=False)(x))
        return layers.ReLU()(layers.Add()([x, y]))

    inputs = keras.Input((28, 28, 1))
    out = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(64, 3, 1, "same", use_bias=False)(inputs)))
    for width, stride in [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]:
        out = block(out, width, stride)
    model = keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(out)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    x, x_test = x.transpose(0, 2, 3, 1), x_test.transpose(0, 2, 3, 1)
    steps = len(x) // BATCH

    def accuracy() -> float:
        return float((model.predict(x_test, batch_size=500, verbose=0).argmax(1) == y_test).mean())

    class Looks(keras.callbacks.Callback):
        at = 0.0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            Looks.at += 1.0 / steps
            if (batch + 1) % (steps // LOOKS) == 0 and race.look(accuracy):
                self.model.stop_training = True

    race.began = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[Looks()])
    return race.result(Looks.at)


def main() -> None:
    name, path, goal, cap, seed = sys.argv[1:]
    held = np.load(path)
    x = (held["x"].astype(np.float32) / 255.0 - 0.286) / 0.353
    y, test = held["y"].astype(np.int64), held["test"]
    train = {"torch": of_torch, "keras": of_keras}[name]
    race = Race(float(goal), float(cap))
    print(json.dumps(train(x[~test], y[~test], x[test], y[test], race, int(seed))))


if __name__ == "__main__":
    main()
