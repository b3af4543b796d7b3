"""A C3D network (Tran et al., 2015) with random weights in Chromium: with TF.js's Conv3D, and as a page has it.

    python benchmarks/c3d.py [--side SIDE] [--frames FRAMES] [--turns TURNS]

Convolutions are of the published width; SIDE is that of a frame, and 112 the published one. For a clip of sixteen such
frames TF.js takes minutes, so the two are compared on FRAMES of them. What a page has is then measured on a whole clip,
too. Few frames flatter TF.js: of what a kernel sees it leaves out the frames that are padding, which then are most. The
dense layers are small here: they are the same in all.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
from race import Entrant, close, race, ratio

from sitegen.graph import depth
from sitegen.models.options import Options
from sitegen.records import GraphModel
from tests import c3d
from tests.parity import engine


def converted(folder: Path, side: int, frames: int, rewritten: bool) -> GraphModel:
    """The model as a page has it, or with its Conv3D and MaxPool3D left in place."""
    path = folder / f"c3d-{frames}"
    if not path.exists():
        c3d.write(path, c3d.Size(side=side, frames=frames, dense=16, classes=5))
    if rewritten:
        return engine.load(path, Options(one=True))
    with mock.patch.object(depth, "flatten"):
        return engine.load(path, Options(one=True))


def entrant(model: GraphModel, stock: str | None = None) -> Entrant:
    """A model with noise for a clip; without `stock` it is played by its plan."""
    (spec,) = model.signature.inputs
    clip = np.random.default_rng(0).uniform(-128, 127, spec.shape).astype(np.float32)
    plan = None if stock else engine.recorded(model, {spec.name: clip}).file
    return Entrant(model, {spec.name: clip}, stock, plan)


def main() -> None:
    """Prints latencies and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=112)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--turns", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slow, fast = (converted(folder, given.side, given.frames, rewritten) for rewritten in (False, True))
        whole = converted(folder, given.side, 16, True)
    results = race({"TF.js, Conv3D": entrant(slow, "wasm"), "frame by frame": entrant(fast)}, given.turns)
    stock, page = results.values()
    for name, result in results.items():
        print(f"{name:15} {given.frames:2} frames: {result.text}")
    largest = max(abs(value) for value in page.last.outputs[0])
    print(f"ratio: {ratio(stock, page)}; largest difference {close(stock, page):.2g} of {largest:.2g}")
    (clip,) = race({"a clip": entrant(whole)}, given.turns).values()
    print(f"{'frame by frame':15} 16 frames: {clip.text}")


if __name__ == "__main__":
    main()
