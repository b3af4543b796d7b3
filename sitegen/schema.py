"""What may stand in a page's front matter: one pydantic model, from which errors and documentation come.

Shorthands are widened before validation (`model: digits.keras` means `model: {source: digits.keras}`), so that the
rest of the build sees one shape.
"""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Literal

# Pydantic would look for plugins in every package that is installed, at each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


def _widen(key: str) -> BeforeValidator:
    """A plain text stands for a mapping with that one key."""
    return BeforeValidator(
        lambda value: {key: value} if isinstance(value, str) else value,
        json_schema_input_type=str | dict[str, Any],
    )


_one_or_many = BeforeValidator(
    lambda value: [value] if isinstance(value, str | int | float) else value,
    json_schema_input_type=str | list[str],
)


Scheme = Literal["none", "float16", "uint8", "auto"]


class Strict(BaseModel):
    """Unknown keys are errors; nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ModelRef(Strict):
    """The model: where it is, and what its readers should know about it."""

    source: str = Field(
        min_length=1, description="a file, folder or archive: its path from the page's folder, or its address"
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="what the file behind an address must hash to"
    )
    sha512: str | None = Field(None, pattern="^[0-9a-f]{128}$", description="the same, by SHA-512")
    member: str | None = Field(None, description="the model's path inside an archive that holds several")
    files: dict[str, Annotated[str, Field(pattern="^([0-9a-f]{64}|[0-9a-f]{128})$")]] = Field(
        {}, description="what files in an archive must hash to, by their paths in it: SHA-256 or SHA-512"
    )
    optional: bool = Field(False, description="a model that cannot be fetched leaves its page out instead of failing")
    format: str | None = Field(None, description="overrides what the file itself says it is")
    architecture: Literal["resnet18", "resnet34"] | None = Field(
        None, description="the network that PyTorch's weights are of; left out, it is told by their names"
    )
    signature: str | None = Field(None, description="which signature of a SavedModel; serving_default when it has one")
    outputs: list[str] = Field([], description="cut the graph at these tensors")
    license: str | None = Field(None, description="shown on the page; an SPDX identifier where there is one")
    origin: str | None = Field(None, description="where the model comes from: an address or a sentence")


class SiteQuantize(Strict):
    """How the weights are made small, as settings and pages say it; what is left out is said elsewhere, or not at all.

    The budget's keys are for the scheme auto.
    """

    scheme: Scheme | None = Field(None, description="none keeps float32")
    min_agreement: float | None = Field(
        None, ge=0, le=1, description="auto: the least share of inputs whose best class stays"
    )
    max_kl: float | None = Field(None, gt=0, description="auto: the most Kullback-Leibler divergence, in nats")
    min_snr: float | None = Field(None, gt=0, description="auto: the least ratio of signal to noise, in decibels")
    max_drop: float | None = Field(
        None, ge=0, le=1, description="auto: the most share of the labelled pictures that may be lost to accuracy"
    )
    tensors: dict[str, Scheme] = Field(
        {}, description="schemes of single tensors, by patterns of their names; the first that matches counts"
    )


class Quantize(SiteQuantize):
    """What a page says besides: pictures to measure with."""

    calibration: Annotated[list[str], _one_or_many] = Field(
        [], description="auto: pictures like those that visitors will use, to measure with"
    )
    labelled: Annotated[list[str], _one_or_many] = Field(
        [], description="auto: pictures whose folder is called as their class is in labels, to measure accuracy with"
    )


class Draw(Strict):
    """The drawing canvas."""

    stroke: float = Field(0.08, gt=0, le=0.5, description="pen width as a fraction of the canvas")
    fit: float | None = Field(
        None, gt=0, le=1, description="crop to the ink, then scale it to fill this fraction of the input"
    )


class Audio(Strict):
    """How sound becomes the model's input: as the model was trained. Features are those of TensorFlow's tf.signal."""

    rate: int = Field(ge=8000, le=96000, description="samples a second, in Hz; other sound is resampled")
    seconds: float = Field(gt=0, le=60, description="what the model hears at once; shorter sound is followed by zeros")
    features: Literal["waveform", "log-mel", "mfcc"] = Field(
        "waveform", description="the samples themselves; ln(mel + log_offset); or MFCCs made of that"
    )
    frame: float | None = Field(None, gt=0, description="length of a frame in milliseconds, under a Hann window")
    hop: float | None = Field(None, gt=0, description="milliseconds from one frame to the next")
    mels: int | None = Field(None, ge=1, le=512, description="mel bands, on HTK's scale")
    low: float | None = Field(None, ge=0, description="where the lowest band begins, in Hz")
    high: float | None = Field(None, gt=0, description="where the highest band ends, in Hz")
    power: Literal[1, 2] = Field(1, description="1 for the spectrum's magnitudes, 2 for energies")
    log_offset: float = Field(1e-6, gt=0, description="added before the logarithm")
    coefficients: int | None = Field(None, ge=1, description="how many MFCCs are kept, from the first on")
    normalize: Literal["none", "max"] = Field(
        "none", description="max: a window is divided by its largest sample; else samples are from -1 to 1"
    )
    step: float = Field(0.25, ge=0.05, description="seconds from one window to the next, of files and the microphone")


class MeanClip(Strict):
    """Where the numbers are that are subtracted from each clip."""

    file: str | None = Field(None, min_length=1, description="a .npy file beside the page")
    member: str | None = Field(None, min_length=1, description="a .npy file in the model's archive: its path inside")

    @model_validator(mode="after")
    def _one_way(self) -> MeanClip:
        if (self.file is None) == (self.member is None):
            _refuse("says where the mean clip is in no way, or in two", "say one of file and member")
        return self


class Clip(Strict):
    """Frames of a film or a camera that a model is shown at once."""

    fps: float = Field(gt=0, le=60, description="frames a second, as the model was trained")
    frames: int | None = Field(None, ge=1, le=512, description="how many; the model says it unless it takes any number")
    stride: int | None = Field(None, ge=1, description="frames from one clip to the next; left out, half a clip")
    mean: Annotated[MeanClip, _widen("file")] | None = Field(
        None, description="a .npy file of float32 that is subtracted from each clip"
    )


def _as_names(value: Any) -> Any:
    # Digits are names here. True and None are not: YAML made them of an unquoted yes or null.
    return [str(v) if type(v) in (int, float) else v for v in value] if isinstance(value, list) else value


class Feature(Strict):
    """A feature of a table's rows: a number from `min` to `max`, or one of `choices`.

    The model is given (x - mean) / std for a number x; for a choice its index, or a 1 at its place among zeros.
    """

    name: str = Field(min_length=1, description="what the header of samples calls it too")
    min: float | None = Field(None, allow_inf_nan=False, description="the least number")
    max: float | None = Field(None, allow_inf_nan=False, description="the largest number")
    step: float | None = Field(None, gt=0, description="what sliders move by; left out, about a hundredth of the range")
    unit: str = Field("", description="what the number is measured in")
    mean: float | None = Field(None, allow_inf_nan=False, description="what is taken from the number; else 0")
    std: float | None = Field(None, gt=0, allow_inf_nan=False, description="what it is then divided by; else 1")
    choices: Annotated[list[str], Field(min_length=2), BeforeValidator(_as_names)] | None = Field(
        None, description="what it can be, in the model's order"
    )
    encode: Literal["one-hot", "index"] | None = Field(
        None, description="how the model is given a choice; one-hot where it is left out"
    )
    default: int | float | str | None = Field(
        None, description="what visitors begin with; left out, the middle of the range or the first choice"
    )

    @model_validator(mode="after")
    def _whole(self) -> Feature:
        numbers = {"min", "max", "step", "unit", "mean", "std"} & self.model_fields_set
        if self.choices is not None:
            self._check_choices(numbers)
        elif self.min is None or self.max is None:
            _refuse("is neither a number nor a choice", "say min and max, or choices")
        elif self.min >= self.max:
            _refuse(f"begins at {self.min:g} and ends at {self.max:g}", "min is the smaller one")
        elif self.step is not None and self.step > self.max - self.min:
            _refuse(f"has a step of {self.step:g}, which is more than its range")
        elif self.encode is not None:
            _refuse("is a number, which encode says nothing of", "leave encode out")
        elif isinstance(self.default, str):
            _refuse(f'has "{self.default}" as its default, which is no number')
        elif self.default is not None and not self.min <= self.default <= self.max:
            _refuse(f"has the default {self.default:g}, outside of {self.min:g} to {self.max:g}")
        return self

    def _check_choices(self, numbers: set[str]) -> None:
        assert self.choices is not None
        if numbers:
            _refuse(f"has choices, which {sorted(numbers)[0]} says nothing of", f"leave {sorted(numbers)[0]} out")
        if len(set(self.choices)) < len(self.choices):
            _refuse("has the same choice twice")
        if self.default is not None and str(self.default) not in self.choices:
            _refuse(f'has the default "{self.default}", which is none of its choices', ", ".join(self.choices))


class Text(Strict):
    """How a text becomes numbers, as Keras's TextVectorization does it."""

    vocabulary: str = Field(min_length=1, description="a file with a token a line, as get_vocabulary() gives them")
    standardize: Literal["lower_and_strip_punctuation", "lower", "strip_punctuation", "none"] = Field(
        "lower_and_strip_punctuation", description="what becomes of the text first; only A to Z are lowered"
    )
    split: Literal["whitespace", "character"] = Field("whitespace", description="what the text is cut into")
    ngrams: int = Field(1, ge=1, le=8, description="up to how many neighbours make a token, too")
    mode: Literal["int", "multi_hot", "count"] = Field(
        "int",
        description="a number for each token, or for each entry of the vocabulary whether or how often it is there",
    )
    length: int | None = Field(None, ge=1, description="how many tokens the model takes, filled up with 0")

    @model_validator(mode="after")
    def _fitting(self) -> Text:
        if self.length is not None and self.mode != "int":
            _refuse(f"has a length, which mode: {self.mode} knows by itself", "leave length out")
        return self


