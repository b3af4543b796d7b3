"""A project to begin with: one demo that works, settings that are explained, and a workflow that publishes it."""

from __future__ import annotations

from pathlib import Path

from sitegen.disk import write_whole
from sitegen.errors import Kind, SitegenError

_HERE = Path(__file__).resolve().parent
# In the wheel the demo lies in the package; in the source tree it is the project's own.
_DEMO = _HERE / "starter" if (_HERE / "starter").is_dir() else _HERE.parent / "content" / "digits"
_TAKEN = ("digits.keras", "labels.txt", "samples")

_SETTINGS = """\
# The site's settings; README of sitegen lists them all.
title = "{title}"
description = "Machine learning models that run in your browser."

# How weights are stored: "auto" makes them as small as they can be without losing what matters.
# quantize = "auto"

# Pages of up to this size are kept on a visitor's device on the first visit; larger ones when asked.
# offline_limit = "20 MB"

# A theme of your own: a folder of that name in themes/.
# theme = "default"
"""

_FRONT = """\
---
title: {title}
summary: Trained models inside web pages.
---
Every demo here runs in your browser. What you draw, choose or film stays on your device.
"""

_PAGE = """\
---
title: Handwritten digits
summary: Draw a digit, and a small network names it.
task: image-classification
model:
  source: digits.keras
  license: Apache-2.0
  origin: sitegen's own demo, trained on scikit-learn's bundled digits
input:
  size: [28, 28]
  channels: 1
  invert: true
  scale: 0.00392156862745098
  sources: [draw, samples, upload, camera]
  draw: {stroke: 0.08, fit: 0.8}
labels: labels.txt
samples: samples/*.png
---
Draw one digit, large. The bars move while you draw.

{{ demo }}

Put a page of your own beside this one: `sitegen new page my-model.keras`.
"""

_IGNORED = """\
/output/
/.sitegen-cache/
"""

_WORKFLOW = """\
# Builds the site, looks at it as visitors do, and publishes it on GitHub Pages.
# Once, in the repository's settings: Pages, Build and deployment, Source: GitHub Actions.
name: pages
on:
  push:
    branches: [main]
  workflow_dispatch:
permissions:
  contents: read
  pages: write
  id-token: write
concurrency:
  group: pages
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - uses: actions/cache@v4
        with:
          path: .sitegen-cache
          key: sitegen-${{ hashFiles('content/**', 'sitegen.toml') }}
          restore-keys: sitegen-
      - run: pip install 'sitegen[check]'
      - run: sitegen build
      - run: playwright install --with-deps chromium && sitegen check
      - uses: actions/upload-pages-artifact@v3
        with:
          path: output
          include-hidden-files: true
  deploy:
    needs: build
    runs-on: ubuntu-latest
    environment:
      name: github-pages
      url: ${{ steps.deployment.outputs.page_url }}
    steps:
      - id: deployment
        uses: actions/deploy-pages@v4
"""


def write(folder: Path) -> list[str]:
    """Writes the project into a folder that is not there yet, or is empty; gives the paths. Raises SitegenError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SitegenError(f"{folder} is there already", hint="name a folder that is new, or empty", kind=Kind.USAGE)
    title = folder.resolve().name.replace("-", " ").replace("_", " ").strip().capitalize() or "Demos"
    quoted = title.replace("\\", " ").replace('"', "'")
    files = {
        "sitegen.toml": _SETTINGS.replace("{title}", quoted).encode(),
        "content/index.md": _FRONT.replace("{title}", f'"{quoted}"').encode(),
        "content/digits/index.md": _PAGE.encode(),
        ".gitignore": _IGNORED.encode(),
        ".github/workflows/pages.yml": _WORKFLOW.encode(),
    }
    for source in (found for name in _TAKEN for found in [_DEMO / name, *sorted((_DEMO / name).glob("*"))]):
        if source.is_file():
            files[f"content/digits/{source.relative_to(_DEMO).as_posix()}"] = source.read_bytes()
    for path, data in files.items():
        write_whole(folder / path, data)
    return sorted(files)
