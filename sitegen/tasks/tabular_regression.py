"""A row of a table in, a number out, or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature
from sitegen.tasks import tables

NAME = "tabular-regression"
SOURCES: tuple[str, ...] = ()
TAKES = (*tables.TAKES, "labels", "output.unit")
SAMPLES = tables.SAMPLES


def fits(info: Mapping[str, Any]) -> bool:
    """Numbers in, a number out."""
    shapes = [end["shape"] for end in info["outputs"]]
    return tables.fits(info) and info["activation"] == "none" and len(shapes) == 1 and shapes[0][1:] == [1]


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Columns."""
    return [*tables.front_matter(info), "# What the result is measured in: output: {unit: kg}"]


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """The features, and the unit; several results have a label each."""
    errors: list[SitegenError] = []
    features = tables.completed(demo, signature, None, errors)
    shape = signature.outputs[0].shape
    if len(signature.outputs) != 1 or len(shape) != 2:
        ends = ", ".join(text.shape(spec.shape) for spec in signature.outputs)
        what = f"{demo.task} takes a model with one output, [N, results]; this one gives {ends}"
        errors.append(SitegenError(what, demo.places["model.source"]))
    elif (demo.labels or shape[1] != 1) and shape[1] not in (-1, len(demo.labels)):
        what = f"{text.plural(len(demo.labels), 'label')} for a model with {text.plural(shape[1], 'result')}"
        hint = "one name for each result, in the model's order: labels: [height, weight]"
        errors.append(SitegenError(what, demo.places["labels" if demo.labels else "model.source"], hint))
    output = {"unit": demo.output.unit}
    return None if errors else Completed(None, output, {"columns": features}), errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """How many features there are, and the results."""
    results = text.plural(max(len(demo.labels), 1), "number")
    return [tables.facts(demo), ("Output", f"{results}, {demo.output.unit}" if demo.output.unit else results)]
