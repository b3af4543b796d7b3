"""The repository's own pages: what they state is what was measured, and samples are what they are called."""

from __future__ import annotations

import csv
import functools
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from sklearn.datasets import load_diabetes, load_wine

from tests import digits
from tests.browsers import NAMES, Browser, box, click, wait_for
from tests.conftest import REPOSITORY
from tests.test_detection import SHOWN, suppressed

SCENES = REPOSITORY / "content/scenes"
LABELS = (SCENES / "labels.txt").read_text("utf-8").split()


@pytest.mark.parametrize(
    "name", ["digits", "many-digits", "scenes", "sounds", "motion", "wine", "libraries", "digit-detector"]
)
def test_pages_state_what_was_measured(name: str) -> None:
    folder = REPOSITORY / "content" / name
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    stated = (folder / "index.md").read_text("utf-8").split("<!-- metrics -->")[1].split("<!-- /metrics -->")[0]
    confusion = np.array(metrics["confusion"])
    assert (confusion.sum(), confusion.trace()) == (metrics["held_out"], metrics["right"])
    for number in (f"Of {metrics['held_out']} ", f"**{metrics['right']}**", f"**{100 * metrics['accuracy']:.1f} %**"):
        assert number in stated
    for label, row in enumerate(confusion):
        assert f"| {metrics.get('labels', range(10))[label]} | {row.sum()} | {row[label]} |" in stated


def test_the_page_states_how_far_it_is_off() -> None:
    folder = REPOSITORY / "content/diabetes"
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    stated = (folder / "index.md").read_text("utf-8").split("<!-- metrics -->")[1].split("<!-- /metrics -->")[0]
    assert f"Measured on {metrics['split']['held_out']} patients" in stated
    for one in metrics["held_out"].values():
        assert f"| {one['mae']:.1f} | {one['rmse']:.1f} | {one['r2']:.2f} |" in stated
    assert metrics["held_out"]["network"]["mae"] < metrics["held_out"]["linear"]["mae"]


@pytest.mark.parametrize(("name", "data"), [("wine", load_wine()), ("diabetes", load_diabetes(scaled=False))])
def test_sliders_reach_as_far_as_the_data(name: str, data: Any) -> None:
    head = (REPOSITORY / "content" / name / "index.md").read_text("utf-8").split("---")[1]
    columns = yaml.safe_load(head)["input"]["columns"]
    for column, values in zip(columns, data.data.T, strict=True):
        if "choices" in column:
            assert sorted(set(values)) == column["choices"]
        else:
            assert (column["min"], column["max"]) == (values.min(), values.max())


@pytest.mark.parametrize("name", ["wine", "diabetes"])
def test_the_page_says_of_every_row_what_keras_says(name: str, browser: Callable[[str], Browser], output: Path) -> None:
    import keras

    folder = REPOSITORY / "content" / name
    model = keras.saving.load_model(folder / f"{name}.keras", compile=False)
    rows = [list(row.values())[:-1] for row in csv.DictReader((folder / "samples.csv").open(encoding="utf-8"))]
    if name == "diabetes":
        rows = [[row[0], row[1] == "1", row[1] == "2", *row[2:]] for row in rows]
    expected = model.predict(np.float32([[float(x) for x in row] for row in rows]), verbose=0)
    told = "[data-result], [data-score]"
    shown = f"[...document.querySelectorAll('{told}')].map((e) => Number(e.dataset.result ?? e.dataset.score))"
    tab = browser("chromium").new_tab()
    tab.goto((output / name / "index.html").as_uri())
    wait_for(tab, f"{shown}.length")
    for number, values in enumerate(expected, start=1):
        click(tab, f"[data-sample='{number}']")
        wait_for(tab, f"document.querySelector('[data-sample=\"{number}\"]').ariaPressed === 'true'")
        wait_for(tab, "document.querySelector('.sg-answer').ariaBusy === 'false'")
        # The test's site has float16 where the page does not say otherwise: these do.
        assert np.abs(np.array(tab.evaluate(shown)) - values).max() < 1e-4 * max(1, np.abs(values).max())
    tab.close()


