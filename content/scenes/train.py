"""Trains the network of this page on parts of photographs that Python packages bring along, and measures it on others.

Writes, beside itself: scenes.keras, labels.txt, samples/*.png, metrics.json, and the measured part of index.md.
Everything is seeded: a second run on the same machine and the same versions writes the same bytes.

Needs scikit-image and scikit-learn for their photographs. Photographs are [y, x, 3], 0..255; the network's pictures are
[64, 64, 3], 0..1. Boxes and lengths are in pixels of the photographs.
"""

from __future__ import annotations

import colorsys
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# TensorFlow's start-up messages would bury the results.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# For training.py, which other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import skimage
import sklearn
import tensorflow as tf
from PIL import Image
from scipy import ndimage
from skimage import data
from sklearn.datasets import load_sample_image
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

Box = tuple[int, int, int, int]  # left, top, right, bottom
Photos = Mapping[str, Image.Image]

HERE = Path(__file__).resolve().parent
SEED = 1
SIDE = 64
GAP = 4  # between boxes of different parts
LEAST = 48  # the side of the smallest square: less shows too little to tell anything by

EPOCHS = 45
EACH = 120  # pictures of a class in an epoch
MEASURED = 50  # pictures of a class to measure with
BATCH = 32
RATE = 3e-3


@dataclass(frozen=True)
class Area:
    """Where a photograph shows a class: boxes to learn from, to tune with, and to measure on."""

    photo: str
    train: Sequence[Box]
    validation: Sequence[Box]
    held_out: Sequence[Box]


def strips(photo: str, width: int, height: int) -> Area:
    """A photograph of one thing: the left 60 % to learn from, 15 % to tune with, and the right 25 % held out."""
    first, second = round(0.6 * width), round(0.75 * width)
    half = GAP // 2
    return Area(
        photo,
        [(0, 0, first - half, height)],
        [(first + half, 0, second - half, height)],
        [(second + half, 0, width, height)],
    )


AREAS: Mapping[str, Sequence[Area]] = {
    "brick": [strips("brick", 512, 512)],
    "cat": [Area("chelsea", [(0, 0, 205, 300)], [(209, 0, 262, 290)], [(266, 0, 365, 245)])],
    "coins": [strips("coins", 384, 303)],
    "grass": [
        strips("grass", 512, 512),
        Area("camera", [(365, 255, 512, 345)], [(385, 349, 512, 403)], [(410, 410, 512, 512)]),
    ],
    "gravel": [strips("gravel", 512, 512)],
    "leaves": [
        Area(
            "china",
            [(0, 345, 122, 427), (385, 330, 486, 427)],
            [(490, 300, 541, 427)],
            [(126, 345, 192, 427), (545, 290, 640, 427)],
        ),
    ],
    "petals": [Area("flower", [(180, 110, 318, 335)], [(322, 95, 372, 345)], [(376, 140, 440, 300)])],
    "sky": [
        Area("rocket", [(95, 0, 170, 330), (210, 0, 305, 330)], [(345, 0, 432, 330)], [(470, 0, 555, 330)]),
        Area("china", [(335, 0, 500, 190)], [(508, 0, 568, 130)], [(576, 0, 640, 130)]),
        Area("camera", [(0, 0, 140, 100)], [(290, 0, 350, 110)], [(358, 0, 512, 105)]),
    ],
    "wood": [
        Area(
            "coffee",
            [(482, 0, 600, 200), (0, 225, 76, 400)],
            [(482, 206, 600, 262)],
            [(0, 120, 76, 217), (482, 268, 600, 400)],
        ),
    ],
    "writing": [strips("text", 448, 172), strips("page", 384, 191)],
}
LABELS = list(AREAS)
PARTS = ("train", "validation", "held_out")

# The colours that grey photographs are given: from and to which hue, 0 to 1, and how strong at most.
TINTS = {
    "brick": (-0.03, 0.1, 0.7),
    "coins": (0.04, 0.16, 0.6),
    "grass": (0.13, 0.38, 0.7),
    "gravel": (0.04, 0.14, 0.35),
    "sky": (0.52, 0.65, 0.7),
    "writing": (0.08, 0.17, 0.25),
}


def photographs() -> Photos:
    """Every photograph by name; grey ones have three times the same channel."""
    names = sorted({area.photo for areas in AREAS.values() for area in areas})
    pixels = {
        name: load_sample_image(f"{name}.jpg") if name in ("china", "flower") else getattr(data, name)()
        for name in names
    }
    return {name: Image.fromarray(photo).convert("RGB") for name, photo in pixels.items()}


