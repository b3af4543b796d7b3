"""What only the process that converts can meet: its death, its limits and whatever TensorFlow raises."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf

from sitegen import models, worker
from sitegen.errors import SitegenError
from sitegen.models.options import Options
from sitegen.records import Limits, ModelFile
from sitegen.workers import Pool
from tests import detectors
from tests.cases import HERE


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    made = Pool(tmp_path_factory.mktemp("pool") / "convert.log", 1, Limits(seconds=60, memory=3 << 30))
    yield made
    made.shutdown(cancel_futures=True)


def converted(pool: Pool, path: Path, cache: Path) -> dict[str, Any]:
    """Converts a model as a build does. Raises SitegenError, and nothing else."""
    found = models.identify(ModelFile(path.name, path), None)
    return pool.submit(worker.convert, path, found.NAME, Options(), cache).result()


def constant(graph_def: Any, name: str) -> Any:
    return next(node for node in graph_def.node if node.name == name).attr["value"].tensor


def doubling() -> Any:
    graph = tf.Graph()
    with graph.as_default():
        given = tf.compat.v1.placeholder(tf.float32, [1, 2], name="in")
        tf.identity(given * tf.constant([1.0, 2.0], name="factor"), name="out")
    return graph.as_graph_def()


def terabytes() -> Any:
    """One number in the file that stands for 10^13."""
    graph_def = doubling()
    tensor = constant(graph_def, "factor")
    tensor.Clear()
    tensor.dtype = tf.float32.as_datatype_enum
    tensor.float_val.append(1.0)
    for size in (5_000_000_000_000, 2):
        tensor.tensor_shape.dim.add().size = size
    return graph_def


def short() -> Any:
    """A tensor whose bytes are fewer than its shape says."""
    graph_def = doubling()
    tensor = constant(graph_def, "factor")
    tensor.tensor_content = tensor.tensor_content[:5]
    return graph_def


def cycle() -> Any:
    graph_def = doubling()
    next(node for node in graph_def.node if node.op == "Mul").input[1] = "out"
    return graph_def


def twice() -> Any:
    graph_def = doubling()
    graph_def.node.add().CopyFrom(graph_def.node[0])
    return graph_def


def unknown() -> Any:
    graph_def = doubling()
    next(node for node in graph_def.node if node.op == "Mul").op = "NoSuchOperation"
    return graph_def


def headless() -> Any:
    """Loops without the functions that they are made of."""
    graph_def = detectors.detector()
    del graph_def.library.function[:]
    return graph_def


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (terabytes, "."),
        (short, "model.pb cannot be converted: buffer size must be a multiple of element size"),
        (cycle, "which of the 4 nodes of model.pb are its results cannot be told"),
        (twice, "two of its nodes have the same name"),
        (headless, "calls map_while_.*, which is not in it"),
        (unknown, 'the node "mul" is a NoSuchOperation, which is no operation of TensorFlow\'s'),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_graphs_that_make_no_sense(make: Callable[[], Any], said: str, pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(make().SerializeToString())
    with pytest.raises(SitegenError, match=said):
        converted(pool, tmp_path / "model.pb", tmp_path / "cache")


def test_a_detector_that_never_ends(tmp_path: Path) -> None:
    """A detector is run when it is read: a loop without end meets the limit of time."""
    graph_def = detectors.detector(endless=True)
    (tmp_path / "model.pb").write_bytes(graph_def.SerializeToString())
    pool = Pool(tmp_path / "convert.log", 1, Limits(seconds=25))
    try:
        with pytest.raises(SitegenError, match="took longer than 25 seconds"):
            converted(pool, tmp_path / "model.pb", tmp_path / "cache")
    finally:
        pool.shutdown(cancel_futures=True)


def originals(folder: Path) -> Iterator[tuple[str, bytes]]:
    yield "model.keras", (HERE / "models/tiny.keras").read_bytes()
    keras.saving.load_model(HERE / "models/tiny.keras").save(folder / "model.h5")
    yield "model.h5", (folder / "model.h5").read_bytes()
    yield "model.pb", doubling().SerializeToString()
    yield "detector.pb", detectors.detector().SerializeToString()


def test_damaged_models_are_read_or_refused(pool: Pool, tmp_path: Path) -> None:
    """Good files with bytes changed by chance, each through the process that converts."""
    chance = random.Random(11)
    read = 0
    for name, whole in originals(tmp_path):
        for turn in range(14):
            damaged = bytearray(whole)
            for _ in range(chance.choice([1, 1, 3, 20])):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            path = tmp_path / f"{turn}-{name}"
            path.write_bytes(bytes(damaged))
            try:
                converted(pool, path, tmp_path / "cache")
                read += 1
            except SitegenError as error:
                assert error.what  # noqa: PT017
    assert 0 < read < 56
