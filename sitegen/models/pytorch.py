"""PyTorch files (.pt, .pth): weights, as torch.save writes them, in a zip or as it was before torch 1.6.

What they hold is state_dict.py's to find. What the network computes no such file says: resnet.py does, for the networks
that it knows.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from sitegen.models.options import Options
from sitegen.records import GraphModel

NAME = "pytorch"
TITLE = "PyTorch (.pt, .pth)"

# How a file begins that is no zip: a pickle of protocol 2, and in it a number of ten bytes.
HEAD = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_PROGRAM = "is a TorchScript program, and what pages can read are weights: torch.save(model.state_dict(), path)"


def sniff(path: Path) -> bool:
    """Whether it is a zip with a data.pkl in its one folder, or begins as torch's files did before they were zips."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        if begins(stream.read(len(HEAD))):
            return True
    return any(name.count("/") == 1 and name.endswith("/data.pkl") for name in _members(path))


def begins(head: bytes) -> bool:
    """Whether the first bytes of a file are those of torch's files before they were zips."""
    return head.startswith(HEAD)


def files(path: Path) -> list[Path]:
    """The file itself."""
    return [path]


def check(path: Path) -> str | None:
    """Whether it is a program, which has code beside its pickle."""
    return _PROGRAM if any(name.endswith("/constants.pkl") for name in _members(path)) else None


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as packed:
            return packed.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return []


def load(path: Path, options: Options) -> GraphModel:
    """Raises SitegenError for what is damaged or holds no weights, and for networks that resnet.py does not know."""
    from sitegen.models import resnet, state_dict

    with state_dict.tensors(path) as found:
        return resnet.build(path.name, found, options.architecture, options.outputs)
