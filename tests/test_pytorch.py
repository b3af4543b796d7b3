"""PyTorch's weights: read as torch wrote them, and ResNets that compute in the pages' engine what they do in torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from sitegen import plan, schema
from sitegen.errors import SitegenError
from sitegen.graph import fold
from sitegen.models import archive, pytorch, resnet, state_dict
from sitegen.models.options import Options
from sitegen.records import GraphModel
from sitegen.weights import container, engine, quantize
from tests import torches
from tests.test_pictures import pages, pythons

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@pytest.mark.parametrize("way", torches.SAVED)
def test_every_way_of_saving(way: str, tmp_path: Path) -> None:
    model = torches.resnet(width=4, classes=3)
    path = tmp_path / "model.pth"
    torches.SAVED[way](model, path)
    assert pytorch.sniff(path)
    assert pytorch.check(path) is None
    assert not archive.is_archive(path)
    assert archive.candidates(tmp_path) == [path]
    with state_dict.tensors(path) as found:
        values = {name.removeprefix("module."): tensor.read() for name, tensor in found.items()}
    expected = model.state_dict()
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        assert np.array_equal(values[name], value.numpy().astype(np.float32))
        assert values[name].shape == tuple(value.shape)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_tensors_of_every_kind(zipped: bool, tmp_path: Path) -> None:
    """Types, views of one another's numbers, and shapes without any."""
    row = torch.arange(24, dtype=torch.float32) / 7
    kinds = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8]
    given = {
        **{str(kind): row.to(kind) for kind in [*kinds, torch.uint8, torch.bool]},
        "whole": row,
        "turned": row.reshape(4, 6).T,
        "part": row.reshape(2, 3, 4)[1, :, 1:3],
        "parameter": torch.nn.Parameter(row[3:7]),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
    }
    path = tmp_path / "model.pt"
    torch.save(given, path, _use_new_zipfile_serialization=zipped)
    with state_dict.tensors(path) as found:
        assert found.keys() == given.keys()
        for name, value in given.items():
            expected = value.detach().to(torch.float32).numpy()
            assert found[name].shape == expected.shape
            assert np.array_equal(found[name].read(), expected)


def test_files_of_python_2(tmp_path: Path) -> None:
    """What torch 0.2 and 0.3 wrote: `_rebuild_tensor`, parameters that are made with state, ordered dicts by pairs."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    tensor = b"ctorch._utils\n_rebuild_tensor\n(("
    tensor += (
        text(b"storage") + b"ctorch\nFloatStorage\n" + text(b"7") + text(b"cuda:0") + b"K\x03NtQK\x01(K\x02t(K\x01ttR"
    )
    parameter = b"ctorch.nn.parameter\nParameter\n" + tensor + b"\x85R(\x88\x89Ntb"
    pairs = b"ccollections\nOrderedDict\n((l(" + text(b"weight") + parameter + b"latR"
    state = b"}(" + text(b"_parameters") + pairs + text(b"_buffers") + b"}" + text(b"_modules") + b"}u"
    module = b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81" + state + b"b."
    keys, numbers = b"\x80\x02]" + text(b"7") + b"a.", (3).to_bytes(8, "little") + np.float32([1, 2, 3]).tobytes()
    head = pytorch.HEAD + b"\x80\x02M\xe9\x03." + b"\x80\x02}."
    (tmp_path / "old.pth").write_bytes(head + module + keys + numbers)
    with state_dict.tensors(tmp_path / "old.pth") as found:
        assert {name: one.read().tolist() for name, one in found.items()} == {"weight": [2, 3]}


def converted(model: torch.nn.Module, folder: Path, way: str = "state_dict") -> GraphModel:
    torches.SAVED[way](model, folder / "model.pth")
    return fold.fold(pytorch.load(folder / "model.pth", Options()))


def computed(model: GraphModel, pictures: list[NDArray[np.float32]]) -> list[NDArray[Any]]:
    """The logits of pictures [1, height, width, 3] of one size in the engine that pages have."""
    name = model.signature.inputs[0].name
    weights = container.write(quantize.tensors(model, "none"))
    made = plan.record(model, weights, {name: pictures[0].shape})
    assert made.file is not None
    (runs,) = engine.run(model, [weights], [{name: picture} for picture in pictures], made.file)
    return [run.outputs[0][0] for run in runs]


def torchs(model: torch.nn.Module, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.no_grad():
        logits: NDArray[np.float32] = model(torch.from_numpy(picture.transpose(0, 3, 1, 2))).numpy()[0]
    return logits


@pytest.mark.parametrize(("architecture", "size"), [("resnet18", (65, 98)), ("resnet34", (96, 64))])
def test_paddings_are_torchs(architecture: str, size: tuple[int, int], tmp_path: Path) -> None:
    """Of odd and even sizes, whose strides end at other pixels."""
    model = torches.resnet(architecture, width=8, classes=7)
    picture = np.random.default_rng(1).normal(size=(1, *size, 3)).astype(np.float32)
    (found,) = computed(converted(model, tmp_path, "legacy module"), [picture])
    expected = torchs(model, picture)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_photographs_of_places(shared: Path, tmp_path: Path) -> None:
    """A whole ResNet18, with pictures as IBM's code prepares them."""
    model = torches.resnet()
    given = {"width": 224, "height": 224, "channels": 3, "resize": "stretch", "crop": 0.875}
    inputs, expected = [], []
    for path in sorted((shared / "samples/max/scene").glob("*.jpg")):
        picture = Image.open(path).convert("RGB")
        seen = pages(picture, tmp_path, given)
        # torchvision rounds where the page goes on with floats.
        rounded = np.asarray(picture.resize((256, 256), Image.Resampling.BILINEAR))[16:240, 16:240]
        assert np.abs(seen - rounded).max() <= 1
        exact = pythons(picture, 224, 224, "stretch", 0.875)
        prepared = [((pixels / 255 - MEAN) / STD).astype(np.float32)[None] for pixels in (seen, exact)]
        inputs.append(prepared[0])
        expected.append(torchs(model, prepared[1]))
    for found, logits in zip(computed(converted(model, tmp_path, "legacy module"), inputs), expected, strict=True):
        assert np.abs(found - logits).max() < 1e-4 * np.abs(logits).max()


