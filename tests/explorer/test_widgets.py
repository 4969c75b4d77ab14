"""aebook.widgets: what it gives the page, and what comes back. tests/notebooks/test_lab.py uses it in JupyterLab."""

import keras
import numpy as np
import pytest
from keras import layers

from aebook import models
from aebook.parameters import InputError
from aebook.widgets import Explorer


class Called(keras.Model):
    """A model that only calls its two halves, as in many tutorials."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([layers.Flatten(), layers.Dense(2)])
        self.decoder = keras.Sequential([layers.Dense(784, activation="sigmoid"), layers.Reshape((28, 28))])

    def call(self, x):
        return self.decoder(self.encoder(x))


def test_a_model_becomes_what_the_page_takes_and_what_is_touched_comes_back(stand_in):
    explorer = Explorer(models.DenseAutoencoder(z_dim=3), stand_in)
    assert explorer.part == ["draw", "turn", "walk"] and explorer.packs.keys() == {"model", "test"}
    assert explorer.packs["test"]["labels"] == "".join(digit * 6 for digit in "0123456789")
    assert explorer.drawing is explorer.reconstruction is explorer.code is None
    explorer.set_state({"drawing": [0.0] * 783 + [1.0], "reconstruction": [0.5] * 784, "code": [1.0, 2.0, 3.5]})
    assert explorer.drawing.shape == explorer.reconstruction.shape == (28, 28)
    assert explorer.drawing.dtype == "float32" and explorer.drawing[27, 27] == explorer.drawing.sum() == 1
    np.testing.assert_array_equal(explorer.code, [1, 2, 3.5])
    explorer.set_state({"drawing": None})
    assert explorer.drawing is None


def test_two_numbers_have_a_map(stand_in):
    model = Called()
    model(np.zeros((1, 28, 28)))
    explorer = Explorer(model, stand_in)
    assert explorer.part[-1] == "map" and explorer.packs["model"]["shape"] == [28, 28]
    assert {point["label"] for point in explorer.packs["model"]["map"]["points"]} == set(range(10))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Called, "model must be a keras.Model that has been built, got <Called"),
        (lambda: "dense", "model must be a keras.Model that has been built, got 'dense'"),
        (
            lambda: keras.Sequential([layers.Input((784,)), layers.Dense(2, name="code"), layers.PReLU(name="bent")]),
            "the layer bent is a PReLU, which the explorer cannot show",
        ),
    ],
)
def test_what_cannot_be_shown_is_one_clear_error(model, said, stand_in):
    with pytest.raises(InputError, match=said):
        Explorer(model(), stand_in)
