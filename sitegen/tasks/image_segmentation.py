"""A picture in, the class of each of its parts out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature
from sitegen.tasks import classes, pictures

NAME = "image-segmentation"
SOURCES = ("samples", "upload", "camera", "video")
TAKES = (*pictures.TAKES, "output.activation")
SAMPLES = pictures.SAMPLES


def fits(info: Mapping[str, Any]) -> bool:
    """One picture in; [N, height, width, classes] out, or whole numbers, [N, height, width].

    With one or three channels it may as well be a picture.
    """
    outputs = info["outputs"]
    shape = outputs[0]["shape"] if outputs else []
    scores = len(shape) == 4 and shape[3] not in (1, 3, None)
    return pictures.fits(info) and (scores or (len(shape) == 3 and outputs[0]["dtype"] == "int32"))


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Input and labels."""
    shape = info["outputs"][0]["shape"]
    many = f", {shape[3]} of them" if len(shape) == 4 else ""
    return [
        *pictures.front_matter(info),
        f"# The names of the classes{many}, one a line: labels: labels.txt",
        "# Pictures to try: samples: samples/*.jpg",
    ]


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """The picture's input block, and the activation; labels have to match the classes."""
    errors: list[SitegenError] = []
    image = pictures.completed(demo, signature, errors)
    shape = signature.outputs[0].shape
    if len(shape) not in (3, 4):
        what = f"{demo.task} takes a model with output [N, height, width, classes] or [N, height, width]; "
        errors.append(SitegenError(what + f"this one gives {text.shape(shape)}", demo.places["model.source"]))
    elif len(shape) == 4 and shape[3] > 1:
        classes.check_labels(demo, shape[3], "channel of the model's output", errors)
    output = {"activation": demo.output.activation}
    return Completed(image, output) if image and not errors else None, errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """The picture's size, and how many classes there are."""
    assert completed.image is not None
    shape = signature.outputs[0].shape
    count = len(demo.labels) or (shape[3] if len(shape) == 4 and shape[3] > 1 else 2)
    return [pictures.fact(completed.image), ("Classes", text.number(count))]
