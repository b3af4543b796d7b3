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
# For training.py, which other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import PIL
import sklearn
import tensorflow as tf
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits
from training import (
    Floats,
    Ints,
    Measured,
    begin,
    by_class,
    percent,
    save,
    split_rows,
    summary,
    write_between,
    write_metrics,
)

HERE = Path(__file__).resolve().parent
SEED = 1
SIDE = 64  # pixels of a picture
CELLS = 8  # of a digit, as scikit-learn has it
LABELS = ("background", *map(str, range(10)))
MOST = 5  # digits in a picture
SIZES = (14, 30)  # pixels that a digit's box takes, at least and at most
INK = 0.35  # from which on a pixel is the digit's
TRIES = 40  # for a place where a digit touches no other
PICTURES = 9_000  # to learn from
MEASURED = 400
SHOWN = 6

EPOCHS = 3
BATCH = 16
RATE = 3e-3


@dataclass(frozen=True)
class Digits:
    """Some of scikit-learn's digits: images [n, 8, 8], 0..1; labels [n], 0..9."""

    images: Floats
    labels: Ints


@dataclass(frozen=True)
class Scene:
    """A picture [64, 64] of bright ink, 0..1; classes [64, 64], 0 for the background and d + 1 for the digit d.

    `digits` are the places of its digits: masks [k, 64, 64], and what they are, [k].
    """

    picture: Floats
    classes: Ints
    masks: list[Floats]
    digits: list[int]


def split() -> tuple[Digits, Digits, Digits]:
    """Training, validation and held-out digits: 64, 16 and 20 % of each class, as for single digits."""
    bunch = load_digits()
    made = [Digits(bunch.images[rows] / 16, bunch.target[rows]) for rows in split_rows(bunch.target)]
    return made[0], made[1], made[2]


def scene(digits: Digits, rng: np.random.Generator) -> Scene:
    """A picture of one to five of the digits, turned and slanted a little, none of which touch."""
    ink = np.zeros((SIDE, SIDE))
    classes = np.zeros((SIDE, SIDE), int)
    masks, named = [], []
    for _ in range(rng.integers(1, MOST + 1)):
        chosen = rng.integers(len(digits.labels))
        drawn = _placed(digits.images[chosen], rng)
        for _ in range(TRIES):
            if not (ndimage.binary_dilation(drawn > 0.1, iterations=2) & (ink > 0.1)).any():
                break
            drawn = _placed(digits.images[chosen], rng)
        else:
            continue
        mask = drawn > INK
        ink = np.maximum(ink, drawn)
        classes[mask] = digits.labels[chosen] + 1
        masks.append(mask)
        named.append(int(digits.labels[chosen]))
    return Scene(_photographed(ink, rng), classes, masks, named)


def _placed(digit: Floats, rng: np.random.Generator) -> Floats:
    """A digit somewhere in a picture, [64, 64], ink 0..1."""
    size = rng.uniform(*SIZES)
    turn, slant = rng.normal(0, 0.12), rng.normal(0, 0.12)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, 0], [slant, 1]]
    middle = rng.uniform(size / 2, SIDE - size / 2, 2)
    steps = np.arange(SIDE) + 0.5
    pixels = np.stack(np.meshgrid(steps, steps, indexing="ij")).reshape(2, -1) - middle[:, None]
    cells = np.linalg.inv(matrix) @ pixels * CELLS / size + CELLS / 2 - 0.5
    smooth = ndimage.map_coordinates(digit, cells, order=3, mode="constant").reshape(SIDE, SIDE)
    # The pen's edge, which eight cells do not have, softer or harder.
    return np.clip((smooth - 0.5) * rng.uniform(1.5, 4) + 0.5, 0, 1)


def _photographed(ink: Floats, rng: np.random.Generator) -> Floats:
    """Ink on paper as cameras see it: paler or darker, lit from a side, with noise."""
    slope = rng.uniform(-0.12, 0.12, 2)
    across, down = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    paper = rng.uniform(0, 0.15) + slope[0] * across + slope[1] * down
    noise = rng.normal(0, rng.uniform(0, 0.06), ink.shape)
    return np.clip(paper + ink * rng.uniform(0.6, 1) + noise, 0, 1)


def scenes(digits: Digits, count: int, seed: int) -> list[Scene]:
    """So many pictures, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [scene(digits, rng) for _ in range(count)]


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
    made = scenes(digits, PICTURES, SEED)
    pictures = np.stack([each.picture for each in made]).astype(np.float32)[..., None]
    classes = np.stack([each.classes for each in made])
    # Of a picture nine tenths are background.
    weights = np.where(classes > 0, 3.0, 1.0).astype(np.float32)
    model = network()
    steps = EPOCHS * PICTURES // BATCH
    schedule = keras.optimizers.schedules.CosineDecay(RATE, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss=loss)
    model.fit(pictures, classes, sample_weight=weights, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    # Without the optimizer's memory.
    return keras.Model(model.inputs, model.outputs)


@dataclass(frozen=True)
class Found:
    """What came of measuring: what most pixels of each digit were named, the share of pixels named right, and the mean
    over the classes of intersection over union."""

    digits: Measured
    pixels: float
    iou: float


def measured(model: keras.Model, made: list[Scene]) -> Found:
    """Holds the network against pictures that it has not seen."""
    pictures = np.stack([each.picture for each in made]).astype(np.float32)[..., None]
    named = model.predict(pictures, batch_size=50, verbose=0).argmax(-1)
    truth = np.stack([each.classes for each in made])
    confusion = np.zeros((10, 10), int)
    for each, said in zip(made, named, strict=True):
        for mask, digit in zip(each.masks, each.digits, strict=True):
            confusion[digit, np.bincount(said[mask], minlength=len(LABELS))[1:].argmax()] += 1
    overlaps = [((named == c) & (truth == c)).sum() / ((named == c) | (truth == c)).sum() for c in range(len(LABELS))]
    return Found(Measured(confusion), float((named == truth).mean()), float(np.mean(overlaps)))


def save_samples(made: list[Scene], folder: Path) -> None:
    """Writes pictures as dark ink on white paper, four times as large."""
    folder.mkdir(exist_ok=True)
    for number, each in enumerate(made, start=1):
        grey = np.rint(255 * (1 - each.picture)).astype(np.uint8)
        large = Image.fromarray(grey).resize((4 * SIDE, 4 * SIDE), Image.Resampling.BICUBIC)
        large.save(folder / f"{number}.png", optimize=True)


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
    validated = measured(model, scenes(validation, MEASURED, SEED + 1))
    made = scenes(held_out, MEASURED, SEED + 2)
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
