"""The task image-segmentation: the class of each cell is Python's, and is where it belongs in the picture."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from content import webm
from sitegen.host import Host
from tests import scripts
from tests.browsers import NAMES, Browser, Tab, click, give, wait_for
from tests.conftest import REPOSITORY, build, make
from tests.parity import engine
from tests.test_detection import open_page, resized, settled

PICTURE = REPOSITORY / "content/scenes/samples/cat.png"
PASCAL = "deeplabv3_mnv2_dm05_pascal_quant.tflite"
LABELS = ("background", "reddish", "greenish", "bluish")
SIDE = 48
PAGE = f"""---
title: Colours
task: image-segmentation
model: colours.keras
quantize: none
labels: [{", ".join(LABELS)}]
input: {{resize: letterbox, scale: 0.00392156862745098}}
samples: one.png
---
"""
THINGS = f"""---
title: Things
task: image-segmentation
model: {PASCAL}
labels: labels.txt
samples: one.png
---
"""
# The colours of the mask, sampled at the middle of every cell: what visitors see, not what the script meant.
SEEN = """(() => {
  const mask = document.querySelector('.sg-mask');
  return [...mask.getContext('2d').getImageData(0, 0, mask.width, mask.height).data];
})()"""

# What visitors are told of each class, in per cent.
SHARES = r"""Object.fromEntries([...document.querySelectorAll('[data-class]')].map((each) => {
  const [, label, share] = /^(\S+)\s+(\d+)/.exec(each.textContent.trim());
  return [label, Number(share)];
}))"""

# Of a large mask every third pixel of every third row, as one number each.
EVERY_THIRD = """(() => {
  const mask = document.querySelector('.sg-mask');
  const { data } = mask.getContext('2d').getImageData(0, 0, mask.width, mask.height);
  const pixels = [...new Uint32Array(data.buffer)];
  return pixels.filter((_, at) => at % mask.width % 3 === 0 && Math.floor(at / mask.width) % 3 === 0);
})()"""


@pytest.fixture(scope="module")
def model() -> Any:
    """Which of the primary colours is strongest around a cell, unless all are alike."""
    weights = np.zeros((3, 3, 3, 4), np.float32)
    for colour in range(3):
        weights[..., :, colour + 1] = -1 / 18
        weights[..., colour, colour + 1] = 1 / 9
    x = keras.Input((SIDE, SIDE, 3))
    layer = keras.layers.Conv2D(4, 3, strides=2, padding="same")
    made = keras.Model(x, layer(x))
    layer.set_weights([weights, np.array([0.05, 0, 0, 0], np.float32)])
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, model: Any) -> Path:
    root = tmp_path_factory.mktemp("segmentation")
    (root / "content/colours").mkdir(parents=True)
    (root / "content/colours/index.md").write_text(PAGE)
    model.save(root / "content/colours/colours.keras")
    picture().save(root / "content/colours/one.png")
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


def picture() -> Image.Image:
    """Twice as wide as it is high, in strong colours."""
    cat = np.asarray(Image.open(PICTURE).convert("RGB").resize((96, 48)), np.float32)
    strong = np.clip((cat - cat.mean((0, 1))) * 3 + 128, 0, 255)
    return Image.fromarray(strong.astype(np.uint8))


def expected(model: Any) -> NDArray[np.int64]:
    """The classes as Keras gives them, of the picture between two bars of white paper."""
    paper = Image.new("RGB", (96, 96), "white")
    paper.paste(picture(), (0, 24))
    channels = [c.convert("F").resize((SIDE, SIDE), Image.Resampling.BILINEAR) for c in paper.split()]
    scores = model.predict(np.stack(channels, -1)[None] / 255, verbose=0)
    classes: NDArray[np.int64] = scores[0].argmax(-1)
    return classes


def colours(tab: Tab) -> NDArray[np.int64]:
    """The mask, [height, width, 4]."""
    side = SIDE // 2
    return np.array(tab.evaluate(SEEN)).reshape(side, side, 4)


@pytest.mark.parametrize("name", NAMES)
def test_segments_are_pythons(name: str, browser: Callable[[str], Browser], site: Path, model: Any) -> None:
    classes = expected(model)
    assert len(np.unique(classes)) >= 3
    tab = browser(name).new_tab()
    with Host(site) as host:
        for url in (host.url + "colours/index.html", (site / "colours/index.html").as_uri()):
            tab.goto(url)
            click(tab, "[data-sample]")
            wait_for(
                tab, "document.querySelector('.sg-mask') && document.querySelector('.sg-answer').ariaBusy === 'false'"
            )
            wait_for(tab, f"{SEEN}.some(Boolean)")
            mask = colours(tab)
            # The background is hidden at first; all else has one colour a class, and no two classes the same.
            assert np.array_equal(mask[..., 3] == 0, classes == 0)
            found = {kind: np.unique(mask[classes == kind], axis=0) for kind in np.unique(classes)}
            assert all(len(own) == 1 for own in found.values())
            assert len({tuple(own[0]) for own in found.values()}) == len(found)
            shares = tab.evaluate("[...document.querySelectorAll('[data-class]')].map((e) => e.textContent.trim())")
            inside = told(classes[6:18])  # where there is no paper
            assert shares == [f"{label} {share}\u00a0%" for label, share in inside.items()]
            click(tab, "[data-class='0']")
            wait_for(tab, "document.querySelector('[data-class=\"0\"]').ariaPressed === 'true'")
            wait_for(tab, f"{SEEN}.every((value, index) => index % 4 < 3 || value === 255)")
            # The mask reaches over the picture's edges as far as the paper did.
            over, under = tab.evaluate(
                "['.sg-stage canvas', '.sg-mask'].map((part) => {"
                " const b = document.querySelector(part).getBoundingClientRect(); return [b.top, b.height, b.width]; })"
            )
            assert under[1] == pytest.approx(over[1] * 2, abs=1)
            assert under[0] == pytest.approx(over[0] - over[1] / 2, abs=1)
            assert under[2] == pytest.approx(over[2], abs=1)
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_films_are_looked_at_as_they_play(name: str, browser: Callable[[str], Browser], site: Path, model: Any) -> None:
    """A film of the picture, then of its colours turned around: what is seen follows, over http and from a file."""
    turned = Image.merge("RGB", picture().split()[::-1])
    film = webm.webm([picture()] * 40 + [turned] * 40, 4, quality=95)
    straight = expected(model)[6:18]  # where there is no paper
    around = np.array([0, 3, 2, 1])[straight]
    first, second = told(straight), told(around)
    assert max(abs(first.get(label, 0) - second.get(label, 0)) for label in LABELS) > 10
    tab = browser(name).new_tab()
    with Host(site) as host:
        for url in (host.url + "colours/index.html", (site / "colours/index.html").as_uri()):
            tab.goto(url)
            click(tab, "[data-source=video]")
            give(tab, film, "film.webm", "video/webm")
            # It plays by itself; WebKitGTK gets nowhere from a film's end.
            wait_for(tab, "document.querySelector('video')?.currentTime > 0 && document.querySelector('.sg-mask')")
            tab.evaluate("document.querySelector('video').pause()")
            for at, shares in ((19.5, second), (0.5, first)):
                tab.evaluate(f"document.querySelector('video').currentTime = {at}")
                # The film's picture is not quite the picture.
                wait_for(tab, f"Object.entries({shares}).every(([l, s]) => Math.abs((({SHARES})[l] ?? 0) - s) <= 4)")
    tab.close()


def told(classes: NDArray[np.int64]) -> dict[str, int]:
    """The shares of the classes that are there, in per cent, as visitors are told."""
    return {LABELS[k]: round((classes == k).mean() * 100) for k in np.unique(classes)}


def pascal(shared: Path) -> list[str]:
    return (shared / "labels/pascal_voc_segmentation_labels.txt").read_text().split("\n")[:21]


@pytest.fixture(scope="module")
def pets(shared: Path) -> Image.Image:
    picture = Image.open(shared / "samples/pets.jpg").convert("RGB")
    picture.thumbnail((480, 480))
    return picture


@pytest.fixture(scope="module")
def pascal_site(tmp_path_factory: pytest.TempPathFactory, shared: Path, shared_cache: Path, pets: Image.Image) -> Path:
    root = tmp_path_factory.mktemp("pascal")
    folder = root / "content/things"
    folder.mkdir(parents=True)
    shutil.copy(shared / "models" / PASCAL, folder)
    (folder / "labels.txt").write_text("\n".join(pascal(shared)))
    pets.save(folder / "one.png")
    (folder / "index.md").write_text(THINGS)
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


def test_a_published_network_in_chromium(
    browser: Callable[[str], Browser], pascal_site: Path, pets: Image.Image, shared: Path
) -> None:
    """DeepLab from a quantized TensorFlow Lite file: it gives the classes themselves, as whole numbers."""
    model = engine.load(shared / "models" / PASCAL)
    (whole,) = engine.tensorflow(model, {model.signature.inputs[0].name: resized(pets, 513)})[0]
    classes = whole[::3, ::3]
    kinds = np.unique(classes)
    assert len(kinds) > 2
    tab = browser("chromium").new_tab()
    with Host(pascal_site) as host:
        open_page(tab, host.url + "things/index.html")
        click(tab, "[data-sample]")
        settled(tab)
        wait_for(tab, "document.querySelector('[data-class]')")
        codes = np.array(tab.evaluate(EVERY_THIRD)).reshape(171, 171)
        names = tab.evaluate("[...document.querySelectorAll('[data-class]')].map((e) => e.textContent.trim())")
    tab.close()
    colours = {kind: int(np.median(codes[classes == kind])) for kind in kinds}
    assert len(set(colours.values())) == len(kinds)
    assert (np.vectorize(colours.get)(classes) == codes).mean() > 0.999
    assert {name.rpartition(" ")[0] for name in names} <= set(pascal(shared))


@pytest.mark.parametrize(
    ("values", "dtype", "activation", "classes"),
    [
        ([[[[0.4], [0.5]]]], "float32", "none", [0, 1]),
        ([[[[-0.1], [0.1]]]], "float32", "sigmoid", [0, 1]),
        ([[[7, 2]]], "int32", "none", [7, 2]),
        ([[[[1, 1, 0], [0, 2, 3]]]], "float32", "none", [0, 2]),
    ],
)
def test_other_forms_of_maps(values: Any, dtype: str, activation: str, classes: list[int]) -> None:
    tensor = {"shape": list(np.shape(values)), "data": np.ravel(values).tolist(), "dtype": dtype}
    body = """
      const shown = { picture: { width: 2, height: 1 }, box: { left: 0, top: 0, width: 2, height: 1 } };
      return [...script.segmentsOf(given[0], given[1], shown).classes];
    """
    assert scripts.call("widgets/image-segmentation/result.ts", body, [tensor, activation]) == classes
