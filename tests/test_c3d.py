"""IBM's Sports Video Classifier: its page, and a network of its shape and size all the way into a browser."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import resource
import shutil
import tarfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from content.webm import webm
from sitegen import build, chunks, proof
from sitegen.disk import Cache
from sitegen.errors import BuildFailed
from sitegen.graph import rename
from sitegen.host import Host
from sitegen.models import store
from sitegen.models.options import Options
from sitegen.records import GraphModel, Packed, Site
from sitegen.weights import container
from tests import c3d
from tests.browsers import NAMES, Browser, Tab, click, give, wait_for
from tests.browsers.chromium import Chromium
from tests.conftest import REPOSITORY
from tests.parity import engine

CONTENT = REPOSITORY / "content/max-sports-video-classifier"
PAGE = (CONTENT / "index.md").read_text("utf-8")
FRAMES, SIDE, CLASSES = 16, 112, 487
# The clips that go to the engine, and the frames that they were made of, as they were read off the canvas.
SPY = """(() => {
  globalThis.clips = [];
  globalThis.seen = [];
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...rest) {
    const [input] = Object.values(message?.inputs ?? {});
    if (input) globalThis.clips.push(new Uint8Array(input.data.slice().buffer));
    return post.call(this, message, ...rest);
  };
  const read = CanvasRenderingContext2D.prototype.getImageData;
  CanvasRenderingContext2D.prototype.getImageData = function (...place) {
    globalThis.seen.push(this.canvas.toDataURL('image/png'));
    return read.apply(this, place);
  };
  globalThis.inText = (bytes) => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 32768) {
      text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    }
    return btoa(text);
  };
})()"""
TOLD = "JSON.parse(document.querySelector('.sg-json pre').textContent).clips"


@dataclass(frozen=True)
class Built:
    """A site with one demo: its folder, and the model as it is shipped."""

    root: Path
    packed: Packed


def mean_clip() -> NDArray[np.float32]:
    """As smooth as the published one, and different in each channel and frame."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    frame = 90 + 20 * np.sin(rows * 3)[..., None] + 10 * columns[..., None] + np.array([0, 6, 12])
    return np.stack([frame + index / 4 for index in range(FRAMES)]).astype(np.float32)


def archive(folder: Path, model: Path, mean: NDArray[np.float32]) -> Path:
    """What is published: the SavedModel, the labels, and the mean clip."""
    np.save(folder / "crop_mean.npy", mean)
    (folder / "labels.txt").write_text("".join(f"sport {index}\n" for index in range(CLASSES)))
    with tarfile.open(folder / "assets.tar.gz", "w:gz", compresslevel=1) as packed:
        packed.add(model, "c3d")
        for name in ("crop_mean.npy", "labels.txt"):
            packed.add(folder / name, name)
    return folder / "assets.tar.gz"


def page_of(model: Path, source: str) -> str:
    """The page, with the hashes and the address of another model."""
    page = re.sub(r"source: \S+", f"source: {source}", PAGE)
    for name in re.findall(r"^    c3d/(\S+): ", page, re.M):
        digest = hashlib.sha512((model / name).read_bytes()).hexdigest()
        page = re.sub(rf"c3d/{name}: \w+", f"c3d/{name}: {digest}", page)
    return page


