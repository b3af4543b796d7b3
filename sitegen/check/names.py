"""Names of files that cannot be copied anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from sitegen import names
from sitegen.check.folder import Folder
from sitegen.errors import SitegenError


def faults(folder: Folder) -> Iterator[SitegenError]:
    """Every name that some disk does not take, and every two that cannot lie beside one another."""
    for path in folder.files:
        if why := names.flaw(path):
            hint = "rename what it comes from: the page's file or folder, or a file beside it"
            yield SitegenError(f"this name cannot be copied anywhere: {why}", folder.place(path), hint)
    for one, other in names.clashes(folder.files):
        what = f"this cannot lie beside {one} where upper and lower case, or accents, are not told apart"
        yield SitegenError(what, folder.place(other), "rename one of the two")
