"""Inputs made without data, for measuring what quantization loses: several kinds, as one kind alone is optimistic.

Pictures are in 0..255, as a page has them before its own arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
# Leaves are drawn no larger: they have no finer structure.
_LARGEST = 96
_SMALL = 48


def dead_leaves(random: np.random.Generator, height: int, width: int) -> Pixels:
    """Discs and boxes over one another, their sizes as things in photographs have them (Lee, Mumford and Huang, 2001).

    Each leaf has a colour, a gradient and a texture with a spectrum of about 1/f. The whole is more or less sharp,
    bright and rich in contrast, as photographs are. Small ones are drawn at twice their size.
    """
    zoom = 2 if max(height, width) <= _SMALL else 1
    high, wide = zoom * height, zoom * width
    side = max(high, wide)
    picture = np.ones((high, wide, 3)) * random.uniform(0, 1) + random.normal(0, 0.1, 3)
    textures = [noise(random, high, wide, slope) for slope in random.uniform(0.4, 1.5, 4)]
    smallest = np.exp(random.uniform(np.log(0.02), np.log(0.15)))
    for _ in range(int(random.integers(8, 120))):
        # Density of radii: 1 / r^3.
        radius = side * min(smallest / np.sqrt(random.uniform(0.0004, 1)), 0.6)
        _leaf(random, picture, textures[int(random.integers(4))], radius)
    picture += noise(random, high, wide, 1.2)[..., None] * random.uniform(0, 0.12) + random.normal(0, 0.08, 3)
    return _developed(random, _blurred(picture, zoom * random.choice([0.0, 0.25, 0.5, 1.0])), zoom)


def _leaf(
    random: np.random.Generator, picture: NDArray[np.float64], texture: NDArray[np.float64], radius: float
) -> None:
    high, wide = picture.shape[:2]
    y, x, angle = random.uniform(0, high), random.uniform(0, wide), random.uniform(0, np.pi)
    reach = 1.5 * radius
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    part = np.s_[top : min(int(y + reach) + 1, high), left : min(int(x + reach) + 1, wide)]
    rows, columns = np.arange(high)[part[0], None] - y, np.arange(wide)[None, part[1]] - x
    flat = random.uniform(0.25, 1)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * (np.cos(angle) / flat) - columns * (np.sin(angle) / flat)
    if random.random() < 0.6:
        inside = along * along + across * across < radius**2
    else:
        inside = (np.abs(along) < radius) & (np.abs(across) < radius)
    colour = np.clip(random.beta(0.9, 1.1) + random.normal(0, random.choice([0.04, 0.12, 0.25]), 3), 0, 1)
    shade = random.normal(0, 0.2) / radius * along[inside] + random.exponential(0.075) * texture[part][inside]
    picture[part][inside] = colour + shade[:, None]


def _blurred(picture: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    if not sigma:
        return picture
    height, width = picture.shape[:2]
    square = np.fft.fftfreq(height)[:, None] ** 2 + np.fft.rfftfreq(width)[None] ** 2
    kept = np.exp(-2 * (np.pi * sigma) ** 2 * square)[..., None]
    made: NDArray[np.float64] = np.fft.irfft2(np.fft.rfft2(picture, axes=(0, 1)) * kept, (height, width), (0, 1))
    return made


def _developed(random: np.random.Generator, picture: NDArray[np.float64], zoom: int) -> Pixels:
    """In its own size, its darks and lights spread out, with a gamma and a haze of its own."""
    height, width = picture.shape[0] // zoom, picture.shape[1] // zoom
    small = picture.reshape(height, zoom, width, zoom, 3).mean(axis=(1, 3))
    dark, light = np.percentile(small, [random.uniform(0, 5), random.uniform(95, 100)])
    spread = ((small - dark) / (light - dark + 1e-6)).clip(0, 1) ** np.exp(random.normal(0, 0.35))
    contrast = random.uniform(0.5, 1)
    made: Pixels = (255 * (spread * contrast + (1 - contrast) * random.uniform(0, 1))).astype(np.float32)
    return made


def noise(random: np.random.Generator, height: int, width: int, slope: float) -> NDArray[np.float64]:
    """Noise whose amplitude falls with frequency to the power of `slope`; mean 0, standard deviation 1."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1 / max(height, width)
    spectrum = np.fft.rfft2(random.standard_normal((height, width))) / frequency**slope
    field = np.fft.irfft2(spectrum, s=(height, width))
    made: NDArray[np.float64] = (field - field.mean()) / (field.std() + 1e-9)
    return made


