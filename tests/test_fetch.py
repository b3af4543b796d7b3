"""Models behind an address, from a server that fails in every way that servers do."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
import pickle
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import certifi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitegen.errors import Place, SitegenError
from sitegen.models import fetch as fetching
from sitegen.models.fetch import Limits, Lock, Locked, Unreachable
from tests.faulty import Answer, Faulty, File, babble, hang_up, mute, redirect, status

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = random.Random(1).randbytes(200_000)
OTHER = random.Random(2).randbytes(200_000)
PAGE = b"\n<!DOCTYPE html><title>Sign in</title>"
QUICK = Limits(pause=0.001)
# Short, where every attempt stalls; longer where one must not, on however busy a machine.
STALLING = Limits(pause=0.001, stall=0.4, attempts=2)
PATIENT = replace(STALLING, stall=1.0)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Project:
    """A project's folder and what was said while fetching into it."""

    root: Path
    said: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.root / "downloads"

    def fetch(
        self,
        url: str,
        *,
        sha256: str | None = None,
        sha512: str | None = None,
        offline: bool = False,
        limits: Limits = QUICK,
    ) -> Path:
        """As a build does: the lock is loaded before, and saved after."""
        lock = Lock.load(self.root)
        try:
            return fetching.fetch(
                url,
                self.folder,
                lock,
                sha256=sha256,
                sha512=sha512,
                offline=offline,
                progress=self.said.append,
                limits=limits,
            )
        finally:
            lock.save()

    def bytes(self, url: str, **options: str) -> bytes:
        return self.fetch(url, **options).read_bytes()  # type: ignore[arg-type]

    def left(self) -> list[str]:
        """What lies in the folder, without what is held while downloading."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
        return sorted(path.relative_to(self.folder).as_posix() for path in paths)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "SSL_CERT_DIR"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        # Reading one authority takes a moment, reading all of them most of the time of these tests.
        one = tmp_path_factory.mktemp("tls") / "one.pem"
        one.write_text(Path(certifi.where()).read_text("utf-8").split("-----END CERTIFICATE-----")[0], "utf-8")
        with one.open("a", encoding="utf-8") as file:
            file.write("-----END CERTIFICATE-----\n")
        patch.setenv("SSL_CERT_FILE", str(one))
        with Faulty() as server:
            yield server


@pytest.fixture
def server(running: Faulty) -> Faulty:
    running.requests.clear()
    return running


def error_of(fetch: Callable[[], object], kind: type[SitegenError] = Unreachable) -> str:
    """The whole message of the error that it ends in, which is of exactly this kind."""
    with pytest.raises(SitegenError) as caught:
        fetch()
    assert type(caught.value) is kind
    assert caught.value.where is None
    return str(caught.value)


# Fetched once


def test_it_is_fetched_once_and_locked(server: Faulty, project: Project) -> None:
    url = server.at("/digits.keras", File(DATA))
    path = project.fetch(url)
    assert path == project.folder / sha256(DATA) / "digits.keras"
    assert path.read_bytes() == DATA
    assert (project.root / "sitegen.lock").read_text("utf-8") == (
        "{\n"
        '  "version": 1,\n'
        '  "files": {\n'
        f'    "{url}": {{\n'
        f'      "sha256": "{sha256(DATA)}",\n'
        '      "bytes": 200000\n'
        "    }\n"
        "  }\n"
        "}\n"
    )
    assert project.said == [f"fetching digits.keras from {server.origin.removeprefix('http://')}"]
    for offline in (False, True):
        assert project.fetch(url, offline=offline) == path
    assert [seen.headers["accept-encoding"] for seen in server.requests] == ["identity"]
    assert server.ranges == [None]


def test_a_hash_in_the_page_needs_no_lock(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA))
    assert project.bytes(url, sha256=sha256(DATA).upper()) == DATA
    assert project.bytes(url, sha512=hashlib.sha512(DATA).hexdigest()) == DATA
    assert not (project.root / "sitegen.lock").exists()
    assert len(server.requests) == 1


def test_a_hash_in_the_page_wins_over_the_lock(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA), File(OTHER))
    project.fetch(url)
    assert project.bytes(url, sha256=sha256(OTHER)) == OTHER
    assert project.bytes(url) == DATA, "the lock still holds for who gives no hash"
    assert len(server.requests) == 2


def test_a_lock_from_elsewhere_is_held(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA), File(OTHER))
    project.fetch(url)
    shutil.rmtree(project.folder)
    assert error_of(lambda: project.fetch(url), SitegenError) == (
        f"{url}: expected sha256 {sha256(DATA)}, got {sha256(OTHER)}; the server sent something else\n"
        "  hint: build again if it may have been damaged on its way; if the file was replaced on purpose, "
        "delete its entry in sitegen.lock"
    )
    assert project.left() == []
    (project.root / "sitegen.lock").unlink()
    assert project.bytes(url) == OTHER


def test_what_another_lock_names_is_fetched_and_found_again(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA), File(OTHER))
    project.fetch(url)
    ours = (project.root / "sitegen.lock").read_text("utf-8")
    theirs = ours.replace(sha256(DATA), sha256(OTHER))
    for text, data in [(theirs, OTHER), (ours, DATA), (theirs, OTHER)]:
        (project.root / "sitegen.lock").write_text(text, "utf-8")
        assert project.bytes(url) == data
    assert len(server.requests) == 2


def test_offline_opens_no_connection(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)
    assert error_of(lambda: project.fetch("https://example.org/m.bin", offline=True)) == (
        "https://example.org/m.bin was not fetched yet, and this build is offline\n  hint: build once without --offline"
    )


def test_a_damaged_file_is_fetched_again(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA))
    path = project.fetch(url)
    path.write_bytes(DATA[:-1])
    assert project.bytes(url) == DATA
    path.write_bytes(OTHER)
    assert project.bytes(url) == DATA
    assert len(server.requests) == 3
    os.utime(path, (1, 1))
    assert project.bytes(url) == DATA
    (project.folder / sha256(DATA) / ".m.bin.json").write_text("[")
    assert project.bytes(url) == DATA
    assert len(server.requests) == 4, "another time alone is no damage"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/models/digits.keras?download=true#top", "digits.keras"),
        ("/a%20b%2F..%2Fc.keras", "c.keras"),
        ("/zahl-ü.keras", "zahl-_.keras"),
        ("/", "model"),
        ("/%2e%2e", "model"),
        ("/.hidden", "hidden"),
        ("/" + "x" * 300 + ".keras", "x" * 94 + ".keras"),
    ],
)
def test_it_keeps_a_harmless_name(path: str, name: str) -> None:
    assert fetching._file_name("https://example.org" + path) == name


def test_httpx_is_imported_by_who_fetches_only(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA))
    project.fetch(url)
    code = (
        "import sys; from pathlib import Path; from sitegen.models.fetch import Lock, fetch; "
        f"fetch({url!r}, Path({str(project.folder)!r}), Lock.load(Path({str(project.root)!r})), "
        "sha256=None, sha512=None, offline=False, progress=print); "
        "sys.exit(bool({'httpx', 'ssl'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


# Cut, and gone on with


def test_a_cut_download_goes_on_where_it_was(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, upto=70_000), File(DATA, upto=1), File(DATA))
    assert project.bytes(url) == DATA
    assert server.ranges == [None, "bytes=70000-", "bytes=70001-"]
    assert [seen.headers.get("if-range") for seen in server.requests] == [None, '"1"', '"1"']
    host = server.origin.removeprefix("http://")
    going_on = f"fetching m.bin from {host}, going on at 70 kB"
    assert project.said == [f"fetching m.bin from {host}", going_on, going_on]


def test_it_goes_on_in_a_later_build(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, upto=70_000), status(503), status(503), File(DATA))
    message = error_of(lambda: project.fetch(url, limits=replace(QUICK, attempts=2)))
    assert message == f"{url} answers 503 Service Unavailable (3 attempts)\n  hint: build again later"
    assert not (project.root / "sitegen.lock").exists()
    assert project.bytes(url) == DATA
    assert server.ranges == [None, "bytes=70000-", "bytes=70000-", "bytes=70000-"]
    assert all(name.startswith(sha256(DATA)) or name.endswith(".json") for name in project.left())


def test_it_goes_on_after_a_build_was_killed(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, upto=150_000, how="stall"), File(DATA))
    build = subprocess.Popen([sys.executable, "-c", script(url, project)], cwd=REPOSITORY)
    # What is written but not yet on disk is lost to a killed process: all but the last buffer is there.
    wait_for(lambda: any(path.stat().st_size > 100_000 for path in project.folder.glob("*.part")))
    build.kill()
    build.wait()
    have = next(project.folder.glob("*.part")).stat().st_size
    assert project.bytes(url) == DATA
    assert server.ranges == [None, f"bytes={have}-"]


def script(url: str, project: Project) -> str:
    """Fetches in a process of its own; prints the path."""
    return (
        "from pathlib import Path; from sitegen.models.fetch import Lock, fetch; "
        f"print(fetch({url!r}, Path({str(project.folder)!r}), Lock.load(Path({str(project.root)!r})), "
        "sha256=None, sha512=None, offline=False, progress=lambda text: None))"
    )


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_part_that_was_whole_already_is_not_asked_for_again(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, upto=70_000), status(404), File(DATA))
    error_of(lambda: project.fetch(url))
    next(project.folder.glob("*.part")).write_bytes(DATA)
    assert project.bytes(url) == DATA
    assert len(server.requests) == 2


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_hang_up_is_a_cut(server: Faulty, project: Project, how: str) -> None:
    url = server.at("/m.bin", hang_up, File(DATA, upto=100_000, how=how), File(DATA))
    assert project.bytes(url) == DATA


def test_a_stall_is_a_cut(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, upto=70_000, how="stall"), File(DATA))
    assert project.fetch(url, limits=PATIENT).read_bytes() == DATA
    assert server.ranges == [None, "bytes=70000-"]


def test_every_attempt_may_bring_a_little(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, upto=10_000))
    assert project.bytes(url) == DATA
    assert server.ranges == [None, *(f"bytes={start}-" for start in range(10_000, 200_000, 10_000))]


def test_attempts_are_bounded_in_all(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, upto=100))
    assert error_of(lambda: project.fetch(url, limits=replace(QUICK, attempts_in_all=7))) == (
        f"{url} was cut off at 700 B of 200 kB (7 attempts)\n  hint: build again: it goes on from there"
    )


def test_pauses_grow_and_attempts_end(server: Faulty, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    url = server.at("/m.bin", File(DATA, upto=70_000), status(500))
    assert error_of(lambda: project.fetch(url, limits=Limits())) == (
        f"{url} answers 500 Internal Server Error (6 attempts)\n  hint: build again later"
    )
    assert pauses == [0.5, 0.5, 1, 2, 4]


@pytest.mark.parametrize(
    "second",
    [
        File(OTHER, etag='"2"'),
        File(OTHER[:50_000], etag='"2"'),
        File(OTHER, ranges=False),
        File(OTHER, etag='"2"', credulous=True),
        File(OTHER[:199_999], etag=None, credulous=True),
        File(OTHER[:60_000], credulous=True),
        File(OTHER, shift=1),
    ],
    ids=["changed", "shorter", "no ranges", "lying: version", "lying: length", "beyond its end", "other range"],
)
def test_a_file_that_changed_is_taken_from_its_start(server: Faulty, project: Project, second: File) -> None:
    url = server.at("/m.bin", File(DATA, upto=70_000), second)
    assert project.bytes(url) == second.data
    assert server.ranges in ([None, "bytes=70000-"], [None, "bytes=70000-", None])


@pytest.mark.parametrize(
    ("first", "resumed"),
    [
        (File(DATA, etag='W/"1"'), False),
        (File(DATA, etag=None), False),
        (File(DATA, etag=None, modified="Sat, 01 Jun 2024 10:00:00 GMT"), False),
        (File(DATA, etag=None, modified="Sat, 01 Jun 2024 10:00:00 GMT", date="Sat, 01 Jun 2024 10:00:00 GMT"), False),
        (File(DATA, etag=None, modified="Sat, 01 Jun 2024 10:00:00 GMT", date="Sat, 01 Jun 2024 10:00:05 GMT"), True),
    ],
    ids=["weak", "none", "no date", "changed just now", "last modified"],
)
def test_only_what_names_one_version_is_gone_on_with(
    server: Faulty, project: Project, first: File, resumed: bool
) -> None:
    url = server.at("/m.bin", replace(first, upto=70_000), first)
    assert project.bytes(url) == DATA
    assert server.ranges == [None, "bytes=70000-" if resumed else None]
    assert server.requests[1].headers.get("if-range") == (first.modified if resumed else None)


def test_pieces_that_do_not_fit_are_replaced_by_the_whole(server: Faulty, project: Project) -> None:
    lying = File(OTHER, credulous=True)
    url = server.at("/m.bin", File(DATA, upto=70_000), lying, File(OTHER, upto=5), lying)
    assert project.bytes(url, sha256=sha256(OTHER)) == OTHER
    assert server.ranges == [None, "bytes=70000-", None, None]


LENGTHS: list[dict[str, object]] = [{}, {"chunked": True}, {"length": -1}]


@pytest.mark.parametrize("told", LENGTHS, ids=["length", "chunked", "until closed"])
@pytest.mark.parametrize("cut", [0, 1, 2, 4095, 4096, 65_535, 65_536, 65_537, 131_072, 199_998, 199_999, 200_000])
def test_a_cut_at_any_byte(server: Faulty, project: Project, told: dict[str, object], cut: int) -> None:
    """A file without a length is held against the lock's, without which nobody could tell."""
    whole = File(DATA, **told)  # type: ignore[arg-type]
    url = server.at("/m.bin", replace(whole, upto=cut), whole)
    lock = Lock.load(project.root)
    lock.record(url, sha256(DATA), len(DATA))
    lock.save()
    assert project.bytes(url) == DATA
    assert server.ranges[1:] == ([] if cut == len(DATA) else [f"bytes={cut}-" if cut else None])


