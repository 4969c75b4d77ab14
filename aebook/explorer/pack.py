"""A Keras model as the plain object that `load` in engine.js takes: layers, weights as text, what its numbers mean."""

import base64
import zlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from aebook import data
from aebook.parameters import SIDE, InputError

ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "elu")
IN_TRAINING = ("InputLayer", "Dropout", "GaussianNoise")
"""Layers that a trained model does not need."""

PRECISIONS = ("float32", "float16", "int8")
SMALL = 10_000
"""An array with fewer numbers stays float32 where the others become int8: it adds little, and errs for all."""

SEEN = 0.99
"""The share of images never trained on whose error counts as that of something seen before."""

MAP_SIDE = 64
"""How many places the map of a model with two numbers has along each axis."""

MAP_SHARE = 0.995
"""The share of the training images that the map reaches along each axis, and that lie where images are said to live."""

Packed = dict[str, Any]
Layer = tuple[Packed, list[np.ndarray]]
"""What engine.js is told of a layer, and its weights."""


def pack(
    model: keras.Model,
    images: np.ndarray | None = None,
    held_out: np.ndarray | None = None,
    precision: str = "float32",
    **more: Any,
) -> Packed:
    """Pack a trained autoencoder.

    Args:
        model: it has an `encoder` and a `decoder`, or is made of two models, or has a layer "code". Images have
            28×28 pixels, values 0 to 1.
        images: (n, 28, 28), values 0 to 255: those it was trained on, by default MNIST's. They give the range
            of each number of the code.
        held_out: the same, of images it was not trained on, by default MNIST's test images. They give its error.
        precision: how each weight is kept: "float32", "float16", or "int8" with a scale for each unit.
        more: what the page says of the model: `name`, `title`, `kind`.

    Returns:
        A dictionary that JSON can hold; engine.js says what is in it.

    Raises:
        InputError: if the model cannot be shown; the message names the first layer that stands in the way.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}; got {precision!r}")
    if images is None or held_out is None:
        mnist = data.load("mnist")
        images = mnist.x_train if images is None else images
        held_out = mnist.x_test if held_out is None else held_out
    encoder, decoder = ([describe(layer) for layer in half] for half in halves(model))
    shape = list(model.input_shape[1:])
    if np.prod(shape) != SIDE**2 or np.prod(model.output_shape[1:]) != SIDE**2:
        raise InputError(f"images must have {SIDE}×{SIDE} pixels, got {model.input_shape} and {model.output_shape}")
    kept = [keep(array, precision, about["name"]) for about, arrays in encoder + decoder for array in arrays]
    entries = iter([about for about, _, _ in kept])
    packed = {"name": model.name, "title": model.name, "kind": "convolutional" if _has_filters(encoder) else "dense"}
    packed |= more
    packed |= {
        "shape": shape,
        "layers": {
            name: [{**about, "arrays": [next(entries) for _ in arrays]} if arrays else about for about, arrays in half]
            for name, half in {"encoder": encoder, "decoder": decoder}.items()
        },
        **as_text("weights", b"".join(content for _, content, _ in kept)),
    }
    return packed | facts(model, images, held_out)


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


def describe(layer: keras.Layer) -> Layer:
    """What engine.js is told of a layer, and its weights.

    Raises:
        InputError: if engine.js does not know its kind, its activation or one of its settings.
    """
    kind = type(layer).__name__
    settings, arrays = KINDS[kind](layer) if kind in KINDS else _refuse(layer, f"is a {kind}")
    return {"name": layer.name, **settings}, [np.asarray(array, dtype="float32") for array in arrays]


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
    _must(layer, data_format="channels_last", dilation_rate=(1, 1), **({"groups": 1} if hasattr(layer, "groups") else {}))
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


def _has_filters(layers: list[Layer]) -> bool:
    return any(about["kind"].startswith("conv") for about, _ in layers)


def keep(array: np.ndarray, precision: str, name: str) -> tuple[Packed, bytes, np.ndarray]:
    """An array of the layer `name`: what engine.js is told of it, its bytes, and its numbers as they are kept.

    Biases stay float32, and so do small arrays where the others become int8.

    Raises:
        InputError: if a number of it is not finite, or too large for float16.
    """
    if array.ndim == 1 or (precision == "int8" and array.size < SMALL):
        precision = "float32"
    if precision == "int8":
        scales = (np.abs(array).max(axis=tuple(range(array.ndim - 1))) / 127).astype("<f4")
        levels = np.rint(array / np.where(scales > 0, scales, 1)).astype("i1")
        kept, content = levels * scales, scales.tobytes() + levels.tobytes()
    else:
        with np.errstate(over="ignore"):  # an infinite number is refused below
            kept = array.astype("<f2" if precision == "float16" else "<f4")
        content = kept.tobytes()
    if not np.isfinite(kept).all():
        raise InputError(f"the weights of the layer {name} must be finite numbers that a {precision} can hold")
    return {"shape": list(array.shape), "type": precision}, content, kept.astype("float32")


def as_text(key: str, content: bytes) -> Packed:
    """Bytes as text, with the sum by which engine.js sees damage."""
    return {"adler32": zlib.adler32(content), key: base64.b64encode(content).decode()}


def facts(model: keras.Model, images: np.ndarray, held_out: np.ndarray) -> Packed:
    """What the page says of a model: the range of each number, those that are always 0, the usual error."""
    codes = encode(model, images)
    low, high = codes.min(axis=0), codes.max(axis=0)
    x = data.to_vectors(held_out)
    y = model.predict(x.reshape(-1, *model.input_shape[1:]), batch_size=1000, verbose=0).reshape(x.shape)
    errors = np.mean((x - y) ** 2, axis=1)
    found = {
        "ranges": [[short(a), short(b)] for a, b in zip(low, high)],
        "dead": [bool(a == b == 0) for a, b in zip(low, high)],
        "error": {"measure": "mse", "mean": short(errors.mean()), "seen": short(np.quantile(errors, SEEN))},
    }
    return found | ({"map": plane(codes)} if codes.shape[1] == 2 else {})


def encode(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The codes of images, (n, 28, 28) with values 0 to 255, as an array (n, numbers)."""
    x = data.to_vectors(images).reshape(-1, *model.input_shape[1:])
    encoder = model.encoder if hasattr(model, "encoder") else _first_half(model)
    return encoder.predict(x, batch_size=1000, verbose=0).reshape(len(x), -1)


