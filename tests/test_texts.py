"""Texts: what becomes of them is what Keras makes of them, and the scores are Python's, in three browsers."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from sitegen import inspection, newpage
from sitegen.errors import SitegenError
from sitegen.host import Host
from sitegen.look import Asked
from sitegen.models import keras as keras_format
from sitegen.models import vectorization
from sitegen.models.options import Options
from tests import scripts
from tests.browsers import NAMES, Browser, Tab, click, wait_for
from tests.browsers.chromium import ChromiumTab
from tests.conftest import build, make

# Case and punctuation; blanks of ASCII and others; umlauts, Turkish and titlecase letters; combining marks, emoji with
# joiners, letters from right to left, Chinese and Devanagari.
TEXTS = [
    "Hello, World! don't a_b a-b #tag ... ?",
    " Ünï ÄÖ  ß İI ǅ \u00a0x\u2003y\x1cz\x0bq\tr\ns\x85t",
    "e\u0301 o\u0308 \u1e9e “q” ¿que? ，。",
    "👩‍👩‍👧 👍🏽 🇩🇪 :-)",
    "שלום עולם، السلام عليكم 你好 नमस्ते",
    "[UNK] The the THE world wide",
    "",
    "!!!",
]
LEARNED = ["the world is wide", "hello the world, größe ÄÖ", "שלום 👍🏽 don't e\u0301", "a b c d e f the wide"]

SCORES = "[...document.querySelectorAll('[data-score]')].map((bar) => Number(bar.dataset.score))"
INDICES = "[...document.querySelectorAll('[data-word]')].map((word) => Number(word.dataset.index))"
WEIGHTS = "[...document.querySelectorAll('[data-weight]')].map((word) => Number(word.dataset.weight))"

Layer = Callable[[], Any]


def layer(**said: Any) -> keras.layers.TextVectorization:
    made = keras.layers.TextVectorization(**said)
    made.adapt(LEARNED)
    return made


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"output_sequence_length": 4},
        {"standardize": "lower"},
        {"standardize": "strip_punctuation"},
        {"standardize": None, "output_sequence_length": 9},
        {"split": "character", "output_sequence_length": 30},
        {"split": "character", "standardize": None, "ngrams": 3, "output_mode": "multi_hot"},
        {"ngrams": 2},
        {"ngrams": (1, 3), "output_sequence_length": 12},
        {"output_mode": "multi_hot"},
        {"output_mode": "count", "ngrams": 2},
        {"output_mode": "multi_hot", "max_tokens": 40, "pad_to_max_tokens": True},
    ],
    ids=str,
)
def test_numbers_are_those_of_keras(said: dict[str, Any]) -> None:
    """For every text, by the page's own script."""
    made = layer(**said)
    told = vectorization._told(made)
    vocabulary = told.pop("vocabulary")
    widths = told["ngrams"]
    told["ngrams"] = list(range(1, widths + 1)) if isinstance(widths, int) else list(widths)
    sized = told["mode"] != "int"
    if sized:
        told["length"] = made.compute_output_shape((None, 1))[-1]
    body = """
      const [texts, config, tokens] = given;
      const vocabulary = new Map(tokens.map((token, index) => [token, index]));
      return texts.map((text) => [
        ...script.tensorOf(script.wordsOf(text, config), config, vocabulary, { dtype: 'int32' }).data]);
    """
    found = scripts.call("widgets/text-classification/vectorize.ts", body, [TEXTS, told, vocabulary])
    for text, numbers in zip(TEXTS, found, strict=True):
        # The one text that has no tokens is given one number to be one.
        expected = made(tf.constant([text])).numpy()[0].tolist() or [0]
        assert numbers == expected, text


