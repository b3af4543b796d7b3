"""Model files behind an address: downloaded once, checked by hash, kept in the project's cache.

A file is right when it has the hash that its page gives or, where the page gives none, the hash that `sitegen.lock`
remembers from the first fetch. In the folder of downloads lie

    <sha256>/<name>     a file that was checked; beside it .<name>.json with its size, time and hashes
    <address>.json      the SHA-256 of what an address gave last (<address> is a hash too)
    <address>.part      what has come of a file so far; beside it .part.json with the version that it is of
    <address>.lock      held by the one thread of all processes that downloads from there

httpx is imported only by what opens a connection: a build with nothing to fetch starts without it.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from sitegen import text
from sitegen.disk import write_whole
from sitegen.errors import Place, SitegenError, Unreachable

if TYPE_CHECKING:
    import httpx

LOCK_FILE = "sitegen.lock"

_DIGITS = {"sha256": 64, "sha512": 128}
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_LATER = "build again later"
_OPEN = "open the address in a browser and give the one that it ends at"
_PUBLIC = "the file must be open to everybody: sitegen signs in nowhere"


class _Again(Exception):
    """An attempt failed that may go better the next time; this is what to say when none does."""

    def __init__(self, what: str, hint: str = _LATER) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True)
class Limits:
    """What a download may take. Times are seconds, `bytes` is both what travels and what it unpacks to.

    `attempts` bring nothing new one after another before it is given up; `attempts_in_all` holds even when each brings
    a little. The pause between two doubles with every attempt that brings nothing.
    """

    connect: float = 10.0
    stall: float = 30.0
    bytes: int = 4 << 30
    redirects: int = 5
    attempts: int = 5
    attempts_in_all: int = 50
    pause: float = 0.5


LIMITS = Limits()


@dataclass(frozen=True)
class Locked:
    """What an address gave when it was first fetched."""

    sha256: str
    bytes: int


class Lock:
    """`sitegen.lock`: what each address gave first, so that everybody's builds take the same files.

    It belongs into version control. Threads may record at the same time.
    """

    def __init__(self, path: Path, files: dict[str, Locked]) -> None:
        self._path = path
        self._files = files
        self._changed = False
        self._guard = threading.Lock()

    @staticmethod
    def load(root: Path) -> Lock:
        """The lock of the project at `root`; empty where there is no file. Raises SitegenError when it is malformed."""
        path = root / LOCK_FILE
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return Lock(path, {})
        except json.JSONDecodeError as error:
            raise _malformed(f"not JSON: {error.msg}", error.lineno, error.colno) from error
        except (OSError, ValueError) as error:
            raise _malformed(f"cannot be read: {error}") from error
        return Lock(path, _locked(content))

    def get(self, url: str) -> Locked | None:
        """What is known of an address."""
        with self._guard:
            return self._files.get(url)

    def record(self, url: str, sha256: str, bytes: int) -> None:
        """Remembers what an address gave; `save` writes it."""
        entry = Locked(sha256, bytes)
        with self._guard:
            if self._files.get(url) != entry:
                self._files[url] = entry
                self._changed = True

    def save(self) -> None:
        """Writes the file if anything was recorded that it does not say. Raises OSError."""
        with self._guard:
            if not self._changed:
                return
            content = {"version": 1, "files": {url: asdict(self._files[url]) for url in sorted(self._files)}}
            write_whole(self._path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
            self._changed = False


def _locked(content: object) -> dict[str, Locked]:
    if not isinstance(content, dict) or "version" not in content:
        raise _malformed("not a lock file of sitegen's")
    if content["version"] != 1:
        version = json.dumps(content["version"])
        hint = "install the sitegen that wrote it, or a newer one"
        raise SitegenError(f"version {version} is not known here", Place(LOCK_FILE), hint)
    files = content.get("files")
    if not isinstance(files, dict):
        raise _malformed('"files" must be an object')
    for url, entry in files.items():
        if not _is_locked(entry):
            raise _malformed(f'the entry of {url} must have "sha256" (64 hexadecimal digits) and "bytes"')
    return {url: Locked(entry["sha256"], entry["bytes"]) for url, entry in files.items()}


def _is_locked(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    sha256, size = entry.get("sha256"), entry.get("bytes")
    return isinstance(sha256, str) and _is_digest("sha256", sha256) and type(size) is int and size >= 0


def _is_digest(kind: str, digits: str) -> bool:
    return re.fullmatch(f"[0-9a-f]{{{_DIGITS[kind]}}}", digits) is not None


def _malformed(what: str, line: int | None = None, column: int | None = None) -> SitegenError:
    hint = "take it back from version control; without it, the next build trusts what the servers send then"
    return SitegenError(what, Place(LOCK_FILE, line, column), hint)


@dataclass(frozen=True)
class _Wanted:
    """What the file must be, as far as anybody said; `by_lock` when it was the lock that did."""

    sha256: str | None
    sha512: str | None
    bytes: int | None
    by_lock: bool

    @property
    def unknown(self) -> bool:
        """Whether nobody said anything, so that what comes first is trusted."""
        return self.sha256 is None and self.sha512 is None

    def accepts(self, file: _Hashed) -> bool:
        """Whether the file is it, or nobody said."""
        return self.sha256 in (None, file.sha256) and self.sha512 in (None, file.sha512)


@dataclass(frozen=True)
class _Hashed:
    """A file with the hashes of its content."""

    path: Path
    sha256: str
    sha512: str
    bytes: int


def fetch(
    url: str,
    folder: Path,
    lock: Lock,
    *,
    sha256: str | None,
    sha512: str | None,
    offline: bool,
    progress: Callable[[str], None],
    limits: Limits = LIMITS,
) -> Path:
    """The file behind an address, whole and checked, in `folder`; downloaded only when it is not there yet.

    Without a hash from the page, the lock's entry is what it must be; without one of either, what comes is recorded in
    the lock, which the caller saves. `offline` opens no connection. The file keeps the address's name, as readers of
    models go by its ending.

    Raises Unreachable when the file cannot be had now, else SitegenError; neither has a place.
    """
    _check_address(url)
    wanted = _wanted(url, lock, sha256, sha512)
    try:
        store = _Store(folder, url)
        found = store.find(wanted)
        if found is None:
            if offline:
                what = f"{url} was not fetched yet, and this build is offline"
                raise Unreachable(what, hint="build once without --offline")
            found = _find_or_bring(store, wanted, progress, limits)
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename})" if error.filename else str(error)
        raise SitegenError(f"{url} cannot be kept: {reason}", hint=f"look at the disk that holds {folder}") from error
    if wanted.unknown:
        lock.record(url, found.sha256, found.bytes)
    return found.path


def _check_address(url: str) -> None:
    """Raises SitegenError when it is none that could be fetched from."""
    hint = "give it as in https://example.org/model.keras"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and url.encode()
    except ValueError:
        usable = False
    if not usable:
        raise SitegenError(f'"{url}" is no http(s) address', hint=hint)
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        raise SitegenError(f'there is a space in the address "{url}"', hint="write %20 for a space that belongs there")
    if parts.username is not None:
        raise SitegenError(f"the address at {parts.hostname} has a user name in it", hint=_PUBLIC)


def _wanted(url: str, lock: Lock, sha256: str | None, sha512: str | None) -> _Wanted:
    digests = {"sha256": sha256, "sha512": sha512}
    for kind, given in digests.items():
        if given is not None:
            digests[kind] = given.lower()
            if not _is_digest(kind, given.lower()):
                hint = f"{kind}sum prints it"
                raise SitegenError(f'{kind} must be {_DIGITS[kind]} hexadecimal digits, not "{given}"', hint=hint)
    known = lock.get(url)
    if known is None or any(digests.values()):
        return _Wanted(digests["sha256"], digests["sha512"], None, False)
    return _Wanted(known.sha256, None, known.bytes, True)


class _Store:
    """The folder of downloads, as one address sees it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self._folder = folder
        self._name = _file_name(url)
        self._address = folder / hashlib.sha256(url.encode()).hexdigest()[:32]

    @property
    def part(self) -> Path:
        """Where the address's download gathers."""
        return self._address.with_suffix(".part")

    @property
    def lock(self) -> Path:
        """What is held while downloading."""
        return self._address.with_suffix(".lock")

    def find(self, wanted: _Wanted) -> _Hashed | None:
        """The file, if it is here: by its hash or, when that is not known, as the one that the address gave last."""
        sha256 = wanted.sha256 or _read_json(self._address.with_suffix(".json")).get("sha256")
        if not isinstance(sha256, str) or not _is_digest("sha256", sha256):
            return None
        found = self._whole(sha256)
        return found if found and wanted.accepts(found) else None

    def _whole(self, sha256: str) -> _Hashed | None:
        """A file that has the size and time at which it was checked; read again when only the time is another."""
        path = self._folder / sha256 / self._name
        known = _read_json(_beside(path))
        try:
            status = path.stat()
        except OSError:
            return None
        if status.st_size != known.get("bytes"):
            return None
        if status.st_mtime_ns != known.get("mtime_ns"):
            file = _hashed(path)
            if file.sha256 != sha256:
                return None
            self._remember(file, path)
            return file
        return _Hashed(path, sha256, str(known.get("sha512")), status.st_size)

    def keep(self, file: _Hashed) -> _Hashed:
        """Moves a file in that was checked, and makes it what the address gave last."""
        path = self._folder / file.sha256 / self._name
        path.parent.mkdir(parents=True, exist_ok=True)
        # What is known of it comes first: a build killed in between leaves a note without a file, which is no file.
        self._remember(file, path)
        file.path.replace(path)
        write_whole(self._address.with_suffix(".json"), _json({"url": self.url, "sha256": file.sha256}))
        return _Hashed(path, file.sha256, file.sha512, file.bytes)

    @staticmethod
    def _remember(file: _Hashed, path: Path) -> None:
        time_of = file.path.stat().st_mtime_ns
        write_whole(_beside(path), _json({"bytes": file.bytes, "mtime_ns": time_of, "sha512": file.sha512}))

    def forget(self) -> None:
        """What the address gave last counts no more; the file stays for whoever knows its hash."""
        self._address.with_suffix(".json").unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.json")


