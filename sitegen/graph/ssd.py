"""Ends the graph of a single-shot detector at its two heads; what comes after them is done in the page.

The graphs that the TensorFlow Object Detection API exports begin with a loop that resizes picture by picture and end
with a loop that decodes boxes and suppresses overlaps class by class: thousands of nodes, most of the time, and more
than TF.js computes rightly. What stands between them is a plain network. The parts are known by what they compute, not
by their names (box_coders/faster_rcnn_box_coder.py and core/post_processing.py of tensorflow/models), the numbers in
them are read from the graph, and the result is held against the graph's own before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.graph import boxes, build
from sitegen.graph.nodes import PASSING, Nodes, part, source
from sitegen.records import Detection

# The outputs, in the order of the API's documentation.
RESULTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
_SHAPING = PASSING | {"Reshape", "Squeeze", "ExpandDims", "Tile"}
_CONVERTERS = ("Sigmoid", "Softmax")
# Sizes of the pictures that a graph is tried on: two, so that what depends on the size is seen.
_SIZES = ((200, 260), (330, 240))
_CLOSE = 1e-3
_Runs = list[dict[str, NDArray[Any]]]


@dataclass(frozen=True)
class _Codes:
    """Where boxes are decoded: the tensors of codes and anchors, and the codes' scale factors."""

    codes: str
    anchors: str
    scales: tuple[float, ...]


@dataclass(frozen=True)
class _Suppression:
    """The constants of the suppression; `classes` is how many times it is done."""

    iou: float
    score: float
    per_class: int
    classes: int


def cut(graph_def: Any, outputs: Sequence[str]) -> tuple[Any, Detection] | None:
    """A GraphDef that ends in the two heads, and how boxes are made of them; None if it is no such graph.

    Raises SitegenError for a detector whose post-processing is not of the known kind, as it would not run in the page.
    """
    if not {source(name) for name in outputs} <= set(RESULTS):
        return None
    main = Nodes(graph_def.node)
    places = [main, *(Nodes(function.node_def) for function in graph_def.library.function)]
    suppression = _suppression(places)
    if suppression is None:
        return None
    codes = _codes(main)
    found = _heads(graph_def, main, codes, suppression) if codes else None
    if found is None:
        raise SitegenError(
            "the model detects objects in a way that pages cannot: it is not a single-shot detector with one "
            "suppression a class",
            hint="end the graph at its heads: model.outputs",
        )
    return found


def _suppression(places: Sequence[Nodes]) -> _Suppression | None:
    """What all NonMaxSuppression nodes have in common; None if there are none, or if they differ."""
    found: set[tuple[float, float, int]] = set()
    count = 0
    for nodes in places:
        for node in nodes.of(
            "NonMaxSuppressionV2", "NonMaxSuppressionV3", "NonMaxSuppressionV4", "NonMaxSuppressionV5"
        ):
            count += 1
            _, scores, most, iou, *more = node.input
            limits = [nodes.constant(name) for name in (iou, *more)]
            if any(limit is None for limit in limits) or (len(limits) > 2 and limits[2]):
                return None
            score = limits[1] if len(limits) > 1 else _filter(nodes, scores)
            found.add((float(limits[0]), float(score), _most(nodes, most)))  # type: ignore[arg-type]
    if len(found) != 1:
        return None
    ((iou, score, per_class),) = found
    return _Suppression(iou, score, per_class, count)


def _most(nodes: Nodes, reference: str) -> int:
    """How many boxes are kept: a constant, or the lesser of it and their number."""
    node = nodes.up(reference)
    names = node.input if node is not None and node.op == "Minimum" else [reference]
    constants = [value for value in map(nodes.constant, names) if value is not None]
    return int(constants[0]) if constants else np.iinfo(np.int32).max


def _filter(nodes: Nodes, reference: str) -> float:
    """The score that boxes had to be above before the suppression: in older graphs, a comparison beside them."""
    near = [source(reference)]
    for _ in range(12):
        for name in near:
            node = nodes.by_name.get(name)
            limit = nodes.constant(node.input[1]) if node is not None and node.op == "Greater" else None
            if limit is not None:
                return float(limit)
        near = [source(n) for name in near if name in nodes.by_name for n in nodes.by_name[name].input]
    return 0.0


