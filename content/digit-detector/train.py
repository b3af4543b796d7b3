"""Trains the detector of this page on pictures of several handwritten digits, and measures it.

Writes, beside itself: digit-detector.keras, samples/, card.png, metrics.json, and the measured part of index.md.
Everything is seeded: a second run on the same machine and the same versions writes the same bytes.

Boxes are ymin, xmin, ymax, xmax in fractions of the picture, as the page takes them.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# TensorFlow's start-up messages would bury the results.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# For what other pages' scripts share.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cards
import keras
import numpy as np
import PIL
import sklearn
import tensorflow as tf
from pens import centred, hand, inked, restyled, skeletons, wobbled
from sheets import Digits, Sheet, as_png, placed, sheets, split
from training import Floats, Ints, Measured, begin, by_class, percent, save, summary, write_between, write_metrics

HERE = Path(__file__).resolve().parent
SEED = 1
SIDE = 96  # pixels of a picture
CELLS = 12  # a side of the grid, each of which may be the middle of a digit
CLASSES = 10
SIZES = (18, 52)  # pixels that a digit takes, at least and at most
PENS = (2, 6)  # pixels that a pen is wide
PEN_SHARE = 0.7  # of the digits, those that are redrawn with a pen
PICTURES = 10_000  # to learn from
MEASURED = 400
SHOWN = 6

EPOCHS = 8
BATCH = 32
RATE = 3e-3

THRESHOLD = 0.4  # from which on the page shows a box
LEAST = 0.05  # what scores less counts nowhere
OVERLAP = 0.5  # intersection over union: of boxes that are the same, and of one that is right


@dataclass(frozen=True)
class Scene:
    """A picture [96, 96], 0..1, its digits' boxes [k, 4], and what they are, [k]."""

    picture: Floats
    boxes: Floats
    digits: Ints


class Pens:
    """Draws some of the digits on sheets: most anew with a pen, the others as they are."""

    def __init__(self, digits: Digits) -> None:
        self._digits = digits
        # One threshold closes the loops of heavy digits, another breaks the lines of faint ones.
        self._lines = [skeletons(16 * digits.images, threshold) for threshold in (0.4, 0.5)]

    def __call__(self, index: int, rng: np.random.Generator) -> Floats:
        """The digit of an index somewhere on an empty sheet: [96, 96], ink 0..1."""
        if rng.random() >= PEN_SHARE:
            return placed(self._digits.images[index], SIDE, SIZES, rng)
        points = self._lines[rng.integers(len(self._lines))][index]
        points = wobbled(restyled(points, int(self._digits.labels[index]), rng) @ hand(rng).T, rng)
        size = rng.uniform(*SIZES)
        # Small digits of a wide pen would be blots.
        width = min(math.exp(rng.uniform(*np.log(PENS))), 0.16 * size)
        longer = size - width
        box = math.ceil(size) + 2
        sheet = np.zeros((SIDE, SIDE))
        top, left = rng.integers(0, SIDE - box + 1, 2)
        sheet[top : top + box, left : left + box] = inked(centred(points, longer), width, box)
        return sheet


def scenes(digits: Digits, count: int, seed: int) -> list[Scene]:
    """So many pictures, the same for the same seed."""
    return [_scene(sheet) for sheet in sheets(digits.labels, Pens(digits), SIDE, count, seed)]


def _scene(sheet: Sheet) -> Scene:
    boxes = [_box(mask) for mask in sheet.masks]
    return Scene(sheet.picture.astype(np.float32), np.array(boxes), np.array(sheet.digits))


def _box(mask: Floats) -> list[float]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return [rows[0] / SIDE, columns[0] / SIDE, (rows[-1] + 1) / SIDE, (columns[-1] + 1) / SIDE]


def middles() -> Floats:
    """The middles of the grid's cells, row by row, as boxes without area: [144, 4]."""
    steps = (np.arange(CELLS) + 0.5) / CELLS
    y, x = (each.ravel() for each in np.meshgrid(steps, steps, indexing="ij"))
    return np.stack([y, x, y, x], axis=1)


def network() -> keras.Model:
    """[n, 96, 96, 1], 0..1 -> boxes [n, 144, 4] and scores [n, 144, 10], 0..1: one of each for every cell.

    A cell tells its box by how far the sides are from its middle (Tian et al., 2019, FCOS). A score is how sure it is
    that there is a digit's middle, times how sure that it is this digit's, so that a cell has no two high ones.
    """
    x = given = keras.Input((SIDE, SIDE, 1))
    for filters, stride in ((12, 2), (16, 1), (24, 2), (32, 1), (48, 2), (64, 1), (64, 1)):
        x = keras.layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    sides, there, digit = (_head(x, size) for size in (4, 1, CLASSES))
    boxes = keras.layers.Rescaling(1 / CELLS, middles().tolist(), name="boxes")(sides)
    scores = [keras.layers.Activation("sigmoid")(there), keras.layers.Softmax()(digit)]
    return keras.Model(given, [boxes, keras.layers.Multiply(name="scores")(scores)])


