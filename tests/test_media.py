"""Sounds and films of kept pages: without a network, their players go to any place in them, by ranges of bytes."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sitegen.host import Host
from tests import films
from tests.browsers import NAMES, Browser, Tab, wait_for
from tests.conftest import make

Get = Callable[[str], Browser]
PAGE = "clip/index.html"
SECONDS = 40
KEPT = """new Promise((done) => {
  const look = () => caches.match(location.href).then((page) => (page ? done(true) : setTimeout(look, 50)));
  look();
})"""


def tone() -> bytes:
    """A sound of 40 seconds, 640 kB: long enough that no browser reads it to the end before it is asked to seek."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        samples = (int(8000 * math.sin(n / 4)) for n in range(8000 * SECONDS))
        sound.writeframes(struct.pack(f"<{8000 * SECONDS}h", *samples))
    return out.getvalue()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A built project whose page plays a sound."""
    lay(tmp_path, '<audio controls preload="metadata" src="tone.wav"></audio>')
    (tmp_path / "content/tone.wav").write_bytes(tone())
    make(tmp_path)
    return tmp_path / "output"


def lay(root: Path, player: str) -> None:
    """Writes a page with a player."""
    (root / "content").mkdir()
    (root / "content/clip.md").write_text(f"---\ntitle: A clip\n---\nA clip:\n\n{player}\n", "utf-8")


def keep(tab: Tab, host: Host) -> None:
    """Visits the page, which keeps itself, and takes the network away."""
    tab.goto(host.url + PAGE)
    assert tab.evaluate(KEPT)
    host.stop()
    tab.goto(host.url + PAGE)


def sought(tab: Tab, kind: str, to: float) -> float:
    """Has the player go to a place, in seconds, and gives where it came to."""
    player = f"document.querySelector('{kind}')"
    wait_for(tab, f"{player}?.readyState >= 1")
    before: float = tab.evaluate(
        f"new Promise((done) => {{ const p = {player}; p.onseeked = () => done(p.currentTime);"
        f" p.onerror = () => done(-1); p.currentTime = {to}; }})"
    )
    wait_for(tab, f"{player}.readyState >= 2")
    return before


@pytest.mark.parametrize("name", NAMES)
def test_seeking_without_a_network(name: str, browser: Get, site: Path) -> None:
    with Host(site, "/media/") as host:
        tab = browser(name).new_tab()
        keep(tab, host)
        for to in (SECONDS - 3, 5, SECONDS / 2):
            assert sought(tab, "audio", to) == pytest.approx(to, abs=0.1)
        assert tab.evaluate("document.querySelector('audio').duration") == pytest.approx(SECONDS, abs=0.1)
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_films(name: str, browser: Get, tmp_path: Path) -> None:
    """At the place that was sought, the frame of that time is shown."""
    lay(tmp_path, '<video controls muted src="film.webm"></video>')
    (tmp_path / "content/film.webm").write_bytes(films.webm(30))
    make(tmp_path)
    with Host(tmp_path / "output") as host:
        tab = browser(name).new_tab()
        keep(tab, host)
        for to in (27.1, 3.1, 15.1):
            assert sought(tab, "video", to) == pytest.approx(to, abs=0.1)
            wait_for(tab, f"Math.abs({GREY} / 2 - {int(to * films.PER_SECOND)}) <= 4")
        assert tab.evaluate("document.querySelector('video').duration") == pytest.approx(30, abs=0.1)
        tab.close()


# How grey the left half of the film is now, of 255.
GREY = """(() => {
  const canvas = document.createElement('canvas');
  const paper = canvas.getContext('2d');
  paper.drawImage(document.querySelector('video'), 0, 0);
  return paper.getImageData(40, 60, 1, 1).data[0];
})()"""


@pytest.mark.parametrize("name", NAMES)
def test_ranges(name: str, browser: Get, site: Path) -> None:
    whole = next(site.glob("files/*/tone.wav")).read_bytes()
    size = len(whole)
    with Host(site, "/media/") as host:
        tab = browser(name).new_tab()
        keep(tab, host)

        def ask(range_: str, if_range: str | None = None) -> dict[str, Any]:
            headers = {"Range": range_} | ({"If-Range": if_range} if if_range else {})
            answer: dict[str, Any] = tab.evaluate(
                f"fetch(document.querySelector('audio').src, {{headers: {headers}}}).then(async (r) => "
                "({status: r.status, range: r.headers.get('Content-Range'), tag: r.headers.get('ETag'),"
                " length: r.headers.get('Content-Length'), type: r.headers.get('Content-Type'),"
                " bytes: [...new Uint8Array(await r.arrayBuffer()).subarray(0, 50)]}))"
            )
            return answer

        def part(first: int, last: int) -> dict[str, Any]:
            return {
                "status": 206,
                "range": f"bytes {first}-{last}/{size}",
                "tag": tag,
                "length": str(last + 1 - first),
                "type": "audio/wav",
                "bytes": list(whole[first : last + 1][:50]),
            }

        tag = ask("bytes=0-1")["tag"]
        assert tag.startswith('"files/')
        assert ask("bytes=0-") == part(0, size - 1)
        assert ask("bytes=100-149") == part(100, 149)
        assert ask("bytes=7-7") == part(7, 7)
        assert ask(f"bytes={size - 2}-{size + 1000}") == part(size - 2, size - 1)
        assert ask("bytes=-40") == part(size - 40, size - 1)
        assert ask(f"bytes=-{size * 2}") == part(0, size - 1)
        assert ask("bytes=100-149", tag) == part(100, 149)
        for nothing in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
            answer = ask(nothing)
            assert (answer["status"], answer["range"], answer["bytes"]) == (416, f"bytes */{size}", [])
        # What the standard lets a server answer with the whole file.
        for other in ("bytes=0-1,5-9", "bytes=9-5", "bytes=-", "lines=0-1", "bytes=x-9"):
            answer = ask(other)
            assert (answer["status"], answer["range"], answer["length"]) == (200, None, str(size)), other
        for stale in ('"another"', f"W/{tag}", "Wed, 21 Oct 2026 07:28:00 GMT"):
            assert ask("bytes=100-149", stale)["status"] == 200
        tab.close()
