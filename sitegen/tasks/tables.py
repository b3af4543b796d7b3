"""What tasks that take a row of a table have in common: its features, and where each goes in the model's inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError, did_you_mean
from sitegen.records import DemoSpec, Signature, TensorSpec
from sitegen.tasks import rows

TAKES = ("samples", "input.columns")
SAMPLES = "text"

# `sitegen new page` writes a line for each feature, which nobody would go on with for a thousand.
_MOST_SUGGESTED = 64
_STEPS = 100  # of a slider, about


def fits(info: Mapping[str, Any]) -> bool:
    """Whether a model takes one row of numbers, or one number for each of several features."""
    ends = info["inputs"]
    sizes = [end["shape"][1] or 0 if len(end["shape"]) == 2 else 0 for end in ends if end["dtype"] == "float32"]
    if not ends or len(sizes) < len(ends) or 0 in sizes:
        return False
    return (len(sizes) == 1 or set(sizes) == {1}) and sum(sizes) <= _MOST_SUGGESTED


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """A line for each feature."""
    ends = info["inputs"]
    names = [_plain(end["name"]) for end in ends]
    if len(ends) == 1:
        names = [f"x{index}" for index in range(1, ends[0]["shape"][1] + 1)]
    lines = ["# What each number is, and the range that it has in the data.", "input:", "  columns:"]
    lines += [f"    - {{name: {name}, min: 0, max: 1}}" for name in names]
    lines.append("# Rows to try, under a header with these names: samples: samples.csv")
    return lines


def completed(
    demo: DemoSpec, signature: Signature, truths: Sequence[str] | None, errors: list[SitegenError]
) -> list[dict[str, Any]]:
    """The page's features as contract.ts has them: Feature; appends to `errors`. `truths` are those of rows.check.

    A model has one input [N, numbers] for all of them, or one for each, called as it is: [N, 1], or [N, choices].
    """
    said = demo.takes.get("columns")
    if said is None:
        hint = "input: {columns: [{name: age, min: 0, max: 99}, {name: colour, choices: [red, white]}]}"
        errors.append(SitegenError(f"{demo.task} needs input.columns", demo.places["task"], hint))
        return []
    features = [_feature(one) for one in said]
    wrong = [spec for spec in signature.inputs if len(spec.shape) != 2 or spec.dtype == "bool"]
    if wrong:
        what = f"{demo.task} takes rows of numbers, [N, numbers]; the model takes {_told(signature.inputs)}"
        errors.append(SitegenError(what, demo.places["model.source"]))
    elif len(signature.inputs) == 1:
        _place_in_one(demo, features, signature.inputs[0], errors)
    else:
        _place_by_name(demo, features, signature.inputs, errors)
    for file in demo.samples:
        errors += rows.check(file, features, truths)
    return features


def facts(demo: DemoSpec) -> tuple[str, str]:
    """The features in the page's table of facts."""
    columns = demo.takes["columns"]
    choices = sum(1 for one in columns if one["choices"])
    parts = [(len(columns) - choices, "number"), (choices, "choice")]
    return "Input", ", ".join(text.plural(count, noun) for count, noun in parts if count)


def _feature(said: Mapping[str, Any]) -> dict[str, Any]:
    """A feature without its place in the model."""
    name, choices, default = said["name"], said["choices"], said["default"]
    if choices is not None:
        first = 0 if default is None else choices.index(str(default))
        one_hot = said["encode"] != "index"
        return {"kind": "choice", "name": name, "choices": choices, "default": first, "oneHot": one_hot}
    low, high = said["min"], said["max"]
    step = said["step"] or _step(high - low)
    return {
        "kind": "number",
        "name": name,
        "unit": said["unit"],
        "min": low,
        "max": high,
        "step": step,
        "default": _middle(low, high, step) if default is None else default,
        "mean": said["mean"] or 0,
        "std": said["std"] or 1,
    }


def _step(span: float) -> float:
    """1, 2 or 5 times a power of ten: the nearest to a hundredth of a range from below."""
    power = math.floor(math.log10(span / _STEPS))
    times = max(times for times in (1, 2, 5) if times * 10.0**power <= span / _STEPS * (1 + 1e-9))
    return times * 10.0**power if power >= 0 else float(f"{times}e{power}")


def _middle(low: float, high: float, step: float) -> float:
    """The middle of a range, on one of its steps."""
    return float(f"{low + round((high - low) / 2 / step) * step:.12g}")


def _width(feature: Mapping[str, Any]) -> int:
    return len(feature["choices"]) if feature["kind"] == "choice" and feature["oneHot"] else 1


def _place_in_one(
    demo: DemoSpec, features: Sequence[dict[str, Any]], spec: TensorSpec, errors: list[SitegenError]
) -> None:
    at = 0
    for feature in features:
        feature |= {"input": spec.name, "at": at}
        at += _width(feature)
    if spec.shape[1] not in (-1, at):
        what = f"input.columns are {text.plural(at, 'number')} for the model, which takes {text.shape(spec.shape)}"
        hint = "one for each number; a choice is as many as it has choices, unless it says encode: index"
        errors.append(SitegenError(what, demo.places["input.columns"], hint))


def _place_by_name(
    demo: DemoSpec, features: Sequence[dict[str, Any]], specs: Sequence[TensorSpec], errors: list[SitegenError]
) -> None:
    left = {_plain(spec.name): spec for spec in specs}
    for index, feature in enumerate(features):
        place = demo.places[f"input.columns.{index}"]
        spec = left.pop(_plain(feature["name"]), None)
        if spec is None:
            hint = did_you_mean(_plain(feature["name"]), [_plain(spec.name) for spec in specs])
            errors.append(SitegenError(f'the model has no input "{feature["name"]}"', place, hint))
            continue
        feature |= {"input": spec.name, "at": 0}
        if spec.shape[1] not in (-1, _width(feature)):
            what = f'the column "{feature["name"]}" is {text.plural(_width(feature), "number")} for the model, whose '
            errors.append(SitegenError(f"{what}input takes {text.shape(spec.shape)}", place))
    for name in left:
        what = f'no column is for the model\'s input "{name}"'
        errors.append(SitegenError(what, demo.places["input.columns"], "columns are called as the inputs are"))


def _plain(name: str) -> str:
    """The name of an input without what TensorFlow adds to it, and without what it does not allow in one."""
    return "".join(c if c.isalnum() else "_" for c in name.partition(":")[0]).lower()


def _told(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{spec.dtype} {text.shape(spec.shape)}" for spec in specs)
