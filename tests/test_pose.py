"""The task pose-estimation: key points from every form of output are where Python finds them, in three browsers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sitegen.host import Host
from sitegen.tasks import pose_estimation
from tests import scripts
from tests.browsers import NAMES, Browser, click, give, wait_for
from tests.conftest import build, make
from tests.parity import engine
from tests.test_detection import open_page, published, resized, settled, suppressed

Points = list[tuple[str, float, float, float]]  # label, score, x, y
SHOWN = """[...document.querySelectorAll('.sg-point')].map((point) => [
  point.dataset.label, Number(point.dataset.score), ...point.dataset.place.split(' ').map(Number)])"""
NAMES_OF = ("red", "green", "blue", "dark")
SIDE = 48
MAPS = f"""---
title: Colours
task: pose-estimation
model: maps.keras
quantize: none
labels: [{", ".join(NAMES_OF)}]
input: {{resize: center-crop, scale: 0.00392156862745098}}
output: {{threshold: 0.1, limbs: [[red, green], [2, 1]]}}
samples: one.png
---
"""
FACE = """---
title: Faces
task: pose-estimation
model: blazeface.json
quantize: none
input: {scale: 0.00784313725490196, mean: 1}
output: {limbs: [[right eye, nose], [left eye, nose], [nose, mouth]]}
samples: one.png
---
"""


MOVENET = "movenet_single_pose_lightning_ptq.tflite"
BODY = f"""---
title: Bodies
task: pose-estimation
model: {MOVENET}
quantize: none
output: {{threshold: 0.3}}
samples: one.png
---
"""


@pytest.fixture(scope="module")
def maps() -> Any:
    """Where a colour, or darkness, is strongest: [N, 48, 48, 3] -> [N, 12, 12, 4]."""
    weights = np.zeros((7, 7, 3, 4), np.float32)
    for colour in range(3):
        weights[..., :, colour] = -0.5 / 49
        weights[..., colour, colour] = 1 / 49
    weights[..., 3] = -1 / 3 / 49
    x = keras.Input((SIDE, SIDE, 3))
    layer = keras.layers.Conv2D(4, 7, strides=4, padding="same")
    made = keras.Model(x, layer(x))
    layer.set_weights([weights, np.array([0, 0, 0, 1], np.float32)])
    return made


def spots() -> Image.Image:
    """Four soft spots on grey, in a picture that is wider than it is high."""
    pixels = np.full((60, 90, 3), 150.0)
    y, x = np.mgrid[:60, :90] + 0.5
    for (top, left), colour in {
        (14, 30): (255, 60, 60),
        (21, 61): (60, 255, 60),
        (45, 37): (60, 60, 255),
        (41, 63): (0, 0, 0),
    }.items():
        near = np.exp(-((y - top) ** 2 + (x - left) ** 2) / 40)[..., None]
        pixels = pixels * (1 - near) + np.array(colour) * near
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def peaks(maps: NDArray[np.float32]) -> list[tuple[float, float, float]]:
    """Score, x and y of each map's highest place, as fractions, in Python's own way."""
    found = []
    height, width, count = maps.shape
    for point in range(count):
        own = maps[..., point]
        row, column = np.unravel_index(own.argmax(), own.shape)
        padded = np.pad(own, 1, mode="edge")[row : row + 3, column : column + 3]
        across = np.sign(padded[1, 2] - padded[1, 0]) / 4 if 0 < column < width - 1 else 0
        down = np.sign(padded[2, 1] - padded[0, 1]) / 4 if 0 < row < height - 1 else 0
        found.append((float(own.max()), (column + across + 0.5) / width, (row + down + 0.5) / height))
    return found


def site(root: Path, cache: Path, name: str, front: str, picture: Image.Image) -> Path:
    """Builds a site of one page, content/`name`/, whose other files lie there; gives its output."""
    picture.save(root / "content" / name / "one.png")
    (root / "content" / name / "index.md").write_text(front)
    (root / build.CACHE_FOLDER).symlink_to(cache)
    make(root)
    return root / "output"


@pytest.fixture(scope="module")
def maps_site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, maps: Any) -> Path:
    root = tmp_path_factory.mktemp("maps")
    (root / "content/spots").mkdir(parents=True)
    maps.save(root / "content/spots/maps.keras")
    return site(root, shared_cache, "spots", MAPS, spots())


@pytest.fixture(scope="module")
def people(shared: Path) -> Image.Image:
    picture = Image.open(shared / "samples/max/object/dog-human.jpg").convert("RGB")
    picture.thumbnail((640, 640))
    return picture


@pytest.fixture(scope="module")
def face_site(tmp_path_factory: pytest.TempPathFactory, shared: Path, shared_cache: Path, people: Image.Image) -> Path:
    root = tmp_path_factory.mktemp("points")
    published(root, shared / "models/blazeface_tfjs", "faces")
    return site(root, shared_cache, "faces", FACE, people)


@pytest.fixture(scope="module")
def body_site(tmp_path_factory: pytest.TempPathFactory, shared: Path, shared_cache: Path, people: Image.Image) -> Path:
    root = tmp_path_factory.mktemp("bodies")
    (root / "content/bodies").mkdir(parents=True)
    shutil.copy(shared / "models" / MOVENET, root / "content/bodies")
    return site(root, shared_cache, "bodies", BODY, people)


def same(found: Points, expected: Points) -> None:
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert np.abs(np.array([row[1:] for row in found]) - np.array([row[1:] for row in expected])).max() < 2e-3


@pytest.mark.parametrize("name", NAMES)
def test_points_of_maps(name: str, browser: Callable[[str], Browser], maps_site: Path, maps: Any) -> None:
    """In a picture of 90 x 60 the model is shown the middle; over http and from a file."""
    bands = [
        band.convert("F").resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=(15, 0, 75, 60))
        for band in spots().split()
    ]
    (found,) = maps.predict(np.stack(bands, -1)[None] / 255, verbose=0)
    told = zip(NAMES_OF, peaks(found), strict=True)
    expected = [(label, score, (15 + x * 60) / 90, y) for label, (score, x, y) in told if score >= 0.1]
    assert [label for label, *_ in expected] == list(NAMES_OF)
    # The spots are where they were put, to a cell of the maps.
    assert np.allclose(
        [row[2:] for row in expected],
        [(30 / 90, 14 / 60), (61 / 90, 21 / 60), (37 / 90, 45 / 60), (63 / 90, 41 / 60)],
        atol=0.05,
    )
    tab = browser(name).new_tab()
    with Host(maps_site) as host:
        for url in (host.url + "spots/index.html", (maps_site / "spots/index.html").as_uri()):
            open_page(tab, url)
            click(tab, "[data-sample]")
            settled(tab)
            same(tab.evaluate(SHOWN), expected)
            limbs = "[...document.querySelectorAll('[data-limb]')].map((e) => e.dataset.limb)"
            assert tab.evaluate(limbs) == ["0 1", "2 1"]
            told_ = json.loads(tab.evaluate("document.querySelector('.sg-json pre').textContent"))
            (human,) = told_["predictions"]
            assert [part["part_name"] for part in human["body_parts"]] == list(NAMES_OF)
            assert human["body_parts"][0]["x"] == pytest.approx(expected[0][2] * 90, abs=0.2)
            assert human["pose_lines"][0]["line"][3] == pytest.approx(expected[1][3] * 60, abs=0.2)
            # Less sure points go, and the limbs that end in them.
            least = sorted(row[1] for row in expected)[1]
            tab.evaluate(
                f"(() => {{ const slider = document.querySelector('[data-action=threshold]'); slider.value = {least};"
                " slider.dispatchEvent(new Event('input', { bubbles: true })); })()"
            )
            wait_for(tab, "document.querySelectorAll('.sg-point').length < 4")
            left = [row[0] for row in tab.evaluate(SHOWN)]
            ends = [[NAMES_OF[int(end)] for end in limb.split()] for limb in tab.evaluate(limbs)]
            assert all(set(pair) <= set(left) for pair in ends)
    tab.close()


def face_points(shared: Path, picture: Image.Image) -> Points:
    """The six points of each face as Python finds them, by BlazeFace's own arithmetic."""
    model = engine.load(shared / "models/blazeface_tfjs/blazeface.json")
    ends = engine.tensorflow(model, {model.signature.inputs[0].name: resized(picture, 256) / np.float32(127.5) - 1})
    rows, points = [], []
    for scores, numbers, side, each in ((ends[0], ends[2], 16, 2), (ends[1], ends[3], 8, 6)):
        cells = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) + 0.5) / side
        cells = np.repeat(cells, each, 0)
        middle, half = numbers[0, :, :2] / 256 + cells, numbers[0, :, 2:4] / 512
        low, high = (middle - half)[:, ::-1], (middle + half)[:, ::-1]
        rows += zip(1 / (1 + np.exp(-scores[0, :, 0].clip(-80))), np.concatenate([low, high], 1), strict=True)
        points += list(numbers[0, :, 4:].reshape(-1, 6, 2) / 256 + cells[:, None])
    left = suppressed([(index, float(score), box) for index, (score, box) in enumerate(rows) if score >= 0.5], 1.0)
    best = left[0]
    names = ("right eye", "left eye", "nose", "mouth", "right ear", "left ear")
    return [(name, best[1], float(x), float(y)) for name, (x, y) in zip(names, points[best[0]], strict=True)]


