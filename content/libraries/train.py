"""Trains the network of this page on the documentation of four Python packages that sitegen installs, and measures it.

Writes, beside itself: libraries.keras, card.png, metrics.json, and the measured part of index.md. Everything is
seeded: a second run on the same machine and the same versions writes the same bytes.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

# TensorFlow's start-up messages would bury the results.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# For training.py, which other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cards
import keras
import numpy as np
import tensorflow as tf
from training import Ints, Measured, begin, by_class, measure, percent, save, write_between, write_metrics

HERE = Path(__file__).resolve().parent
SEED = 1
PACKAGES = {  # label -> the package's name when it is imported, and when it is installed
    "Keras": ("keras", "keras"),
    "pandas": ("pandas", "pandas"),
    "scikit-learn": ("sklearn", "scikit-learn"),
    "SciPy": ("scipy", "scipy"),
}
LABELS = list(PACKAGES)
# Sentences that name a package would give it away.
GIVEAWAY = re.compile(
    r"jax|xla|keras|tensorflow|torch|numpy|\bnp\b|ndarray|pandas|\bpd\b|sklearn|scikit|scipy|cupy", re.IGNORECASE
)
LEAST = 12  # words of a text
TOKENS = 4000
LENGTH = 60  # words that the network is given
EPOCHS = 20
BATCH = 64
RATE = 3e-3
SMOOTHING = 0.2  # of the labels, so that the network is not surer than so few texts allow


@dataclass(frozen=True)
class Part:
    """Texts with the index of their package."""

    texts: list[str]
    labels: Ints


def texts(file: Path) -> Iterator[str]:
    """What a module says of itself, its functions and classes before lists of parameters and examples."""
    kinds = (ast.Module, ast.FunctionDef, ast.ClassDef)
    try:
        nodes = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, kinds)]
    except (SyntaxError, UnicodeDecodeError):
        return
    for node in nodes:
        paragraphs = []
        for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
            if re.search(r"^\s*(-{3,}|={3,}|>>>|\.\. |Args:|:param|```|Example)", paragraph, re.M):
                break
            paragraphs.append(paragraph)
        sentences = re.split(r"(?<=[.!?])\s+", " ".join(" ".join(paragraphs).split()))
        text = " ".join(sentence for sentence in sentences if not GIVEAWAY.search(sentence))
        if len(text.split()) >= LEAST:
            yield text


def parts() -> dict[str, Part]:
    """Training, validation and held-out texts: 64, 16 and 20 % of the files, about.

    A file's texts are all in one part. What two packages say is left out, and what one says again.
    """
    found: dict[str, tuple[int, str]] = {}
    shared = set()
    for label, (package, _) in enumerate(PACKAGES.values()):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for file in sorted(root.rglob("*.py")):
            name = f"{package}/{file.relative_to(root).as_posix()}"
            if "test" in name:
                continue
            for text in texts(file):
                known = found.setdefault(text, (label, _part(name)))
                if known[0] != label:
                    shared.add(text)
    made: dict[str, Part] = {}
    for part in ("train", "validation", "held_out"):
        own = [(text, label) for text, (label, of) in found.items() if of == part and text not in shared]
        made[part] = Part([text for text, _ in own], np.array([label for _, label in own]))
    return made


def _part(name: str) -> str:
    share = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32
    return "held_out" if share < 0.2 else "validation" if share < 0.36 else "train"


def train(part: Part) -> keras.Model:
    """Words to vectors, their mean to one of the packages; it takes the text itself."""
    vectorize = keras.layers.TextVectorization(max_tokens=TOKENS, output_sequence_length=LENGTH)
    vectorize.adapt(tf.constant(part.texts))
    counts = Counter(part.labels.tolist())
    weights = {label: len(part.labels) / len(LABELS) / count for label, count in counts.items()}
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            keras.layers.Embedding(TOKENS, 16, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(len(LABELS), activation="softmax"),
        ]
    )
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING)
    model.compile(keras.optimizers.Adam(RATE), loss=loss)
    numbers, classes = vectorize(tf.constant(part.texts)).numpy(), np.eye(len(LABELS))[part.labels]
    model.fit(numbers, classes, batch_size=BATCH, epochs=EPOCHS, class_weight=weights, verbose=0)
    return keras.Sequential([keras.Input((1,), dtype="string"), vectorize, *model.layers])


def told(sizes: dict[str, int], held: Measured, most: float) -> list[str]:
    """The measured part of the page, line by line."""
    return [
        f"Of {sizes['held_out']} texts out of files that were held out, the network names",
        f"**{held.right}** right: **{percent(held.accuracy)}**. Who always named the package with the most",
        f"texts would be right in {percent(most)}. It learned from {sizes['train']} others;",
        f"{sizes['validation']} more were for a look at whether the recipe works.",
        "",
        *by_class("Package", held, LABELS, "-------"),
    ]


def draw() -> None:
    """The card: words that one of the packages has much more often than the others."""
    said = [["layer", "activation", "loss"], ["frame", "column", "index"], ["estimator", "fit"], ["matrix", "signal"]]
    cards.words([[(word, ink) for word in line] for line, ink in zip(said, cards.INKS, strict=True)], HERE / "card.png")


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    made = parts()
    sizes = {name: len(part.texts) for name, part in made.items()}
    model = train(made["train"])
    validated = measure(model, tf.constant(made["validation"].texts), made["validation"].labels, len(LABELS))
    held = measure(model, tf.constant(made["held_out"].texts), made["held_out"].labels, len(LABELS))
    save(model, HERE / "libraries.keras")
    draw()
    most = held.confusion.sum(axis=1).max() / held.total
    metrics = {
        "held_out": held.total,
        "right": held.right,
        "accuracy": round(held.accuracy, 4),
        "most_frequent": round(float(most), 4),
        "validation_accuracy": round(validated.accuracy, 4),
        "split": sizes,
        "seed": SEED,
        "labels": LABELS,
        "confusion": held.confusion.tolist(),
        "versions": {name: version(name) for name in sorted({*(p for _, p in PACKAGES.values()), "tensorflow"})},
    }
    write_metrics(metrics, held.confusion, HERE / "metrics.json")
    write_between(told(sizes, held, float(most)), HERE / "index.md")
    print(f"held out: {held.right} of {held.total} right, {held.accuracy:.3f}; validation {validated.accuracy:.3f}")


if __name__ == "__main__":
    main()
