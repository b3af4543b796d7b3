"""The task audio-classification: TensorFlow's features, WAV files, rates, and what pages hear in three browsers."""

from __future__ import annotations

import base64
import shutil
import struct
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from scipy.signal import resample_poly

from sitegen.host import Host
from sitegen.records import Signature, TensorSpec
from sitegen.tasks import audio_classification
from tests import scripts
from tests.browsers import NAMES, Browser, Tab, click, give, wait_for
from tests.browsers.chromium import Chromium, ChromiumTab
from tests.conftest import REPOSITORY, build, make
from tests.test_detection import COUNT, counted, hide

Floats = NDArray[np.float32]
SOUNDS = REPOSITORY / "content/sounds"
LABELS = (SOUNDS / "labels.txt").read_text("utf-8").split()
WIDGET = "widgets/audio-classification"
RATE = 16000
# MLPerf Tiny's keyword spotter, as its training script makes MFCCs.
WORDS = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "silence", "unknown"]
KEYWORDS = """---
title: Keywords
task: audio-classification
model: kws
quantize: none
input:
  audio: {rate: 16000, seconds: 1, features: mfcc, frame: 30, hop: 20, mels: 40, low: 20, high: 4000,
    coefficients: 10, normalize: max}
labels: [%s]
samples: "*.wav"
---
"""
SCORES = "[...document.querySelectorAll('[data-score]')].map((bar) => Number(bar.dataset.score))"
PARTS = """[...document.querySelectorAll('.sg-timeline button')].map((part) => [
  part.dataset.label, Number(part.dataset.from), Number(part.dataset.to)])"""


def sound(seconds: float = 1, rate: int = RATE) -> Floats:
    """Something like a vowel that begins and ends, with noise, -1..1."""
    rng = np.random.default_rng(5)
    t = np.arange(round(seconds * rate)) / rate
    pitch = np.cumsum(120 + 30 * np.sin(2 * np.pi * 1.5 * t)) / rate
    voice = sum(np.sin(2 * np.pi * k * pitch) / (1 + abs(k - 6)) for k in range(1, 30))
    return (0.2 * voice * np.sin(np.pi * t / seconds) ** 2 + 0.003 * rng.normal(size=len(t))).astype(np.float32)


def log_mel(samples: Floats, told: Mapping[str, Any], rate: int) -> Any:
    """By tf.signal, [frames, mels]."""
    spectrum = tf.abs(tf.signal.stft(samples, told["frame"], told["hop"])) ** told["power"]
    ends = (told["low"], told["high"])
    weights = tf.signal.linear_to_mel_weight_matrix(told["mels"], spectrum.shape[-1], rate, *ends)
    return tf.math.log(spectrum @ weights + told["logOffset"])


def keyword_features(window: Floats) -> Floats:
    told = {"frame": 480, "hop": 320, "mels": 40, "low": 20.0, "high": 4000.0, "power": 1, "logOffset": 1e-6}
    mels = log_mel(window / window.max(), told, RATE)
    features: Floats = tf.signal.mfccs_from_log_mel_spectrograms(mels)[..., :10].numpy()
    return features


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (16000, {"frame": 480, "hop": 320, "mels": 40, "low": 20.0, "high": 4000.0, "power": 1, "logOffset": 1e-6}),
        (16000, {"frame": 400, "hop": 160, "mels": 64, "low": 125.0, "high": 7500.0, "power": 1, "logOffset": 1e-3}),
        (22050, {"frame": 551, "hop": 220, "mels": 80, "low": 0.0, "high": 11025.0, "power": 2, "logOffset": 1e-6}),
        (8000, {"frame": 256, "hop": 256, "mels": 20, "low": 100.0, "high": 4000.0, "power": 2, "logOffset": 1e-2}),
    ],
    ids=["keywords", "yamnet", "odd", "small"],
)
def test_features_are_tensorflows(rate: int, told: dict[str, Any]) -> None:
    samples = sound(0.7, rate)
    body = """
      const mels = script.logMel(given.told, given.rate)(new Float32Array(given.samples));
      const mfcc = script.mfcc(mels, 10);
      return { mels: [...mels.values], mfcc: [...mfcc.values], frames: mels.frames };
    """
    given = {"told": told, "rate": rate, "samples": samples.tolist()}
    found = scripts.call(f"{WIDGET}/features.ts", body, given)
    mels = log_mel(samples, told, rate)
    mfcc = tf.signal.mfccs_from_log_mel_spectrograms(mels)[..., :10]
    assert found["frames"] == mels.shape[0] == 1 + (len(samples) - told["frame"]) // told["hop"]
    for ours, theirs in ((found["mels"], mels), (found["mfcc"], mfcc)):
        expected = theirs.numpy().ravel()
        assert np.abs(np.array(ours) - expected).max() < 1e-4 * np.abs(expected).max()


