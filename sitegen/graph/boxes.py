"""The heads of a single-shot detector -> boxes, with NumPy: what runtime/src/worker/boxes.ts does in the page.

Here it proves, on the model itself, that the page will find what the model's own post-processing finds.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.records import Detection

_Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Detections:
    """Best first; rows after a picture's `count` are zeros."""

    boxes: NDArray[np.float32]  # [batch, total, 4]: ymin, xmin, ymax, xmax in 0..1
    scores: NDArray[np.float32]  # [batch, total]
    classes: NDArray[np.float32]  # [batch, total]
    count: NDArray[np.float32]  # [batch]


def decode(codes: _Floats, detection: Detection) -> NDArray[np.float32]:
    """Codes of shape [..., anchors, 4] in any arrangement that has as many numbers -> boxes [batch, anchors, 4]."""
    anchors = detection.anchors
    size = anchors[:, 2:] - anchors[:, :2]
    center = anchors[:, :2] + size / 2
    moved = codes.reshape(-1, len(anchors), 4) / np.array(detection.scales, np.float32)
    middle = moved[..., :2] * size + center
    half = np.exp(moved[..., 2:]) * size / 2
    boxes: NDArray[np.float32] = np.concatenate([middle - half, middle + half], axis=-1).astype(np.float32)
    return boxes


def detect(codes: _Floats, scores: _Floats, detection: Detection) -> Detections:
    """Decoded boxes without those that overlap better ones of their class, cut off at the picture's edges."""
    decoded = decode(codes, detection)
    batch, total = len(decoded), detection.total
    found = Detections(
        *(np.zeros(s, np.float32) for s in ((batch, total, 4), (batch, total), (batch, total), (batch,)))
    )
    for index in range(batch):
        kept = _suppressed(decoded[index], scores[index, :, detection.background :], detection)
        for row, (score, class_index, anchor) in enumerate(kept):
            found.boxes[index, row] = np.clip(decoded[index, anchor], 0, 1)
            found.scores[index, row] = score
            found.classes[index, row] = class_index + detection.first_class
        found.count[index] = len(kept)
    return found


def _suppressed(decoded: _Floats, scores: _Floats, detection: Detection) -> list[tuple[float, int, int]]:
    """(score, class, anchor) of the boxes that stay.

    Greedy, over all classes at once from the best score down, which ends as soon as there are enough. A box without
    area inside the picture counts for its class and is not reported.
    """
    anchors, classes = np.nonzero(scores > detection.score)
    ordered = list(zip((-scores[anchors, classes]).tolist(), classes.tolist(), anchors.tolist(), strict=True))
    heapq.heapify(ordered)
    chosen: dict[int, list[int]] = {}
    result: list[tuple[float, int, int]] = []
    inside = np.clip(decoded, 0, 1)
    seen = (inside[:, 2:] - inside[:, :2]).prod(axis=1) != 0
    while ordered and len(result) < detection.total:
        negative, class_index, anchor = heapq.heappop(ordered)
        own = chosen.setdefault(class_index, [])
        if len(own) >= detection.per_class or _overlap(decoded[anchor], decoded[own]) > detection.iou:
            continue
        own.append(anchor)
        if seen[anchor]:
            result.append((-negative, class_index, anchor))
    return result


def _overlap(box: _Floats, others: _Floats) -> float:
    """The largest intersection over union of a box with others; 0 for boxes without area."""
    if len(others) == 0:
        return 0.0
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    whole = areas + (box[2:] - box[:2]).prod() - shared
    return float(np.max(np.where(areas > 0, shared / np.where(whole > 0, whole, 1), 0)))
