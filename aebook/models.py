"""The two autoencoders (sections 6.2.1 and 6.3.1), and those that the book has trained."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, models
from keras.initializers import Constant

from aebook.parameters import SIDE, InputError, check

TERMS = {"image": "input", "code": "code", "pixels": "reconstruction"}
"""What the book calls the layers that have a name of their own."""

STORED = Path(__file__).parent.parent / "results" / "models"
"""The trained models of the chapters: for each a file with its weights, and one that says how it was trained."""


@keras.saving.register_keras_serializable(package="aebook")
class DenseAutoencoder(models.Model):
    """Fully connected autoencoder: 784 pixels, z_dim numbers, 784 pixels.

    Input and output have the shape (n, x_nodes), values 0 to 1; the code has
    the shape (n, z_dim). The biases of the code start at code_bias. Section
    6.2.1 explains the model, section 6.2.3 the biases.
    """

    def __init__(self, x_nodes: int = 784, z_dim: int = 36,
                 code_bias: float = 0.0, **kwargs):
        check(z_dim=z_dim)
        z_dim = int(z_dim)
        x = layers.Input((x_nodes,), name="image")
        code = layers.Dense(z_dim, activation="relu", name="code",
                            bias_initializer=Constant(code_bias))(x)
        encoder = models.Model(x, code, name="encoder")

        z = layers.Input((z_dim,), name="z")
        pixels = layers.Dense(x_nodes, activation="sigmoid", name="pixels")(z)
        decoder = models.Model(z, pixels, name="decoder")

        super().__init__(x, decoder(encoder(x)), **kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.x_nodes, self.z_dim, self.code_bias = x_nodes, z_dim, code_bias

    def get_config(self) -> dict:
        """What keras.models.load_model needs to build the model again."""
        return {"x_nodes": self.x_nodes, "z_dim": self.z_dim,
                "code_bias": self.code_bias, "name": self.name}


@keras.saving.register_keras_serializable(package="aebook")
class ConvAutoencoder(models.Model):
    """Convolutional autoencoder: 28×28 pixels, a code of 7×7, 28×28 pixels.

    Input and output have the shape (n, 28, 28, 1), or (n, 1, 28, 28) with the
    data format "channels_first"; values 0 to 1. The code has code_filters
    channels. Section 6.3.1 explains the model. The weights start as
    kernel_initializer says, the biases of the code at code_bias; section
    6.3.4 explains both.
    """

    def __init__(self, code_filters: int = 1, data_format: str | None = None,
                 kernel_initializer: str = "glorot_uniform",
                 code_bias: float = 0.0, **kwargs):
        if data_format is None:
            data_format = keras.config.image_data_format()
        check(code_filters=code_filters, data_format=data_format)
        code_filters = int(code_filters)
        in_format = {"data_format": "channels_last"}

        def Conv2D(filters, kernel_size, activation="relu", **more):
            return layers.Conv2D(filters, kernel_size, padding="same",
                                 activation=activation,
                                 kernel_initializer=kernel_initializer,
                                 **more, **in_format)

        # Many processors can only compute with the channels last. With the
        # channels first, the model turns the axes where data goes in and out.
        first = data_format == "channels_first"

        def turned(h, *axes):
            return layers.Permute(axes)(h) if first else h

        shape = (1, SIDE, SIDE) if first else (SIDE, SIDE, 1)
        x = layers.Input(shape, name="image")
        h = Conv2D(4, (3, 3))(turned(x, 2, 3, 1))
        h = layers.MaxPooling2D((2, 2), padding="same", **in_format)(h)
        h = Conv2D(8, (3, 3))(h)
        h = layers.MaxPooling2D((2, 2), padding="same", **in_format)(h)
        code = Conv2D(code_filters, (7, 7), name="code",
                      bias_initializer=Constant(code_bias))(h)
        code = turned(code, 3, 1, 2)
        encoder = models.Model(x, code, name="encoder")

        z = layers.Input(code.shape[1:], name="z")
        h = Conv2D(16, (3, 3))(turned(z, 2, 3, 1))
        h = layers.UpSampling2D((2, 2), **in_format)(h)
        h = Conv2D(8, (3, 3))(h)
        h = layers.UpSampling2D((2, 2), **in_format)(h)
        h = Conv2D(4, (3, 3))(h)
        pixels = Conv2D(1, (3, 3), activation="sigmoid", name="pixels")(h)
        decoder = models.Model(z, turned(pixels, 3, 1, 2), name="decoder")

        super().__init__(x, decoder(encoder(x)), **kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.code_filters, self.data_format = code_filters, data_format
        self.kernel_initializer = kernel_initializer
        self.code_bias = code_bias

    def get_config(self) -> dict:
        """What keras.models.load_model needs to build the model again."""
        return {
            "code_filters": self.code_filters,
            "data_format": self.data_format,
            "kernel_initializer": self.kernel_initializer,
            "code_bias": self.code_bias,
            "name": self.name,
        }


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
        shown = [layer for layer in half.layers if not isinstance(layer, layers.Permute)]
        outputs = map(keras.ops.convert_to_numpy, models.Model(half.input, [layer.output for layer in shown])(values))
        return [
            (TERMS.get(layer.name, type(layer).__name__),
             np.moveaxis(output[0], 0, -1) if turns and isinstance(layer, layers.InputLayer) else output[0])
            for layer, output in zip(shown, outputs)
        ]

    return {
        "encoder": steps(model.encoder, image),
        "decoder": steps(model.decoder, model.encoder(image))[1:],
    }


def load(name: str) -> DenseAutoencoder | ConvAutoencoder:
    """A model that a chapter of the book has trained, such as "6_2_dense" or "6_3_convolutional".

    Nothing is downloaded: the models lie in the book's folder. `describe` says how each was trained.

    Args:
        name: the notebook's name for the better recipe; with "_source" for the source's recipe, with
            "_default" for the source's recipe at today's default learning rate.

    Returns:
        A DenseAutoencoder or a ConvAutoencoder, with its weights and without an optimizer.

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
