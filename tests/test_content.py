"""The repository's own pages: what they state is what was measured, and samples are what they are called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import digits
from tests.browsers import Browser, click, wait_for
from tests.conftest import REPOSITORY

SCENES = REPOSITORY / "content/scenes"
LABELS = (SCENES / "labels.txt").read_text("utf-8").split()


@pytest.mark.parametrize("name", ["digits", "scenes", "sounds", "motion"])
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
