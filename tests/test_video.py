"""The task video-classification: the frames that pages sample, the clips that they make of them, and what they say."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from content.webm import webm
from sitegen.host import Host
from tests import scripts
from tests.browsers import NAMES, Browser, Tab, click, give, give_a_film_of_the_camera, wait_for
from tests.browsers.chromium import Chromium, ChromiumTab
from tests.conftest import build, make
from tests.parity import engine

FRAMES, HEIGHT, WIDTH = 6, 16, 20
FPS, STRIDE = 5, 4
FILM_RATE = 10
SIZE = (160, 90)  # width, height: wider than the model's frames, which are cut from the middle
LABELS = ("dark", "mid", "light")
PAGE = f"""---
title: Light
task: video-classification
model: light.keras
quantize: none
labels: [{", ".join(LABELS)}]
input:
  resize: center-crop
  scale: 0.00392156862745098
  clip: {{fps: {FPS}, stride: {STRIDE}, mean: mean.npy}}
output: {{activation: softmax}}
samples: film.webm
---
"""
# The clips that the model is shown, as they go to the engine's worker.
SPY = """(() => {
  globalThis.clips = [];
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...rest) {
    const [input] = Object.values(message?.inputs ?? {});
    if (input) globalThis.clips.push({ shape: input.shape, data: [...input.data] });
    return post.call(this, message, ...rest);
  };
})()"""
TOLD = "JSON.parse(document.querySelector('.sg-json pre').textContent).clips"


def frames(count: int) -> list[Image.Image]:
    """Frames of which each is lighter than the one before, from left to right too; the edges are coloured."""
    made = []
    for index in range(count):
        ramp = np.linspace(0, 40, SIZE[0])[None].repeat(SIZE[1], 0) + 6 * index
        pixels = np.stack([ramp, ramp, ramp], -1)
        pixels[:, :20] = pixels[:, -20:] = (200, 20, 20)
        made.append(Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8)))
    return made


def mean() -> NDArray[np.float32]:
    """A number for each of a clip."""
    values = np.random.default_rng(4).uniform(0, 0.2, (FRAMES, HEIGHT, WIDTH, 3))
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    keras.utils.set_random_seed(2)
    layers = [
        keras.Input((FRAMES, HEIGHT, WIDTH, 3)),
        keras.layers.Conv3D(4, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling3D((2, 2, 2)),
        keras.layers.Flatten(),
        keras.layers.Dense(3),
    ]
    root = tmp_path_factory.mktemp("video")
    (root / "content/light").mkdir(parents=True)
    (root / "content/light/index.md").write_text(PAGE)
    keras.Sequential(layers).save(root / "content/light/light.keras")
    np.save(root / "content/light/mean.npy", mean())
    # 2.4 seconds: twelve frames at five a second.
    (root / "content/light/film.webm").write_bytes(webm(frames(24), FILM_RATE, quality=90))
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


def expected_clip(first: int) -> NDArray[np.float32]:
    """The clip that begins at a frame of the model's, by Pillow, of the film as libwebp decodes it."""
    made = []
    for index in range(first, first + FRAMES):
        film = frames(24)[index * FILM_RATE // FPS]
        # The middle of the shape of the model's frames: the shorter side whole.
        wide = SIZE[1] * WIDTH / HEIGHT
        box = ((SIZE[0] - wide) / 2, 0, (SIZE[0] + wide) / 2, SIZE[1])
        bands = [band.convert("F").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box=box) for band in film.split()]
        made.append(np.stack([np.asarray(band) for band in bands], -1) / 255)
    return (np.stack(made) - mean()).astype(np.float32)


def open_page(tab: Tab, url: str) -> None:
    tab.goto(url)
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'", 90)
    if url.startswith("http"):
        wait_for(tab, "document.querySelector('sitegen-offline')?.dataset.state === 'kept'", 90)


def ended(tab: Tab) -> None:
    wait_for(tab, "document.querySelector('[data-reading]')?.dataset.reading === 'ended'", 90)


def clips(tab: Tab) -> list[NDArray[np.float32]]:
    """The clips since the page was opened."""
    seen = tab.evaluate("globalThis.clips")
    return [np.array(clip["data"], np.float32).reshape(clip["shape"]) for clip in seen]