COUNT = itertools.count()


@given(
    size=st.integers(1, 150_000),
    cuts=st.lists(st.tuples(st.integers(0, 150_000), st.sampled_from(["close", "reset"])), max_size=4),
    told=st.sampled_from(LENGTHS[:2]),
    etag=st.sampled_from(['"1"', 'W/"1"', None]),
    ranges=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_any_cuts_end_in_the_right_bytes(
    running: Faulty,
    size: int,
    cuts: list[tuple[int, str]],
    told: dict[str, object],
    etag: str | None,
    ranges: bool,
) -> None:
    whole = File(DATA[:size], etag=etag, ranges=ranges, **told)  # type: ignore[arg-type]
    answers: list[Answer] = [replace(whole, upto=upto, how=how) for upto, how in cuts]
    url = running.at(f"/{next(COUNT)}.bin", *answers, whole)
    with tempfile.TemporaryDirectory() as root:
        assert Project(Path(root)).bytes(url) == DATA[:size]


# What servers say that is not so


def test_a_length_that_is_too_short_ends_the_file(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, length=50_000))
    assert error_of(lambda: project.fetch(url, sha256=sha256(DATA)), SitegenError) == (
        f"{url}: expected sha256 {sha256(DATA)}, got {sha256(DATA[:50_000])}; the server sent something else\n"
        "  hint: build again if it may have been damaged on its way; if the file was replaced on purpose, "
        "give its new sha256 in the page"
    )
    assert project.left() == []


