"""Sound in, a score for every class out.

What becomes of the sound is the page's to say (schema.py: Audio), since no model tells what it was trained with; what
that gives has to be of the shape that the model takes. The arithmetic is in runtime/src/widgets/audio-classification/.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sitegen import text
from sitegen.errors import Place, SitegenError
from sitegen.records import Completed, DemoSpec, Signature
from sitegen.tasks import classes

NAME = "audio-classification"
SOURCES: tuple[str, ...] = ()
TAKES = ("labels", "samples", "input.audio", "output.activation", "output.top_k")
SAMPLES = "sound"

_MELS = ("frame", "hop", "mels", "low", "high")
# The keys that each kind of features needs, and those that it makes nothing of.
_NEEDS = {"waveform": (), "log-mel": _MELS, "mfcc": (*_MELS, "coefficients")}
_SURPLUS = {
    "waveform": (*_MELS, "coefficients", "power", "log_offset"),
    "log-mel": ("coefficients",),
    "mfcc": (),
}
# What sound is sampled at, in Hz; a model that takes some whole quarters of a second of one may take sound.
_RATES = (16000, 22050, 44100, 48000, 8000)


def fits(info: Mapping[str, Any]) -> bool:
    """One list of samples in, [N, classes] out; models that take a spectrogram look like those that take pictures."""
    inputs, outputs = info["inputs"], info["outputs"]
    if len(inputs) != 1 or inputs[0]["dtype"] != "float32" or not outputs or len(outputs[0]["shape"]) != 2:
        return False
    return _guess(inputs[0]["shape"]) is not None


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """A guess of the rate, and labels."""
    rate, seconds = _guess(info["inputs"][0]["shape"]) or (_RATES[0], 1.0)
    return [
        "# The rate in Hz that the model was trained with is a guess.",
        f"input: {{audio: {{rate: {rate}, seconds: {seconds:g}}}}}",
        "# The names of the classes, one a line: labels: labels.txt",
        "# Sounds to try: samples: samples/*.wav",
    ]


def _guess(shape: Sequence[int | None]) -> tuple[int, float] | None:
    """Rate and seconds of an input [N, samples] or [N, samples, 1]."""
    sizes = [size for size in shape[1:] if size != 1]
    if len(sizes) != 1 or sizes[0] is None:
        return None
    return next(((rate, sizes[0] / rate) for rate in _RATES if sizes[0] >= rate // 2 and not 4 * sizes[0] % rate), None)


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """The page's audio block in samples, with the model's shape; labels have to match the classes."""
    errors: list[SitegenError] = []
    audio = _audio(demo, errors)
    shape = _input_shape(demo, signature, audio, errors)
    output = classes.scores(demo, signature, errors)
    if audio is None or errors:
        return None, errors
    return Completed(None, output, {"audio": {**audio, "shape": shape}}), errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """What the model hears at once, and how many classes there are."""
    audio = completed.takes["audio"]
    seconds = audio["window"] / audio["rate"]
    heard = f"{seconds:g} s of sound at {audio['rate']:,} Hz, {_told(audio)}"
    count = len(demo.labels) or signature.outputs[0].shape[-1]
    return [("Input", heard), ("Classes", text.number(count) if count > 0 else "any")]


def _told(audio: Mapping[str, Any]) -> str:
    sizes = _sizes(audio)
    if len(sizes) == 1:
        return "as it is"
    return f"as {sizes[0]} × {sizes[1]} {'log-mel energies' if audio['coefficients'] is None else 'MFCCs'}"


def _audio(demo: DemoSpec, errors: list[SitegenError]) -> dict[str, Any] | None:
    """contract.ts: AudioInput, without the shape; None where the page does not say enough."""
    said: Mapping[str, Any] | None = demo.takes.get("audio")
    if said is None:
        hint = "what the model was trained with, such as input: {audio: {rate: 16000, seconds: 1}}"
        errors.append(SitegenError(f"{demo.task} needs input.audio", demo.places["task"], hint))
        return None
    before = len(errors)
    kind, rate = said["features"], said["rate"]
    for key in _NEEDS[kind]:
        if said[key] is None:
            what = f'"input.audio.{key}" is missing: {kind} needs it'
            errors.append(SitegenError(what, _place(demo), "the number that the model was trained with"))
    for key in _SURPLUS[kind]:
        if f"input.audio.{key}" in demo.places:
            errors.append(
                SitegenError(f'{kind} makes nothing of "input.audio.{key}"', _place(demo, key), "leave it out")
            )
    if len(errors) > before:
        return None
    audio = {
        "rate": rate,
        "window": round(rate * said["seconds"]),
        "step": max(1, round(rate * said["step"])),
        "normalize": said["normalize"],
        "spectrogram": None,
        "coefficients": said["coefficients"],
    }
    if kind != "waveform":
        audio["spectrogram"] = {
            # As training scripts count the samples of so many milliseconds.
            "frame": int(rate * said["frame"] / 1000),
            "hop": int(rate * said["hop"] / 1000),
            **{key: said[key] for key in ("mels", "low", "high", "power")},
            "logOffset": said["log_offset"],
        }
        _check(demo, audio, errors)
    return audio if len(errors) == before else None


def _check(demo: DemoSpec, audio: Mapping[str, Any], errors: list[SitegenError]) -> None:
    """Finds what gives no spectrogram."""
    told = audio["spectrogram"]
    half = audio["rate"] / 2
    if told["high"] > half:
        what = f"input.audio.high is {told['high']:g} Hz, but sound at {audio['rate']} Hz ends at {half:g} Hz"
        errors.append(SitegenError(what, _place(demo, "high")))
    if told["low"] >= told["high"]:
        errors.append(SitegenError("input.audio.low has to be less than high", _place(demo, "low")))
    if audio["coefficients"] is not None and audio["coefficients"] > told["mels"]:
        what = f"{audio['coefficients']} MFCCs cannot be made of {told['mels']} mel bands"
        errors.append(SitegenError(what, _place(demo, "coefficients")))
    for key in ("frame", "hop"):
        if told[key] < 1:
            what = f"input.audio.{key} is less than one sample: it is in milliseconds"
            errors.append(SitegenError(what, _place(demo, key)))
    if told["frame"] > audio["window"]:
        what = f"a frame of {told['frame']} samples does not fit in {audio['window']}"
        errors.append(SitegenError(what, _place(demo, "frame"), "frame is in milliseconds, seconds in seconds"))


def _sizes(audio: Mapping[str, Any]) -> tuple[int, ...]:
    """What the features give: (samples), or (frames, bins)."""
    told = audio["spectrogram"]
    if told is None:
        return (audio["window"],)
    frames = 1 + (audio["window"] - told["frame"]) // told["hop"]
    return (frames, told["mels"] if audio["coefficients"] is None else audio["coefficients"])


def _input_shape(
    demo: DemoSpec, signature: Signature, audio: Mapping[str, Any] | None, errors: list[SitegenError]
) -> list[int]:
    """The input's shape with what the page says in place of any size; appends to `errors` where the two clash."""
    place = demo.places["model.source"]
    if len(signature.inputs) != 1 or signature.inputs[0].dtype != "float32":
        ends = ", ".join(f"{spec.dtype} {text.shape(spec.shape)}" for spec in signature.inputs)
        what = f"{demo.task} takes a model with one input, float32; this one takes {ends}"
        errors.append(SitegenError(what, place))
        return []
    if audio is None:
        return []
    shape, sizes = signature.inputs[0].shape, _sizes(audio)
    # The same numbers in the same order, whether or not the model keeps frames and bins apart.
    for given in (sizes, (math.prod(sizes),)):
        filled = _filled(shape, given)
        if filled:
            return filled
    what = f"input.audio gives {text.shape((-1, *sizes))}, but the model takes {text.shape(shape)}"
    errors.append(SitegenError(what, _place(demo)))
    return []


def _filled(shape: Sequence[int], sizes: Sequence[int]) -> list[int] | None:
    """A model's shape for one input of some sizes, dimensions of 1 between them or not; None if they do not fit."""
    batch = [1] if len(shape) > len(sizes) else []
    filled, rest = list(batch), list(sizes)
    for size in shape[len(batch) :]:
        if rest and size in (-1, rest[0]):
            filled.append(rest.pop(0))
        elif size == 1:
            filled.append(1)
        else:
            return None
    return None if rest or (batch and shape[0] not in (-1, 1)) else filled


def _place(demo: DemoSpec, key: str = "") -> Place:
    """Of a key of input.audio; where it is not said, of the block."""
    return demo.places.get(f"input.audio.{key}", demo.places["input.audio"])
