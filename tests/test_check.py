"""`sitegen check`: a good site passes, and each defect is told once, with its place and its cure."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from sitegen import build, check, chunks, offline, report
from sitegen.check.result import Checked, Opened
from sitegen.errors import BuildFailed, SitegenError
from tests import digits
from tests.conftest import make

WAYS = ["http", "sub-path", "offline", "file"]


@pytest.fixture
def site(output: Path, tmp_path: Path) -> Path:
    """The repository's own site, to be changed."""
    return Path(shutil.copytree(output, tmp_path / "site"))


def look(folder: Path) -> tuple[str, ...]:
    """What is wrong with the files, place and sentence."""
    checked = check.check(folder, "site", lambda message: None, browser=None)
    assert all(error.hint for error in checked.errors)
    return tuple(str(error).partition("\n")[0] for error in checked.errors)


def sitegen(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the check as people do, beside the site."""
    return subprocess.run(
        [sys.executable, "-m", "sitegen", "check", folder.name, *arguments],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
    )


def config(folder: Path, path: str = digits.PAGE) -> Any:
    """The JSON in a page."""
    found = re.search(r'id="sitegen-page">([^<]*)<', (folder / path).read_text("utf-8"))
    assert found is not None
    return json.loads(found[1])


def put(folder: Path, old: str, new: str, path: str = digits.PAGE) -> None:
    """Changes a file that holds `old` once."""
    text = (folder / path).read_text("utf-8")
    assert text.count(old) == 1
    (folder / path).write_text(text.replace(old, new), "utf-8")


def say(folder: Path, html: str) -> None:
    """Writes something at the end of the page, on a line of its own."""
    put(folder, "</main>", f"\n{html}\n</main>")
    seal(folder)


def seal(folder: Path) -> None:
    """Has the manifests say of the files what they are now: what is found then is not that something was changed."""
    worker = (folder / "sw.js").read_text("utf-8").removeprefix(offline.PREFIX.decode())
    manifest, end = json.JSONDecoder().raw_decode(worker)
    manifest["pages"] = {path: told(folder / unquote(path)) for path in manifest["pages"]}
    for ref in manifest["shell"]:
        ref["bytes"], ref["sha256"] = told(folder / ref["path"])
    (folder / "sw.js").write_text(offline.PREFIX.decode() + json.dumps(manifest) + worker[end:], "utf-8")
    marker = json.loads((folder / "site.json").read_text())
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    marker["files"] = {name: told(path) for name, path in present.items() if name != "site.json"}
    (folder / "site.json").write_text(json.dumps(marker))


def told(path: Path) -> tuple[int, str]:
    data = path.read_bytes()
    return len(data), hashlib.sha256(data).hexdigest()


def chunk(folder: Path) -> str:
    """The path of the first chunk of the digits' weights."""
    return chunks.path(config(folder)["demo"]["model"]["weights"]["chunks"][0][0])


def test_the_files_of_a_good_site(site: Path) -> None:
    assert look(site) == ()
    say(
        site, '<a href="https://example.org/">elsewhere</a> <a href="#main">up</a> <a href="../index.html#top">home</a>'
    )
    (site / "digits/.DS_Store").write_bytes(b"left by a file manager")
    assert look(site) == ()


def test_a_chunk_is_gone(site: Path) -> None:
    path = chunk(site)
    (site / path).unlink()
    assert look(site) == (f"site/{path}: is missing: digits/index.html says that the site has it",)


@pytest.mark.parametrize("sealed", [False, True], ids=["as built", "sealed again"])
def test_a_byte_of_a_chunk_is_another(site: Path, sealed: bool) -> None:
    path = chunk(site)
    data = bytearray((site / path).read_bytes())
    at = next(i for i in range(len(data) // 2, len(data)) if data[i : i + 1].isalpha() and data[i - 1] != 0x5C)
    data[at] ^= 2
    (site / path).write_bytes(data)
    if sealed:
        seal(site)
        why = "carries other bytes than digits/index.html needs: their SHA-256 is not the chunk's name"
    else:
        why = "holds other bytes than site.json says: its SHA-256 is not the one of the build"
    assert look(site) == (f"site/{path}: {why}",)


def test_a_file_is_cut_off(site: Path) -> None:
    (site / "licenses.txt").write_bytes(b"short")
    (error,) = look(site)
    assert error.startswith("site/licenses.txt: is 5 bytes long; site.json says ")


def test_where_the_models_come_from(site: Path) -> None:
    """site.json lists each demo, as its page has it, and the tools."""
    whole = json.loads((site / "site.json").read_text())
    demo = whole["demos"][digits.PAGE]

    def found(**changes: object) -> tuple[str, ...]:
        (site / "site.json").write_text(json.dumps({**whole, **changes}))
        return look(site)

    other = {**whole["demos"], digits.PAGE: {**demo, "parameters": 3}}
    said = "site/site.json: says of digits/index.html another "
    assert found(demos=other) == (f"{said}number of parameters than the page",)
    unread = {**whole["demos"], digits.PAGE: {**demo, "read": {}}}
    assert found(demos=unread) == (f"{said}model than the page",)
    less = {path: each for path, each in whole["demos"].items() if path != digits.PAGE}
    assert found(demos=less) == ("site/site.json: does not say where the model of digits/index.html comes from",)
    more = {**whole["demos"], "index.html": demo}
    assert found(demos=more) == ("site/site.json: lists a demo of index.html, which has none",)
    assert found(tools={}) == ("site/site.json: does not say which versions of its tools made the site",)


def test_a_file_too_many(site: Path) -> None:
    (site / "notes.txt").write_text("mine")
    assert look(site) == ("site/notes.txt: was not written by sitegen build, and would be deployed with the site",)
    seal(site)
    assert look(site) == ("site/notes.txt: is there for nothing: no page and no manifest refers to it",)
    say(site, '<a href="../notes.txt">notes</a>')
    assert look(site) == ()


@pytest.mark.parametrize(
    ("html", "why"),
    [
        ('<a href="../digits/index.html#mian">', 'there is no "mian" in digits/index.html: ../digits/index.html#mian'),
        ('<a href="#nowhere">', 'there is no "nowhere" in digits/index.html: #nowhere'),
        ('<a href="../digit/index.html">', "the link leads nowhere: ../digit/index.html"),
        ('<a href="../scenes/">', "the address names a folder: ../scenes/"),
        ('<a href="../scenes">', "the address names a folder: ../scenes"),
        ('<a href="/index.html">', "the address begins at the host's root, which is not the site's: /index.html"),
        ('<a href="../../other/index.html">', "the address leaves the site: ../../other/index.html"),
        ('<img src="https://example.org/a.png">', "loads a file of another origin: https://example.org/a.png"),
        ('<img src="//example.org/a.png">', "loads a file of another origin: //example.org/a.png"),
        ('<img srcset="a.png 1x, http://b.c/d.png 2x" src="../index.html">', "the link leads nowhere: a.png"),
        ('<link rel="preload" href="http://b.c/d.js">', "loads a file of another origin: http://b.c/d.js"),
        ('<p style="background: url(http://b.c/d.png)">', "loads a file of another origin: http://b.c/d.png"),
        ('<video poster="missing.png"></video>', "the link leads nowhere: missing.png"),
    ],
)
def test_addresses(site: Path, html: str, why: str) -> None:
    say(site, html)
    lines = (site / digits.PAGE).read_text("utf-8").splitlines()
    first = look(site)[0]
    assert first == f"site/digits/index.html:{lines.index(html) + 1}:1: {why}"
    if "srcset" in html:
        assert look(site)[1].endswith("loads a file of another origin: http://b.c/d.png")


def test_style_sheets_and_the_web_manifest(site: Path) -> None:
    (style,) = (path.relative_to(site).as_posix() for path in site.glob("assets/style-*.css"))
    (site / style).write_text(".a { fill: url(#a) }\n.b { background: url('//b.c/d.png') }\n@import \"gone.css\";")
    manifest = json.loads((site / "site.webmanifest").read_text())
    manifest["icons"].append({"src": "assets/no-icon.png"})
    (site / "site.webmanifest").write_text(json.dumps(manifest))
    seal(site)
    assert look(site) == (
        f"site/{style}:2:18: loads a file of another origin: //b.c/d.png",
        f"site/{style}:3:1: the link leads nowhere: gone.css",
        "site/site.webmanifest:1:1: the link leads nowhere: assets/no-icon.png",
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("what?.txt", '"what?.txt" has a "?"'),
        ("aux.txt", 'Windows keeps the name "aux.txt" for a device'),
        ("end.", '"end." ends in a dot or a space, which Windows drops'),
        (f"{'n' * 220}.txt", "the path is longer than 200 characters"),
    ],
)
def test_names_that_sticks_refuse(site: Path, name: str, why: str) -> None:
    (site / "files").mkdir(exist_ok=True)
    (site / "files" / name).write_text("text")
    say(site, f'<a href="../files/{name.replace("?", "%3F")}">it</a>')
    assert look(site) == (f"site/files/{name}: this name cannot be copied anywhere: {why}",)


def test_names_that_are_one(site: Path) -> None:
    for name in ("a.txt", "A.txt"):
        (site / name).write_text(name)
    say(site, '<a href="../a.txt">one</a> <a href="../A.txt">other</a>')
    told = "this cannot lie beside A.txt where upper and lower case, or accents, are not told apart"
    assert look(site) == (f"site/a.txt: {told}",)


def test_a_page_that_says_other_things_than_it_has(site: Path) -> None:
    weights = config(site)["demo"]["model"]["weights"]
    before = json.dumps(weights, separators=(",", ":"))
    put(site, before, before.replace(f'"bytes":{weights["bytes"]}', '"bytes":7'))
    put(site, '"page":"scenes/index.html"', '"page":"other/index.html"', "scenes/index.html")
    seal(site)
    assert look(site) == (
        f"site/digits/index.html: a file that it lists in chunks is {weights['bytes']:,} bytes long, and not 7",
        "site/scenes/index.html: the JSON for its script cannot be read, or is another page's",
    )


def test_all_in_one_run(site: Path) -> None:
    path = chunk(site)
    (site / path).unlink()
    (site / "notes.txt").write_text("mine")
    (site / "sw.js").write_text("// a worker of somebody else's")
    errors = look(site)
    assert {error.partition(": ")[0] for error in errors} == {f"site/{path}", "site/notes.txt", "site/sw.js"}


def test_where_there_is_no_site(tmp_path: Path, site: Path) -> None:
    with pytest.raises(BuildFailed, match=r"no site in empty/: it has no site\.json"):
        check.check(tmp_path, "empty", lambda message: None)
    done = sitegen(site, "--page", "digit")
    assert done.returncode == 2
    assert 'no page "digit" in site/\n  hint: did you mean "digits"?' in done.stderr


def test_every_way_of_a_good_page(site: Path) -> None:
    done = sitegen(site, "--page", "digits", "--json")
    result = json.loads(done.stdout)
    assert result["errors"] == []
    assert (done.returncode, result["ok"], result["browser"]) == (0, True, "chromium")
    (page,) = result["pages"]
    assert (page["page"], list(page["ways"])) == (digits.PAGE, WAYS)
    for way in page["ways"].values():
        assert way["state"] == "ok"
        assert 0 <= way["apart"] < 1e-4
        assert way["milliseconds"] > 0


def test_a_retired_site(project: Path, tmp_path: Path) -> None:
    """Its worker has no manifest, and its pages are kept nowhere."""
    root = Path(shutil.copytree(project, tmp_path / "project", symlinks=True))
    build.build(build.Project.open(root), lambda message: None, retired=True)
    done = sitegen(root / "output", "--page", "digits")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("digits/index.html: http ok, sub-path ok, offline skipped, file ok; ")


def test_pages_that_load_themselves_again(project: Path, tmp_path: Path) -> None:
    """A site that isolates its pages: what their second loading breaks off is no fault. The page is kept when asked."""
    root = Path(shutil.copytree(project, tmp_path / "project", symlinks=True))
    settings = root / "pyproject.toml"
    settings.write_text(settings.read_text().replace("[tool.sitegen]\n", "[tool.sitegen]\nthreads = true\n"))
    page = root / "content/digits/index.md"
    page.write_text(page.read_text("utf-8").replace("offline: auto", "offline: ask"), "utf-8")
    make(root)
    done = sitegen(root / "output", "--page", "digits")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("digits/index.html: http ok, sub-path ok, offline ok, file ok; ")


def test_what_only_a_browser_finds(site: Path) -> None:
    """A script that fails, golden numbers of another model, a picture from elsewhere past the policy."""
    (site / "assets/theme.js").write_text("console.log('fine');\nconsole.error('the theme is broken');\n")
    put(site, "</head>", '<script src="../assets/theme.js" defer></script></head>')
    text = (site / digits.PAGE).read_text("utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    (site / digits.PAGE).write_text(text, "utf-8")
    tamper(site)
    say(site, '<img src="http://127.0.0.1:9/a.png" alt="">')
    done = sitegen(site, "--page", "digits", "--json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["ok"]) == (1, False)
    assert {way["state"] for way in result["pages"][0]["ways"].values()} == {"failed"}
    assert all(0.4 < way["apart"] < 0.6 for way in result["pages"][0]["ways"].values())
    everywhere = f"({', '.join(WAYS)})"
    assert {(error["file"], error["line"], error["what"]) for error in result["errors"]} == {
        ("site/digits/index.html", line(site, "127.0.0.1"), "loads a file of another origin: http://127.0.0.1:9/a.png"),
        ("site/digits/index.html", None, f"{everywhere} asks another origin: GET http://127.0.0.1:9/a.png"),
        ("site/digits/index.html", None, f"{everywhere} its demo computes other numbers than TensorFlow: 5e-01 off"),
        ("site/assets/theme.js", 2, f"digits/index.html {everywhere}: an error in the console: the theme is broken"),
        # No manifest lists it, so nothing keeps it.
        ("site/digits/index.html", None, "(offline) a request fails: assets/theme.js (net::ERR_FAILED)"),
    }


def test_a_page_that_cannot_be_kept(site: Path) -> None:
    """The worker is of another deploy than the page; and a page that is not for keeping is not asked to be."""
    put(site, "</main>", "<p>Later.</p></main>", "index.html")
    done = sitegen(site, "--page", "index.html")
    assert done.returncode == 1
    assert done.stdout.startswith("index.html: http ok, sub-path ok, offline failed, file ok\n")
    assert "site/index.html: (offline) it is not kept offline: Not kept yet: " in done.stderr
    assert "site/index.html: is " in done.stderr
    put(site, '"offline":"auto"', '"offline":"never"', "index.html")
    seal(site)
    done = sitegen(site, "--page", "index.html")
    assert done.stdout.startswith("index.html: http ok, sub-path ok, offline skipped, file ok\n")
    assert done.returncode == 0


def line(folder: Path, text: str) -> int:
    lines = (folder / digits.PAGE).read_text("utf-8").splitlines()
    return next(number for number, each in enumerate(lines, 1) if text in each)


def tamper(folder: Path) -> None:
    """Moves the golden numbers of the digits page by a half, all hashes being right."""
    ref = config(folder)["demo"]["model"]["proof"]
    whole = b"".join(chunks.carried((folder / chunks.path(name)).read_bytes()) for name, _ in ref["chunks"])
    if ref["encoding"] == "deflate-raw":
        import zlib

        whole = zlib.decompress(whole, -15)
    golden = json.loads(whole)
    for run in golden["runs"]:
        for output in run["outputs"].values():
            output["coded"] = [number + output["largest"] / 2 for number in output["coded"]]
    made = chunks.cut(json.dumps(golden).encode())
    for name, _ in ref["chunks"]:
        (folder / chunks.path(name)).unlink()
    for name, blob in made.files.items():
        (folder / chunks.path(name)).write_bytes(blob.read())
    new = {"bytes": made.ref.bytes, "encoding": made.ref.encoding, "chunks": made.ref.chunks}
    compact: Callable[[Any], str] = lambda value: json.dumps(value, separators=(",", ":"))  # noqa: E731
    put(folder, compact(ref), compact(new))


def test_without_playwright(site: Path) -> None:
    """What needs no browser is told all the same."""
    (site.parent / "sitecustomize.py").write_text("import sys\nsys.modules['playwright'] = None\n")
    (site / "notes.txt").write_text("mine")
    done = sitegen(site, PYTHONPATH=os.pathsep.join([str(site.parent), os.environ.get("PYTHONPATH", "")]))
    assert done.returncode == 2
    assert "Playwright is not installed\n  hint: pip install 'sitegen[check]'" in done.stderr
    assert "sitegen check --no-browser" in done.stderr
    assert "site/notes.txt: was not written" in done.stderr
    assert done.stderr.splitlines()[-1] == "2 errors"
    assert done.stdout.startswith("site/ is not right: ")


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    ways = {"http": Opened("ok", 3e-7, 1.25), "offline": Opened("skipped"), "file": Opened("failed", 0.5, 2.5)}
    checked = Checked("site", 3, 5000, "chromium", {"a/index.html": ways}, (SitegenError("wrong", hint="mend it"),), 1)
    report.Terminal().checked(checked)
    shown = capsys.readouterr()
    rows = [re.split(r"\s{2,}", row.strip()) for row in shown.out.splitlines()]
    assert rows == [
        ["page", "http", "offline", "file", "off by", "ms"],
        ["a/index.html", "ok", "–", "failed", "5e-01", "2.5"],
        ["site/ is not right: 1 page in chromium, 3 files, 5.0 kB (1.0 s)"],
    ]
    assert "mend it" in shown.err
    report.Lines().checked(checked)
    assert "a/index.html: http ok, offline skipped, file failed; 5e-01 off, 2.5 ms a run" in capsys.readouterr().out
