"""Detectors end at their heads; what the page makes of these is what TensorFlow makes of the whole graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.graph import ssd
from tests import detectors
from tests.parity import engine

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "loops of TensorFlow 2": {},
    "loops of TensorFlow 1": {"new_loops": False},
    "scores filtered first": {"new_loops": False, "suppression": "V2"},
    "softmax": {"converter": tf.nn.softmax},
    "few boxes": {"score": 0.9},
    "no box": {"score": 1.1},
}


def pictures(*shapes: Sequence[int]) -> list[NDArray[np.uint8]]:
    random = np.random.default_rng(7)
    return [random.integers(0, 256, shape).astype(np.uint8) for shape in shapes]


def compare(graph_def: Any, folder: Path, *shapes: Sequence[int]) -> list[NDArray[Any]]:
    """Asserts that the engine finds what TensorFlow finds; gives the counts of boxes."""
    path = folder / "graph.pb"
    path.write_bytes(graph_def.SerializeToString())
    model = engine.load(path)
    assert [node for node in model.topology["node"] if "While" in node["op"] or node["op"] == "Enter"] == []
    given = pictures(*shapes)
    found = engine.run(model, [{"image_tensor:0": picture} for picture in given])
    counts = []
    for picture, (boxes, scores, classes, count) in zip(given, found, strict=True):
        expected = detectors.tensorflows(graph_def, picture)
        np.testing.assert_array_equal(count, expected[3])
        for row, number in enumerate(count.astype(int)):
            for ours, theirs in zip((boxes, scores, classes), expected, strict=False):
                np.testing.assert_allclose(ours[row, :number], theirs[row, :number], rtol=0, atol=1e-3)
        counts.append(count)
    return counts


@pytest.mark.parametrize("name", VARIANTS)
def test_boxes_are_tensorflows(name: str, tmp_path: Path) -> None:
    graph_def = detectors.detector(**VARIANTS[name])
    counts = compare(graph_def, tmp_path, (1, 40, 50, 3), (1, 24, 32, 3), (2, 31, 17, 3))
    most = max(int(count.max()) for count in counts)
    least, highest = {"few boxes": (1, detectors.TOTAL - 1), "no box": (0, 0)}.get(name, (detectors.TOTAL,) * 2)
    assert least <= most <= highest


def test_what_is_no_single_shot_detector_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(detectors.detector(agnostic=True).SerializeToString())
    with pytest.raises(SitegenError, match="not a single-shot detector") as caught:
        engine.load(path)
    assert "model.outputs" in str(caught.value.hint)


def test_other_graphs_are_left_alone() -> None:
    graph_def = detectors.detector()
    assert ssd.cut(graph_def, ("concat",)) is None
    for node in graph_def.node:
        assert "NonMaxSuppression" not in node.op
    del graph_def.library.function[:]
    assert ssd.cut(graph_def, ssd.RESULTS) is None


def test_the_published_graph(shared: Path, tmp_path: Path) -> None:
    """Its weights are such that every score is the same: what comes first is the order of equals."""
    (count,) = compare(detectors.published(shared), tmp_path, (1, 240, 320, 3))
    assert count == [100]
    model = engine.load(tmp_path / "graph.pb")
    assert len(model.topology["node"]) < 200
    assert model.detection is not None
    assert model.detection.anchors.shape == (1917, 4)
    assert model.detection.scales == (10, 10, 5, 5)
    assert (model.detection.background, model.detection.first_class) == (1, 1)


def test_the_published_graph_with_scores_that_differ(shared: Path, tmp_path: Path) -> None:
    graph_def = detectors.published(shared)
    detectors.shake(graph_def)
    counts = compare(graph_def, tmp_path, (1, 240, 320, 3), (2, 111, 87, 3))
    assert [count.tolist() for count in counts] == [[100], [100, 100]]