def _refuse(what: str, hint: str | None = None) -> None:
    """Raises what validation.py tells of the value: `what` goes on after its name."""
    raise PydanticCustomError("unfit", "{what}", {"what": what, "hint": hint})


class Input(Strict):
    """How a picture becomes the model's input: y = (x * scale - mean) / std, for x from 0 to 255."""

    size: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[height, width]; the model says it unless its input is of any size"
    )
    channels: Literal[1, 3] | None = Field(None, description="1 grey, 3 RGB; the model says it")
    resize: Literal["stretch", "center-crop", "whole-crop", "letterbox"] = "stretch"
    pad: int = Field(255, ge=0, le=255, description="letterbox: how bright what is around the picture is")
    antialias: bool = Field(True, description="video-classification: false shrinks as OpenCV does, between four pixels")
    crop: float = Field(1.0, gt=0, le=1, description="the share of the sides of what resize gives that is taken of it")
    invert: bool = Field(False, description="x becomes 255 - x first, for models that expect bright ink")
    scale: float = Field(1.0, description="1/255 for models that expect 0..1")
    mean: Annotated[list[float], _one_or_many] = Field([0.0], description="one number, or one a channel")
    std: Annotated[list[float], _one_or_many] = Field([1.0], description="one number, or one a channel")
    sources: Annotated[list[Literal["draw", "upload", "camera", "video", "samples"]], Field(min_length=1)] | None = (
        Field(None, description="ways in, in the order they are offered; left out, those of the task")
    )
    max_fps: float = Field(15, gt=0, le=60, description="the most pictures a second that are taken of camera and films")
    draw: Draw = Draw()
    audio: Audio | None = Field(None, description="audio-classification: how sound becomes the input")
    clip: Clip | None = Field(None, description="video-classification: what frames the model is shown at once")
    columns: Annotated[list[Feature], Field(min_length=1)] | None = Field(
        None, description="tables: the features of a row, in the model's order"
    )
    text: Annotated[Text, _widen("vocabulary")] | None = Field(None, description="how a text becomes numbers")

    @model_validator(mode="after")
    def _named_once(self) -> Input:
        names = [feature.name for feature in self.columns or []]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            _refuse(f'has two columns "{twice}"', "give each a name of its own")
        return self

    def takes(self) -> dict[str, Any]:
        """What is said of input that is no picture, as JSON: the blocks named in TAKES."""
        return self.model_dump(include=set(TAKES & self.model_fields_set))


