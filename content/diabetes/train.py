"""Trains the network of this page on scikit-learn's diabetes patients, and measures it.

Writes, beside itself: diabetes.keras, samples.csv, card.png, metrics.json, and the measured part of index.md.
Everything is seeded: a second run on the same machine and the same versions writes the same bytes.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Mapping
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
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from training import Floats, begin, save, write_between

HERE = Path(__file__).resolve().parent
CARD = HERE / "card.png"
SEED = 1
COLUMNS = (  # scikit-learn's features, in its order
    "age",
    "sex",
    "body mass index",
    "blood pressure",
    "total cholesterol",
    "LDL cholesterol",
    "HDL cholesterol",
    "total / HDL",
    "log triglycerides",
    "blood sugar",
)
SEX = 1  # its place; 1 and 2 in the data
SHOWN = 8

EPOCHS = 150
BATCH = 32
RATE = 3e-3
HIDDEN = 12
DECAY = 3e-2  # of the weights' squares: so few patients bear little more than straight lines


@dataclass(frozen=True)
class Part:
    """Some of the patients: values [n, 10] in the data's own units, progression [n]."""

    values: Floats
    progression: Floats

    def rows(self) -> Floats:
        """What the network is given: [n, 11], the sex as two numbers of which one is 1."""
        before, sex, after = np.split(self.values, [SEX, SEX + 1], axis=1)
        rows: Floats = np.concatenate([before, sex == 1, sex == 2, after], axis=1)
        return rows


def split() -> tuple[Part, Part, Part]:
    """Training, validation and held-out patients: 64, 16 and 20 %, in the order of the data."""
    bunch = load_diabetes(scaled=False)
    rest, held = train_test_split(np.arange(len(bunch.target)), test_size=0.2, random_state=0)
    train, validation = train_test_split(rest, test_size=0.2, random_state=0)
    sorted_rows = [np.sort(rows) for rows in (train, validation, held)]
    training, validating, held_out = (Part(bunch.data[rows], bunch.target[rows]) for rows in sorted_rows)
    return training, validating, held_out


def train(part: Part) -> keras.Model:
    """A network with one hidden layer, from the data's units to those of the progression."""
    normalization = keras.layers.Normalization()
    normalization.adapt(part.rows())
    mean, deviation = float(part.progression.mean()), float(part.progression.std())
    regularizer = keras.regularizers.L2(DECAY)
    inner = keras.Sequential(
        [
            keras.Input((len(COLUMNS) + 1,)),
            normalization,
            keras.layers.Dense(HIDDEN, activation="tanh", kernel_regularizer=regularizer),
            keras.layers.Dense(1, kernel_regularizer=regularizer),
        ]
    )
    inner.compile(keras.optimizers.Adam(RATE), loss="mse")
    inner.fit(part.rows(), (part.progression - mean) / deviation, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return keras.Sequential([*inner.layers, keras.layers.Rescaling(deviation, mean)])


def errors(predicted: Floats, part: Part) -> dict[str, float]:
    """Mean absolute error, root of the mean square error, and R2, the share of the variance that is explained."""
    off = predicted - part.progression
    variance = np.square(part.progression - part.progression.mean()).mean()
    return {
        "mae": round(float(np.abs(off).mean()), 2),
        "rmse": round(float(np.sqrt(np.square(off).mean())), 2),
        "r2": round(float(1 - np.square(off).mean() / variance), 3),
    }


def write_samples(part: Part, path: Path) -> None:
    """Writes the first patients of the held-out part."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, "target"])
        for values, progression in zip(part.values[:SHOWN], part.progression[:SHOWN], strict=True):
            writer.writerow([*(f"{value:.6g}" for value in values), f"{progression:g}"])


def told(sizes: Mapping[str, int], measured: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The measured part of the page, line by line."""
    names = {"network": "this network", "linear": "linear regression", "mean": "always the mean"}
    return [
        f"Measured on {sizes['held_out']} patients that were held out; it learned from {sizes['train']} others;",
        f"{sizes['validation']} more were for a look at whether the recipe works.",
        "",
        "| Predicted by | Off by, on average | Root of the mean square | R² |",
        "| - | --: | --: | --: |",
        *(
            f"| {names[name]} | {one['mae']:.1f} | {one['rmse']:.1f} | {one['r2']:.2f} |"
            for name, one in measured.items()
        ),
    ]


def draw(part: Part) -> None:
    """The card: the body mass index across, the disease's progression up."""
    inks = cards.INKS[:1] * len(part.values)
    cards.scatter(part.values[:, COLUMNS.index("body mass index")], part.progression, inks, CARD)


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    training, validation, held_out = split()
    sizes = {"train": len(training.values), "validation": len(validation.values), "held_out": len(held_out.values)}
    model = train(training)
    linear = LinearRegression().fit(training.values, training.progression)
    measured = {
        "network": errors(model.predict(held_out.rows(), verbose=0)[:, 0], held_out),
        "linear": errors(linear.predict(held_out.values), held_out),
        "mean": errors(np.full(len(held_out.values), training.progression.mean()), held_out),
    }
    validated = errors(model.predict(validation.rows(), verbose=0)[:, 0], validation)
    save(model, HERE / "diabetes.keras")
    write_samples(held_out, HERE / "samples.csv")
    draw(training)
    metrics = {
        "held_out": measured,
        "validation": validated,
        "split": sizes,
        "seed": SEED,
        "versions": {
            "keras": keras.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "tensorflow": tf.__version__,
        },
    }
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", "utf-8")
    write_between(told(sizes, measured), HERE / "index.md")
    print(f"held out {measured}; validation {validated}")


if __name__ == "__main__":
    main()
