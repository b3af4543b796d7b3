"""A picture in, a score for every class out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature
from sitegen.tasks import classes, pictures

NAME = "image-classification"
SOURCES = ("samples", "upload", "camera")
TAKES = (*pictures.TAKES, "output.activation", "output.top_k")
SAMPLES = pictures.SAMPLES


def fits(info: Mapping[str, Any]) -> bool:
    """One picture in, [N, classes] out."""
    outputs = info["outputs"]
    return pictures.fits(info) and bool(outputs) and len(outputs[0]["shape"]) == 2


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Input, activation and labels."""
    lines = pictures.front_matter(info)
    if info["activation"] == "none":
        lines.append("# The model seems to end in logits; leave this out if it gives probabilities itself.")
        lines.append("output: {activation: softmax}")
    count = info["outputs"][0]["shape"][-1]
    many = "" if count is None else f", {count} of them"
    lines.append(f"# The names of the classes{many}, one a line: labels: labels.txt")
    lines.append("# Pictures to try: samples: samples/*.png")
    return lines


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """The picture's input block, and the activation; labels have to match the classes."""
    errors: list[SitegenError] = []
    image = pictures.completed(demo, signature, errors)
    output = classes.scores(demo, signature, errors)
    return Completed(image, output) if image else None, errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """The picture's size, and how many classes there are."""
    assert completed.image is not None
    count = len(demo.labels) or signature.outputs[0].shape[-1]
    return [pictures.fact(completed.image), ("Classes", text.number(count) if count > 0 else "any")]
