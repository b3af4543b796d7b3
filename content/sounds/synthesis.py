"""Simulated sounds: one function a class, each a second or so of what it is called, no two alike.

Sounds are [n] samples at RATE Hz. A class's function makes one that is loud about 1 and that any window of a second
has something of; `recorded` makes of it what a microphone might hear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from training import Floats

RATE = 16000  # Hz
Random = np.random.Generator


def _times(n: int) -> Floats:
    return np.arange(n) / RATE


def _between(low: float, high: float, rng: Random) -> float:
    """A number from low to high, as likely in each octave: how pitches and lengths are heard."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _filtered(sound: Floats, gain: Callable[[Floats], Floats]) -> Floats:
    """A sound whose frequencies, in Hz, are each multiplied by a gain."""
    return np.fft.irfft(np.fft.rfft(sound) * gain(np.fft.rfftfreq(len(sound), 1 / RATE)), len(sound))


def _harmonics(phase: Floats, highest: float, rng: Random) -> Floats:
    """A fundamental whose phase is given, in cycles, with overtones that fall off and stay below Nyquist.

    highest: the highest frequency of the fundamental, in Hz.
    """
    tilt, odd = rng.uniform(0.8, 3), rng.random() < 0.3
    count = max(1, min(int(rng.integers(1, 12)), int(0.45 * RATE / highest)))
    return sum(
        np.sin(2 * np.pi * (k * phase + rng.random())) / k**tilt for k in range(1, count + 1) if not odd or k % 2
    )


def tone(n: int, rng: Random) -> Floats:
    """A pitch that stays, 150 to 3000 Hz, with overtones, a little vibrato and some tremolo."""
    pitch, t = _between(150, 3000, rng), _times(n)
    depth = rng.choice([0, rng.uniform(0, 0.01)])
    vibrato = 1 + depth * np.sin(2 * np.pi * (rng.uniform(3, 7) * t + rng.random()))
    tremolo = 1 + rng.uniform(0, 0.3) * np.sin(2 * np.pi * (rng.uniform(1, 6) * t + rng.random()))
    return tremolo * _harmonics(np.cumsum(pitch * vibrato) / RATE, 1.02 * pitch, rng)


def _sweeps(n: int, rng: Random, rising: bool) -> Floats:
    """Sweep after sweep, each an octave or more in 0.25 to 0.9 s, with short rests."""
    sound, at = np.zeros(n), -int(rng.uniform(0, 0.4) * RATE)
    low = _between(150, 900, rng)
    high = min(low * _between(2, 8, rng), 5000)
    length, rest = rng.uniform(0.25, 0.9), rng.uniform(0.02, 0.3)
    # Straight in pitch as it is heard, or in Hz.
    linear = rng.random() < 0.5
    while at < n:
        count = int(length * rng.uniform(0.9, 1.1) * RATE)
        way = np.linspace(0, 1, count) if rising else np.linspace(1, 0, count)
        pitch = low + (high - low) * way if linear else low * (high / low) ** way
        # From nothing to nothing, in a twentieth of its length at each end.
        ends = np.minimum(1, 20 * np.minimum(np.arange(count), np.arange(count)[::-1]) / count)
        sweep = _harmonics(np.cumsum(pitch) / RATE, high, rng) * ends
        first, last = max(0, at), min(n, at + count)
        if last > first:
            sound[first:last] += sweep[first - at : last - at]
        at += count + int(rest * RATE)
    return sound


def rising(n: int, rng: Random) -> Floats:
    """Sweeps upwards."""
    return _sweeps(n, rng, rising=True)


def falling(n: int, rng: Random) -> Floats:
    """Sweeps downwards."""
    return _sweeps(n, rng, rising=False)


def _struck(n: int, rng: Random, least: float, most: float, one: Callable[[int], Floats]) -> Floats:
    """`one(samples that are left)` again and again, `least` to `most` seconds apart, each of its own strength."""
    sound = np.zeros(n)
    apart = _between(least, most, rng)
    at = int(rng.uniform(0, min(apart, 0.3)) * RATE)
    while at < n:
        sound[at:] += rng.uniform(0.5, 1) * one(n - at)
        at += int(apart * rng.uniform(0.85, 1.15) * RATE)
    return sound


def bell(n: int, rng: Random) -> Floats:
    """A strike with partials that are no harmonics, of which the higher ones die away sooner."""
    pitch = _between(250, 1400, rng)
    # The hum, the prime, the tierce, the quint, the nominal, and what is above.
    partials = np.array([0.5, 1, 1.2, 1.5, 2, 2.67, 3.0, 4.1, 5.4]) * rng.uniform(0.98, 1.02, 9)
    partials = partials[partials * pitch < 0.45 * RATE]
    strength = rng.uniform(0.3, 1, len(partials)) / partials**0.4
    decay = rng.uniform(0.25, 0.9) / partials**0.7

    def one(left: int) -> Floats:
        t = _times(left)[:, None]
        waves = strength * np.exp(-t / decay) * np.sin(2 * np.pi * (partials * pitch * t + rng.random(len(partials))))
        return waves.sum(axis=1) * np.minimum(1, _times(left) / 0.003)

    return _struck(n, rng, 0.5, 0.9, one)


