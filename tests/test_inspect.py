"""`sitegen inspect` and `sitegen new page`: what is said of a model, and the page that is written for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from sitegen import inspection
from sitegen.errors import SitegenError
from sitegen.graph import flops
from sitegen.host import Host
from sitegen.models import saved_model, tflite
from sitegen.models.options import Options
from sitegen.tasks import TASKS
from tests import detectors
from tests.cases import HERE
from tests.conftest import REPOSITORY
from tests.parity import engine, table
from tests.test_cli import sitegen
from tests.test_tflite import keras_file

TINY = HERE / "models/tiny.keras"


def inspected(root: Path, *arguments: str) -> dict[str, Any]:
    done = sitegen(root, "inspect", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_keras_model(tmp_path: Path) -> None:
    digits = REPOSITORY / "content/digits/digits.keras"
    found = inspected(tmp_path, str(digits))
    model = keras.saving.load_model(digits)
    assert found["format"] == "keras"
    # Batch norms were folded.
    assert 0.9 * model.count_params() < found["parameters"] <= model.count_params()
    assert found["inputs"][0]["shape"] == [None, *model.input_shape[1:]]
    assert found["outputs"][0]["shape"] == [None, *model.output_shape[1:]]
    assert found["ops"]["Placeholder"] == {"count": 1, "backends": ["wasm"]}
    # Shapes are in it too.
    assert 4 * found["parameters"] <= found["bytes"]["none"]["weights"] < 4 * found["parameters"] + 100
    assert found["bytes"]["none"]["weights"] > found["bytes"]["float16"]["weights"] > found["bytes"]["uint8"]["weights"]
    assert found["lacking"] == []
    # Three convolutions, each followed by pooling, and two products.
    assert found["no_plan"] is None
    assert found["plan"]["steps"] < 12
    assert found["bytes"]["none"]["weights"] < found["plan"]["peak"] < 3 * found["bytes"]["none"]["weights"]
    kernels = [tensor["shape"] for tensor in found["tensors"] if tensor["name"].split("/")[2].startswith("conv")]
    assert kernels == [[3, 3, 1, 16], [3, 3, 16, 24], [3, 3, 24, 40]]
    assert list(tmp_path.iterdir()) == []


def test_the_text_says_the_same(tmp_path: Path) -> None:
    shutil.copy(TINY, tmp_path / "tiny.keras")
    done = sitegen(tmp_path, "inspect", "tiny.keras")
    assert done.returncode == 0
    for part in (
        "Keras 3 (.keras)",
        "FLOPs",
        "of memory for tensors",
        "float16",
        "wasm",
        "task: image-classification",
        "model: tiny.keras",
    ):
        assert part in done.stdout
    assert done.stderr == "reading tiny.keras\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tiny.kers"], 'tiny.kers does not exist\n  hint: did you mean "tiny.keras"?'),
        (["notes.txt"], "notes.txt is no model that can be read"),
        (["tiny.keras", "--format", "kears"], 'unknown model format "kears"\n  hint: did you mean "keras"?'),
        (["tiny.keras", "--outputs", "nowhere"], 'the graph has no node "nowhere"'),
    ],
)
def test_what_is_wrong(arguments: list[str], said: str, tmp_path: Path) -> None:
    shutil.copy(TINY, tmp_path / "tiny.keras")
    (tmp_path / "notes.txt").write_text("nothing\n")
    done = sitegen(tmp_path, "inspect", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stdout == ""
    result = sitegen(tmp_path, "inspect", *arguments, "--json")
    assert json.loads(result.stdout)["errors"][0]["what"] == said.partition("\n")[0]


def convolutions() -> keras.Model:
    x = keras.Input((8, 6, 3))
    y = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)  # 8*6*4 numbers, each of 3*3*3
    y = keras.layers.DepthwiseConv2D(3, strides=2, padding="same")(y)  # 4*3*4 of 3*3
    y = keras.layers.Conv2DTranspose(5, 2, strides=2)(y)  # 4*3*4, each into 2*2*5
    return keras.Model(x, keras.layers.Dense(7)(keras.layers.GlobalAveragePooling2D()(y)))  # 7 of 5


def test_operations_are_counted(tmp_path: Path) -> None:
    convolutions().save(tmp_path / "model.keras")
    macs = 8 * 6 * 4 * 27 + 4 * 3 * 4 * 9 + 4 * 3 * 4 * 20 + 7 * 5
    assert flops.count(engine.load(tmp_path / "model.keras")) == 2 * macs


def test_operations_that_depend_on_the_input(tmp_path: Path) -> None:
    x = keras.Input((None, None, 1))
    keras.Model(x, keras.layers.Conv2D(2, 3)(x)).save(tmp_path / "model.keras")
    assert flops.count(engine.load(tmp_path / "model.keras")) is None


class Signatures(tf.Module):
    """Two signatures, one of which ends in what pages cannot run."""

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def plain(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"doubled": x * 2.0}

    @tf.function(input_signature=[tf.TensorSpec([3, 3], tf.float32)])
    def hard(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        before = tf.tanh(x, name="before") * 3.0
        solved = tf.linalg.cholesky(before + tf.eye(3), name="solved")
        return {"solved": tf.nn.relu(solved), "beside": tf.abs(x, name="beside")}


@pytest.fixture(scope="module")
def signatures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signatures")
    module = Signatures()
    tf.saved_model.save(module, str(folder), signatures={"plain": module.plain, "hard": module.hard})
    return folder


def test_signatures_are_listed(signatures: Path, tmp_path: Path) -> None:
    assert saved_model.signatures(signatures) == ["hard", "plain"]
    done = sitegen(tmp_path, "inspect", str(signatures))
    assert done.returncode == 1
    assert "the model has the signatures hard, plain" in done.stderr
    found = inspected(tmp_path, str(signatures), "--signature", "plain")
    assert found["signatures"] == ["hard", "plain"]
    assert found["inputs"][0]["shape"] == [None, 4]


def test_what_cannot_run_is_named_with_the_nearest_cut(signatures: Path) -> None:
    found = inspection.inspect(signatures, saved_model.NAME, Options(signature="hard"))
    (lacking,) = found["lacking"]
    assert lacking["op"] == "Cholesky"
    assert found["ops"]["Cholesky"] == {"count": 1, "backends": []}
    part = engine.load(signatures, Options(signature="hard", outputs=tuple(lacking["instead"])))
    assert part.lacking == ()
    ops = [node["op"] for node in part.topology["node"]]
    assert "Tanh" in ops
    assert "Abs" in ops


def test_a_build_says_it_too(signatures: Path, tmp_path: Path) -> None:
    from sitegen import worker

    with pytest.raises(SitegenError) as caught:
        worker.convert(signatures, saved_model.NAME, Options(signature="hard"), tmp_path)
    assert caught.value.what.endswith("is a Cholesky, which pages cannot run")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("end the graph before it: model: {outputs: [")


def built(root: Path, settings: str = 'quantize = "float16"\n') -> None:
    (root / "sitegen.toml").write_text(settings)
    done = sitegen(root, "build")
    assert done.returncode == 0, done.stderr


def new_page(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return sitegen(root, "new", "page", *arguments)


def test_a_page_from_elsewhere(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(TINY, tmp_path / "My first.model.keras")
    done = new_page(project, "../My first.model.keras")
    assert done.returncode == 0, done.stderr
    page = project / "content/my-first-model/index.md"
    assert done.stdout.startswith("wrote content/my-first-model/index.md (the model was copied beside it)")
    assert "title: My first model\n" in page.read_text()
    built(project, settings="")
    before = page.read_bytes()
    again = new_page(project, "../My first.model.keras")
    assert again.returncode == 1
    assert "content/my-first-model/index.md is there already" in again.stderr
    assert page.read_bytes() == before


def test_a_page_for_a_model_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "content/mine"
    folder.mkdir(parents=True)
    shutil.copy(TINY, folder / "tiny.keras")
    shutil.copy(TINY, tmp_path / "content/tiny.keras")
    assert new_page(tmp_path, "content/mine/tiny.keras").returncode == 0
    assert new_page(tmp_path, "content/tiny.keras").returncode == 0
    names = sorted(
        path.relative_to(tmp_path).as_posix() for path in (tmp_path / "content").rglob("*") if path.is_file()
    )
    assert names == ["content/mine/index.md", "content/mine/tiny.keras", "content/tiny.keras", "content/tiny.md"]
    built(tmp_path)


def test_a_page_for_an_address(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    shutil.copy(TINY, tmp_path / "host/tiny.keras")
    project = tmp_path / "project"
    project.mkdir()
    with Host(tmp_path / "host") as host:
        assert new_page(project, f"{host.url}tiny.keras").returncode == 0
        assert [path.name for path in (project / "content/tiny").iterdir()] == ["index.md"]
        built(project)


def test_a_page_for_a_folder_and_its_signature(tmp_path: Path) -> None:
    model = tf.Module()
    weights = tf.constant(np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32))
    model.call = tf.function(
        lambda x: {"scores": tf.reshape(x, [-1, 12]) @ weights},
        input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)],
    )
    tf.saved_model.save(model, str(tmp_path / "saved"), signatures={"other": model.call})
    project = tmp_path / "project"
    project.mkdir()
    assert new_page(project, str(tmp_path / "saved"), "--signature", "other").returncode == 0
    text = (project / "content/saved/index.md").read_text()
    assert "  signature: other\n" in text
    assert "size: [224, 224]" in text
    assert "activation: softmax" in text
    built(project)


def test_a_page_for_any_model(tmp_path: Path) -> None:
    x = keras.Input((3,))
    keras.Model(x, keras.layers.Dense(2)(x)).save(tmp_path / "model.keras")
    assert new_page(tmp_path, "model.keras").returncode == 0
    assert "task: tensors\n" in (tmp_path / "content/model/index.md").read_text()
    built(tmp_path)


def test_a_page_for_a_quantized_file(tmp_path: Path) -> None:
    """What the file says of its input's numbers is what the page says: 0 to 1 is pixels times 1/255."""
    file, _ = keras_file(table.cnn, "int8")
    (tmp_path / "model.tflite").write_bytes(file)
    found = inspected(tmp_path, "model.tflite")
    assert found["format"] == "tflite"
    assert found["signatures"] == ["serving_default"]
    assert found["inputs"][0]["range"] == pytest.approx([0, 1], abs=0.01)
    assert found["lacking"] == []
    assert new_page(tmp_path, "model.tflite").returncode == 0
    text = (tmp_path / "content/model/index.md").read_text()
    assert "task: image-classification\n" in text
    (scale,) = re.findall(r"scale: ([\d.]+)", text)
    assert float(scale) == pytest.approx(1 / 255, rel=0.01)
    built(tmp_path, settings="")


