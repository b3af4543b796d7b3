"""A picture in, boxes with a class and a score out.

Detectors give their boxes in one of three forms; the page says which outputs they are, or it is told by their shapes:
`rows`, one output with a row for each box; `lists`, boxes, scores and classes apart; `blazeface`, heads of [N, k, 1]
and [N, k, 16] that are decoded with BlazeFace's anchors (contract.ts: BoxesConfig).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature, TensorSpec
from sitegen.tasks import pictures

NAME = "object-detection"
SOURCES = ("samples", "upload", "camera", "video")
_OUTPUT = ("rows", "boxes", "scores", "classes", "columns", "units", "first_class", "threshold", "iou", "activation")
TAKES = (*pictures.TAKES, *(f"output.{key}" for key in _OUTPUT))
SAMPLES = pictures.SAMPLES

_ROWS = ("xmin", "ymin", "xmax", "ymax", "score", "class")
_LISTS = ("ymin", "xmin", "ymax", "xmax")
_CORNERS = (("xmin", "xmax"), ("xmid", "width")), (("ymin", "ymax"), ("ymid", "height"))
# BlazeFace's grids: cells a side -> boxes a cell.
_ANCHORS = {16: 2, 8: 6}
# The label of a number that is no class, as in lists of COCO's.
_NONE = "n/a"
_HINT = "output: {rows: NAME}, or output: {boxes: NAME, scores: NAME, classes: NAME}"


def fits(info: Mapping[str, Any]) -> bool:
    """One picture in, and outputs that are boxes by their names or shapes."""
    shapes = [
        TensorSpec(end["name"], end["dtype"], tuple(-1 if size is None else size for size in end["shape"]))
        for end in info["outputs"]
    ]
    return pictures.fits(info) and _guess(shapes) is not None


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Input and labels."""
    lines = pictures.front_matter(info)
    lines.append("# The names of the classes, one a line: labels: labels.txt")
    lines.append("# Pictures to try: samples: samples/*.jpg")
    return lines


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """The picture's input block, and which outputs the boxes are."""
    errors: list[SitegenError] = []
    image = pictures.completed(demo, signature, errors)
    boxes = _said(demo, signature, errors) or (None if errors else _guess(signature.outputs))
    if boxes is None and not errors:
        ends = ", ".join(f"{spec.name} {text.shape(spec.shape)}" for spec in signature.outputs)
        what = f"none of the model's outputs looks like boxes: {ends}"
        place = demo.places["output" if "output" in demo.said else "model.source"]
        errors.append(SitegenError(what, place, f"say which they are: {_HINT}"))
    said = demo.output
    if said.columns:
        _check_columns(demo, said.columns, boxes, errors)
    if image is None or boxes is None or errors:
        return None, errors
    output = {
        "activation": said.activation,
        "boxes": {
            **boxes,
            "columns": list(said.columns or boxes["columns"]),
            "units": said.units or boxes["units"],
            "threshold": said.threshold,
            "iou": boxes["iou"] if said.iou is None else said.iou,
            "firstClass": boxes["firstClass"] if said.first_class is None else said.first_class,
        },
    }
    return Completed(image, output), errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """The picture's size, and how many classes have names."""
    assert completed.image is not None
    named = [label for label in demo.labels if label != _NONE]
    return [pictures.fact(completed.image), *([("Classes", text.number(len(named)))] if named else [])]


def heads(outputs: Sequence[TensorSpec]) -> list[dict[str, Any]]:
    """BlazeFace's heads, the finer grid first; none where the outputs are not just these."""
    by_shape = {tuple(spec.shape[1:]): spec.name for spec in outputs}
    found = [
        {"boxes": by_shape[count, 16], "scores": by_shape[count, 1], "side": side, "each": each}
        for side, each in _ANCHORS.items()
        for count in [side * side * each]
        if (count, 16) in by_shape and (count, 1) in by_shape
    ]
    return found if len(found) == len(_ANCHORS) and len(outputs) == 2 * len(found) else []