def _codes(main: Nodes) -> _Codes | None:
    """Finds h = exp(th / scale) * anchor's h, and what its parts are made of."""
    for exponential in main.of("Exp"):
        unpacked = main.up(exponential.input[0], PASSING | {"RealDiv", "Mul"})
        if unpacked is None or unpacked.op != "Unpack" or unpacked.attr["num"].i != 4:
            continue
        product = next((n for n in main.of("Mul") if exponential.name in map(source, n.input)), None)
        if product is None:
            continue
        other = next(name for name in product.input if source(name) != exponential.name)
        # The anchor's height is ymax - ymin.
        height = main.up(other)
        sides = main.up(height.input[0]) if height is not None and height.op == "Sub" else None
        if sides is None or sides.op != "Unpack" or sides.name == unpacked.name:
            continue
        codes, anchors = (main.up(node.input[0], _SHAPING | {"Transpose"}) for node in (unpacked, sides))
        if codes is not None and anchors is not None:
            return _Codes(codes.name, anchors.name, _scales(main, unpacked))
    return None


def _scales(main: Nodes, unpacked: Any) -> tuple[float, ...]:
    scales = [1.0] * 4
    for node in main.of("RealDiv"):
        name, _, index = node.input[0].partition(":")
        divisor = main.constant(node.input[1])
        if name == unpacked.name and divisor is not None:
            scales[int(index or 0)] = float(divisor)
    return tuple(scales)


def _heads(graph_def: Any, main: Nodes, codes: _Codes, suppression: _Suppression) -> tuple[Any, Detection] | None:
    """The cut graph and its detection, if they give what the whole graph gives."""
    inside = main.inside_loops()
    converters = [node.name for node in main.of(*_CONVERTERS) if node.name not in inside]
    pictures = _pictures(main)
    if pictures is None or {codes.codes, codes.anchors} & inside:
        return None
    before = _run(graph_def, [*RESULTS, codes.codes, codes.anchors, *converters], pictures)
    anchors = [run[codes.anchors].reshape(-1, 4) for run in before]
    if anchors[0].shape != anchors[1].shape or not np.array_equal(anchors[0], anchors[1]):
        return None
    scores = _scores(before[0], converters, len(anchors[0]), suppression.classes)
    if scores is None:
        return None
    detection = Detection(
        boxes=codes.codes,
        scores=scores,
        anchors=anchors[0].astype(np.float32),
        scales=codes.scales,
        background=before[0][scores].shape[-1] - suppression.classes,
        first_class=_first_class(main),
        iou=suppression.iou,
        score=suppression.score,
        per_class=suppression.per_class,
        total=before[0]["detection_boxes"].shape[1],
    )
    ended = _ended(graph_def, main, detection, before, pictures)
    return (ended, detection) if all(_agrees(run, detection) for run in before) else None


def _scores(run: Mapping[str, NDArray[Any]], names: Sequence[str], anchors: int, classes: int) -> str | None:
    """The tensor that has a score for each anchor and class, and perhaps for a background before them."""
    shapes = ((1, anchors, classes), (1, anchors, classes + 1))
    return next((name for name in names if run[name].shape in shapes), None)


def _first_class(main: Nodes) -> int:
    """What is added to the index of a class."""
    node = main.up("detection_classes")
    added = [main.constant(name) for name in node.input] if node is not None and node.op in ("Add", "AddV2") else []
    return next((int(value) for value in added if value is not None), 0)


