"""Hosts, networks and browsers that fail at any byte: every demo works or resumes where it was.

A row of the matrix is a way to fail. Its cases are visits, each to a host of its own, at points that a seed chooses;
what came of them is printed at the end of the run.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sitegen.host import Fault, Host
from sitegen.records import Blob, Site
from tests import digits, sites
from tests.browsers import NAMES, Browser, wait_for
from tests.browsers.chromium import Chromium, ChromiumTab

Get = Callable[[str], Browser]
Record = Callable[[str, object], None]
DEMO = "document.querySelector('sitegen-demo')?.dataset.state"
KEPT = "document.querySelector('sitegen-offline')?.dataset.state"
# What goes wrong once and is over.
PASSING = ("cut", "cut", "cut", "short", "head", "corrupt", "length", "gone", "500", "503")
# What is there at the next attempt too.
LASTING = ("cut", "cut", "short", "head", "corrupt", "length", "gone", "404", "500")
# How many files a page fetches at once.
AT_ONCE = 4
# The file of the proof, which a visitor may ask for while the page is storing it.
PROOF = 1
# How many may be on their way into the store when a browser is killed.
BEING_STORED = AT_ONCE
# A browser notes within seconds that it has stored something; one that is killed before asks for these again.
FORGOTTEN = AT_ONCE
_NOBODY = Fault("gone", 0, None, "*")


@dataclass
class Tally:
    """A row of the matrix."""

    browser: str
    row: str
    visits: int = 0
    points: int = 0
    alone: int = 0
    resumed: int = 0
    again: int = 0
    in_flight: int = 0
    began: float = field(default_factory=time.monotonic)

    def tell(self, record: Record, at_least: int) -> None:
        """Puts it into the report (conftest.py prints it); in Chromium so many points have to have been struck."""
        assert self.points >= at_least or self.browser != "chromium"
        seconds = time.monotonic() - self.began
        record(
            "matrix",
            f"{self.browser:9} {self.row:31} {self.visits:6} {self.points:6} {self.alone:6} {self.resumed:7} "
            f"{self.again / 1000:8.1f} {self.in_flight / 1000:9.1f} {seconds:6.1f}",
        )


class Visit:
    """A visitor of a host that nobody else visits. What the host said may be kept by nothing but the page."""

    count = 0

    def __init__(self, browser: Browser, site: Site, seed: str) -> None:
        Visit.count += 1
        self.seed = seed
        self.struck: set[Fault] = set()
        self.strikes: Counter[str] = Counter()
        self.host = Host(
            site.files,
            f"/v{Visit.count}/",
            headers={"Cache-Control": "no-store"},
            struck=self._struck,
        )
        self.tab = browser.new_tab()

    def _struck(self, fault: Fault, path: str) -> None:
        if fault != _NOBODY:
            self.struck.add(fault)
            self.strikes[path] += 1

    def open(self) -> None:
        """Loads the page."""
        self.tab.goto(self.host.url + digits.PAGE)

    def waits(self, state: str, value: str, seconds: float = 60) -> None:
        """Waits for a state of the demo or of its keeping."""
        wait_for(self.tab, f"{state} === '{value}'", seconds)

    def until_struck(self) -> None:
        """Waits until something has gone wrong."""
        end = time.monotonic() + 30
        while not self.struck:
            assert time.monotonic() < end
            self.tab.evaluate("new Promise((done) => setTimeout(done, 50))")

    def ended(self) -> str:
        """What came of keeping the page."""
        wait_for(self.tab, f"['kept', 'failed'].includes({KEPT})", 60)
        return str(self.tab.evaluate(KEPT))

    def proves(self) -> None:
        """The demo is ready and comes to TensorFlow's numbers."""
        self.waits(DEMO, "ready")
        assert self.tab.evaluate(_PROOF) == "passed"

    def works_without_a_host(self, text: str = sites.OLD) -> None:
        """With nobody at its address the page opens, is the version that it should be, and its demo works."""
        self.host.fail(_NOBODY)
        self.open()
        self.proves()
        assert text in self.tab.evaluate("document.body.innerText")
        self.waits(KEPT, "kept")

    def again(self, known: Mapping[str, int]) -> dict[str, int]:
        """Bytes of chunks that came more than once, whole or in part: path -> bytes."""
        sent: dict[str, int] = {}
        for answer in self.host.answers:
            if answer.path in known:
                sent[answer.path] = sent.get(answer.path, 0) + answer.sent
        return {path: total - known[path] for path, total in sent.items() if total > known[path]}

    def close(self) -> None:
        """Ends the visit and the host."""
        self.tab.close()
        self.host.stop()


