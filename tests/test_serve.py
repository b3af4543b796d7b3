"""The preview: what is saved is seen, what is wrong is said, in the page as in the terminal."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import digits
from tests.browsers import Browser, wait_for
from tests.browsers.chromium import ChromiumTab

Get = Callable[[str], Browser]
BASE = "/some/sub/"


class Serving:
    """A running `sitegen serve`; `said` is everything that it printed."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sitegen", "serve", "--port", "0", *arguments],
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        )
        self.said = ""
        self.url = self._address()
        threading.Thread(target=self._listen, daemon=True).start()

    def _address(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if found := re.search(r"serving (http\S+)", line):
                return found[1]
        raise AssertionError(self.said)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line

    def stop(self) -> int:
        """Ctrl-C; gives the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@pytest.fixture
def root(project: Path, tmp_path: Path) -> Path:
    """The repository's project, to be changed."""
    shutil.copytree(project, tmp_path / "project", symlinks=True, ignore=shutil.ignore_patterns("output"))
    return tmp_path / "project"


@pytest.fixture
def serving(root: Path) -> Iterator[Serving]:
    """The project, served under a sub-path."""
    running = Serving(root, "--base", BASE)
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture
def tab(browser: Get) -> Iterator[ChromiumTab]:
    """A tab of Chromium."""
    opened = browser("chromium").new_tab()
    assert isinstance(opened, ChromiumTab)
    yield opened
    opened.close()


def edit(path: Path, old: str, new: str) -> None:
    """Saves a file with a text replaced."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_follows_every_save(serving: Serving, root: Path, tab: ChromiumTab) -> None:
    page = root / "content/digits/index.md"
    digits.open_page(tab, serving.url + digits.PAGE)
    assert digits.draw(tab, "7") == "7"
    edit(page, "Draw one digit, large.", "Draw one big digit.")
    wait_for(tab, "document.body.innerText.includes('Draw one big digit.')")

    # Style sheets change under the visitor's hands: the page is not loaded again, the drawing stays.
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'")
    assert digits.draw(tab, "3") == "3"
    tab.evaluate("(globalThis.mark = 1)")
    style = root / "themes/default/style.css"
    style.parent.mkdir(parents=True)
    style.write_text("body { background: rgb(1, 2, 3); }")
    edit(page, "Draw one big digit.", "Draw one digit.")
    wait_for(tab, "document.body.innerText.includes('Draw one digit.')")
    wait_for(tab, "getComputedStyle(document.body).backgroundColor === 'rgb(1, 2, 3)'")
    tab.evaluate("(globalThis.mark = 1)")
    style.write_text("body { background: rgb(4, 5, 6); }")
    wait_for(tab, "getComputedStyle(document.body).backgroundColor === 'rgb(4, 5, 6)'")
    assert tab.evaluate("globalThis.mark") == 1

    # What is wrong stands over the page, in the terminal's words, until it is put right.
    edit(page, "task: image-classification", "task: image-clasification")
    wait_for(tab, "document.querySelector('.sg-overlay pre')")
    shown = tab.evaluate("document.querySelector('.sg-overlay pre').textContent")
    assert shown == (
        'content/digits/index.md:5:7: unknown task "image-clasification"\n  hint: did you mean "image-classification"?'
    )
    assert shown in serving.said
    edit(page, "task: image-clasification", "task: image-classification")
    wait_for(tab, "!document.querySelector('.sg-overlay')")
    # The settings are part of the project.
    edit(root / "pyproject.toml", 'title = "sitegen demos"', 'title = "Other demos"')
    wait_for(tab, "document.querySelector('.home').textContent.includes('Other demos')")
    assert not (root / "output").exists()


def test_a_project_that_starts_broken(root: Path, tab: ChromiumTab) -> None:
    page = root / "content/digits/index.md"
    edit(page, "title: Handwritten digits", "titel: Handwritten digits")
    serving = Serving(root)
    try:
        tab.goto(serving.url)
        wait_for(tab, "document.querySelector('.sg-overlay pre')?.textContent.includes('did you mean \"title\"?')")
        edit(page, "titel: Handwritten digits", "title: Handwritten digits")
        wait_for(tab, "[...document.querySelectorAll('.card h2')].some((h) => h.textContent === 'Handwritten digits')")
    finally:
        serving.stop()


def test_serves_ranges_and_says_what_is_missing(serving: Serving) -> None:
    with urllib.request.urlopen(serving.url + digits.PAGE) as whole:
        assert whole.headers["Content-Type"].startswith("text/html")
        chunk = re.search(rb'\["([0-9a-f]{64})",', whole.read())
    assert chunk
    address = f"{serving.url}chunks/{chunk[1].decode()}.js"
    request = urllib.request.Request(address, headers={"Range": "bytes=0-13"})
    with urllib.request.urlopen(request) as part:
        assert part.status == 206
        assert part.read() == b'sitegenChunk("'
    with urllib.request.urlopen(serving.url + "digits") as folder:
        assert folder.url.endswith(f"{BASE}digits/")
    with urllib.request.urlopen(serving.url.removesuffix(BASE)) as start:
        assert start.url.endswith(BASE)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(serving.url + "no/such.html")


def test_faults(root: Path, tab: ChromiumTab) -> None:
    """No preview, but the site as a host has it: what fails once is repaired, a save is a deploy, it ends as ever."""
    serving = Serving(root, "--base", BASE, "--fault", "cut@40000x2:chunks/*", "--fault", "gone@9999:*")
    try:
        digits.open_page(tab, serving.url + digits.PAGE)
        wait_for(tab, "document.querySelector('sitegen-offline')?.dataset.state === 'kept'")
        assert serving.said.count("cut@40000x2:chunks/* struck chunks/") == 2
        edit(root / "content/digits/index.md", "Draw one digit, large.", "Draw one big digit.")
        while serving.said.count("deployed build ") < 2:
            tab.page.wait_for_timeout(50)
        digits.open_page(tab, serving.url + digits.PAGE)
        wait_for(tab, "document.querySelector('.sg-update button')")
    finally:
        assert serving.stop() == 130


def test_ends_by_ctrl_c(root: Path) -> None:
    serving = Serving(root)
    assert serving.stop() == 130


def test_a_taken_port_is_said(root: Path, serving: Serving) -> None:
    port = serving.url.split(":")[2].split("/")[0]
    done = subprocess.run(
        [sys.executable, "-m", "sitegen", "serve", "--port", port],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert "--port 0" in done.stderr