@pytest.mark.parametrize("name", NAMES)
def test_clips_are_of_the_right_frames_and_scores_are_pythons(
    name: str, browser: Callable[[str], Browser], site: Path
) -> None:
    """Over http, offline and from a file; of a sample and of a file of the visitor's."""
    model = engine.load(site.parent / "content/light/light.keras")
    tab = browser(name).new_tab()
    with Host(site) as host:
        url = host.url + "light/index.html"
        open_page(tab, url)
        tab.evaluate(SPY)
        click(tab, "[data-sample=film]")
        check(tab, model)
        click(tab, "[data-source=video]")
        tab.evaluate("globalThis.clips.length = 0")
        give(tab, (site.parent / "content/light/film.webm").read_bytes(), "film", "video/webm")
        check(tab, model)
        host.stop()
        tab.goto(url)
        tab.evaluate(SPY)
        click(tab, "[data-sample=film]")
        check(tab, model)
    open_page(tab, (site / "light/index.html").as_uri())
    tab.evaluate(SPY)
    click(tab, "[data-sample=film]")
    check(tab, model)
    tab.close()


def check(tab: Tab, model: Any) -> None:
    """Twelve frames make clips from frames 0, 4 and, to end with the film, 6."""
    ended(tab)
    told = tab.evaluate(TOLD)
    assert [(one["start"], one["end"]) for one in told] == [(0, 1.2), (0.8, 2.0), (1.2, 2.4)]
    shown = clips(tab)
    assert len(shown) == 3
    for clip, first, one in zip(shown, (0, 4, 6), told, strict=True):
        # A frame is 12/255 lighter than the one before it; what decoders make of colours differs by a few of 255.
        apart = np.abs(clip[0] - expected_clip(first))
        assert apart.mean((1, 2, 3)).max() < 4 / 255
        assert apart.max() < 10 / 255
        expected = dict(zip(LABELS, scores(model, clip), strict=True))
        assert [p["label"] for p in one["predictions"]] == sorted(LABELS, key=lambda label: -expected[label])
        for prediction in one["predictions"]:
            assert prediction["probability"] == pytest.approx(expected[prediction["label"]], abs=1e-4)


def scores(model: Any, clip: NDArray[np.float32]) -> list[float]:
    """What TensorFlow makes of a clip, by the softmax that the page says."""
    (logits,) = engine.tensorflow(model, {model.signature.inputs[0].name: clip})
    powers = np.exp(logits[0] - logits[0].max())
    shares: list[float] = (powers / powers.sum()).tolist()
    return shares


def test_long_films_are_read_as_they_go_and_can_be_stopped(browser: Callable[[str], Browser], site: Path) -> None:
    """Segments come while it is read; what was seen stays when it is stopped, and leads to its place in the film."""
    tab = browser("chromium").new_tab()
    with Host(site) as host:
        open_page(tab, host.url + "light/index.html")
        click(tab, "[data-source=video]")
        give(tab, webm(frames(24) * 20, FILM_RATE), "film", "video/webm")
        wait_for(tab, "document.querySelector('.sg-timeline button')")
        wait_for(tab, "document.querySelector('.sg-reading progress').value >= 4")
        assert tab.evaluate("document.querySelector('[data-reading]').dataset.reading") == "reading"
        click(tab, "[data-action=read]")
        wait_for(tab, "document.querySelector('[data-reading]').dataset.reading === 'stopped'")
        count = tab.evaluate(f"{TOLD}.length")
        assert 0 < count < 59
        tab.evaluate("new Promise((done) => setTimeout(done, 500))")
        assert tab.evaluate(f"{TOLD}.length") == count
        tab.evaluate("document.querySelector('video').currentTime = 1.1")
        wait_for(tab, "document.querySelector('.sg-when').textContent === 'Seen from 0:00 to 0:02'")
        click(tab, ".sg-timeline button:last-of-type")
        start = tab.evaluate("Number(document.querySelector('.sg-timeline button:last-of-type').dataset.start)")
        wait_for(tab, f"document.querySelector('video').currentTime === {start}")
        click(tab, "[data-action=read]")
        wait_for(tab, f"document.querySelector('.sg-json') && {TOLD}.length > {count}", 90)
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_film(name: str, browser: Callable[[str], Browser], site: Path) -> None:
    tab = browser(name).new_tab()
    with Host(site) as host:
        open_page(tab, host.url + "light/index.html")
        click(tab, "[data-source=video]")
        give(tab, b"no film", "film", "video/webm")
        wait_for(tab, "document.querySelector('.sg-error')?.textContent.includes('no film that your browser')")
        # The demo is as usable as before.
        give(tab, webm(frames(8), FILM_RATE), "film", "video/webm")
        ended(tab)
        assert not tab.evaluate("document.querySelector('.sg-error')?.textContent ?? ''")
        assert [(one["start"], one["end"]) for one in tab.evaluate(TOLD)] == [(0, 0.8)]
    tab.close()