def _head(x: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """So many numbers for every cell."""
    return keras.layers.Reshape((CELLS * CELLS, size))(keras.layers.Conv2D(size, 1)(x))


def aims(scene: Scene) -> tuple[Floats, Floats]:
    """What the network should say: boxes with how much each counts [144, 5], and scores [144, 10].

    A score is 1 in the cell with a digit's middle, and less around it, as a Gaussian is (Zhou et al., 2019, section 3).
    """
    places = middles()[:, :2]
    boxes, scores = np.zeros((CELLS * CELLS, 5), np.float32), np.zeros((CELLS * CELLS, CLASSES), np.float32)
    for box, digit in zip(scene.boxes, scene.digits, strict=True):
        middle = (box[:2] + box[2:]) / 2
        reach = 0.4 / CELLS + 0.06 * (box[2:] - box[:2]).max()
        own = np.floor(middle * CELLS).astype(int) @ [CELLS, 1]
        near = np.exp(-((places - places[own]) ** 2).sum(axis=1) / (2 * reach**2))
        scores[:, digit] = np.maximum(scores[:, digit], near)
        closer = near > boxes[:, 4]
        boxes[closer] = np.column_stack([np.tile(box, (closer.sum(), 1)), near[closer]])
    return boxes, scores


def box_loss(aim: tf.Tensor, said: tf.Tensor) -> tf.Tensor:
    """What boxes lack in overlap (Yu et al., 2016), and how far their sides are off, in cells, around a middle."""
    true, near = aim[..., :4], aim[..., 4]
    low, high = tf.maximum(true[..., :2], said[..., :2]), tf.minimum(true[..., 2:], said[..., 2:])
    common = tf.reduce_prod(tf.nn.relu(high - low), -1)
    areas = [tf.reduce_prod(tf.nn.relu(box[..., 2:] - box[..., :2]), -1) for box in (true, said)]
    off = tf.reduce_mean(tf.abs(true - said), -1) * CELLS
    lacking = 1 - common / (sum(areas) - common + 1e-6) + off
    return tf.reduce_sum(lacking * near) / tf.reduce_sum(near)


def score_loss(aim: tf.Tensor, said: tf.Tensor) -> tf.Tensor:
    """Cross entropies: of a middle being there, but less so close to one (Law and Deng, 2018), and of digits."""
    near, there = tf.reduce_max(aim, -1), tf.clip_by_value(tf.reduce_sum(said, -1), 1e-6, 1 - 1e-6)
    middle = tf.cast(near > 0.999, tf.float32)
    hit = middle * tf.math.log(there)
    miss = (1 - middle) * (1 - near) ** 4 * tf.math.log(1 - there)
    sure = tf.math.log(tf.clip_by_value(said / there[..., None], 1e-6, 1))
    named = tf.reduce_sum(aim * sure, -1) * tf.cast(near > 0.5, tf.float32)
    return -tf.reduce_sum(hit + miss + named) / tf.reduce_sum(middle)


def train(made: Sequence[Scene]) -> keras.Model:
    """A network that has seen each picture eight times."""
    given = np.stack([each.picture for each in made])[..., None]
    aimed = [aims(each) for each in made]
    boxes, scores = (np.stack(part) for part in zip(*aimed, strict=True))
    model = network()
    steps = EPOCHS * math.ceil(len(given) / BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(RATE, steps)
    model.compile(keras.optimizers.Adam(schedule), loss=[box_loss, score_loss])
    model.fit(given, [boxes, scores], batch_size=BATCH, epochs=EPOCHS, verbose=0)
    # Without the optimizer's memory.
    return keras.Model(model.inputs, model.outputs)


@dataclass(frozen=True)
class Box:
    """A box that was found."""

    digit: int
    score: float
    sides: Floats  # [4]


def found(model: keras.Model, pictures: Floats) -> list[list[Box]]:
    """What the page finds in pictures [n, 96, 96], best first: without those that overlap a better one of the digit."""
    boxes, scores = model.predict(pictures[..., None], batch_size=50, verbose=0)
    return [_kept(*each) for each in zip(boxes, scores, strict=True)]


def _kept(boxes: Floats, scores: Floats) -> list[Box]:
    kept: list[Box] = []
    for index in np.argsort(-scores, axis=None, kind="stable"):
        cell, digit = divmod(int(index), CLASSES)
        if scores[cell, digit] < LEAST:
            break
        same = [one for one in kept if one.digit == digit]
        if all(overlap(one.sides, boxes[cell]) <= OVERLAP for one in same):
            kept.append(Box(digit, float(scores[cell, digit]), boxes[cell]))
    return kept


def overlap(one: Floats, other: Floats) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    return common / float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common)


def average_precision(made: Sequence[Scene], said: Sequence[Sequence[Box]], digit: int) -> float:
    """The area under precision over recall, of boxes of one digit that overlap one by half (Everingham et al., 2010).

    Precision is made to fall, and the area is exact, as in the PASCAL VOC challenge since 2010.
    """
    rows = sorted(
        ((box.score, number, box) for number, boxes in enumerate(said) for box in boxes if box.digit == digit),
        key=lambda row: -row[0],
    )
    there = {(n, k) for n, scene in enumerate(made) for k, what in enumerate(scene.digits) if what == digit}
    left, hits = set(there), []
    for _, number, box in rows:
        overlaps = {(n, k): overlap(box.sides, made[n].boxes[k]) for n, k in there if n == number}
        best = max(overlaps, key=lambda one: overlaps[one], default=None)
        hits.append(best in left and overlaps[best] >= OVERLAP)
        if hits[-1]:
            left.discard(best)
    right = np.cumsum(hits)
    recall, precision = right / len(there), right / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * falling))


