"""Trains the network of this page on simulated sounds, and measures it.

Writes, beside itself: sounds.keras, labels.txt, samples/*.wav, picture.webp, metrics.json, and the measured part of
index.md. Everything is seeded: a second run on the same machine and the same versions writes the same bytes.
"""

from __future__ import annotations

import os
import sys
import wave
from pathlib import Path

# TensorFlow's start-up messages would bury the results.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# For training.py, which other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from synthesis import CLASSES, RATE, clip
from training import (
    Floats,
    Ints,
    Measured,
    begin,
    by_class,
    measure,
    percent,
    save,
    summary,
    write_between,
    write_metrics,
)

HERE = Path(__file__).resolve().parent
SEED = 1
LABELS = list(CLASSES)
# What the page's front matter says, in samples and Hz.
FRAME, HOP, MELS, LOW, HIGH, LOG_OFFSET = 480, 320, 40, 60.0, 7600.0, 1e-3

EACH = {"train": 500, "validation": 50, "held_out": 100}
RATIOS = (0.0, 40.0)  # dB, sound to noise
LOUD = -6.0  # dB: four times as much noise as sound, of which it has learned nothing
EPOCHS = 14
BATCH = 64
LEARNING_RATE = 3e-3
SAMPLE_SECONDS = 1.5
SAMPLES = ("bell", "claps", "engine", "rising", "tone")
SCENE = ("noise", "falling", "quiet", "bell")


def features(sounds: Floats) -> Floats:
    """Log-mel spectrograms, [n, samples] -> [n, frames, MELS, 1], as the page computes them."""
    spectrum = tf.abs(tf.signal.stft(tf.constant(sounds, tf.float32), FRAME, HOP))
    weights = tf.signal.linear_to_mel_weight_matrix(MELS, spectrum.shape[-1], RATE, LOW, HIGH)
    return tf.math.log(spectrum @ weights + LOG_OFFSET).numpy()[..., None]


def clips(each: int, seed: int, ratios: tuple[float, float] = RATIOS) -> tuple[Floats, Ints]:
    """Recordings of a second, `each` of every class, [n, RATE], and their classes [n]."""
    rng = np.random.default_rng([SEED, seed])
    labels = np.tile(np.arange(len(LABELS)), each)
    # The middle of a second and a half: sounds begin and end beyond the window.
    cut = slice(RATE // 4, RATE // 4 + RATE)
    sounds = np.stack([clip(LABELS[label], 1.5, rng.uniform(*ratios), rng)[cut] for label in labels])
    return sounds.astype(np.float32), labels


def build() -> keras.Model:
    """[N, 49, 40, 1] -> 8 probabilities: three convolutions, each normalised and halved, and one dense layer."""
    layers: list[keras.layers.Layer] = [
        keras.Input((1 + (RATE - FRAME) // HOP, MELS, 1)),
        # Nothing has to be known of how large the numbers are.
        keras.layers.BatchNormalization(),
    ]
    for filters in (12, 24, 32):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(2),
        ]
    layers += [
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(0.1),
        keras.layers.Dense(len(LABELS), activation="softmax"),
    ]
    return keras.Sequential(layers)


def train() -> keras.Model:
    """Learns from the training sounds; tells how that goes by those for validation."""
    sounds, labels = clips(EACH["train"], 0)
    seen, known = clips(EACH["validation"], 1)
    model = build()
    steps = EPOCHS * -(-len(labels) // BATCH)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        features(sounds),
        labels,
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=(features(seen), known),
        verbose=2,
    )
    bare = build()
    bare.set_weights(model.get_weights())
    return bare


def measured(model: keras.Model, part: int, ratios: tuple[float, float] = RATIOS) -> Measured:
    """Counts what the network names new sounds, whose seed is the part's."""
    sounds, labels = clips(EACH["held_out"], part, ratios)
    return measure(model, features(sounds), labels, len(LABELS))


def samples() -> dict[str, Floats]:
    """The first sound of some classes from a seed that is used for nothing else, and four that follow one another."""
    rng = np.random.default_rng([SEED, 4])
    made = {label: clip(label, SAMPLE_SECONDS, 30, rng) for label in SAMPLES}
    parts = [clip(label, 2, 30, rng) for label in SCENE]
    return {**made, "one-after-another": np.concatenate(parts)}


def save_sounds(sounds: dict[str, Floats], folder: Path) -> None:
    """Writes WAV files, 16 bits a sample."""
    folder.mkdir(exist_ok=True)
    for name, sound in sounds.items():
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())


def save_picture(sound: Floats, path: Path) -> None:
    """Draws the spectrogram of a sound for the page's card: 480 x 240 pixels, low frequencies at the bottom."""
    mels = features(sound[None])[0, :, ::-1, 0].T
    share = np.clip(1 - (mels.max() - mels) / 8, 0, 1)
    stops = np.array([[11, 16, 38], [54, 42, 125], [170, 52, 120], [240, 124, 74], [255, 240, 176]])
    colours = np.stack([np.interp(share, np.linspace(0, 1, len(stops)), stops[:, c]) for c in range(3)], axis=-1)
    picture = Image.fromarray(np.rint(colours).astype(np.uint8)).resize((480, 240), Image.Resampling.BICUBIC)
    picture.save(path, "WEBP", quality=85, method=6)


def metrics(validated: Measured, held: Measured, loud: Measured) -> dict[str, object]:
    """The numbers that the page states, and what they were measured with."""
    return {
        **summary(held),
        "validation_accuracy": round(validated.accuracy, 4),
        "accuracy_in_loud_noise": round(loud.accuracy, 4),
        "made": {name: each * len(LABELS) for name, each in EACH.items()},
        "seed": SEED,
        "labels": LABELS,
        "confusion": held.confusion.tolist(),
        "versions": {
            "keras": keras.__version__,
            "numpy": np.__version__,
            "tensorflow": tf.__version__,
        },
    }


def told(held: Measured, loud: Measured) -> list[str]:
    """The measured part of the page, line by line."""
    low, high = held.interval()
    return [
        f"Of {held.total} new sounds from the same simulation, {EACH['held_out']} of each class, the network names",
        f"**{held.right}** right: **{percent(held.accuracy)}**, with a 95 % interval from {percent(low)} to",
        f"{percent(high)}. Where noise has four times the power of the sound, which it never had in training, it",
        f"names {percent(loud.accuracy)} right.",
        "",
        *by_class("Class", held, LABELS),
    ]


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    model = train()
    validated, held = measured(model, 1), measured(model, 2)
    loud = measured(model, 3, (LOUD, LOUD))
    save(model, HERE / "sounds.keras")
    (HERE / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS), "utf-8")
    sounds = samples()
    save_sounds(sounds, HERE / "samples")
    save_picture(sounds["one-after-another"], HERE / "picture.webp")
    write_metrics(metrics(validated, held, loud), held.confusion, HERE / "metrics.json")
    write_between(told(held, loud), HERE / "index.md")
    print(f"held out: {held.right} of {held.total} right; {loud.right} in loud noise")


if __name__ == "__main__":
    main()
