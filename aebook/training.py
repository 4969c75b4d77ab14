"""A recipe turned into a trained model and its history (sections 6.2.3 and 6.3.4)."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np

from aebook.data import Images, to_channels, to_vectors
from aebook.models import ConvAutoencoder, DenseAutoencoder
from aebook.parameters import InputError, check


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: the optimizer, its learning rate, epochs and batch size.

    With ``cosine_decay`` the learning rate falls to 0 over the training along half a cosine
    (Loshchilov & Hutter 2017); without it the rate stays as it is.

    Raises:
        InputError: for a value that aebook.parameters.check refuses.
    """

    optimizer: str
    learning_rate: float
    epochs: int
    batch_size: int
    cosine_decay: bool = False

    def __post_init__(self):
        check(**{name: value for name, value in asdict(self).items() if name != "cosine_decay"})

    def build_optimizer(self, steps: int) -> keras.optimizers.Optimizer:
        """The Keras optimizer for a training of `steps` weight updates."""
        rate = self.learning_rate
        if self.cosine_decay:
            rate = keras.optimizers.schedules.CosineDecay(rate, decay_steps=steps)
        return keras.optimizers.get(
            {"class_name": self.optimizer, "config": {"learning_rate": rate}}
        )


# The source says optimizer='adadelta'. Keras gave that a rate of 1.0 when it was written;
# today the same line means 0.001, and learns nothing.
DENSE_SOURCE = Recipe("adadelta", learning_rate=1.0, epochs=10, batch_size=256)
CONV_SOURCE = Recipe("adadelta", learning_rate=1.0, epochs=20, batch_size=128)


CODE_BIAS = 1.0
"""Where the better recipes start the biases of the code. At 0, Keras's default, a number of the
code can become 0 for every image in the first steps, and a ReLU does not learn from there."""


def faster(xla: bool = False, steps_per_call: int = 20) -> dict[str, Any]:
    """What `compile` is told so that a training takes less time. It changes nothing else.

    Args:
        xla: let TensorFlow's compiler XLA join the small operations of a
            step; without it, or with another backend, Keras decides.
        steps_per_call: weight updates in one call of the compiled step;
            between two calls Python works, and the processor waits.
            Keras on PyTorch knows only 1.
    """
    backend = keras.backend.backend()
    return {
        "steps_per_execution": 1 if backend == "torch" else steps_per_call,
        "jit_compile": True if xla and backend == "tensorflow" else "auto",
    }


def train(
    model: keras.Model,
    recipe: Recipe,
    x: np.ndarray,
    validation_data: np.ndarray | None = None,
    validation_split: float = 0.0,
    loss: str = "binary_crossentropy",
    xla: bool = False,
    steps_per_call: int = 20,
    callbacks: Iterable[keras.callbacks.Callback] = (),
) -> keras.callbacks.History:
    """Train a model to reproduce its input.

    Args:
        model: an autoencoder; it is compiled here.
        recipe: a Recipe.
        x: training images in the layout of the model, values 0 to 1;
            they are input and target at once.
        validation_data: images to validate on after each epoch; or
        validation_split: the share of x, from its end, to validate on.
        loss: "binary_crossentropy", or "mse", the mean squared error.
        xla, steps_per_call: as in `faster`.
        callbacks: Keras callbacks to add.

    Returns:
        The Keras History. Its `history` holds one number per epoch under
        "loss", "val_loss", "accuracy" and "val_accuracy".

    Raises:
        InputError: if no image is left to train on, and for another loss.
        FloatingPointError: if the loss stops being a finite number, or ends far
            above that of a plain gray image.
    """
    check(loss=loss)
    n_train = int(len(x) * (1 - validation_split))
    if n_train == 0:
        raise InputError(f"at least 1 image must be left to train on, got "
                         f"{len(x)} with validation_split={validation_split}")
    steps_per_epoch = math.ceil(n_train / recipe.batch_size)
    model.compile(
        optimizer=recipe.build_optimizer(recipe.epochs * steps_per_epoch),
        loss=loss,
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
        **faster(xla, steps_per_call),
    )
    pairs = None if validation_data is None else (validation_data,) * 2
    return model.fit(
        x,
        x,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        shuffle=True,
        validation_data=pairs,
        validation_split=validation_split,
        callbacks=[EpochReport(), *callbacks],
        verbose=0,
    )


