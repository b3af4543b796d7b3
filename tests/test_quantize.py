"""`quantize` as pages and settings say it, through whole builds; and what is shown of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sitegen import build, config, loss, picture
from sitegen.errors import BuildFailed, SitegenError, Unmeasurable
from sitegen.records import Chunked, FileRef, Packed, Signature
from sitegen.weights import auto, use
from tests.cases import HERE
from tests.conftest import make
from tests.test_cli import sitegen

HEAD = "---\ntitle: T\ntask: image-classification\nmodel: {model}.keras\nlabels: [cat, dog, emu]\n"
PAGE = HEAD + "quantize: {quantize}\n---\n"
DENSE, CONVOLUTION = 48, 144  # bytes, of tiny.keras


def page(root: Path, name: str, quantize: str, model: str = "tiny") -> None:
    """Writes a page and its model."""
    (root / "content").mkdir(exist_ok=True)
    shutil.copy(HERE / f"models/{model}.keras", root / "content")
    (root / "content" / f"{name}.md").write_text(PAGE.format(model=model, quantize=quantize))


def rows(root: Path) -> dict[str, Any]:
    """Builds; gives what is said of each page by its name."""
    done = sitegen(root, "build", "--json")
    assert done.returncode == 0, done.stdout
    return {row["page"].partition("/")[0]: row for row in json.loads(done.stdout)["pages"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose pages take quantize in each way that needs auto."""
    root = tmp_path_factory.mktemp("site")
    (root / "sitegen.toml").write_text(
        '[quantize]\nmax_kl = 1e-4\nmin_snr = 90\nmax_drop = 0.0\ntensors = {"*x*" = "none"}\n'
    )
    page(root, "default", "{}")
    page(root, "coarse", "{max_kl: 1.0e-2}")
    page(root, "labelled", "{labelled: 'held/*/*.png', max_drop: 0.5}")
    page(root, "fixed", "{scheme: auto, tensors: {'*dense*': none, '*conv*': auto, '*': uint8}}")
    page(root, "unmeasured", "{}", "means")
    for index, name in enumerate(["cat", "dog", "emu"]):
        (root / "content/held" / name).mkdir(parents=True)
        Image.new("L", (6, 6), 40 * index).save(root / f"content/held/{name}/1.png")
    return root


@pytest.fixture(scope="module")
def built(site: Path) -> Mapping[str, Any]:
    return rows(site)


def test_auto_is_the_default(built: Mapping[str, Any]) -> None:
    row = built["default"]
    assert row["quantize"] == "auto"
    # The site's budget holds, as far as it fits a model that gives probabilities.
    assert row["loss"]["distortion"] <= 1e-4
    assert row["notes"] == []


def test_a_page_s_own_budget_wins(built: Mapping[str, Any]) -> None:
    assert 1e-4 < built["coarse"]["loss"]["distortion"] <= 1e-2
    assert built["coarse"]["weight_bytes"] < built["default"]["weight_bytes"]


def test_the_default_gives_way_where_it_cannot_measure(built: Mapping[str, Any], site: Path) -> None:
    row = built["unmeasured"]
    assert row["quantize"] == "float16"
    assert row["loss"] is None
    assert row["notes"] == [
        "weights are float16: quantize: auto cannot measure this model: Op type not registered 'Prelu'",
        "the page cannot be proven: Op type not registered 'Prelu'",
    ]
    # From the cache too.
    assert rows(site)["unmeasured"]["notes"] == row["notes"]


def test_asking_for_auto_takes_no_other(built: Mapping[str, Any], site: Path, tmp_path: Path) -> None:
    """Not even from the cache, where what it gave way to lies under the same key."""
    root = tmp_path / "asked"
    shutil.copytree(site / build.CACHE_FOLDER, root / build.CACHE_FOLDER)
    shutil.copy(site / "sitegen.toml", root)
    packed_before = len(list((root / build.CACHE_FOLDER / "steps/pack").iterdir()))
    page(root, "asked", "auto", "means")
    page(root, "budget", "{min_snr: 20}", "means")
    with pytest.raises(BuildFailed) as caught:
        make(root)
    assert [(str(e.where), e.what.partition(":")[0]) for e in caught.value.errors] == [
        ("content/asked.md:6:11", "quantize"),
        ("content/budget.md:6:11", "quantize"),
    ]
    # The page with a budget of its own was another question.
    assert len(list((root / build.CACHE_FOLDER / "steps/pack").iterdir())) == packed_before + 1


