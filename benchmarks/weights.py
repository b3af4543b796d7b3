"""What weights cost under each scheme, and what they lose: bytes next to TF.js's uint8, distortion on real photographs.

    python benchmarks/weights.py MODEL [--scale S] [--shift T] [--pictures FOLDER]

MODEL takes pictures; y = pixel * S + T. The losses are measured on crops of the pictures in FOLDER, which nothing was
fitted to; without it, on synthetic ones of another seed. KL in nats for classifiers, else NMSE.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import zlib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from PIL import Image

from sitegen.records import GraphModel
from sitegen.weights import auto, fidelity, quantize, synthetic, use
from sitegen.weights.network import Floats, Network
from tests.parity import engine

_INPUTS = 96


def photographs(folder: Path, height: int, width: int, channels: int) -> Floats:
    """Random crops, from two fifths of a picture to all of it, as 0..255."""
    random = np.random.default_rng(9)
    files = sorted(folder.rglob("*.jpg"))
    made = []
    for index in range(_INPUTS):
        with Image.open(files[index % len(files)]) as image:
            side = int(min(image.size) * random.uniform(0.4, 1))
            left, top = (int(random.integers(0, size - side + 1)) for size in image.size)
            box = (left, top, left + side, top + side)
            crop = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR, box)
        made.append(np.asarray(crop if channels == 3 else crop.convert("L"), np.float32).reshape(height, width, -1))
    return np.stack(made)


def dequantized(model: GraphModel, scheme: str) -> tuple[dict[str, Floats], int, int]:
    """Weights as a page has them; their bytes, and deflated."""
    values, raw, deflated = {}, 0, 0
    for name, value in model.weights.items():
        if value.dtype.kind != "f":
            continue
        stored = quantize.SCHEMES[scheme](value.astype(np.float32))
        data = stored.data.tobytes()
        raw += len(data)
        deflated += min(len(data), len(zlib.compress(data, 9)))
        scaled = stored.data.astype(np.float64)
        if scheme == "uint8":
            scaled = scaled * stored.more["scale"] + stored.more["min"]
        values[name] = scaled.astype(np.float32)
    return values, raw, deflated


def main() -> None:
    """Prints one row a scheme."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--shift", type=float, default=0.0)
    parser.add_argument("--pictures", type=Path)
    told = parser.parse_args()
    model = engine.load(told.model)
    kinds = use.kinds(model, "none")
    _, height, width, channels = (max(size, 1) for size in model.signature.inputs[0].shape)

    def inputs(family: str, count: int, seed: int) -> Floats:
        pixels = synthetic.pictures(family, count, height, width, channels, seed)
        return (pixels * told.scale + told.shift).astype(np.float32)

    network = Network(model, kinds)
    if told.pictures:
        held_out = (photographs(told.pictures, height, width, channels) * told.scale + told.shift).astype(np.float32)
    else:
        held_out = inputs("dead leaves", _INPUTS, 99)
    reference = network.run(held_out)

    def row(name: str, count: int, weights: dict[str, Floats]) -> None:
        found = fidelity.loss(reference, network.run(held_out, weights), kinds)
        agreement = "" if found.agreement is None else f"{found.agreement:8.1%}"
        print(f"{name:18}{count:10}{100 * count / yardstick:7.1f} %{found.distortion:12.2e}{agreement}")

    half, half_bytes, half_deflated = dequantized(model, "float16")
    uint8, yardstick, uint8_deflated = dequantized(model, "uint8")
    began = time.monotonic()
    small = auto.encode(model, kinds, inputs)
    seconds = time.monotonic() - began
    row("float16", half_bytes, half)
    row("float16, deflated", half_deflated, half)
    row("uint8", yardstick, uint8)
    row("uint8, deflated", uint8_deflated, uint8)
    row("auto", small.bytes, dict(small.weights))
    print(f"auto took {seconds:.0f} s for {yardstick} weights: {1e6 * seconds / yardstick:.0f} s a million")


if __name__ == "__main__":
    main()