def _first_half(model: keras.Model) -> keras.Model:
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return inner[0] if len(inner) == 2 else keras.Model(model.inputs, model.get_layer("code").output)


def plane(codes: np.ndarray) -> Packed:
    """The map of a model with two numbers: how many training images lie at each place or beside it, and from how many
    on they live there."""
    edges = (1 - MAP_SHARE) / 2
    low, high = np.quantile(codes, (edges, 1 - edges), axis=0)
    places = np.floor((codes - low) / (high - low) * MAP_SIDE)
    across, up = places[((places >= 0) & (places < MAP_SIDE)).all(axis=1)].astype(int).T
    counts = np.zeros((MAP_SIDE + 2, MAP_SIDE + 2), dtype=int)
    np.add.at(counts, (up + 1, across + 1), 1)
    near = sum(counts[i : i + MAP_SIDE, j : j + MAP_SIDE] for i in range(3) for j in range(3))
    near = np.minimum(near, 255)
    limit = max(int(np.quantile(near[up, across], 1 - MAP_SHARE)), 1)
    content = near.astype("u1").tobytes()
    return {"low": short(low), "high": short(high), "side": MAP_SIDE, "limit": limit, **as_text("counts", content)}


def short(numbers: Any) -> Any:
    """Numbers with six digits, as JSON can hold them."""
    if np.ndim(numbers):
        return [short(number) for number in numbers]
    return float(f"{float(numbers):.6g}")
