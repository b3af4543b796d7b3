"""Sheets with several handwritten digits, none of which touch: what several pages' networks learn from.

Pictures are [y, x], their ink is 1 and their paper 0; the pages turn dark ink on white into that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from pens import CELLS
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_digits
from training import Floats, Ints, split_rows

MOST = 5  # digits on a sheet
INK = 0.35  # from which on a pixel is the digit's
TRIES = 40  # for a place where a digit touches no other

# Puts the digit of an index somewhere on an empty sheet: [side, side], ink 0..1.
Draw = Callable[[int, np.random.Generator], Floats]


@dataclass(frozen=True)
class Digits:
    """Some of scikit-learn's digits: images [n, 8, 8], 0..1; labels [n], 0..9."""

    images: Floats
    labels: Ints


@dataclass(frozen=True)
class Sheet:
    """A picture [side, side], 0..1, as a camera sees it.

    `digits` are what its digits are, [k], and `masks` where each has ink, [k, side, side].
    """

    picture: Floats
    masks: list[Floats]
    digits: list[int]


def split() -> tuple[Digits, Digits, Digits]:
    """Training, validation and held-out digits: 64, 16 and 20 % of each class, as for single digits."""
    bunch = load_digits()
    made = [Digits(bunch.images[rows] / 16, bunch.target[rows]) for rows in split_rows(bunch.target)]
    return made[0], made[1], made[2]


def sheets(labels: Ints, draw: Draw, side: int, count: int, seed: int) -> Iterator[Sheet]:
    """So many sheets of one to five digits, of which `labels` says what they are; the same for the same seed."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield _sheet(labels, draw, side, rng)


def _sheet(labels: Ints, draw: Draw, side: int, rng: np.random.Generator) -> Sheet:
    ink = np.zeros((side, side))
    masks, named = [], []
    for _ in range(rng.integers(1, MOST + 1)):
        chosen = int(rng.integers(len(labels)))
        drawn = draw(chosen, rng)
        for _ in range(TRIES):
            if not (ndimage.binary_dilation(drawn > 0.1, iterations=2) & (ink > 0.1)).any():
                break
            drawn = draw(chosen, rng)
        else:
            continue
        ink = np.maximum(ink, drawn)
        masks.append(drawn > INK)
        named.append(int(labels[chosen]))
    return Sheet(_photographed(ink, rng), masks, named)


def placed(digit: Floats, side: int, sizes: tuple[float, float], rng: np.random.Generator) -> Floats:
    """A digit, [8, 8], 0..1, somewhere on a sheet, turned and slanted a little: [side, side], 0..1.

    `sizes` are the pixels that its eight cells take, at least and at most.
    """
    size = rng.uniform(*sizes)
    turn, slant = rng.normal(0, 0.12), rng.normal(0, 0.12)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, 0], [slant, 1]]
    middle = rng.uniform(size / 2, side - size / 2, 2)
    steps = np.arange(side) + 0.5
    pixels = np.stack(np.meshgrid(steps, steps, indexing="ij")).reshape(2, -1) - middle[:, None]
    cells = np.linalg.inv(matrix) @ pixels * CELLS / size + CELLS / 2 - 0.5
    smooth = ndimage.map_coordinates(digit, cells, order=3, mode="constant").reshape(side, side)
    # The pen's edge, which eight cells do not have, softer or harder.
    return np.clip((smooth - 0.5) * rng.uniform(1.5, 4) + 0.5, 0, 1)


def _photographed(ink: Floats, rng: np.random.Generator) -> Floats:
    """Ink on paper as cameras see it: paler or darker, lit from a side, with noise."""
    side = len(ink)
    slope = rng.uniform(-0.12, 0.12, 2)
    across, down = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    paper = rng.uniform(0, 0.15) + slope[0] * across + slope[1] * down
    noise = rng.normal(0, rng.uniform(0, 0.06), ink.shape)
    return np.clip(paper + ink * rng.uniform(0.6, 1) + noise, 0, 1)


def as_png(picture: Floats, times: int) -> Image.Image:
    """A picture as dark ink on white paper, so many times as large."""
    grey = Image.fromarray(np.rint(255 * (1 - picture)).astype(np.uint8))
    return grey.resize((times * grey.width, times * grey.height), Image.Resampling.BICUBIC)