def test_windows_are_scaled_where_the_page_says_so() -> None:
    body = """
      const input = { ...given.input, spectrogram: null, coefficients: null, shape: [1, 4] };
      return [[0.1, -0.5, 0.25, 0], [0, 0, 0, 0]].map((window) => {
        const { data, shape, dtype } = script.tensors(input, 'float32')(new Float32Array(window));
        return [[...data], shape, dtype];
      });
    """
    (plain, _, _), _ = scripts.call(f"{WIDGET}/features.ts", body, {"input": {"normalize": "none"}})
    assert np.allclose(plain, [0.1, -0.5, 0.25, 0])
    scaled, silent = scripts.call(f"{WIDGET}/features.ts", body, {"input": {"normalize": "max"}})
    assert scaled == [[pytest.approx(x) for x in (0.4, -2, 1, 0)], [1, 4], "float32"]
    assert silent[0] == [0, 0, 0, 0]


def wav(values: NDArray[Any], rate: int, bits: int, kind: int = 1, extensible: bool = False) -> bytes:
    """A WAV file of values [n, channels]: whole numbers of so many bits (kind 1; 8 are without sign), or floats (3)."""
    channels = values.shape[1]
    if kind == 3:
        data = values.astype(f"<f{bits // 8}").tobytes()
    elif bits == 24:
        data = values.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    else:
        data = values.astype({8: "u1", 16: "<i2", 32: "<i4"}[bits]).tobytes()
    width = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else kind, channels, rate, rate * width, width, bits)
    if extensible:
        form += struct.pack("<HHIH", 22, bits, 0, kind) + bytes.fromhex("000000001000800000aa00389b71")
    # A part that nobody knows, of an odd length, comes first.
    parts = [(b"fmt ", form), (b"JUNK", b"abc"), (b"data", data)]
    body = b"".join(name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for name, part in parts)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def read(data: bytes) -> Any:
    body = """
      const file = Uint8Array.from(atob(given), (c) => c.charCodeAt(0)).buffer;
      const wave = script.readWav(file);
      return wave && { rate: wave.rate, samples: [...wave.samples] };
    """
    return scripts.call(f"{WIDGET}/wav.ts", body, base64.b64encode(data).decode())