def test_the_page_says_of_every_text_what_keras_says(browser: Callable[[str], Browser], output: Path) -> None:
    import keras
    import tensorflow as tf

    folder = REPOSITORY / "content/libraries"
    model = keras.saving.load_model(folder / "libraries.keras", compile=False)
    texts = (folder / "samples.txt").read_text("utf-8").splitlines()
    expected = model.predict(tf.constant(texts)[:, None], verbose=0)
    tab = browser("chromium").new_tab()
    tab.goto((output / "libraries/index.html").as_uri())
    for number, values in enumerate(expected, start=1):
        click(tab, f"[data-sample='{number}']")
        wait_for(tab, f"document.querySelector('[data-sample=\"{number}\"]').ariaPressed === 'true'")
        wait_for(tab, "document.querySelector('.sg-answer').ariaBusy === 'false'")
        shown = tab.evaluate("[...document.querySelectorAll('[data-score]')].map((e) => Number(e.dataset.score))")
        # Weights are float16.
        assert np.abs(np.array(shown) - values).max() < 5e-3
    tab.close()


def test_keras_names_every_surface() -> None:
    import keras

    model = keras.saving.load_model(SCENES / "scenes.keras", compile=False)
    assert sorted(path.stem for path in (SCENES / "samples").iterdir()) == LABELS
    pictures = [
        np.asarray(Image.open(SCENES / f"samples/{label}.png").convert("RGB").resize((64, 64)), np.float32)
        for label in LABELS
    ]
    found = model.predict(np.stack(pictures) / 255, verbose=0).argmax(axis=1)
    assert [LABELS[index] for index in found] == LABELS


def test_the_page_names_every_surface(browser: Callable[[str], Browser], output: Path) -> None:
    tab = browser("chromium").new_tab()
    digits.open_page(tab, (output / "scenes/index.html").as_uri())
    digits.source(tab, "samples")
    for label in LABELS:
        click(tab, f"[data-sample='{label}']")
        wait_for(tab, f"document.querySelector('.sg-answer strong')?.textContent === '{label}'")
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_page_sees_every_digit_where_keras_does(name: str, browser: Callable[[str], Browser], output: Path) -> None:
    """Each class has the share of the pixels that it has in Python."""
    import keras

    folder = REPOSITORY / "content/many-digits"
    model = keras.saving.load_model(folder / "many-digits.keras", compile=False)
    head = (folder / "index.md").read_text("utf-8").split("---")[1]
    kinds = yaml.safe_load(head)["labels"]
    shares = "[...document.querySelectorAll('[data-class]')]"
    tab = browser(name).new_tab()
    digits.open_page(tab, (output / "many-digits/index.html").as_uri())
    digits.source(tab, "samples")
    for number in range(1, 1 + len(list((folder / "samples").iterdir()))):
        picture = Image.open(folder / f"samples/{number}.png").convert("F").resize((64, 64), Image.Resampling.BILINEAR)
        classes = model.predict((255 - np.asarray(picture)[None, ..., None]) / 255, verbose=0)[0].argmax(-1)
        expected = {kinds[kind]: 100 * (classes == kind).mean() for kind in np.unique(classes)}
        click(tab, f"[data-sample='{number}']")
        # The sample is pressed before the model has seen it.
        for _ in range(100):
            told = dict(each.split() for each in tab.evaluate(f"{shares}.map((e) => e.textContent.replace('%', ''))"))
            if told.keys() == expected.keys():
                break
            time.sleep(0.05)
        assert {kind: float(share) for kind, share in told.items()} == pytest.approx(expected, abs=0.6)
    tab.close()


def boxes_of(picture: Image.Image) -> list[tuple[str, float, list[float]]]:
    """What Keras finds in a sample, as the page shows it: label, score and box, in order of label and place."""
    folder = REPOSITORY / "content/digit-detector"
    model = keras_model(folder / "digit-detector.keras")
    head = yaml.safe_load((folder / "index.md").read_text("utf-8").split("---")[1])
    given = np.asarray(picture.convert("F").resize((96, 96), Image.Resampling.BILINEAR))
    boxes, scores = (end[0] for end in model.predict((255 - given[None, ..., None]) / 255, verbose=0))
    rows = [(kind, scores[cell, kind], boxes[cell]) for cell, kind in np.argwhere(scores >= 0.05)]
    left = suppressed(rows, head["output"]["iou"])
    shown = [(head["labels"][kind], score, box) for kind, score, box in left if score >= head["output"]["threshold"]]
    return sorted(shown, key=_placed)


def _placed(row: Sequence[Any]) -> tuple[str, list[float]]:
    return row[0], row[2]


