"""Trains the network of this page on simulated balls, and measures it.

Writes, beside itself: motion.keras, labels.txt, samples/*.webm, card.png, metrics.json, and the measured part of
index.md. Everything is seeded: a second run on the same machine and the same versions writes the same bytes.

Clips are [frames, y, x, 1], grey, 0..1; what is in them comes from scenes.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

# TensorFlow's start-up messages would bury the results.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# For training.py and webm.py, which other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import PIL
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image
from scenes import LABELS, Floats, drawn, look
from training import Ints, Measured, begin, by_class, measure, percent, save, summary, write_between, write_metrics
from webm import webm

HERE = Path(__file__).resolve().parent
SEED = 1
SIDE = 48  # pixels
FRAMES = 16
RATE = 8  # frames a second
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

EACH = 600  # clips of a class to learn from
MEASURED = 60  # clips of a class to measure with
EPOCHS = 16
BATCH = 32
STEP = 4e-3

# The films to try: what happens in each, three seconds long, one after the other.
FILMS = {
    "garden": ("bounce", "roll", "rest"),
    "gym": ("rally", "throw", "bounce"),
    "circus": ("juggle", "swing", "rest"),
}
SECONDS = 3
FILM_RATE = 16
FILM_SIZE = (180, 240)  # y, x


def clips(seed: int, each: int) -> tuple[NDArray[np.uint8], Ints]:
    """As many clips of each class: [n, 16, 48, 48, 1], 0..255, and their classes [n]."""
    random = np.random.default_rng(seed)
    times = np.arange(FRAMES) / RATE
    made = [
        np.rint(drawn(label, times, (SIDE, SIDE), random) @ LUMA * 255).astype(np.uint8)[..., None]
        for label in LABELS
        for _ in range(each)
    ]
    return np.stack(made), np.repeat(np.arange(len(LABELS)), each)


def scaled(pictures: NDArray[np.uint8]) -> Floats:
    """Clips as the network takes them, 0..1."""
    return pictures.astype(np.float32) * np.float32(1 / 255)


def shuffled(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The frames of each clip in another order, which leaves all that single frames tell."""
    random = np.random.default_rng(SEED)
    return np.stack([clip[random.permutation(FRAMES)] for clip in pictures])


def build() -> keras.Model:
    """The network: [n, 16, 48, 48, 1], 0..1 -> [n, 7], the probability of each class."""
    layers = keras.layers
    inputs = keras.Input((FRAMES, SIDE, SIDE, 1), name="clip")
    # Early fusion: what differs between frames is seen by the first convolution, for which they are channels.
    x = layers.Reshape((FRAMES, SIDE, SIDE), name="frames")(inputs)
    x = layers.Permute((2, 3, 1), name="channels")(x)
    # Of each pixel only how it changes: what stands still is 0, however light or dark it is.
    x = layers.LayerNormalization(epsilon=3e-3, center=False, scale=False, name="changes")(x)
    for number, (filters, size, stride) in enumerate(((32, 7, 4), (48, 3, 1), (64, 3, 2)), start=1):
        x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    outputs = layers.Dense(len(LABELS), activation="softmax", name="class")(x)
    return keras.Model(inputs, outputs, name="motion")


class Batches(keras.utils.PyDataset):
    """Clips in a new order each epoch, some lighter or darker, some in negative."""

    def __init__(self, pictures: NDArray[np.uint8], classes: Ints) -> None:
        super().__init__()
        self._pictures, self._classes = pictures, classes
        self._random = np.random.default_rng(SEED)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._classes) // BATCH

    def __getitem__(self, index: int) -> tuple[Floats, Ints]:
        rows = self._order[index * BATCH : (index + 1) * BATCH]
        values = scaled(self._pictures[rows])
        one = (len(rows), 1, 1, 1, 1)
        negative = self._random.random(one) < 0.3
        gain, shift = self._random.uniform(0.6, 1.2, one), self._random.uniform(-0.15, 0.15, one)
        values = (np.where(negative, 1 - values, values) - 0.5) * gain + 0.5 + shift
        return np.clip(values, 0, 1).astype(np.float32), self._classes[rows]

    def on_epoch_end(self) -> None:
        self._order = self._random.permutation(len(self._classes))


