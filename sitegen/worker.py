"""What runs in the worker process: all that imports TensorFlow or NumPy.

The build calls these through an executor and gets plain JSON back; bytes go by way of the build cache.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitegen.disk import Cache
from sitegen.errors import SitegenError, first_line
from sitegen.models.options import Options

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

# Exit code of a process that went over its limit of memory.
OUT_OF_MEMORY = 77
# Who is told how far a job is, where there is somebody.
_listener: list[Callable[[str], None]] = []


def serve(jobs: Connection, log: Path, parent: int, memory: int) -> None:
    """Takes (function, arguments, keyword arguments) from `jobs` one by one, and answers (ok, result or exception).

    Before that it may send (None, text): how far it is.
    TensorFlow writes to the file descriptors themselves, so these go to `log`. Ctrl-C is the build's to handle; a build
    that was killed cannot end its workers, so they look for it. `memory` is in bytes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    # Its welcome message needs IPython where the output is neither terminal nor file.
    os.environ.setdefault("TFDF_DISABLE_WELCOME_MESSAGE", "1")
    # Its kernels, on by default on processors with certain instructions, approximate some activations to 1e-3.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    # With more threads, sums end in other bits on other machines, and so would weights.
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    threading.Thread(target=_watch, args=(parent, memory), daemon=True).start()
    _listener.append(lambda message: jobs.send((None, message)))
    while True:
        try:
            function, arguments, keywords = jobs.recv()
        except EOFError:
            return
        try:
            answer = (True, function(*arguments, **keywords))
        except Exception as error:
            answer = (False, error)
        jobs.send(answer)


def _watch(parent: int, memory: int) -> None:
    while os.getppid() == parent:
        if _memory_in_use() > memory:
            os._exit(OUT_OF_MEMORY)
        time.sleep(0.2)
    os._exit(1)


def _memory_in_use() -> int:
    """Bytes of this process that lie in memory; where that is not told, the most that ever did."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        import resource

        # macOS counts bytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * os.sysconf("SC_PAGE_SIZE")


def convert(path: Path, format_name: str, options: Options, cache: Path) -> dict[str, Any]:
    """Reads a model file and keeps it in the cache: see models/store.py. Raises SitegenError."""
    from sitegen.graph import activations, fold, lacking
    from sitegen.models import FORMATS, store

    module = next(f for f in FORMATS if format_name == f.NAME)
    with _told(path, ".sitegen-cache/convert.log"):
        model = fold.fold(module.load(path, options))
        lacking.check(model)
        if options.heatmap:
            model = activations.add(model)
        return store.save(model, Cache(cache))


def inspect(path: Path, format_name: str, options: Options, log: Path) -> dict[str, Any]:
    """What there is to know of a model file: see inspection.py. Raises SitegenError."""
    from sitegen import inspection

    with _told(path, str(log)):
        return inspection.inspect(path, format_name, options)


@contextmanager
def _told(path: Path, log: str) -> Iterator[None]:
    """Turns whatever is raised while a model is read into a SitegenError."""
    try:
        yield
    except SitegenError:
        raise
    except Exception as error:
        import traceback

        traceback.print_exc()
        raise SitegenError(
            f"{path.name} cannot be converted: {first_line(error)}",
            hint=f"the whole story is in {log}",
        ) from error


def pack(
    stored: dict[str, Any], scheme: str, fixed: dict[str, str], use: dict[str, Any], cache: Path
) -> dict[str, Any]:
    """Quantizes a stored model and cuts it into chunks: see weights/codec.py."""
    from sitegen.weights import codec

    return codec.pack(stored, scheme, fixed, use, Cache(cache), _say)


def record(
    stored: dict[str, Any],
    packed: dict[str, Any],
    shapes: dict[str, list[int]] | None,
    image: dict[str, Any] | None,
    cache: Path,
) -> dict[str, Any]:
    """Records the plan of a packed model, proves it, and cuts both into chunks: see plan.py and proof.py.

    Gives JSON: `plan`, the chunks, or None, `peak` in bytes, and `why` there is no plan; `proof` likewise, `apart`,
    how far the engine is from TensorFlow, and why it is `unproven`. Raises SitegenError where it is too far.
    """
    from sitegen import chunks, plan, proof
    from sitegen.graph import rename
    from sitegen.models import store

    kept = Cache(cache)
    model, _ = rename.short(store.load(stored, kept))
    weights = chunks.payload(packed["weights"], kept)
    made = plan.record(model, weights, shapes)
    proven, unproven = None, "it takes inputs of any size"
    if shapes is not None:
        try:
            proven = proof.prove(model, weights, made.file, shapes, image)
        except LookupError as error:
            unproven = str(error)
    return {
        "plan": made.file and chunks.keep(made.file, kept),
        "peak": made.peak,
        "why": made.why,
        "proof": proven and chunks.keep(proven.file, kept),
        "apart": proven and proven.engine,
        "unproven": "" if proven else unproven,
    }


def _say(message: str) -> None:
    for listener in _listener:
        listener(message)
