"""What tasks that give a score for every class have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import DemoSpec, Signature

TAKES = ("labels", "output.activation", "output.top_k")


def fits(info: Mapping[str, Any]) -> bool:
    """Whether a model gives a probability for each class, or one for one of two."""
    outputs = info["outputs"]
    flat = len(outputs) == 1 and len(outputs[0]["shape"]) == 2
    return flat and info["activation"] in ("softmax", "sigmoid")


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """The line for labels."""
    classes = count(info["outputs"][0]["shape"])
    return [f"# The names of the {classes} classes, in the model's order: labels: [...], or labels: labels.txt"]


def scores(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> dict[str, Any]:
    """The page's output block for a model whose first output is [N, classes]; appends to `errors`."""
    shape = signature.outputs[0].shape
    if len(shape) == 2:
        check_labels(demo, shape[1], "output of the model", errors)
    else:
        what = f"{demo.task} takes a model with output [N, classes]; this one gives {text.shape(shape)}"
        errors.append(SitegenError(what, demo.places["model.source"]))
    return _block(demo)


def completed(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> dict[str, Any]:
    """The page's output block for a model that gives [N, classes], or [N, 1]: the score of the second of two classes.

    Appends to `errors`.
    """
    shape = signature.outputs[0].shape
    if len(signature.outputs) != 1 or len(shape) != 2:
        ends = ", ".join(text.shape(spec.shape) for spec in signature.outputs)
        what = f"{demo.task} takes a model with one output, [N, classes]; this one gives {ends}"
        errors.append(SitegenError(what, demo.places["model.source"]))
    elif demo.labels and count(shape) not in (-1, len(demo.labels)):
        what = f"{text.plural(len(demo.labels), 'label')} for a model with {count(shape)} classes"
        hint = "one name for each output of the model, in its order"
        if shape[1] == 1:
            hint = "the model's one output is the score of the second of two classes"
        errors.append(SitegenError(what, demo.places["labels"], hint))
    elif shape[1] == 1 and demo.output.activation == "softmax":
        hint = "sigmoid makes a score of one number, and none leaves it as it is"
        errors.append(SitegenError("the softmax of one number is always 1", demo.places["output.activation"], hint))
    return _block(demo)


def _block(demo: DemoSpec) -> dict[str, Any]:
    return {"activation": demo.output.activation, "topK": demo.output.top_k}


def check_labels(demo: DemoSpec, classes: int, each: str, errors: list[SitegenError]) -> None:
    """There is a label for each class, of which the model may have any number (-1); appends to `errors`."""
    if demo.labels and classes not in (-1, len(demo.labels)):
        what = f"{text.plural(len(demo.labels), 'label')} for a model with {classes} classes"
        hint = f"one name for each {each}, in its order"
        errors.append(SitegenError(what, demo.places["labels"], hint))


def count(shape: Sequence[int | None]) -> int:
    """How many classes an output of a shape tells apart; -1 is any number."""
    size = shape[1]
    return -1 if size is None else 2 if size == 1 else size


def fact(demo: DemoSpec, signature: Signature) -> tuple[str, str]:
    """The classes in the page's table of facts."""
    classes = len(demo.labels) or count(signature.outputs[0].shape)
    return "Classes", text.number(classes) if classes > 0 else "any"
