"""Pictures become the numbers that Pillow makes of them, however they are fitted in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests import scripts
from tests.conftest import REPOSITORY

CONTENT = REPOSITORY / "content"
PICTURES = ("digits/samples/7.png", "scenes/samples/cat.png", "scenes/samples/writing.png")
PAPER = 200  # pixels around a picture that is fitted in whole


def pythons(
    picture: Image.Image, width: int, height: int, resize: str, crop: float = 1, pad: int = 255
) -> NDArray[np.float32]:
    """The picture fitted in by Pillow, whose numbers stay floats: [height, width, 3] in 0..255.

    With `crop` it is made larger first, and its middle cut out, as others do it.
    """
    if crop < 1:
        wide, high = round(width / crop), round(height / crop)
        left, top = (wide - width) // 2, (high - height) // 2
        return pythons(picture, wide, high, resize)[top : top + height, left : left + width]
    box = (0.0, 0.0, float(picture.width), float(picture.height))
    ratio = width / height
    if resize == "center-crop":
        wide, high = min(picture.width, picture.height * ratio), min(picture.height, picture.width / ratio)
        box = (
            (picture.width - wide) / 2,
            (picture.height - high) / 2,
            (picture.width + wide) / 2,
            (picture.height + high) / 2,
        )
    elif resize == "letterbox":
        wide, high = max(picture.width, picture.height * ratio), max(picture.height, picture.width / ratio)
        left, top = PAPER - (wide - picture.width) / 2, PAPER - (high - picture.height) / 2
        padded = Image.new("RGB", (picture.width + 2 * PAPER, picture.height + 2 * PAPER), (pad,) * 3)
        padded.paste(picture, (PAPER, PAPER))
        picture, box = padded, (left, top, left + wide, top + high)
    channels = picture.split()
    made = [c.convert("F").resize((width, height), Image.Resampling.BILINEAR, box) for c in channels]
    return np.stack([np.asarray(channel) for channel in made], -1)


def pages(picture: Image.Image, folder: Path, given: dict[str, Any]) -> NDArray[np.float32]:
    """The same by the page's script."""
    (folder / "rgba").write_bytes(picture.convert("RGBA").tobytes())
    body = """
      const data = new Uint8ClampedArray(files.readFileSync(given.folder + '/rgba'));
      const picture = { width: given.from[0], height: given.from[1], data };
      const values = script.resized(picture, script.boxFor(picture, given.input), given.input);
      files.writeFileSync(given.folder + '/out', new Uint8Array(values.buffer));
    """
    scripts.call(
        "widgets/pictures/pixels.ts",
        body,
        {"folder": str(folder), "from": picture.size, "input": {"crop": 1, "antialias": True, **given}},
    )
    return np.frombuffer((folder / "out").read_bytes(), np.float32).reshape(given["height"], given["width"], 3)


@pytest.mark.parametrize("resize", ["stretch", "center-crop", "letterbox"])
@pytest.mark.parametrize("name", PICTURES)
def test_pixels_are_pillows(name: str, resize: str, tmp_path: Path) -> None:
    picture = Image.open(CONTENT / name).convert("RGB")
    # A side of another length, so that something is cut off or added.
    picture = picture.crop((0, 0, picture.width, picture.height * 3 // 4 // 2 * 2))
    for width, height in ((48, 48), (96, 96), (20, 20)):
        given = {"width": width, "height": height, "channels": 3, "resize": resize, "pad": 114}
        expected = pythons(picture, width, height, resize, pad=114)
        assert np.abs(pages(picture, tmp_path, given) - expected).max() < 0.05  # of 255; the bound is 1


@pytest.mark.parametrize("resize", ["stretch", "center-crop", "letterbox"])
def test_photographs_too(shared: Path, resize: str, tmp_path: Path) -> None:
    picture = Image.open(shared / "samples/pets.jpg").convert("RGB").resize((640, 480))
    given = {"width": 224, "height": 224, "channels": 3, "resize": resize, "crop": 1}
    expected = pythons(picture, 224, 224, resize)
    assert np.abs(pages(picture, tmp_path, given) - expected).max() < 0.05


@pytest.mark.parametrize("resize", ["stretch", "center-crop", "letterbox"])
def test_the_middle_is_cut_out(resize: str, tmp_path: Path) -> None:
    """Resizing to 64 pixels and cutting out 56 of them is one step in the page."""
    picture = Image.open(CONTENT / "scenes/samples/cat.png").convert("RGB").resize((150, 90))
    given = {"width": 56, "height": 56, "channels": 3, "resize": resize, "crop": 0.875}
    assert np.abs(pages(picture, tmp_path, given) - pythons(picture, 56, 56, resize, 0.875)).max() < 0.05