def train_dense(
    images: Images,
    z_dim: int = 36,
    epochs: int = 10,
    batch_size: int = 256,
    optimizer: str = "nadam",
    learning_rate: float = 0.01,
    seed: int = 0,
) -> tuple[DenseAutoencoder, keras.callbacks.History]:
    """Chapter 6.2 in one call: build the dense autoencoder and train it.

    The test images serve as validation, as in the source.

    Args:
        images: what aebook.data.load gives.
        z_dim: code size. The other arguments are the recipe and the seed.

    Returns:
        The trained DenseAutoencoder and its History.

    Raises:
        InputError: for a value that aebook.parameters.check refuses.
        FloatingPointError: as in `train`.
    """
    check(seed=seed)
    recipe = Recipe(optimizer, learning_rate, epochs, batch_size,
                    cosine_decay=True)
    keras.utils.set_random_seed(int(seed))
    model = DenseAutoencoder(z_dim=z_dim, code_bias=CODE_BIAS)
    x_train = to_vectors(images.x_train)
    x_test = to_vectors(images.x_test)
    history = train(model, recipe, x_train, validation_data=x_test,
                    xla=True)
    return model, history


def train_conv(
    images: Images,
    code_filters: int = 1,
    epochs: int = 20,
    batch_size: int = 64,
    optimizer: str = "nadam",
    learning_rate: float = 0.01,
    seed: int = 0,
    data_format: str = "channels_last",
) -> tuple[ConvAutoencoder, keras.callbacks.History]:
    """Chapter 6.3 in one call: build the convolutional autoencoder and train it.

    The last fifth of the training images serves as validation, as in the
    source.

    Args:
        images: what aebook.data.load gives.
        code_filters: channels of the 7×7 code. The other arguments are the
            recipe, the seed, and where the channel axis stands.

    Returns:
        The trained ConvAutoencoder and its History.

    Raises:
        InputError: for a value that aebook.parameters.check refuses, and
            if no image is left to train on.
        FloatingPointError: as in `train`.
    """
    check(seed=seed)
    recipe = Recipe(optimizer, learning_rate, epochs, batch_size,
                    cosine_decay=True)
    keras.utils.set_random_seed(int(seed))
    model = ConvAutoencoder(code_filters, data_format, code_bias=CODE_BIAS,
                            kernel_initializer="he_normal")
    x_train = to_channels(images.x_train, data_format)
    history = train(model, recipe, x_train, validation_split=0.2)
    return model, history


WORST_LOSS = 1.0
"""What no training that works ends above: plain gray, 0.5 everywhere, has a binary cross-entropy
of ln 2 = 0.693 and a mean squared error of at most 0.25."""


class EpochReport(keras.callbacks.Callback):
    """Print one line per epoch, without timings, and fail a training that has diverged."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        epochs = self.params["epochs"]
        values = f"loss {logs['loss']:.4f}"
        if "val_loss" in logs:
            values += f", validation loss {logs['val_loss']:.4f}"
        print(f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}: {values}", flush=True)
        for name, value in logs.items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"{name} became {value} in epoch {epoch + 1}; a lower learning rate may help"
                )

    def on_train_end(self, logs: dict[str, float]) -> None:
        name = "val_loss" if "val_loss" in logs else "loss"
        if logs[name] > WORST_LOSS:
            raise FloatingPointError(
                f"{name} ended at {logs[name]:.3g}, and an image of plain gray has "
                f"{math.log(2):.3f}; a lower learning rate may help"
            )