def test_a_length_that_is_too_long_is_a_cut(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, length=200_001, ranges=False))
    assert error_of(lambda: project.fetch(url)) == (
        f"{url} was cut off at 200 kB of 200 kB (6 attempts)\n  hint: build again: it goes on from there"
    )


def test_without_a_length_the_end_is_the_end(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, length=-1))
    assert project.bytes(url) == DATA
    assert len(server.requests) == 1


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_what_comes_packed_is_unpacked(server: Faulty, project: Project, encoding: str) -> None:
    packed = File(gzip.compress(DATA), encoding=encoding)
    url = server.at("/m.bin", replace(packed, upto=70_000), packed)
    assert project.bytes(url) == DATA
    assert server.ranges == [None, "bytes=70000-"]
    lock = Lock.load(project.root)
    assert lock.get(url) == Locked(sha256(DATA), len(DATA))
    shutil.rmtree(project.folder)
    assert project.bytes(url) == DATA


def test_a_packed_file_that_is_meant_stays_packed(server: Faulty, project: Project) -> None:
    packed = gzip.compress(DATA)
    url = server.at("/m.tar.gz", File(packed, encoding="gzip"))
    assert project.bytes(url, sha256=sha256(packed)) == packed


def test_packing_that_cannot_be_undone(server: Faulty, project: Project) -> None:
    broken = server.at("/broken.bin", File(b"not gzip", encoding="gzip"))
    assert error_of(lambda: project.fetch(broken), SitegenError) == (
        f"{broken} cannot be unpacked: Not a gzipped file (b'no')\n  hint: build again"
    )
    unknown = server.at("/unknown.bin", File(DATA, encoding="br"))
    assert error_of(lambda: project.fetch(unknown)) == (
        f"{unknown} comes packed (br), which was not asked for\n  hint: give an address that serves the file as it is"
    )
    assert project.left() == []


