"""Quantization as TF.js defines it, and the files that carry the bytes."""

from __future__ import annotations

import json
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from sitegen import chunks
from sitegen.records import Chunked
from sitegen.runtime.node import executable
from sitegen.weights import quantize
from tests.conftest import REPOSITORY

FLOATS = arrays.arrays(
    np.float32,
    arrays.array_shapes(max_dims=3, max_side=9),
    elements=st.floats(-1e4, 1e4, width=32),
)


@given(FLOATS)
def test_none_is_exact(values: NDArray[np.float32]) -> None:
    assert np.array_equal(quantize.none(values).data, values)


@given(FLOATS)
def test_float16_is_half_precision(values: NDArray[np.float32]) -> None:
    quantized = quantize.float16(values)
    assert quantized.scheme == "float16"
    assert np.array_equal(quantized.data, values.astype(np.float16))


def test_float16_has_no_infinities() -> None:
    assert quantize.float16(np.array([1e9, -1e9], np.float32)).data.tolist() == [65504, -65504]


@given(FLOATS)
def test_uint8_is_within_half_a_step_and_keeps_zero(values: NDArray[np.float32]) -> None:
    quantized = quantize.uint8(values)
    scale, minimum = quantized.more["scale"], quantized.more["min"]
    back = quantized.data.astype(np.float64) * scale + minimum
    assert quantized.data.dtype == np.uint8
    # Moving the range so that zero is a code may cost half a step more at one end.
    assert np.abs(back - values).max() <= scale * 1.001 + 1e-6
    if values.min() <= 0 <= values.max():
        assert np.abs(back[values == 0]).max(initial=0) <= scale * 1e-6


@pytest.mark.parametrize("spread", [(-1, 1), (0, 5), (-3, 0.5), (2, 9)])
def test_uint8_is_what_tensorflowjs_makes(spread: tuple[float, float]) -> None:
    from tensorflowjs import quantization

    values = np.random.default_rng(1).uniform(*spread, (7, 5)).astype(np.float32)
    codes, theirs = quantization.quantize_weights(values, np.uint8)
    ours = quantize.uint8(values)
    assert ours.more["scale"] == pytest.approx(theirs["scale"], rel=1e-5)
    assert ours.more["min"] == pytest.approx(theirs["min"], rel=1e-5, abs=1e-6)
    assert np.abs(ours.data.astype(int) - codes.astype(int)).max() <= 1


def payload(chunked: Chunked) -> bytes:
    """The pieces as the page puts them together, read as x-user-defined text would be."""
    pieces = []
    for name, size in chunked.ref.chunks:
        text = chunked.files[name].read()
        inner = text.removeprefix(f'sitegenChunk("{name}","'.encode()).removesuffix(b'")\n')
        piece = inner.decode("latin-1").encode("latin-1").decode("unicode_escape", "strict").encode("latin-1")
        assert len(piece) == size
        pieces.append(piece)
    return b"".join(pieces)


@given(st.binary(max_size=2000))
def test_chunks_hold_any_bytes(data: bytes) -> None:
    chunked = chunks.cut(data, compress=False)
    assert chunked.ref.bytes == len(data)
    assert payload(chunked) == data


def test_chunks_are_at_most_1_mib_and_cost_little() -> None:
    data = np.random.default_rng(0).bytes(2_500_000)
    chunked = chunks.cut(data)
    assert [size for _, size in chunked.ref.chunks] == [1 << 20, 1 << 20, 2_500_000 - (2 << 20)]
    assert chunked.ref.encoding == "identity"
    assert payload(chunked) == data
    assert sum(blob.size for blob in chunked.files.values()) < 1.02 * len(data)


def test_what_deflates_is_deflated() -> None:
    data = b"abc" * 10_000
    chunked = chunks.cut(data)
    assert chunked.ref.encoding == "deflate-raw"
    assert zlib.decompress(payload(chunked), -15) == data


def test_a_thorough_search_finds_less() -> None:
    data = Path(chunks.__file__).read_bytes() * 3
    plain, searched = chunks.cut(data), chunks.cut(data, thorough=True)
    assert zlib.decompress(payload(searched), -15) == data
    assert chunks.cut(data, thorough=True) == searched
    assert len(payload(searched)) < 0.98 * len(payload(plain))


def test_typescript_reads_what_python_writes(tmp_path: Path) -> None:
    """The page's own reader, under Node, on every byte value, on escapes at every edge, and on damaged files."""
    edges = [b"", b"\\", b'"', b"\n", b"\r", b"\\\\", b'"' * 9, bytes(range(256)) * 3, b"\\n" * 50, b"x\r\n\\"]
    cases = []
    for data in edges:
        chunked = chunks.cut(data, compress=False)
        for name, size in chunked.ref.chunks:
            file = chunked.files[name].read()
            cases.append({"id": name, "bytes": size, "file": file.hex(), "payload": data.hex()})
            for damaged in (file[:-1], file[:-5], file[:40], file + b"x", file.replace(name[:8].encode(), b"00000000")):
                cases.append({"id": name, "bytes": size, "file": damaged.hex(), "payload": None})
    program = """
      import { readFileSync } from 'node:fs';
      import { build } from 'esbuild';
      const [source, cases] = process.argv.slice(2);
      const made = await build({ entryPoints: [source], bundle: true, format: 'esm', write: false });
      const { payloadOf, verify } = await import(
        'data:text/javascript;base64,' + Buffer.from(made.outputFiles[0].contents).toString('base64'));
      const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
      for (const { id, bytes: size, file, payload } of JSON.parse(readFileSync(cases))) {
        let found = null;
        try {
          found = payloadOf(bytes(file), id, size);
          await verify(found, size, id, 'it');
          found = Buffer.from(found).toString('hex');
        } catch { found = null; }
        if (found !== payload) { console.log(id, file.slice(-40), found, payload); process.exitCode = 1; }
      }
    """
    runtime = REPOSITORY / "sitegen/runtime"
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    done = subprocess.run(
        [
            executable(),
            "--input-type=module",
            "-",
            str(runtime / "src/shared/chunk.ts"),
            str(tmp_path / "cases.json"),
        ],
        input=program,
        cwd=runtime,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
