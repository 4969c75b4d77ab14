import contextlib
import dataclasses
import functools
import io
import math

import keras
import numpy as np
import pytest

from aebook import data, training
from aebook.models import ConvAutoencoder, DenseAutoencoder
from aebook.parameters import InputError


def test_the_recipes_of_the_source():
    assert training.Recipe("adadelta", 1.0, epochs=10, batch_size=256) == training.DENSE_SOURCE
    assert training.Recipe("adadelta", 1.0, epochs=20, batch_size=128) == training.CONV_SOURCE


@pytest.fixture
def uncompiled(monkeypatch):
    """Trainings in plain Python steps: for a few of them, to compile is most of the work."""
    for model in (ConvAutoencoder, DenseAutoencoder):
        monkeypatch.setattr(model, "compile", functools.partialmethod(model.compile, run_eagerly=True))


def first(images, n_train, n_test):
    return dataclasses.replace(
        images,
        x_train=images.x_train[:n_train],
        y_train=images.y_train[:n_train],
        x_test=images.x_test[:n_test],
        y_test=images.y_test[:n_test],
    )


@pytest.fixture(scope="module")
def some(stand_in):
    """Enough images to learn something."""
    return first(stand_in, 3000, 500)


@pytest.fixture(scope="module")
def few(stand_in):
    """Enough images for a few steps."""
    return first(stand_in, 640, 100)


@pytest.fixture(scope="module")
def source(some):
    """The history of the source's dense model and recipe, and what was printed."""
    keras.utils.set_random_seed(0)
    x, x_test = data.to_vectors(some.x_train), data.to_vectors(some.x_test)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        history = training.train(DenseAutoencoder(), training.DENSE_SOURCE, x, validation_data=x_test).history
    return history, out.getvalue()


@pytest.fixture(scope="module")
def better(some):
    """The history of chapter 6.2 in one call."""
    return training.train_dense(some)[1].history


def test_the_dense_recipe_of_the_source_learns(source):
    """At Keras's present default rate, 0.001, the loss stays at ln 2 = 0.69."""
    history, _ = source
    assert history["val_loss"][-1] < 0.35
    assert len(history["val_loss"]) == 10


def test_one_line_per_epoch(source):
    lines = source[1].splitlines()
    assert [line.split(":")[0] for line in lines] == [f"epoch {epoch:2}/10" for epoch in range(1, 11)]
    assert all("validation loss 0." in line for line in lines)


@pytest.mark.slow
def test_the_better_recipes_beat_the_sources(source, better):
    assert better["val_loss"][-1] < 0.8 * source[0]["val_loss"][-1]


@pytest.mark.slow
def test_train_dense_repeats_with_its_seed(some, better):
    assert training.train_dense(some)[1].history == better


def test_train_dense_takes_its_size_and_its_seed(few, monkeypatch):
    monkeypatch.setattr(training, "train", lambda model, *more, **named: None)
    mine, again, other = (training.train_dense(few, z_dim=4, seed=seed)[0] for seed in (3, 3, 4))
    assert mine.z_dim == 4
    assert all(map(np.array_equal, mine.get_weights(), again.get_weights()))
    assert not np.array_equal(mine.get_weights()[0], other.get_weights()[0])


@pytest.fixture(scope="module")
def conv(few):
    return training.train_conv(few, code_filters=2, epochs=2, data_format="channels_last")


def test_train_conv(few, conv):
    model, history = conv
    assert model.code_filters == 2
    assert history.params["steps"] == math.ceil(512 / 64)  # the last fifth is for validation
    assert history.history["loss"][1] < history.history["loss"][0] < math.log(2)


def test_train_conv_channels_first(few, uncompiled):
    losses = []
    for data_format, shape in (("channels_first", (None, 1, 28, 28)), ("channels_last", (None, 28, 28, 1))):
        model, history = training.train_conv(first(few, 160, 1), epochs=1, data_format=data_format)
        assert model.output_shape == shape
        losses.append(history.history["loss"][0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.parametrize("decay", [False, True])
def test_learning_rate(decay):
    recipe = training.Recipe("adam", 0.01, 5, 32, cosine_decay=decay)
    optimizer = recipe.build_optimizer(steps=10)
    optimizer.build([keras.Variable([1.0])])
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert float(optimizer.learning_rate) == pytest.approx(0.01)
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(0.0 if decay else 0.01, abs=1e-9)


@pytest.mark.parametrize("bad", [{"optimizer": "adm"}, {"learning_rate": -1}, {"epochs": 0}, {"batch_size": 0}])
def test_a_recipe_checks_its_values(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        training.Recipe(**{"optimizer": "adam", "learning_rate": 1e-3, "epochs": 1, "batch_size": 8, **bad})


def test_bad_input_stops_before_any_training(few, capsys):
    with pytest.raises(InputError, match="epochs must be at least 1, got -1"):
        training.train_dense(few, epochs=-1)
    with pytest.raises(InputError, match="seed must be at least 0, got -1"):
        training.train_conv(few, seed=-1)
    with pytest.raises(InputError, match="at least 1 image must be left to train on, got 1"):
        training.train(DenseAutoencoder(), training.DENSE_SOURCE, np.zeros((1, 784)), validation_split=0.2)
    assert capsys.readouterr().out == ""


def test_divergence_is_an_error(uncompiled):
    x, nan = np.zeros((32, 784), "float32"), np.full((32, 784), np.nan, "float32")
    if keras.backend.backend() == "torch":  # its loss refuses NaN itself, and earlier
        error, message = RuntimeError, "between 0 and 1"
    else:
        error, message = FloatingPointError, "^{} became nan in epoch 1; a lower learning rate"
    with pytest.raises(error, match=message.format("loss")):
        training.train(DenseAutoencoder(), training.DENSE_SOURCE, nan)
    with pytest.raises(error, match=message.format("val_loss")):
        training.train(DenseAutoencoder(), training.DENSE_SOURCE, x, validation_data=nan)


def test_a_training_that_ends_in_nonsense_is_an_error(few, capsys, uncompiled):
    recipe, x = training.Recipe("nadam", 1e9, 1, 256, cosine_decay=True), data.to_vectors(few.x_train)
    with pytest.raises(FloatingPointError, match="^val_loss ended at .* plain gray has 0.693; a lower"):
        training.train(DenseAutoencoder(z_dim=4), recipe, x, validation_data=x)
    assert capsys.readouterr().out.startswith("epoch 1/1")


def test_the_squared_error_as_loss(few, uncompiled):
    model, x = DenseAutoencoder(z_dim=8), data.to_vectors(few.x_train)
    history = training.train(model, training.Recipe("adam", 0.003, 1, 64), x, loss="mse")
    y = keras.ops.convert_to_numpy(model(x))
    assert ((y - x) ** 2).mean() < history.history["loss"][-1] < 0.25


def test_an_unknown_loss_is_one_clear_error(few):
    with pytest.raises(InputError, match="loss must be one of binary_crossentropy, mse; got 'mae'"):
        training.train(DenseAutoencoder(), training.Recipe("adam", 0.003, 1, 256), few.x_train, loss="mae")
