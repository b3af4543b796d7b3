"""Makes the samples of this page: photographs that come with scikit-image and scikit-learn, made smaller.

A second run with the same versions writes the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

HERE = Path(__file__).resolve().parent
LONGEST = 480


def main() -> None:
    """Writes samples/*.jpg."""
    photographs = {
        "pagoda": load_sample_image("china.jpg"),
        "coffee-table": data.coffee(),
        "launch-pad": data.rocket(),
    }
    (HERE / "samples").mkdir(exist_ok=True)
    for name, pixels in photographs.items():
        picture = Image.fromarray(pixels)
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        picture.save(HERE / f"samples/{name}.jpg", quality=85, optimize=True)


if __name__ == "__main__":
    main()