@pytest.mark.parametrize(("bits", "kind"), [(8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3)])
@pytest.mark.parametrize("extensible", [False, True])
def test_wav_files_are_read_as_they_are(bits: int, kind: int, extensible: bool) -> None:
    half = 2 ** (bits - 1)
    if kind == 3:
        values = np.array([[-1, 1], [0.1, 0.3], [0.5, -2], [0, 0], [1 / 3, 0]])
        samples = values
    else:
        values = np.array([[-half, half - 1], [-half, -half], [half - 1, half - 1], [0, 1], [half // 3, 0]])
        samples = values / half
        values = values + half if bits == 8 else values
    found = read(wav(values, 22050, bits, kind, extensible))
    assert found["rate"] == 22050
    assert np.array_equal(np.float32(found["samples"]), np.float32(samples.mean(axis=1)))


def test_wav_files_that_are_cut_off_or_something_else() -> None:
    whole = wav(np.arange(10).reshape(5, 2), 8000, 16)
    assert len(read(whole[:-5])["samples"]) == 3
    # As programs write that do not know the length beforehand.
    at = whole.index(b"data") + 4
    assert len(read(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :])["samples"]) == 5
    for other in (b"", b"RIFF", whole[:20], whole[: at - 4], b"OggS" + whole[4:], wav(np.zeros((4, 1)), 8000, 8, 7)):
        assert read(other) is None


@pytest.mark.parametrize(("before", "after"), [(44100, 16000), (48000, 16000), (8000, 16000), (22050, 44100)])
def test_rates_change_as_scipys_do(before: int, after: int) -> None:
    samples = sound(0.2, before)
    body = "return [...script.resampled(new Float32Array(given[0]), given[1], given[2])];"
    found = scripts.call(f"{WIDGET}/resample.ts", body, [samples.tolist(), before, after])
    common = np.gcd(before, after)
    expected = resample_poly(samples.astype(np.float64), after // common, before // common)
    assert len(found) == len(expected)
    assert np.abs(np.array(found) - expected).max() < 1e-6


def test_what_is_heard_when() -> None:
    body = """
      const begins = script.starts(given.length, 10, 4);
      const heard = script.spans(begins, 10, given.length).map(([from, to], index) => {
        const kind = given.kinds[index];
        return { from, to, scores: [{ index: kind, label: `k${kind}`, value: 0.5 + index / 10 }] };
      });
      const parts = script.segments(heard).map(({ label, from, to, score }) => [label, from, to, score]);
      const at = given.at.map((time) => heard.indexOf(script.heardAt(heard, time)));
      return { begins, parts, at };
    """
    found = scripts.call(f"{WIDGET}/windows.ts", body, {"length": 25, "kinds": [1, 1, 0, 0, 1], "at": [0, 7, 25]})
    assert found["begins"] == [0, 4, 8, 12, 15]
    assert found["parts"] == [["k1", 0, 11, 0.6], ["k0", 11, 18.5, 0.8], ["k1", 18.5, 25, 0.9]]
    assert found["at"] == [0, 1, 4]
    short = scripts.call(f"{WIDGET}/windows.ts", body, {"length": 7, "kinds": [2], "at": [3]})
    assert short == {"begins": [0], "parts": [["k2", 0, 7, 0.5]], "at": [0]}


def test_the_task_for_a_model() -> None:
    def fits(shape: list[int | None], output: list[int | None]) -> Any:
        info = {
            "inputs": [{"name": "a", "dtype": "float32", "shape": shape}],
            "outputs": [{"name": "b", "dtype": "float32", "shape": output}],
        }
        return audio_classification.fits(info) and audio_classification.front_matter(info)[1]

    assert fits([None, 16000], [None, 4]) == "input: {audio: {rate: 16000, seconds: 1}}"
    assert fits([1, 33075, 1], [1, 4]) == "input: {audio: {rate: 22050, seconds: 1.5}}"
    assert not fits([None, 4], [None, 4])
    assert not fits([None, 49, 40, 1], [None, 4])
    assert not fits([None, 16000], [None, 3, 4])


@pytest.mark.parametrize(
    ("shape", "features", "filled"),
    [
        ((1, 49, 10, 1), "mfcc", [1, 49, 10, 1]),
        ((-1, 49, 10), "mfcc", [1, 49, 10]),
        ((-1, -1, 10, 1), "mfcc", [1, 49, 10, 1]),
        ((-1, 1, 49, 40), "log-mel", [1, 1, 49, 40]),
        ((-1, 1960), "log-mel", [1, 1960]),
        ((-1,), "waveform", [16000]),
        ((1, 16000, 1), "waveform", [1, 16000, 1]),
        ((2, 16000), "waveform", None),
        ((-1, 48, 10, 1), "mfcc", None),
        ((-1, 40, 49, 1), "log-mel", None),
    ],
)
def test_shapes_that_agree(shape: tuple[int, ...], features: str, filled: list[int] | None) -> None:
    spectrum = {"frame": 480, "hop": 320, "mels": 40}
    audio = {
        "window": 16000,
        "spectrogram": None if features == "waveform" else spectrum,
        "coefficients": 10 if features == "mfcc" else None,
    }

    class Demo:
        task = "audio-classification"
        places: Mapping[str, Any] = {"model.source": None, "input.audio": None}

    errors: list[Any] = []
    signature = Signature((TensorSpec("a", "float32", shape),), ())
    found = audio_classification._input_shape(Demo(), signature, audio, errors)  # type: ignore[arg-type]
    assert (found or None) == filled
    assert bool(errors) == (filled is None)


def pcm(samples: Floats, rate: int = RATE) -> bytes:
    """A WAV file of 16 bits a sample."""
    return wav(np.rint(samples * 32767)[:, None], rate, 16)


@pytest.fixture(scope="module")
def keywords(tmp_path_factory: pytest.TempPathFactory, shared: Path, shared_cache: Path) -> Path:
    """A page with MLPerf Tiny's keyword spotter, and its sample."""
    root = tmp_path_factory.mktemp("keywords")
    folder = root / "content/words"
    shutil.copytree(shared / "models/kws_dscnn_saved_model", folder / "kws")
    (folder / "vowel.wav").write_bytes(pcm(sound()))
    (folder / "index.md").write_text(KEYWORDS % ", ".join(f'"{word}"' for word in WORDS))
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> Path:
    """The repository's own page of sounds, with weights as they are."""
    root = tmp_path_factory.mktemp("sounds")
    shutil.copytree(SOUNDS, root / "content/sounds", ignore=shutil.ignore_patterns("__pycache__"))
    page = root / "content/sounds/index.md"
    page.write_text(page.read_text("utf-8").replace("quantize: float16", "quantize: none"), "utf-8")
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


def scores(windows: list[Floats]) -> NDArray[np.float32]:
    """What Python's Keras says of windows of the page of sounds."""
    import keras

    model = keras.saving.load_model(SOUNDS / "sounds.keras", compile=False)
    told = {"frame": 480, "hop": 320, "mels": 40, "low": 60.0, "high": 7600.0, "power": 1, "logOffset": 1e-3}
    features = np.stack([log_mel(window, told, RATE) for window in windows])[..., None]
    found: NDArray[np.float32] = model.predict(features, verbose=0)
    return found


def windows(samples: Floats) -> list[Floats]:
    """Of a second, every quarter of one; the last ends with the sound."""
    if len(samples) < RATE:
        return [np.pad(samples, (0, RATE - len(samples)))]
    begins = [*range(0, len(samples) - RATE, RATE // 4), len(samples) - RATE]
    return [samples[start : start + RATE] for start in begins]


def sample(name: str) -> Floats:
    with wave.open(str(SOUNDS / f"samples/{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


def open_page(tab: Tab, url: str) -> None:
    tab.goto(url)
    wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'", 90)
    if url.startswith("http"):
        # What the page says of being kept moves what stands below it, from under the pointer.
        wait_for(tab, "document.querySelector('sitegen-offline')?.dataset.state === 'kept'", 90)


def choose(tab: Tab, name: str) -> None:
    """Chooses a sample; what was heard before is gone then."""
    click(tab, f"[data-sample='{name}']")
    wait_for(tab, f"document.querySelector(`[data-sample='{name}']`).ariaPressed === 'true'")


def heard(tab: Tab) -> list[float]:
    """The scores, once the whole sound was heard."""
    wait_for(tab, f"document.querySelector('.sg-answer').ariaBusy === 'false' && {SCORES}.length", 60)
    found: list[float] = tab.evaluate(SCORES)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_keywords_are_spotted_as_in_python(
    name: str, browser: Callable[[str], Browser], keywords: Path, shared: Path
) -> None:
    model = tf.saved_model.load(str(shared / "models/kws_dscnn_saved_model"))
    heard_ = np.rint(sound() * 32767).astype(np.float32) / 32768
    features = tf.constant(keyword_features(heard_)[None, ..., None])
    (expected,) = next(iter(model.signatures["serving_default"](features).values())).numpy()
    assert np.ptp(expected) > 0.1
    tab = browser(name).new_tab()
    with Host(keywords) as host:
        for url in (host.url + "words/index.html", (keywords / "words/index.html").as_uri()):
            open_page(tab, url)
            choose(tab, "vowel")
            heard(tab)
            shown = tab.evaluate(
                "Object.fromEntries([...document.querySelectorAll('[data-score]')].map((bar) => "
                "[bar.dataset.label, Number(bar.dataset.score)]))"
            )
            # Of twelve classes the best are shown.
            assert len(shown) == 5
            for label, score in shown.items():
                assert abs(score - expected[WORDS.index(label)]) < 1e-3
            assert max(shown, key=shown.__getitem__) == WORDS[int(expected.argmax())]
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_sounds_are_named_as_in_python(name: str, browser: Callable[[str], Browser], site: Path) -> None:
    tab = browser(name).new_tab()
    with Host(site) as host:
        open_page(tab, host.url + "sounds/index.html")
        for path in sorted((SOUNDS / "samples").glob("*.wav")):
            expected = scores(windows(sample(path.stem)))
            choose(tab, path.stem.replace("-", " "))
            assert np.abs(np.array(heard(tab)) - expected[0]).max() < 1e-3
            parts = tab.evaluate(PARTS)
            named = [LABELS[row.argmax()] for row in expected]
            assert [part[0] for part in parts] == [
                label for index, label in enumerate(named) if not index or named[index - 1] != label
            ]
            assert parts[-1][2] == pytest.approx(len(sample(path.stem)) / RATE)
    tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_files_of_any_rate(name: str, browser: Callable[[str], Browser], site: Path) -> None:
    """24 bits, stereo, 44.1 kHz, and shorter than a window: as Python resamples it."""
    mono = resample_poly(sample("bell")[: RATE * 3 // 4].astype(np.float64), 441, 160)
    left = np.rint(mono * 2**23 * 0.9)
    stereo = np.stack([left, np.rint(left / 2)], axis=1)
    given = (stereo / 2**23).mean(axis=1).astype(np.float32)
    (expected,) = scores(windows(resample_poly(given, 160, 441).astype(np.float32)))
    tab = browser(name).new_tab()
    open_page(tab, (site / "sounds/index.html").as_uri())
    click(tab, "[data-source=upload]")
    wait_for(tab, "document.querySelector('input[type=file]')")
    give(tab, wav(stereo, 44100, 24), "x.wav")
    assert np.abs(np.array(heard(tab)) - expected).max() < 1e-3
    # What is not PCM the browser decodes: here µ-law, which loses a little.
    give(tab, wav(mu_law(sample("bell"))[:, None], RATE, 8, kind=7), "x.wav")
    wait_for(tab, "document.querySelector('.sg-sound figcaption').textContent.includes('1.5 s')")
    heard(tab)
    assert [part[0] for part in tab.evaluate(PARTS)] == ["bell"]
    give(tab, b"no sound", "x.wav")
    wait_for(tab, "document.querySelector('.sg-error')?.textContent.includes('no sound that your browser can play')")
    assert tab.evaluate("!document.querySelector('.sg-sound')")
    give(tab, wav(np.zeros((0, 1)), RATE, 16), "x.wav")
    wait_for(tab, "document.querySelector('.sg-error')?.textContent === 'There is no sound in this file.'")
    tab.close()


def mu_law(samples: Floats) -> NDArray[np.uint8]:
    """ITU-T G.711: a sign, three bits of exponent and four of mantissa, all inverted."""
    level = np.minimum(np.abs(samples) * 32768, 32635).astype(int) + 132
    exponent = np.floor(np.log2(level)).astype(int) - 7
    mantissa = (level >> (exponent + 3)) & 15
    code: NDArray[np.uint8] = (~((samples < 0) * 128 | exponent << 4 | mantissa) & 255).astype(np.uint8)
    return code


@pytest.mark.parametrize("name", NAMES)
def test_parts_of_a_long_sound_are_played(name: str, browser: Callable[[str], Browser], site: Path) -> None:
    """Noise, falling sweeps, silence and a bell, two seconds each: a click plays from there, an arrow key goes on."""
    tab = browser(name).new_tab()
    with Host(site) as host:
        open_page(tab, host.url + "sounds/index.html")
        choose(tab, "one after another")
        heard(tab)
        parts = tab.evaluate(PARTS)
        assert [part[0] for part in parts] == ["noise", "falling", "quiet", "bell"]
        for (_, start, end), middle in zip(parts, (1, 3, 5, 7), strict=True):
            assert start < middle < end
            assert abs(start - (middle - 1)) < 0.8
        wait_for(tab, "document.querySelector('.sg-sound audio').readyState >= 1")
        click(tab, "[data-label=falling][data-from]")
        wait_for(tab, f"document.querySelector('.sg-sound audio').currentTime >= {parts[1][1] - 0.05}")
        assert tab.evaluate("document.querySelector('.sg-answer strong').textContent") == "falling"
        key = "new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true })"
        tab.evaluate("document.querySelector('.sg-sound audio').pause()")
        tab.evaluate(f"document.querySelector('[data-label=falling][data-from]').dispatchEvent({key})")
        wait_for(tab, "document.querySelector('.sg-answer strong').textContent === 'quiet'")
        assert tab.evaluate("document.activeElement.dataset.label") == "quiet"
        tabbable = "document.querySelectorAll('.sg-timeline [tabindex=\"0\"]').length"
        assert tab.evaluate(tabbable) == 1
    tab.close()


def listening(file: Path, *flags: str) -> Chromium:
    """A browser whose microphone hears a file, again and again."""
    fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={file}"]
    return Chromium(extra=[*fake, *flags])


def test_the_microphone_is_listened_to_as_often_as_the_page_says(site: Path, tmp_path: Path) -> None:
    rising = np.tile(sample("rising"), 4)
    (tmp_path / "rising.wav").write_bytes(pcm(resample_poly(rising, 3, 1).astype(np.float32), 48000))
    running = listening(tmp_path / "rising.wav", "--use-fake-ui-for-media-stream")
    try:
        with Host(site) as host:
            tab: ChromiumTab = running.new_tab()
            open_page(tab, host.url + "sounds/index.html")
            tab.evaluate(COUNT)
            click(tab, "[data-source=microphone]")
            click(tab, "[data-action=microphone]")
            wait_for(tab, "document.querySelector('.sg-answer strong')?.textContent === 'rising'")
            assert tab.evaluate("document.querySelector('.sg-waves path').getAttribute('d').length") > 1000
            assert 5 <= counted(tab, 3000) <= 13  # four a second
            hide(tab, True)
            tab.page.wait_for_timeout(1000)
            assert counted(tab, 1500) == 0
            hide(tab, False)
            wait_for(tab, "globalThis.runs > 3")
            tensors = tab.evaluate("document.querySelector('sitegen-demo').dataset.tensors")
            counted(tab, 1500)
            assert tab.evaluate("document.querySelector('sitegen-demo').dataset.tensors") == tensors
            click(tab, "[data-action=microphone]")
            wait_for(tab, "!document.querySelector('.sg-sound')")
            tab.page.wait_for_timeout(500)
            assert counted(tab, 1000) == 0
    finally:
        running.close()


def test_microphones_that_cannot_be_had(site: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(pcm(sample("bell")))
    running = listening(tmp_path / "a.wav", "--deny-permission-prompts")
    try:
        with Host(site) as host:
            absent = "async () => { throw new DOMException('', 'NotFoundError'); }"
            for ask, said in (
                (None, "was not allowed to use the microphone. Files of sound work without it."),
                (absent, "No microphone was found. Files of sound work without one."),
            ):
                tab = running.new_tab()
                open_page(tab, host.url + "sounds/index.html")
                if ask:
                    tab.evaluate(f"navigator.mediaDevices.getUserMedia = {ask}; 0")
                click(tab, "[data-source=microphone]")
                click(tab, "[data-action=microphone]")
                wait_for(tab, f"document.querySelector('.sg-error')?.textContent.includes('{said}')")
                tab.close()
            # As on pages by http from elsewhere, and in some browsers on file://.
            tab = running.new_tab()
            tab.page.add_init_script("Object.defineProperty(Navigator.prototype, 'mediaDevices', { get() {} })")
            open_page(tab, host.url + "sounds/index.html")
            click(tab, "[data-source=microphone]")
            wait_for(tab, "document.querySelector('.sg-panel').textContent.includes('gives no microphone to pages')")
            assert tab.evaluate("!document.querySelector('[data-action=microphone]')")
    finally:
        running.close()
