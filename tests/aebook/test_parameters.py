import math

import numpy as np
import pytest

from aebook.parameters import RULES, InputError, check, read_value

GOOD = {
    "dataset": "fashion_mnist",
    "model": "dense",
    "z_dim": 1,
    "code_filters": 2,
    "epochs": np.int64(3),
    "batch_size": 256,
    "n_train": 10,
    "seed": 0,
    "optimizer": "adam",
    "learning_rate": 1,
    "data_format": "channels_first",
    "output": "linear",
    "loss": "mse",
    "code_activation": "linear",
    "start": "keras",
    "width": 64,
    "test_part": 9,
}


def test_good_values_pass():
    assert set(GOOD) == set(RULES)
    check(**GOOD)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("z_dim", 0, "z_dim must be at least 1, got 0"),
        ("z_dim", 8.5, "z_dim must be a whole number, got 8.5"),
        ("z_dim", "8", "z_dim must be a whole number, got '8'"),
        ("z_dim", True, "z_dim must be a whole number, got True"),
        ("code_filters", 0, "code_filters must be at least 1, got 0"),
        ("epochs", -1, "epochs must be at least 1, got -1"),
        ("batch_size", 0, "batch_size must be at least 1, got 0"),
        ("n_train", 9, "n_train must be at least 10, got 9"),
        ("seed", 2**32, f"seed must be at most {2**32 - 1}, got {2**32}"),
        ("learning_rate", 0, "learning_rate must be above 0 and at most 1e+38, got 0"),
        ("learning_rate", float("nan"), "learning_rate must be above 0 and at most 1e+38, got nan"),
        ("learning_rate", 1e39, "learning_rate must be above 0 and at most 1e+38, got 1e+39"),
        ("z_dim", 785, "z_dim must be at most 784, got 785"),
        ("code_filters", 17, "code_filters must be at most 16, got 17"),
        ("dataset", ["mnist"], "dataset must be one of mnist, fashion_mnist; got ['mnist']"),
        ("learning_rate", "fast", "learning_rate must be a number, got 'fast'"),
        ("dataset", "cifar", "dataset must be one of mnist, fashion_mnist; got 'cifar'"),
        ("optimizer", "adm", "optimizer must be one of adadelta, adam, nadam, rmsprop, sgd; got 'adm'"),
        ("data_format", "last", "data_format must be one of channels_last, channels_first; got 'last'"),
        ("output", "relu", "output must be one of sigmoid, linear; got 'relu'"),
        ("loss", "bce", "loss must be one of binary_crossentropy, mse; got 'bce'"),
        ("code_activation", "tanh", "code_activation must be one of relu, linear; got 'tanh'"),
        ("start", "he", "start must be one of book, keras; got 'he'"),
        ("width", 3, "width must be at least 4, got 3"),
        ("test_part", 10, "test_part must be at most 9, got 10"),
        ("zdim", 8, f"there is no parameter 'zdim'; there are {', '.join(RULES)}"),
    ],
)
def test_a_bad_value_is_one_clear_error(name, value, message):
    with pytest.raises(InputError) as caught:
        check(**{name: value})
    assert str(caught.value) == message


def test_the_code_of_the_convolutional_model_has_whole_channels():
    check(model="conv", z_dim=98)
    with pytest.raises(InputError, match="z_dim must be a multiple of 49 for the model conv, .* got 50"):
        check(model="conv", z_dim=50)


def test_a_linear_output_has_no_cross_entropy():
    check(output="linear", loss="mse")
    with pytest.raises(InputError, match="loss must be mse for a linear output, .* got 'binary_crossentropy'"):
        check(output="linear", loss="binary_crossentropy")


def test_values_are_read_as_python_does():
    texts = ["8", "1e-3", "True", "'8'", "adam", "-inf", "channels_last", "1 2", "{[]: 1}"]
    values = [8, 0.001, True, "8", "adam", -math.inf, "channels_last", "1 2", "{[]: 1}"]
    assert [read_value(text) for text in texts] == values
    assert math.isnan(read_value("nan"))


def test_the_error_is_one_line_in_a_notebook():
    assert InputError("z_dim must be …")._render_traceback_() == ["InputError: z_dim must be …"]