# Blocks of tasks that take no picture, or more than one.
TAKES: frozenset[str] = frozenset({"audio", "clip", "columns", "text"})

Column = Literal["xmin", "ymin", "xmax", "ymax", "xmid", "ymid", "width", "height", "score", "class", "x", "y"]


class Output(Strict):
    """What becomes of the model's output."""

    activation: Literal["none", "softmax", "sigmoid"] = Field(
        "none", description="applied in the page; none where the model ends in its own"
    )
    top_k: int = Field(5, ge=1, le=100, description="how many classes are shown when there are over ten")
    groups: str | None = Field(
        None, min_length=1, description="image-classification: a file with a line `class: group` for each class"
    )
    heatmap: bool = Field(False, description="image-classification: what of the picture speaks for the best class")
    rows: str | None = Field(None, description="object-detection: the output with a row for each box")
    boxes: str | None = Field(None, description="object-detection: the output with the corners of the boxes")
    scores: str | None = Field(None, description="object-detection: the output with their scores")
    classes: str | None = Field(None, description="object-detection: the output with their classes")
    columns: list[Column] | None = Field(None, description="what the numbers of a row, box or key point are")
    units: Literal["pixels", "fraction"] | None = Field(
        None, description="what boxes and key points are measured in, pixels of the input or fractions of it"
    )
    first_class: int | None = Field(
        None, description="object-detection: the number of the class that labels begin with"
    )
    threshold: float = Field(0.5, ge=0, le=1, description="the least score that is shown at first")
    unit: str = Field("", description="tabular-regression: what the result is measured in")
    iou: float | None = Field(
        None, gt=0, le=1, description="object-detection: boxes go that overlap a better one of their class by more"
    )
    keypoints: str | None = Field(None, description="pose-estimation: the output with the key points")
    limbs: list[Annotated[list[str | int], Field(min_length=2, max_length=2)]] | None = Field(
        None,
        description="pose-estimation: pairs of key points with a line between them, names or numbers from 0 on",
    )


