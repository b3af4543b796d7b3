"""The weights file: what is written is read, in Python and in TypeScript alike, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.host import Host
from sitegen.runtime.node import executable
from sitegen.weights import container, entropy
from sitegen.weights.container import Tensor
from sitegen.weights.entropy import Matrix
from tests.browsers import NAMES, Browser
from tests.conftest import REPOSITORY

RUNTIME = REPOSITORY / "sitegen/runtime"
TABLES = REPOSITORY / "sitegen/weights/tables.json"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's reader as a module for Node."""
    out = tmp_path_factory.mktemp("reader") / "container.mjs"
    program = """
      import { build } from 'esbuild';
      const [entry, outfile] = process.argv.slice(2);
      await build({ entryPoints: [entry], bundle: true, format: 'esm', outfile });
    """
    subprocess.run(
        [executable(), "--input-type=module", "-e", program, "-", "src/weights/container.ts", str(out)],
        cwd=RUNTIME,
        check=True,
        capture_output=True,
    )
    return out


def typescript(reader: Path, files: Sequence[bytes], folder: Path) -> list[str | None]:
    """What the page's reader makes of each file: SHA-256 of manifest and data; None where it refuses."""
    for index, file in enumerate(files):
        (folder / f"{index}.bin").write_bytes(file)
    program = """
      import { createHash } from 'node:crypto';
      import { readFileSync } from 'node:fs';
      const [reader, folder, count] = process.argv.slice(2);
      const { readWeights } = await import(reader);
      const found = [];
      for (let i = 0; i < Number(count); i++) {
        try {
          const { specs, data } = readWeights(new Uint8Array(readFileSync(`${folder}/${i}.bin`)));
          const hash = createHash('sha256');
          for (const { name, shape, dtype } of specs) hash.update(JSON.stringify([name, shape, dtype]));
          found.push(hash.update(new Uint8Array(data)).digest('hex'));
        } catch (error) {
          if (!/^the weights are /.test(error.message)) throw error;
          found.push(null);
        }
      }
      console.log(JSON.stringify(found));
    """
    done = subprocess.run(
        [executable(), "--input-type=module", "-e", program, "-", str(reader), str(folder), str(len(files))],
        check=True,
        capture_output=True,
        text=True,
    )
    result: list[str | None] = json.loads(done.stdout)
    return result


def python(file: bytes) -> str | None:
    """The same of Python's reader."""
    try:
        values = container.read(file)
    except SitegenError:
        return None
    digest = hashlib.sha256()
    kinds = {"f": "float32", "i": "int32", "b": "bool", "u": "bool"}
    for name, value in values.items():
        told = [name, list(value.shape), kinds[value.dtype.kind]]
        digest.update(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode())
    for value in values.values():
        digest.update(value.tobytes())
    return digest.hexdigest()


def plain(name: str, scheme: str, values: Any, **more: float) -> Tensor:
    array = np.array(values).astype(container.PLAIN[scheme])
    return Tensor(name, array.shape, scheme, array, more)


PLAIN = (
    plain("floats", "float32", [[1.5, -2, 3e-40], [math.pi, 0, -0.0]]),
    plain("halves", "float16", [0, -0.0, 1, -1.5, 65504, 6e-8, 1e-4, math.inf, math.nan, 0.1]),
    plain("whole", "int32", [2**31 - 1, -(2**31), 7]),
    plain("yes", "bool", [True, False, True]),
    plain("bytes", "uint8", np.arange(256).reshape(2, 4, 32), scale=0.0123, min=-1.5),
    plain("one", "float32", 42.0),
    plain("none", "float32", np.zeros((0, 3))),
    plain("naïve/Ωmega", "float32", [1.0]),
)


def coded(name: str, shape: Sequence[int], rows: int, step: float) -> Tensor:
    return Tensor(name, tuple(shape), "coded", None, {"rows": rows, "step": step})


