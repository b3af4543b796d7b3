"""SavedModel folders, of TensorFlow 1 and 2: saved_model.pb, and the variables beside it."""

from __future__ import annotations

from pathlib import Path

from sitegen.models import hostile
from sitegen.models.options import Options
from sitegen.records import GraphModel

NAME = "saved-model"
TITLE = "TensorFlow SavedModel (folder)"
_FILE = "saved_model.pb"


def sniff(path: Path) -> bool:
    """Whether it is a folder with a saved_model.pb in it."""
    return path.is_dir() and (path / _FILE).is_file()


def files(path: Path) -> list[Path]:
    """Everything in the folder."""
    return [file for file in path.rglob("*") if file.is_file()]


def check(path: Path) -> str | None:
    """A protobuf that ends where it should is looked for when it is loaded."""
    return "is empty" if (path / _FILE).stat().st_size == 0 else None


def signatures(path: Path) -> list[str]:
    """The names that `model.signature` may say."""
    from tensorflow.python.saved_model import loader_impl

    graphs = loader_impl.parse_saved_model(str(path)).meta_graphs
    return sorted({name for graph in graphs for name in graph.signature_def if not name.startswith("__saved_model")})


def load(path: Path, options: Options) -> GraphModel:
    """Raises SitegenError for signatures that are not there, and for graphs that touch files or run Python."""
    from tensorflow.python.saved_model import loader_impl

    from sitegen.models import convert

    # Before it is loaded: loading runs the model's own initializers.
    for graph in loader_impl.parse_saved_model(str(path)).meta_graphs:
        hostile.check_ops(graph.graph_def)
    return convert.saved_model(path, options.signature, options.outputs, one=options.one)