def _file_name(url: str) -> str:
    """The last part of the address, of letters that are harmless on every disk. It never begins with a dot."""
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last)[-100:].lstrip(".") or "model"


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def _read_json(path: Path) -> dict[str, Any]:
    """A note of our own; whatever it should not be is as good as none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _hashed(path: Path) -> _Hashed:
    sha256, sha512, size = hashlib.sha256(), hashlib.sha512(), 0
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            sha256.update(piece)
            sha512.update(piece)
            size += len(piece)
    return _Hashed(path, sha256.hexdigest(), sha512.hexdigest(), size)


@contextlib.contextmanager
def _alone(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Lets in one thread of all processes at a time; calls `waiting` when another is in. Killed processes are out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if not _seized(file.fileno()):
            waiting()
            while not _seized(file.fileno()):
                time.sleep(0.1)
        yield


def _seized(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _find_or_bring(store: _Store, wanted: _Wanted, progress: Callable[[str], None], limits: Limits) -> _Hashed:
    def waiting() -> None:
        progress(f"waiting for another build that fetches {store.url}")

    with _alone(store.lock, waiting):
        return store.find(wanted) or _bring(store, wanted, _Download(store, wanted.bytes, progress, limits))


def _bring(store: _Store, wanted: _Wanted, download: _Download) -> _Hashed:
    """Downloads and checks. Raises SitegenError when it is not what is wanted; nothing of it is left then."""
    download.run()
    try:
        kept = store.keep(_examined(store.url, wanted, download))
    except SitegenError:
        download.forget()
        if download.pieced:
            # The server may have taken one version for another; what comes in one piece is of one version.
            download.in_one_piece = True
            return _bring(store, wanted, download)
        store.forget()
        raise
    download.forget()
    return kept


def _examined(url: str, wanted: _Wanted, download: _Download) -> _Hashed:
    """What was downloaded. Raises SitegenError when it is not what is wanted."""
    file = download.file(wanted)
    kind = _unlike_a_model(file.path)
    if wanted.unknown and kind:
        raise SitegenError(f"{url} gives {kind}, not a model", hint=_OPEN)
    if not wanted.accepts(file):
        raise _mismatch(url, wanted, file, kind)
    return file


def _mismatch(url: str, wanted: _Wanted, file: _Hashed, kind: str) -> SitegenError:
    name, want, got = (
        ("sha256", wanted.sha256, file.sha256)
        if wanted.sha256 not in (None, file.sha256)
        else ("sha512", wanted.sha512, file.sha512)
    )
    source = "delete its entry in sitegen.lock" if wanted.by_lock else f"give its new {name} in the page"
    return SitegenError(
        f"{url}: expected {name} {want}, got {got}; the server sent something else{': ' if kind else ''}{kind}",
        hint=f"build again if it may have been damaged on its way; if the file was replaced on purpose, {source}",
    )


def _unlike_a_model(path: Path) -> str:
    """What servers send in place of a file, or "" when it may well be one."""
    with path.open("rb") as stream:
        head = stream.read(512)
    if not head:
        return "an empty file"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "a web page" if start.startswith((b"<!doctype html", b"<html")) else ""


@dataclass(frozen=True)
class _Version:
    """What a part is a part of: the validator that If-Range takes (RFC 9110, 13.1.5), its length, how it is packed."""

    validator: str | None
    total: int | None
    encoding: str

    @staticmethod
    def of(response: httpx.Response) -> _Version:
        # Where both are given it is the chunks that count (RFC 9112, 6.3).
        chunked = "transfer-encoding" in response.headers
        length = None if chunked else response.headers.get("content-length")
        encoding = response.headers.get("content-encoding", "").strip().lower() or "identity"
        return _Version(_validator(response.headers), int(length) if length else None, encoding)

    def differs(self, response: httpx.Response, total: int | None) -> bool:
        """Whether an answer with a further part is, by its own word, one of something else."""
        name = "etag" if self.validator and self.validator.startswith('"') else "last-modified"
        return response.headers.get(name) not in (None, self.validator) or (
            None not in (total, self.total) and total != self.total
        )


def _validator(headers: httpx.Headers) -> str | None:
    etag: str | None = headers.get("etag")
    if etag is not None:
        return etag if etag.startswith('"') and etag.isascii() else None
    modified: str | None = headers.get("last-modified")
    # A file that changed in this very second may change once more in it, and the time would not tell.
    return modified if "date" in headers and headers["date"] != modified else None


class _Download:
    """What comes from an address, gathered in a part on disk that later attempts, and later builds, go on with."""

    def __init__(self, store: _Store, size: int | None, progress: Callable[[str], None], limits: Limits) -> None:
        self.url = store.url
        self.part = store.part
        self.pieced = False
        self.in_one_piece = False
        self._unpacked = self.part.with_suffix(".plain")
        self._note = _beside(self.part)
        self._size = size
        self._progress = progress
        self._limits = limits

    def run(self) -> None:
        """Brings the part to its whole length. Raises Unreachable, or SitegenError when it is too large."""
        self.pieced = False
        limits, best, idle, attempt = self._limits, self._have(), 0, 0
        with self._client() as client:
            while True:
                attempt += 1
                try:
                    self._attempt(client)
                    return
                except _Again as again:
                    failure = again
                have = self._have()
                best, idle = (have, 0) if have > best else (best, idle + 1)
                if idle == limits.attempts or attempt == limits.attempts_in_all:
                    what = f"{failure.what} ({text.plural(attempt, 'attempt')})"
                    raise Unreachable(what, hint=failure.hint) from failure
                time.sleep(limits.pause * 2 ** max(idle - 1, 0))

    def file(self, wanted: _Wanted) -> _Hashed:
        """The whole part, hashed; unpacked if the server packed it. Raises SitegenError when that fails."""
        version = self._version()
        packed = _hashed(self.part)
        if version is None or version.encoding == "identity":
            return packed
        # Hosts call a file "packed on its way" that is a .gz by itself: a hash knows better.
        if not wanted.unknown and wanted.accepts(packed):
            return packed
        self._unpack()
        return _hashed(self._unpacked)

    def _unpack(self) -> None:
        count = 0
        try:
            with gzip.open(self.part) as source, self._unpacked.open("wb") as target:
                while piece := source.read(1 << 20):
                    count += len(piece)
                    self._check_size(count, "more than ")
                    target.write(piece)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise SitegenError(f"{self.url} cannot be unpacked: {error}", hint="build again") from error

    def forget(self) -> None:
        """Nothing of it is left on disk."""
        # The note goes first: a part without one is never gone on with.
        for path in (self._note, self.part, self._unpacked):
            path.unlink(missing_ok=True)

    def _have(self) -> int:
        """Bytes in the part that are known to be of the version in its note."""
        try:
            return self.part.stat().st_size if self._version() else 0
        except OSError:
            return 0

    def _version(self) -> _Version | None:
        try:
            return _Version(**_read_json(self._note))
        except TypeError:
            return None

    def _client(self) -> httpx.Client:
        import httpx

        limits = self._limits
        timeout = httpx.Timeout(limits.stall, connect=limits.connect)
        # Packed on its way, a file's length and ranges would be those of the packing.
        headers = {"Accept-Encoding": "identity", "User-Agent": "sitegen"}
        try:
            return httpx.Client(timeout=timeout, headers=headers, follow_redirects=False)
        except (ImportError, OSError, ValueError) as error:
            hint = "look at ALL_PROXY, HTTP_PROXY, HTTPS_PROXY and SSL_CERT_FILE in the environment"
            raise SitegenError(f"no connection can be set up: {error}", hint=hint) from error

    def _attempt(self, client: httpx.Client) -> None:
        """Goes on where the last one ended, in this build or another. Raises _Again and what `run` raises."""
        version, have = self._version(), self._have()
        # A build that was killed between the last byte and the check left it so.
        if version is not None and version.total == have:
            return
        start = have if version is not None and version.validator and not self.in_one_piece else 0
        headers = {"Range": f"bytes={start}-", "If-Range": str(version.validator)} if version and start else {}
        going_on = f", going on at {text.size(start)}" if start else ""
        self._progress(f"fetching {_file_name(self.url)} from {urlsplit(self.url).netloc}{going_on}")
        with contextlib.closing(self._open(client, headers)) as response:
            if version is not None and start and response.status_code in (206, 416):
                total = self._continued(response, version, start)
            else:
                total = self._begun(response)
            self._receive(response, total)

    def _continued(self, response: httpx.Response, version: _Version, start: int) -> int | None:
        """Takes an answer with the rest; gives the whole length. Raises _Again when it is not the rest of this part."""
        given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", ""))
        total = int(given[2]) if given and given[2] != "*" else self._length(version)
        fits = response.status_code == 206 and given is not None and int(given[1]) == start
        if not fits or version.differs(response, total):
            self.forget()
            raise _Again(f"{self.url} changed while it was fetched")
        self._check_size(total or 0)
        self.pieced = True
        return total

    def _begun(self, response: httpx.Response) -> int | None:
        """Takes an answer with everything, from the first byte; gives the length if the server tells it."""
        if response.status_code != 200:
            raise _refused(self.url, response)
        version = _Version.of(response)
        if version.encoding not in ("identity", "gzip", "x-gzip"):
            what = f"{self.url} comes packed ({version.encoding}), which was not asked for"
            raise Unreachable(what, hint="give an address that serves the file as it is")
        self.forget()
        self._check_size(version.total or 0)
        self.pieced = False
        self.part.parent.mkdir(parents=True, exist_ok=True)
        self.part.touch()
        write_whole(self._note, _json(asdict(version)))
        return self._length(version)

    def _length(self, version: _Version) -> int | None:
        """Bytes that travel in all, by the server's word or else by the lock's, which knows the file unpacked."""
        return self._size if version.total is None and version.encoding == "identity" else version.total

    def _receive(self, response: httpx.Response, total: int | None) -> None:
        import httpx

        have, failure = self._have(), None
        try:
            with self.part.open("ab") as stream:
                for piece in response.iter_raw():
                    have += len(piece)
                    if have > self._limits.bytes:
                        break
                    stream.write(piece)
        except httpx.TransportError as error:
            failure = error
        if have > self._limits.bytes:
            self.forget()
            self._check_size(have, "more than ")
        if have < total if total is not None else failure is not None:
            stalled = isinstance(failure, httpx.TimeoutException)
            waited = f": nothing came for {self._limits.stall:g} s" if stalled else ""
            what = f"{self.url} {'stalled' if stalled else 'was cut off'} at {_of(have, total)}{waited}"
            raise _Again(what, self._resume_hint()) from failure

    def _resume_hint(self) -> str:
        version = self._version()
        return "build again: it goes on from there" if version and version.validator else _LATER

    def _check_size(self, size: int, more: str = "") -> None:
        most = self._limits.bytes
        if size > most:
            what = f"{self.url} is too large: {more}{text.size(most if more else size)}"
            raise SitegenError(what, hint=f"a model may have {text.size(most)}, and visitors download all of it")

    def _open(self, client: httpx.Client, headers: dict[str, str]) -> httpx.Response:
        """The answer at the end of all redirects; its body is not read yet."""
        import httpx

        try:
            request = client.build_request("GET", self.url, headers=headers)
        except httpx.InvalidURL as error:
            raise SitegenError(f'"{self.url}" is no http(s) address', hint=str(error)) from error
        for _ in range(self._limits.redirects + 1):
            try:
                response = client.send(request, stream=True)
            except httpx.TransportError as error:
                raise _failure(error, urlsplit(str(request.url)), self._limits) from error
            if response.next_request is None:
                return response
            response.close()
            request = self._redirected(response, response.next_request)
        raise Unreachable(f"{self.url} redirects more than {self._limits.redirects} times", hint=_OPEN)

    def _redirected(self, response: httpx.Response, request: httpx.Request) -> httpx.Request:
        """The request that a redirect asks for. Raises SitegenError when it leads off the web or out of https."""
        before, after = response.url.scheme, request.url.scheme
        if after not in ("http", "https"):
            target = response.headers["location"]
            raise SitegenError(f"{self.url} redirects to {target}, which is no http(s) address", hint=_OPEN)
        if (before, after) == ("https", "http"):
            what = f"{self.url} redirects from https to {request.url}, where anybody could change the file on its way"
            raise SitegenError(what, hint="give an address that stays with https")
        return request


def _of(have: int, total: int | None) -> str:
    return text.size(have) if total is None else f"{text.size(have)} of {text.size(total)}"


def _refused(url: str, response: httpx.Response) -> Unreachable | _Again:
    """What to say of an answer that is not the file."""
    status = response.status_code
    what = f"{url} answers {f'{status} {response.reason_phrase}'.strip()}"
    if status in _PASSING:
        return _Again(what)
    if status in (401, 403, 407):
        return Unreachable(what, hint=_PUBLIC)
    return Unreachable(what, hint="look at the address: nobody has the file there" if status in (404, 410) else _OPEN)


def _failure(error: httpx.TransportError, url: SplitResult, limits: Limits) -> Unreachable | _Again:
    """What to say of a request that got no answer."""
    import socket
    import ssl

    import httpx

    if isinstance(error, httpx.ConnectTimeout):
        return _Again(f"{url.netloc} does not answer within {limits.connect:g} s")
    if isinstance(error, httpx.TimeoutException):
        return _Again(f"{url.netloc} says nothing for {limits.stall:g} s")
    cause = next((c for c in _causes(error) if isinstance(c, (OSError, httpx.InvalidURL))), None)
    if isinstance(cause, httpx.InvalidURL):
        return Unreachable(f"{url.geturl()} redirects to what is no address", hint=_OPEN)
    if isinstance(cause, ssl.SSLCertVerificationError):
        what = f"{url.netloc} has a certificate that is not trusted: {cause.verify_message}"
        return Unreachable(what, hint="an authority of your own is trusted by way of SSL_CERT_FILE")
    if isinstance(cause, ssl.SSLError):
        return _Again(f"{url.netloc} does not speak https: {cause.reason or cause}")
    if isinstance(cause, socket.gaierror):
        hint = "look at the address, and whether there is a network"
        known_not_to_be = cause.errno == socket.EAI_NONAME
        return (Unreachable if known_not_to_be else _Again)(f"no such host: {url.hostname}", hint=hint)
    if isinstance(cause, ConnectionRefusedError):
        return _Again(f"{url.netloc} refuses the connection")
    if isinstance(error, httpx.ConnectError):
        return _Again(f"{url.netloc} cannot be reached: {error}")
    return _Again(f"{url.netloc} gives no answer that can be understood: {error}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
