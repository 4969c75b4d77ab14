"""A Keras model as the plain object that `load` in engine.js takes: layers, weights as text, what its numbers mean."""

import base64
import zlib
from typing import Any

import keras
import numpy as np

from aebook import data
from aebook.explorer.layers import Layer, describe, halves
from aebook.parameters import SIDE, InputError

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


def pack(
    model: keras.Model,
    images: np.ndarray,
    held_out: np.ndarray,
    precision: str = "float32",
    **more: Any,
) -> Packed:
    """Pack a trained autoencoder.

    Args:
        model: it has an `encoder` and a `decoder`, or is made of two models, or has a layer "code". Images have
            28×28 pixels, values 0 to 1.
        images: (n, 28, 28), values 0 to 255: those it was trained on. They give the range of each number of the code.
        held_out: the same, of images it was not trained on. They give its error.
        precision: how each weight is kept: "float32", "float16", or "int8" with a scale for each unit.
        more: what the page says of the model: `name`, `title`, `kind`.

    Returns:
        A dictionary that JSON can hold; engine.js says what is in it.

    Raises:
        InputError: if the model cannot be shown; the message names the first layer that stands in the way.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}; got {precision!r}")
    if not isinstance(model, keras.Model) or not model.built:
        raise InputError(f"model must be a keras.Model that has been built, got {model!r}")
    encoder, decoder = ([describe(layer, n) for n, layer in enumerate(half, 1)] for half in halves(model))
    shape, drawn = _shape(model), getattr(model, "decoder", model).output_shape[1:]
    if np.prod(shape) != SIDE**2 or np.prod(drawn) != SIDE**2:
        raise InputError(f"images must have {SIDE}×{SIDE} pixels, got the shapes {shape} and {drawn}")
    kept = [keep(array, precision, about["name"]) for about, arrays in encoder + decoder for array in arrays]
    entries = iter([about for about, _, _ in kept])
    packed = {"name": model.name, "title": model.name, "kind": "convolutional" if _has_filters(encoder) else "dense"}
    packed |= more
    packed |= {
        "shape": list(shape),
        "layers": {
            name: [{**about, "arrays": [next(entries) for _ in arrays]} if arrays else about for about, arrays in half]
            for name, half in {"encoder": encoder, "decoder": decoder}.items()
        },
        **as_text("weights", b"".join(content for _, content, _ in kept)),
    }
    return packed | facts(model, images, held_out)


def _shape(model: keras.Model) -> tuple[int, ...]:
    """The shape of one image; a model that only calls its two halves does not know it, its encoder does."""
    return getattr(model, "encoder", model).input_shape[1:]


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
    y = model.predict(x.reshape(-1, *_shape(model)), batch_size=1000, verbose=0).reshape(x.shape)
    errors = np.mean((x - y) ** 2, axis=1)
    found = {
        "ranges": [[short(a), short(b)] for a, b in zip(low, high)],
        "dead": [bool(a == b == 0) for a, b in zip(low, high)],
        "error": {"measure": "mse", "mean": short(errors.mean()), "seen": short(np.quantile(errors, SEEN))},
    }
    return found | ({"map": plane(codes)} if codes.shape[1] == 2 else {})


def encode(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The codes of images, (n, 28, 28) with values 0 to 255, as an array (n, numbers)."""
    x = data.to_vectors(images).reshape(-1, *_shape(model))
    encoder = keras.Sequential([keras.Input(_shape(model)), *halves(model)[0]])
    return encoder.predict(x, batch_size=1000, verbose=0).reshape(len(x), -1)


def plane(codes: np.ndarray) -> Packed:
    """The map of a model with two numbers: how many training images lie at each place or beside it, and from how many
    on they live there."""
    edges = (1 - MAP_SHARE) / 2
    low, high = np.quantile(codes, (edges, 1 - edges), axis=0)
    high = np.where(high > low, high, low + 1)  # a number that is the same for all images
    places = np.floor((codes - low) / (high - low) * MAP_SIDE)
    across, up = places[((places >= 0) & (places < MAP_SIDE)).all(axis=1)].astype(int).T
    counts = np.zeros((MAP_SIDE + 2, MAP_SIDE + 2), dtype=int)
    np.add.at(counts, (up + 1, across + 1), 1)
    near = sum(counts[i : i + MAP_SIDE, j : j + MAP_SIDE] for i in range(3) for j in range(3))
    near = np.minimum(near, 255)
    limit = max(int(np.quantile(near[up, across], 1 - MAP_SHARE)), 1) if len(up) else 1
    content = near.astype("u1").tobytes()
    return {"low": short(low), "high": short(high), "side": MAP_SIDE, "limit": limit, **as_text("counts", content)}


def short(numbers: Any) -> Any:
    """Numbers with six digits, as JSON can hold them."""
    if np.ndim(numbers):
        return [short(number) for number in numbers]
    return float(f"{float(numbers):.6g}")
