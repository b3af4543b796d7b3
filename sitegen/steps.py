"""The steps that cost time, each kept in the build cache by a key of all that goes into it.

What imports TensorFlow or NumPy runs in a worker process (worker.py); a build whose steps are all in the cache
starts none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sitegen import beside, chunks, icon, labels, media, models, plan, quantization, tasks, thumbnail, weights, worker
from sitegen.disk import Cache
from sitegen.errors import SitegenError, Unreachable
from sitegen.models.locate import Sources, within
from sitegen.models.options import Options
from sitegen.records import (
    Blob,
    Chunked,
    DemoSpec,
    FileRef,
    ImageInput,
    LabelsFile,
    Limits,
    ModelFile,
    ModelRef,
    Packed,
    Signature,
    SourceFile,
    TensorSpec,
)
from sitegen.tasks import TASKS

Progress = Callable[[str], None]
Workers = Callable[[], Executor]
# Cache key of a conversion, and its result or the future of it.
_Begun = tuple[str, Any | Future[dict[str, Any]]]
# Cache key of the packing, the stored model, and the packed one or the future of it.
_Packing = tuple[str, dict[str, Any], Any | Future[dict[str, Any]]]
# Cache key of the recording, the stored and the packed model, and the plan or the future of it.
_Planning = tuple[str, dict[str, Any], dict[str, Any], Any | Future[dict[str, Any]]]


@contextmanager
def pool(log: Path, jobs: int, limits: Limits, progress: Progress) -> Iterator[Workers]:
    """Gives what makes the worker processes when it is first called.

    On the way out by Ctrl-C or error, they are ended, not waited for.
    """
    made: list[Executor] = []

    def get() -> Executor:
        if not made:
            from sitegen.workers import Pool

            made.append(Pool(log, jobs, limits, progress))
        return made[0]

    try:
        yield get
    except BaseException:
        for each in made:
            each.shutdown(cancel_futures=True)
        raise
    for each in made:
        each.shutdown()


@dataclass(frozen=True)
class Missing:
    """An optional model that cannot be had now."""

    why: SitegenError


class Steps:
    """The steps of one build. With `strict` an optional model is one like any other."""

    def __init__(
        self, cache: Cache, executor: Workers, progress: Progress, sources: Sources, *, strict: bool = False
    ) -> None:
        self._cache = cache
        self._executor = executor
        self._progress = progress
        self._sources = sources
        self._strict = strict
        self._read: dict[ModelRef, tuple[tuple[str, str], ...]] = {}
        self._files: dict[ModelRef, ModelFile | SitegenError] = {}

    def packed(self, demos: list[DemoSpec], errors: list[SitegenError]) -> list[Packed | Missing | None]:
        """The packed model of each demo, in order; all work is under way at once. Appends to `errors`."""
        begun = [self._start(demo, errors) for demo in demos]
        packing = [self._pack(demo, each, errors) for demo, each in zip(demos, begun, strict=True)]
        planning = [self._plan(demo, each, errors) for demo, each in zip(demos, packing, strict=True)]
        return [self._finish(demo, each, errors) for demo, each in zip(demos, planning, strict=True)]

    def named(self, demo: DemoSpec, errors: list[SitegenError]) -> DemoSpec:
        """The demo with its labels and arrays, where they are in its model's archive. Appends to `errors`.

        What is wrong with the archive itself is left to `packed`.
        """
        if (demo.labels_file is None and not demo.array_members) or demo.model is None:
            return demo
        try:
            file = self._located(demo.model)
        except SitegenError:
            return demo
        wrong: list[SitegenError] = []
        named = _named(demo, demo.labels_file, file, wrong) if demo.labels_file else demo.labels
        arrays = dict(demo.arrays)
        for key, member in demo.array_members.items():
            try:
                path, name = within(file, member)
            except SitegenError as error:
                wrong.append(_placed(error, demo, key))
                continue
            found = beside.array_at(path, name, member, demo.places[key], wrong)
            if found is not None:
                arrays[key] = found
        errors += wrong
        return replace(demo, labels=named, arrays=arrays, sound=demo.sound and not wrong)

    def _located(self, model: ModelRef) -> ModelFile:
        """As Sources.locate, and asked for once."""
        if model not in self._files:
            try:
                self._files[model] = self._sources.locate(model)
            except SitegenError as error:
                self._files[model] = error
        found = self._files[model]
        if isinstance(found, SitegenError):
            raise found
        return found

    def _start(self, demo: DemoSpec, errors: list[SitegenError]) -> _Begun | Missing | None:
        """The cache key of a model's conversion, and its result or the future of it."""
        if demo.model is None:
            return None
        place = demo.places["model.source"]
        try:
            file = self._located(demo.model)
            format = models.identify(file, demo.format, place, demo.places["model.format"])
            parts = [(path.name, self._cache.sha256(path)) for path in sorted(format.files(file.path))]
            if demo.architecture is not None and format.NAME != "pytorch":
                what = f"{file.name} says its architecture itself ({format.TITLE})"
                raise SitegenError(what, hint="leave it out", key="model.architecture")
        except SitegenError as error:
            placed = error if error.where else _placed(error, demo, "model.source")
            if isinstance(error, Unreachable) and demo.model.optional and not self._strict:
                return Missing(placed)
            errors.append(placed)
            return None
        if not demo.sound:
            return None
        self._read[demo.model] = tuple(parts)
        # Pictures and clips come one by one.
        options = Options(
            demo.outputs,
            demo.signature,
            demo.architecture,
            _heatmap(demo),
            one=bool(tasks.TASKS[demo.task].SOURCES),
        )
        key = Cache.key(
            {
                "model": parts,
                "format": format.NAME,
                **asdict(options),
                "versions": models.versions(),
            }
        )
        known = self._cache.recall("convert", key)
        if known is not None and all(
            self._cache.get(*known[name]) for name in ("topology", "data", "anchors", "steps") if name in known
        ):
            return key, known
        self._progress(f"converting {file.name} ({format.TITLE})")
        return key, self._executor().submit(worker.convert, file.path, format.NAME, options, self._cache.root)

    def _pack(
        self, demo: DemoSpec, begun: _Begun | Missing | None, errors: list[SitegenError]
    ) -> _Packing | Missing | None:
        """The packed model, or the future of it."""
        if begun is None or isinstance(begun, Missing):
            return begun
        key, stored = begun
        if isinstance(stored, Future):
            try:
                stored = stored.result()
            except SitegenError as error:
                errors.append(_placed(error, demo, "model.source"))
                return None
            self._cache.keep("convert", key, stored)
        done, wrong = tasks.completed(demo, _signature(stored))
        fixed, unknown = quantization.fixed(demo.quantize.overrides, stored["weights"])
        if done is None or wrong or unknown:
            errors += [*wrong, *unknown]
            return None
        scheme, labelled = demo.quantize.scheme, demo.quantize.labelled
        use = _use(demo, done.image) if scheme == "auto" else {}
        pack_key = Cache.key(
            {
                "data": stored["data"],
                "topology": stored["topology"],
                "weights": stored["weights"],
                "anchors": stored.get("anchors"),
                "steps": [stored.get("steps"), stored["stepped"]],
                "scheme": scheme,
                "fixed": fixed,
                "use": use,
                "calibration": [self._cache.sha256(file.path) for file in demo.quantize.calibration],
                "labelled": [[self._cache.sha256(file.path), index] for file, index in labelled],
                "format": [weights.FORMAT, chunks.FORMAT],
            }
        )
        known = self._recalled("pack", pack_key, _payloads)
        if known is not None:
            return pack_key, stored, known
        assert demo.model is not None
        doing = f"making the weights of {demo.model.name} small"
        if scheme == "auto":
            self._progress(doing)
        use |= {
            "doing": doing,
            "calibration": [[file.name, str(file.path)] for file in demo.quantize.calibration],
            "labelled": [[file.name, str(file.path), index] for file, index in labelled],
        }
        return pack_key, stored, self._executor().submit(worker.pack, stored, scheme, fixed, use, self._cache.root)

    def _plan(
        self, demo: DemoSpec, packing: _Packing | Missing | None, errors: list[SitegenError]
    ) -> _Planning | Missing | None:
        """The plan of a packed model, or the future of it."""
        if packing is None or isinstance(packing, Missing):
            return packing
        key, stored, packed = packing
        if isinstance(packed, Future):
            try:
                packed = packed.result()
            except SitegenError as error:
                errors.append(_placed(error, demo, "quantize.scheme"))
                return None
            self._cache.keep("pack", key, packed)
        signature = _signature(stored)
        done = tasks.completed(demo, signature)[0]
        image = done.image if done else None
        shapes, arithmetic = plan.shapes(signature, image), _arithmetic(image) if image else None
        plan_key = Cache.key(
            {
                "graph": packed["topology"]["chunks"],
                "weights": packed["weights"]["chunks"],
                "ends": stored["signature"],
                "detection": stored["detection"],
                "shapes": shapes,
                "image": arithmetic,
                "data": stored["data"],
                "format": [plan.FORMAT, chunks.FORMAT],
            }
        )
        known = self._recalled("plan", plan_key, _plan_payloads)
        if known is not None:
            return plan_key, stored, packed, known
        planned = self._executor().submit(worker.record, stored, packed, shapes, arithmetic, self._cache.root)
        return plan_key, stored, packed, planned

    def _finish(
        self, demo: DemoSpec, planning: _Planning | Missing | None, errors: list[SitegenError]
    ) -> Packed | Missing | None:
        if planning is None or isinstance(planning, Missing):
            return planning
        key, stored, packed, planned = planning
        if isinstance(planned, Future):
            try:
                planned = planned.result()
            except SitegenError as error:
                errors.append(_placed(error, demo, "model.source"))
                return None
            self._cache.keep("plan", key, planned)
        notes = list(stored["notes"])
        if packed["unmeasured"]:
            why = SitegenError(*packed["unmeasured"])
            if demo.quantize.asked:
                errors.append(_placed(why, demo, "quantize.scheme"))
                return None
            notes.append(f"weights are {packed['scheme']}: {why.what}")
        if planned["why"]:
            notes.append(f"the page brings TF.js's executor, as the model has no plan: {planned['why']}")
        if planned["unproven"]:
            notes.append(f"the page cannot be proven: {planned['unproven']}")
        if demo.backend != "wasm" and not (planned["plan"] and planned["proof"]):
            notes.append(f"backend: {demo.backend} does nothing, as the model has no plan or cannot be proven")
        assert demo.model is not None
        return Packed(
            engine="plan" if planned["plan"] else "graph",
            graph=self._chunked(planned["plan"] or packed["topology"]),
            weights=self._chunked(packed["weights"]),
            scheme=packed["scheme"],
            weight_bytes=packed["weight_bytes"],
            float32_bytes=packed["float32_bytes"],
            signature=_signature(stored),
            parameters=stored["parameters"],
            layers=tuple((name, before, after) for name, before, after in packed["layers"]),
            notes=tuple(notes),
            loss=packed["loss"],
            detection=stored["detection"],
            anchors=self._chunked(packed["anchors"]) if "anchors" in packed else None,
            source=self._read[demo.model],
            peak=planned["peak"],
            proof=self._chunked(planned["proof"]) if planned["proof"] else None,
            apart=planned["apart"],
        )

    def _cached(
        self,
        step: str,
        key: str,
        compute: Callable[[], dict[str, Any]],
        chunked: Callable[[dict[str, Any]], list[dict[str, Any]]],
    ) -> dict[str, Any]:
        """A step's result from the cache, or computed and kept; `chunked` names the payloads in it."""
        known = self._recalled(step, key, chunked)
        if known is not None:
            return known
        result = compute()
        self._cache.keep(step, key, result)
        return result

    def _recalled(
        self, step: str, key: str, chunked: Callable[[dict[str, Any]], list[dict[str, Any]]]
    ) -> dict[str, Any] | None:
        """A step's result, if it is in the cache with all of its payloads."""
        known: dict[str, Any] | None = self._cache.recall(step, key)
        if known is None:
            return None
        whole = all(self._cache.get(*blob) for part in chunked(known) for blob in part["files"].values())
        return known if whole else None

    def _chunked(self, kept: Mapping[str, Any]) -> Chunked:
        files = {}
        for name, (sha256, size) in kept["files"].items():
            blob = self._cache.get(sha256, size)
            if blob is None:
                raise SitegenError("the build cache changed while it was read", hint="build again")
            files[name] = blob
        ref = FileRef(kept["bytes"], kept["encoding"], tuple((name, size) for name, size in kept["chunks"]))
        return Chunked(ref, files)

    def linked(self, file: SourceFile) -> Blob:
        """A file of the project that a page refers to, as it is."""
        return Blob(self._cache.sha256(file.path), file.size, path=file.path)

    def cut(self, blob: Blob, *, thorough: bool = False) -> Chunked:
        """A payload of the build's own, in chunks by way of the cache."""
        key = Cache.key({"data": blob.sha256, "format": chunks.FORMAT, "thorough": thorough})

        def compute() -> dict[str, Any]:
            return chunks.keep(blob.read(), self._cache, thorough=thorough)

        return self._chunked(self._cached("chunks", key, compute, lambda result: [result]))

    def media_type(self, file: SourceFile, kind: str) -> str | None:
        """The media type of a file that is of a kind (media.py), else None."""
        key = Cache.key({kind: self._cache.sha256(file.path), "check": 1})
        known = self._cache.recall("media", key)
        if known is None:
            known = [media.KINDS[kind].told(file.path.read_bytes())]
            self._cache.keep("media", key, known)
        told: str | None = known[0]
        return told

    def thumbnail(self, pictures: Sequence[SourceFile]) -> Blob:
        """A picture for the page's card, made of the first of its own."""
        paths = [file.path for file in pictures[: thumbnail.TILES]]
        key = Cache.key({"samples": [self._cache.sha256(path) for path in paths], "drawn": 3})
        return self._drawn("thumbnail", key, lambda: thumbnail.draw(paths))

    def icon(self, source: Blob, side: int, *, maskable: bool) -> Blob:
        """An icon made from the theme's. Raises SitegenError when that is not as it should be."""
        key = Cache.key({"source": source.sha256, "side": side, "maskable": maskable, "drawn": 1})
        return self._drawn("icon", key, lambda: icon.draw(source.read(), side, maskable))

    def _drawn(self, step: str, key: str, draw: Callable[[], bytes]) -> Blob:
        """A picture by way of the cache."""
        known = self._cache.recall(step, key)
        blob = self._cache.get(*known) if known else None
        if blob is None:
            blob = self._cache.put(draw())
            self._cache.keep(step, key, [blob.sha256, blob.size])
        return blob