def test_tensors_have_schemes_of_their_own(built: Mapping[str, Any]) -> None:
    convolution, dense, _ = (tuple(layer[1:]) for layer in built["fixed"]["layers"])
    assert dense == (DENSE, DENSE)
    # The first pattern that matches counts.
    assert convolution[0] == CONVOLUTION
    assert convolution[1] != CONVOLUTION // 4
    assert built["fixed"]["weight_bytes"] == DENSE + convolution[1] + 8


def test_tensors_without_auto(tmp_path: Path) -> None:
    (tmp_path / "sitegen.toml").write_text(
        '[quantize]\nscheme = "uint8"\n[quantize.tensors]\n"*dense*" = "auto"\n"*" = "float16"\n'
    )
    page(tmp_path, "site", "{}")
    page(tmp_path, "own", "{tensors: {'*dense*': none}}")
    found = rows(tmp_path)
    # Auto is not at work: for the site's pattern that means the page's scheme.
    assert [layer[2] for layer in found["site"]["layers"][:2]] == [CONVOLUTION // 2, DENSE // 4]
    assert [layer[2] for layer in found["own"]["layers"][:2]] == [CONVOLUTION // 2, DENSE]


def test_accuracy_is_told(built: Mapping[str, Any], site: Path) -> None:
    told = built["labelled"]["loss"]
    assert told["labelled"] == 3
    assert told["float_accuracy"] in (0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1)
    assert told["accuracy"] >= told["float_accuracy"] - 0.5
    assert "of 3 labelled pictures" in (site / "output/labelled/index.html").read_text()
    assert built["default"]["loss"]["accuracy"] is None


def test_a_picture_of_another_class_is_measured_anew(built: Mapping[str, Any], site: Path, tmp_path: Path) -> None:
    root = tmp_path / "changed"
    shutil.copytree(site, root, ignore=shutil.ignore_patterns("output"))
    for name in ("default", "coarse", "fixed", "unmeasured"):
        (root / f"content/{name}.md").unlink()
    held = root / "content/held"
    (held / "dog").rename(held / "x")
    (held / "emu").rename(held / "dog")
    (held / "x").rename(held / "emu")
    (held / "cat/1.png").rename(held / "dog/2.png")
    before = built["labelled"]["loss"]
    assert sum(rows(root)["labelled"]["loss"][key] != before[key] for key in ("float_accuracy", "accuracy")) > 0


def test_errors_of_the_worker_keep_their_kind() -> None:
    import pickle

    made = pickle.loads(pickle.dumps(Unmeasurable("what", hint="hint", key="quantize.scheme")))
    assert (type(made), made.what, made.hint, made.key) == (Unmeasurable, "what", "hint", "quantize.scheme")
    assert isinstance(made, SitegenError)


def test_budgets_of_the_site() -> None:
    shared = {"max_kl": 0.1, "min_snr": 20.0, "max_drop": 0.1, "min_agreement": 0.5}
    assert use.budget(["numbers"], {}, shared) == auto.Budget(0.01)
    assert use.budget(["logits"], {"min_agreement": 0.9}, shared) == auto.Budget(0.1, 0.9, 0.1)


@pytest.mark.parametrize("text", ['quantize = "uint8"', 'quantize.scheme = "uint8"', '[quantize]\nscheme = "uint8"'])
def test_settings_in_each_way_of_writing(text: str, tmp_path: Path) -> None:
    (tmp_path / "sitegen.toml").write_text(text)
    assert config.load(tmp_path).quantize.scheme == "uint8"
    assert config.place(tmp_path, config.load(tmp_path), "quantize").line == 1


def packed(layers: list[tuple[str, int, int]], before: int = 0, after: int = 0, **more: Any) -> Packed:
    """A packed model of some tensors; `before` and `after` are bytes of those that are not listed."""
    nothing = Chunked(FileRef(0, "identity", ()), {})
    return Packed(
        engine="plan",
        graph=nothing,
        weights=nothing,
        scheme="auto",
        weight_bytes=after + sum(layer[2] for layer in layers),
        float32_bytes=before + sum(layer[1] for layer in layers),
        signature=Signature((), ()),
        parameters=(before + sum(layer[1] for layer in layers)) // 4,
        layers=tuple(layers),
        **more,
    )


def drawn(made: Packed) -> tuple[list[str], list[tuple[float, float]]]:
    """The texts beside the bars, and the widths of the bars before and after."""
    root = ElementTree.fromstring(str(picture.layers(made)))
    widths = [float(rect.get("width", "")) for rect in root.iter("rect")][2:]
    said = [element.text or "" for element in root.iter("text")][2:]
    return said, list(zip(widths[::2], widths[1::2], strict=True))


def test_bars_are_as_long_as_bytes_are_many() -> None:
    said, bars = drawn(packed([("m/a/W", 4000, 1000), ("m/b/W", 2000, 400), ("m/b/B", 1000, 1000)]))
    assert said == ["a", "4.0 kB → 1.0 kB", "b/W", "2.0 kB → 400 B", "b/B", "1.0 kB → 1.0 kB"]
    assert bars == [(240, 60), (120, 24), (60, 60)]


def test_what_is_small_or_many_is_put_together() -> None:
    layers = [(f"layer{index}", 1000, 100) for index in range(20)]
    said, bars = drawn(packed(layers, before=2000, after=500))
    assert said[-2:] == ["all others", "10 kB → 1.3 kB"]
    assert len(bars) == 13
    said, _ = drawn(packed([("large", 10_000, 10), ("small", 50, 5), ("less", 40, 4)]))
    assert said == ["large", "10 kB → 10 B", "all others", "90 B → 9 B"]
    said, _ = drawn(packed([("large", 10_000, 10), ("small", 50, 5)]))
    assert said[2] == "small"


def test_a_model_without_weights_has_no_picture() -> None:
    assert picture.layers(packed([])) == ""


def test_names_are_text() -> None:
    """A model's names are whatever its maker wrote."""
    name = 'a"><script>alert(1)</script>\u202e{0}'
    markup = str(picture.layers(packed([(name, 8, 4), ("x" * 90, 4, 2)])))
    assert "<script" not in markup
    said, _ = drawn(packed([(name, 8, 4), ("x" * 90, 4, 2)]))
    assert said[0].startswith('a"><script')
    assert "\u202e" not in markup
    assert len(said[2]) <= 22
    assert "style=" not in markup


def test_shares_are_not_rounded_up() -> None:
    assert [loss.share(value) for value in (1, 0.9999, 0.995, 31 / 32, 0)] == [
        "100 %",
        "99.9 %",
        "99.5 %",
        "96.8 %",
        "0 %",
    ]


def test_numbers_are_told_in_decibels() -> None:
    told = {"measure": "NMSE", "distortion": 1e-4, "uint8_distortion": 1e-3, "agreement": None, "accuracy": None}
    told |= {"inputs": 32, "on": "calibration pictures"}
    assert loss.line(told) == "SNR 40.0 dB, where 8-bit integers keep 30.0 dB, on 32 calibration pictures"
    facts = dict(loss.facts(packed([("a", 64, 5)], loss=told)))
    assert facts["Signal to noise"] == "40.0 dB (8-bit integers: 30.0 dB)"
    assert facts["A weight takes"] == "2.5 bits"
    assert "Divergence" not in facts


def test_the_page_shows_the_layers(built: Mapping[str, Any], site: Path) -> None:
    html = (site / "output/default/index.html").read_text()
    found = re.search(r'<details class="layers">.*?</details>', html, re.S)
    assert found
    assert "conv2d_1" in found[0]
    assert "StatefulPartitionedCall" not in found[0]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_one_core_makes_the_same_weights_as_several(tmp_path: Path) -> None:
    made = []
    for name, cores in (("one", {min(os.sched_getaffinity(0))}), ("all", os.sched_getaffinity(0))):
        root = tmp_path / name
        root.mkdir()
        page(root, "demo", "auto")
        done = subprocess.run(
            [sys.executable, "-m", "sitegen", "build"],
            cwd=root,
            capture_output=True,
            text=True,
            preexec_fn=lambda cores=cores: os.sched_setaffinity(0, cores),  # type: ignore[misc]
        )
        assert done.returncode == 0, done.stderr
        assert "making the weights of" in done.stderr
        made.append(sorted(path.name for path in (root / "output/chunks").iterdir()))
    assert made[0] == made[1]
