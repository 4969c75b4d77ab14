"""The two autoencoders (sections 6.2.1 and 6.3.1), and those that the book has trained."""

import functools
import inspect
import json
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np
from keras import layers

from aebook.parameters import RULES, InputError, check

Model = TypeVar("Model", bound=keras.Model)

TERMS = {"image": "input", "code": "code", "pixels": "reconstruction"}
"""What the book calls the layers that have a name of their own."""

STORED = Path(__file__).parent.parent / "results" / "models"
"""The trained models of the chapters: for each a file with its weights, and one that says how it was trained."""


def saved(shown: type[Model]) -> type[Model]:
    """A class of a lesson that Keras can build again, too: its arguments are checked, and kept as attributes."""
    build, signature = shown.__init__, inspect.signature(shown.__init__)
    names = [name for name in signature.parameters if name not in ("self", "kwargs")]

    @functools.wraps(build)
    def build_and_keep(self, *args, **kwargs):
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        check(**{name: given.arguments[name] for name in names if name in RULES})
        values = {name: given.arguments[name] for name in names}
        values = {name: int(value) if isinstance(value, np.integer) else value for name, value in values.items()}
        build(self, **values, **given.kwargs)
        for name, value in values.items():
            setattr(self, name, value)

    def get_config(self):
        """What keras.models.load_model needs to build the model again."""
        return {name: getattr(self, name) for name in (*names, "name")}

    build_and_keep.__signature__ = signature  # type: ignore[attr-defined]
    shown.__init__, shown.get_config = build_and_keep, get_config
    return shown


@keras.saving.register_keras_serializable(package="aebook")
@saved
class DenseAutoencoder(keras.Model):
    """Fully connected autoencoder: 784 pixels, z_dim numbers, 784 pixels.

    Input and output have the shape (n, x_nodes), values 0 to 1; the code has
    the shape (n, z_dim). The biases of the code start at code_bias. Section
    6.2.1 explains the model, section 6.2.3 the biases.

    Raises:
        InputError: for a z_dim that aebook.parameters.check refuses.
    """

    def __init__(self, x_nodes=784, z_dim=36, code_bias=0.0, **kwargs):
        x = layers.Input((x_nodes,), name="image")
        start = keras.initializers.Constant(code_bias)
        code = layers.Dense(z_dim, activation="relu", name="code",
                            bias_initializer=start)(x)
        encoder = keras.Model(x, code, name="encoder")

        z = layers.Input((z_dim,), name="z")
        pixels = layers.Dense(x_nodes, activation="sigmoid", name="pixels")(z)
        decoder = keras.Model(z, pixels, name="decoder")

        super().__init__(x, decoder(encoder(x)), **kwargs)
        self.encoder, self.decoder = encoder, decoder


def Conv2D(filters, kernel_size, activation="relu", **more):
    return layers.Conv2D(filters, kernel_size, padding="same",
                         activation=activation, **more)


def build_encoder(code_filters, start, code_bias):
    x = layers.Input((28, 28, 1), name="image")
    h = Conv2D(4, (3, 3), kernel_initializer=start)(x)
    h = layers.MaxPooling2D((2, 2), padding="same")(h)
    h = Conv2D(8, (3, 3), kernel_initializer=start)(h)
    h = layers.MaxPooling2D((2, 2), padding="same")(h)
    bias = keras.initializers.Constant(code_bias)
    code = Conv2D(code_filters, (7, 7), kernel_initializer=start,
                  bias_initializer=bias, name="code")(h)
    return keras.Model(x, code, name="encoder")


def build_decoder(code_filters, start):
    z = layers.Input((7, 7, code_filters), name="z")
    h = Conv2D(16, (3, 3), kernel_initializer=start)(z)
    h = layers.UpSampling2D((2, 2))(h)
    h = Conv2D(8, (3, 3), kernel_initializer=start)(h)
    h = layers.UpSampling2D((2, 2))(h)
    h = Conv2D(4, (3, 3), kernel_initializer=start)(h)
    pixels = Conv2D(1, (3, 3), activation="sigmoid",
                    kernel_initializer=start, name="pixels")(h)
    return keras.Model(z, pixels, name="decoder")


