"""What a chapter can be rerun with, and the check that every value passes before anything runs."""

import math
from ast import literal_eval
from numbers import Integral, Real
from typing import Any

DATASETS = ("mnist", "fashion_mnist")
MODELS = ("pca", "dense", "conv", "conv_dense", "deep")
OPTIMIZERS = ("adadelta", "adam", "nadam", "rmsprop", "sgd")
DATA_FORMATS = ("channels_last", "channels_first")
OUTPUTS = ("sigmoid", "linear")
LOSSES = ("binary_crossentropy", "mse")
CODES = ("relu", "linear")
STARTS = ("book", "keras")

SIDE = 28
"""Height and width of an image, in pixels. A code may have as many numbers as an image, not more."""

CODE_PIXELS = 7**2
"""How many numbers one channel of the convolutional model's code has."""

LARGEST_RATE = 1e38
"""About the largest number that a float32 can hold."""


class InputError(ValueError):
    """A value that cannot be used. Its message names the thing, the value, and what would do."""

    def _render_traceback_(self):
        """One line in a notebook instead of a traceback (a hook that IPython looks for)."""
        return [f"{type(self).__name__}: {self}"]


def _whole_number(minimum, maximum=math.inf):
    def rule(name, value):
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise InputError(f"{name} must be a whole number, got {value!r}")
        if value < minimum:
            raise InputError(f"{name} must be at least {minimum}, got {value}")
        if value > maximum:
            raise InputError(f"{name} must be at most {maximum}, got {value}")

    return rule


def _positive_number(name, value):
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(f"{name} must be a number, got {value!r}")
    if not 0 < value <= LARGEST_RATE:
        raise InputError(f"{name} must be above 0 and at most {LARGEST_RATE:g}, got {value}")


def _one_of(choices):
    def rule(name, value):
        if not isinstance(value, str) or value not in choices:
            raise InputError(f"{name} must be one of {', '.join(choices)}; got {value!r}")

    return rule


RULES = {
    "dataset": _one_of(DATASETS),
    "model": _one_of(MODELS),
    "z_dim": _whole_number(1, SIDE**2),
    "code_filters": _whole_number(1, SIDE**2 // CODE_PIXELS),
    "epochs": _whole_number(1),
    "batch_size": _whole_number(1),
    "n_train": _whole_number(10),
    "seed": _whole_number(0, 2**32 - 1),
    "optimizer": _one_of(OPTIMIZERS),
    "learning_rate": _positive_number,
    "data_format": _one_of(DATA_FORMATS),
    "output": _one_of(OUTPUTS),
    "loss": _one_of(LOSSES),
    "code_activation": _one_of(CODES),
    "start": _one_of(STARTS),
    "width": _whole_number(4),
    "test_part": _whole_number(-1, 9),
}


def read_value(text: str) -> Any:
    """What a text says in Python, such as 8, 0.5, nan or True; a text that says nothing there is itself."""
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return float(text) if text in ("nan", "inf", "-inf") else text


def check(**values: Any) -> None:
    """Check parameters by name; the same name means the same thing all through the book.

    Every chapter calls this in its first cell after the parameters. It needs no data and no
    TensorFlow, so that a tool can call it before it starts a run.

    Raises:
        InputError: for the first value that is unknown, of the wrong kind or out of range.

    Example:
        >>> check(z_dim=36, epochs=10)
        >>> check(z_dim=0)
        Traceback (most recent call last):
        aebook.parameters.InputError: z_dim must be at least 1, got 0
    """
    for name, value in values.items():
        if name not in RULES:
            raise InputError(f"there is no parameter {name!r}; there are {', '.join(RULES)}")
        RULES[name](name, value)
    if values.get("model") == "conv" and values.get("z_dim", CODE_PIXELS) % CODE_PIXELS:
        raise InputError(
            f"z_dim must be a multiple of {CODE_PIXELS} for the model conv, whose code is 7×7, got {values['z_dim']}"
        )
    if values.get("model") == "conv" and values.get("code_activation", "relu") != "relu":
        raise InputError(f"code_activation must be relu for the model conv, got {values['code_activation']!r}")
    if values.get("model") in ("conv", "conv_dense") and values.get("output", "sigmoid") != "sigmoid":
        raise InputError(f"output must be sigmoid for the model {values['model']}, got {values['output']!r}")
    if values.get("output") == "linear" and values.get("loss", "mse") != "mse":
        raise InputError(f"loss must be mse for a linear output, which may be any number; got {values['loss']!r}")