def train() -> keras.Model:
    """A trained network without its optimizer."""
    seen, classes = clips(SEED + 1, MEASURED)
    batches = Batches(*clips(SEED, EACH))
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(STEP, len(batches) * EPOCHS)
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="sparse_categorical_crossentropy")
    for number in range(1, EPOCHS + 1):
        history = model.fit(batches, verbose=0)
        batches.on_epoch_end()
        right = measure(model, scaled(seen), classes, len(LABELS)).accuracy
        print(f"epoch {number:2}: loss {history.history['loss'][0]:.3f}, validation accuracy {right:.3f}", flush=True)
    bare = build()
    bare.set_weights(model.get_weights())
    return bare


def save_films(folder: Path) -> None:
    """Writes the films to try, whether the network knows what is in them or not."""
    folder.mkdir(exist_ok=True)
    times = np.arange(SECONDS * FILM_RATE) / FILM_RATE
    stills = []
    for number, (name, parts) in enumerate(FILMS.items()):
        random = np.random.default_rng([SEED, number])
        style = look(random)
        frames = [
            Image.fromarray(np.rint(frame * 255).astype(np.uint8))
            for label in parts
            for frame in drawn(label, times, FILM_SIZE, random, style, grain=0)
        ]
        (folder / f"{name}.webm").write_bytes(webm(frames, FILM_RATE, quality=50))
        stills.append(np.asarray(frames[FILM_RATE // 2]))
    Image.fromarray(np.concatenate(stills[:2], axis=1)).save(HERE / "card.png", optimize=True)


def metrics(validated: Measured, held: Measured, mixed: Measured) -> dict[str, object]:
    """The numbers that the page states, and what they were measured with."""
    return {
        **summary(held),
        "accuracy_of_shuffled_frames": round(mixed.accuracy, 4),
        "validation_accuracy": round(validated.accuracy, 4),
        "seed": SEED,
        "films": FILMS,
        "seconds_a_part": SECONDS,
        "labels": LABELS,
        "confusion": held.confusion.tolist(),
        "versions": {
            "keras": keras.__version__,
            "numpy": np.__version__,
            "pillow": PIL.__version__,
            "tensorflow": tf.__version__,
        },
    }


def told(held: Measured, mixed: Measured) -> list[str]:
    """The measured part of the page, line by line."""
    low, high = (percent(end) for end in held.interval())
    return [
        f"Of {held.total} clips of new scenes, {MEASURED} of each class, the network names **{held.right}** right:",
        f"**{percent(held.accuracy)}**, with a 95 % interval from {low} to {high}. With the frames of each clip in",
        f"another order, which leaves all that single frames tell, it names {mixed.right} right.",
        "",
        *by_class("Class", held, LABELS),
    ]


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    save_films(HERE / "samples")
    model = train()
    seen, classes = clips(SEED + 1, MEASURED)
    validated = measure(model, scaled(seen), classes, len(LABELS))
    pictures, classes = clips(SEED + 2, MEASURED)
    held = measure(model, scaled(pictures), classes, len(LABELS))
    mixed = measure(model, scaled(shuffled(pictures)), classes, len(LABELS))
    save(model, HERE / "motion.keras")
    (HERE / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS), "utf-8")
    write_metrics(metrics(validated, held, mixed), held.confusion, HERE / "metrics.json")
    write_between(told(held, mixed), HERE / "index.md")
    print(f"held out: {held.right} of {held.total} right, {held.accuracy:.3f}; shuffled {mixed.accuracy:.3f}")


if __name__ == "__main__":
    main()
