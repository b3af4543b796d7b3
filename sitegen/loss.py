"""What quantization saved and lost, as people read it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from sitegen import text
from sitegen.records import Packed

_SCHEMES = {
    "none": "32-bit floats",
    "float16": "16-bit floats",
    "uint8": "8-bit integers",
    "auto": "coded integers",
}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def bits(packed: Packed) -> float | None:
    """How many bits a weight takes; None for a model without weights of floats."""
    return 8 * packed.weight_bytes / packed.parameters if packed.parameters else None


def line(found: Mapping[str, Any]) -> str:
    """What was lost (weights/codec.py), as a sentence without its full stop."""
    if found["measure"] == "KL":
        said = f"KL {found['distortion']:.1e}, where 8-bit integers lose {found['uint8_distortion']:.1e}"
    else:
        said = f"SNR {_decibels(found['distortion'])}, where 8-bit integers keep {_decibels(found['uint8_distortion'])}"
    if found["agreement"] is None:
        said += f", on {_inputs(found)}"
    else:
        said += f"; the best class stays for {share(found['agreement'])} of {_inputs(found)}"
    if found["accuracy"] is not None:
        said += f"; accuracy {share(found['accuracy'])} of {text.plural(found['labelled'], 'labelled picture')}"
        said += f", {share(found['float_accuracy'])} before"
    return said


def facts(packed: Packed) -> Iterator[tuple[str, str]]:
    """What a page says of its weights: names and values."""
    before, after = text.size(packed.float32_bytes), text.size(packed.weight_bytes)
    sizes = f"{before} → {after}" if packed.weight_bytes != packed.float32_bytes else after
    yield "Weights", f"{sizes}, {_SCHEMES[packed.scheme]}"
    each = bits(packed)
    if each is not None:
        yield "A weight takes", f"{each:.1f} bits"
    found = packed.loss
    if found is None:
        return
    if found["agreement"] is not None:
        yield "Best class stays", _beside(share(found["agreement"]), share(found["uint8_agreement"]))
    if found["measure"] == "KL":
        kl, of_uint8 = (_power(found[key]) for key in ("distortion", "uint8_distortion"))
        yield "Divergence", _beside(f"{kl} nats", of_uint8)
    else:
        yield "Signal to noise", _beside(_decibels(found["distortion"]), _decibels(found["uint8_distortion"]))
    yield "Measured on", _inputs(found)
    if found["accuracy"] is not None:
        of = text.plural(found["labelled"], "labelled picture")
        yield "Accuracy", f"{share(found['accuracy'])} of {of}; {share(found['float_accuracy'])} before"


def share(value: float) -> str:
    """ "99.7 %"; only what is whole is 100 %."""
    tenths = math.floor(1000 * value + 1e-9) / 10
    return f"{tenths:.1f}".removesuffix(".0") + " %"


def _beside(own: str, of_uint8: str) -> str:
    return f"{own} (8-bit integers: {of_uint8})"


def _inputs(found: Mapping[str, Any]) -> str:
    return f"{found['inputs']} {found['on']}"


def _decibels(distortion: float) -> str:
    return f"{-10 * math.log10(distortion):.1f} dB"


def _power(value: float) -> str:
    """ "5.1 × 10⁻⁶"."""
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits} × 10{str(int(exponent)).translate(_RAISED)}"
