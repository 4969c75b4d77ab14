import dataclasses
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from aebook import data, plots

NOTE = "Stand-in data: scikit-learn's digits, not MNIST"
HISTORY = SimpleNamespace(
    history={"loss": [3, 2.0], "val_loss": [3, 2.5], "accuracy": [0.1, 0.2], "val_accuracy": [0.1, 0.3]}
)
PIXELS = np.random.default_rng(0).random((12, 784))

FIGURES = {
    "reconstructions": lambda images: plots.reconstructions(images, PIXELS, {"out": PIXELS}, codes=PIXELS[:, :5]),
    "learning_curves": lambda images: plots.learning_curves(images, {"run": HISTORY}, 0.1, 0.9),
    "basis": lambda images: plots.basis(images, {"PCA": PIXELS[:8], "net": PIXELS[:8]}),
    "errors": lambda images: plots.errors(images, {"a": 1.0, "b": 0.5}, "error"),
    "feature_maps": lambda images: plots.feature_maps(
        images, {"encoder": [("input", np.ones((7, 7, 3)))] * 3, "decoder": [("Conv2D", np.ones((7, 7, 1)))] * 2}
    ),
}


@pytest.fixture
def real(stand_in):
    return dataclasses.replace(stand_in, source="folder")


def text(figure):
    return {artist.get_text() for artist in figure.findobj(plt.Text)}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_when_it_shows_the_stand_in(name, stand_in, real):
    assert NOTE in text(FIGURES[name](stand_in))
    assert NOTE not in text(FIGURES[name](real))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_draws_and_leaves_nothing_open(name, real, tmp_path):
    FIGURES[name](real).savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert plt.get_fignums() == []


def test_the_diagram_names_the_parts(tmp_path):
    figure = plots.autoencoder_diagram()
    assert {"input", "encoder", "code", "decoder", "reconstruction"} <= text(figure)
    figure.savefig(tmp_path / "diagram.png")


@pytest.mark.parametrize("shape", [(12, 784), (12, 28, 28, 1), (12, 1, 28, 28)])
def test_rows_in_every_layout(shape, real):
    figure = plots.reconstructions(real, PIXELS.reshape(shape), {"out": PIXELS.reshape(shape)})
    assert len(figure.axes) == 20
    shown = figure.axes[13].images[0].get_array()
    assert np.allclose(shown, data.to_grid(PIXELS)[3])


def test_three_rows_with_the_code_in_the_middle(real):
    codes = np.arange(24.0).reshape(12, 2)
    figure = plots.reconstructions(real, PIXELS, {"out": PIXELS}, codes=codes)
    assert len(figure.axes) == 30
    stems = figure.axes[14].containers[0]
    assert np.allclose(stems.markerline.get_ydata(), codes[4])


def test_the_code_of_a_convolutional_model_as_stems(real):
    figure = plots.reconstructions(real, PIXELS, {"out": PIXELS}, codes=np.ones((12, 7, 7, 2)))
    assert len(figure.axes[10].containers[0].markerline.get_ydata()) == 98


def test_fewer_images_than_columns(real):
    assert len(plots.reconstructions(real, PIXELS[:3], {"out": PIXELS[:3]}).axes) == 6


def test_learning_curves_show_the_limits(real):
    figure = plots.learning_curves(real, {"run": HISTORY}, 0.1, 0.9)
    loss, accuracy = figure.axes
    assert {"run, training", "run, validation", "lowest possible"} <= text(figure)
    assert [list(line.get_ydata()) for line in loss.lines] == [[3, 2.0], [3, 2.5], [0.1, 0.1]]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.1, 0.2], [0.1, 0.3], [0.9, 0.9]]


def test_the_mosaic_keeps_every_channel():
    maps = np.arange(7 * 7 * 5.0).reshape(7, 7, 5)
    mosaic = plots._mosaic(maps)
    assert mosaic.shape == (15, 23)
    assert np.array_equal(mosaic[8:15, 8:15], maps[:, :, 4])