class Labels(Strict):
    """The names of the classes, in the order of the model's outputs."""

    file: str | None = Field(None, description="a file with one name a line")
    names: list[str] = Field([], description="the names themselves")
    member: str | None = Field(None, description="a file in the model's archive: its path inside")
    pattern: str | None = Field(
        None, description="for lines that hold more than a name: a regular expression whose first group is it"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Labels:
        said = [key for key in ("file", "names", "member") if key in self.model_fields_set]
        if len(said) != 1:
            _refuse(f"says {' and '.join(said) or 'no names'}", "say one of file, names and member")
        if self.pattern is not None and "names" in said:
            _refuse("has a pattern, which is for lines of a file", "leave pattern out")
        try:
            groups = re.compile(self.pattern or "()").groups
        except re.error as error:
            _refuse(f"has a pattern that is no regular expression: {error}")
        else:
            if not groups:
                _refuse("has a pattern without a group", 'put the name in brackets, as in "^/./(\\S+)"')
        return self


def _widen_labels(value: Any) -> Any:
    if isinstance(value, str):
        return {"file": value}
    if isinstance(value, list):
        return {"names": _as_names(value)}
    return value


_labels = BeforeValidator(_widen_labels, json_schema_input_type=str | list[str])


class FrontMatter(Strict):
    """The block between the two lines of three dashes at the head of a page."""

    title: str = Field(min_length=1)
    summary: str = Field("", description="one sentence, for the card in the gallery and for search engines")
    order: int | None = Field(
        None, ge=1, description="where its card stands on the front page; those that say nothing follow, by path"
    )
    task: str | None = Field(None, description="what the demo does; without it the page is plain text")
    model: Annotated[ModelRef, _widen("source")] | None = None
    quantize: Annotated[Quantize, _widen("scheme")] | None = None
    input: Input = Input()
    output: Output = Output()
    labels: Annotated[Labels, _labels] | None = Field(
        None, description="a file with one name a line, or the names themselves as a list"
    )
    samples: Annotated[list[str], _one_or_many] = Field(
        [], description="what to try: files or patterns such as samples/*.png"
    )
    picture: Annotated[list[str], _one_or_many] = Field(
        [], description="for the page's card; left out, it is made of samples that are pictures"
    )
    backend: Literal["wasm", "auto", "webgl", "webgpu"] = Field(
        "wasm", description="what the demo may change over to, once it was proven and measured on the visitor's device"
    )
    offline: Literal["auto", "ask", "never"] | None = Field(
        None, description="save the demo on the first visit, when asked, or not at all"
    )


class Site(Strict):
    """Those of the site's settings that are no plain texts or numbers."""

    quantize: Annotated[SiteQuantize, _widen("scheme")] = SiteQuantize()