def rest(vocabulary: int, mode: str) -> list[keras.layers.Layer]:
    """A model from the numbers on: three classes, or one of two."""
    if mode == "int":
        return [
            keras.layers.Embedding(vocabulary, 8),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3, activation="softmax", kernel_initializer="normal"),
        ]
    return [keras.layers.Dense(1, activation="sigmoid", kernel_initializer=keras.initializers.RandomNormal(0, 1))]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[keras.Model, Path]]:
    """Models that take text, with the files of pages: one whose page has the vocabulary, and two that bring it."""
    keras.utils.set_random_seed(11)
    folder = tmp_path_factory.mktemp("models")
    made = {}
    words = layer(output_sequence_length=6)
    numbers = keras.Sequential([keras.Input((6,), dtype="int32"), *rest(words.vocabulary_size(), "int")])
    # Embeddings begin near 0, where all texts are alike.
    numbers.layers[0].set_weights([np.random.default_rng(0).normal(0, 3, (words.vocabulary_size(), 8))])
    numbers.save(folder / "page.keras")
    (folder / "vocabulary.txt").write_text("".join(f"{token}\n" for token in words.get_vocabulary()))
    made["page"] = keras.Sequential([keras.Input((1,), dtype="string"), words, *numbers.layers])
    made["own"] = keras.Sequential([keras.Input((1,), dtype="string"), words, *numbers.layers])
    made["own"].save(folder / "own.keras")
    text = keras.Input((), dtype="string", name="text")
    pairs = layer(output_mode="multi_hot", ngrams=2)
    made["pairs"] = keras.Model(text, rest(0, "multi_hot")[0](pairs(text)))
    made["pairs"].save(folder / "pairs.keras")
    return {name: (model, folder / f"{name}.keras") for name, model in made.items()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path, models: dict[str, tuple[Any, Path]]) -> Path:
    root = tmp_path_factory.mktemp("texts")
    (root / "content").mkdir()
    samples = [text.replace("\n", " ") for text in TEXTS if text.strip()]
    (root / "content/texts.txt").write_text("".join(f"{text}\n" for text in samples).replace("\x0b", " "))
    for name, (_, path) in models.items():
        (root / "content" / path.name).write_bytes(path.read_bytes())
        said = "input: {text: {vocabulary: vocabulary.txt}}\n" if name == "page" else ""
        (root / f"content/{name}.md").write_text(
            f"---\ntitle: {name}\ntask: text-classification\nmodel: {path.name}\nquantize: none\n{said}"
            "samples: texts.txt\n---\n"
        )
    vocabulary = models["page"][1].parent / "vocabulary.txt"
    (root / "content/vocabulary.txt").write_bytes(vocabulary.read_bytes())
    (root / build.CACHE_FOLDER).symlink_to(shared_cache)
    make(root)
    return root / "output"


def scores(model: keras.Model, text: str) -> list[float]:
    """What Python says of a text."""
    given = tf.constant([[text]] if len(model.inputs[0].shape) == 2 else [text])
    found: list[float] = model.predict(given, verbose=0)[0].tolist()
    return [1 - found[0], found[0]] if len(found) == 1 else found


