"""The task object-detection: boxes from every form of output, as Python finds them; files, films and the camera."""

from __future__ import annotations

import functools
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from sitegen.host import Host
from sitegen.records import GraphModel
from tests import detectors, scripts
from tests.browsers import NAMES, Browser, Tab, click, give, give_a_film_of_the_camera, wait_for
from tests.browsers.chromium import Chromium, ChromiumTab
from tests.conftest import build, make
from tests.parity import engine

Found = list[tuple[str, float, list[float]]]  # label, score, ymin xmin ymax xmax
HEAD = "---\ntitle: {name}\ntask: object-detection\nquantize: none\nsamples: one.png\n"
SSD = "model: graph.pb\nlabels: [cat, dog, emu]\ninput: {size: [40, 50], max_fps: 8}\noutput: {threshold: 0.3}\n---\n"
CENTERNET = "model: {source: centernet.json, outputs: [tower_0/detections]}\noutput: {threshold: 0.3}\n---\n"
FACE = "model: blazeface.json\nlabels: [face]\ninput: {scale: 0.00784313725490196, mean: 1, max_fps: 6}\n---\n"
SHOWN = """[...document.querySelectorAll('.sg-box')].map((box) => [
  box.dataset.label, Number(box.dataset.score), box.dataset.box.split(' ').map(Number)])"""


def site(root: Path, cache: Path, name: str, front: str, picture: Image.Image) -> Path:
    """Builds a site of one page, content/`name`/, whose other files lie there; gives its output."""
    folder = root / "content" / name
    picture.save(folder / "one.png")
    (folder / "index.md").write_text(HEAD.format(name=name) + front)
    (root / build.CACHE_FOLDER).symlink_to(cache)
    make(root)
    return root / "output"


@pytest.fixture(scope="module")
def noise() -> Image.Image:
    values = np.random.default_rng(3).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    return Image.fromarray(values)


@pytest.fixture(scope="module")
def ssd_site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, noise: Image.Image) -> Path:
    root = tmp_path_factory.mktemp("ssd")
    (root / "content/ssd").mkdir(parents=True)
    (root / "content/ssd/graph.pb").write_bytes(detectors.detector().SerializeToString())
    return site(root, shared_cache, "ssd", SSD, noise)


@pytest.fixture(scope="module")
def dogs(shared: Path) -> Image.Image:
    return Image.open(shared / "samples/pets.jpg").convert("RGB").resize((640, 480))


@pytest.fixture(scope="module")
def people(shared: Path) -> Image.Image:
    picture = Image.open(shared / "samples/max/object/dog-human.jpg").convert("RGB")
    picture.thumbnail((640, 640))
    return picture


def published(root: Path, folder: Path, name: str) -> None:
    """Copies a published model into a page's folder."""
    (root / "content" / name).mkdir(parents=True)
    for file in folder.iterdir():
        shutil.copyfile(file, root / "content" / name / file.name)


@pytest.fixture(scope="module")
def centernet_site(
    tmp_path_factory: pytest.TempPathFactory, shared: Path, shared_cache: Path, dogs: Image.Image
) -> Path:
    root = tmp_path_factory.mktemp("centernet")
    published(root, shared / "models/centernet_tfjs", "things")
    names = [name for name in (shared / "labels/coco_labels.txt").read_text().splitlines() if name != "n/a"]
    (root / "content/things/names.txt").write_text("\n".join(names))
    return site(root, shared_cache, "things", "labels: names.txt\n" + CENTERNET, dogs)


@pytest.fixture(scope="module")
def face_site(tmp_path_factory: pytest.TempPathFactory, shared: Path, shared_cache: Path, people: Image.Image) -> Path:
    root = tmp_path_factory.mktemp("faces")
    published(root, shared / "models/blazeface_tfjs", "faces")
    return site(root, shared_cache, "faces", FACE, people)


