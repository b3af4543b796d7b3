"""Inputs made without data, for measuring what quantization loses: several kinds, as one kind alone is optimistic.

Pictures are in 0..255, as a page has them before its own arithmetic; signals have a mean and a standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
# Leaves are drawn no larger: they have no finer structure.
_LARGEST = 96


def dead_leaves(random: np.random.Generator, height: int, width: int) -> Pixels:
    """Discs and boxes over one another, their sizes as things in photographs have them (Lee, Mumford and Huang, 2001).

    Each leaf has a colour and a gradient; noise with a spectrum of 1/f lies over all.
    """
    rows, columns = np.mgrid[0:height, 0:width]
    side = max(height, width)
    picture = np.ones((height, width, 3)) * random.uniform(0, 1, 3)
    for _ in range(int(random.integers(20, 160))):
        # Density of radii: 1 / r^3.
        radius = min(0.02 * side / np.sqrt(random.uniform(0.0004, 1)), 0.6 * side)
        y, x, angle = random.uniform(0, height), random.uniform(0, width), random.uniform(0, np.pi)
        along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
        across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
        across = across / random.uniform(0.4, 1)
        if random.random() < 0.6:
            inside = along**2 + across**2 < radius**2
        else:
            inside = (np.abs(along) < radius) & (np.abs(across) < radius)
        colour = np.clip(random.uniform(0, 1) + random.normal(0, 0.18, 3), 0, 1)
        picture[inside] = colour + (random.normal(0, 0.15) * along[inside] / radius)[:, None]
    picture += noise(random, height, width, 1.0)[..., None] * random.uniform(0.02, 0.15)
    return _contrast(random, picture)


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


SIGNALS = ("smooth noise", "white noise", "steps")


def signals(family: str, count: int, shape: tuple[int, ...], mean: float, std: float, seed: int) -> Pixels:
    """[count, *shape] of one of SIGNALS: numbers that are no picture, smooth along their first axis or not."""
    random = np.random.default_rng([seed, *family.encode()])
    white_noise = random.standard_normal((count, *shape))
    if family == "smooth noise":
        made = np.cumsum(white_noise, axis=1)
        made += 0.1 * made.std() * random.standard_normal(made.shape)
    elif family == "steps":
        changes = random.random(white_noise.shape) < min(1.0, 8 / shape[0])
        made = np.cumsum(white_noise * changes, axis=1)
    else:
        made = white_noise
    spread = (made - made.mean()) / (made.std() + 1e-9)
    scaled: Pixels = (mean + std * spread).astype(np.float32)
    return scaled


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