def test_points_of_bodies(
    browser: Callable[[str], Browser], body_site: Path, people: Image.Image, shared: Path
) -> None:
    """MoveNet from a quantized TensorFlow Lite file, whose graph looks for the points itself."""
    model = engine.load(shared / "models" / MOVENET)
    given = np.rint(resized(people, 192)).astype(np.int32)
    (rows,) = engine.tensorflow(model, {model.signature.inputs[0].name: given})[0][0]
    names = pose_estimation._COCO
    told = zip(names, rows, strict=True)
    expected = [(name, float(score), float(x), float(y)) for name, (y, x, score) in told if score >= 0.3]
    assert len(expected) >= 10
    places = {name: (x, y) for name, _, x, y in expected}
    assert places["nose"][1] < places["left hip"][1] < places["left ankle"][1]
    tab = browser("chromium").new_tab()
    with Host(body_site) as host:
        open_page(tab, host.url + "bodies/index.html")
        click(tab, "[data-sample]")
        settled(tab)
        same(tab.evaluate(SHOWN), expected)
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_points_of_faces(
    name: str, browser: Callable[[str], Browser], face_site: Path, people: Image.Image, shared: Path
) -> None:
    expected = face_points(shared, people)
    places = {label: (x, y) for label, _, x, y in expected}
    # She looks to the right.
    assert places["right ear"][0] < places["right eye"][0] < places["nose"][0]
    assert places["right eye"][1] < places["nose"][1] < places["mouth"][1]
    tab = browser(name).new_tab()
    with Host(face_site) as host:
        open_page(tab, host.url + "faces/index.html")
        click(tab, "[data-sample]")
        settled(tab)
        same(tab.evaluate(SHOWN), expected)
        assert tab.evaluate("document.querySelectorAll('[data-limb]').length") == 3
        # The same picture as a file of the visitor's.
        click(tab, "[data-source=upload]")
        wait_for(tab, "!document.querySelector('.sg-stage')")
        give(tab, (face_site.parent / "content/faces/one.png").read_bytes(), "x.png")
        settled(tab)
        same(tab.evaluate(SHOWN), expected)
    tab.close()


