"""The layers of a Keras model, described for engine.js."""

import re
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from aebook.parameters import InputError

ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "elu")
IN_TRAINING = ("InputLayer", "Dropout", "GaussianNoise")
"""Layers that a trained model does not need."""

Layer = tuple[dict[str, Any], list[np.ndarray]]
"""What engine.js is told of a layer, and its weights."""


def halves(model: keras.Model) -> tuple[list[keras.Layer], list[keras.Layer]]:
    """The layers of the encoder, and those of the decoder.

    Raises:
        InputError: if the model does not show where its code is.
    """
    if hasattr(model, "encoder") and hasattr(model, "decoder"):
        return list(in_line(model.encoder)), list(in_line(model.decoder))
    inner = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    if len(inner) == 2 and all(isinstance(half, keras.Model) for half in inner):
        return list(in_line(inner[0])), list(in_line(inner[1]))
    layers = list(in_line(model))
    place = [n for n, layer in enumerate(layers, 1) if layer.name == "code"]
    if not place:
        raise InputError(
            "the model must be made of two models, its encoder and its decoder, or name a layer code; "
            f"got the layers {', '.join(layer.name for layer in layers)}"
        )
    return layers[: place[0]], layers[place[0] :]


def in_line(model: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a model in which each takes what the one before it gives, without those for the training.

    Raises:
        InputError: if a layer takes part twice.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from in_line(layer)
        elif type(layer).__name__ not in IN_TRAINING:
            yield layer
    for entry in model.get_config().get("layers", ()):
        if len(entry.get("inbound_nodes", ())) > 1:
            raise InputError(f"the layer {entry['config']['name']} must take part once")


def describe(layer: keras.Layer, place: int) -> Layer:
    """What engine.js is told of a layer, the `place`-th of its half from 1 on, and its weights.

    A layer without a name of its own, which Keras numbers through, is named by its place.

    Raises:
        InputError: if engine.js does not know its kind, its activation or one of its settings.
    """
    kind = type(layer).__name__
    settings, arrays = KINDS[kind](layer) if kind in KINDS else _refuse(layer, f"is a {kind}")
    numbered = re.sub(r"_\d+$", "", layer.name).replace("_", "") == kind.lower()
    return {"name": f"{kind.lower()} {place}" if numbered else layer.name, **settings}, [
        np.asarray(array, dtype="float32") for array in arrays
    ]


def _refuse(layer: keras.Layer, what: str) -> Any:
    raise InputError(
        f"the layer {layer.name} {what}, which the explorer cannot show; it shows {', '.join(KINDS)}, "
        f"with the activations {', '.join(ACTIVATIONS)}"
    )


def _activation(layer: keras.Layer) -> str:
    name = getattr(layer.activation, "__name__", str(layer.activation))
    return name if name in ACTIVATIONS else _refuse(layer, f"has the activation {name}")


def _must(layer: keras.Layer, **wanted: Any) -> None:
    for name, value in wanted.items():
        got = getattr(layer, name)
        if got != value:
            _refuse(layer, f"has {name}={got!r}")


def _weighted(layer: keras.Layer, units: int) -> tuple[str, list[np.ndarray]]:
    kernel, *bias = layer.get_weights()
    return _activation(layer), [kernel, *(bias or [np.zeros(units)])]


def _dense(layer: keras.layers.Dense) -> Layer:
    activation, arrays = _weighted(layer, layer.units)
    return {"kind": "dense", "activation": activation}, arrays


def _convolution(layer: Any) -> Layer:
    _must(
        layer, data_format="channels_last", dilation_rate=(1, 1), **({"groups": 1} if hasattr(layer, "groups") else {})
    )
    kind = type(layer).__name__.lower()
    if kind == "conv2dtranspose":
        _must(layer, padding="same", output_padding=None)
    activation, arrays = _weighted(layer, layer.filters)
    settings = {"strides": list(layer.strides), "padding": layer.padding, "activation": activation}
    return {"kind": kind, **settings}, arrays


def _pooling(layer: keras.layers.MaxPooling2D) -> Layer:
    _must(layer, data_format="channels_last")
    settings = {"pool": list(layer.pool_size), "strides": list(layer.strides), "padding": layer.padding}
    return {"kind": "maxpooling2d", **settings}, []


def _upsampling(layer: keras.layers.UpSampling2D) -> Layer:
    _must(layer, data_format="channels_last", interpolation="nearest")
    return {"kind": "upsampling2d", "factors": list(layer.size)}, []


def _reshape(layer: keras.Layer) -> Layer:
    return {"kind": "reshape", "shape": list(layer.output.shape[1:])}, []


def _rectified(layer: keras.layers.ReLU) -> Layer:
    _must(layer, negative_slope=0.0, threshold=0.0)
    if layer.max_value not in (None, 1.0):
        _refuse(layer, f"has max_value={layer.max_value}")
    return {"kind": "activation", "activation": "relu" if layer.max_value is None else "clip"}, []


def _normalization(layer: keras.layers.BatchNormalization) -> Layer:
    mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
    factor = (np.asarray(layer.gamma) if layer.scale else 1) / np.sqrt(variance + layer.epsilon)
    return {"kind": "scale"}, [factor, (np.asarray(layer.beta) if layer.center else 0) - mean * factor]


KINDS = {
    "Dense": _dense,
    "Conv2D": _convolution,
    "Conv2DTranspose": _convolution,
    "MaxPooling2D": _pooling,
    "UpSampling2D": _upsampling,
    "Flatten": _reshape,
    "Reshape": _reshape,
    "Activation": lambda layer: ({"kind": "activation", "activation": _activation(layer)}, []),
    "ReLU": _rectified,
    "BatchNormalization": _normalization,
}
"""How each kind of layer is described."""
