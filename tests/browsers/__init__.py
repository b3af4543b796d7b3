"""Real browsers for the tests: Chromium by Playwright, Firefox by WebDriver BiDi, WebKitGTK by WebDriver.

All three do the same few things, so that one test runs in each. A browser that is not there is brought or the test
fails: it is never skipped.
"""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any, Protocol

NAMES = ("chromium", "firefox", "webkit")


class Tab(Protocol):
    """One tab; points are CSS pixels of the viewport."""

    def goto(self, url: str) -> None:
        """Loads a page from scratch."""

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited when it is a promise; raises what the page throws."""

    def drag(self, points: list[tuple[float, float]]) -> None:
        """Real pointer input: presses at the first point, moves through the others, releases at the last."""

    def screenshot(self, path: Path) -> None:
        """Writes a PNG of the viewport."""

    def close(self) -> None:
        """Closes the tab."""


class Browser(Protocol):
    """A running browser with a fresh profile, which its tabs share."""

    name: str
    version: str

    def new_tab(self) -> Tab:
        """Opens a tab."""

    def close(self) -> None:
        """Ends the browser and everything that it started."""


def launch(name: str) -> Browser:
    """Starts one of NAMES."""
    if name == "chromium":
        from tests.browsers.chromium import Chromium

        return Chromium()
    if name == "firefox":
        from tests.browsers.firefox import Firefox

        return Firefox()
    from tests.browsers.webkit import WebKit

    return WebKit()


def wait_for(tab: Tab, condition: str, seconds: float = 30) -> None:
    """Waits until a JavaScript condition is true; raises AssertionError, with what the page shows, when it stays false.

    A condition may be a promise; one that throws is not true yet: pages come and go.
    """
    end = time.monotonic() + seconds
    while True:
        last: object = None
        try:
            if tab.evaluate(f"(async () => Boolean(await ({condition})))()"):
                return
        except Exception as error:
            last = error
        if time.monotonic() > end:
            shown = tab.evaluate("document.body ? document.body.innerText.slice(0, 2000) : ''")
            raise AssertionError(f"not true within {seconds} s: {condition} ({last})\nthe page says: {shown}")
        time.sleep(0.05)


def click(tab: Tab, selector: str) -> None:
    """A real click in the middle of an element, which is waited for and scrolled into view."""
    left, top, width, height = box(tab, selector)
    tab.drag([(left + width / 2, top + height / 2)])


def box(tab: Tab, selector: str) -> tuple[float, float, float, float]:
    """Left, top, width and height of an element that was waited for and scrolled into view."""
    wait_for(tab, f"document.querySelector({selector!r})")
    left, top, width, height = tab.evaluate(
        f"(() => {{ const e = document.querySelector({selector!r});"
        " e.scrollIntoView({block: 'center', behavior: 'instant'}); const b = e.getBoundingClientRect();"
        " return [b.left, b.top, b.width, b.height]; })()"
    )
    return left, top, width, height


def give(tab: Tab, data: bytes, name: str, kind: str = "") -> None:
    """Chooses a file of the visitor's."""
    encoded = base64.b64encode(data).decode()
    tab.evaluate(
        f"""(async () => {{
          const bytes = Uint8Array.from(atob('{encoded}'), (c) => c.charCodeAt(0));
          const files = [new File([bytes], '{name}', {{ type: '{kind}' }})];
          ({_CHOOSE})(files);
        }})()"""
    )


def give_a_film_of_the_camera(tab: Tab, milliseconds: int, every: str = "") -> None:
    """Chooses a film that the browser makes of its camera; `every` is the milliseconds of its parts."""
    tab.evaluate(
        f"""(async () => {{
          const camera = await navigator.mediaDevices.getUserMedia({{ video: true }});
          const recorder = new MediaRecorder(camera, {{ mimeType: 'video/webm;codecs=vp8' }});
          const parts = [];
          recorder.ondataavailable = (event) => parts.push(event.data);
          recorder.start({every});
          await new Promise((done) => setTimeout(done, {milliseconds}));
          await new Promise((done) => {{ recorder.onstop = done; recorder.stop(); }});
          camera.getTracks().forEach((track) => track.stop());
          ({_CHOOSE})([new File(parts, 'film.webm', {{ type: 'video/webm' }})]);
        }})()"""
    )


_CHOOSE = """(files) => {
  const data = new DataTransfer();
  files.forEach((file) => data.items.add(file));
  const field = document.querySelector('input[type=file]');
  field.files = data.files;
  field.dispatchEvent(new Event('change', { bubbles: true }));
}"""