def _named(demo: DemoSpec, said: LabelsFile, file: ModelFile, errors: list[SitegenError]) -> tuple[str, ...]:
    """The labels in a model's archive. Appends to `errors`."""
    try:
        path, name = within(file, said.member)
        return labels.of_lines(labels.split(path.read_bytes()), said.pattern, name, errors)
    except SitegenError as error:
        errors.append(_placed(error, demo, "labels"))
    except UnicodeDecodeError:
        errors.append(SitegenError(f"{said.member} is not UTF-8", demo.places["labels"]))
    return ()


def _placed(error: SitegenError, demo: DemoSpec, key: str) -> SitegenError:
    """An error that no place is known of, at the place of its key, or else of `key`."""
    return SitegenError(error.what, demo.places.get(error.key or key, demo.places[key]), error.hint, error.kind)


def _heatmap(demo: DemoSpec) -> bool:
    """Whether class activations are to come out; a task that makes nothing of them says so itself."""
    return demo.output.heatmap and "output.heatmap" in TASKS[demo.task].TAKES


def _payloads(packed: dict[str, Any]) -> list[dict[str, Any]]:
    return [packed[name] for name in ("topology", "weights", "anchors") if name in packed]


def _plan_payloads(planned: dict[str, Any]) -> list[dict[str, Any]]:
    return [planned[name] for name in ("plan", "proof") if planned[name]]