def test_a_bomb_is_too_large(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(gzip.compress(bytes(2_000_000)), encoding="gzip"))
    assert error_of(lambda: project.fetch(url, limits=replace(QUICK, bytes=1_000_000)), SitegenError) == (
        f"{url} is too large: more than 1.0 MB\n  hint: a model may have 1.0 MB, and visitors download all of it"
    )
    assert project.left() == []


@pytest.mark.parametrize(
    ("answers", "size"),
    [
        ([File(DATA)], "200 kB"),
        ([File(DATA, length=-1)], "more than 100 kB"),
        ([File(DATA, chunked=True)], "more than 100 kB"),
        ([File(DATA[:90_000], length=-1, upto=80_000), File(DATA)], None),
    ],
    ids=["told", "until closed", "chunked", "small enough"],
)
def test_too_large(server: Faulty, project: Project, answers: list[Answer], size: str | None) -> None:
    url = server.at("/m.bin", *answers)
    limits = replace(QUICK, bytes=100_000)
    if size is None:
        assert project.fetch(url, limits=limits).stat().st_size == 80_000
        return
    assert error_of(lambda: project.fetch(url, limits=limits), SitegenError) == (
        f"{url} is too large: {size}\n  hint: a model may have 100 kB, and visitors download all of it"
    )
    assert project.left() == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("start", [PAGE, b"<html>", b"\xef\xbb\xbf<!doctype HTML>"])