_PROOF = """(async () => {
  const panel = document.querySelector('.sg-behind'), { dataset } = document.querySelector('sitegen-demo');
  panel.open = true;
  panel.querySelector(':scope > button').click();
  const over = () => ['passed', 'failed', 'none'].includes(dataset.proof);
  for (let turn = 0; !over() && turn < 1500; turn++) await new Promise((done) => setTimeout(done, 20));
  return dataset.proof;
})()"""


@pytest.fixture(scope="module")
def versions(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Site]:
    """The site, and a later version."""
    first, second = sites.versions(project, tmp_path_factory.mktemp("versions"))
    changed = set(sites.needs(second.files)) - set(sites.needs(first.files))
    assert len(sites.needs(first.files)) >= 20
    assert 2 <= len(changed) <= 12
    return first, second


def point(rng: random.Random, kinds: tuple[str, ...], path: str, size: int, count: int | None) -> Fault:
    """Something that goes wrong with a file, at any of its bytes."""
    kind = rng.choice(kinds)
    at = {"length": rng.choice([-1, 1]) * rng.randrange(1, size), "gone": 0}.get(kind, rng.randrange(size))
    return Fault(kind, 0 if kind.isdigit() or kind == "head" else at, count, path)


def points(seed: str, kinds: tuple[str, ...], files: Mapping[str, int], number: int, count: int | None) -> list[Fault]:
    """Faults with so many of the files."""
    rng = random.Random(seed)
    return [point(rng, kinds, path, files[path], count) for path in rng.sample(sorted(files), number)]


def in_turn(browser: Browser, site: Site, row: str, visits: int) -> Iterator[list[Visit]]:
    """Visits: in Chromium six at a time, as most of a visit is waiting; WebKit has one window."""
    at_once = 6 if browser.name == "chromium" else 1
    for start in range(0, visits, at_once):
        numbers = range(start, min(start + at_once, visits))
        batch = [Visit(browser, site, f"{row}, {browser.name}, {number}") for number in numbers]
        try:
            yield batch
        finally:
            for visit in batch:
                visit.close()


def settle(tally: Tally, visit: Visit, known: Mapping[str, int], alone: bool, spare: int) -> None:
    """Counts a visit that is over. What came again was in flight: struck, or one of `spare` chunks beside such."""
    again = visit.again(known)
    struck = {path: known[path] * visit.strikes[path] for path in again}
    # How often each came in vain though nothing struck it: it was on its way when the visitor went away.
    beside = {path: math.ceil(max(0, again[path] - struck[path]) / known[path]) for path in again}
    assert sum(beside.values()) <= spare, beside
    in_flight = sum(struck[path] + beside[path] * known[path] for path in again)
    tally.visits += 1
    tally.points += len(visit.struck)
    tally.alone += alone
    tally.resumed += not alone
    tally.again += sum(again.values())
    tally.in_flight += in_flight


def end(tally: Tally, visits: Sequence[Visit], known: Mapping[str, int], *, alone: bool, spare: int) -> None:
    """Visits that come to what they should: the page is kept, and works with nobody at its address."""
    for visit in visits:
        visit.proves()
        visit.waits(KEPT, "kept")
        visit.works_without_a_host()
        settle(tally, visit, known, alone, spare)


@pytest.mark.parametrize("name", NAMES)
def test_what_passes_is_repaired(name: str, browser: Get, versions: tuple[Site, Site], record_property: Record) -> None:
    """Nobody has to do anything, and every chunk that nothing happened to comes once."""
    site, known = versions[0], sites.needs(versions[0].files)
    tally = Tally(name, "passing faults in chunks")
    for batch in in_turn(browser(name), site, tally.row, 6 if name == "chromium" else 2):
        for visit in batch:
            visit.host.fail(*points(visit.seed, PASSING, known, 20, 1))
            visit.open()
        end(tally, batch, known, alone=True, spare=PROOF)
    tally.tell(record_property, 110)


