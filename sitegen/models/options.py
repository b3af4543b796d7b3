"""What a page says of how its model is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`outputs`: names of the nodes to end in; `signature`: which one of a SavedModel's.

    `one`: a graph for a batch of a fixed size is to take one thing at a time (graph/batch.py).
    `architecture`: the network that a file of mere weights is of; `heatmap`: class activations come out, too.
    """

    outputs: tuple[str, ...] = ()
    signature: str | None = None
    architecture: str | None = None
    heatmap: bool = False
    one: bool = False