def test_a_web_page_is_no_model(server: Faulty, project: Project, start: bytes) -> None:
    page = start + DATA
    url = server.at("/m.bin", File(page))
    assert error_of(lambda: project.fetch(url, sha256=sha256(DATA)), SitegenError) == (
        f"{url}: expected sha256 {sha256(DATA)}, got {sha256(page)}; the server sent something else: a web page\n"
        "  hint: build again if it may have been damaged on its way; if the file was replaced on purpose, "
        "give its new sha256 in the page"
    )
    assert error_of(lambda: project.fetch(url), SitegenError) == (
        f"{url} gives a web page, not a model\n  hint: open the address in a browser and give the one that it ends at"
    )
    assert project.left() == []
    assert not (project.root / "sitegen.lock").exists()


def test_an_empty_file_is_no_model(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(b""))
    assert error_of(lambda: project.fetch(url), SitegenError) == (
        f"{url} gives an empty file, not a model\n"
        "  hint: open the address in a browser and give the one that it ends at"
    )


def test_a_wrong_sha512(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA))
    want, got = hashlib.sha512(OTHER).hexdigest(), hashlib.sha512(DATA).hexdigest()
    assert error_of(lambda: project.fetch(url, sha256=sha256(DATA), sha512=want), SitegenError) == (
        f"{url}: expected sha512 {want}, got {got}; the server sent something else\n"
        "  hint: build again if it may have been damaged on its way; if the file was replaced on purpose, "
        "give its new sha512 in the page"
    )
    assert project.left() == []


