"""`quantize: auto`: fewer bytes, at a loss that was measured and that the engine in the page shows too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sitegen.errors import SitegenError, Unmeasurable
from sitegen.records import GraphModel, TensorSpec
from sitegen.weights import auto, container, fidelity, gate, quantize, search, statistics, synthetic, use
from sitegen.weights.auto import Encoded
from sitegen.weights.gate import BESIDES, LIKEST, OTHER, REAL, Budget
from sitegen.weights.rounding import Rounding, Task
from tests.cases import HERE
from tests.conftest import REPOSITORY
from tests.parity import engine
from tests.parity.chromium import Arena, shaped
from tests.test_cli import sitegen

DIGITS = REPOSITORY / "content/digits"
PAGE = {
    "input": {
        "height": 28,
        "width": 28,
        "channels": 1,
        "resize": "stretch",
        "crop": 1.0,
        "pad": 114,
        "invert": True,
        "scale": 1 / 255,
        "mean": [0.0],
        "std": [1.0],
        "draw": {"pen": 0.08, "fit": 0.8},
    },
    "activation": "none",
}


@pytest.fixture(scope="module")
def model() -> GraphModel:
    return engine.load(DIGITS / "digits.keras")


@pytest.fixture(scope="module")
def encoded(model: GraphModel) -> Encoded:
    return auto.encode(model, use.kinds(model, "none"), use.Pictures(model, PAGE))


def named(*paths: Path) -> list[tuple[str, str]]:
    """Files as a build names them."""
    return [(path.name, str(path)) for path in paths]


def samples(model: GraphModel) -> NDArray[np.float32]:
    """The page's samples as its model sees them."""
    found = use.Pictures(model, PAGE).files(named(*sorted((DIGITS / "samples").glob("*.png"))))
    assert found is not None
    return found


def test_it_is_small_and_its_loss_is_within_the_bounds(model: GraphModel, encoded: Encoded) -> None:
    uint8 = sum(value.size for value in model.weights.values() if value.dtype.kind == "f")
    assert len(encoded.file) < 0.8 * uint8
    assert encoded.loss.distortion <= 0.6 * encoded.uint8.distortion
    assert encoded.measure == "KL"


def test_what_is_said_is_what_the_file_loses(model: GraphModel, encoded: Encoded) -> None:
    """From the file itself, with the float weights as TensorFlow computes with them."""
    kinds = use.kinds(model, "none")
    family = encoded.loss.on.partition("(")[2].rstrip(")")
    inputs = use.Pictures(model, PAGE).synthetic(family, encoded.loss.inputs, 3)
    (name,) = (spec.name for spec in model.signature.inputs)
    small = replace(model, weights=container.read(encoded.file))
    exact, found = (engine.tensorflow(each, {name: inputs}) for each in (model, small))
    loss = fidelity.loss([exact[0].astype(float)], [found[0].astype(float)], kinds)
    assert loss.distortion == pytest.approx(encoded.loss.distortion, rel=0.02)
    assert loss.agreement == encoded.loss.agreement
    assert sum(encoded.sizes.values()) < len(encoded.file) < sum(encoded.sizes.values()) + 200 * len(encoded.sizes)


def test_the_same_model_is_the_same_file(model: GraphModel, encoded: Encoded) -> None:
    again = auto.encode(model, use.kinds(model, "none"), use.Pictures(model, PAGE))
    assert again.file == encoded.file


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with Arena(tmp_path_factory.mktemp("arena")) as made:
        yield made


def test_the_engine_computes_with_them(model: GraphModel, encoded: Encoded, arena: Arena) -> None:
    """Under Node and in Chromium, from the file itself; what it names is what the float model names."""
    (name,) = (spec.name for spec in model.signature.inputs)
    given = {name: samples(model)}
    small = replace(model, weights=container.read(encoded.file))
    expected = engine.tensorflow(small, given)
    (under_node,) = engine.run(model, [given], encoded.file)
    arena.enter("auto", model, [given], weights=encoded.file)
    in_chromium = shaped(arena.run("auto"), expected)
    for found in (under_node, in_chromium):
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=1e-4)
    (exact,) = engine.tensorflow(model, given)
    np.testing.assert_array_equal(expected[0].argmax(axis=1), exact.argmax(axis=1))
    assert fidelity.loss([exact], [expected[0]], ["probabilities"]).distortion < 1e-3


