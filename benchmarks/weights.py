"""What weights cost under each scheme, and what they lose: bytes next to TF.js's uint8, distortion on inputs held out.

    python benchmarks/weights.py [NAME ...]

Without names, the demos of this repository and the reference models in ../shared/models, where these lie. Bytes are
of the whole weights file, deflated where that is said. Distortion is KL in nats for classifiers, else NMSE, as the
engine in the page computes it, on inputs that nothing was fitted to: crops of photographs in ../shared/samples, the
page's own samples moved about, or (for models that take no pictures) smooth noise. "auto, with data" was given other
photographs.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sitegen.errors import SitegenError
from sitegen.graph import rename
from sitegen.records import GraphModel
from sitegen.weights import auto, container, fidelity, heads, quantize, synthetic, use
from sitegen.weights.container import Tensor
from sitegen.weights.measure import Measure
from tests.parity import engine

Floats = NDArray[np.float32]
ROOT = Path(__file__).parent.parent
MODELS = ROOT / "../shared/models"
PHOTOGRAPHS = ROOT / "../shared/samples"
DIGITS = ROOT / "content/digits"
SCENES = ROOT / "content/scenes"
_INPUTS = 96


@dataclass(frozen=True)
class Case:
    """A model and what goes in: auto.py's Inputs, and `real` ones of the first or second half."""

    path: Path
    families: tuple[str, ...]
    synthetic: Callable[[str, int, int], Floats]
    real: Callable[[int, int], Floats]
    data: bool  # whether real inputs are real

    def model(self) -> GraphModel:
        """With short names, as it travels, and the outputs that it is measured at."""
        # Keras tells of its exports.
        with contextlib.redirect_stdout(sys.stderr):
            return heads.of(rename.short(engine.load(self.path))[0])


def pictures(
    path: Path,
    side: int,
    channels: int,
    scale: float,
    shift: float,
    real: Callable[..., Floats],
    drawn: bool = False,
) -> Case:
    """A model of pictures; y = pixel * scale + shift. `drawn` ones are bright ink, drawn with the digits' pen."""
    families = synthetic.drawings(0.08, 0.8) if drawn else synthetic.PHOTOGRAPHS

    def made(family: str, count: int, seed: int) -> Floats:
        pixels = synthetic.pictures(families[family], count, side, side, channels, [seed, *family.encode()])
        return scaled(255 - pixels if drawn else pixels)

    def scaled(pixels: Floats) -> Floats:
        return (pixels * scale + shift).astype(np.float32)

    return Case(path, tuple(families), made, lambda half, n: scaled(real(half, n, side)), True)


def signals(path: Path, shape: tuple[int, ...], mean: float, std: float) -> Case:
    """A model of other numbers, of a mean and a standard deviation: smooth along their first axis or not."""

    def made(family: str, count: int, seed: int) -> Floats:
        random = np.random.default_rng([seed, *family.encode()])
        numbers = random.standard_normal((count, *shape))
        if family == "smooth noise":
            numbers = np.cumsum(numbers, axis=1)
            numbers += 0.1 * numbers.std() * random.standard_normal(numbers.shape)
        elif family == "steps":
            changes = random.random(numbers.shape) < min(1.0, 8 / shape[0])
            numbers = np.cumsum(numbers * changes, axis=1)
        spread = (numbers - numbers.mean()) / (numbers.std() + 1e-9)
        return (mean + std * spread).astype(np.float32)

    return Case(
        path, ("smooth noise", "white noise", "steps"), made, lambda half, n: made("smooth noise", n, 90 + half), False
    )


def photographs(half: int, count: int, side: int) -> Floats:
    """Random crops of every other photograph, from two fifths of it to all of it, as 0..255."""
    random = np.random.default_rng(9 + half)
    files = sorted(PHOTOGRAPHS.rglob("*.jpg"))[half::2]
    made = []
    for index in range(count):
        with Image.open(files[index % len(files)]) as image:
            size = int(min(image.size) * random.uniform(0.4, 1))
            left, top = (int(random.integers(0, whole - size + 1)) for whole in image.size)
            box = (left, top, left + size, top + size)
            crop = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR, box)
        made.append(np.asarray(crop, np.float32))
    return np.stack(made)


def digits(half: int, count: int, side: int) -> Floats:
    """The page's samples, bright on dark, moved by up to three pixels."""
    random = np.random.default_rng(9 + half)
    files = sorted((DIGITS / "samples").glob("*.png"))[half::2]
    made = []
    for index in range(count):
        with Image.open(files[index % len(files)]) as image:
            ink = 255 - np.asarray(image.convert("L").resize((side, side), Image.Resampling.BILINEAR), np.float32)
        made.append(np.roll(ink, tuple(random.integers(-3, 4, 2)), (0, 1))[..., None])
    return np.stack(made)


