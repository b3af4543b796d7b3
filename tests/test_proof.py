"""The proof: golden numbers of TensorFlow, which engines and devices must come to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sitegen import proof
from sitegen.errors import SitegenError
from sitegen.records import GraphModel, Signature, TensorSpec
from sitegen.weights import container, quantize
from tests.conftest import REPOSITORY
from tests.parity import engine

HERE = Path(__file__).parent
IMAGE = {"invert": True, "scale": 1 / 255, "mean": [0.1], "std": [0.5]}


@pytest.fixture(scope="module")
def model() -> GraphModel:
    return engine.load(REPOSITORY / "content/digits/digits.keras")


def shapes(model: GraphModel) -> dict[str, list[int]]:
    return {spec.name: [1, *spec.shape[1:]] for spec in model.signature.inputs}


def test_inputs_are_the_same_wherever_they_are_made() -> None:
    """The bytes are those of the generator as it is written down, one after the other."""
    specs = (TensorSpec("x", "float32", (2, 3)), TensorSpec("n", "int32", (4,)), TensorSpec("b", "bool", (2,)))
    made = proof.given({s.name: s.shape for s in specs}, Signature(specs, ()), None, 5)
    state, expected = 5, []
    for _ in range(12):
        state = (state * 1664525 + 1013904223) % 2**32
        expected.append(state >> 24)
    np.testing.assert_array_equal(made["x"].ravel(), np.array(expected[:6], np.float64).astype(np.float32) / 255)
    np.testing.assert_array_equal(made["n"], np.array(expected[6:10]) & 1)
    np.testing.assert_array_equal(made["b"], np.array(expected[10:]) & 1)


def test_pictures_go_through_the_pages_arithmetic() -> None:
    specs = (TensorSpec("x", "float32", (1, 20, 30, 1)),)
    shape = {"x": (1, 20, 30, 1)}
    plain: dict[str, Any] = {"invert": False, "scale": 1.0, "mean": [0.0], "std": [1.0]}
    pixels, made = (proof.given(shape, Signature(specs, ()), image, 2)["x"] for image in (plain, IMAGE))
    assert pixels.dtype == made.dtype == np.float32
    assert (pixels.min() >= 0, pixels.max() <= 255, pixels.std() > 20) == (True, True, True)
    np.testing.assert_array_equal(pixels, np.round(pixels))
    np.testing.assert_allclose(made, ((255 - pixels) / 255 - 0.1) / 0.5, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("scheme", ["none", "uint8"])
def test_what_is_shipped_is_proven(model: GraphModel, scheme: str) -> None:
    file = container.write(quantize.tensors(model, scheme))
    made = proof.prove(model, file, None, shapes(model), IMAGE)
    assert made.engine < 1e-5
    assert (made.quantized > 1e-5) == (scheme == "uint8")
    golden = json.loads(made.file)
    assert golden["version"] == 1
    for run in golden["runs"]:
        given = proof.given(golden["shapes"], model.signature, IMAGE, run["seed"])
        (expected,) = engine.tensorflow(model, given)
        (told,) = run["outputs"].values()
        np.testing.assert_allclose(told["float"], expected.ravel()[:: told["every"]], rtol=1e-5, atol=1e-7)
        assert told["size"] == expected.size
        if scheme == "none":
            assert told["float"] == told["coded"]


def test_other_numbers_are_told(model: GraphModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is given a file that is not what TensorFlow is told it holds."""
    file = container.write(quantize.tensors(model, "none"))
    real = proof.container.read
    name = next(name for name, value in model.weights.items() if value.ndim == 4)
    monkeypatch.setattr(proof.container, "read", lambda given: real(given) | {name: 1.1 * model.weights[name]})
    with pytest.raises(SitegenError, match=r"computes other numbers than TensorFlow: .* off"):
        proof.prove(model, file, None, shapes(model), IMAGE)


def test_what_tensorflow_cannot_compute_is_not_proven(model: GraphModel) -> None:
    nodes = [{**node, "op": "Unheard"} if node["op"] == "Softmax" else node for node in model.topology["node"]]
    other = replace(model, topology={**model.topology, "node": nodes})
    with pytest.raises(LookupError, match="Unheard"):
        proof.prove(other, container.write(quantize.tensors(model, "none")), None, shapes(model), IMAGE)
