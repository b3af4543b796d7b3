"""The values that flow through a build. Frozen, and made of nothing but the standard library's types.

A site is a mapping from relative path to Blob; everything else here is a station on the way to that mapping.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitegen.errors import Place, SitegenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What pages get that say nothing, where the settings do not either; schema.py has all schemes.
DEFAULT_SCHEME = "auto"
# Names that pages and settings share; runtime/src/page/offline.ts is what they stand for.
OFFLINE_MODES = ("auto", "ask", "never")


@dataclass(frozen=True)
class Blob:
    """Bytes, held in memory or lying in a file that does not change (the build cache, the package).

    Exactly one of `data` and `path` is set. Large payloads stay on disk, so that they are never held twice.
    """

    sha256: str
    size: int
    data: bytes | None = None
    path: Path | None = None

    @staticmethod
    def of(data: bytes) -> Blob:
        """A blob of bytes in memory."""
        return Blob(hashlib.sha256(data).hexdigest(), len(data), data=data)

    def read(self) -> bytes:
        """All of its bytes."""
        if self.data is not None:
            return self.data
        assert self.path is not None
        return self.path.read_bytes()


@dataclass(frozen=True)
class SourceFile:
    """A file of the project. `name` is its path from the project's root with forward slashes."""

    name: str
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class ModelRef:
    """Where a page says its model is. `name` is the address, or the path from the project's root; then `path` is set.

    `member` names the model inside an archive, and `files` what must be in it: paths and hashes, in hexadecimal digits.
    An `optional` model that cannot be had takes its page with it.
    """

    name: str
    path: Path | None = None
    sha256: str | None = None
    sha512: str | None = None
    member: str | None = None
    optional: bool = False
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ModelFile:
    """A model as it lies on this machine, a file or a folder. `name` is how the project's people know it.

    `archive` is the folder of all that came with it, if it came in one.
    """

    name: str
    path: Path
    archive: Path | None = None


@dataclass(frozen=True)
class ArrayFile:
    """Numbers that a page ships: float32, little endian, row by row, from byte `offset` of a file on (npy.py)."""

    file: SourceFile
    shape: tuple[int, ...]
    offset: int

    def read(self) -> bytes:
        """The numbers, without the file's head."""
        return self.file.path.read_bytes()[self.offset :]


@dataclass(frozen=True)
class TensorSpec:
    """A named end of a graph. `name` is the graph's tensor name; -1 in `shape` is a dimension of any size."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    range: tuple[float, float] | None = None  # the least and the largest number it takes, where the file says so


@dataclass(frozen=True)
class Signature:
    """What goes into a model and what comes out, in the model's own order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    # How a text becomes its input, where the model says it: schema.py, Text, with the tokens as a list.
    text: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Lacking:
    """A node that pages cannot run, and where the graph can end instead: names for `model.outputs`."""

    node: str
    op: str
    instead: tuple[str, ...]


@dataclass(frozen=True)
class Detection:
    """How a single-shot detector's two heads become boxes, which the page does and not the graph.

    Box codes are those of Faster R-CNN (Ren et al., 2015, equation 2), ty, tx, th, tw, each divided by its `scales`;
    anchors and boxes are ymin, xmin, ymax, xmax in 0..1.
    """

    boxes: str  # tensor of the codes, [batch, ..., anchors, 4] or so
    scores: str  # tensor of the scores, in 0..1, [batch, anchors, background + classes]
    anchors: NDArray[np.float32]  # [anchors, 4]
    scales: tuple[float, ...]  # four
    background: int  # how many columns of the scores come before the first class
    first_class: int  # what the first class is called in the results
    iou: float  # a box that overlaps a better one of its class by more is dropped
    score: float  # as is one that scores no more
    per_class: int  # the most boxes of a class
    total: int  # the most boxes of a picture