def _pictures(main: Nodes) -> list[dict[str, NDArray[Any]]] | None:
    """Noise to try a graph on, by the name of its one input; None if that takes no pictures."""
    import tensorflow as tf

    placeholders = main.of("Placeholder")
    if len(placeholders) != 1:
        return None
    dims = [dim.size for dim in placeholders[0].attr["shape"].shape.dim] or [-1, -1, -1, 3]
    if len(dims) != 4 or dims[0] not in (-1, 1) or dims[3] not in (-1, 1, 3):
        return None
    random = np.random.default_rng(0)
    dtype = tf.dtypes.as_dtype(placeholders[0].attr["dtype"].type).as_numpy_dtype
    shapes = [
        [1, *(given if given > 0 else own for given, own in zip(dims[1:3], size, strict=True)), abs(dims[3]) or 3]
        for size in _SIZES
    ]
    return [{placeholders[0].name: random.integers(0, 256, shape).astype(dtype)} for shape in shapes]


def _run(graph_def: Any, names: Sequence[str], inputs: Sequence[Mapping[str, NDArray[Any]]]) -> _Runs:
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph_def, name="")
        fetched = {name: f"{name}:0" for name in names}
        return [session.run(fetched, {f"{name}:0": value for name, value in fed.items()}) for fed in inputs]


def _ended(
    graph_def: Any, main: Nodes, detection: Detection, before: _Runs, pictures: list[dict[str, NDArray[Any]]]
) -> Any:
    """The graph up to the heads; its loop over pictures becomes one resize, where the heads stay the same."""
    heads = (detection.boxes, detection.scores)
    straight = _resized(graph_def, main, heads)
    if straight is not None:
        after = _run(straight, heads, pictures)
        if all(np.allclose(a[name], b[name], 1e-4, 1e-4) for a, b in zip(after, before, strict=True) for name in heads):
            return straight
    return part(graph_def, main, heads)


def _resized(graph_def: Any, main: Nodes, heads: Sequence[str]) -> Any | None:
    """The graph with one ResizeBilinear in place of the loop that takes a batch apart and stacks it again."""
    from tensorflow.core.framework import graph_pb2

    ancestors = main.before(*heads)
    ends = [n for n in main.of("TensorListStack", "TensorArrayGatherV3") if n.name in ancestors]
    if len(ends) != 1:
        return None
    ancestors = main.before(ends[0].name)
    begins = [n for n in main.of("TensorListFromTensor", "TensorArrayScatterV3") if n.name in ancestors]
    bodies = [main, *(Nodes(f.node_def) for f in graph_def.library.function)]
    resizes = [(nodes, n) for nodes in bodies for n in nodes.of("ResizeBilinear")]
    resizes = [(nodes, n) for nodes, n in resizes if nodes is not main or n.name in ancestors]
    if len(begins) != 1 or len(resizes) != 1:
        return None
    begin, (body, resize) = begins[0], resizes[0]
    size = _size(body, resize.input[1])
    if size is None:
        return None
    added = graph_pb2.GraphDef()
    given = begin.input[0 if begin.op == "TensorListFromTensor" else 2]
    wanted = build.constant(added.node, f"{ends[0].name}/size", size)
    made = build.node(added.node, "ResizeBilinear", ends[0].name, [given, wanted])
    for key in ("T", "align_corners", "half_pixel_centers"):
        if key in resize.attr:
            made.attr[key].CopyFrom(resize.attr[key])
    straight = Nodes([*(n for n in main if n.name != made.name), *added.node])
    return part(graph_def, straight, heads)


def _size(body: Nodes, reference: str) -> NDArray[Any] | None:
    """A constant [height, width], given as one or packed of two."""
    node = body.up(reference)
    parts = [body.constant(name) for name in node.input] if node is not None and node.op == "Pack" else []
    if parts and all(part is not None for part in parts):
        return np.array(parts, np.int32)
    return body.constant(reference)


def _agrees(run: Mapping[str, NDArray[Any]], detection: Detection) -> bool:
    """Whether the heads give the boxes that the graph's own post-processing gave."""
    made = boxes.detect(run[detection.boxes], run[detection.scores], detection)
    count = int(made.count[0])
    if count != int(np.ravel(run["num_detections"])[0]):
        return False
    pairs = ((made.boxes, "detection_boxes"), (made.scores, "detection_scores"), (made.classes, "detection_classes"))
    return all(np.allclose(a[:, :count], run[name][:, :count], 0, _CLOSE) for a, name in pairs)
