"""A picture in, a score for every class out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError, did_you_mean
from sitegen.records import Completed, DemoSpec, Grouped, Signature
from sitegen.tasks import classes, pictures

NAME = "image-classification"
SOURCES = ("samples", "upload", "camera")
TAKES = (*pictures.TAKES, "output.activation", "output.top_k", "output.groups", "output.heatmap")
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
    """The picture's input block, and what becomes of the scores; labels have to match the classes."""
    errors: list[SitegenError] = []
    image = pictures.completed(demo, signature, errors)
    output = classes.scores(demo, signature, errors)
    if demo.output.groups is not None:
        output["groups"] = _groups(demo, demo.output.groups, errors)
    if demo.output.heatmap:
        # graph/activations.py has added it.
        output["heatmap"] = signature.outputs[-1].name
    return Completed(image, output) if image else None, errors


def _groups(demo: DemoSpec, said: Sequence[Grouped], errors: list[SitegenError]) -> dict[str, Any]:
    """contract.ts: OutputConfig.groups; appends to `errors` unless each label has a group, and nothing else."""
    place = demo.places["output.groups"]
    if demo.output.activation == "sigmoid":
        what = "the scores of sigmoids are no shares of a whole, and cannot be summed by groups"
        errors.append(SitegenError(what, place, "leave output.groups out"))
    if not demo.labels:
        hint = "a text file with one name a line: labels: labels.txt"
        errors.append(SitegenError('"output.groups" needs the names of the classes', place, hint))
        return {}
    for one in said:
        if one.label not in demo.labels:
            what = f'"{one.label}" is none of the labels'
            errors.append(SitegenError(what, one.place, did_you_mean(one.label, demo.labels)))
    of = {one.label: one.group for one in said}
    names = list(dict.fromkeys(of.values()))
    without = [label for label in demo.labels if label not in of]
    if without:
        what = f'{text.plural(len(without), "label")} without a group: "{without[0]}"'
        errors.append(SitegenError(what, place, "a line for each class: bakery: indoor"))
    return {"names": names, "of": [names.index(of[label]) for label in demo.labels if label in of]}


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """The picture's size, and how many classes there are."""
    assert completed.image is not None
    count = len(demo.labels) or signature.outputs[0].shape[-1]
    return [pictures.fact(completed.image), ("Classes", text.number(count) if count > 0 else "any")]
