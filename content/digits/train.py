"""Trains the network of this page on scikit-learn's handwritten digits, and measures it.

Writes, beside itself: digits.keras, labels.txt, samples/*.png, metrics.json, and the measured part
of index.md. Everything is seeded: a second run on the same machine and the same versions writes the
same bytes.

Pictures are arrays in [y, x] order whose ink is 1 and whose paper is 0; the page turns its dark ink
on white into that. Lengths are in pixels of the data's 8 x 8 pictures ("cells") or of the network's
28 x 28 input ("pixels"), as each docstring says.
"""

from __future__ import annotations

import math
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
import sklearn
import tensorflow as tf
from numpy.typing import NDArray
from pens import CELLS, PAD, centred, hand, inked, restyled, skeletons, spline, wobbled
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits
from training import (
    Floats,
    Ints,
    Measured,
    begin,
    by_class,
    measure,
    named,
    percent,
    save,
    split_rows,
    summary,
    write_between,
    write_metrics,
)

HERE = Path(__file__).resolve().parent
SEED = 1
CLASSES = 10
SIDE = 28  # pixels
ZOOM = 3  # pixels a cell: the ink of 24 pixels leaves a margin of 2

EPOCHS = 30
BATCH = 32
RATE = 3e-3
PEN_SHARE = 0.75  # of the training pictures, those that are redrawn with a pen


@dataclass(frozen=True)
class Part:
    """Some of the digits.

    digits: [n, 8, 8], 0..16 as scikit-learn has them; labels: [n], 0..9; rows: [n], their places
    in scikit-learn's data set, ascending.
    """

    digits: Floats
    labels: Ints
    rows: Ints


def split() -> tuple[Part, Part, Part]:
    """Training, validation and held-out digits: 64, 16 and 20 % of each class.

    Source: sklearn.datasets.load_digits, 1797 digits, which is the test set of UCI's Optical
    Recognition of Handwritten Digits.
    """
    bunch = load_digits()
    images, labels = bunch.images, bunch.target
    train, validation, held = (Part(images[rows], labels[rows], rows) for rows in split_rows(labels))
    return train, validation, held


# Grey pictures: the data as it is, enlarged.


def enlarged(
    coefficients: Floats,
    matrix: Floats | None = None,
    shift: Floats | float = 0.0,
    threshold: float = 0.5,
    gain: float = 1.0,
) -> Floats:
    """A digit's spline as [28, 28] pixels, 0..1.

    `matrix` [2, 2] and `shift` [2] (pixels) move the picture; ink above `threshold` grows darker
    by `gain`, and paler below it.
    """
    inverse = np.eye(2) if matrix is None else np.linalg.inv(matrix)
    steps = np.arange(SIDE) + 0.5 - SIDE / 2
    pixels = np.stack(np.meshgrid(steps, steps, indexing="ij")).reshape(2, -1)
    pixels = pixels - np.reshape(shift, (-1, 1))
    cells = inverse @ pixels / ZOOM + PAD + CELLS / 2 - 0.5
    ink = ndimage.map_coordinates(coefficients, cells, order=3, prefilter=False)
    return np.clip((ink - threshold) * gain + 0.5, 0, 1).reshape(SIDE, SIDE)


def as_png(digit: Floats) -> NDArray[np.uint8]:
    """A digit ([8, 8], 0..16) as a picture of dark ink on white paper: [28, 28], 0..255."""
    return np.rint(255 * (1 - enlarged(spline(digit)))).astype(np.uint8)


def network_input(digits: Floats) -> Floats:
    """Digits [n, 8, 8] as the page hands their pictures over: [n, 28, 28, 1], 0..1."""
    pictures = np.stack([as_png(digit) for digit in digits])[..., None]
    return (255 - pictures.astype(np.float32)) * np.float32(1 / 255)


# Pen pictures: the data is blurred ink 8 cells wide, a visitor's drawing is a line of even width.
# So most training pictures are the digits' middle lines, drawn anew with a pen: pens.py.


def pen_drawn(points: Floats, width: float, fit: float) -> Floats:
    """Points as a pen draws them: [28, 28], 0..1.

    The drawing with its pen fills `fit` of the picture, as the page crops it; `width` of the pen
    is a fraction of the drawing's longer side.
    """
    return inked(centred(points, fit * SIDE * (1 - width)), width * fit * SIDE, SIDE)