@dataclass(frozen=True)
class Found:
    """What came of measuring: the mean average precision, what each digit's best box says, and boxes around nothing.

    Of `digits`, the last column counts those that no box that is shown overlaps by half.
    """

    precision: float
    digits: Measured
    surplus: int


def measured(model: keras.Model, made: Sequence[Scene]) -> Found:
    """Holds the network against pictures that it has not seen."""
    said = found(model, np.stack([each.picture for each in made]))
    precision = float(np.mean([average_precision(made, said, digit) for digit in range(CLASSES)]))
    confusion = np.zeros((CLASSES, CLASSES + 1), int)
    surplus = 0
    for each, boxes in zip(made, said, strict=True):
        shown = [box for box in boxes if box.score >= THRESHOLD]
        taken = set()
        for truth, digit in zip(each.boxes, each.digits, strict=True):
            over = [box for box in shown if overlap(box.sides, truth) >= OVERLAP]
            taken |= {id(box) for box in over[:1]}
            confusion[digit, over[0].digit if over else CLASSES] += 1
        surplus += len(shown) - len(taken)
    return Found(precision, Measured(confusion), surplus)


def told(held: Found, pictures: int) -> list[str]:
    """The measured part of the page, line by line."""
    digits = held.digits
    low, high = (percent(end) for end in digits.interval())
    return [
        f"Of {digits.total} digits in {pictures} new pictures, none of which it has seen before,",
        f"**{digits.right}** get a box that fits and the right name: **{percent(digits.accuracy)}** (95 % interval:",
        f"{low} to {high}). It shows {held.surplus} boxes too many. The mean average precision, for which every score",
        f"counts and a box has to overlap a digit's own by half (mAP@0.5), is **{held.precision:.3f}**.",
        "",
        *by_class("Digit", digits, [*map(str, range(CLASSES)), "nothing"], ":---:"),
    ]


def main() -> None:
    """Trains, measures and writes every file."""
    begin(SEED)
    training, validation, held_out = split()
    model = train(scenes(training, PICTURES, SEED))
    validated = measured(model, scenes(validation, MEASURED, SEED + 1))
    made = scenes(held_out, MEASURED, SEED + 2)
    held = measured(model, made)
    save(model, HERE / "digit-detector.keras")
    shown = [each for each in made if len(each.digits) >= 3][:SHOWN]
    save_samples(shown, HERE / "samples")
    save_card(model, made, HERE / "card.png")
    metrics = {
        **summary(held.digits),
        "map_50": round(held.precision, 4),
        "surplus": held.surplus,
        "validation_accuracy": round(validated.digits.accuracy, 4),
        "validation_map_50": round(validated.precision, 4),
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
    print(f"held out: {held.digits.right} of {held.digits.total}, {held.digits.accuracy:.3f}, mAP {held.precision:.3f}")


def save_card(model: keras.Model, made: Sequence[Scene], path: Path) -> None:
    """Writes the first two pictures with several digits that are all named right, with their boxes, side by side."""
    chosen: list[tuple[Scene, list[Box]]] = []
    for scene, boxes in zip(made, found(model, np.stack([each.picture for each in made])), strict=True):
        shown = [box for box in boxes if box.score >= THRESHOLD]
        if len(shown) >= 3 and sorted(box.digit for box in shown) == sorted(scene.digits) and len(chosen) < 2:
            chosen.append((scene, shown))
    rows = []
    for number, (_, shown) in enumerate(chosen):
        for box in shown:
            top, left, bottom, right = box.sides
            sides = [top, (left + number) / len(chosen), bottom, (right + number) / len(chosen)]
            rows.append((str(box.digit), cards.INKS[box.digit % len(cards.INKS)], sides))
    cards.boxes(as_png(np.hstack([scene.picture for scene, _ in chosen]), 10), rows, path)


def save_samples(made: Sequence[Scene], folder: Path) -> None:
    """Writes pictures three times as large."""
    folder.mkdir(exist_ok=True)
    for number, each in enumerate(made, start=1):
        as_png(each.picture, 3).save(folder / f"{number}.png", optimize=True)


if __name__ == "__main__":
    main()