def pink(random: np.random.Generator, height: int, width: int) -> Pixels:
    """Clouds: noise with a spectrum of about 1/f, its channels alike."""
    grey = noise(random, height, width, random.uniform(0.8, 1.6))
    colour = np.stack([noise(random, height, width, 1.2) for _ in range(3)], axis=-1)
    mixed = grey[..., None] + random.uniform(0, 0.6) * colour
    return _contrast(random, 0.5 + random.uniform(0.1, 0.3) * mixed)


def white(random: np.random.Generator, height: int, width: int) -> Pixels:
    """Every number by itself."""
    return (255 * random.uniform(0, 1, (height, width, 3))).astype(np.float32)


def _contrast(random: np.random.Generator, picture: NDArray[np.float64]) -> Pixels:
    shown = (picture - 0.5) * random.uniform(0.5, 1.2) + random.uniform(0.3, 0.7)
    return (255 * shown.clip(0, 1)).astype(np.float32)


def drawing(random: np.random.Generator, height: int, width: int, pen: float, fit: float | None) -> Pixels:
    """One to three bent lines of dark ink on white paper, as a visitor draws them on the page's sheet.

    `pen` is its width as a fraction of the sheet; what is drawn fills `fit` of the picture, or stays as it is.
    """
    lines = [_line(random) * random.uniform(0.3, 1, 2) for _ in range(random.choice([1, 1, 2, 3]))]
    points = np.concatenate([line + random.normal(0, 0.15, 2) for line in lines])
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float((high - low).max()) + 1e-6
    drawn = random.uniform(0.4, 0.9)  # of the sheet
    share = drawn if fit is None else fit * drawn / (drawn + pen)
    middle = np.array([height, width]) * (0.5 if fit is not None else random.uniform(0.45, 0.55, 2))
    y, x = ((points - (low + high) / 2) * (share * min(height, width) / extent) + middle).T
    squares = (np.arange(height)[:, None] + 0.5 - y) ** 2, (np.arange(width)[:, None] + 0.5 - x) ** 2
    nearest = np.sqrt((squares[0][:, None, :] + squares[1][None, :, :]).min(axis=2))
    ink = np.clip(pen * share / drawn * min(height, width) / 2 - nearest + 0.5, 0, 1)
    return np.repeat((255 * (1 - ink)).astype(np.float32)[..., None], 3, axis=2)


def _line(random: np.random.Generator) -> NDArray[np.float64]:
    """Points [n, 2] of a smooth line, open or closed: a circle of random radius and turn, and two waves more."""
    turn = random.uniform(0.1, 1.1) * np.pi
    t = np.linspace(-turn, turn, 64)
    phase = random.uniform(0, 2 * np.pi)
    waves = random.normal(0, 0.35, (2, 2)) @ np.sin(np.outer([1, 2], t) + random.uniform(0, 2 * np.pi, (2, 1)))
    made: NDArray[np.float64] = (np.stack([np.sin(t + phase), np.cos(t + phase)]) + waves).T
    return made


Family = Callable[[np.random.Generator, int, int], Pixels]
PHOTOGRAPHS: Mapping[str, Family] = {
    "dead leaves": dead_leaves,
    "pink noise": pink,
    "white noise": white,
}


def drawings(pen: float, fit: float | None) -> Mapping[str, Family]:
    """The families for a page with a sheet to draw on."""
    return {"pen strokes": partial(drawing, pen=pen, fit=fit), "dead leaves": dead_leaves, "pink noise": pink}


def pictures(draw: Family, count: int, height: int, width: int, channels: int, seed: int | Sequence[int]) -> Pixels:
    """[count, height, width, channels] of one family; `draw` makes one in 0..255."""
    random = np.random.default_rng(seed)
    scale = min(1.0, _LARGEST / max(height, width))
    small = max(2, round(height * scale)), max(2, round(width * scale))
    made: Pixels = np.stack([_resized(draw(random, *small), height, width) for _ in range(count)])
    grey: Pixels = made.mean(axis=-1, keepdims=True, dtype=np.float32)
    return made if channels == 3 else grey


def _resized(picture: Pixels, height: int, width: int) -> Pixels:
    from PIL import Image

    if picture.shape[:2] == (height, width):
        return picture
    planes = [
        np.asarray(Image.fromarray(picture[..., channel]).resize((width, height), Image.Resampling.BILINEAR))
        for channel in range(3)
    ]
    whole: Pixels = np.stack(planes, axis=-1).astype(np.float32)
    return whole