def matrices(seed: int) -> list[Matrix]:
    """Integers as weights have them: rows and columns of different sizes, many zeros, a few that are very large."""
    chance = np.random.default_rng(seed)
    made = []
    for rows, columns, size in ((9, 16, 3.0), (1, 40, 0.1), (64, 8, 40.0), (1, 1, 900.0), (30, 30, 0.0)):
        scale = size * np.exp(chance.normal(0, 1, (rows, 1)) + chance.normal(0, 0.7, (1, columns)))
        integers = np.round(chance.laplace(0, 1, (rows, columns)) * scale).clip(-24000, 24000).astype(np.int16)
        exponents = [chance.integers(-9, 20, length).astype(np.int16) for length in (rows, columns)]
        made.append(Matrix(integers, *(e if chance.random() < 0.6 else None for e in exponents)))
    made[0].integers[0, :3] = [24000, -24000, 32767]
    return made


def whole(seed: int) -> bytes:
    """A file with plain and coded tensors."""
    made = matrices(seed)
    tensors = [
        coded(f"coded {index}", m.integers.shape, len(m.integers), 0.01 * (index + 1)) for index, m in enumerate(made)
    ]
    return container.write([*PLAIN[:3], *tensors, *PLAIN[3:]], entropy.encode(made).data)


def gridded(seed: int) -> bytes:
    """A file of grids, with a step for all and with one a column, between plain and coded tensors."""
    chance = np.random.default_rng(seed)
    made = [matrix for matrix in matrices(seed) if len(matrix.integers) > 1]
    tensors = []
    for index, matrix in enumerate(made):
        rows, columns = matrix.integers.shape
        steps = chance.uniform(1e-4, 3, 1 if index % 2 else columns).astype(np.float32)
        tensors.append(Tensor(f"grid {index}", (rows, columns), "grid", steps, {"rows": rows, "steps": len(steps)}))
    last = Matrix(np.arange(6, dtype=np.int16).reshape(2, 3))
    stream = entropy.encode([*made, last]).data
    return container.write([PLAIN[0], *tensors, *PLAIN[4:6], coded("coded", (2, 3), 2, 0.5)], stream)


def test_plain_tensors() -> None:
    values = container.read(container.write(PLAIN))
    assert list(values) == [tensor.name for tensor in PLAIN]
    for tensor in PLAIN:
        assert tensor.data is not None
        expected = tensor.data.astype(np.float32) if tensor.scheme == "float16" else tensor.data
        if tensor.scheme == "uint8":
            expected = (tensor.data.astype(float) * 0.0123 - 1.5).astype(np.float32)
        np.testing.assert_array_equal(values[tensor.name], expected)


@pytest.mark.parametrize("seed", range(4))
def test_coded_tensors(seed: int) -> None:
    values = container.read(whole(seed))
    for index, matrix in enumerate(matrices(seed)):
        exponents = [
            np.zeros(length) if given is None else given.astype(float)
            for length, given in zip(
                matrix.integers.shape, (matrix.row_exponents, matrix.column_exponents), strict=True
            )
        ]
        steps = 0.01 * (index + 1) * 2.0 ** (exponents[0][:, None] / 2) * 2.0 ** (exponents[1][None, :] / 2)
        np.testing.assert_allclose(values[f"coded {index}"], matrix.integers * steps, rtol=1e-6)


def test_grids_are_exact() -> None:
    """Without exponents, what is read is the float32 nearest to integer times step."""
    chance = np.random.default_rng(0)
    integers = chance.integers(-255, 256, (40, 7)).astype(np.int16)
    for steps in (np.float32([0.0123]), chance.uniform(1e-9, 9, 7).astype(np.float32)):
        tensor = Tensor("a", (4, 10, 7), "grid", steps, {"rows": 40, "steps": len(steps)})
        file = container.write([tensor], entropy.encode([Matrix(integers)]).data)
        expected = (integers * steps.astype(np.float64)).astype(np.float32).reshape(4, 10, 7)
        np.testing.assert_array_equal(container.read(file)["a"], expected)


def test_coding_pays() -> None:
    """Within a twentieth of the entropy of numbers whose distribution is known."""
    integers = np.round(np.random.default_rng(0).laplace(0, 2, (400, 300))).astype(np.int16)
    _, counts = np.unique(integers, return_counts=True)
    shares = counts / counts.sum()
    entropy_bytes = -(shares * np.log2(shares)).sum() * integers.size / 8
    assert len(entropy.encode([Matrix(integers)]).data) < 1.05 * entropy_bytes


