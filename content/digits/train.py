"""Trains the digits demo's network and measures it. Run it again at any time: python content/digits/train.py

Data: the Optical Recognition of Handwritten Digits test set (E. Alpaydin and C. Kaynak, UCI, 1998) as scikit-learn
bundles it: 1,797 pictures of 8 x 8 pixels, each the ink (0..16) counted in one 4 x 4 block of a 32 x 32 bitmap.

A fifth of the pictures is held out, stratified by digit, and looked at once, at the end. Another tenth decides which
epoch is kept. Training pictures are turned, slanted, stretched, moved and blurred, because what people draw in a
browser is not written on NIST's forms.

Writes digits.keras, labels.txt, samples/, metrics.json, and the numbers between the markers in index.md.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
SEED = 20
EPOCHS = 40
BATCH = 64
COPIES = 6  # distorted copies of each training picture in an epoch
Pictures = NDArray[np.float32]  # [N, 8, 8, 1], ink from 0 to 1
Labels = NDArray[np.int64]  # [N], 0 to 9


def split() -> tuple[tuple[Pictures, Labels], tuple[Pictures, Labels], tuple[Pictures, Labels]]:
    """Training, validation and held-out pictures with their labels."""
    digits = load_digits()
    pictures = (digits.images[..., None] / 16).astype(np.float32)
    labels = digits.target.astype(np.int64)
    rest, held, rest_labels, held_labels = train_test_split(
        pictures, labels, test_size=0.2, stratify=labels, random_state=SEED
    )
    train, valid, train_labels, valid_labels = train_test_split(
        rest, rest_labels, test_size=0.125, stratify=rest_labels, random_state=SEED
    )
    return (train, train_labels), (valid, valid_labels), (held, held_labels)


def distorted(pictures: Pictures, random: np.random.Generator) -> Pictures:
    """Each picture once, changed by a random affine map and a random pen, as 8 x 8 pixels again."""
    out = np.empty_like(pictures)
    for index, picture in enumerate(pictures[..., 0]):
        fine = ndimage.zoom(picture, 4, order=1, mode="grid-constant", grid_mode=True)
        angle, shear = random.normal(0, 0.13), random.normal(0, 0.15)
        stretch = np.exp(random.normal(0, 0.1, 2))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = turn @ np.array([[1, 0], [shear, 1]]) @ np.diag(stretch)
        center = np.array([15.5, 15.5])
        offset = center - matrix @ (center + random.normal(0, 1.5, 2))
        moved = ndimage.affine_transform(fine, matrix, offset, order=1)
        pen = random.uniform(0, 1)
        if pen < 0.3:
            moved = ndimage.grey_dilation(moved, size=(3, 3))
        elif pen < 0.6:
            # Thinner, with hard edges: a pen of one width.
            moved = np.clip((ndimage.gaussian_filter(moved, 1.0) - 0.3) * 3, 0, 1)
        moved = ndimage.gaussian_filter(moved, random.uniform(0.0, 2.5))
        blocks = moved.reshape(8, 4, 8, 4).mean(axis=(1, 3))
        out[index, ..., 0] = np.clip(blocks / max(blocks.max(), 0.3) * random.uniform(0.75, 1.0), 0, 1)
    return out


def network() -> keras.Model:
    """[N, 8, 8, 1] -> ten probabilities: three convolutions, 24 thousand parameters."""

    def convolution(count: int) -> list[keras.Layer]:
        return [
            keras.layers.Conv2D(count, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
        ]

    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="picture"),
            *convolution(24),
            *convolution(24),
            keras.layers.MaxPooling2D(),
            *convolution(48),
            keras.layers.Dropout(0.3),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax", name="digit"),
        ]
    )


def train(training: tuple[Pictures, Labels], validation: tuple[Pictures, Labels]) -> keras.Model:
    """The network after the epoch that did best on the validation pictures."""
    random = np.random.default_rng(SEED)
    pictures, labels = training
    model = network()
    steps = EPOCHS * (len(pictures) * (COPIES + 1) // BATCH)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    best, weights = np.inf, model.get_weights()
    for _ in range(EPOCHS):
        copies = [pictures, *(distorted(pictures, random) for _ in range(COPIES))]
        order = random.permutation(len(labels) * len(copies))
        model.fit(
            np.concatenate(copies)[order],
            np.tile(labels, len(copies))[order],
            batch_size=BATCH,
            shuffle=False,
            verbose=0,
        )
        loss = model.evaluate(*validation, verbose=0)[0]
        if loss < best:
            best, weights = loss, model.get_weights()
    model.set_weights(weights)
    return model


def save(model: keras.Model, path: Path) -> None:
    """Writes the model without its optimizer; the zip's times are left out, so that the same model is the same file."""
    plain = network()
    plain.set_weights(model.get_weights())
    plain.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"])
    metadata["date_saved"] = ""
    members["metadata.json"] = json.dumps(metadata).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    path.write_bytes(out.getvalue())


def save_samples(pictures: Pictures, labels: Labels) -> None:
    """The first held-out picture of each digit, right or wrong, as dark ink on white paper."""
    folder = HERE / "samples"
    folder.mkdir(exist_ok=True)
    for digit in range(10):
        ink = pictures[np.flatnonzero(labels == digit)[0], ..., 0]
        Image.fromarray(np.round(255 * (1 - ink)).astype(np.uint8)).save(folder / f"{digit}.png", optimize=True)


def write_page(accuracy: float, right: int, confused: list[tuple[int, int, int]], sizes: dict[str, int]) -> None:
    """Puts what was measured between the markers of the page."""
    page = HERE / "index.md"
    mistakes = [f"{was} → {said}" + (f" ({count} times)" if count > 1 else "") for was, said, count in confused]
    text = (
        f"**{accuracy:.1%}** of {sizes['held_out']} pictures that were kept out of training: {right} right. "
        f"The mistakes, digit → answer: {', '.join(mistakes) or 'none'}."
    )
    marked = re.compile(r"(<!-- measured -->\n).*?(<!-- /measured -->)", re.S)
    page.write_text(marked.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page.read_text("utf-8")), "utf-8")


def main() -> None:
    """Trains, measures, writes."""
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    training, validation, held = split()
    model = train(training, validation)
    said = model.predict(held[0], verbose=0).argmax(axis=1)
    right = int((said == held[1]).sum())
    accuracy = right / len(held[1])
    pairs = [(int(was), int(now)) for was, now in zip(held[1], said, strict=True) if was != now]
    confused = [(*pair, pairs.count(pair)) for pair in sorted(set(pairs))]
    sizes = {"training": len(training[1]), "validation": len(validation[1]), "held_out": len(held[1])}
    save(model, HERE / "digits.keras")
    save_samples(*held)
    (HERE / "labels.txt").write_text("".join(f"{digit}\n" for digit in range(10)))
    metrics = {
        "accuracy": round(accuracy, 4),
        "right": right,
        **sizes,
        "parameters": model.count_params(),
        "seed": SEED,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    write_page(accuracy, right, confused, sizes)
    print(json.dumps(metrics))


if __name__ == "__main__":
    main()
