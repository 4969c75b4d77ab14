"""The autoencoders that are compared with one another (the page on claims)."""

from collections.abc import Sequence

import keras
from keras import layers

from aebook.models import ConvAutoencoder
from aebook.parameters import CODE_PIXELS, SIDE, InputError, check
from aebook.training import CODE_BIAS


def build(
    model: str,
    z_dim: int,
    code_activation: str = "relu",
    output: str = "sigmoid",
    start: str = "book",
    width: int = 256,
) -> keras.Model:
    """A new contender.

    Args:
        model: "dense", the model of section 6.2.1; "conv", that of 6.3.1; "conv_dense", convolutions
            around a dense code; or "deep", three dense layers on each side.
        z_dim: code size; for "conv" a multiple of 49.
        code_activation: the activation of the code, "relu" or "linear".
        output: that of the last layer, "sigmoid" or "linear".
        start: "book", first weights and biases with which a ReLU is not likely to die (sections
            6.2.3 and 6.3.4), or "keras", those that Keras gives.
        width: of the first hidden layer of "deep"; the second has a quarter of it.

    Returns:
        A model of images in the layout of `is_flat`, for each of which it gives an image. It has
        the attributes `encoder` and `decoder`.

    Raises:
        InputError: for a value that cannot be used.
    """
    check(model=model, z_dim=z_dim, code_activation=code_activation, output=output, start=start, width=width)
    if model == "pca":
        raise InputError("pca is computed, not trained; there are dense, conv, conv_dense and deep to build")
    bias = CODE_BIAS if start == "book" and code_activation == "relu" else 0.0
    kernel = "he_normal" if start == "book" else "glorot_uniform"
    if model == "conv":
        return ConvAutoencoder(z_dim // CODE_PIXELS, kernel_initializer=kernel, code_bias=bias)
    code_layer = layers.Dense(
        z_dim, activation=code_activation, bias_initializer=keras.initializers.Constant(bias), name="code"
    )
    if model == "conv_dense":
        return _joined(*_convolutions(z_dim, code_layer, kernel))
    hidden = (width, width // 4) if model == "deep" else ()
    return _joined(*_stack(z_dim, code_layer, hidden, output, kernel))


def is_flat(model: str) -> bool:
    """Whether a model takes its images as rows (n, 784); the others take (n, 28, 28, 1)."""
    return model not in ("conv", "conv_dense")


def _stack(z_dim: int, code: layers.Layer, hidden: Sequence[int], output: str, kernel: str) -> tuple[list, list]:
    def relu(units: int) -> layers.Layer:
        return layers.Dense(units, activation="relu", kernel_initializer=kernel)

    encoder = [layers.Input((SIDE**2,)), *map(relu, hidden), code]
    last = layers.Dense(SIDE**2, activation=output, name="pixels")
    return encoder, [layers.Input((z_dim,)), *map(relu, reversed(hidden)), last]


def _convolutions(z_dim: int, code: layers.Layer, kernel: str) -> tuple[list, list]:
    relu = {"strides": 2, "padding": "same", "activation": "relu", "kernel_initializer": kernel}
    encoder = [
        layers.Input((SIDE, SIDE, 1)),
        layers.Conv2D(8, 3, **relu),
        layers.Conv2D(16, 3, **relu),
        layers.Flatten(),
        code,
    ]
    decoder = [
        layers.Input((z_dim,)),
        layers.Dense(7 * 7 * 16, activation="relu", kernel_initializer=kernel),
        layers.Reshape((7, 7, 16)),
        layers.Conv2DTranspose(8, 4, **relu),
        layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid", name="pixels"),
    ]
    return encoder, decoder


def _joined(encoder: list, decoder: list) -> keras.Model:
    halves = keras.Sequential(encoder, name="encoder"), keras.Sequential(decoder, name="decoder")
    model = keras.Sequential(halves)
    model.encoder, model.decoder = halves
    return model