def test_typescript_reads_the_same(reader: Path, tmp_path: Path) -> None:
    files = [container.write(PLAIN), *(whole(seed) for seed in range(4)), gridded(0), gridded(1), container.write([])]
    expected = [python(file) for file in files]
    assert None not in expected
    assert typescript(reader, files, tmp_path) == expected


def golden() -> bytes:
    """A file that is the same on every machine."""
    at = np.arange(24 * 18, dtype=np.int64)
    mixed = (at * at * 7919 + at * 104729) % 65521
    integers = (mixed % 41 - 20) * (mixed % 7 < 3) * np.where(at % 97 == 0, 1000, 1)
    rows, columns = ((np.arange(length) * 5) % 7 - 3 for length in (24, 18))
    matrix = Matrix(integers.reshape(24, 18).astype(np.int16), rows.astype(np.int16), columns.astype(np.int16))
    stream = entropy.encode([matrix, Matrix(matrix.integers[:5])]).data
    first, second = coded("first", [2, 3, 4, 18], 24, 0.001), coded("second", [5, 18], 5, 0.25)
    return container.write([first, *PLAIN, second], stream)


# SHA-256 of golden() and of what it holds: a change of either is a new version of the format.
GOLDEN = (
    "a31aa861a75d863bfe972d372a9c791a890d8bffacd75f4ef4dd67fba9e0794b",
    "aae835b7183632eb632e055259d66ce172450822ea86d993ebabf77f15e714af",
)


def test_the_format_does_not_change() -> None:
    file = golden()
    assert (hashlib.sha256(file).hexdigest(), python(file)) == GOLDEN


READ = """
  (async () => {
    const { readWeights } = await import('./container.mjs');
    const { specs, data } = readWeights(new Uint8Array(await (await fetch('NAME')).arrayBuffer()));
    const text = specs.map(({ name, shape, dtype }) => JSON.stringify([name, shape, dtype])).join('');
    const head = new TextEncoder().encode(text);
    const whole = new Uint8Array(head.length + data.byteLength);
    whole.set(head);
    whole.set(new Uint8Array(data), head.length);
    const digest = await crypto.subtle.digest('SHA-256', whole);
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  })()
"""


@pytest.mark.parametrize("name", NAMES)
def test_browsers_read_the_same(name: str, browser: Callable[[str], Browser], reader: Path, tmp_path: Path) -> None:
    shutil.copy(reader, tmp_path)
    (tmp_path / "index.html").write_text("<!doctype html><title>weights</title>")
    with Host(tmp_path) as host:
        tab = browser(name).new_tab()
        try:
            tab.goto(f"{host.url}index.html")
            for index, file in enumerate((golden(), whole(0), gridded(1))):
                (tmp_path / f"{index}.bin").write_bytes(file)
                assert tab.evaluate(READ.replace("NAME", f"{index}.bin")) == python(file)
        finally:
            tab.close()


def test_tables_are_the_documented_ones() -> None:
    tables = json.loads(TABLES.read_text())
    for bucket in range(40):
        mean = 2 ** ((bucket - 12) / 3)
        low = 0 if mean < 5 else math.floor(math.log2(mean / 2.5))
        scaled = mean / 2**low
        assert tables["thresholds"][bucket] == round(1024 * 2 ** ((bucket - 11.5) / 3)) / 1024
        assert tables["low"][bucket] == low
        assert tables["zero"][bucket] == int(65535 * (1 - 1 / (1 + 1.6 * mean)) * 0.98 + 600)
        assert tables["unary"][bucket] == int(65535 * scaled / (1 + scaled) * 0.97 + 900)


def headed(header: Any, rest: bytes = b"", version: int = 1, magic: bytes = b"SGWT") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return magic + version.to_bytes(4, "little") + len(text).to_bytes(4, "little") + text + rest


def one(**entry: Any) -> dict[str, Any]:
    return {"tensors": [{"name": "a", "shape": [2], "scheme": "float32", **entry}]}