def test_films_that_do_not_say_how_long_they_are(site: Path, filming: ChromiumTab) -> None:
    """As browsers record them: without a duration, and with frames that build on one another."""
    with Host(site) as host:
        open_page(filming, host.url + "light/index.html")
        click(filming, "[data-source=video]")
        give_a_film_of_the_camera(filming, 3000, every="500")
        ended(filming)
        told = filming.evaluate(TOLD)
        assert 2 <= told[-1]["end"] <= 4


@pytest.fixture
def filming() -> Iterator[ChromiumTab]:
    """A browser with a camera that shows a pattern that moves."""
    running = Chromium(extra=["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
    yield running.new_tab()
    running.close()


def test_the_camera_is_seen_clip_by_clip(site: Path, filming: ChromiumTab) -> None:
    """Five frames a second, a clip of six every four of them; none while the tab is hidden."""
    model = engine.load(site.parent / "content/light/light.keras")
    with Host(site) as host:
        open_page(filming, host.url + "light/index.html")
        filming.evaluate(SPY)
        click(filming, "[data-source=camera]")
        click(filming, "[data-action=camera]")
        wait_for(filming, "document.querySelector('.sg-answer strong') && globalThis.clips.length >= 3")
        first, second, *_ = clips(filming)
        # The last two frames of a clip are the first two of the next.
        assert np.abs((first + mean())[0, 4:] - (second + mean())[0, :2]).max() < 1e-6
        assert np.abs(first[0, 4] - first[0, 0]).max() > 1e-3
        before = len(clips(filming))
        filming.page.wait_for_timeout(4000)
        assert 3 <= len(clips(filming)) - before <= 6
        hide(filming, True)
        filming.page.wait_for_timeout(1500)
        before = len(clips(filming))
        filming.page.wait_for_timeout(1500)
        assert len(clips(filming)) == before
        shown = filming.evaluate("[...document.querySelectorAll('[data-score]')].map((e) => Number(e.dataset.score))")
        assert shown == pytest.approx(scores(model, clips(filming)[-1]), abs=1e-4)
        hide(filming, False)
        wait_for(filming, f"globalThis.clips.length > {before}")
        click(filming, "[data-action=camera]")
        wait_for(filming, "document.querySelector('video').hidden && !document.querySelector('.sg-answer strong')")


def hide(tab: ChromiumTab, hidden: bool) -> None:
    """As if another tab were in front, which no browser of tests ever is told."""
    tab.evaluate(f"Object.defineProperty(document, 'hidden', {{ value: {str(hidden).lower()}, configurable: true }})")
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def line(function: str, *given: Any) -> Any:
    """What a function of line.ts returns."""
    return scripts.call("widgets/video-classification/line.ts", f"return script.{function}(...given);", list(given))


def seen(start: float, end: float, kind: int, value: float) -> dict[str, Any]:
    scores = [{"index": index, "label": LABELS[index], "value": 0.0} for index in range(3)]
    scores[kind]["value"] = value
    return {"start": start, "end": end, "scores": scores, "milliseconds": 1}


def test_moments_belong_to_the_nearest_clip() -> None:
    clips = [seen(0, 2, 1, 0.5), seen(1, 3, 1, 0.9), seen(2, 4, 0, 0.8), seen(3, 5, 1, 0.6)]
    segments = line("segmentsOf", clips)
    assert [(s["start"], s["end"], s["label"], round(s["score"], 6)) for s in segments] == [
        (0, 2.5, "mid", 0.7),
        (2.5, 3.5, "dark", 0.8),
        (3.5, 5, "mid", 0.6),
    ]
    assert line("sharesOf", segments) == [
        {"kind": 1, "label": "mid", "seconds": 4},
        {"kind": 0, "label": "dark", "seconds": 1},
    ]
    assert [line("clipAt", clips, at)["start"] for at in (0, 1.4, 1.6, 5)] == [0, 0, 1, 3]
    # Of what was not read yet nothing is said.
    assert line("clipAt", clips, 6) is None
    assert line("clipAt", [], 0) is None


@pytest.mark.parametrize(
    ("seconds", "fps", "count"), [(2.4, 5, 12), (9.6, 5, 48), (2.401, 5, 12), (2.5, 5, 13), (0.05, 5, 1), (0, 5, 1)]
)
def test_frames_of_a_film(seconds: float, fps: float, count: int) -> None:
    body = "return script.framesIn(given[0], given[1]);"
    assert scripts.call("widgets/video-classification/clips.ts", body, [seconds, fps]) == count


@pytest.mark.parametrize(
    ("count", "firsts"), [(16, [0]), (17, [0, 1]), (24, [0, 8]), (31, [0, 8, 15]), (7, [0]), (1, [0])]
)
def test_clips_of_a_film(count: int, firsts: list[int]) -> None:
    body = "return [...script.firstsOf(given, { frames: 16, stride: 8 })].sort((a, b) => a - b);"
    assert scripts.call("widgets/video-classification/clips.ts", body, count) == firsts


def test_short_films_stay_at_their_last_frame() -> None:
    body = """
      const ring = new script.Ring(4);
      const clips = given.map((value) => { ring.push([value]); return ring.clip().flat(); });
      return clips;
    """
    made = scripts.call("widgets/video-classification/clips.ts", body, [1, 2, 3, 4, 5, 6])
    assert made == [[1, 1, 1, 1], [1, 2, 2, 2], [1, 2, 3, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6]]


@pytest.mark.parametrize(("batch", "times"), [(-1, 1), (1, 1), (3, 3)])
@pytest.mark.parametrize("whole", [True, False])
def test_tensors_of_clips(batch: int, times: int, whole: bool) -> None:
    """y = (x * scale - mean) / std - the clip's mean; a model for several clips at once is given the same ones."""
    random_ = random.Random(1)
    values = [[random_.randrange(256) for _ in range(2 * 2 * 3)] for _ in range(2)]
    means = [random_.random() for _ in range(2 * 12 if whole else 12)]
    frame = {"height": 2, "width": 2, "channels": 3, "scale": 0.5, "invert": False, "mean": [1, 2, 3], "std": [2, 2, 4]}
    body = """
      const [values, means, frame, batch] = given;
      const spec = { shape: [batch, 2, 2, 2, 3] };
      const frames = values.map((one) => new Float32Array(one));
      const made = script.clipTensor(frames, { frame }, new Float32Array(means), spec);
      return { ...made, data: [...made.data] };
    """
    made = scripts.call("widgets/video-classification/clips.ts", body, [values, means, frame, batch])
    expected = (np.array(values).reshape(2, 4, 3) * 0.5 - [1, 2, 3]) / [2, 2, 4]
    expected = expected.reshape(2, 12) - np.array(means).reshape(-1, 12)
    assert made["shape"] == [times, 2, 2, 2, 3]
    assert np.allclose(np.array(made["data"]).reshape(times, 2, 12), expected[None], atol=1e-5)


def test_the_middle_of_the_shorter_side() -> None:
    """`center-crop` is what C3D's pictures need: the shorter side scaled to 112, then the middle cut out."""
    body = """
      const [width, height, values, side] = given;
      const picture = { width, height, data: new Uint8ClampedArray(values) };
      const input = { width: side, height: side, channels: 3, resize: 'center-crop', crop: 1, antialias: true };
      return [...script.resized(picture, script.boxFor(picture, input), input)];
    """
    noise = np.random.default_rng(1).integers(0, 256, (60, 100, 4)).astype(np.uint8)
    made = scripts.call("widgets/pictures/pixels.ts", body, [100, 60, noise.ravel().tolist(), 24])
    # 100 x 60 to 40 x 24, of which 8 columns go on both sides.
    bands = [Image.fromarray(noise[..., c]).convert("F").resize((40, 24), Image.Resampling.BILINEAR) for c in range(3)]
    expected = np.stack([np.asarray(band) for band in bands], -1)[:, 8:32]
    assert np.abs(np.array(made).reshape(24, 24, 3) - expected).max() < 1e-3


def test_json_is_that_of_the_sports_video_classifier() -> None:
    told = json.loads(line("asJson", [seen(0, 3.2, 2, 0.75)], 1))
    assert told == {
        "status": "ok",
        "clips": [{"start": 0, "end": 3.2, "predictions": [{"label_id": "2", "label": "light", "probability": 0.75}]}],
    }