@pytest.mark.parametrize(
    ("name", "task", "block"),
    [
        ("mobilenet_v2_1.0_224_quant", "image-classification", None),
        ("resnet8_cifar10_int8", "image-classification", None),
        ("vww96_int8", "image-classification", "input: {scale: 0.00392156886}"),
        ("vww96_float", "image-classification", "input: {scale: 0.00392156862745098}"),
        ("deeplabv3_mnv2_dm05_pascal_quant", "image-segmentation", None),
        ("movenet_single_pose_lightning_ptq", "pose-estimation", None),
    ],
)
def test_pages_for_published_files(name: str, task: str, block: str | None, shared: Path) -> None:
    """A file of uint8 takes pixels as they are, and so does one of int8 whose numbers go from 0 to 255."""
    path = shared / f"models/{name}.tflite"
    signature = tflite.load(path, Options()).signature
    ends = {
        side: [inspection._spec(spec) for spec in specs]
        for side, specs in (("inputs", signature.inputs), ("outputs", signature.outputs))
    }
    info = {**ends, "activation": "softmax", "scales": False, "detection": False, "text": None}
    found = next(each for each in TASKS.values() if each.fits(info))
    assert task == found.NAME
    assert [line for line in found.front_matter(info) if line.startswith("input:")] == ([block] if block else [])


def test_a_page_for_a_detector(tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(detectors.detector().SerializeToString())
    assert new_page(tmp_path, "model.pb").returncode == 0
    assert "task: object-detection\n" in (tmp_path / "content/model/index.md").read_text()
    built(tmp_path)
