"""A picture in, key points out: of bodies, faces, hands, with lines between them.

Models give their points in one of three forms (contract.ts: PointsConfig): `rows`, the numbers of each point one after
the other; `maps`, a map for each point of where it is likely to be; `blazeface`, heads whose boxes come with six points
each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError, did_you_mean
from sitegen.records import Completed, DemoSpec, Signature, TensorSpec
from sitegen.tasks import object_detection, pictures

NAME = "pose-estimation"
SOURCES = ("samples", "upload", "camera", "video")
_OUTPUT = ("keypoints", "limbs", "columns", "units", "threshold", "activation")
TAKES = (*pictures.TAKES, *(f"output.{key}" for key in _OUTPUT))
SAMPLES = pictures.SAMPLES

_HINT = "output: {keypoints: NAME}"
# COCO's key points in their order, and its skeleton (Lin et al., 2014; person_keypoints_val2017.json, from 0 on).
_COCO = (
    *("nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow"),
    *("right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee"),
    *("left ankle", "right ankle"),
)
_SKELETON = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8)),
    *((7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
# BlazeFace's (Bazarevsky et al., 2019), as seen by the face.
_FACE = ("right eye", "left eye", "nose", "mouth", "right ear", "left ear")


def fits(info: Mapping[str, Any]) -> bool:
    """One picture in, and [N, 1, 17, 3] out, as MoveNet has it: other forms may as well be something else."""
    shapes = [end["shape"][1:] for end in info["outputs"]]
    return pictures.fits(info) and shapes == [[1, len(_COCO), 3]]


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Input and samples."""
    return [*pictures.front_matter(info), "# Pictures to try: samples: samples/*.jpg"]


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """The picture's input block, where the points are among the outputs, their names, and the limbs between them."""
    errors: list[SitegenError] = []
    image = pictures.completed(demo, signature, errors)
    points = _form(demo, signature, errors)
    if points is None:
        return None, errors
    names = _names(demo, points["count"], errors)
    said = demo.output
    limbs = _SKELETON if said.limbs is None and points["count"] == len(_COCO) else said.limbs or ()
    made = [pair for limb in limbs if (pair := _limb(demo, limb, names, points["count"], errors))]
    if image is None or errors:
        return None, errors
    output = {
        "activation": said.activation,
        "points": {**points, "names": names, "limbs": made, "threshold": said.threshold},
    }
    return Completed(image, output), errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """The picture's size, and how many key points there are."""
    assert completed.image is not None
    return [pictures.fact(completed.image), ("Key points", text.number(completed.output["points"]["count"]))]


def _form(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> dict[str, Any] | None:
    """The form of the points, by the output that the page names or the only one that there is."""
    said = demo.output.keypoints
    heads = object_detection.heads(signature.outputs)
    if said is None and heads:
        _check_unsaid(demo, ("columns", "units"), "BlazeFace's heads have their own", errors)
        return {"form": "blazeface", "heads": heads, "count": len(_FACE)}
    known = {spec.name.removesuffix(":0"): spec for spec in signature.outputs}
    ends = ", ".join(f"{spec.name} {text.shape(spec.shape)}" for spec in signature.outputs)
    if said is None and len(known) > 1:
        what = f"the page does not say which output the key points are: {ends}"
        errors.append(SitegenError(what, demo.places["output"], _HINT))
        return None
    spec = next(iter(known.values())) if said is None else known.get(said.removesuffix(":0"))
    if spec is None:
        what, hint = f'the model has no output "{said}"', f"the outputs are {ends}"
        errors.append(SitegenError(what, demo.places["output.keypoints"], hint))
        return None
    made = _maps(demo, spec, errors) if _are_maps(spec) else _rows(demo, spec, errors)
    if made is None and not errors:
        what = f"{spec.name} {text.shape(spec.shape)} cannot be key points"
        hint = "they are [N, points, 2 or 3], [N, 1, points, 3], [N, numbers] or maps, [N, height, width, points]"
        place = demo.places["output.keypoints" if said is not None else "model.source"]
        errors.append(SitegenError(what, place, hint))
    return made


def _are_maps(spec: TensorSpec) -> bool:
    return len(spec.shape) == 4 and spec.shape[3] > 3


def _maps(demo: DemoSpec, spec: TensorSpec, errors: list[SitegenError]) -> dict[str, Any]:
    _check_unsaid(demo, ("columns", "units"), "the places in maps are the points", errors)
    return {"form": "maps", "points": spec.name, "count": spec.shape[3]}


def _rows(demo: DemoSpec, spec: TensorSpec, errors: list[SitegenError]) -> dict[str, Any] | None:
    """Points whose numbers are told: [N, points, 2 or 3], [N, bodies, points, 2 or 3], or [N, points x numbers]."""
    shape, said = spec.shape, demo.output.columns
    if len(shape) not in (2, 3, 4) or shape[-1] == -1:
        return None
    usual = ("y", "x", "score") if len(shape) == 4 else ("x", "y", "score")
    columns = said or (usual if len(shape) > 2 and shape[-1] == 3 else tuple(c for c in usual if c != "score"))
    if not {"x", "y"} <= set(columns):
        hint = "output: {columns: [x, y, score]}, in the model's order"
        errors.append(SitegenError("output.columns says no point", demo.places["output.columns"], hint))
        return None
    if len(shape) == 2:
        count, rest = divmod(shape[1], len(columns))
    else:
        count, rest = shape[-2], abs(shape[-1] - len(columns))
    if said and rest:
        what = f"output.columns says {len(columns)} numbers a point, but {spec.name} is {text.shape(shape)}"
        errors.append(SitegenError(what, demo.places["output.columns"]))
    if rest or count < 1:
        return None
    units = demo.output.units or "fraction"
    return {"form": "rows", "points": spec.name, "columns": list(columns), "units": units, "count": count}


def _check_unsaid(demo: DemoSpec, keys: Sequence[str], why: str, errors: list[SitegenError]) -> None:
    for key in keys:
        if f"output.{key}" in demo.said:
            errors.append(SitegenError(f"output.{key} says nothing here: {why}", demo.places[f"output.{key}"]))


def _names(demo: DemoSpec, count: int, errors: list[SitegenError]) -> list[str]:
    """What the points are called: by the page, or as COCO's and BlazeFace's are; else none has a name."""
    if not demo.labels:
        return list({len(_COCO): _COCO, len(_FACE): _FACE}.get(count, ()))
    if len(demo.labels) != count:
        what = f"{text.plural(len(demo.labels), 'label')} for a model with {text.plural(count, 'key point')}"
        errors.append(SitegenError(what, demo.places["labels"], "one name for each, in the model's order"))
    return list(demo.labels)


def _limb(
    demo: DemoSpec, limb: Sequence[str | int], names: Sequence[str], count: int, errors: list[SitegenError]
) -> list[int] | None:
    """The numbers of the two ends of a limb, which the page gives by name or by number."""
    ends = []
    for end in limb:
        index = names.index(end) if end in names else end
        if not isinstance(index, int) or not 0 <= index < count:
            hint = did_you_mean(str(end), names) if isinstance(end, str) else f"they are numbered 0 to {count - 1}"
            errors.append(SitegenError(f'there is no key point "{end}"', demo.places["output.limbs"], hint))
            return None
        ends.append(index)
    return ends
