"""What tasks that take a picture have in common: the page's input block, completed by the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import DemoSpec, ImageInput, Signature

# What a page may say of its pictures.
_INPUT = ("size", "channels", "resize", "pad", "crop", "invert", "scale", "mean", "std", "sources", "max_fps", "draw")
TAKES = ("labels", "samples", *(f"input.{key}" for key in _INPUT))
SAMPLES = "picture"


def fits(info: Mapping[str, Any]) -> bool:
    """Whether a model takes one picture."""
    inputs = info["inputs"]
    if len(inputs) != 1 or inputs[0]["dtype"] not in ("float32", "int32"):
        return False
    shape = inputs[0]["shape"]
    return len(shape) == 4 and shape[3] in (1, 3, None)


def front_matter(info: Mapping[str, Any], *more: str) -> list[str]:
    """The input block of a page, as far as it has to be said; `more` of it is the task's own."""
    *_, height, width, channels = info["inputs"][0]["shape"]
    said, lines = [*more], []
    if None in (height, width):
        lines.append("# The model takes pictures of any size; name the one that it was trained on.")
        said.append(f"size: [{height or 224}, {width or 224}]")
    if channels is None:
        said.append("channels: 3")
    ends = info["inputs"][0]["range"]
    if ends is not None:
        said += _ranged(*ends)
    elif not info["scales"] and info["inputs"][0]["dtype"] == "float32":
        lines.append("# y = (x * scale - mean) / std for pixels x from 0 to 255; with scale 1 they go in as they are.")
        said.append("scale: 0.00392156862745098")
    return [*lines, f"input: {{{', '.join(said)}}}"] if said else lines


def _ranged(low: float, high: float) -> list[str]:
    """What makes numbers from `low` to `high` of pixels from 0 to 255."""
    numbers = {"scale": (high - low) / 255, "mean": -low}
    usual = {"scale": 1, "mean": 0}
    return [f"{key}: {value:.9g}" for key, value in numbers.items() if abs(value - usual[key]) > 1e-6]


def completed(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> ImageInput | None:
    """The page's input block completed by the model's signature, [N, height, width, channels]; appends to `errors`."""
    place = demo.places["model.source"]
    if len(signature.inputs) != 1:
        what = f"{demo.task} takes a model with one input; this one has {len(signature.inputs)}"
        errors.append(SitegenError(what, place))
        return None
    shape, dtype = signature.inputs[0].shape, signature.inputs[0].dtype
    if len(shape) != 4 or dtype not in ("float32", "int32"):
        what = f"{demo.task} takes pictures, float32 or int32 [N, height, width, channels]; the model takes "
        what += f"{dtype} {text.shape(shape)}"
        errors.append(SitegenError(what, place))
        return None
    if demo.input.resize == "whole-crop":
        what = f'{demo.task} has no resize "whole-crop"'
        errors.append(SitegenError(what, demo.places["input.resize"], "center-crop is nearly the same"))
    return sized(demo, shape, errors)


def sized(demo: DemoSpec, shape: tuple[int, ...], errors: list[SitegenError]) -> ImageInput | None:
    """The page's input block completed by the shape of a model's input, which ends in height, width and channels.

    Appends to `errors`.
    """
    place = demo.places["model.source"]
    values = {}
    for axis, key in enumerate(("height", "width", "channels"), start=len(shape) - 3):
        said, has = getattr(demo.input, key), shape[axis]
        if said is not None and has != -1 and said != has:
            what = f"input says {key} {said}, but the model takes {text.shape(shape)}"
            errors.append(SitegenError(what, demo.places["input"], hint="leave it out"))
        if said is None and has == -1:
            what = f"the model takes any {key}: {text.shape(shape)}"
            hint = "say it: input: {size: [height, width], channels: 3}"
            errors.append(SitegenError(what, demo.places["input"], hint))
        values[key] = said if has == -1 else has
    channels = values["channels"]
    if channels is not None and channels not in (1, 3):
        what = f"pictures have 1 or 3 channels; the model takes {text.shape(shape)}"
        errors.append(SitegenError(what, place))
    for key in ("mean", "std"):
        count = len(getattr(demo.input, key))
        if channels is not None and count not in (1, channels):
            what = f"input.{key} has {count} numbers, but the model takes {channels} channel(s)"
            errors.append(SitegenError(what, demo.places["input"]))
    if errors or channels is None:
        return None
    given = demo.input
    return replace(
        given,
        height=values["height"],
        width=values["width"],
        channels=channels,
        mean=given.mean * channels if len(given.mean) == 1 else given.mean,
        std=given.std * channels if len(given.std) == 1 else given.std,
    )


def as_json(image: ImageInput) -> dict[str, Any]:
    """contract.ts: ImageInput."""
    return {
        "width": image.width,
        "height": image.height,
        "channels": image.channels,
        "resize": image.resize,
        "pad": image.pad,
        "antialias": image.antialias,
        "crop": image.crop,
        "invert": image.invert,
        "scale": image.scale,
        "mean": list(image.mean),
        "std": list(image.std),
        "sources": list(image.sources),
        "maxFps": image.max_fps,
        "draw": {"stroke": image.stroke, "fit": image.fit},
    }


def fact(image: ImageInput) -> tuple[str, str]:
    """The input in the page's table of facts."""
    return "Input", f"{image.width} × {image.height} pixels, {'grey' if image.channels == 1 else 'RGB'}"