def poses(outputs: dict[str, Any], config: dict[str, Any], logits: bool = False) -> Any:
    """The poses of outputs (name -> nested lists), for an input of 20 x 10 pixels."""
    tensors = {
        name: {"shape": list(np.shape(value)), "data": np.ravel(value).tolist()} for name, value in outputs.items()
    }
    body = "return script.posesOf(given[0], given[1], given[2], { width: 20, height: 10 });"
    return scripts.call("widgets/pose-estimation/points.ts", body, [tensors, config, logits])


@pytest.mark.parametrize(
    ("values", "columns", "units", "logits", "expected"),
    [
        # MoveNet's form: of one body, y, x, score.
        (
            [[[[0.2, 0.4, 0.9], [0.5, 1, 0.1]]]],
            ["y", "x", "score"],
            "fraction",
            False,
            [(0.4, 0.2, 0.9), (1, 0.5, 0.1)],
        ),
        ([[[10, 5], [20, 0]]], ["x", "y"], "pixels", False, [(0.5, 0.5, 1), (1, 0, 1)]),
        ([[0.1, 0.2, 0.3, 0.4]], ["x", "y"], "fraction", False, [(0.1, 0.2, 1), (0.3, 0.4, 1)]),
        ([[[0.1, 0.2, 0], [0.3, 0.4, -50]]], ["x", "y", "score"], "fraction", True, [(0.1, 0.2, 0.5), (0.3, 0.4, 0)]),
    ],
)
def test_rows_of_points(
    values: Any, columns: list[str], units: str, logits: bool, expected: list[tuple[float, float, float]]
) -> None:
    (pose,) = poses(
        {"p": values}, {"form": "rows", "points": "p", "columns": columns, "units": units, "count": 2}, logits
    )
    assert np.allclose([(p["x"], p["y"], p["score"]) for p in pose["points"]], expected, atol=1e-6)
    assert pose["score"] == pytest.approx(np.mean([score for *_, score in expected]), abs=1e-6)


def test_several_bodies() -> None:
    values = [[[[0, 0, 1], [0, 1, 1]], [[1, 0, 0.5], [1, 1, 0.5]]]]
    config = {"form": "rows", "points": "p", "columns": ["y", "x", "score"], "units": "fraction", "count": 2}
    assert [pose["score"] for pose in poses({"p": values}, config)] == [1, 0.5]


def test_peaks_of_noise() -> None:
    """Also at the edges, where there is no neighbour to go towards."""
    values = np.random.default_rng(2).normal(size=(5, 6, 40)).astype(np.float32)
    (pose,) = poses({"m": values[None]}, {"form": "maps", "points": "m", "count": 40})
    found = [(p["score"], p["x"], p["y"]) for p in pose["points"]]
    assert np.allclose(found, peaks(values), atol=1e-6)
    edges = [(x * 6 - 0.5) % 1 == 0 for _, x, _ in found]
    assert any(edges)
    assert not all(edges)