FORGED: Mapping[str, bytes] = {
    "empty": b"",
    "no magic": headed(one(), bytes(8), magic=b"SGWX"),
    "another version": headed(one(), bytes(8), version=2),
    "header beyond the end": headed(one())[:20],
    "no JSON": headed(b"{"),
    "not UTF-8": headed(b'{"tensors": [{"name": "\xff"}]}'),
    "deep JSON": headed(b"[" * 100_000),
    "a list": headed([]),
    "null": headed(None),
    "null tensor": headed({"tensors": [None]}),
    "no name": headed({"tensors": [{"shape": [2], "scheme": "float32"}]}, bytes(8)),
    "unknown scheme": headed(one(scheme="float8"), bytes(8)),
    "inherited scheme": headed(one(scheme="toString"), bytes(8)),
    "shape is no list": headed(one(shape=2), bytes(8)),
    "negative size": headed(one(shape=[-2]), bytes(8)),
    "broken size": headed(one(shape=[1.5]), bytes(8)),
    "true size": headed(one(shape=[True]), bytes(4)),
    "terabytes": headed(one(shape=[1 << 40]), bytes(8)),
    "terabytes by parts": headed(one(shape=[1 << 30, 1 << 30, 1 << 30]), bytes(8)),
    "too short": headed(one(), bytes(7)),
    "too long": headed(one(), bytes(9)),
    "no scale": headed(one(scheme="uint8"), bytes(2)),
    "scale is text": headed(one(scheme="uint8", scale="1", min=0), bytes(2)),
    "no step": headed(one(scheme="coded", rows=1), bytes(8)),
    "step 0": headed(one(scheme="coded", rows=1, step=0), bytes(8)),
    "step NaN": headed(b'{"tensors":[{"name":"a","shape":[2],"scheme":"coded","rows":1,"step":NaN}]}', bytes(8)),
    "step infinite": headed(b'{"tensors":[{"name":"a","shape":[2],"scheme":"coded","rows":1,"step":1e999}]}', bytes(8)),
    "rows 0": headed(one(scheme="coded", rows=0, step=1), bytes(8)),
    "rows that do not fit": headed(one(shape=[3], scheme="coded", rows=2, step=1), bytes(8)),
    "nothing coded": headed(one(shape=[0], scheme="coded", rows=1, step=1), bytes(8)),
    "coded without a stream": headed(one(scheme="coded", rows=1, step=1)),
    "more than a stream can hold": headed(one(shape=[1 << 30], scheme="coded", rows=1, step=1), bytes(100)),
    "no steps": headed(one(scheme="grid", rows=1), bytes(12)),
    "steps that do not fit": headed(one(scheme="grid", rows=2, steps=2), bytes(12)),
    "a broken step": headed(one(scheme="grid", rows=1, steps=1.5), bytes(12)),
    "a true step": headed(one(scheme="grid", rows=1, steps=True), bytes(12)),
    "steps beyond the end": headed(one(scheme="grid", rows=1, steps=2), bytes(7)),
    "grid of nothing": headed(one(shape=[0], scheme="grid", rows=1, steps=1), bytes(12)),
    "stream begins wrongly": headed(one(scheme="coded", rows=1, step=1), b"\1" * 20),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_files_are_refused(name: str) -> None:
    with pytest.raises(SitegenError, match="the weights are damaged"):
        container.read(FORGED[name])


def mutated(original: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    changed = bytearray(original[: chance.randint(0, len(original)) if chance.random() < 0.2 else len(original)])
    changed += chance.randbytes(chance.choice([0, 0, 0, 1, 40]))
    for _ in range(chance.choice([1, 1, 2, 8])):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def test_damaged_files_end_alike_in_both_languages(reader: Path, tmp_path: Path) -> None:
    """Whatever the bytes: both refuse a file, or both read the same numbers from it."""
    originals = [container.write(PLAIN), whole(0), gridded(1)]
    files = [*FORGED.values(), *(mutated(originals[seed % 3], seed) for seed in range(300))]
    expected = [python(file) for file in files]
    assert typescript(reader, files, tmp_path) == expected
    assert 10 < sum(result is None for result in expected) < len(files)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_stream_ends(stream: bytes) -> None:
    try:
        values = container.read(headed(one(shape=[20, 5], scheme="coded", rows=20, step=1), b"\0" + stream))
    except SitegenError:
        return
    assert values["a"].shape == (20, 5)


def test_reading_is_of_any_numbers() -> None:
    array: NDArray[np.float32] = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    np.testing.assert_array_equal(container.read(container.write([plain("a", "float32", array)]))["a"], array)