def make(root: Path, page: str, **options: Any) -> Site:
    """Builds a project of this page and another."""
    (root / "content/sports").mkdir(parents=True, exist_ok=True)
    (root / "content/sports/index.md").write_text(page)
    shutil.copy(CONTENT / "card.png", root / "content/sports")
    (root / "content/text.md").write_text("---\ntitle: Text\n---\n")
    return build.build(build.Project.open(root), lambda message: None, **options)[0]


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel that takes what the published one takes."""
    folder = tmp_path_factory.mktemp("thin") / "c3d"
    c3d.write(folder, c3d.THIN)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, thin: Path) -> Built:
    """The page, built with a thin network of an archive."""
    root = tmp_path_factory.mktemp("sports")
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    packed = archive(root, thin, mean_clip())
    return Built(root / "output", make(root, page_of(thin, packed.as_uri())).bundles[0].packed)


def test_the_page_is_left_out_where_its_model_cannot_be_had(tmp_path: Path) -> None:
    built = make(tmp_path, PAGE, offline=True)
    assert [page.path for page in built.pages] == ["text/index.html"]
    (warning,) = built.warnings
    assert warning.startswith("content/sports/index.md:6:11: the page is left out: ")
    with pytest.raises(BuildFailed):
        make(tmp_path, PAGE, offline=True, strict=True)


def test_what_is_wrong_with_the_archive(tmp_path: Path, thin: Path) -> None:
    packed = archive(tmp_path, thin, mean_clip()[:3])
    good = page_of(thin, packed.as_uri())
    wrong = re.sub(r"(c3d/saved_model.pb): \w+", r"\1: " + "a" * 128, good)
    for page, what in (
        (wrong, "expected sha512 aaaa"),
        (good.replace("member: crop_mean.npy", "member: mean.npy"), "has no file mean.npy"),
        (good.replace("member: crop_mean.npy", "member: labels.txt"), "labels.txt cannot be used: it is no .npy file"),
        (good.replace("{member: crop_mean.npy}", "{}"), "in no way, or in two"),
    ):
        with pytest.raises(BuildFailed) as caught:
            make(tmp_path, page)
        told = [str(error) for error in caught.value.errors]
        assert any(what in line and line.startswith("content/sports/index.md:") for line in told), told


@pytest.mark.parametrize("transposed", [False, True])
def test_one_clip_gives_what_one_of_ten_gave(transposed: bool, tmp_path: Path) -> None:
    """The page's engine next to TensorFlow on the SavedModel as it is."""
    import tensorflow as tf

    size = c3d.Size(side=32, filters=(4, 4, 6, 6, 8), dense=12, classes=5)
    c3d.write(tmp_path / "c3d", size, transposed=transposed)
    clips = np.random.default_rng(5).uniform(-120, 120, (10, 16, 32, 32, 3)).astype(np.float32)
    whole = tf.saved_model.load(str(tmp_path / "c3d")).signatures["serving_default"](inputs=tf.constant(clips))
    model = engine.load(tmp_path / "c3d", Options(one=True))
    (given,), (scores,) = model.signature.inputs, model.signature.outputs
    assert (given.shape, scores.shape) == ((1, 16, 32, 32, 3), (1, 5))
    plan = engine.recorded(model, {given.name: clips[:1]})
    runs = engine.run(model, [{given.name: clips[n : n + 1]} for n in range(3)], plan=plan.file)
    for n, (found,) in enumerate(runs):
        np.testing.assert_allclose(found[0], whole["scores"].numpy()[n], atol=1e-5)


