"""A graph -> a plan of kernel calls with fixed shapes (docs/plan-format.md), which TF.js under Node is watched making.

Runs in the worker process. What is recorded is recorded with the very weights file that pages get: constants in it may
decide how a kernel is called.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sitegen import runtime
from sitegen.records import GraphModel, ImageInput, Signature
from sitegen.runtime.node import Fallen, Tool

# Part of cache keys: whoever changes what is recorded, or proven (proof.py), changes this.
FORMAT = "plan-1, proof-1"

Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Recorded:
    """A plan's file, and the most bytes that tensors take at once while it is played; or why there is none."""

    file: bytes | None
    peak: int | None = None
    why: str = ""


def shapes(signature: Signature, image: ImageInput | None = None) -> dict[str, list[int]] | None:
    """The whole shape of each input, for one input at a time; None where sizes stay open that `image` does not tell.

    The first of several sizes is that of the batch.
    """
    made = {}
    for spec in signature.inputs:
        told: list[int | None] = [None] * len(spec.shape)
        if len(spec.shape) > 1:
            told[0] = 1
        if image and len(spec.shape) == 4:
            told[1:] = [image.height, image.width, image.channels]
        sizes = [known if size == -1 else size for size, known in zip(spec.shape, told, strict=True)]
        made[spec.name] = [size for size in sizes if size is not None]
        if len(made[spec.name]) < len(sizes):
            return None
    return made


def record(model: GraphModel, weights: bytes, of: Shapes | None) -> Recorded:
    """The plan of a model with a weights file (weights/container.py) for inputs of the shapes `of`.

    The plan engine has played it under Node and come to the numbers that the graph engine comes to, bit for bit.
    """
    from sitegen.weights import engine

    if of is None:
        return Recorded(None, why="it takes inputs of any size")
    with tempfile.TemporaryDirectory(prefix="sitegen-") as name:
        folder = Path(name)
        engine.lay(model, [weights], [], folder, shapes=of, ends=model.ends)
        try:
            with Tool(runtime.load().tool("record"), folder) as tool:
                report = tool.ask(None)
        except Fallen as error:
            report = {"why": str(error)}
        if "peak" not in report:
            return Recorded(None, why=report["why"])
        return Recorded((folder / "plan.json").read_bytes(), report["peak"])
