"""Keras's TextVectorization: a model that begins with it goes on without, and pages are told what it did."""

from __future__ import annotations

from typing import Any

from sitegen.errors import SitegenError

_MODES = ("int", "multi_hot", "count")
_HINT = "save the model without the layer, from its numbers on, and say them in input.text"


def cut(model: Any) -> tuple[Any, dict[str, Any] | None]:
    """The model from the layer's numbers on, and schema.py's Text, its vocabulary written out; or the model, and None.

    Raises SitegenError where the layer does what pages cannot.
    """
    import keras

    kind = keras.layers.TextVectorization
    found = [layer for layer in model._flatten_layers(include_self=False) if isinstance(layer, kind)]
    if len(found) != 1 or len(model.inputs) != 1:
        return model, None
    layer = found[0]
    told = _told(layer)
    if isinstance(model, keras.Sequential):
        if model.layers[0] is not layer:
            return model, None
        shape, kind = layer.compute_output_shape(model.inputs[0].shape), "int32" if told["mode"] == "int" else "float32"
        return keras.Sequential([keras.Input(shape[1:], dtype=kind), *model.layers[1:]]), told
    if layer not in model.layers or layer.input is not model.inputs[0]:
        return model, None
    return keras.Model(layer.output, model.outputs), told


def _told(layer: Any) -> dict[str, Any]:
    config = layer.get_config()
    plain = {"lower_and_strip_punctuation", "lower", "strip_punctuation", None}
    for what, fits in (
        ("standardizes by code of its own", config["standardize"] in plain),
        ("does not split at blanks or characters", config["split"] in ("whitespace", "character")),
        (f"gives {config['output_mode']}, and not {', '.join(_MODES)}", config["output_mode"] in _MODES),
        ("gives ragged or sparse numbers", not (config["ragged"] or config["sparse"])),
    ):
        if not fits:
            raise SitegenError(f"the model's layer {layer.name} {what}, which pages do not", hint=_HINT)
    return {
        "vocabulary": [str(token) for token in layer.get_vocabulary()],
        "standardize": config["standardize"] or "none",
        "split": config["split"],
        "ngrams": config["ngrams"] or 1,
        "mode": config["output_mode"],
        "length": config["output_sequence_length"],
    }