def _said(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> dict[str, Any] | None:
    """The form that the page names outputs of; None when it names none."""
    names = {key: getattr(demo.output, key) for key in ("rows", "boxes", "scores", "classes")}
    names = {key: name for key, name in names.items() if name is not None}
    known = {spec.name: spec for spec in signature.outputs}
    known |= {spec.name.removesuffix(":0"): spec for spec in signature.outputs}
    for key, name in names.items():
        if name not in known:
            hint = "the outputs are " + ", ".join(spec.name for spec in signature.outputs)
            errors.append(SitegenError(f'the model has no output "{name}"', demo.places[f"output.{key}"], hint))
    if errors or not names:
        return None
    ends = {key: known[name] for key, name in names.items()}
    if set(ends) == {"rows"}:
        _check(demo, ends, {"rows": "[N, boxes, columns]"}, errors)
        return _rows(ends["rows"])
    if "rows" not in ends and {"boxes", "scores"} <= set(ends):
        scores = "[N, boxes]" if "classes" in ends else "[N, boxes, classes]"
        _check(demo, ends, {"boxes": "[N, boxes, 4]", "scores": scores, "classes": "[N, boxes]"}, errors)
        return _lists(ends["boxes"], ends["scores"], ends.get("classes"))
    errors.append(SitegenError("output names only part of the boxes", demo.places["output"], _HINT))
    return None


def _check(
    demo: DemoSpec, ends: Mapping[str, TensorSpec], shapes: Mapping[str, str], errors: list[SitegenError]
) -> None:
    """Finds outputs that have not as many dimensions as their part of the boxes."""
    for key, spec in ends.items():
        if len(spec.shape) != shapes[key].count(",") + 1:
            what = f"output.{key} has to be {shapes[key]}; {spec.name} is {text.shape(spec.shape)}"
            errors.append(SitegenError(what, demo.places[f"output.{key}"]))


def _check_columns(
    demo: DemoSpec, columns: Sequence[str], boxes: Mapping[str, Any] | None, errors: list[SitegenError]
) -> None:
    place = demo.places["output.columns"]
    if any(not any(set(pair) <= set(columns) for pair in axis) for axis in _CORNERS):
        hint = "xmin and xmax, or xmid and width; ymin and ymax, or ymid and height"
        errors.append(SitegenError("output.columns says no box", place, hint))
    elif boxes and boxes["form"] == "rows" and "score" not in columns:
        errors.append(SitegenError("output.columns names no score", place))


def _guess(outputs: Sequence[TensorSpec]) -> dict[str, Any] | None:
    """The form, told by names and shapes; None where that says nothing, or more than one thing."""
    blazeface = heads(outputs)
    if blazeface:
        return _form("blazeface", "pixels", 0.3, heads=blazeface, columns=["xmid", "ymid", "width", "height"])
    boxes = [spec for spec in outputs if len(spec.shape) == 3 and spec.shape[2] == 4]
    flat = [spec for spec in outputs if len(spec.shape) == 2]
    scores = [spec for spec in flat if "score" in spec.name.lower()]
    classes = [spec for spec in flat if "class" in spec.name.lower()]
    if len(boxes) == len(scores) == 1 and len(classes) <= 1 and classes:
        return _lists(boxes[0], scores[0], classes[0])
    rows = [spec for spec in outputs if len(spec.shape) == 3 and spec.shape[2] == len(_ROWS)]
    return _rows(rows[0]) if len(rows) == 1 and not boxes else None


def _rows(spec: TensorSpec) -> dict[str, Any]:
    return _form("rows", "pixels", 0.5, rows=spec.name, columns=_ROWS)


def _lists(boxes: TensorSpec, scores: TensorSpec, classes: TensorSpec | None) -> dict[str, Any]:
    # The Object Detection API suppresses by itself, and calls its first class 1.
    api = "detection_classes" in (classes.name if classes else "")
    named = {"boxes": boxes.name, "scores": scores.name, "classes": classes.name if classes else None}
    return _form("lists", "fraction", None if classes else 0.5, **named, columns=_LISTS, first=int(api))


def _form(form: str, units: str, iou: float | None, first: int = 0, **more: Any) -> dict[str, Any]:
    return {"form": form, "units": units, "iou": iou, "firstClass": first, **more}
