"""Trains the network of this page on pictures of several handwritten digits, and measures it.

Writes, beside itself: many-digits.keras, samples/, metrics.json, and the measured part of index.md. Everything is
seeded: a second run on the same machine and the same versions writes the same bytes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

# TensorFlow's start-up messages would bury the results.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# For what other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import PIL
import sklearn
import tensorflow as tf
from sheets import Digits, Sheet, as_png, placed, sheets, split
from training import (
    Floats,
    Ints,
    Measured,
    begin,
    by_class,
    percent,
    save,
    summary,
    write_between,
    write_metrics,
)

HERE = Path(__file__).resolve().parent
SEED = 1
SIDE = 64  # pixels of a picture
LABELS = ("background", *map(str, range(10)))
SIZES = (14, 30)  # pixels that a digit's box takes, at least and at most
PICTURES = 9_000  # to learn from
MEASURED = 400
SHOWN = 6

EPOCHS = 3
BATCH = 16
RATE = 3e-3


def pictures(digits: Digits, count: int, seed: int) -> list[Sheet]:
    """So many sheets of 64 x 64 pixels, the same for the same seed."""

    def draw(index: int, rng: np.random.Generator) -> Floats:
        return placed(digits.images[index], SIDE, SIZES, rng)

    return list(sheets(digits.labels, draw, SIDE, count, seed))


def classes(sheet: Sheet) -> Ints:
    """What the network should say of each pixel: [64, 64], 0 for the background and d + 1 for the digit d."""
    named = np.zeros((SIDE, SIDE), int)
    for mask, digit in zip(sheet.masks, sheet.digits, strict=True):
        named[mask] = digit + 1
    return named


def network() -> keras.Model:
    """[n, 64, 64, 1], 0..1 -> [n, 64, 64, 11], logits: down to 8 x 8 and up again, shown what was seen before."""
    x = given = keras.Input((SIDE, SIDE, 1))
    seen = []
    for filters, stride in ((16, 2), (24, 1), (32, 2), (40, 1), (56, 2), (64, 1)):
        x = _convolution(x, filters, stride)
        if stride == 1:
            seen.append(x)
    for filters, before in ((40, seen[1]), (24, seen[0])):
        x = keras.layers.UpSampling2D(interpolation="bilinear")(x)
        x = _convolution(keras.layers.Concatenate()([x, before]), filters, 1)
    x = keras.layers.Conv2D(len(LABELS), 1)(x)
    return keras.Model(given, keras.layers.UpSampling2D(interpolation="bilinear")(x))


def _convolution(x: keras.KerasTensor, filters: int, stride: int) -> keras.KerasTensor:
    x = keras.layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))


def train(digits: Digits) -> keras.Model:
    """A network that has seen 9,000 pictures, three times each."""
    made = pictures(digits, PICTURES, SEED)
    given = np.stack([each.picture for each in made]).astype(np.float32)[..., None]
    truth = np.stack([classes(each) for each in made])
    # Of a picture nine tenths are background.
    weights = np.where(truth > 0, 3.0, 1.0).astype(np.float32)
    model = network()
    steps = EPOCHS * PICTURES // BATCH
    schedule = keras.optimizers.schedules.CosineDecay(RATE, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss=loss)
    model.fit(given, truth, sample_weight=weights, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    # Without the optimizer's memory.
    return keras.Model(model.inputs, model.outputs)


@dataclass(frozen=True)
class Found:
    """What came of measuring: what most pixels of each digit were named, the share of pixels named right, and the mean
    over the classes of intersection over union."""

    digits: Measured
    pixels: float
    iou: float


def measured(model: keras.Model, made: list[Sheet]) -> Found:
    """Holds the network against pictures that it has not seen."""
    given = np.stack([each.picture for each in made]).astype(np.float32)[..., None]
    named = model.predict(given, batch_size=50, verbose=0).argmax(-1)
    truth = np.stack([classes(each) for each in made])
    confusion = np.zeros((10, 10), int)
    for each, said in zip(made, named, strict=True):
        for mask, digit in zip(each.masks, each.digits, strict=True):
            confusion[digit, np.bincount(said[mask], minlength=len(LABELS))[1:].argmax()] += 1
    overlaps = [((named == c) & (truth == c)).sum() / ((named == c) | (truth == c)).sum() for c in range(len(LABELS))]
    return Found(Measured(confusion), float((named == truth).mean()), float(np.mean(overlaps)))


def save_samples(made: list[Sheet], folder: Path) -> None:
    """Writes pictures four times as large."""
    folder.mkdir(exist_ok=True)
    for number, each in enumerate(made, start=1):
        as_png(each.picture, 4).save(folder / f"{number}.png", optimize=True)


def told(held: Found, pictures: int) -> list[str]:
    """The measured part of the page, line by line."""
    digits = held.digits
    low, high = (percent(end) for end in digits.interval())
    return [
        f"Of {digits.total} digits in {pictures} new pictures, none of which it has seen before, most pixels of",
        f"**{digits.right}** are named right: **{percent(digits.accuracy)}** (95 % interval: {low} to {high}).",
        f"Of all pixels {percent(held.pixels)} are right; the mean intersection over union is {held.iou:.2f}.",
        "",
        *by_class("Digit", digits, LABELS[1:], ":---:"),
    ]


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    training, validation, held_out = split()
    model = train(training)
    validated = measured(model, pictures(validation, MEASURED, SEED + 1))
    made = pictures(held_out, MEASURED, SEED + 2)
    held = measured(model, made)
    save(model, HERE / "many-digits.keras")
    save_samples([each for each in made if len(each.digits) >= 3][:SHOWN], HERE / "samples")
    metrics = {
        **summary(held.digits),
        "pixels": round(held.pixels, 4),
        "mean_iou": round(held.iou, 4),
        "validation_accuracy": round(validated.digits.accuracy, 4),
        "seed": SEED,
        "confusion": held.digits.confusion.tolist(),
        "versions": {
            "keras": keras.__version__,
            "numpy": np.__version__,
            "pillow": PIL.__version__,
            "scikit-learn": sklearn.__version__,
            "tensorflow": tf.__version__,
        },
    }
    write_metrics(metrics, held.digits.confusion, HERE / "metrics.json")
    write_between(told(held, MEASURED), HERE / "index.md")
    print(f"held out: {held.digits.right} of {held.digits.total} right, {held.digits.accuracy:.3f}, IoU {held.iou:.3f}")


if __name__ == "__main__":
    main()
