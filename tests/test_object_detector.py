"""The page of IBM's Object Detector: without its model, and with a graph of its very structure."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sitegen import build
from sitegen.errors import BuildFailed
from sitegen.host import Host
from sitegen.records import Site
from tests import detectors
from tests.browsers import Browser, click, give, wait_for
from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "content/max-object-detector"
MEMBER = "frozen_inference_graph.pb"
SHOWN = "JSON.parse(document.querySelector('.sg-json pre').textContent)"


@pytest.fixture
def root(tmp_path: Path, shared_cache: Path) -> Path:
    """A project with that page, and one beside it that links to it."""
    shutil.copytree(PAGE, tmp_path / "content" / PAGE.name)
    (tmp_path / "content/index.md").write_text(f"---\ntitle: T\n---\n[Things]({PAGE.name}/index.md)\n")
    (tmp_path / build.CACHE_FOLDER).symlink_to(shared_cache)
    return tmp_path


def make(root: Path, *, offline: bool = False, strict: bool = False) -> Site:
    """Builds the project."""
    return build.build(build.Project.open(root), lambda message: None, offline=offline, strict=strict)[0]


def test_without_its_model_the_page_is_left_out(root: Path) -> None:
    site = make(root, offline=True)
    assert [page.path for page in site.pages] == ["index.html"]
    assert PAGE.name not in " ".join(site.files)
    first, second = site.warnings
    assert first.startswith(f"content/{PAGE.name}/index.md:7:11: the page is left out: https://codait-cos-max.")
    assert second == f"content/index.md: links to {PAGE.name}/index.html are plain text, as that page is left out"
    with pytest.raises(BuildFailed, match=rf"^content/{PAGE.name}/index.md:7:11: .*not fetched yet"):
        make(root, offline=True, strict=True)


def pointed(root: Path, address: str, digest: str) -> None:
    """Has the page take its model from another address; weights stay as they are, and all that is found is shown."""
    path = root / "content" / PAGE.name / "index.md"
    text = path.read_text("utf-8")
    text = re.sub(r"source: https\S+", f"source: {address}", text)
    text = re.sub(r"(frozen_inference_graph.pb: )\w+", rf"\g<1>{digest}", text)
    path.write_text(text.replace("threshold: 0.7}", "threshold: 0.05}\nquantize: none"), "utf-8")


@pytest.fixture(scope="module")
def graph(shared: Path) -> Any:
    """The graph with random weights for which scores differ."""
    graph_def = detectors.published(shared)
    detectors.shake(graph_def)
    return graph_def


@pytest.fixture(scope="module")
def archive(graph: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with the graph in it, and a file beside it, as IBM's has them."""
    folder = tmp_path_factory.mktemp("archive")
    with tarfile.open(folder / "ssd.tar.gz", "w:gz", compresslevel=1) as tar:
        for name, data in ((MEMBER, graph.SerializeToString()), ("label_map.pbtxt", b"item {}")):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return folder / "ssd.tar.gz"


@pytest.fixture(scope="module")
def picture(shared: Path) -> Image.Image:
    """A photograph as the network sees it."""
    return Image.open(shared / "samples/max/object/dog-human.jpg").convert("RGB").resize((300, 300))


def expected(graph: Any, given: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """What IBM's service would answer: the graph's results, best first, under the names of its label map."""
    names = (PAGE / "labels.txt").read_text("utf-8").splitlines()
    boxes, scores, classes, count = (end[0] for end in detectors.tensorflows(graph, given[None]))
    return [
        {
            "label_id": str(int(classes[row])),
            "label": names[int(classes[row]) - 1],
            "probability": float(scores[row]),
            "detection_box": [float(side) for side in boxes[row]],
        }
        for row in range(int(count))
        if scores[row] >= 0.05
    ]


def test_the_page_answers_as_the_service_does(
    root: Path, graph: Any, archive: Path, picture: Image.Image, browser: Callable[[str], Browser]
) -> None:
    theirs = expected(graph, np.asarray(picture))
    assert len(theirs) == 100
    file = io.BytesIO()
    picture.save(file, "PNG")
    with Host(archive.parent) as host:
        pointed(root, f"{host.url}{archive.name}", hashlib.sha512(graph.SerializeToString()).hexdigest())
        make(root)
    tab = browser("chromium").new_tab()
    with Host(root / "output") as host:
        # With weights of 28 MB it waits to be asked before it loads them.
        tab.goto(f"{host.url}{PAGE.name}/index.html")
        wait_for(tab, "document.querySelector('[data-source=upload]')")
        facts = tab.evaluate("document.querySelector('.facts').innerText")
        assert "IBM Model Asset Exchange" in facts
        assert "Apache-2.0" in facts
        assert re.search(r"Classes\s+80\b", facts)
        click(tab, "[data-source=upload]")
        give(tab, file.getvalue(), "x.png")
        wait_for(tab, "document.querySelector('.sg-json pre')", 90)
        ours = tab.evaluate(SHOWN)
    tab.close()
    assert list(ours) == ["status", "predictions"]
    assert ours["status"] == "ok"
    assert [list(one) for one in ours["predictions"]] == [list(one) for one in theirs]
    for one, other in zip(ours["predictions"], theirs, strict=True):
        assert (one["label_id"], one["label"]) == (other["label_id"], other["label"])
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-3)
        assert one["detection_box"] == pytest.approx(other["detection_box"], abs=1e-3)


def test_another_graph_than_ibms_is_refused(root: Path, archive: Path) -> None:
    """Though the page is optional."""
    published = re.search(r"frozen_inference_graph.pb: (\w+)", (PAGE / "index.md").read_text("utf-8"))
    assert published
    with Host(archive.parent) as host:
        pointed(root, f"{host.url}{archive.name}", published[1])
        with pytest.raises(BuildFailed, match=rf"ssd.tar.gz!{MEMBER}: expected sha512 {published[1]}, got "):
            make(root)


def test_labels_are_cocos() -> None:
    """Those that IBM's own test names, and the ends of the numbers."""
    names = (PAGE / "labels.txt").read_text("utf-8").splitlines()
    assert (len(names), names.count("n/a")) == (90, 10)
    assert [names[number - 1] for number in (1, 18, 67, 88, 90)] == [
        "person",
        "dog",
        "dining table",
        "teddy bear",
        "toothbrush",
    ]
    text = (PAGE / "index.md").read_text("utf-8")
    listed = re.findall(r"^\| [a-z]+ \| ([a-z, ]+) \|$", text.split("## What it knows")[1], re.M)
    assert sorted(", ".join(listed).split(", ")) == sorted(set(names) - {"n/a"})