def resized(picture: Image.Image, side: int) -> NDArray[np.float32]:
    """Stretched to a square, [1, side, side, 3] in 0..255."""
    channels = [c.convert("F").resize((side, side), Image.Resampling.BILINEAR) for c in picture.split()]
    return np.stack([np.asarray(channel) for channel in channels], -1)[None]


def suppressed(rows: Sequence[tuple[int, float, Sequence[float]]], iou: float) -> list[tuple[int, float, list[float]]]:
    """What TensorFlow's suppression leaves of (class, score, box), class by class, best first."""
    kept = []
    for kind in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == kind]
        left = tf.image.non_max_suppression([row[2] for row in own], [row[1] for row in own], 100, iou)
        kept += [own[index] for index in left.numpy()]
    return sorted(((k, float(s), [float(x) for x in b]) for k, s, b in kept), key=lambda row: -row[1])


def open_page(tab: Tab, url: str) -> None:
    tab.goto(url)
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'", 90)
    if url.startswith("http"):
        # What the page says of being kept moves what stands below it, from under the pointer.
        wait_for(tab, "document.querySelector('sitegen-offline')?.dataset.state === 'kept'", 90)


def choose(tab: Tab) -> None:
    """Chooses the sample, and waits for its boxes."""
    click(tab, "[data-sample]")
    settled(tab)


def settled(tab: Tab) -> None:
    wait_for(
        tab, "document.querySelector('.sg-answer').ariaBusy === 'false' && document.querySelector('.sg-stage')", 60
    )


