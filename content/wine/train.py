"""Trains the network of this page on scikit-learn's wines, and measures it.

Writes, beside itself: wine.keras, samples.csv, card.png, metrics.json, and the measured part of index.md.
Everything is seeded: a second run on the same machine and the same versions writes the same bytes.
"""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import dataclass
from pathlib import Path

# TensorFlow's start-up messages would bury the results.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# For training.py, which other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cards
import keras
import numpy as np
import sklearn
import tensorflow as tf
from sklearn.datasets import load_wine
from training import (
    Floats,
    Ints,
    Measured,
    begin,
    by_class,
    measure,
    percent,
    save,
    split_rows,
    summary,
    write_between,
    write_metrics,
)

HERE = Path(__file__).resolve().parent
CARD = HERE / "card.png"
SEED = 1
LABELS = ("Barolo", "Grignolino", "Barbera")  # scikit-learn's classes 0, 1 and 2
COLUMNS = (  # scikit-learn's features, in its order
    "alcohol",
    "malic acid",
    "ash",
    "alcalinity of ash",
    "magnesium",
    "total phenols",
    "flavanoids",
    "nonflavanoid phenols",
    "proanthocyanins",
    "colour intensity",
    "hue",
    "OD280/OD315",
    "proline",
)
SHOWN = 3  # wines of each class among the samples

EPOCHS = 120
BATCH = 16
RATE = 3e-3
HIDDEN = 16
DECAY = 3e-3  # of the weights' squares, so that the network is not surer than 114 wines allow


@dataclass(frozen=True)
class Part:
    """Some of the wines: values [n, 13] in the data's own units, labels [n], 0..2."""

    values: Floats
    labels: Ints


def split() -> tuple[Part, Part, Part]:
    """Training, validation and held-out wines: 64, 16 and 20 % of each class, in the order of the data."""
    bunch = load_wine()
    training, validating, held_out = (Part(bunch.data[rows], bunch.target[rows]) for rows in split_rows(bunch.target))
    return training, validating, held_out


def train(part: Part) -> keras.Model:
    """A network with one hidden layer, whose first layer takes the means of the training wines away."""
    normalization = keras.layers.Normalization()
    normalization.adapt(part.values)
    regularizer = keras.regularizers.L2(DECAY)
    model = keras.Sequential(
        [
            keras.Input((len(COLUMNS),)),
            normalization,
            keras.layers.Dense(HIDDEN, activation="relu", kernel_regularizer=regularizer),
            keras.layers.Dense(len(LABELS), activation="softmax", kernel_regularizer=regularizer),
        ]
    )
    model.compile(keras.optimizers.Adam(RATE), loss="sparse_categorical_crossentropy")
    model.fit(part.values, part.labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return model


def write_samples(part: Part, path: Path) -> None:
    """Writes the first wines of each class in the held-out part, whether the network knows them or not."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, "label"])
        for label, name in enumerate(LABELS):
            for row in np.flatnonzero(part.labels == label)[:SHOWN]:
                writer.writerow([*(f"{value:g}" for value in part.values[row]), name])


def draw(part: Part) -> None:
    """The card: alcohol across, the colour's intensity up, a colour for each grape."""
    inks = [cards.INKS[label] for label in part.labels]
    cards.scatter(
        part.values[:, COLUMNS.index("alcohol")], part.values[:, COLUMNS.index("colour intensity")], inks, CARD
    )


def metrics(sizes: dict[str, int], validated: Measured, held: Measured) -> dict[str, object]:
    """The numbers that the page states, and what they were measured with."""
    return {
        **summary(held),
        "validation_accuracy": round(validated.accuracy, 4),
        "split": sizes,
        "seed": SEED,
        "labels": list(LABELS),
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
    low, high = (percent(end) for end in held.interval())
    return [
        f"Of {held.total} wines that were held out, the network names **{held.right}** right:",
        f"**{percent(held.accuracy)}**. It learned from {sizes['train']} others; {sizes['validation']} more were for",
        f"a look at whether the recipe works. So few wines tell no more than that its true rate is between {low}",
        f"and {high}.",
        "",
        *by_class("Wine", held, LABELS, "----"),
    ]


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    training, validation, held_out = split()
    parts = {"train": training, "validation": validation, "held_out": held_out}
    sizes = {name: len(part.labels) for name, part in parts.items()}
    model = train(training)
    held = measure(model, held_out.values, held_out.labels, len(LABELS))
    validated = measure(model, validation.values, validation.labels, len(LABELS))
    save(model, HERE / "wine.keras")
    write_samples(held_out, HERE / "samples.csv")
    draw(training)
    write_metrics(metrics(sizes, validated, held), held.confusion, HERE / "metrics.json")
    write_between(told(sizes, held), HERE / "index.md")
    print(f"held out: {held.right} of {held.total} right, {held.accuracy:.3f}; validation {validated.accuracy:.3f}")


if __name__ == "__main__":
    main()