def check_apart() -> None:
    """Stops where boxes of different parts come closer than GAP in a photograph."""
    boxes = [
        (area.photo, part, box)
        for areas in AREAS.values()
        for area in areas
        for part in PARTS
        for box in getattr(area, part)
    ]
    for photo, part, (left, top, right, bottom) in boxes:
        for other, another, box in boxes:
            far = max(box[0] - right, left - box[2], box[1] - bottom, top - box[3])
            if photo == other and part != another and far < GAP:
                raise SystemExit(f"{photo}: {part} and {another} are {far} pixels apart")


def square(photo: Image.Image, box: Box, share: float, place: tuple[float, float], angle: float = 0.0) -> Floats:
    """A square out of a box, as the network sees it.

    Its side lies between LEAST and the most that fits, by `share` from 0 to 1, and its place between the top left and
    the bottom right, by `place`. It is turned by `angle` degrees, and what it shows lies inside the box all the same.
    """
    left, top, right, bottom = box
    turn = math.radians(angle)
    # Side of the upright square around a turned one of side 1.
    wide = abs(math.cos(turn)) + abs(math.sin(turn))
    most = min(right - left, bottom - top)
    side = min(most, wide * LEAST * (most / wide / LEAST) ** share)
    x, y = left + place[0] * (right - left - side), top + place[1] * (bottom - top - side)
    # Two more than the turned square needs: its corners fall between pixels.
    pixels = math.ceil(SIDE * wide) + 2 if angle else SIDE
    whole = photo.resize((pixels, pixels), Image.Resampling.BICUBIC, (x, y, x + side, y + side))
    if angle:
        whole = whole.rotate(angle, Image.Resampling.BICUBIC)
    edge = (pixels - SIDE) // 2
    return np.asarray(whole.crop((edge, edge, edge + SIDE, edge + SIDE)), np.float32) / 255


def drawn(photos: Photos, label: str, part: str, rng: np.random.Generator, turned: bool) -> Floats:
    """Any square of a class; each photograph is as likely, and in it each box by its area."""
    areas = AREAS[label]
    area = areas[rng.integers(len(areas))]
    boxes: Sequence[Box] = getattr(area, part)
    sizes = np.array([(right - left) * (bottom - top) for left, top, right, bottom in boxes])
    box = boxes[rng.choice(len(boxes), p=sizes / sizes.sum())]
    share, x, y = rng.random(3)
    return square(photos[area.photo], box, share, (x, y), rng.normal(0, 12) if turned else 0.0)


def plain(photos: Photos, part: str) -> tuple[Floats, Ints]:
    """Squares to measure with, as the photographs are: [n, 64, 64, 3] and their classes [n]."""
    rng = np.random.default_rng(SEED)
    pictures = [drawn(photos, label, part, rng, turned=False) for label in LABELS for _ in range(MEASURED)]
    return np.stack(pictures), np.repeat(np.arange(len(LABELS)), MEASURED)


def varied(picture: Floats, label: str, rng: np.random.Generator) -> Floats:
    """A picture as another camera might have taken it, in another light."""
    picture = np.rot90(picture, rng.integers(4))
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    picture = coloured(picture, label, rng)
    if rng.random() < 0.4:
        sigma = rng.uniform(0.3, 1.5)
        picture = ndimage.gaussian_filter(picture, (sigma, sigma, 0))
    # Light from one side, white balance, exposure, contrast.
    slope = rng.normal(0, 0.15, 2).astype(np.float32)
    steps = np.linspace(-1, 1, SIDE, dtype=np.float32)
    light = 1 + slope[0] * steps[:, None, None] + slope[1] * steps[None, :, None]
    gains = np.exp(rng.normal(0, 0.1, 3) + rng.normal(0, 0.3)).astype(np.float32)
    picture = np.clip(picture, 0, 1) ** np.float32(math.exp(rng.normal(0, 0.3))) * light * gains
    middle = picture.mean()
    picture = middle + (picture - middle) * np.float32(math.exp(rng.normal(0, 0.25)))
    grain = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(0, 0.05))
    return np.clip(picture + grain, 0, 1)


def coloured(picture: Floats, label: str, rng: np.random.Generator) -> Floats:
    """A grey picture tinted as its class may be, and now and then any picture without its colours.

    Seven of the twelve photographs are grey: without both, classes would be told by whether they have colours.
    """
    grey = (picture @ np.full(3, 1 / 3, np.float32))[..., None]
    if rng.random() < 0.2:
        return np.repeat(grey, 3, axis=2)
    if np.abs(picture - grey).max() > 0.02:
        return picture
    low, high, strength = TINTS[label]
    tint = colorsys.hsv_to_rgb(rng.uniform(low, high) % 1, rng.uniform(0, strength), 1)
    return grey * np.array(tint, np.float32)