# Servers that do not give it


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (404, "404 Not Found\n  hint: look at the address: nobody has the file there"),
        (403, "403 Forbidden\n  hint: the file must be open to everybody: sitegen signs in nowhere"),
        (400, "400 Bad Request\n  hint: open the address in a browser and give the one that it ends at"),
        (204, "204 No Content\n  hint: open the address in a browser and give the one that it ends at"),
        (206, "206 Partial Content\n  hint: open the address in a browser and give the one that it ends at"),
        (503, "503 Service Unavailable (5 attempts)\n  hint: build again later"),
    ],
)
def test_another_status(server: Faulty, project: Project, code: int, message: str) -> None:
    url = server.at("/m.bin", status(code))
    assert error_of(lambda: project.fetch(url)) == f"{url} answers {message}"
    assert len(server.requests) == (5 if code == 503 else 1)


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_status_that_passes(server: Faulty, project: Project, code: int) -> None:
    url = server.at("/m.bin", status(code), File(DATA))
    assert project.bytes(url) == DATA


def test_servers_that_do_not_answer(server: Faulty, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    host = server.origin.removeprefix("http://")
    url = server.at("/m.bin", hang_up)
    assert error_of(lambda: project.fetch(url)) == (
        f"{host} gives no answer that can be understood: Server disconnected without sending a response. (5 attempts)\n"
        "  hint: build again later"
    )
    url = server.at("/m.bin", babble)
    assert error_of(lambda: project.fetch(url)).startswith(f"{host} gives no answer that can be understood: ")
    url = server.at("/m.bin", mute)
    assert error_of(lambda: project.fetch(url, limits=STALLING)) == (
        f"{host} says nothing for 0.4 s (2 attempts)\n  hint: build again later"
    )
    url = server.at("/m.bin", File(DATA, upto=70_000, how="stall", etag=None))
    assert error_of(lambda: project.fetch(url, limits=replace(STALLING, attempts=1))) == (
        f"{url} stalled at 70 kB of 200 kB: nothing came for 0.4 s (2 attempts)\n  hint: build again later"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{free.getsockname()[1]}"
    assert error_of(lambda: project.fetch(f"http://{closed}/m.bin")) == (
        f"{closed} refuses the connection (5 attempts)\n  hint: build again later"
    )


@pytest.mark.parametrize(("code", "attempts"), [(socket.EAI_NONAME, ""), (socket.EAI_AGAIN, " (5 attempts)")])
def test_no_such_host(project: Project, monkeypatch: pytest.MonkeyPatch, code: int, attempts: str) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert error_of(lambda: project.fetch("http://modles.example/m.bin")) == (
        f"no such host: modles.example{attempts}\n  hint: look at the address, and whether there is a network"
    )


def test_a_connection_that_takes_too_long(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", slow)
    assert error_of(lambda: project.fetch("http://192.0.2.1/m.bin", limits=QUICK)) == (
        "192.0.2.1 does not answer within 10 s (5 attempts)\n  hint: build again later"
    )


# Redirects


def test_redirects_are_followed(server: Faulty, project: Project) -> None:
    server.at("/2", redirect("3?x=1"))
    server.at("/3?x=1", redirect(server.origin + "/4"))
    server.at("/4", File(DATA, upto=70_000), File(DATA))
    url = server.at("/1.keras", redirect("/2"))
    path = project.fetch(url)
    assert (path.name, path.read_bytes()) == ("1.keras", DATA)
    assert [seen.path for seen in server.requests] == ["/1.keras", "/2", "/3?x=1", "/4"] * 2
    assert server.ranges[4:] == ["bytes=70000-"] * 4


def test_redirects_end(server: Faulty, project: Project) -> None:
    url = server.at("/1", redirect("/1"))
    assert error_of(lambda: project.fetch(url)) == (
        f"{url} redirects more than 5 times\n  hint: open the address in a browser and give the one that it ends at"
    )
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ("file:///etc/passwd", "redirects to file:///etc/passwd, which is no http(s) address"),
        ("ftp://example.org/m", "redirects to ftp://example.org/m, which is no http(s) address"),
    ],
)
def test_redirects_stay_on_the_web(server: Faulty, project: Project, target: str, what: str) -> None:
    url = server.at("/1", redirect(target))
    assert error_of(lambda: project.fetch(url), SitegenError) == (
        f"{url} {what}\n  hint: open the address in a browser and give the one that it ends at"
    )


def test_a_redirect_to_nowhere(server: Faulty, project: Project) -> None:
    url = server.at("/1", redirect("http://[::1/m"))
    assert error_of(lambda: project.fetch(url)) == (
        f"{url} redirects to what is no address\n  hint: open the address in a browser and give the one that it ends at"
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody signed, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test"
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(path) + ".crt"]
    subprocess.run([openssl, *make.split(), *extra], check=True, capture_output=True)
    path.write_text(path.read_text("utf-8") + Path(f"{path}.crt").read_text("utf-8"), "utf-8")
    return path


def test_https(certificate: Path, server: Faulty, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with Faulty(certificate) as safe:
        url = safe.at("/m.bin", File(DATA))
        host = safe.origin.removeprefix("https://")
        assert error_of(lambda: project.fetch(url)) == (
            f"{host} has a certificate that is not trusted: self-signed certificate\n"
            "  hint: an authority of your own is trusted by way of SSL_CERT_FILE"
        )
        assert safe.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert project.bytes(server.at("/up.bin", redirect(url))) == DATA
        plain = server.at("/plain.bin", File(DATA))
        down = safe.at("/down.bin", redirect(plain))
        assert error_of(lambda: project.fetch(down), SitegenError) == (
            f"{down} redirects from https to {plain}, where anybody could change the file on its way\n"
            "  hint: give an address that stays with https"
        )
        both = server.at("/both.bin", redirect(down))
        assert error_of(lambda: project.fetch(both), SitegenError).startswith(f"{both} redirects from https to ")


def test_https_where_there_is_none(server: Faulty, project: Project) -> None:
    host = server.origin.removeprefix("http://")
    message = error_of(lambda: project.fetch(f"https://{host}/m.bin"))
    assert message.startswith(f"{host} does not speak https: ")
    assert message.endswith(" (5 attempts)\n  hint: build again later")


# What is wrong on this side


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", '"file:///etc/passwd" is no http(s) address\n  hint: {}'),
        ("https://", '"https://" is no http(s) address\n  hint: {}'),
        ("https://example.org:x/m", '"https://example.org:x/m" is no http(s) address\n  hint: {}'),
        ("https://[::1/m", '"https://[::1/m" is no http(s) address\n  hint: {}'),
        ("https://example.org/\ud800", '"https://example.org/\ud800" is no http(s) address\n  hint: {}'),
        (
            "https://example.org/a b",
            'there is a space in the address "https://example.org/a b"\n'
            "  hint: write %20 for a space that belongs there",
        ),
        (
            "https://me:secret@example.org/m",
            "the address at example.org has a user name in it\n"
            "  hint: the file must be open to everybody: sitegen signs in nowhere",
        ),
    ],
)
def test_addresses_that_are_none(project: Project, url: str, message: str) -> None:
    expected = message.format("give it as in https://example.org/model.keras")
    assert error_of(lambda: project.fetch(url), SitegenError) == expected


