"""A C3D network (Tran et al., 2015) with random weights in Chromium: with TF.js's Conv3D, and as a page has it.

    python benchmarks/c3d.py [SIDE] [TURNS]

SIDE is that of a frame: 112 is the published one, for which TF.js takes minutes a clip. The dense layers after the
convolutions are left out: they are the same in both.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
from race import Entrant, close, race, ratio

from sitegen.graph import depth
from sitegen.models.options import Options
from sitegen.records import GraphModel
from tests.parity import engine


def c3d(side: int) -> keras.Model:
    """Eight convolutions over 16 frames, and five poolings."""
    layers: list[keras.Layer] = [keras.Input((16, side, side, 3))]
    blocks = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
    for index, (count, filters) in enumerate(blocks):
        layers += [keras.layers.Conv3D(filters, 3, padding="same", activation="relu") for _ in range(count)]
        size = (1, 2, 2) if index == 0 else (2, 2, 2)
        layers.append(keras.layers.MaxPooling3D(size, padding="same" if index == 4 else "valid"))
    return keras.Sequential(layers)


def converted(path: Path, rewritten: bool) -> GraphModel:
    """The model as a page has it, or with its Conv3D and MaxPool3D left in place."""
    if rewritten:
        return engine.load(path, Options())
    with mock.patch.object(depth, "flatten"):
        return engine.load(path, Options())


def main() -> None:
    """Prints latencies and their ratio."""
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 56
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c3d.keras"
        c3d(side).save(path)
        models = {"Conv3D": converted(path, False), "frame by frame": converted(path, True)}
    clip = np.random.default_rng(0).uniform(-128, 127, (1, 16, side, side, 3)).astype(np.float32)
    fed = {name: {model.signature.inputs[0].name: clip} for name, model in models.items()}
    entrants = {
        "TF.js, Conv3D": Entrant(models["Conv3D"], fed["Conv3D"], "wasm"),
        "frame by frame": Entrant(models["frame by frame"], fed["frame by frame"]),
    }
    results = race(entrants, turns)
    slow, fast = results.values()
    for name, result in results.items():
        print(f"{name:15} {result.text}")
    largest = max(abs(value) for value in fast.last.outputs[0])
    print(f"ratio: {ratio(slow, fast)}; largest difference {close(slow, fast):.2g} of {largest:.2g}")


if __name__ == "__main__":
    main()