def claps(n: int, rng: Random) -> Floats:
    """Bursts of noise of some hundredths of a second, 1.5 to 6 a second, each through a band of its own hands."""
    middle, decay = _between(700, 2500, rng), rng.uniform(0.006, 0.03)
    hands = _filtered(rng.normal(size=n), lambda f: np.exp(-2 * np.log(np.maximum(f, 1) / middle) ** 2))

    def one(left: int) -> Floats:
        length = min(left, int(8 * decay * RATE))
        burst, t = np.zeros(left), _times(length)
        start = rng.integers(0, n - length + 1)
        burst[:length] = hands[start : start + length] * np.exp(-t / decay) * np.minimum(1, t / 0.001)
        return burst

    return _struck(n, rng, 0.16, 0.6, one)


def noise(n: int, rng: Random) -> Floats:
    """Wind, rain, a fan: noise without pitch that goes on, white to pink, or of a wide band."""
    slope = rng.uniform(0, 0.8)
    low, high = (0.0, RATE / 2) if rng.random() < 0.5 else (_between(100, 1500, rng), _between(3000, 8000, rng))
    return _filtered(rng.normal(size=n), lambda f: (f >= low) * (f <= high) / np.maximum(f, 50) ** slope)


def engine(n: int, rng: Random) -> Floats:
    """Firing 18 to 90 times a second: a train of thumps, uneven from cylinder to cylinder, with a little hiss."""
    rate, t = _between(18, 90, rng), _times(n)
    wander = 1 + rng.uniform(0, 0.06) * np.sin(2 * np.pi * (rng.uniform(0.2, 1) * t + rng.random()))
    phase = np.cumsum(rate * wander) / RATE + rng.random()
    cylinder = rng.uniform(0.6, 1, 4)[np.floor(phase).astype(int) % 4]
    thump = cylinder * np.exp(-(phase % 1) * rng.uniform(3, 9))
    hiss = rng.normal(size=n) * thump * rng.uniform(0.05, 0.3)
    muffled = _between(200, 900, rng)
    return _filtered(thump - thump.mean() + hiss, lambda f: 1 / np.sqrt(1 + (f / muffled) ** 4))


def quiet(n: int, rng: Random) -> Floats:
    """Nothing: what the microphone adds is all there is."""
    return np.zeros(n)


CLASSES: Mapping[str, Callable[[int, Random], Floats]] = {
    "quiet": quiet,
    "tone": tone,
    "rising": rising,
    "falling": falling,
    "bell": bell,
    "claps": claps,
    "noise": noise,
    "engine": engine,
}


def room(sound: Floats, rng: Random) -> Floats:
    """A sound with the echoes of a room: noise that dies away in 0.05 to 0.25 s, 6 to 30 dB below the sound itself."""
    length = int(rng.uniform(0.05, 0.25) * RATE)
    echoes = rng.normal(size=length) * np.exp(-5 * np.arange(length) / length)
    echoes *= 10 ** (-rng.uniform(6, 30) / 20) / np.sqrt((echoes**2).sum())
    echoes[0] += 1
    # Long enough that nothing comes round to the beginning.
    size = 1 << (len(sound) + length).bit_length()
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echoes, size), size)[: len(sound)]


def recorded(sound: Floats, ratio: float, rng: Random) -> Floats:
    """What a microphone makes of a sound: [n], -1..1.

    The loudest sample becomes 0.02 to 0.9; noise is added whose power is `ratio` dB below the sound's, or, where there
    is no sound, 50 to 80 dB below the loudest that a file can hold; and an offset.
    """
    heard = noise(len(sound), rng)
    heard /= heard.std()
    if sound.any():
        peak = _between(0.02, 0.9, rng)
        sound = room(sound, rng)
        sound = sound * peak / np.abs(sound).max()
        heard *= sound.std() * 10 ** (-ratio / 20)
    else:
        heard *= 10 ** (-rng.uniform(50, 80) / 20)
    return np.clip(sound + heard + rng.uniform(-0.01, 0.01), -1, 1)


def clip(label: str, seconds: float, ratio: float, rng: Random) -> Floats:
    """A recording of a class: [seconds * RATE], -1..1; `ratio` of sound to noise in dB."""
    return recorded(CLASSES[label](round(seconds * RATE), rng), ratio, rng)
