"""Model files that want more than to be read: each ends in one SitegenError, and nothing of theirs is run."""

from __future__ import annotations

import contextlib
import json
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitegen import models
from sitegen.errors import Place, SitegenError
from sitegen.models.options import Options
from sitegen.records import ModelFile
from tests.cases import HERE
from tests.parity import table


def read(path: Path) -> None:
    """Reads a model file as a build does: sniffs, checks, loads."""
    place = Place("page.md")
    found = models.identify(ModelFile(path.name, path), None, place, place)
    found.files(path)
    found.load(path, Options())


def lambda_h5(folder: Path) -> Path:
    """A Lambda layer whose code would make a file."""
    import tf_keras

    target = str(folder / "ran")
    layer = tf_keras.layers.Lambda(lambda x: (Path(target).touch(), x)[1])
    tf_keras.Sequential([tf_keras.Input((2,)), layer]).save(folder / "model.h5")
    (folder / "ran").unlink(missing_ok=True)
    return folder / "model.h5"


def foreign_class(folder: Path) -> Path:
    """A configuration that names a class of another module."""
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(folder / "m.keras")
    with zipfile.ZipFile(folder / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][1] |= {"module": "subprocess", "class_name": "Popen", "registered_name": None}
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return folder / "model.keras"


def external_link(folder: Path) -> Path:
    """Weights that are a link to a file elsewhere."""
    table.dense().save(folder / "model.h5")
    with h5py.File(folder / "model.h5", "a") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
    return folder / "model.h5"


def external_data(folder: Path) -> Path:
    """Numbers that lie in a file elsewhere."""
    table.dense().save(folder / "model.h5")
    with h5py.File(folder / "model.h5", "a") as file:
        file.create_dataset("stolen", (10,), "u1", external=[("/etc/passwd", 0, 10)])
    return folder / "model.h5"


def weights_only(folder: Path) -> Path:
    table.dense().save_weights(folder / "model.weights.h5")
    return folder / "model.weights.h5"


def writing_graph(folder: Path) -> Path:
    """A frozen graph that writes a file."""
    graph = tf.Graph()
    with graph.as_default():
        tf.io.write_file(str(folder / "ran"), "x")
        tf.identity(tf.compat.v1.placeholder(tf.float32, [1]), name="out")
    (folder / "model.pb").write_bytes(graph.as_graph_def().SerializeToString())
    return folder / "model.pb"


def python_saved_model(folder: Path) -> Path:
    """A SavedModel that calls Python."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
        def call(self, x: tf.Tensor) -> tf.Tensor:
            return tf.numpy_function(np.sin, [x], tf.float32)

    module = Module()
    tf.saved_model.save(module, str(folder / "model"), signatures=module.call)
    return folder / "model"


def writing_saved_model(folder: Path) -> Path:
    """A SavedModel that writes a file when it is loaded."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
        def call(self, x: tf.Tensor) -> tf.Tensor:
            tf.io.write_file(str(folder / "ran"), "x")
            return x

    module = Module()
    tf.saved_model.save(module, str(folder / "model"), signatures=module.call)
    return folder / "model"


def variables_in_graph(folder: Path) -> Path:
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.get_variable("v", [1], use_resource=False)
    (folder / "model.pb").write_bytes(graph.as_graph_def().SerializeToString())
    return folder / "model.pb"


