"""The static host and its faults, byte by byte, and `sitegen serve --fault`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen.errors import SitegenError
from sitegen.host import Host, parse
from sitegen.records import Blob
from tests.test_cli import sitegen

DATA = bytes(range(32, 127)) * 4


@pytest.fixture
def host() -> Iterator[Host]:
    """A host of two files."""
    files = {"a/b.js": Blob.of(DATA), "index.html": Blob.of(b"<!doctype html>"), "a/index.html": Blob.of(b"<p>")}
    with Host(files, "/base/") as running:
        yield running


def ask(host: Host, path: str = "a/b.js", seconds: float = 1, **headers: str) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and everything behind them, as it comes from the wire until it is closed or silent."""
    lines = [f"GET {host.base}{path} HTTP/1.1", "Host: x", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    said = b""
    with socket.create_connection(("127.0.0.1", host.port), seconds) as wire:
        wire.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            while piece := wire.recv(65536):
                said += piece
        except TimeoutError:
            said += b"<silence>"
        except ConnectionResetError:
            said += b"<reset>"
    head, _, body = said.partition(b"\r\n\r\n")
    status, *rest = head.decode().split("\r\n")
    return status, dict(line.split(": ", 1) for line in rest if ": " in line), body


def test_plain(host: Host) -> None:
    status, headers, body = ask(host)
    assert status.startswith("HTTP/1.1 200")
    assert (headers["Content-Type"], headers["Content-Length"], body) == ("text/javascript", str(len(DATA)), DATA)
    assert ask(host, If_None_Match=headers["ETag"])[0].startswith("HTTP/1.1 304")
    assert ask(host, "")[2] == b"<!doctype html>"
    assert ask(host, "a")[1]["Location"] == "/base/a/"
    assert ask(host, "a/")[2] == b"<p>"
    for missing in ("no.js", "../base/index.html", "%2e%2e/x"):
        assert ask(host, missing)[0].startswith("HTTP/1.1 404")


def test_nothing_above_the_root(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root").mkdir()
    with Host(tmp_path / "root") as host:
        for path in ("../secret", "%2e%2e/secret", "a/../../secret"):
            assert ask(host, path)[0].startswith("HTTP/1.1 404")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-3", 0, 3), ("bytes=10-", 10, 379), ("bytes=-5", 375, 379), ("bytes=370-9999", 370, 379)],
)
def test_ranges(host: Host, asked: str, first: int, last: int) -> None:
    status, headers, body = ask(host, Range=asked)
    assert status.startswith("HTTP/1.1 206")
    assert headers["Content-Range"] == f"bytes {first}-{last}/{len(DATA)}"
    assert body == DATA[first : last + 1]
    host.fail("norange:*")
    assert ask(host, Range=asked)[2] == DATA
    host.fail("range:*")
    assert ask(host, Range=asked)[1]["Content-Range"] == f"bytes {first + 1}-{last + 1}/{len(DATA)}"


def test_a_range_behind_the_end(host: Host) -> None:
    assert ask(host, Range="bytes=380-")[0].startswith("HTTP/1.1 416")


def test_bodies_that_fail(host: Host) -> None:
    expected = {
        "cut@7": (len(DATA), DATA[:7]),
        "cut@0": (len(DATA), b""),
        "short@7": (None, DATA[:7]),
        "stall@7": (len(DATA), DATA[:7] + b"<silence>"),
        "corrupt@7": (len(DATA), DATA[:7] + bytes([DATA[7] ^ 1]) + DATA[8:]),
        "length@+9": (len(DATA) + 9, DATA),
        "length@-9": (len(DATA) - 9, DATA),
    }
    for kind, (length, body) in expected.items():
        host.fail(f"{kind}:*.js")
        _, headers, came = ask(host)
        assert (headers.get("Content-Length"), came) == (str(length) if length else None, body), kind
        assert ask(host, "")[2] == b"<!doctype html>"


def test_answers_that_fail(host: Host) -> None:
    host.fail("503:a/*")
    assert ask(host)[0].startswith("HTTP/1.1 503")
    host.fail("head:a/*")
    assert ask(host) == ("HTTP/1.1 200 OK", {"Content-Type": "text/ja"}, b"")
    host.fail("gone@1:*")
    assert ask(host)[2] == DATA
    assert "<reset>" in ask(host)[0]
    host.fail()
    assert ask(host)[2] == DATA


def test_so_many_times(host: Host) -> None:
    host.fail("404x2:*.js", "500x1:*")
    assert [ask(host)[0].split()[1] for _ in range(4)] == ["404", "404", "500", "200"]


def test_shorter_files_are_not_struck(host: Host) -> None:
    host.fail(f"cut@{len(DATA)}:*")
    assert ask(host)[2] == DATA


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("cut:*.js", "cut needs @N"),
        ("cut@-5:*", "cut takes N without a sign"),
        ("length@5:*", "length takes +N or -N"),
        ("head@5:*", "head takes no @N"),
        ("boom@1:*", 'there is no kind "boom"'),
        ("200:*", "200 is no status of an error"),
        ("404x0:*", "zero times is never"),
        ("cut@10", "it is not KIND[@N][xCOUNT]:GLOB"),
    ],
)
def test_what_cannot_be(spec: str, said: str) -> None:
    with pytest.raises(SitegenError) as caught:
        parse(spec)
    assert caught.value.what == f'the fault "{spec}" cannot be: {said}'
    assert caught.value.hint


def test_a_wrong_fault_ends_the_command(tmp_path: Path) -> None:
    done = sitegen(tmp_path, "serve", "--fault", "cut:*.js")
    assert done.returncode == 2
    assert 'the fault "cut:*.js" cannot be: cut needs @N\n  hint: cut@1000:*.js' in done.stderr


@pytest.mark.parametrize("spec", ["cut@65536x2:*.js", "404:a", "length@-3:*", "stall@0:a:b", "head:*"])
def test_is_said_as_it_was_written(spec: str) -> None:
    assert str(parse(spec)) == spec
