"""A site, or a page with its demo, as one archive: unpacked anywhere, it opens by double-click on index.html."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from urllib.parse import quote

from sitegen import chunks
from sitegen.export.alone import Alone, Attributes, referred
from sitegen.names import flaw
from sitegen.pages import slug
from sitegen.records import Blob, Bundle, Site

_MARK = b"made by sitegen export"
# What packs; all else is packed already.
_PACKED = (".html", ".css", ".json", ".txt", ".svg", ".webmanifest")
# The earliest date that an archive can name.
_EPOCH = 315532800


def make(site: Site, bundle: Bundle | None) -> bytes:
    """The same bytes for the same site, dated SOURCE_DATE_EPOCH if that is set, else 1980."""
    files = dict(site.files) if bundle is None else _of_page(site, bundle)
    title = json.loads(site.files["site.webmanifest"].read())["name"] if bundle is None else bundle.page.title
    files["README.txt"] = Blob.of(_readme(title, site, bundle).replace("\n", "\r\n").encode("utf-8-sig"))
    name = slug(title)
    folder = "site" if flaw(name) else name
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = _MARK
        for path in sorted(files):
            archive.writestr(_entry(f"{folder}/{path}"), files[path].read(), compresslevel=9)
    return out.getvalue()


def is_ours(data: bytes) -> bool:
    """Whether a file is one that `make` made."""
    return data.endswith(_MARK)


def _entry(path: str) -> zipfile.ZipInfo:
    date = time.gmtime(max(_EPOCH, int(os.environ.get("SOURCE_DATE_EPOCH") or _EPOCH)))
    entry = zipfile.ZipInfo(path, date[:6])
    script = path.endswith(".js") and "/chunks/" not in path
    entry.compress_type = zipfile.ZIP_DEFLATED if script or path.endswith(_PACKED) else zipfile.ZIP_STORED
    # The same on every system: a plain file that all may read.
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    return entry


def _of_page(site: Site, bundle: Bundle) -> dict[str, Blob]:
    page = _Beside(site, bundle)
    text = page.rewritten()
    files = {path: site.files[path] for path in page.needed}
    files |= {chunks.path(name): blob for name, blob in bundle.chunks.items()}
    return {**files, "licenses.txt": site.files["licenses.txt"], "index.html": Blob.of(text.encode("utf-8"))}


class _Beside(Alone):
    """The page at the top of a folder, with its files where they are in the site."""

    def __init__(self, site: Site, bundle: Bundle) -> None:
        super().__init__(site, bundle)
        self.needed: set[str] = set()

    def script(self, path: str, attributes: Attributes) -> str:
        """The script, in its place."""
        when = "".join(f" {name}" for name, _ in attributes if name in ("async", "defer"))
        return f'<script src="{self.address(path)}"{when}></script>'

    def style(self, path: str) -> str:
        """The sheet, and what it refers to."""
        referred(self.text(path), path, self.address)
        return f'<link rel="stylesheet" href="{self.address(path)}">'

    def policy(self, content: str) -> str:
        """The page's own."""
        return content

    def address(self, path: str) -> str | None:
        """Where it lies from the top."""
        if path not in self.site.files:
            return None
        self.needed.add(path)
        return quote(path)


def _readme(title: str, site: Site, bundle: Bundle | None) -> str:
    what = "a demo" if bundle else "demos"
    demos = [bundle] if bundle else list(site.bundles)
    lines = [
        title,
        "=" * len(title),
        "",
        f"This folder has {what} of machine learning. Unpack it, and open index.html by double-click: it runs in",
        "your browser, needs no network, and sends nothing anywhere.",
        "",
        "It also works from any web server, if you copy the whole folder there.",
    ]
    for each in demos:
        facts = dict(each.facts)
        said = [f"{key}: {facts[key]}" for key in ("Licence", "Origin") if key in facts]
        if said:
            lines += ["", f"The model of {each.page.title}:", *(f"  {line}" for line in said)]
    return "\n".join([*lines, "", "Licences of the software in it: licenses.txt", ""])