def test_the_schema_knows_the_architectures() -> None:
    choices = get_args(get_args(schema.ModelRef.model_fields["architecture"].annotation)[0])
    assert set(choices) == set(resnet.ARCHITECTURES)


def weights(**changed: tuple[int, ...] | None) -> Mapping[str, state_dict.Tensor]:
    """Those of a small ResNet18, of which none is read, with some in other shapes or left out."""
    shapes = {name: tuple(value.shape) for name, value in torches.resnet(width=4, classes=3).state_dict().items()}
    shapes |= {name.replace("__", "."): shape for name, shape in changed.items()}  # type: ignore[misc]
    return {name: state_dict.Tensor(shape, lambda: np.zeros(0, np.float32)) for name, shape in shapes.items() if shape}


@pytest.mark.parametrize(
    ("given", "architecture", "message"),
    [
        (
            {"features.0.weight": (4, 3, 3, 3), "features.0.bias": (4,), "classifier.weight": (2, 4)},
            None,
            "m.pth has the weights of a network that is not known here: features.0.weight, features.0.bias, "
            "classifier.weight, ...",
        ),
        (weights(fc__bias=None), "resnet18", "m.pth has no fc.bias, which a resnet18 has"),
        (weights(), "resnet34", "m.pth has no layer1.2.conv1.weight, which a resnet34 has"),
        (weights(layer5=(1,)), "resnet18", "m.pth has layer5, which a resnet18 has not"),
        (
            weights(layer2__0__conv1__weight=(8, 4, 1, 1)),
            None,
            "m.pth has layer2.0.conv1.weight as [8, 4, 1, 1], where a resnet18 has [8, 4, 3, 3]",
        ),
        (
            weights(conv1__weight=(4, 1, 7, 7)),
            None,
            "m.pth has conv1.weight as [4, 1, 7, 7], where a resnet18 has [4, 3, 7, 7]",
        ),
    ],
)
def test_other_networks_are_told(given: Mapping[str, Any], architecture: str | None, message: str) -> None:
    tensors = {
        name: one if isinstance(one, state_dict.Tensor) else state_dict.Tensor(one, lambda: np.zeros(0, np.float32))
        for name, one in given.items()
    }
    with pytest.raises(SitegenError) as caught:
        resnet.build("m.pth", tensors, architecture, ())
    assert caught.value.what == message
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("known: resnet18, resnet34; write any other network in Keras")