@pytest.mark.parametrize("name", NAMES)
def test_what_lasts_is_resumed(name: str, browser: Get, versions: tuple[Site, Site], record_property: Record) -> None:
    """The page says that it failed; when the host is itself again, what is stored is not fetched again."""
    site, known = versions[0], sites.needs(versions[0].files)
    tally = Tally(name, "lasting faults in chunks")
    for batch in in_turn(browser(name), site, tally.row, 6 if name == "chromium" else 2):
        for visit in batch:
            visit.host.fail(*points(visit.seed, LASTING, known, 9, None))
            visit.open()
        for visit in batch:
            assert visit.ended() == "failed"
            shown = visit.tab.evaluate("document.body.innerText")
            assert "Not kept yet: " in shown
            assert "Try again" in shown
            visit.host.fail()
            visit.open()
        end(tally, batch, known, alone=False, spare=AT_ONCE + PROOF)
    # Each page gives up at the first that lasts, with three others on their way.
    tally.tell(record_property, 18)


@pytest.mark.parametrize("name", NAMES)
def test_a_host_goes_away(name: str, browser: Get, versions: tuple[Site, Site], record_property: Record) -> None:
    """Between two chunks, after any of them."""
    site, known = versions[0], sites.needs(versions[0].files)
    tally = Tally(name, "host gone between chunks")
    for batch in in_turn(browser(name), site, tally.row, 6 if name == "chromium" else 2):
        for visit in batch:
            after = random.Random(visit.seed).randrange(len(known) - 4)
            visit.host.fail(Fault("gone", after, None, "chunks/*"))
            visit.open()
        for visit in batch:
            assert visit.ended() == "failed"
            visit.host.fail()
            visit.open()
        end(tally, batch, known, alone=False, spare=AT_ONCE + PROOF)
    tally.tell(record_property, 6)


@pytest.mark.parametrize("name", NAMES)
def test_shell_install(name: str, browser: Get, versions: tuple[Site, Site], record_property: Record) -> None:
    """What the service worker fetches: the demo works meanwhile, and the page is kept now or at the next visit."""
    site, known = versions[0], sites.needs(versions[0].files)
    files = {**sites.shell(site.files), digits.PAGE: site.files[digits.PAGE].size, "sw.js": site.files["sw.js"].size}
    tally = Tally(name, "faults in the shell's install")
    for batch in in_turn(browser(name), site, tally.row, 12 if name == "chromium" else 2):
        for number, visit in enumerate(batch):
            visit.open()
            # The page itself is there: from now on it is the worker that asks.
            count = 1 if number % 2 else None
            faults = points(visit.seed, LASTING, files, 5, count)
            # A worker with another byte in it may be a worker too, which lasts until the next visit.
            visit.host.fail(*(f for f in faults if (f.kind, f.glob) != ("corrupt", "sw.js")))
        for visit in batch:
            visit.proves()
            alone = visit.ended() == "kept"
            visit.host.fail()
            if not alone:
                visit.open()
                visit.proves()
                visit.waits(KEPT, "kept")
            visit.works_without_a_host()
            settle(tally, visit, known, alone, spare=PROOF)
    tally.tell(record_property, 40)