def test_a_build_says_what_was_lost(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    shutil.copy(HERE / "models/tiny.keras", tmp_path / "content")
    head = "---\ntitle: A\ntask: image-classification\nmodel: tiny.keras\nquantize: {scheme: auto, max_kl: 0.01}\n---\n"
    (tmp_path / "content/a.md").write_text(head)
    done = sitegen(tmp_path, "build", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["pages"]
    assert row["quantize"] == "auto"
    assert row["loss"]["measure"] == "KL"
    assert 0 < row["loss"]["distortion"] <= 0.01
    html = (tmp_path / "output/a/index.html").read_text()
    for said in (
        "coded integers",
        "100 % (8-bit integers: 100 %)",
        " nats (8-bit integers: ",
        "48 synthetic pictures (",
    ):
        assert said in html
    # Again, from the cache.
    assert json.loads(sitegen(tmp_path, "build", "--json").stdout)["written"] is False


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([], "take one picture"),
        ([(-1, 28, 28, 1)] * 2, "take one picture"),
        ([(-1, 4)], "take one picture"),
        ([(8, 28, 28, 1)], "take one picture"),
        ([(-1, -1, 28, 1)], "know the size"),
        ([(-1, 28, 28, 4)], "1 or 3 channels"),
    ],
)
def test_models_that_take_no_pictures_are_told_so(shapes: list[tuple[int, ...]], said: str, model: GraphModel) -> None:
    specs = tuple(TensorSpec("x", "float32", shape) for shape in shapes)
    other = replace(model, signature=replace(model.signature, inputs=specs))
    unsaid = {**PAGE, "input": {**PAGE["input"], "height": None, "channels": None}}
    with pytest.raises(Unmeasurable, match=said):
        use.Pictures(other, unsaid)


DRAWN = {"pen strokes, cropped": synthetic.drawings(0.08, 0.8)["pen strokes"]}
DRAWN |= {"pen strokes": synthetic.drawings(0.08, None)["pen strokes"]}


@pytest.mark.parametrize("family", [pytest.param(f, id=n) for n, f in {**synthetic.PHOTOGRAPHS, **DRAWN}.items()])
def test_synthetic_pictures(family: synthetic.Family) -> None:
    made = synthetic.pictures(family, 3, 20, 30, 3, 1)
    assert made.shape == (3, 20, 30, 3)
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() <= 255
    assert made.std() > 10
    np.testing.assert_array_equal(made, synthetic.pictures(family, 3, 20, 30, 3, 1))
    assert synthetic.pictures(family, 1, 200, 120, 1, 2).shape == (1, 200, 120, 1)


def test_what_is_drawn_fills_the_picture() -> None:
    """As the page crops it: the ink's longer side is 0.8 of 40 pixels."""
    for drawn in synthetic.pictures(DRAWN["pen strokes, cropped"], 20, 40, 40, 1, 3)[..., 0]:
        ink = np.argwhere(drawn < 128)
        assert np.ptp(ink, axis=0).max() + 1 == pytest.approx(32, abs=2)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_factors_multiply_back(size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    root = random.normal(size=(size, size + 2))
    matrix = root @ root.T
    m, d = statistics.triangular(matrix, 0.1)
    damped = matrix + 0.1 * np.trace(matrix) / size * np.eye(size)
    np.testing.assert_allclose(m @ np.diag(d) @ m.T, damped, atol=1e-8 * np.trace(matrix))
    np.testing.assert_allclose(m, np.triu(m))
    np.testing.assert_allclose(np.diag(m), 1)


def test_feedback_lowers_what_errors_cost(tmp_path: Path) -> None:
    """Against plain rounding, by the measure that the feedback is for: the errors' quadratic form."""
    random = np.random.default_rng(1)
    a, b = (root @ root.T for root in (random.normal(size=(24, 6)), random.normal(size=(16, 4))))
    m_in, d_in = statistics.triangular(a, 0.1)
    m_out, d_out = statistics.triangular(b, 0.1)
    weights = random.normal(size=(24, 16))
    orders = random.permutation(24), random.permutation(16)
    known = statistics.Statistics(m_in.astype(np.float32), d_in, orders[0], m_out.astype(np.float32), d_out, orders[1])
    # The statistics are in an order of their own.
    a, b = (matrix[np.ix_(np.argsort(order), np.argsort(order))] for matrix, order in zip((a, b), orders, strict=True))
    task = Task(weights, known, 1.0, np.zeros(24, np.int16), np.zeros(16, np.int16))
    step = 0.3

    def cost(integers: NDArray[np.int16]) -> float:
        error = weights - step * integers
        return float(np.trace(error.T @ a @ error @ b))

    with Rounding([task]) as rounding:
        (with_feedback,) = rounding.integers([step])
    assert cost(with_feedback) < 0.5 * cost(np.round(weights / step).astype(np.int16))


def test_rounding_is_plain_where_errors_do_not_add_up() -> None:
    random = np.random.default_rng(2)
    weights = random.normal(size=(5, 7))
    one, other = (np.eye(size, dtype=np.float32) for size in (5, 7))
    known = statistics.Statistics(one, np.ones(5), np.arange(5)[::-1], other, np.ones(7), np.arange(7))
    rows, columns = np.array([0, 2, 0, -2, 0], np.int16), np.array([0, 0, 4, 0, 0, -2, 0], np.int16)
    with Rounding([Task(weights, known, 0.5, rows, columns)]) as rounding:
        for step in (0.1, 0.01):
            (integers,) = rounding.integers([step])
            expected = np.round(weights / (step * 2.0 ** (rows[:, None] / 2) * 2.0 ** (columns / 2)))
            np.testing.assert_array_equal(integers, expected)


def test_a_budget_is_kept(model: GraphModel, encoded: Encoded) -> None:
    generous = auto.encode(model, ["probabilities"], use.Pictures(model, PAGE), Budget(distortion=1e-3))
    assert encoded.loss.distortion < generous.loss.distortion <= 1e-3
    assert len(generous.file) < 0.75 * len(encoded.file)
    strict = auto.encode(model, ["probabilities"], use.Pictures(model, PAGE), Budget(1e-3, agreement=1.0))
    assert strict.loss.agreement == 1


def test_a_budget_that_nothing_keeps(model: GraphModel) -> None:
    with pytest.raises(SitegenError, match="comes no nearer than KL") as caught:
        auto.encode(model, ["probabilities"], use.Pictures(model, PAGE), Budget(distortion=1e-14))
    assert "allow more loss" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("probabilities", {"max_kl": 0.01, "min_agreement": 0.9}, Budget(0.01, 0.9)),
        ("numbers", {"min_snr": 20.0}, Budget(0.01, None)),
        ("logits", {}, Budget()),
    ],
)
def test_budgets_as_pages_say_them(kind: str, said: dict[str, float], expected: Budget) -> None:
    assert use.budget([kind], said) == expected