def same(found: Found, expected: Found) -> None:
    assert [row[0] for row in found] == [row[0] for row in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert abs(ours[1] - theirs[1]) < 2e-3
        assert np.abs(np.clip(theirs[2], 0, 1) - np.array(ours[2])).max() < 2e-3


@pytest.mark.parametrize("name", NAMES)
def test_a_single_shot_detector(
    name: str, browser: Callable[[str], Browser], ssd_site: Path, noise: Image.Image
) -> None:
    """What the whole graph of TensorFlow's finds is what the page shows, in all worlds."""
    given = np.asarray(noise)[None]
    boxes, scores, classes, _ = (end[0] for end in detectors.tensorflows(detectors.detector(), given))
    names = ["cat", "dog", "emu"]
    expected = [(names[int(k) - 1], s, list(b)) for b, s, k in zip(boxes, scores, classes, strict=True) if s >= 0.3]
    assert expected
    tab = browser(name).new_tab()
    with Host(ssd_site) as host:
        for url in (host.url + "ssd/index.html", (ssd_site / "ssd/index.html").as_uri()):
            open_page(tab, url)
            choose(tab)
            same(tab.evaluate(SHOWN), expected)
    tab.close()


@functools.cache
def centernet(shared: Path) -> GraphModel:
    return engine.load(shared / "models/centernet_tfjs/centernet.json")


def things_in(picture: Image.Image, shared: Path, least: float) -> Found:
    """What TensorFlow finds with CenterNet, best first."""
    model = centernet(shared)
    rows = engine.tensorflow(model, {model.signature.inputs[0].name: resized(picture, 512)})[0][0]
    boxes = [(int(row[5]), row[4], [row[1] / 512, row[0] / 512, row[3] / 512, row[2] / 512]) for row in rows]
    names = [name for name in (shared / "labels/coco_labels.txt").read_text().splitlines() if name != "n/a"]
    left = suppressed([row for row in boxes if row[1] >= 0.05], 0.5)
    return [(names[kind], score, box) for kind, score, box in left if score >= least]


def show_from(tab: Tab, score: float) -> None:
    """Moves the slider of the least score."""
    tab.evaluate(
        f"(() => {{ const slider = document.querySelector('[data-action=threshold]'); slider.value = {score};"
        " slider.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )


# What is in them, and from which score on: between those of two boxes.
PHOTOGRAPHS = {
    "max/object/dog-human.jpg": ({"dog", "person"}, 0.24),
    "max/object/baby-bear.jpg": ({"teddy bear", "person"}, 0.43),
    "kite_and_cold.jpg": ({"kite", "person"}, 0.43),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_in_photographs(
    name: str, browser: Callable[[str], Browser], centernet_site: Path, shared: Path
) -> None:
    """Each as a file of the visitor's, without loss, as decoders of JPEG differ."""
    tab = browser(name).new_tab()
    with Host(centernet_site) as host:
        open_page(tab, host.url + "things/index.html")
        click(tab, "[data-source=upload]")
        for photograph, (things, least) in PHOTOGRAPHS.items():
            picture = Image.open(shared / "samples" / photograph).convert("RGB")
            picture.thumbnail((900, 900))
            expected = things_in(picture, shared, least)
            assert {label for label, *_ in expected} == things
            file = io.BytesIO()
            picture.save(file, "PNG")
            give(tab, file.getvalue(), "x.png")
            show_from(tab, least)
            wait_for(tab, f"document.querySelectorAll('.sg-box').length === {len(expected)}", 60)
            same(tab.evaluate(SHOWN), expected)
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_things_are_found(
    name: str, browser: Callable[[str], Browser], centernet_site: Path, dogs: Image.Image, shared: Path
) -> None:
    expected = things_in(dogs, shared, 0.3)
    assert [label for label, *_ in expected] == ["dog", "dog"]
    tab = browser(name).new_tab()
    with Host(centernet_site) as host:
        open_page(tab, host.url + "things/index.html")
        choose(tab)
        same(tab.evaluate(SHOWN), expected)
        # The same for programs, and a class that nobody wants to see.
        told = json.loads(tab.evaluate("document.querySelector('.sg-json pre').textContent"))
        assert told["status"] == "ok"
        assert [(one["label_id"], one["label"]) for one in told["predictions"]] == [("16", "dog")] * 2
        assert set(told["predictions"][0]) == {"label_id", "label", "probability", "detection_box"}
        click(tab, "[data-class='16']")
        wait_for(tab, "!document.querySelector('.sg-box')")
        click(tab, "[data-class='16']")
        wait_for(tab, "document.querySelectorAll('.sg-box').length === 2")
        show_from(tab, (expected[0][1] + expected[1][1]) / 2)
        wait_for(tab, "document.querySelectorAll('.sg-box').length === 1")
    tab.close()


def face_boxes(shared: Path, picture: Image.Image) -> Found:
    """Faces as Python finds them, by BlazeFace's own arithmetic."""
    model = engine.load(shared / "models/blazeface_tfjs/blazeface.json")
    name = model.signature.inputs[0].name
    ends = engine.tensorflow(model, {name: resized(picture, 256) / np.float32(127.5) - 1})
    rows = []
    for scores, numbers, side, each in ((ends[0], ends[2], 16, 2), (ends[1], ends[3], 8, 6)):
        middles = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) + 0.5) / side
        middle = numbers[0, :, :2] / 256 + np.repeat(middles, each, 0)
        half = numbers[0, :, 2:4] / 512
        low, high = (middle - half)[:, ::-1], (middle + half)[:, ::-1]
        rows += zip(1 / (1 + np.exp(-scores[0, :, 0].clip(-80))), np.concatenate([low, high], 1), strict=True)
    left = suppressed([(0, score, box) for score, box in rows if score >= 0.05], 0.3)
    return [("face", score, box) for _, score, box in left if score >= 0.5]


@pytest.mark.parametrize("name", NAMES)
def test_faces_are_found(
    name: str, browser: Callable[[str], Browser], face_site: Path, people: Image.Image, shared: Path
) -> None:
    expected = face_boxes(shared, people)
    assert len(expected) == 1
    tab = browser(name).new_tab()
    with Host(face_site) as host:
        open_page(tab, host.url + "faces/index.html")
        choose(tab)
        same(tab.evaluate(SHOWN), expected)
        # The same picture as a file of the visitor's.
        click(tab, "[data-source=upload]")
        wait_for(tab, "!document.querySelector('.sg-stage')")
        give(tab, (face_site.parent / "content/faces/one.png").read_bytes(), "x.png")
        settled(tab)
        same(tab.evaluate(SHOWN), expected)
    tab.close()


@pytest.fixture
def filming(people: Image.Image, tmp_path: Path) -> Iterator[ChromiumTab]:
    """A browser whose camera sees the picture."""
    film = tmp_path / "film.mjpeg"
    picture = people.resize((640, 480))
    picture.save(tmp_path / "frame.jpg", quality=95)
    film.write_bytes((tmp_path / "frame.jpg").read_bytes() * 10)
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    running = Chromium(extra=[*flags, f"--use-file-for-fake-video-capture={film}"])
    yield running.new_tab()
    running.close()


COUNT = """(() => {
  globalThis.runs = 0;
  const demo = document.querySelector('sitegen-demo');
  new MutationObserver((seen) => { globalThis.runs += seen.length; }).observe(
    demo, { attributeFilter: ['data-milliseconds'] });
})()"""


def counted(tab: ChromiumTab, milliseconds: int) -> int:
    """How often the model is run meanwhile."""
    tab.evaluate("globalThis.runs = 0")
    tab.page.wait_for_timeout(milliseconds)
    return int(tab.evaluate("globalThis.runs"))


def hide(tab: ChromiumTab, hidden: bool) -> None:
    """As if another tab were in front, which no browser of tests ever is told."""
    tab.evaluate(f"Object.defineProperty(document, 'hidden', {{ value: {str(hidden).lower()}, configurable: true }})")
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_camera_is_looked_at_as_often_as_the_page_says(face_site: Path, filming: ChromiumTab) -> None:
    with Host(face_site) as host:
        open_page(filming, host.url + "faces/index.html")
        filming.evaluate(COUNT)
        click(filming, "[data-source=camera]")
        click(filming, "[data-action=camera]")
        wait_for(filming, "document.querySelector('.sg-box')?.dataset.label === 'face'")
        assert 3 <= counted(filming, 3000) <= 19  # six a second
        hide(filming, True)
        filming.page.wait_for_timeout(1000)
        assert counted(filming, 1500) == 0
        hide(filming, False)
        assert counted(filming, 3000) >= 3
        tensors = filming.evaluate("document.querySelector('sitegen-demo').dataset.tensors")
        counted(filming, 2000)
        assert filming.evaluate("document.querySelector('sitegen-demo').dataset.tensors") == tensors
        click(filming, "[data-action=camera]")
        wait_for(filming, "document.querySelector('video').hidden && !document.querySelector('.sg-stage')")
        filming.page.wait_for_timeout(500)
        assert counted(filming, 1000) == 0


@pytest.mark.parametrize(("charging", "least", "most"), [(True, 14, 25), (False, 6, 13)])
def test_batteries_are_spared(charging: bool, least: int, most: int, ssd_site: Path) -> None:
    """A model of some milliseconds, on a page that says eight a second: four on a battery."""
    running = Chromium(extra=["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
    try:
        with Host(ssd_site) as host:
            tab = running.new_tab()
            battery = f"async () => ({{ charging: {str(charging).lower()} }})"
            tab.page.add_init_script(f"Object.defineProperty(navigator, 'getBattery', {{ value: {battery} }})")
            open_page(tab, host.url + "ssd/index.html")
            tab.evaluate(COUNT)
            click(tab, "[data-source=camera]")
            click(tab, "[data-action=camera]")
            wait_for(tab, "globalThis.runs > 3")
            assert least <= counted(tab, 3000) <= most
    finally:
        running.close()


def test_a_film_is_looked_at_while_it_plays(face_site: Path, people: Image.Image, filming: ChromiumTab) -> None:
    """A film that the browser makes of the picture: where it is, a face is, and where it is halted, one is still."""
    with Host(face_site) as host:
        open_page(filming, host.url + "faces/index.html")
        filming.evaluate(COUNT)
        click(filming, "[data-source=video]")
        give_a_film_of_the_camera(filming, 4000)
        wait_for(filming, "document.querySelector('.sg-box')?.dataset.label === 'face'")
        wait_for(filming, "document.querySelector('video').ended")
        filming.page.wait_for_timeout(500)
        assert counted(filming, 1000) == 0
        filming.evaluate("document.querySelector('video').currentTime = 1")
        wait_for(filming, "globalThis.runs > 0 && document.querySelector('.sg-box')")
        assert counted(filming, 1000) == 0
        give(filming, b"no film", "film.webm", "video/webm")
        wait_for(filming, "document.querySelector('.sg-error')?.textContent.includes('no film')")


def candidates(outputs: Mapping[str, Any], config: Mapping[str, Any], logits: bool = False) -> Any:
    """Boxes with scores of 0.05 and more, of outputs (name -> nested lists), for an input of 20 x 10 pixels."""
    tensors = {
        name: {"shape": list(np.shape(value)), "data": np.ravel(value).tolist()} for name, value in outputs.items()
    }
    body = "return script.candidates(given[0], given[1], given[2], { width: 20, height: 10 }, 0.05);"
    return scripts.call("widgets/object-detection/boxes.ts", body, [tensors, config, logits])


def test_rows_in_any_order() -> None:
    columns = ["class", "xmid", "ymid", "width", "height", "score"]
    config = {"form": "rows", "rows": "r", "columns": columns, "units": "pixels", "firstClass": 1}
    found = candidates({"r": [[[3, 10, 5, 4, 2, 0.9], [1, 1, 1, 1, 1, 0.01]]]}, config)
    assert found == [{"class": 2, "score": 0.9, "box": [0.4, 0.4, 0.6, 0.6]}]


def test_lists_with_a_score_for_each_class() -> None:
    columns = ["ymin", "xmin", "ymax", "xmax"]
    named = {"boxes": "b", "scores": "s", "classes": None}
    config = {"form": "lists", **named, "columns": columns, "units": "fraction", "firstClass": 0}
    boxes = [[[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]]]
    found = candidates({"b": boxes, "s": [[[-20, 0, -20], [-20, -20, 20]]]}, config, logits=True)
    assert [(one["class"], round(one["score"], 6), one["box"]) for one in found] == [
        (1, 0.5, boxes[0][0]),
        (2, 1.0, boxes[0][1]),
    ]


@pytest.mark.parametrize("resize", ["center-crop", "letterbox"])
def test_boxes_lie_in_the_whole_picture(resize: str) -> None:
    """Of a picture of 40 x 20, a model for squares is shown the middle, or the picture with paper above and below."""
    body = """
      const box = given.resize === 'letterbox' ? { left: 0, top: -10, width: 40, height: 40 }
        : { left: 10, top: 0, width: 20, height: 20 };
      const row = new Float32Array([0.25, 0.5, 1, 0.75, 0.9, 0]);
      const columns = ['ymin', 'xmin', 'ymax', 'xmax', 'score', 'class'];
      const boxes = { form: 'rows', rows: 'r', columns, units: 'fraction', firstClass: 0, iou: null };
      const config = { output: { boxes }, input: { width: 8, height: 8 }, labels: [] };
      const given_ = { picture: { width: 40, height: 20 }, box };
      return script.foundIn({ r: { shape: [1, 1, 6], data: row } }, given_, config)[0].box;
    """
    box = scripts.call("widgets/object-detection/result.ts", body, {"resize": resize})
    assert box == {"letterbox": [0, 0.5, 1, 0.75], "center-crop": [0.25, 0.5, 1, 0.625]}[resize]
