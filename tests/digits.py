"""What the digits page should do, for tests in every browser and every world."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.browsers import Tab, box, click, wait_for

PAGE = "digits/index.html"
ACCURATE = 1e-3
# Strokes on a sheet of 100 x 100, top left is (0, 0).
STROKES = {
    "0": [(50, 15), (30, 25), (24, 50), (30, 75), (50, 85), (70, 75), (76, 50), (70, 25), (50, 15)],
    "1": [(38, 28), (52, 15), (52, 85)],
    "2": [(28, 30), (38, 17), (60, 17), (70, 32), (60, 50), (28, 84), (74, 84)],
    "3": [(28, 18), (60, 17), (70, 30), (62, 44), (46, 48), (64, 54), (72, 70), (60, 84), (28, 82)],
    "7": [(26, 18), (74, 18), (42, 85)],
}


def open_page(tab: Tab, url: str, backend: str = "wasm-simd") -> None:
    """Opens the page and waits until the model is loaded, on the engine and backend that it should be on."""
    tab.goto(url)
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'")
    # The model may be there before the page is seen, and browsers take no clicks before that.
    wait_for(tab, "performance.getEntriesByName('first-contentful-paint').length > 0")
    assert facts(tab)["engine"] == "plan"
    assert facts(tab)["backend"] == backend


def facts(tab: Tab) -> dict[str, str]:
    """What the demo says of itself."""
    found: dict[str, str] = tab.evaluate("({...document.querySelector('sitegen-demo').dataset})")
    return found


def source(tab: Tab, name: str) -> None:
    """Chooses where the picture comes from."""
    click(tab, f"[data-source={name}]")
    wait_for(tab, f"document.querySelector('[data-source={name}]').getAttribute('aria-selected') === 'true'")


def draw(tab: Tab, digit: str) -> str:
    """Draws a digit with the pointer; gives the answer."""
    source(tab, "draw")
    click(tab, "[data-action=clear]")
    wait_for(tab, "!document.querySelector('.sg-answer strong')")
    left, top, width, height = box(tab, ".sg-paper")
    tab.drag([(left + x * width / 100, top + y * height / 100) for x, y in STROKES[digit]])
    return settled(tab)


def settled(tab: Tab) -> str:
    """The answer, once the model has seen all that was drawn: in the next frame it is shown the last of it."""
    told = "document.querySelector('.sg-answer strong')?.textContent"
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    wait_for(tab, f"document.querySelector('.sg-answer').ariaBusy === 'false' && {told}")
    return str(tab.evaluate(told))


def sample_scores(tab: Tab) -> dict[str, list[float]]:
    """Chooses every sample; gives what the page says of each: the scores in order of the classes."""
    source(tab, "samples")
    wait_for(tab, "document.querySelectorAll('[data-sample] img').length === 10")
    scores: dict[str, list[float]] = {}
    for digit in range(10):
        before = tab.evaluate(
            "JSON.stringify([...document.querySelectorAll('[data-score]')].map((e) => e.dataset.score))"
        )
        click(tab, f"[data-sample='{digit}']")
        wait_for(
            tab,
            f"document.querySelector('[data-sample=\"{digit}\"]').ariaPressed === 'true' && "
            "JSON.stringify([...document.querySelectorAll('[data-score]')].map((e) => e.dataset.score)) !== "
            f"{before!r} && document.querySelectorAll('[data-score]').length === 10",
        )
        found: list[Any] = tab.evaluate(
            "[...document.querySelectorAll('[data-score]')].map((e) => Number(e.dataset.score))"
        )
        scores[str(digit)] = found
    return scores


@functools.cache
def keras_scores(folder: Path) -> dict[str, NDArray[np.float32]]:
    """What Python's Keras says of the same samples, from the same files."""
    import keras
    from PIL import Image

    model = keras.saving.load_model(folder / "digits.keras", compile=False)
    names = [path.stem for path in sorted((folder / "samples").glob("*.png"))]
    pictures = np.stack(
        [np.asarray(Image.open(folder / "samples" / f"{name}.png").convert("L"), np.float32) for name in names]
    )
    result = model.predict((255 - pictures[..., None]) / 255, verbose=0)
    return dict(zip(names, result, strict=True))


def check(tab: Tab, folder: Path) -> None:
    """Draws, and compares every sample with Keras; nothing may be left behind in the engine by doing so."""
    for digit in ("7", "3"):
        assert draw(tab, digit) == digit
    tensors = facts(tab)["tensors"]
    said = sample_scores(tab)
    for name, expected in keras_scores(folder).items():
        assert np.abs(np.array(said[name]) - expected).max() < ACCURATE, f"sample {name}"
    assert facts(tab)["tensors"] == tensors