@pytest.mark.parametrize("name", NAMES)
def test_update(name: str, browser: Get, versions: tuple[Site, Site], record_property: Record) -> None:
    """A deploy: the old version works until the new one is whole, of which only what has changed is fetched."""
    old, new = versions
    known = sites.needs(new.files)
    changed = {path: size for path, size in known.items() if path not in sites.needs(old.files)}
    files = {**changed, digits.PAGE: new.files[digits.PAGE].size}
    tally = Tally(name, "faults in an update")
    for batch in in_turn(browser(name), old, tally.row, 6 if name == "chromium" else 2):
        for visit in batch:
            visit.open()
        for number, visit in enumerate(batch):
            visit.waits(KEPT, "kept")
            visit.host.answers.clear()
            visit.host.root = new.files
            visit.host.fail(*points(visit.seed, LASTING, files, 3, None if number % 2 == 0 else 1))
            visit.open()
        for number, visit in enumerate(batch):
            assert sites.OLD in visit.tab.evaluate("document.body.innerText")
            visit.proves()
            if number % 2 == 0:
                visit.until_struck()
                assert visit.tab.evaluate(_COME_TO_NOTHING)
                visit.works_without_a_host()
                visit.host.fail()
                visit.open()
        for number, visit in enumerate(batch):
            took(visit)
            visit.works_without_a_host(sites.NEW)
            # Of the new version's chunks, those that the old one has were never asked for.
            assert {a.path for a in visit.host.answers if a.path.startswith("chunks/")} <= set(changed)
            settle(tally, visit, known, number % 2 == 1, spare=PROOF)
    tally.tell(record_property, 12)


# The update that was looked for is no more.
_COME_TO_NOTHING = """(async () => {
  for (let turn = 0; turn < 600; turn++) {
    const { active, installing, waiting } = await navigator.serviceWorker.getRegistration();
    if (active && !installing && !waiting) return !document.querySelector('.sg-update');
    await new Promise((done) => setTimeout(done, 50));
  }
  return false;
})()"""


def took(visit: Visit) -> None:
    """The new version is offered, and taken; it is whole."""
    for _ in range(3):
        try:
            wait_for(visit.tab, "document.querySelector('.sg-update button')", 20)
            break
        except AssertionError:
            visit.open()
    visit.tab.evaluate("document.querySelector('.sg-update button').click()")
    wait_for(visit.tab, f"document.body?.innerText.includes('{sites.NEW}')")
    visit.proves()
    visit.waits(KEPT, "kept")


# The addresses of the chunks that are stored for this site.
_STORED = """(async () => {
  const stores = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  const keys = (await Promise.all(stores.map((store) => store.keys()))).flat();
  return keys.map(({ url }) => url).filter((url) => url.startsWith(new URL('../chunks/', location.href).href));
})()"""


def test_browser_killed(versions: tuple[Site, Site], record_property: Record) -> None:
    """While chunks are on their way; the next browser has the same profile."""
    site, known = versions[0], sites.needs(versions[0].files)
    tally = Tally("chromium", "browser killed and restarted")
    for turn in range(2):
        browser = Chromium()
        visits = []
        try:
            for number in range(6):
                visit = Visit(browser, site, f"{tally.row}, {turn}, {number}")
                visits.append(visit)
                rng = random.Random(visit.seed)
                path = rng.choice(sorted(known))
                visit.host.fail(Fault("stall", rng.randrange(known[path]), None, path))
                visit.open()
            for visit in visits:
                visit.until_struck()
            stored = [set(visit.tab.evaluate(_STORED)) for visit in visits]
            sent = [len(visit.host.answers) for visit in visits]
            browser.kill()
            browser.start()
            for visit in visits:
                visit.host.fail()
                visit.tab = browser.new_tab()
                visit.open()
            for visit, before, start in zip(visits, stored, sent, strict=True):
                end(tally, [visit], known, alone=False, spare=BEING_STORED + AT_ONCE + PROOF + FORGOTTEN)
                again = {visit.host.url + answer.path for answer in visit.host.answers[start:]}
                assert len(before & again) <= FORGOTTEN
        finally:
            browser.close()
            for visit in visits:
                visit.host.stop()
    tally.tell(record_property, 12)


@pytest.mark.parametrize("name", NAMES)
def test_stalls(name: str, browser: Get, versions: tuple[Site, Site], record_property: Record) -> None:
    """A host that falls silent at a byte is asked again after a while."""
    site, known = versions[0], sites.needs(versions[0].files)
    tally = Tally(name, "stalls in chunks")
    for batch in in_turn(browser(name), site, tally.row, 6 if name == "chromium" else 1):
        for visit in batch:
            visit.host.fail(*points(visit.seed, ("stall",), known, 3, 1))
            visit.open()
        end(tally, batch, known, alone=True, spare=PROOF)
    tally.tell(record_property, 12)


