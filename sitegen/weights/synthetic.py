"""Inputs made without data, for measuring what quantization loses: several kinds, as one kind alone is optimistic.

Pictures are in 0..255, as a page has them before its own arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
    y, x, angle = random.uniform(0, len(picture)), random.uniform(0, picture.shape[1]), random.uniform(0, np.pi)
    reach = 1.5 * radius
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    part = np.s_[top : int(y + reach) + 1, left : int(x + reach) + 1]
    rows, columns = np.mgrid[part]
    rows, columns = rows[: len(picture) - top], columns[: len(picture) - top]
    rows, columns = rows[:, : picture.shape[1] - left], columns[:, : picture.shape[1] - left]
    along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    across = ((rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)) / random.uniform(0.25, 1)
    if random.random() < 0.6:
        inside = along**2 + across**2 < radius**2
    else:
        inside = (np.abs(along) < radius) & (np.abs(across) < radius)
    colour = np.clip(random.beta(0.9, 1.1) + random.normal(0, random.choice([0.04, 0.12, 0.25]), 3), 0, 1)
    shade = random.normal(0, 0.2) * along / radius + random.exponential(0.075) * texture[part]
    picture[part][inside] = colour + shade[inside][:, None]


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


FAMILIES: Mapping[str, Callable[[np.random.Generator, int, int], Pixels]] = {
    "dead leaves": dead_leaves,
    "pink noise": pink,
    "white noise": white,
}


def pictures(family: str, count: int, height: int, width: int, channels: int, seed: int) -> Pixels:
    """[count, height, width, channels] of one family."""
    random = np.random.default_rng([seed, *family.encode()])
    scale = min(1.0, _LARGEST / max(height, width))
    small = max(2, round(height * scale)), max(2, round(width * scale))
    made: Pixels = np.stack([_resized(FAMILIES[family](random, *small), height, width) for _ in range(count)])
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