def test_budgets_of_the_wrong_kind() -> None:
    with pytest.raises(SitegenError, match=r"gives numbers, which quantize.max_kl says nothing of"):
        use.budget(["numbers"], {"max_kl": 0.1})
    with pytest.raises(SitegenError, match=r"gives probabilities, which quantize.min_snr says nothing of"):
        use.budget(["logits"], {"min_snr": 30})


def test_pictures_of_ones_own(model: GraphModel) -> None:
    """Half of them are measured with, half only looked at; synthetic ones are looked at besides."""
    pictures = use.Pictures(model, PAGE)
    likest, *others = (f"synthetic pictures ({family})" for family in pictures.families)
    few = {name: bound for name, _, bound, _ in auto._gates(pictures, samples(model), None, 1e6)}
    assert few == {"calibration pictures": REAL, likest: LIKEST, **dict.fromkeys(others, OTHER)}
    data = np.concatenate([np.roll(samples(model), shift, axis=2) for shift in (-2, -1, 0, 1, 2)])
    many = {name: (len(given), bound) for name, given, bound, _ in auto._gates(pictures, data, None, 1e6)}
    assert many == {"calibration pictures": (25, REAL), likest: (48, BESIDES), others[0]: (48, OTHER)}
    long = next(given for _, given, *_ in auto._gates(pictures, data, None, 1e9))
    assert len(long) == 25
    longer = next(given for _, given, *_ in auto._gates(pictures, data, None, 1e10))
    np.testing.assert_array_equal(longer, data[1::4])
    made = auto.encode(model, ["probabilities"], pictures, data=data)
    assert made.loss.distortion <= 0.9 * made.uint8.distortion


@pytest.fixture(scope="module")
def tiny() -> GraphModel:
    return engine.load(HERE / "models/tiny.keras")


TINY_PAGE = {**PAGE, "input": {**PAGE["input"], "height": 6, "width": 6}}


def test_fixed_tensors_are_stored_as_they_say(tiny: GraphModel) -> None:
    convolution, dense = (name for name, value in tiny.weights.items() if value.ndim > 1)
    inputs = use.Pictures(tiny, TINY_PAGE)
    all_coded = auto.encode(tiny, ["probabilities"], inputs)
    made = auto.encode(tiny, ["probabilities"], inputs, fixed={dense: "none"})
    values = container.read(made.file)
    np.testing.assert_array_equal(values[dense], tiny.weights[dense])
    assert not np.array_equal(values[convolution], tiny.weights[convolution])
    assert len(made.file) > len(all_coded.file)
    coarse = auto.encode(tiny, ["probabilities"], inputs, Budget(1e-3), fixed={dense: "uint8"})
    expected = container.read(container.write(quantize.tensors(tiny, "uint8")))[dense]
    np.testing.assert_array_equal(container.read(coarse.file)[dense], expected)
    with pytest.raises(LookupError, match="no kernel with a gradient is left"):
        auto.encode(tiny, ["probabilities"], inputs, fixed={dense: "none", convolution: "none"})