def channels_first(half):
    """The same half for images and codes with the channels first."""
    *sides, channels = half.input_shape[1:]
    x = layers.Input((channels, *sides), name=half.layers[0].name)
    y = half(layers.Permute((2, 3, 1))(x))
    return keras.Model(x, layers.Permute((3, 1, 2))(y), name=half.name)


@keras.saving.register_keras_serializable(package="aebook")
@saved
class ConvAutoencoder(keras.Model):
    """Convolutional autoencoder: 28×28 pixels, a code of 7×7, 28×28 pixels.

    Input and output have the shape (n, 28, 28, 1), or (n, 1, 28, 28) with the
    data format "channels_first"; values 0 to 1. The code has code_filters
    channels. Section 6.3.1 explains the model. The weights start as
    kernel_initializer says, the biases of the code at code_bias; section
    6.3.4 explains both.

    Raises:
        InputError: for code_filters or a data_format that
            aebook.parameters.check refuses.
    """

    def __init__(self, code_filters=1, data_format="channels_last",
                 kernel_initializer="glorot_uniform", code_bias=0.0, **kwargs):
        start = kernel_initializer
        encoder = build_encoder(code_filters, start, code_bias)
        decoder = build_decoder(code_filters, start)
        if data_format == "channels_first":
            encoder, decoder = channels_first(encoder), channels_first(decoder)
        x = layers.Input(encoder.input_shape[1:], name="image")
        super().__init__(x, decoder(encoder(x)), **kwargs)
        self.encoder, self.decoder = encoder, decoder


def feature_maps(model: ConvAutoencoder, image: np.ndarray) -> dict[str, list[tuple[str, np.ndarray]]]:
    """What each layer of a ConvAutoencoder makes of one image.

    Args:
        model: a ConvAutoencoder.
        image: an array (1, ...) in the layout of the model.

    Returns:
        Under "encoder" and "decoder" a list with the name of each layer and its output, an
        array (height, width, channels). The decoder's input is left out: it is the code.
    """
    turns = model.data_format == "channels_first"

    def steps(half, values):
        if turns:
            half, values = half.layers[2], np.moveaxis(keras.ops.convert_to_numpy(values), 1, -1)
        outputs = keras.Model(half.input, [layer.output for layer in half.layers])(values)
        return [
            (TERMS.get(layer.name, type(layer).__name__), keras.ops.convert_to_numpy(output)[0])
            for layer, output in zip(half.layers, outputs)
        ]

    return {
        "encoder": steps(model.encoder, image),
        "decoder": steps(model.decoder, model.encoder(image))[1:],
    }


def load(name: str) -> keras.Model:
    """A model that a chapter of the book has trained, such as "6_2_dense" or "6_3_convolutional".

    Nothing is downloaded: the models lie in the book's folder. `describe` says how each was trained.

    Args:
        name: the notebook's name for the better recipe; with "_source" for the source's recipe, with
            "_default" for the source's recipe at today's default learning rate.

    Returns:
        A DenseAutoencoder or a ConvAutoencoder, with its weights and without an optimizer. "6_1_map", the
        model with two numbers that the pages show as a map, is a plain keras.Model.

    Raises:
        InputError: if there is no such model.

    Example:
        >>> load("6_2_dense").count_params()
        57268
    """
    return keras.models.load_model(_stored(name, ".keras"))


def describe(name: str) -> dict[str, Any]:
    """How a model that `load` gives was trained, and how good it is.

    Returns:
        A dictionary with the data set, the notebook, the last loss and accuracy ("score"), those of every
        epoch ("history"), and the whole recipe ("training": layers, optimizer, loss, images, batches).

    Raises:
        InputError: if there is no such model.
    """
    return json.loads(_stored(name, ".json").read_text(encoding="utf-8"))


def _stored(name: str, suffix: str) -> Path:
    names = sorted(path.stem for path in STORED.glob("*.json"))
    if name not in names:
        raise InputError(f"name must be one of {', '.join(names)}; got {name!r}" if names else
                         f"the book's models lie in {STORED}, which this installation of aebook does not have")
    return STORED / f"{name}{suffix}"