@pytest.mark.parametrize("name", NAMES)
def test_deploy_during_the_download(
    name: str, browser: Get, versions: tuple[Site, Site], record_property: Record
) -> None:
    """The page's chunks are gone from the host while it fetches them: it says so, and a reload gets the new version."""
    old, new = versions
    known = sites.needs(old.files) | sites.needs(new.files)
    tally = Tally(name, "deploy during the download")
    for batch in in_turn(browser(name), old, tally.row, 6 if name == "chromium" else 1):
        for visit in batch:
            visit.host.root = Swapped(old.files, new.files, random.Random(visit.seed).randrange(12))
            visit.open()
        for visit in batch:
            alone = visit.ended() == "kept"
            visit.host.root = new.files
            visit.open()
        for visit in batch:
            if sites.NEW not in visit.tab.evaluate("document.body.innerText"):
                took(visit)
            visit.proves()
            visit.waits(KEPT, "kept")
            visit.works_without_a_host(sites.NEW)
            tally.points += 1
            settle(tally, visit, known, alone, spare=AT_ONCE + PROOF)
    tally.tell(record_property, 6)


class Swapped(dict[str, Blob]):
    """A folder that is exchanged for another after so many chunks were read."""

    def __init__(self, old: Mapping[str, Blob], new: Mapping[str, Blob], after: int) -> None:
        super().__init__(old)
        self._new, self._left = new, after

    def get(self, path: str, default: Blob | None = None) -> Blob | None:  # type: ignore[override]
        if path.startswith("chunks/"):
            self._left -= 1
        return super().get(path, default) if self._left >= 0 else self._new.get(path, default)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_damaged_or_evicted_is_repaired(name: str, browser: Get, versions: tuple[Site, Site]) -> None:
    site, known = versions[0], sites.needs(versions[0].files)
    visit = Visit(browser(name), site, "damaged")
    try:
        visit.open()
        visit.waits(KEPT, "kept")
        paths = sorted(known)
        shell = next(path for path in sites.shell(site.files) if path.endswith(".css"))
        visit.tab.evaluate(_damage(visit.host.base, damaged=paths[0], evicted=paths[1], shell=shell))
        visit.host.answers.clear()
        visit.open()
        visit.proves()
        visit.waits(KEPT, "kept")
        assert {a.path for a in visit.host.answers if a.path.startswith("chunks/")} == set(paths[:2])
        assert shell in {answer.path for answer in visit.host.answers}
        visit.works_without_a_host()
    finally:
        visit.close()


def _damage(base: str, damaged: str, evicted: str, shell: str) -> str:
    return f"""(async () => {{
      const models = await caches.open('sitegen|{base}|models');
      const whole = await (await models.match('{base}{damaged}')).arrayBuffer();
      new Uint8Array(whole)[whole.byteLength >> 1] ^= 1;
      await models.put('{base}{damaged}', new Response(whole));
      const gone = await models.delete('{base}{evicted}');
      const name = (await caches.keys()).find((key) => key.startsWith('sitegen|{base}|shell|'));
      return gone && (await caches.open(name)).delete('{base}{shell}');
    }})()"""


def test_no_room_left(browser: Get, versions: tuple[Site, Site]) -> None:
    """A second site on the same origin finds the device full: it says so and runs; the first one is as it was."""
    visit = Visit(browser("chromium"), versions[0], "full")
    tab = visit.tab
    assert isinstance(tab, ChromiumTab)
    try:
        visit.open()
        visit.waits(KEPT, "kept")
        session = tab.page.context.new_cdp_session(tab.page)
        used = tab.evaluate("navigator.storage.estimate().then((estimate) => estimate.usage)")
        origin = visit.host.url.removesuffix(visit.host.base)
        session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": used + 40_000})
        first, visit.host.base = visit.host.base, f"/full{visit.host.base}"
        visit.open()
        visit.proves()
        assert visit.ended() == "failed"
        said = tab.evaluate("document.querySelector('sitegen-offline').innerText")
        assert "Not kept yet: there is no room left for it on this device" in said
        visit.host.base = first
        visit.works_without_a_host()
    finally:
        visit.close()