def test_accuracy_is_kept(tiny: GraphModel) -> None:
    """Labels that the float model has all right, on inputs of which some lie where it can hardly tell."""
    inputs = use.Pictures(tiny, TINY_PAGE)
    noise = np.random.default_rng(1).normal(size=(3000, 6, 6, 1)).astype(np.float32)
    (scores,) = engine.tensorflow(tiny, {tiny.signature.inputs[0].name: noise})
    second, first = np.sort(scores, axis=1)[:, -2:].T
    some = np.argsort(first - second)[::10]
    labelled = noise[some], scores[some].argmax(axis=1)
    loose, strict = (
        auto.encode(tiny, ["probabilities"], inputs, Budget(0.002, drop=drop), labelled=labelled)
        for drop in (None, 0.2)
    )
    assert loose.accuracy is not None
    assert strict.accuracy is not None
    assert loose.float_accuracy == strict.float_accuracy == 1
    assert loose.accuracy < 0.8 <= strict.accuracy
    assert len(strict.file) > len(loose.file)
    with pytest.raises(SitegenError, match=r"accuracy \d+\.\d% of 100\.0%"):
        auto.encode(tiny, ["probabilities"], inputs, Budget(1e-20), labelled=labelled)


@pytest.mark.parametrize(
    ("budget", "found", "kept"),
    [
        (Budget(drop=0.2), fidelity.Loss(0, 1, accuracy=0.7), True),
        (Budget(drop=0.2), fidelity.Loss(0, 1, accuracy=0.6), False),
        (Budget(drop=0.2), fidelity.Loss(0, 1), True),
        (Budget(agreement=0.9), fidelity.Loss(0, 0.9), True),
        (Budget(agreement=0.9), fidelity.Loss(0, 0.8), False),
        (Budget(agreement=0.9), fidelity.Loss(0, None), True),
        (Budget(agreement=0.9, drop=0.2), fidelity.Loss(0, 0.95, accuracy=0.6), False),
        (Budget(), fidelity.Loss(0, 0, accuracy=0), True),
    ],
)
def test_what_is_counted(budget: Budget, found: fidelity.Loss, kept: bool) -> None:
    """Beside a float model that is right for 9 of 10."""
    assert gate.kept(budget, found, 0.9) is kept


@pytest.mark.parametrize("threshold", [-70, -64, -63, -30, -5, 0, 3, 60, 127, 128, 200])
def test_the_largest_step_is_found(threshold: int) -> None:
    tried: list[int] = []

    def excess(at: int) -> float:
        tried.append(at)
        return (at - threshold) / 8

    found = search.largest(excess)
    if threshold < search.LOWEST:
        assert found is None
    else:
        assert found is not None
        assert min(threshold, 128) - 2 < found <= threshold
        assert found in tried
    assert len(tried) <= 16


def test_a_step_beyond_one_that_fails_is_found() -> None:
    assert search.largest(lambda at: -1.0 if at <= 20 or at == 30 else 0.1) == 30
    assert search.largest(lambda at: -np.inf if at <= 20 else np.inf) == 20


@pytest.mark.parametrize("resize", ["stretch", "center-crop", "letterbox"])
def test_pictures_are_resized_as_the_page_does(resize: str, model: GraphModel, tmp_path: Path) -> None:
    from PIL import Image

    ramp = np.tile(np.arange(0, 120, 2, dtype=np.uint8), (30, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    page = {**PAGE, "input": {**PAGE["input"], "resize": resize, "invert": False, "scale": 1.0}}
    made = use.Pictures(model, page).files(named(tmp_path / "ramp.png"))
    assert made is not None
    found = made[0]
    row = found[14, :, 0]
    assert found.shape == (28, 28, 1)
    assert (np.diff(row) >= 0).all()
    first, last = {"stretch": (1, 117), "center-crop": (31, 88), "letterbox": (1, 117)}[resize]
    assert abs(row[0] - first) <= 2
    assert abs(row[-1] - last) <= 2
    assert (found[0, 14, 0] == 114) == (resize == "letterbox")


def test_what_is_no_picture_is_told(model: GraphModel, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(SitegenError, match="is no picture that can be read"):
        use.Pictures(model, PAGE).files(named(tmp_path / "a.png"))