def write(tab: Tab, text: str) -> None:
    """Writes a text into the page, and waits for the answer."""
    tab.evaluate(
        f"(() => {{ const area = document.querySelector('textarea'); area.value = {json.dumps(text)};"
        " area.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    wait_for(tab, "document.querySelector('.sg-answer').ariaBusy === 'false'")


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_pythons(
    name: str, browser: Callable[[str], Browser], site: Path, models: dict[str, tuple[Any, Path]]
) -> None:
    tab = browser(name).new_tab()
    with Host(site) as host:
        for page, url in (
            ("page", host.url + "page/index.html"),
            ("own", (site / "own/index.html").as_uri()),
            ("pairs", host.url + "pairs/index.html"),
        ):
            model = models[page][0]
            tab.goto(url)
            wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'", 60)
            vectorize = next(one for one in model.layers if isinstance(one, keras.layers.TextVectorization))
            for text in TEXTS:
                write(tab, text)
                # A text without words has no answer.
                words = vectorize._preprocess(tf.constant([text]))[0].numpy().tolist()
                shown = tab.evaluate(SCORES)
                assert bool(shown) == bool(words), text
                if words:
                    assert np.abs(np.array(shown) - scores(model, text)).max() < 1e-5, text
                    known = vectorize.get_vocabulary()
                    first = [word for word in words if b" " not in word]
                    unknown = known.index("[UNK]")
                    expected = [known.index(w.decode()) if w.decode() in known else unknown for w in first]
                    assert tab.evaluate(INDICES) == expected
        click(tab, "[data-sample='1']")
        wait_for(tab, f"document.querySelector('textarea').value === {json.dumps(TEXTS[0])}")
    tab.close()


def test_words_that_matter(browser: Callable[[str], Browser], site: Path, models: dict[str, tuple[Any, Path]]) -> None:
    """Leaving a word out costs the best class what it does in Python; too many words are not weighed."""
    model = models["own"][0]
    tab = browser("chromium").new_tab()
    assert isinstance(tab, ChromiumTab)
    with Host(site) as host:
        tab.goto(host.url + "own/index.html")
        wait_for(tab, "document.querySelector('sitegen-demo')?.dataset.state === 'ready'", 60)
        wait_for(tab, "document.querySelector('sitegen-offline')?.dataset.state === 'kept'", 60)
        words = ["hello", "the", "wide", "strange", "world", "d", "e", "f"]
        write(tab, " ".join(words))
        whole = scores(model, " ".join(words))
        best = int(np.argmax(whole))
        click(tab, "[data-action=weigh]")
        wait_for(tab, "document.querySelectorAll('[data-weight]').length === 8")
        without = [scores(model, " ".join(words[:at] + words[at + 1 :]))[best] for at in range(len(words))]
        assert np.abs(np.array(tab.evaluate(WEIGHTS)) - (whole[best] - np.array(without))).max() < 1e-5
        # Six words are all that the model takes.
        assert tab.evaluate("document.querySelectorAll('.sg-unseen').length") == 2
        assert tab.evaluate("document.querySelector('[data-word=strange]').classList.contains('sg-unknown')")
        tab.page.set_viewport_size({"width": 320, "height": 600})
        assert tab.evaluate("document.documentElement.scrollWidth") == 320
        write(tab, "word " * 65)
        assert tab.evaluate("document.querySelector('[data-action=weigh]').disabled")
        assert tab.evaluate("document.querySelectorAll('[data-weight]').length") == 0
    tab.close()


def test_models_bring_their_vocabulary(models: dict[str, tuple[Any, Path]]) -> None:
    model = keras_format.load(models["pairs"][1], Options())
    assert [(spec.dtype, spec.shape[0]) for spec in model.signature.inputs] == [("float32", -1)]
    assert model.signature.text is not None
    assert model.signature.text["vocabulary"][0] == "[UNK]"
    assert {key: model.signature.text[key] for key in ("mode", "ngrams", "length")} == {
        "mode": "multi_hot",
        "ngrams": 2,
        "length": None,
    }


def test_pages_for_texts_are_suggested(models: dict[str, tuple[Any, Path]]) -> None:
    found = inspection.inspect(models["own"][1], "keras", Options())
    assert found["text"]["vocabulary"] == models["own"][0].layers[0].vocabulary_size()
    assert "task: text-classification\n" in newpage.front_matter(found, "own.keras", Asked("own.keras"))


def test_what_pages_cannot_do_is_refused(tmp_path: Path) -> None:
    made = layer(output_mode="tf_idf")
    keras.Sequential([keras.Input((1,), dtype="string"), made, keras.layers.Dense(2)]).save(tmp_path / "x.keras")
    with pytest.raises(SitegenError, match="gives tf_idf, and not int, multi_hot, count, which pages do not"):
        keras_format.load(tmp_path / "x.keras", Options())


def test_no_file_of_the_machine_becomes_a_vocabulary(models: dict[str, tuple[Any, Path]], tmp_path: Path) -> None:
    """A model may name a file for its vocabulary, which a page would then show to everybody."""
    secret = tmp_path / "secret.txt"
    secret.write_text("password\n")
    with zipfile.ZipFile(models["own"][1]) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = members["config.json"].decode()
    assert '"vocabulary": null' in config
    members["config.json"] = config.replace('"vocabulary": null', f'"vocabulary": {json.dumps(str(secret))}').encode()
    with zipfile.ZipFile(tmp_path / "evil.keras", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(SitegenError, match=r"would have .*secret\.txt read, as the vocabulary of a TextVectorization"):
        keras_format.load(tmp_path / "evil.keras", Options())