def test_a_host_that_cannot_be(project: Project) -> None:
    url = "https://" + "x" * 70 + ".exämple/m"
    assert error_of(lambda: project.fetch(url), SitegenError).startswith(f'"{url}" is no http(s) address\n')


def test_hashes_that_are_none(project: Project) -> None:
    assert error_of(lambda: project.fetch("https://example.org/m", sha256="../x"), SitegenError) == (
        'sha256 must be 64 hexadecimal digits, not "../x"\n  hint: sha256sum prints it'
    )


def test_a_folder_that_cannot_be_written(server: Faulty, project: Project) -> None:
    project.folder.write_text("in the way")
    url = server.at("/m.bin", File(DATA))
    message = error_of(lambda: project.fetch(url), SitegenError)
    assert message.startswith(f"{url} cannot be kept: ")
    assert message.endswith(f"\n  hint: look at the disk that holds {project.folder}")


def test_settings_that_cannot_be(server: Faulty, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.at("/m.bin", File(DATA))
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:1")
    message = error_of(lambda: project.fetch(url), SitegenError)
    assert message.startswith("no connection can be set up: ")
    assert message.endswith("\n  hint: look at ALL_PROXY, HTTP_PROXY, HTTPS_PROXY and SSL_CERT_FILE in the environment")


def test_errors_travel_between_processes() -> None:
    error = Unreachable("gone", Place("content/a.md", 3), "look")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is Unreachable
    assert str(back) == str(error)


# At the same time


def test_threads_fetch_once(server: Faulty, project: Project) -> None:
    url = server.at("/m.bin", File(DATA, upto=70_000, how="stall"), File(DATA))
    lock = Lock.load(project.root)

    def one(_: int) -> Path:
        return fetching.fetch(
            url,
            project.folder,
            lock,
            sha256=None,
            sha512=None,
            offline=False,
            progress=project.said.append,
            limits=PATIENT,
        )

    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(one, range(8)))
    assert [path.read_bytes() for path in paths] == [DATA]
    assert server.ranges == [None, "bytes=70000-"]
    assert f"waiting for another build that fetches {url}" in project.said


