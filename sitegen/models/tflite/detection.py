"""TFLite_Detection_PostProcess: a detector ends at its heads, and the page makes boxes of them.

tensorflow/lite/kernels/detection_postprocess.cc is what the operation does; its options are a map of FlexBuffers.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.models.tflite import numbers
from sitegen.models.tflite.flatbuffer import Damaged
from sitegen.models.tflite.schema import File, Operation
from sitegen.records import Detection

NAME = "TFLite_Detection_PostProcess"
_SCALES = ("y_scale", "x_scale", "h_scale", "w_scale")
_NEEDED = ("max_detections", "num_classes", "nms_iou_threshold", "nms_score_threshold", *_SCALES)
_OTHERS = ("use_regular_nms", "detections_per_class")
_MOST = 10_000  # boxes
# The file's own way with boxes, where it is not the pages'.
NOTE = (
    "the file keeps one of several boxes that overlap, whatever their classes; the page keeps one of each class "
    "(use_regular_nms is false)"
)


def last(file: File, ends: tuple[int, ...]) -> Operation | None:
    """The operation, if all ends are its results."""
    for operation in file.operations:
        if operation.custom and operation.name == NAME and set(ends) <= set(operation.outputs):
            return operation
    return None


def of(file: File, operation: Operation, boxes: str, scores: str) -> tuple[Detection, bool]:
    """How boxes are made of the heads, tensors of these names, and whether the file does it class by class.

    Raises Damaged, or SitegenError where the heads are not what the operation takes.
    """
    told = _options(operation.more)
    codes, classes, anchors = (file.tensors[index] for index in operation.inputs[:3])
    centers = numbers.value(anchors)
    if centers.ndim != 2 or centers.shape[1] != 4 or centers.dtype != np.float32 or not np.isfinite(centers).all():
        raise Damaged("its anchors are no boxes")
    count, wanted = len(centers), int(told["num_classes"])
    columns = classes.shape[-1] if len(classes.shape) == 3 else 0
    if codes.shape[-2:] != (count, 4) or classes.shape[-2:] != (count, columns) or columns not in (wanted, wanted + 1):
        raise SitegenError(f"the heads of the {NAME} are not those of its anchors and classes")
    total, own = int(told["max_detections"]), int(told.get("detections_per_class", 100))
    scales = tuple(float(told[name]) for name in _SCALES)
    if not (0 < total <= _MOST and own > 0 and min(scales) > 0):
        raise Damaged(f"the options of the {NAME} make no sense")
    regular = bool(told.get("use_regular_nms", False))
    detection = Detection(
        boxes=boxes,
        scores=scores,
        anchors=_edges(centers),
        scales=scales,
        background=columns - wanted,
        first_class=0,
        iou=float(told["nms_iou_threshold"]),
        score=float(told["nms_score_threshold"]),
        per_class=own if regular else total,
        total=total,
    )
    return detection, regular


def _edges(centers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes ymin, xmin, ymax, xmax of y, x, height, width."""
    half = centers[:, 2:] / 2
    return np.concatenate([centers[:, :2] - half, centers[:, :2] + half], 1)


def _options(data: bytes) -> dict[str, float]:
    from flatbuffers import flexbuffers

    found = {}
    try:
        told = flexbuffers.GetRoot(data).AsMap
        for key in (*_NEEDED, *_OTHERS):
            try:
                each = told[key]
            except KeyError:
                if key in _NEEDED:
                    raise
                continue
            found[key] = each.AsBool if each.IsBool else each.AsFloat
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, struct.error) as error:
        raise Damaged(f"the options of the {NAME} make no sense") from error
    if not all(np.isfinite(value) for value in found.values()):
        raise Damaged(f"the options of the {NAME} make no sense")
    return found
