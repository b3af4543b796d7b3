"""Makes the small models that tests read; run it again when Keras's format changes: python tests/models/make.py."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent


def tiny() -> keras.Model:
    """[N, 6, 6, 1] -> 3 classes: one convolution, random weights."""
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def table() -> keras.Model:
    """[N, 4] -> 2 classes: no pictures go in."""
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])


def named() -> keras.Model:
    """age [N, 1] and colour [N, 1], the index of one of two, -> a number."""
    age = keras.Input((1,), name="age")
    colour = keras.Input((1,), name="colour", dtype="int32")
    taste = keras.layers.Flatten()(keras.layers.Embedding(2, 3)(colour))
    both = keras.layers.Concatenate()([age, taste])
    return keras.Model([age, colour], keras.layers.Dense(1)(keras.layers.Dense(4, activation="tanh")(both)))


def means() -> keras.Model:
    """[N, 6, 6, 3] -> 3 numbers: slopes, but nothing is multiplied with a matrix."""
    slopes = keras.layers.PReLU(alpha_initializer="glorot_uniform", shared_axes=[1, 2])
    return keras.Sequential([keras.Input((6, 6, 3)), slopes, keras.layers.GlobalAveragePooling2D()])


def clip() -> keras.Model:
    """[N, 4, 2, 2, 1] -> 3 classes: clips of four frames."""
    mean = keras.layers.GlobalAveragePooling3D()
    return keras.Sequential([keras.Input((4, 2, 2, 1)), mean, keras.layers.Dense(3, activation="softmax")])


def code() -> keras.Model:
    """A model with Python code inside, which no page may run."""
    return keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Flatten()])


def save(model: keras.Model, name: str) -> None:
    """Writes the file with the zip's times taken out, so that the same model is the same file."""
    path = HERE / name
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    keras.utils.set_random_seed(7)
    save(tiny(), "tiny.keras")
    save(table(), "table.keras")
    save(code(), "code.keras")
    save(means(), "means.keras")
    save(clip(), "clip.keras")
    save(named(), "named.keras")
    whole = (HERE / "tiny.keras").read_bytes()
    (HERE / "truncated.keras").write_bytes(whole[: len(whole) * 2 // 3])
    damaged = np.frombuffer(whole, np.uint8).copy()
    # Inside the compressed weights: the zip's directory stays whole.
    damaged[len(whole) // 2] ^= 0xFF
    (HERE / "damaged.keras").write_bytes(damaged.tobytes())
