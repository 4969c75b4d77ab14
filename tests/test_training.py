import math

import keras
import numpy as np
import pytest

from aebook import data, training
from aebook.models import DenseAutoencoder
from aebook.parameters import InputError


def test_the_recipes_of_the_source():
    assert training.DENSE_SOURCE == training.Recipe("adadelta", 1.0, epochs=10, batch_size=256)
    assert training.CONV_SOURCE == training.Recipe("adadelta", 1.0, epochs=20, batch_size=128)


def test_the_dense_recipe_of_the_source_learns(stand_in):
    """At Keras's present default rate, 0.001, the loss stays at ln 2 = 0.69."""
    keras.utils.set_random_seed(0)
    model = DenseAutoencoder()
    history = training.train(
        model, training.DENSE_SOURCE, data.to_vectors(stand_in.x_train),
        validation_data=data.to_vectors(stand_in.x_test),
    )
    assert history.history["val_loss"][-1] < 0.35
    assert len(history.history["val_loss"]) == 10


@pytest.mark.slow
def test_the_better_recipes_beat_the_sources(stand_in):
    x_test = data.to_vectors(stand_in.x_test)
    keras.utils.set_random_seed(0)
    source = training.train(
        DenseAutoencoder(), training.DENSE_SOURCE, data.to_vectors(stand_in.x_train), validation_data=x_test
    )
    _, better = training.train_dense(stand_in)
    assert better.history["val_loss"][-1] < 0.8 * source.history["val_loss"][-1]


@pytest.mark.slow
def test_train_dense_repeats_with_its_seed(stand_in):
    runs = [training.train_dense(stand_in, z_dim=4, epochs=1, seed=seed) for seed in (3, 3, 4)]
    losses = [history.history["val_loss"][0] for _, history in runs]
    assert losses[0] == losses[1] != losses[2]
    assert runs[0][0].z_dim == 4


def test_train_conv(stand_in):
    model, history = training.train_conv(stand_in, code_filters=2, epochs=2, data_format="channels_last")
    assert model.code_filters == 2
    assert history.params["steps"] == math.ceil(2400 / 64)  # the last fifth is for validation
    assert history.history["loss"][1] < history.history["loss"][0] < math.log(2)


@pytest.mark.slow
def test_train_conv_channels_first(stand_in):
    model, history = training.train_conv(stand_in, epochs=1, data_format="channels_first")
    assert model.output_shape == (None, 1, 28, 28)
    _, other = training.train_conv(stand_in, epochs=1)
    assert history.history["loss"][0] == pytest.approx(other.history["loss"][0], rel=1e-3)


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


def test_bad_input_stops_before_any_training(stand_in, capsys):
    with pytest.raises(InputError, match="epochs must be at least 1, got -1"):
        training.train_dense(stand_in, epochs=-1)
    with pytest.raises(InputError, match="seed must be at least 0, got -1"):
        training.train_conv(stand_in, seed=-1)
    with pytest.raises(InputError, match="at least 1 image must be left to train on, got 1"):
        training.train(DenseAutoencoder(), training.DENSE_SOURCE, np.zeros((1, 784)), validation_split=0.2)
    assert capsys.readouterr().out == ""


def test_one_line_per_epoch(stand_in, capsys):
    training.train_dense(stand_in, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert all("validation loss 0." in line for line in lines)


def test_divergence_is_an_error():
    x, nan = np.zeros((32, 784), "float32"), np.full((32, 784), np.nan, "float32")
    if keras.backend.backend() == "torch":  # its loss refuses NaN itself, and earlier
        error, message = RuntimeError, "between 0 and 1"
    else:
        error, message = FloatingPointError, "^{} became nan in epoch 1; a lower learning rate"
    with pytest.raises(error, match=message.format("loss")):
        training.train(DenseAutoencoder(), training.DENSE_SOURCE, nan)
    with pytest.raises(error, match=message.format("val_loss")):
        training.train(DenseAutoencoder(), training.DENSE_SOURCE, x, validation_data=nan)


def test_a_training_that_ends_in_nonsense_is_an_error(stand_in, capsys):
    with pytest.raises(FloatingPointError, match="^val_loss ended at .* plain grey has 0.693; a lower"):
        training.train_dense(stand_in, z_dim=4, epochs=1, learning_rate=1e9)
    assert capsys.readouterr().out.startswith("epoch 1/1")


def test_the_squared_error_as_loss(stand_in):
    model, x = DenseAutoencoder(z_dim=8), data.to_vectors(stand_in.x_train)
    history = training.train(model, training.Recipe("adam", 0.003, 1, 256), x, loss="mse")
    y = model.predict(x, verbose=0)
    assert ((y - x) ** 2).mean() < history.history["loss"][-1] < 0.25


def test_an_unknown_loss_is_one_clear_error(stand_in):
    with pytest.raises(InputError, match="loss must be one of binary_crossentropy, mse; got 'mae'"):
        training.train(DenseAutoencoder(), training.Recipe("adam", 0.003, 1, 256), stand_in.x_train, loss="mae")
