"""The page of IBM's Scene Classifier, with a network of random weights in the published one's place."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray
from PIL import Image

from sitegen import build
from sitegen.errors import BuildFailed
from sitegen.host import Host
from sitegen.records import Site
from tests import torches
from tests.browsers import NAMES, Browser, Tab, click, give, wait_for
from tests.browsers.chromium import Chromium
from tests.conftest import REPOSITORY, make
from tests.test_pictures import pythons
from tests.test_pytorch import MEAN, STD

NAME = "max-scene-classifier"
CONTENT = REPOSITORY / "content" / NAME
HEAD = yaml.safe_load((CONTENT / "index.md").read_text("utf-8").split("---")[1])
MEMBER, SOURCE = HEAD["model"]["member"], HEAD["model"]["source"]
GROUPS = dict(line.split(": ") for line in (CONTENT / "groups.txt").read_text("utf-8").splitlines())
# As published, which its hash in the page shows.
CATEGORIES = "\n".join(f"/{name[0]}/{name} {index}" for index, name in enumerate(GROUPS)).encode()
SHOWN = """(() => {
  const row = ({ dataset }) => [dataset.label, Number(dataset.score)];
  const rows = (list) => [...list.querySelectorAll('[data-score]')].map(row);
  const mask = document.querySelector('.sg-heat');
  return {
    classes: rows(document.querySelector('.sg-out > .sg-bars')),
    groups: rows(document.querySelector('.sg-groups')),
    heat: mask ? [...mask.getContext('2d').getImageData(0, 0, mask.width, mask.height).data] : [],
  };
})()"""


@dataclass(frozen=True)
class Expected:
    """What Python says of a picture: probabilities of the classes, and the map of the best one [7, 7], from 0 to 1."""

    scores: NDArray[np.float64]
    heat: NDArray[np.float64]


@pytest.fixture(scope="module")
def network() -> torches.ResNet:
    """A narrow one, whose answers are the more different as its logits are around 0 for these pictures."""
    model = torches.resnet(width=16)
    with torch.no_grad():
        inputs = np.concatenate([prepared(picture) for picture in pictures().values()])
        model.fc.weight.mul_(8)
        model.fc.bias.zero_()
        model.fc.bias.sub_(model(torch.from_numpy(inputs)).mean(0))
    return model


def pictures() -> dict[str, Image.Image]:
    """The page's samples."""
    return {path.stem: Image.open(path).convert("RGB") for path in sorted((CONTENT / "samples").glob("*.jpg"))}


def prepared(picture: Image.Image) -> NDArray[np.float32]:
    """As IBM's code does it: [1, 3, 224, 224]."""
    pixels = pythons(picture, 224, 224, "stretch", 0.875)
    made: NDArray[np.float32] = ((pixels / 255 - MEAN) / STD).astype(np.float32).transpose(2, 0, 1)[None]
    return made


def pythons_answer(network: torches.ResNet, picture: Image.Image) -> Expected:
    with torch.no_grad():
        features = network.features(torch.from_numpy(prepared(picture)))[0].double().numpy()
        weights, bias = network.fc.weight.double().numpy(), network.fc.bias.double().numpy()
    logits = weights @ features.mean((1, 2)) + bias
    powers = np.exp(logits - logits.max())
    heat = np.tensordot(weights[logits.argmax()], features, 1)
    return Expected(powers / powers.sum(), (heat - heat.min()) / (heat.max() - heat.min()))


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory, network: torches.ResNet) -> Path:
    """A folder with an archive like the published one."""
    folder = tmp_path_factory.mktemp("assets")
    torches.SAVED["legacy module"](network, folder / MEMBER)
    with tarfile.open(folder / "assets.tar.gz", "w:gz", compresslevel=1) as archive:
        for name, data in ((MEMBER, (folder / MEMBER).read_bytes()), ("categories_places365.txt", CATEGORIES)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return folder


def lay(root: Path, source: str, weights: bytes | None = None) -> Path:
    """A project with the page alone; its model at another address, and of other weights."""
    folder = root / "content" / NAME
    shutil.copytree(CONTENT, folder)
    text = (folder / "index.md").read_text("utf-8").replace(SOURCE, source)
    if weights is not None:
        text = text.replace(HEAD["model"]["files"][MEMBER], hashlib.sha512(weights).hexdigest())
    text = re.sub("^quantize: .*", "quantize: none", text, flags=re.M)
    # Browsers decode JPEG in ways of their own.
    for path in (folder / "samples").glob("*.jpg"):
        Image.open(path).save(path.with_suffix(".png"))
    (folder / "index.md").write_text(text.replace("samples/*.jpg", "samples/*.png"), "utf-8")
    return root


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, assets: Path, shared_cache: Path) -> Path:
    root = lay(tmp_path_factory.mktemp("places"), (assets / "assets.tar.gz").as_uri(), (assets / MEMBER).read_bytes())
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


def test_the_page_knows_the_published_names() -> None:
    assert hashlib.sha512(CATEGORIES).hexdigest() == HEAD["model"]["files"]["categories_places365.txt"]
    assert (len(GROUPS), set(GROUPS.values())) == (365, {"indoor", "outdoor"})
    for name, group in GROUPS.items():
        assert name.rpartition("/")[2] not in {"indoor", "outdoor"} - {group}


def told(root: Path, *, strict: bool = False) -> Site:
    return build.build(build.Project.open(root), lambda message: None, offline=True, strict=strict)[0]