def _use(demo: DemoSpec, given: ImageInput | None) -> dict[str, Any]:
    """What weights/use.py is told of a page."""
    said = {
        "activation": demo.output.activation,
        "budget": dict(demo.quantize.budget),
        "shared": dict(demo.quantize.shared),
    }
    if given is None:
        return {"input": None, **said}
    sizes = {"height": given.height, "width": given.width, "channels": given.channels}
    draw = {"pen": given.stroke, "fit": given.fit} if "draw" in given.sources else None
    return {
        "input": {
            **sizes,
            "resize": given.resize,
            "pad": given.pad,
            "crop": given.crop,
            **_arithmetic(given),
            "draw": draw,
        },
        **said,
    }


def _arithmetic(given: ImageInput) -> dict[str, Any]:
    """What becomes of a picture's numbers."""
    return {"invert": given.invert, "scale": given.scale, "mean": list(given.mean), "std": list(given.std)}


def _signature(stored: Mapping[str, Any]) -> Signature:
    inputs, outputs = (tuple(_spec(spec) for spec in stored["signature"][side]) for side in ("inputs", "outputs"))
    return Signature(inputs, outputs, stored["text"])


def _spec(stored: list[Any]) -> TensorSpec:
    return TensorSpec(stored[0], stored[1], tuple(stored[2]))
