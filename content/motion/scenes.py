"""Scenes with balls, simulated and drawn: what train.py learns from, and what its films show.

The world is [y, x] with y down; -1 to 1 is what a square picture shows, and wider ones show more to both sides. Times
are in seconds, speeds in world units a second, colours [3] in 0..1. Everything is decided by a random generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Random = np.random.Generator

FLOOR = 0.7
FAR = 1.7  # beyond both edges of a film in 4:3
CONTRAST = 0.25  # in luma, between a ball and what is behind it


@dataclass(frozen=True)
class Shape:
    """A disc, a box or a line. `places` is [frames, 2]: its middle, or of a line its lower end."""

    places: Floats
    size: tuple[float, float]  # a disc's radius, twice; half of a box's height and width; a line's half width and 0
    colour: Floats
    kind: str = "disc"
    ends: Floats | None = None  # [frames, 2]: a line's upper end
    spots: Floats | None = None  # [frames]: by what angle a disc has rolled, which a spot on it shows


@dataclass(frozen=True)
class Look:
    """How a scene is lit and coloured, and how large its balls are."""

    wall: tuple[Floats, Floats]  # at the top and at the floor
    floor: Floats
    balls: Sequence[Floats]
    radius: float
    clutter: Sequence[Shape] = field(default_factory=list)


def look(random: Random) -> Look:
    """Colours, of which those of balls stand out, and things that stand around."""
    while True:
        top, bottom, floor = 0.65 * random.uniform(0.05, 0.95, (3, 1)) + 0.35 * random.uniform(0.05, 0.95, (3, 3))
        behind = [_luma(top), _luma(bottom), _luma(floor)]
        balls = [ball for ball in random.uniform(0, 1, (40, 3)) if all(abs(_luma(ball) - b) > CONTRAST for b in behind)]
        if len(balls) >= 4:
            break
    clutter = []
    for _ in range(random.integers(0, 4)):
        high, wide = random.uniform(0.05, 0.4), random.uniform(0.03, 0.3)
        place = np.array([[FLOOR - high, random.uniform(-1.3, 1.3)]])
        colour = np.clip(bottom + random.normal(0, 0.12, 3), 0, 1)
        clutter.append(Shape(place, (high, wide), colour, "box"))
    return Look((top, bottom), floor, balls[:4], random.uniform(0.08, 0.15), clutter)


def _luma(colour: Floats) -> float:
    return float(colour @ np.array([0.299, 0.587, 0.114]))


# What moves: each gives its shapes at `times` ([frames], from 0 on).


def bounce(times: Floats, style: Look, random: Random) -> list[Shape]:
    """A ball that falls on the floor and jumps up again, a little less each time."""
    gravity, kept = random.uniform(4, 9), random.uniform(0.86, 0.97)
    height, speed = random.uniform(0.6, 1.3), 0.0
    step = 1 / 240
    heights = []
    for _ in range(int(times[-1] / step) + 2):
        heights.append(height)
        speed -= gravity * step
        height += speed * step
        if height < 0:
            height, speed = -height * kept, abs(speed) * kept
    up = np.interp(times, np.arange(len(heights)) * step, heights)
    across = _between(random.uniform(-0.7, 0.7) + random.uniform(-0.35, 0.35) * times, 0.8)
    return [_ball(np.stack([FLOOR - style.radius - up, across], -1), style)]


def juggle(times: Floats, style: Look, random: Random) -> list[Shape]:
    """Two to four balls, thrown from hand to hand."""
    count = int(random.integers(2, 5))
    flight, held = random.uniform(0.6, 0.95), random.uniform(0.15, 0.3)
    height, apart, low = random.uniform(0.6, 1.1), random.uniform(0.25, 0.45), random.uniform(0.3, 0.5)
    turn = flight + held
    radius = min(style.radius, 0.11)
    shapes = []
    for number in range(count):
        phase = (times + random.uniform(0, 0.04) + 2 * turn * number / count) % (2 * turn)
        side = np.where(phase < turn, -1.0, 1.0)
        own = phase % turn
        flown = np.clip(own / flight, 0, 1)
        carried = np.clip((own - flight) / held, 0, 1)
        y = low - 4 * height * flown * (1 - flown) + 0.1 * np.sin(np.pi * carried)
        x = side * apart * (1 - 2 * flown) - side * 0.12 * np.sin(np.pi * carried)
        shapes.append(_ball(np.stack([y, x], -1), style, number, radius))
    return shapes


def rally(times: Floats, style: Look, random: Random) -> list[Shape]:
    """A ball that two bats hit to and fro."""
    flight, height = random.uniform(0.45, 0.85), random.uniform(0.1, 0.6)
    phase = times / flight + random.uniform(0, 2)
    hit = np.floor(phase).astype(int)
    hits = random.uniform(-0.05, 0.4, hit.max() + 3)
    flown = phase - hit
    y = hits[hit] * (1 - flown) + hits[hit + 1] * flown - 4 * height * flown * (1 - flown)
    x = np.where(hit % 2 == 0, -1, 1) * 0.75 * (1 - 2 * flown)
    colour = random.uniform(0, 1, 3)
    shapes = [_ball(np.stack([y, x], -1), style)]
    for parity, side in ((0, -1), (1, 1)):
        own = (hit + parity) % 2 == 0
        # A bat waits where it will hit next.
        aim = np.where(own, hits[hit] * (1 - flown) + hits[hit + 2] * flown, hits[hit + 1])
        place = np.stack([aim, np.full(len(times), side * (0.77 + style.radius))], -1)
        shapes.append(Shape(place, (0.18, 0.035), colour, "box"))
    return shapes


def rest(times: Floats, style: Look, random: Random) -> list[Shape]:
    """One ball or two that lie still."""
    count = int(random.integers(1, 3))
    return [_lying(times, style, random, number) for number in range(count)]


def roll(times: Floats, style: Look, random: Random) -> list[Shape]:
    """A ball that rolls over the floor, and back from where it knocks against something out of sight."""
    speed = random.choice([-1, 1]) * random.uniform(0.4, 1.3)
    x = _between(random.uniform(-0.8, 0.8) + speed * times, 0.95)
    place = np.stack([np.full(len(times), FLOOR - style.radius), x], -1)
    return [_ball(place, style, spots=x / style.radius)]


def swing(times: Floats, style: Look, random: Random) -> list[Shape]:
    """A ball on a rope."""
    length, pull = random.uniform(0.9, 1.35), random.uniform(6, 14)
    angle = random.uniform(0.35, 0.85) * np.cos(math.sqrt(pull / length) * times + random.uniform(0, 2 * np.pi))
    pivot = np.broadcast_to([random.uniform(-1.1, -0.85), random.uniform(-0.25, 0.25)], (len(times), 2))
    place = pivot + length * np.stack([np.cos(angle), np.sin(angle)], -1)
    rope = Shape(place, (0.02, 0.0), style.balls[1], "line", pivot)
    return [rope, _ball(place, style)]


def throw(times: Floats, style: Look, random: Random) -> list[Shape]:
    """Balls that fly past, one after the other, always the same way."""
    flight, pause = random.uniform(0.9, 1.4), random.uniform(0.0, 0.3)
    height, low, way = random.uniform(0.3, 0.9), random.uniform(-0.1, 0.4), random.choice([-1, 1])
    phase = (times + random.uniform(0, 1.5)) % (flight + pause)
    flown = np.clip(phase / flight, 0, 1)
    y = low - 4 * height * flown * (1 - flown) + random.uniform(-0.2, 0.2) * flown
    return [_ball(np.stack([y, way * FAR * (2 * flown - 1)], -1), style)]


MOTIONS: Mapping[str, Callable[[Floats, Look, Random], list[Shape]]] = {
    "bounce": bounce,
    "juggle": juggle,
    "rally": rally,
    "rest": rest,
    "roll": roll,
    "swing": swing,
    "throw": throw,
}
LABELS = list(MOTIONS)


def _ball(
    places: Floats, style: Look, number: int = 0, radius: float | None = None, spots: Floats | None = None
) -> Shape:
    wide = radius or style.radius
    return Shape(places, (wide, wide), style.balls[number % len(style.balls)], spots=spots)


def _lying(times: Floats, style: Look, random: Random, number: int) -> Shape:
    place = [FLOOR - style.radius, random.uniform(-0.9, 0.9)]
    return _ball(np.broadcast_to(place, (len(times), 2)), style, number)


def _between(x: Floats, edge: float) -> Floats:
    """A way that turns back at both edges."""
    return edge - np.abs((x + edge) % (4 * edge) - 2 * edge)


def drawn(
    label: str, times: Floats, size: tuple[int, int], random: Random, style: Look | None = None, grain: float = 0.03
) -> Floats:
    """A scene of a class as pictures: [frames, height, width, 3], 0..1; `grain` is the most noise a camera has."""
    style = style or look(random)
    shapes = [*style.clutter, *MOTIONS[label](times, style, random)]
    if label != "rest" and random.random() < 0.3:
        shapes.insert(len(style.clutter), _lying(times, style, random, 3))
    mirrored = random.random() < 0.5
    # The camera: nearer or farther, held by a hand.
    zoom = random.uniform(0.85, 1.15)
    sway = random.normal(0, 0.03, (2, 3))
    beat = random.uniform(0.5, 3, (2, 3))
    shift = (sway[..., None] * np.sin(beat[..., None] * times)).sum(1) + random.uniform(-0.08, 0.08, (2, 1))
    height, width = size
    rows = (np.arange(height) + 0.5) * 2 / height - 1
    columns = ((np.arange(width) + 0.5) * 2 - width) / height
    y = (rows[None, :, None] / zoom + shift[0][:, None, None]).astype(np.float32)
    x = (columns[None, None, :] / zoom * (-1 if mirrored else 1) + shift[1][:, None, None]).astype(np.float32)
    soft = random.uniform(0.7, 1.8) * 2 / height / zoom
    pictures = _background(y, x, style, soft)
    for shape in shapes:
        _paint(pictures, shape, y, x, soft)
    noise = random.uniform(0, grain)
    return np.clip(pictures + noise * random.standard_normal(pictures.shape, np.float32), 0, 1)


def _background(y: Floats, x: Floats, style: Look, soft: float) -> Floats:
    top, bottom = (colour.astype(np.float32) for colour in style.wall)
    down = np.clip((y + 1) / (FLOOR + 1), 0, 1)[..., None]
    wall = top * (1 - down) + bottom * down
    floor = np.clip(0.5 + (y - FLOOR) / soft, 0, 1)[..., None]
    shade = wall * (1 - floor) + style.floor.astype(np.float32) * floor
    return np.ascontiguousarray(np.broadcast_to(shade, (*np.broadcast_shapes(y.shape, x.shape), 3)))


def _paint(pictures: Floats, shape: Shape, y: Floats, x: Floats, soft: float) -> None:
    """Paints a shape over pictures, its edges `soft` world units wide."""
    places = shape.places[:, :, None, None].astype(np.float32)
    dy, dx = y - places[:, 0], x - places[:, 1]
    if shape.kind == "box":
        outside = np.maximum(np.abs(dy) - shape.size[0], np.abs(dx) - shape.size[1])
    elif shape.ends is not None:
        way = (shape.ends - shape.places)[:, :, None, None].astype(np.float32)
        along = np.clip((dy * way[:, 0] + dx * way[:, 1]) / (way**2).sum(1), 0, 1)
        outside = np.hypot(dy - along * way[:, 0], dx - along * way[:, 1]) - shape.size[0]
    else:
        outside = np.hypot(dy, dx) - shape.size[0]
    _blend(pictures, outside, shape.colour, soft)
    if shape.spots is not None:
        turned = shape.spots[:, None, None]
        far = 0.5 * shape.size[0]
        spot = np.hypot(dy + far * np.cos(turned), dx - far * np.sin(turned)) - 0.35 * shape.size[0]
        _blend(pictures, spot, shape.colour * 0.4, soft)


def _blend(pictures: Floats, outside: Floats, colour: Floats, soft: float) -> None:
    cover = np.clip(0.5 - outside / soft, 0, 1)[..., None]
    pictures += cover * (colour.astype(np.float32) - pictures)