CASES = {
    "digits": pictures(DIGITS / "digits.keras", 28, 1, 1 / 255, 0, digits, drawn=True),
    "scenes": pictures(SCENES / "scenes.keras", 64, 3, 1 / 255, 0, photographs),
    "resnet8": pictures(MODELS / "resnet8_cifar10.h5", 32, 3, 1, 0, photographs),
    "vww96": pictures(MODELS / "vww96_mobilenet_v1_025.h5", 96, 3, 1 / 255, 0, photographs),
    "kws": signals(MODELS / "kws_dscnn_saved_model", (49, 10, 1), -2, 10),
    "ad01": signals(MODELS / "ad01_autoencoder.h5", (640,), -15, 12),
    "blazeface": pictures(MODELS / "blazeface_tfjs/blazeface.json", 256, 3, 1 / 127.5, -1, photographs),
    "centernet": pictures(MODELS / "centernet_tfjs/centernet.json", 512, 3, 1, 0, photographs),
}


def by_channel(values: Floats) -> tuple[Floats, int]:
    """Affine uint8 with a scale and an offset (float32) for each channel of the result: values and bytes."""
    flat = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(-1, 1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    scale = np.maximum(high - low, 1e-12) / 255
    made = np.round((flat - low) / scale) * scale + low
    return made.reshape(values.shape).astype(np.float32), values.size + 8 * flat.shape[1]


def in_blocks(values: Floats) -> tuple[Floats, int]:
    """4 bits a weight in blocks of 32 with a float16 scale each, as in GGML's Q4_0; small tensors stay float16."""
    if values.size < 256:
        return values.astype(np.float16).astype(np.float32), 2 * values.size
    flat = np.pad(values.ravel(), (0, -values.size % 32)).reshape(-1, 32)
    extreme = np.take_along_axis(flat, np.abs(flat).argmax(axis=1)[:, None], axis=1)
    scale = (extreme / -8).astype(np.float16).astype(np.float32)
    codes = np.clip(np.round(flat / np.where(scale == 0, 1, scale)), -8, 7)
    made = (codes * scale).ravel()[: values.size].reshape(values.shape)
    return made.astype(np.float32), 18 * len(flat)


def exact(model: GraphModel, change: Callable[[Floats], tuple[Floats, int]]) -> tuple[bytes, int]:
    """A file with the values of a format that sitegen does not have, and the bytes that it would take."""
    tensors, size = [], 0
    for tensor in quantize.tensors(model, "none"):
        if tensor.scheme == "float32" and tensor.data is not None:
            values, count = change(tensor.data.astype(np.float32))
            size += count
            tensors.append(Tensor(tensor.name, tensor.shape, "float32", values))
        else:
            tensors.append(tensor)
    return container.write(tensors), size


def rows(name: str, case: Case) -> Iterator[tuple[str, int, bytes]]:
    """Label, bytes and a file that has the values."""
    model = case.model()
    kinds = use.kinds(model, "none")
    half, uint8 = (container.write(quantize.tensors(model, scheme)) for scheme in ("float16", "uint8"))
    floats = sum(value.size for value in model.weights.values() if value.dtype.kind == "f")
    yield "float16", 2 * floats, half
    yield "float16, deflated", deflated(half), half
    yield "uint8", floats, uint8
    yield "uint8, deflated", deflated(uint8), uint8
    for label, change in (("uint8 by channel", by_channel), ("4 bits in blocks", in_blocks)):
        file, size = exact(model, change)
        yield label, size, file
    for label, data in (("auto", None), ("auto, with data", case.real(0, 128) if case.data else None)):
        if label == "auto" or data is not None:
            began = time.monotonic()
            try:
                made = auto.encode(model, kinds, case, data=data)
            except SitegenError as error:
                print(f"{name:10} {label:18} {error}", flush=True)
                continue
            seconds = time.monotonic() - began
            yield label, deflated(made.file), made.file
            print(f"{name:10} {label:18} took {seconds:.0f} s, {1e6 * seconds / floats:.0f} s a million weights")


def deflated(file: bytes) -> int:
    """As chunks carry it: deflated where that pays."""
    return min(len(file), len(zlib.compress(file, 9)))


def main() -> None:
    """Prints one row a model and scheme."""
    print(
        f"{'model':10} {'scheme':18}{'bytes':>10} {'of uint8':>9} {'of half':>8} {'distortion':>11} {'best class':>11}"
    )
    for name in sys.argv[1:] or CASES:
        case = CASES[name]
        if not case.path.exists():
            print(f"{name:10} needs {case.path}")
            continue
        model = case.model()
        held_out = case.real(1, _INPUTS if case.path.suffix != ".json" else _INPUTS // 4)
        floats = sum(value.size for value in model.weights.values() if value.dtype.kind == "f")
        with Measure(model, use.kinds(model, "none"), [held_out]) as measure:
            (reference,) = measure.outputs(container.write(quantize.tensors(model, "none")))
            for label, size, file in rows(name, case):
                (outputs,) = measure.outputs(file)
                found = fidelity.loss(reference, outputs, measure.kinds)
                stays = "" if found.agreement is None else f"{found.agreement:11.1%}"
                shares = f"{size / floats:9.1%} {size / floats / 2:8.1%}"
                print(f"{name:10} {label:18}{size:10} {shares} {found.distortion:11.1e} {stays}", flush=True)


if __name__ == "__main__":
    main()