@pytest.mark.parametrize(
    ("size", "scaled"), [((150, 201), (112, 151)), ((150, 90), (187, 112)), ((150, 150), (113, 112))]
)
def test_python_shrinks_between_four_pixels(size: tuple[int, int], scaled: tuple[int, int]) -> None:
    """What the pages' clips are held against, next to TensorFlow's resize without antialiasing."""
    import tensorflow as tf

    picture = np.random.default_rng(1).integers(0, 256, (*size, 3)).astype(np.uint8)
    (found,) = c3d.preprocessed([picture], np.zeros((1, SIDE, SIDE, 3), np.float32), SIDE)[0]
    top, left = ((length - SIDE) // 2 for length in scaled)
    expected = tf.image.resize(picture, scaled).numpy()[top : top + SIDE, left : left + SIDE]
    np.testing.assert_allclose(found, expected, atol=5e-3)  # of 255; TensorFlow has single precision


def frames(count: int) -> list[Image.Image]:
    """A disc that moves over a ground that does not repeat."""
    rows, columns = np.mgrid[0:180, 0:320]
    made = []
    for index in range(count):
        ground = np.stack([128 + 60 * np.sin(columns / 31), 90 + 50 * np.cos(rows / 23), 60 + 0.4 * columns], -1)
        disc = (columns - 90 - 4 * index) ** 2 + (rows - 90) ** 2 < 40**2
        ground[disc] = (230, 120, 30)
        made.append(Image.fromarray(ground.clip(0, 255).astype(np.uint8)))
    return made


def open_page(tab: Tab, url: str, seconds: float = 90) -> None:
    tab.goto(url)
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state")
    tab.evaluate(SPY)
    click(tab, "[data-source=video]")
    assert tab.evaluate("document.querySelector('sitegen-demo').dataset.state") == "idle"


def ended(tab: Tab, seconds: float = 90) -> None:
    wait_for(tab, "document.querySelector('[data-reading]')?.dataset.reading === 'ended'", seconds)


def clip_and_frames(tab: Tab) -> tuple[NDArray[np.float32], list[NDArray[np.uint8]]]:
    """The first clip that the engine was given, and the frames that it was made of."""
    clip = base64.b64decode(tab.evaluate("inText(clips[0])"))
    seen = [tab.evaluate(f"seen[{index}]").partition(",")[2] for index in range(FRAMES)]
    pictures = [np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")) for png in seen]
    return np.frombuffer(clip, np.float32).reshape(1, FRAMES, SIDE, SIDE, 3), pictures


def with_its_weights(model: GraphModel, packed: Packed) -> GraphModel:
    """A model with the weights that its page has."""
    made, _ = rename.short(model)
    pieces = [chunks.carried(packed.weights.files[name].read()) for name, _ in packed.weights.ref.chunks]
    assert packed.weights.ref.encoding == "deflate-raw"
    return replace(made, weights={**made.weights, **container.read(zlib.decompress(b"".join(pieces), -15))})


def scores(model: GraphModel, clip: NDArray[np.float32]) -> NDArray[np.float32]:
    """What TensorFlow makes of a clip."""
    ((found,),) = proof._tensorflow(model, [{model.signature.inputs[0].name: clip}])
    return np.asarray(found[0], np.float32)


def check(told: dict[str, Any], expected: NDArray[np.float32], within: float) -> None:
    """The three best of a clip are Python's, in this order."""
    assert [int(p["label_id"]) for p in told["predictions"]] == np.argsort(-expected, kind="stable")[:3].tolist()
    for prediction in told["predictions"]:
        assert prediction["probability"] == pytest.approx(float(expected[int(prediction["label_id"])]), abs=within)


@pytest.mark.parametrize("name", NAMES)
def test_clips_and_scores_are_pythons(name: str, browser: Callable[[str], Browser], site: Built, thin: Path) -> None:
    tab = browser(name).new_tab()
    with Host(site.root) as host:
        open_page(tab, host.url + "sports/index.html")
        give(tab, webm(frames(36), 10, quality=90), "film", "video/webm")
        ended(tab)
        told = tab.evaluate(TOLD)
        assert [(one["start"], one["end"]) for one in told] == [(0, 3.2), (0.4, 3.6)]
        clip, seen = clip_and_frames(tab)
    tab.close()
    assert np.abs(clip - c3d.preprocessed(seen, mean_clip(), SIDE)).max() < 1e-3  # of 255
    expected = scores(with_its_weights(engine.load(thin, Options(one=True)), site.packed), clip)
    assert np.ptp(expected) > 1e-3
    check(told[0], expected, 1e-4)


# In the first worker, no array of many numbers can be had.
_FULL = """
  const { Blob } = globalThis;
  let first = true;
  globalThis.Blob = function (parts, options) {
    const full = `
      globalThis.Float32Array = class extends Float32Array {
        constructor(...given) {
          if (given[0] > 1000) throw new RangeError('Array buffer allocation failed');
          super(...given);
        }
      };
    `;
    const engine = options?.type === 'text/javascript' && first;
    if (engine) first = false;
    return new Blob(engine ? [full, ...parts] : parts, options);
  };
"""


def test_a_device_without_enough_memory(browser: Callable[[str], Browser], site: Built) -> None:
    """For the weights: it is said, and the page stays usable."""
    tab = browser("chromium").new_tab()
    with Host(site.root) as host:
        open_page(tab, host.url + "sports/index.html")
        tab.evaluate(f"(() => {{ {_FULL} }})()")
        give(tab, webm(frames(32), 10), "film", "video/webm")
        said = "document.querySelector('.sg-error')?.textContent"
        wait_for(tab, f"{said} === 'The model could not be loaded: this device has not enough memory for the model.'")
        give(tab, webm(frames(32), 10), "film", "video/webm")
        # The film before has ended, too.
        wait_for(tab, f"{TOLD}.length === 1", 90)
        ended(tab)
        assert tab.evaluate(said) is None
    tab.close()


@pytest.mark.slow
def test_eighty_million_weights(shared: Path, tmp_path: Path) -> None:
    """The published shape, 320 MB of noise, from the archive to what is seen in a film.

    It takes minutes, of which the build has most.
    """
    clips = shared / "samples/max/sports"
    c3d.write(tmp_path / "c3d")
    packed = archive(tmp_path, tmp_path / "c3d", np.load(clips / "crop_mean.npy"))
    root = tmp_path / "project"
    began = time.monotonic()
    built = make(root, page_of(tmp_path / "c3d", packed.as_uri())).bundles[0].packed
    seconds, most = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    assert (built.engine, built.signature.inputs[0].shape) == ("plan", (1, FRAMES, SIDE, SIDE, 3))
    assert (built.float32_bytes, built.scheme) == (319_965_576, "uint8")
    assert built.weight_bytes < 80_100_000
    assert sum(size for _, size in built.weights.ref.chunks) < 70_000_000
    assert most < 3 << 30
    (stored,) = (root / ".sitegen-cache/steps/convert").glob("*.json")
    model = store.load(json.loads(stored.read_bytes()), Cache(root / ".sitegen-cache"))
    browser = Chromium()
    try:
        tab = browser.new_tab()
        with Host(root / "output") as host:
            open_page(tab, host.url + "sports/index.html")
            # Nothing of it came before somebody wanted it; what it would take is told.
            offline = "document.querySelector('sitegen-offline')"
            wait_for(tab, f"{offline}.dataset.state === 'not-kept'")
            assert re.match(r"(6|7)\d MB to keep on this device", tab.evaluate(f"{offline}.textContent"))
            assert sum(".js" in path and "chunks" in path for path in host.requests) < 20
            give(tab, (clips / "basketball.mp4").read_bytes(), "basketball", "video/mp4")
            wait_for(tab, "document.querySelector('.sg-status progress')?.value > 1e7", 90)
            wait_for(tab, "document.querySelector('.sg-timeline button')", 240)
            click(tab, "[data-action=read]")
            told = tab.evaluate(TOLD)[0]
            milliseconds = tab.evaluate("document.querySelector('sitegen-demo').dataset.milliseconds")
            clip, seen = clip_and_frames(tab)
            memory = browser.most_memory()
    finally:
        browser.close()
    assert np.abs(clip - c3d.preprocessed(seen, np.load(clips / "crop_mean.npy"), SIDE)).max() < 1e-3
    expected = scores(with_its_weights(model, built), clip)
    check(told, expected, 1e-4)
    floats = scores(model, clip)
    print(
        f"build {seconds:.0f} s and {most >> 20} MB, tensors {(built.peak or 0) >> 20} MB, page {memory >> 20} MB, "
        f"clip {milliseconds} ms, "
        f"8 bits change a score by {np.abs(floats - expected).max():.1e} of {floats.max():.1e}"
    )
    assert memory < 2 << 30