def climbing_shards(folder: Path) -> Path:
    topology = {"node": [{"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}}]}
    manifest = [{"paths": ["../../etc/passwd"], "weights": []}]
    (folder / "model.json").write_text(json.dumps({"modelTopology": topology, "weightsManifest": manifest}))
    return folder / "model.json"


def text_in(folder: Path) -> Path:
    """A model that takes text, which no page can make."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def call(self, x: tf.Tensor) -> tf.Tensor:
            return tf.strings.length(x)

    module = Module()
    tf.saved_model.save(module, str(folder / "model"), signatures=module.call)
    return folder / "model"


def text_vectorization(folder: Path) -> Path:
    """A Keras model with its tokenizer in it, and a number beside the text."""
    layer = keras.layers.TextVectorization(output_sequence_length=4)
    layer.adapt(["a few words", "and a few more"])
    words, number = keras.Input((1,), dtype="string", name="words"), keras.Input((1,))
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(9, 3)(layer(words)))
    both = keras.layers.Concatenate()([pooled, number])
    keras.Model([words, number], keras.layers.Dense(2)(both)).save(folder / "model.keras")
    return folder / "model.keras"


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def pickled(folder: Path) -> Path:
    (folder / "model.pkl").write_bytes(pickle.dumps(Touch(folder / "ran")))
    return folder / "model.pkl"


def torch_file(folder: Path) -> Path:
    """PyTorch's way: a pickle in a zip."""
    with zipfile.ZipFile(folder / "model.pth", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Touch(folder / "ran")))
        archive.writestr("archive/version", "3")
    return folder / "model.pth"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda_h5, "model.h5 holds Python code (a Lambda layer), which is never run"),
        (foreign_class, "model.keras needs the class subprocess.Popen, which is not Keras's"),
        (external_link, "model.h5 links to another file (/etc/passwd), which is never read"),
        (external_data, "model.h5 keeps its numbers in another file, which is never read"),
        (weights_only, "model.weights.h5 holds weights only, not what the network looks like"),
        (
            writing_graph,
            'the graph\'s node "WriteFile" is a WriteFile, which reaches outside the model and is never run',
        ),
        (
            python_saved_model,
            'the graph\'s node "PyFunc" is a PyFunc, which reaches outside the model and is never run',
        ),
        (
            writing_saved_model,
            'the graph\'s node "WriteFile" is a WriteFile, which reaches outside the model and is never run',
        ),
        (variables_in_graph, "model.pb is not frozen: v is a variable, and its value is in another file"),
        (climbing_shards, "model.json names a weight file outside its folder: ../../etc/passwd"),
        (text_in, 'the model\'s tensor "x" is a string, which pages do not have'),
        (text_vectorization, 'the model\'s tensor "words" is a string, which pages do not have'),
        (pickled, "model.pkl is no model that can be read"),
        (torch_file, "model.pth holds neither a state_dict nor a module with weights"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_refused(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    (tmp_path / "ran").unlink(missing_ok=True)
    with pytest.raises(SitegenError) as caught:
        read(path)
    assert caught.value.what == message
    assert not (tmp_path / "ran").exists()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A small good file of every single-file format."""
    folder = tmp_path_factory.mktemp("samples")
    (folder / "a.keras").write_bytes((HERE / "models/tiny.keras").read_bytes())
    table.dense().save(folder / "b.h5")
    graph = tf.Graph()
    with graph.as_default():
        tf.identity(tf.compat.v1.placeholder(tf.float32, [1, 2], name="in") * 2.0, name="out")
    (folder / "c.pb").write_bytes(graph.as_graph_def().SerializeToString())
    manifest = [{"paths": [], "weights": []}]
    topology = {"node": [{"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}}]}
    (folder / "d.json").write_text(json.dumps({"modelTopology": topology, "weightsManifest": manifest}))
    return sorted(folder.iterdir())


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_sniffers_never_fail(data: st.DataObject, samples: list[Path], tmp_path: Path) -> None:
    """Whatever the bytes, a file is told apart and checked, or refused with a SitegenError."""
    original = data.draw(st.sampled_from([b"", *(path.read_bytes() for path in samples)]))
    seed = data.draw(st.integers(0, 1 << 30))
    chance = random.Random(seed)
    damaged = bytearray(original[: chance.randint(0, len(original))] + chance.randbytes(chance.choice([0, 0, 8, 300])))
    for _ in range(chance.choice([0, 1, 5])):
        if damaged:
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    path = tmp_path / "file"
    path.write_bytes(bytes(damaged))
    place = Place("page.md")
    with contextlib.suppress(SitegenError):
        models.identify(ModelFile("file", path), None, place, place).files(path)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8, 0.95])
def test_truncated_files_are_refused(samples: list[Path], part: float, tmp_path: Path) -> None:
    for sample in samples:
        whole = sample.read_bytes()
        path = tmp_path / sample.name
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(SitegenError):
            read(path)


def test_nan_weights_are_said(tmp_path: Path) -> None:
    from sitegen.disk import Cache
    from sitegen.models import store

    model = table.dense()
    model.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    model.save(tmp_path / "model.keras")
    found = models.identify(ModelFile("m", tmp_path / "model.keras"), None, Place("p"), Place("p"))
    stored = store.save(found.load(tmp_path / "model.keras", Options()), Cache(tmp_path / "cache"))
    assert any("hold NaN or infinite numbers" in note for note in stored["notes"])