@dataclass(frozen=True)
class GraphModel:
    """A frozen graph, whatever file it came from.

    `topology` is a GraphDef as TF.js reads it (JSON: node, versions, library); `weights` holds the value of every
    Const node that is a weight, by node name. It lives in the worker process only; between steps it lies in the cache.
    """

    topology: Mapping[str, Any]
    weights: Mapping[str, NDArray[np.generic]]
    signature: Signature
    notes: tuple[str, ...] = ()  # what the author should know of how it was read
    detection: Detection | None = None
    lacking: tuple[Lacking, ...] = ()
    # Of weights that were quantized in the file, the step that all are whole multiples of: one number, or one for each
    # column of the weight as [rows, columns].
    steps: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def ends(self) -> tuple[str, ...]:
        """The tensors that the graph is run for: the signature's outputs, or the heads that these are made of."""
        if self.detection is not None:
            return (self.detection.boxes, self.detection.scores)
        return tuple(spec.name for spec in self.signature.outputs)


@dataclass(frozen=True)
class FileRef:
    """A payload cut into chunks (sitegen/chunks.py): what the page needs to put it together again."""

    bytes: int
    encoding: str  # identity | deflate-raw
    chunks: tuple[tuple[str, int], ...]  # SHA-256 of the payload piece, its bytes


@dataclass(frozen=True)
class Chunked:
    """A FileRef with the files that carry it: id of the chunk -> the file chunks/<id>.js."""

    ref: FileRef
    files: Mapping[str, Blob]


@dataclass(frozen=True)
class Packed:
    """A model as it is shipped under one scheme."""

    engine: str  # plan | graph
    graph: Chunked  # as that engine takes it: docs/plan-format.md, or TF.js's topology
    weights: Chunked
    scheme: str
    weight_bytes: int
    float32_bytes: int
    signature: Signature
    parameters: int
    layers: tuple[tuple[str, int, int], ...]  # the largest tensors: name, bytes as float32 and as they are shipped
    notes: tuple[str, ...] = ()
    loss: Mapping[str, Any] | None = None  # what was measured of it: weights/codec.py
    detection: Mapping[str, Any] | None = None  # contract.ts: DetectionConfig, without the anchors
    anchors: Chunked | None = None
    proof: Chunked | None = None  # golden numbers: proof.py
    apart: float | None = None  # how far the engine is from TensorFlow there
    source: tuple[tuple[str, str], ...] = ()  # the model's files that were read, and their SHA-256
    peak: int | None = None  # bytes: the most that tensors, weights included, take at once in the plan engine


@dataclass(frozen=True)
class ImageInput:
    """How a picture becomes the input tensor: y = (x * scale - mean[c]) / std[c] for x in 0..255, NHWC.

    Without `antialias`, what is shrunk is bilinear between four pixels. `crop` is the share of each side of what
    `resize` gives that is taken, out of its middle.
    `height`, `width` and `channels` are None where the model is to say.
    """

    height: int | None
    width: int | None
    channels: int | None
    resize: str
    pad: int  # how bright what is around a letterboxed picture is, 0..255
    antialias: bool
    crop: float
    invert: bool
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sources: tuple[str, ...]
    max_fps: float
    stroke: float
    fit: float | None


@dataclass(frozen=True)
class Grouped:
    """The group of a class, and where the page's people say it."""

    label: str
    group: str
    place: Place


@dataclass(frozen=True)
class Output:
    """What the page says becomes of the model's outputs; None where the model, or the task, is to say."""

    activation: str
    top_k: int
    groups: tuple[Grouped, ...] | None
    heatmap: bool
    rows: str | None
    boxes: str | None
    scores: str | None
    classes: str | None
    columns: tuple[str, ...] | None
    units: str | None
    first_class: int | None
    threshold: float
    unit: str
    iou: float | None
    keypoints: str | None
    limbs: tuple[tuple[str | int, ...], ...] | None


@dataclass(frozen=True)
class Completed:
    """A page's input and output with what the model says of them.

    `image` is None for tasks that take no picture; `output` and `takes`, of what is no picture, are the JSON of
    contract.ts: OutputConfig and Takes. `files` are what the page fetches besides, by what visitors
    are told of them.
    """

    image: ImageInput | None
    output: Mapping[str, Any]
    takes: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Override:
    """A scheme for the tensors whose names match a pattern. The site's have no place: they need not match any."""

    pattern: str
    scheme: str
    place: Place | None