class Pictures:
    """Training pictures that are new in every epoch."""

    def __init__(self, part: Part) -> None:
        self.labels = part.labels
        self.splines = [spline(digit) for digit in part.digits]
        # One threshold closes the loops of heavy digits, another breaks the lines of faint ones.
        self.skeletons = [skeletons(part.digits, threshold) for threshold in (0.4, 0.5, 0.6)]

    def draw(self, rng: np.random.Generator) -> Floats:
        """One picture of every digit: [n, 28, 28, 1], 0..1."""
        drawn = [
            self._pen(index, rng) if rng.random() < PEN_SHARE else self._grey(index, rng)
            for index in range(len(self.labels))
        ]
        return np.stack(drawn).astype(np.float32)[..., None]

    def _pen(self, index: int, rng: np.random.Generator) -> Floats:
        points = self.skeletons[rng.integers(len(self.skeletons))][index]
        points = restyled(points, int(self.labels[index]), rng) @ hand(rng).T
        # Drawn small, a digit is cropped and its pen looks wide.
        width = math.exp(rng.uniform(math.log(0.07), math.log(0.22)))
        picture = pen_drawn(wobbled(points, rng), width, rng.uniform(0.7, 0.92))
        down, right = rng.integers(-1, 2, 2)
        return np.roll(picture, (down, right), (0, 1))

    def _grey(self, index: int, rng: np.random.Generator) -> Floats:
        matrix = hand(rng) * np.exp(rng.uniform(-0.18, 0.1))
        shift = rng.normal(0, 0.8, 2)
        if rng.random() < 0.2:
            return enlarged(self.splines[index], matrix, shift)
        threshold, gain = rng.uniform(0.35, 0.75), math.exp(rng.uniform(0.5, 2))
        return enlarged(self.splines[index], matrix, shift, threshold, gain)


def build() -> keras.Model:
    """The network: [n, 28, 28, 1], 0..1 -> [n, 10], the probability of each digit."""
    layers = keras.layers
    x = inputs = keras.Input((SIDE, SIDE, 1), name="picture")
    for number, filters in enumerate((16, 24, 40), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
        pool = layers.MaxPooling2D if number < 3 else layers.AveragePooling2D
        x = pool(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flat")(x)
    outputs = layers.Dense(CLASSES, activation="softmax", name="digit")(x)
    return keras.Model(inputs, outputs, name="digits")


def train(part: Part, validation: Part) -> keras.Model:
    """A trained network without its optimizer."""
    rng = np.random.default_rng(SEED)
    pictures = Pictures(part)
    seen = network_input(validation.digits)
    steps = math.ceil(len(part.labels) / BATCH) * EPOCHS
    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)),
        loss="sparse_categorical_crossentropy",
    )
    for epoch in range(1, EPOCHS + 1):
        history = model.fit(pictures.draw(rng), part.labels, batch_size=BATCH, verbose=0)
        if epoch % 5 == 0:
            right = np.mean(named(model, seen) == validation.labels)
            loss = history.history["loss"][0]
            print(f"epoch {epoch:2}: loss {loss:.3f}, validation accuracy {right:.3f}")
    bare = build()
    bare.set_weights(model.get_weights())
    return bare


def save_samples(part: Part, folder: Path) -> None:
    """Writes the first picture of each digit in the data set, whether the network knows it or not."""
    folder.mkdir(exist_ok=True)
    for digit in range(CLASSES):
        first = part.digits[np.flatnonzero(part.labels == digit)[0]]
        Image.fromarray(as_png(first)).save(folder / f"{digit}.png", optimize=True)


def metrics(sizes: dict[str, int], validated: Measured, held: Measured) -> dict[str, object]:
    """The numbers that the page states, and what they were measured with."""
    return {
        **summary(held),
        "validation_accuracy": round(validated.accuracy, 4),
        "split": sizes,
        "seed": SEED,
        "confusion": held.confusion.tolist(),
        "versions": {
            "keras": keras.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "tensorflow": tf.__version__,
        },
    }


def told(sizes: dict[str, int], held: Measured) -> list[str]:
    """The measured part of the page, line by line."""
    digits = [str(digit) for digit in range(CLASSES)]
    return [
        f"Of {held.total} digits that were held out, the network names **{held.right}** right:",
        f"**{percent(held.accuracy)}**. It learned from {sizes['train']:,} others, and {sizes['validation']} more",
        "served to tune it. So few digits can tell no more than that its true rate is",
        f"{percent(held.interval()[0])} or better.",
        "",
        *by_class("Digit", held, digits, ":---:"),
    ]


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    training, validation, held_out = split()
    parts = {"train": training, "validation": validation, "held_out": held_out}
    sizes = {name: len(part.labels) for name, part in parts.items()}
    model = train(training, validation)
    held = measure(model, network_input(held_out.digits), held_out.labels, CLASSES)
    validated = measure(model, network_input(validation.digits), validation.labels, CLASSES)
    save(model, HERE / "digits.keras")
    (HERE / "labels.txt").write_text("".join(f"{n}\n" for n in range(CLASSES)), "utf-8")
    save_samples(held_out, HERE / "samples")
    write_metrics(metrics(sizes, validated, held), held.confusion, HERE / "metrics.json")
    write_between(told(sizes, held), HERE / "index.md")
    print(f"held out: {held.right} of {held.total} right, {held.accuracy:.3f}")


if __name__ == "__main__":
    main()