def test_processes_fetch_once(server: Faulty, project: Project) -> None:
    gate = threading.Event()

    def gated(handler: object) -> None:
        gate.wait(15)
        File(DATA)(handler)  # type: ignore[arg-type]

    url = server.at("/m.bin", gated)
    command = [sys.executable, "-c", script(url, project)]
    builds = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    wait_for(lambda: bool(server.requests))
    gate.set()
    printed = {build.communicate(timeout=20)[0].strip() for build in builds}
    assert printed == {str(project.folder / sha256(DATA) / "m.bin")}
    assert len(server.requests) == 1


def test_threads_record_at_once(project: Project) -> None:
    lock = Lock.load(project.root)

    def record(number: int) -> None:
        lock.record(f"https://example.org/{number}", f"{number:064x}", number)
        lock.save()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(50)))
    saved = json.loads((project.root / "sitegen.lock").read_text("utf-8"))
    assert list(saved["files"]) == sorted(f"https://example.org/{number}" for number in range(50))


# The lock


def test_an_unchanged_lock_is_left_alone(project: Project) -> None:
    Lock.load(project.root).save()
    assert not (project.root / "sitegen.lock").exists()
    lock = Lock.load(project.root)
    lock.record("https://example.org/ü", "a" * 64, 1)
    lock.save()
    path = project.root / "sitegen.lock"
    before = path.stat().st_ino
    again = Lock.load(project.root)
    assert again.get("https://example.org/ü") == Locked("a" * 64, 1)
    assert again.get("https://example.org/other") is None
    again.record("https://example.org/ü", "a" * 64, 1)
    again.save()
    assert path.stat().st_ino == before


ENTRY = '{"sha256": "' + "a" * 64 + '", "bytes": 1}'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{\n<<<<<<< HEAD\n"version": 1}', ":2:1: not JSON: Expecting property name enclosed in double quotes"),
        (b"\xff", ": cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[]", ": not a lock file of sitegen's"),
        (b"{}", ": not a lock file of sitegen's"),
        (b'{"version": 1}', ': "files" must be an object'),
        (b'{"version": 1, "files": {"u": 1}}', ": {}"),
        (ENTRY.replace("1}", "true}").join(('{"version": 1, "files": {"u": ', "}}")).encode(), ": {}"),
        (ENTRY.replace("aa", "../").join(('{"version": 1, "files": {"u": ', "}}")).encode(), ": {}"),
    ],
)
def test_a_malformed_lock(project: Project, content: bytes, message: str) -> None:
    (project.root / "sitegen.lock").write_bytes(content)
    with pytest.raises(SitegenError) as caught:
        Lock.load(project.root)
    what = message.format('the entry of u must have "sha256" (64 hexadecimal digits) and "bytes"')
    hint = "take it back from version control; without it, the next build trusts what the servers send then"
    assert str(caught.value) == f"sitegen.lock{what}\n  hint: {hint}"


def test_a_lock_of_another_version(project: Project) -> None:
    (project.root / "sitegen.lock").write_text('{"version": 2, "files": []}', "utf-8")
    with pytest.raises(SitegenError) as caught:
        Lock.load(project.root)
    assert str(caught.value) == (
        "sitegen.lock: version 2 is not known here\n  hint: install the sitegen that wrote it, or a newer one"
    )