@dataclass(frozen=True)
class Quantization:
    """How a page's weights are made small.

    The scheme was `asked` for when the page or the settings say so; else it is the default, which may give way to
    another. `budget` is the page's own; of the site's, `shared`, only what fits the model counts. Of the `overrides`
    the first that matches counts. `labelled` pictures come with the index of their class.
    """

    scheme: str
    asked: bool
    budget: Mapping[str, float]  # what auto may lose: min_agreement, max_kl, min_snr, max_drop, as far as they are said
    shared: Mapping[str, float]
    overrides: tuple[Override, ...]
    calibration: tuple[SourceFile, ...]
    labelled: tuple[tuple[SourceFile, int], ...]


@dataclass(frozen=True)
class LabelsFile:
    """The file in the model's archive that has the classes' names: one a line, or in it what `pattern` has first."""

    member: str
    pattern: str | None


@dataclass(frozen=True)
class DemoSpec:
    """What a page says about its demo, checked as far as it can be without the model.

    `places` gives the place of a front-matter key ("model.source", "labels", ...) for errors found later. `sound` is
    False when errors were found already: its model file is still looked at, to report everything in one run.
    """

    task: str
    model: ModelRef | None  # None only when not sound
    format: str | None
    signature: str | None
    architecture: str | None
    outputs: tuple[str, ...]
    license: str | None
    origin: str | None
    quantize: Quantization
    input: ImageInput
    output: Output
    labels: tuple[str, ...]
    labels_file: LabelsFile | None  # where they are, until the model was fetched
    backend: str  # wasm, or what the page may change over to: schema.py
    samples: tuple[SourceFile, ...]
    pictures: tuple[SourceFile, ...]  # for the page's card
    takes: Mapping[str, Any]  # what the page's input says of what is no picture: schema.py, TAKES
    arrays: Mapping[str, ArrayFile]  # files of numbers that it names, by their keys: "input.clip.mean"
    array_members: Mapping[str, str]  # those that are in the model's archive, until that was fetched: their paths in it
    said: frozenset[str]  # the keys that stand in the front matter, and those within them: "input", "input.size"
    places: Mapping[str, Place]
    sound: bool


@dataclass(frozen=True)
class Page:
    """A page that was read: its text as HTML (DEMO_MARK where the demo goes) and its demo, if it has one."""

    source: str  # content/digits/index.md
    path: str  # digits/index.html
    title: str
    summary: str
    offline: str
    body: str
    toc: str
    demo: DemoSpec | None
    order: int | None = None  # of its card on the front page, from 1 on
    # Files that the text refers to: path in the site -> file; `embedded` are those that the page shows by itself.
    linked: Mapping[str, SourceFile] = field(default_factory=dict)
    embedded: frozenset[str] = frozenset()


DEMO_MARK = "<!--sitegen:demo-->"


@dataclass(frozen=True)
class Bundle:
    """One demo, ready: its files and what the page's script is told about it (contract.ts: DemoConfig)."""

    page: Page
    packed: Packed
    config: Mapping[str, Any]
    assets: tuple[str, ...]  # paths of the task's own script and style sheet
    chunks: Mapping[str, Blob]  # id -> file
    spare: frozenset[str]  # chunks that most visitors never fetch: the backend without SIMD, variants of the engine
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Limits:
    """What one job may take: seconds, and bytes of memory in use by its process."""

    seconds: float = 1800
    memory: int = 0  # 0: three quarters of this machine's

    def bytes(self) -> int:
        """The limit of memory in bytes."""
        return self.memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4


@dataclass(frozen=True)
class Site:
    """The whole site as a value: relative path -> blob. `build` names this very content."""

    files: Mapping[str, Blob]
    build: str
    bundles: tuple[Bundle, ...]
    pages: tuple[Page, ...]
    warnings: tuple[str, ...] = ()
    isolated: bool = False  # its pages are to be kept apart from other sites: settings.threads
    # Pages that are not there, as their optional model could not be had, and why.
    left_out: tuple[tuple[Page, SitegenError], ...] = ()