def test_without_a_network_the_page_is_left_out(tmp_path: Path) -> None:
    """As it stands in the repository."""
    root = tmp_path / "project"
    shutil.copytree(CONTENT, root / "content" / NAME)
    (root / "content/index.md").write_text(f"---\ntitle: Demos\n---\nSee [a place]({NAME}/index.md).\n")
    site = told(root)
    assert [page.path for page in site.pages] == ["index.html"]
    assert site.warnings[0].startswith(f"content/{NAME}/index.md:6:11: the page is left out: ")
    with pytest.raises(BuildFailed, match="was not fetched yet"):
        told(root, strict=True)


def test_it_is_fetched_and_must_be_what_was_published(tmp_path: Path, assets: Path) -> None:
    with Host(assets) as host:
        root = lay(tmp_path / "project", f"{host.url}assets.tar.gz")
        with pytest.raises(BuildFailed) as caught:
            make(root)
    (error,) = caught.value.errors
    assert str(error.where) == f"content/{NAME}/index.md:9:5"
    assert f"assets.tar.gz!{MEMBER}: expected sha512 db19eaca" in error.what


def test_its_labels_come_out_of_the_archive(site: Path) -> None:
    page = (site / NAME / "index.html").read_text("utf-8")
    assert '"labels":["airfield","airplane_cabin","airport_terminal","alcove"' in page
    assert '"bakery/shop"' in page
    assert '"zen_garden"]' in page


def answered(tab: Tab, label: str) -> dict[str, list[Any]]:
    """What the page shows, once its best class is the one that is waited for."""
    wait_for(tab, f"document.querySelector('.sg-answer strong')?.textContent === {label!r}")
    wait_for(tab, "document.querySelector('.sg-answer').ariaBusy === 'false'")
    wait_for(tab, f"{SHOWN}.heat.some(Boolean)")
    shown: dict[str, list[Any]] = tab.evaluate(SHOWN)
    return shown


def colours(heat: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colours of a map, [height, width, 4] in 0..255."""
    stops = np.array([[20, 10, 70, 255], [190, 50, 90, 255], [255, 230, 60, 255]], np.float64)
    return np.stack([np.interp(heat, [0, 0.5, 1], stops[:, channel]) for channel in range(4)], -1)


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_torchs(name: str, browser: Callable[[str], Browser], site: Path, network: torches.ResNet) -> None:
    """Classes, groups and heat maps of every sample, and of a file."""
    expected = {stem: pythons_answer(network, picture) for stem, picture in pictures().items()}
    # What is shown is told apart by its best class.
    assert len({int(answer.scores.argmax()) for answer in expected.values()}) == 3
    tab = browser(name).new_tab()
    with Host(site) as host:
        for url in (f"{host.url}{NAME}/index.html", (site / NAME / "index.html").as_uri()):
            tab.goto(url)
            wait_for(tab, "document.querySelectorAll('[data-sample]').length === 3")
            for stem, answer in expected.items():
                click(tab, f"[data-sample='{stem.replace('-', ' ')}']")
                compare(tab, answer)
            click(tab, "[data-source=upload]")
            wait_for(tab, "!document.querySelector('.sg-answer strong')")
            give(tab, (site.parent / "content" / NAME / "samples/launch-pad.png").read_bytes(), "x.png")
            compare(tab, expected["launch-pad"])
    tab.close()


def compare(tab: Tab, expected: Expected) -> None:
    labels, best = list(GROUPS), np.argsort(-expected.scores)[:5]
    shown = answered(tab, labels[best[0]])
    assert [label for label, _ in shown["classes"]] == [labels[index] for index in best]
    found = np.array([score for _, score in shown["classes"]])
    assert np.abs(found - expected.scores[best]).max() < 1e-4
    inside = np.array([group == "indoor" for group in GROUPS.values()])
    sums = {"indoor": expected.scores[inside].sum(), "outdoor": expected.scores[~inside].sum()}
    assert dict(shown["groups"]) == pytest.approx(sums, abs=1e-4)
    heat = np.reshape(shown["heat"], (7, 7, 4))
    assert np.abs(heat - colours(expected.heat)).max() < 2


def test_the_camera_has_heat_maps_and_a_switch(site: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mjpeg"
    pictures()["pagoda"].resize((640, 480)).save(tmp_path / "frame.jpg", quality=95)
    film.write_bytes((tmp_path / "frame.jpg").read_bytes() * 10)
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    running = Chromium(extra=[*flags, f"--use-file-for-fake-video-capture={film}"])
    try:
        with Host(site) as host:
            tab = running.new_tab()
            tab.goto(f"{host.url}{NAME}/index.html")
            click(tab, "[data-source=camera]")
            click(tab, "[data-action=camera]")
            wait_for(tab, f"document.querySelector('.sg-heat') && {SHOWN}.heat.some(Boolean)")
            # It lies over what the model is shown: the middle seven eighths of the picture.
            over, under = tab.evaluate(
                "['.sg-heat', '.sg-speaking .sg-stage canvas'].map((part) => {"
                " const b = document.querySelector(part).getBoundingClientRect();"
                " return [b.left, b.top, b.width, b.height]; })"
            )
            assert over[2:] == pytest.approx([0.875 * side for side in under[2:]], abs=1)
            assert over[:2] == pytest.approx([under[i] + under[i + 2] / 16 for i in (0, 1)], abs=1)
            click(tab, "[data-action=heatmap]")
            wait_for(tab, "!document.querySelector('.sg-heat')")
            assert tab.evaluate("document.querySelector('[data-action=heatmap]').ariaPressed") == "false"
            click(tab, "[data-action=heatmap]")
            wait_for(tab, "document.querySelector('.sg-heat')")
    finally:
        running.close()