@functools.cache
def keras_model(path: Path) -> Any:
    import keras

    return keras.saving.load_model(path, compile=False)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_boxes_every_digit_where_keras_does(
    name: str, browser: Callable[[str], Browser], output: Path
) -> None:
    samples = sorted((REPOSITORY / "content/digit-detector/samples").glob("*.png"))
    tab = browser(name).new_tab()
    digits.open_page(tab, (output / "digit-detector/index.html").as_uri())
    digits.source(tab, "samples")
    for sample in samples:
        expected = boxes_of(Image.open(sample))
        assert len(expected) >= 3
        click(tab, f"[data-sample='{sample.stem}']")
        # The sample is pressed before the model has seen it.
        labels = json.dumps([label for label, *_ in expected], separators=(",", ":"))
        wait_for(tab, f"JSON.stringify({SHOWN}.map(([label]) => label).sort()) === '{labels}'")
        for ours, theirs in zip(sorted(tab.evaluate(SHOWN), key=_placed), expected, strict=True):
            # The test's site has float16.
            assert ours[1] == pytest.approx(theirs[1], abs=5e-3)
            assert ours[2] == pytest.approx(np.clip(theirs[2], 0, 1).tolist(), abs=5e-3)
    tab.close()


def test_digits_are_boxed_while_they_are_drawn(browser: Callable[[str], Browser], output: Path) -> None:
    """By the mouse: a seven on the left, then a three on the right, lower and smaller."""
    tab = browser("chromium").new_tab()
    digits.open_page(tab, (output / "digit-detector/index.html").as_uri())
    left, top, width, height = box(tab, ".sg-paper")
    drawn = []
    for digit, label, x, y, size in (("7", "seven", 0.02, 0.05, 0.55), ("3", "three", 0.52, 0.45, 0.45)):
        points = [(x + size * across / 100, y + size * down / 100) for across, down in digits.STROKES[digit]]
        tab.drag([(left + across * width, top + down * height) for across, down in points])
        drawn.append((label, [min(p[1] for p in points), min(p[0] for p in points)]))
        wait_for(tab, f"{SHOWN}.length === {len(drawn)} && document.querySelector('.sg-answer').ariaBusy === 'false'")
        found = sorted((label, sides) for label, _, sides in tab.evaluate(SHOWN))
        assert [label for label, _ in found] == sorted(label for label, _ in drawn)
        for (_, sides), (_, corner) in zip(found, sorted(drawn), strict=True):
            assert sides[:2] == pytest.approx(corner, abs=0.07)
    tab.close()


def test_the_detector_is_as_good_as_its_page_says() -> None:
    """On other sheets of the digits that were held out."""
    folder = REPOSITORY / "content/digit-detector"
    spec = importlib.util.spec_from_file_location("train_digit_detector", folder / "train.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script  # Where its dataclasses look for their types.
    spec.loader.exec_module(script)
    held = script.measured(
        keras_model(folder / "digit-detector.keras"), script.scenes(script.split()[2], 60, script.SEED + 3)
    )
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert held.digits.total > 100
    assert held.digits.accuracy == pytest.approx(metrics["accuracy"], abs=0.06)
    assert held.precision == pytest.approx(metrics["map_50"], abs=0.06)


def test_the_page_names_what_happens_in_films(browser: Callable[[str], Browser], output: Path) -> None:
    """In the middle of each part of a film, where clips show nothing else."""
    metrics = json.loads((REPOSITORY / "content/motion/metrics.json").read_text("utf-8"))
    tab = browser("chromium").new_tab()
    digits.open_page(tab, (output / "motion/index.html").as_uri())
    for film, parts in metrics["films"].items():
        click(tab, f"[data-sample='{film}']")
        wait_for(tab, "document.querySelector('[data-reading]')?.dataset.reading === 'reading'")
        wait_for(tab, "document.querySelector('[data-reading]').dataset.reading === 'ended'", 90)
        buttons = "[...document.querySelectorAll('.sg-timeline button')].map(({ dataset }) => dataset)"
        told = tab.evaluate(f"{buttons}.map(({{ label, start, end }}) => [label, Number(start), Number(end)])")
        middles = [(index + 0.5) * metrics["seconds_a_part"] for index in range(len(parts))]
        found = [next(label for label, start, end in told if start <= at < end) for at in middles]
        assert found == parts
    tab.close()