def epoch(photos: Photos, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """New pictures to learn from, [n, 64, 64, 3], and their classes [n]."""
    pictures = [varied(drawn(photos, label, "train", rng, turned=True), label, rng) for label in LABELS * EACH]
    return np.stack(pictures), np.tile(np.arange(len(LABELS)), EACH)


def build() -> keras.Model:
    """The network: [n, 64, 64, 3], 0..1 -> [n, 10], the probability of each class."""
    layers = keras.layers
    x = inputs = keras.Input((SIDE, SIDE, 3), name="picture")
    for number, filters in enumerate((16, 32, 48, 64, 96), start=1):
        stride = 2 if number == 1 else 1
        x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
        if number in (2, 3):
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    outputs = layers.Dense(len(LABELS), activation="softmax", name="class")(x)
    return keras.Model(inputs, outputs, name="scenes")


def train(photos: Photos) -> keras.Model:
    """A trained network without its optimizer."""
    rng = np.random.default_rng(SEED)
    seen, labels = plain(photos, "validation")
    steps = math.ceil(EACH * len(LABELS) / BATCH) * EPOCHS
    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, steps)),
        loss="sparse_categorical_crossentropy",
    )
    for number in range(1, EPOCHS + 1):
        pictures, classes = epoch(photos, rng)
        history = model.fit(pictures, classes, batch_size=BATCH, verbose=0)
        if number % 5 == 0:
            right = measure(model, seen, labels, len(LABELS)).accuracy
            print(f"epoch {number:2}: loss {history.history['loss'][0]:.3f}, validation accuracy {right:.3f}")
    bare = build()
    bare.set_weights(model.get_weights())
    return bare


def save_samples(photos: Photos, folder: Path) -> None:
    """Writes the largest held-out square of each class's first photograph, whether the network knows it or not."""
    folder.mkdir(exist_ok=True)
    for label, (area, *_) in AREAS.items():
        left, top, right, bottom = max(area.held_out, key=lambda box: min(box[2] - box[0], box[3] - box[1]))
        side = min(right - left, bottom - top)
        x, y = (left + right - side) // 2, (top + bottom - side) // 2
        photos[area.photo].crop((x, y, x + side, y + side)).save(folder / f"{label}.png", optimize=True)


def metrics(validated: Measured, held: Measured, grey: Measured) -> dict[str, object]:
    """The numbers that the page states, and what they were measured with."""
    return {
        **summary(held),
        "accuracy_without_colours": round(grey.accuracy, 4),
        "validation_accuracy": round(validated.accuracy, 4),
        "seed": SEED,
        "labels": LABELS,
        "confusion": held.confusion.tolist(),
        "versions": {
            "keras": keras.__version__,
            "numpy": np.__version__,
            "scikit-image": skimage.__version__,
            "scikit-learn": sklearn.__version__,
            "tensorflow": tf.__version__,
        },
    }


def told(held: Measured, grey: Measured) -> list[str]:
    """The measured part of the page, line by line."""
    low, high = (percent(end) for end in held.interval())
    return [
        f"Of {held.total} squares out of the held-out parts, {MEASURED} of each class, the network names",
        f"**{held.right}** right: **{percent(held.accuracy)}**, with a 95 % interval from {low} to {high}. With all",
        f"colour taken out of them, it names {grey.right} right.",
        "",
        *by_class("Class", held, LABELS),
    ]


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    check_apart()
    photos = photographs()
    model = train(photos)
    validated = measure(model, *plain(photos, "validation"), len(LABELS))
    pictures, labels = plain(photos, "held_out")
    held = measure(model, pictures, labels, len(LABELS))
    grey = measure(model, np.repeat(pictures.mean(axis=3, keepdims=True), 3, axis=3), labels, len(LABELS))
    save(model, HERE / "scenes.keras")
    (HERE / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS), "utf-8")
    save_samples(photos, HERE / "samples")
    write_metrics(metrics(validated, held, grey), held.confusion, HERE / "metrics.json")
    write_between(told(held, grey), HERE / "index.md")
    print(f"held out: {held.right} of {held.total} right, {held.accuracy:.3f}; without colours {grey.accuracy:.3f}")


if __name__ == "__main__":
    main()
