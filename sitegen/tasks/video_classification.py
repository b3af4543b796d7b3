"""Frames of a film or a camera in, a score for every class out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature
from sitegen.tasks import classes, pictures

NAME = "video-classification"
SOURCES = ("samples", "video", "camera")
_INPUT = ("size", "channels", "resize", "pad", "antialias", "invert", "scale", "mean", "std", "sources", "clip")
TAKES = ("labels", "samples", *(f"input.{key}" for key in _INPUT), "output.activation", "output.top_k")
SAMPLES = "film"

_MEAN = "input.clip.mean"
_FORM = "float32 [N, frames, height, width, channels]"


def fits(info: Mapping[str, Any]) -> bool:
    """One clip in, [N, classes] out."""
    inputs, outputs = info["inputs"], info["outputs"]
    if len(inputs) != 1 or not outputs or inputs[0]["dtype"] != "float32":
        return False
    shape = inputs[0]["shape"]
    return len(shape) == 5 and shape[4] in (1, 3, None) and len(outputs[0]["shape"]) == 2


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Input, with the clip, activation and labels."""
    frames = info["inputs"][0]["shape"][1]
    clip = "clip: {fps: 5}" if frames else "clip: {fps: 5, frames: 16}"
    lines = ["# How many frames a second the model was trained on: clip.fps.", *pictures.front_matter(info, clip)]
    if info["activation"] == "none":
        lines.append("# The model seems to end in logits; leave this out if it gives probabilities itself.")
        lines.append("output: {activation: softmax}")
    lines.append("# The names of the classes, one a line: labels: labels.txt")
    lines.append("# Films to try: samples: samples/*.webm")
    return lines


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """The frames' input block, the clip, and the activation; labels have to match the classes.

    What a clip is goes into `takes`: the build measures and proves by single pictures only (quantization, proof.py).
    """
    errors: list[SitegenError] = []
    clip = _clip(demo, signature, errors)
    output = classes.scores(demo, signature, errors)
    if clip is None or errors:
        return None, errors
    mean = demo.arrays.get(_MEAN)
    return Completed(None, output, {"clip": clip}, {"Mean clip": mean.read()} if mean else {}), errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """What a clip is, and how many classes there are."""
    clip, frame = completed.takes["clip"], completed.takes["clip"]["frame"]
    size = f"{frame['width']} × {frame['height']} pixels, {'grey' if frame['channels'] == 1 else 'RGB'}"
    count = len(demo.labels) or signature.outputs[0].shape[-1]
    return [
        ("Input", f"{clip['frames']} frames of {size}, {clip['fps']:g} a second"),
        ("Classes", text.number(count) if count > 0 else "any"),
    ]


def _clip(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> dict[str, Any] | None:
    """contract.ts: ClipInput; appends to `errors`."""
    place = demo.places["model.source"]
    _check_sources(demo, errors)
    if len(signature.inputs) != 1:
        what = f"{demo.task} takes a model with one input; this one has {len(signature.inputs)}"
        errors.append(SitegenError(what, place))
        return None
    shape, dtype = signature.inputs[0].shape, signature.inputs[0].dtype
    if len(shape) != 5 or dtype != "float32":
        what = f"{demo.task} takes clips, {_FORM}; the model takes {dtype} {text.shape(shape)}"
        errors.append(SitegenError(what, place))
        return None
    image = pictures.sized(demo, shape, errors)
    said = demo.takes.get("clip")
    if said is None:
        hint = "input: {clip: {fps: 5}}, with the rate that it was trained on"
        errors.append(SitegenError("the page does not say how many frames a second the model takes", place, hint))
        return None
    frames = _frames(demo, said["frames"], shape, errors)
    if image is None or frames is None:
        return None
    _check_mean(demo, (frames, *(int(size or 0) for size in (image.height, image.width, image.channels))), errors)
    return {
        "frame": pictures.as_json(image),
        "frames": frames,
        "fps": said["fps"],
        "stride": said["stride"] or max(1, frames // 2),
    }


def _check_sources(demo: DemoSpec, errors: list[SitegenError]) -> None:
    for source in demo.input.sources:
        if source not in SOURCES:
            what, hint = f'{demo.task} has no source "{source}"', f"there are {', '.join(SOURCES)}"
            errors.append(SitegenError(what, demo.places["input.sources"], hint))


def _frames(demo: DemoSpec, said: int | None, shape: tuple[int, ...], errors: list[SitegenError]) -> int | None:
    """How many frames a clip has, as the model or the page says."""
    if said is not None and shape[1] not in (-1, said):
        what = f"input.clip says {said} frames, but the model takes {text.shape(shape)}"
        errors.append(SitegenError(what, demo.places["input.clip.frames"], "leave it out"))
    if said is None and shape[1] == -1:
        what = f"the model takes any number of frames: {text.shape(shape)}"
        errors.append(SitegenError(what, demo.places["input.clip"], "say it: input: {clip: {frames: 16}}"))
        return None
    return said if shape[1] == -1 else shape[1]


def _check_mean(demo: DemoSpec, clip: tuple[int, ...], errors: list[SitegenError]) -> None:
    mean = demo.arrays.get(_MEAN)
    if mean and mean.shape not in (clip, clip[1:]):
        what = f"{mean.file.path.name} is {text.shape(mean.shape)}, but a clip is {text.shape(clip)}"
        errors.append(SitegenError(what, demo.places[_MEAN], "a number for each of a clip, or of a frame"))
