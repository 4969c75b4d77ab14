import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from aebook.models import ConvAutoencoder, DenseAutoencoder, feature_maps
from aebook.parameters import InputError

BUILDERS = {
    "dense": lambda: DenseAutoencoder(z_dim=5),
    "conv": lambda: ConvAutoencoder(data_format="channels_last"),
    "conv, channels first": lambda: ConvAutoencoder(2, data_format="channels_first"),
}


def images_for(model):
    return np.random.default_rng(0).random((20, *model.input_shape[1:]), dtype="float32")


def output(model, x):
    return keras.ops.convert_to_numpy(model(x))


@pytest.fixture(params=BUILDERS)
def model(request):
    keras.utils.set_random_seed(0)
    return BUILDERS[request.param]()


@pytest.fixture
def x(model):
    return images_for(model)


@pytest.fixture(scope="module", params=BUILDERS)
def trained(request):
    """A model after two steps of training, and its images."""
    keras.utils.set_random_seed(0)
    model = BUILDERS[request.param]()
    model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.BinaryAccuracy()], run_eagerly=True)
    model.fit(images_for(model), images_for(model), epochs=2, verbose=0)
    return model, images_for(model)


@pytest.mark.parametrize(("z_dim", "parameters"), [(36, 57_268), (8, 13_336)])
def test_dense(z_dim, parameters):
    model = DenseAutoencoder(z_dim=z_dim)
    assert model.count_params() == parameters
    assert model.encoder.output_shape == (None, z_dim)
    assert model.input_shape == model.output_shape == (None, 784)
    code, pixels = model.encoder.get_layer("code"), model.decoder.get_layer("pixels")
    assert (code.activation, pixels.activation) == (keras.activations.relu, keras.activations.sigmoid)


@pytest.mark.parametrize(("code_filters", "parameters"), [(1, 2_378), (2, 2_915)])
def test_conv(code_filters, parameters):
    model = ConvAutoencoder(code_filters, "channels_last")
    assert model.count_params() == parameters
    assert model.encoder.output_shape == (None, 7, 7, code_filters)
    assert model.input_shape == model.output_shape == (None, 28, 28, 1)
    kernels = [w.shape for w in model.weights if w.name == "kernel"]
    assert [k[-1] for k in kernels] == [4, 8, code_filters, 16, 8, 4, 1]


def test_both_data_formats_compute_the_same():
    last, first = ConvAutoencoder(2, "channels_last"), ConvAutoencoder(2, "channels_first")
    first.set_weights(last.get_weights())
    x = np.random.default_rng(0).random((4, 28, 28, 1), dtype="float32")
    y = output(first, np.moveaxis(x, -1, 1))
    assert np.allclose(np.moveaxis(y, 1, -1), output(last, x), atol=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_feature_maps(data_format):
    model = ConvAutoencoder(2, data_format)
    image = np.random.default_rng(0).random((1, *model.input_shape[1:]), dtype="float32")
    maps = feature_maps(model, image)
    shapes = {
        half: ", ".join(f"{name} {'×'.join(map(str, values.shape))}" for name, values in steps)
        for half, steps in maps.items()
    }
    assert shapes == {
        "encoder": "input 28×28×1, Conv2D 28×28×4, MaxPooling2D 14×14×4, Conv2D 14×14×8, MaxPooling2D 7×7×8, "
        "code 7×7×2",
        "decoder": "Conv2D 7×7×16, UpSampling2D 14×14×16, Conv2D 14×14×8, UpSampling2D 28×28×8, Conv2D 28×28×4, "
        "reconstruction 28×28×1",
    }
    assert np.allclose(maps["encoder"][0][1].ravel(), image.ravel())
    assert np.allclose(maps["decoder"][-1][1].ravel(), output(model, image).ravel(), atol=1e-6)


def test_the_halves_make_the_whole(trained):
    model, x = trained
    halves = output(model.decoder, output(model.encoder, x))
    assert np.allclose(halves, output(model, x), atol=1e-6)


def test_the_halves_share_their_weights(model, x):
    before = output(model.encoder, x)
    model.set_weights([w + 0.1 for w in model.get_weights()])
    assert not np.allclose(output(model.encoder, x), before)
    whole = {id(w) for w in model.weights}
    assert {id(w) for w in model.encoder.weights + model.decoder.weights} == whole


def test_save_and_load(trained, tmp_path):
    model, x = trained
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model) and loaded.name == model.name
    assert loaded.get_config() == model.get_config()
    assert np.array_equal(output(loaded, x), output(model, x))
    assert np.array_equal(output(loaded.encoder, x), output(model.encoder, x))
    assert loaded.optimizer.iterations.numpy() == 2
    loaded.fit(x, x, epochs=1, verbose=0)
    assert not np.array_equal(output(loaded, x), output(model, x))
    halves = output(loaded.decoder, output(loaded.encoder, x))
    assert np.allclose(halves, output(loaded, x), atol=1e-6)


def test_weights_alone(model, x, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    other = type(model).from_config(model.get_config())
    assert not np.allclose(output(other, x), output(model, x))
    other.load_weights(tmp_path / "model.weights.h5")
    assert np.array_equal(output(other, x), output(model, x))


@pytest.mark.parametrize(
    "build",
    [
        lambda: DenseAutoencoder(x_nodes=100, z_dim=5, code_bias=0.5, name="mine"),
        lambda: ConvAutoencoder(2, "channels_first", kernel_initializer="he_normal", code_bias=0.5, name="mine"),
        lambda: ConvAutoencoder(3, "channels_last", kernel_initializer=keras.initializers.HeNormal(seed=4)),
    ],
)
def test_a_model_from_its_config_is_built_as_the_first(build):
    """With the same seed it has the same weights: how they start is in the configuration, too."""
    keras.utils.set_random_seed(7)
    model = build()
    keras.utils.set_random_seed(7)
    again = type(model).from_config(model.get_config())
    assert again.get_config() == model.get_config() and again.name == model.name
    assert again.input_shape == model.input_shape and again.encoder.output_shape == model.encoder.output_shape
    assert len(again.weights) == len(model.weights)
    for mine, other in zip(model.get_weights(), again.get_weights()):
        assert np.array_equal(mine, other)


CHANNELS_FIRST = """
import keras, numpy as np
from aebook.models import ConvAutoencoder

model, x = ConvAutoencoder(2, "channels_first"), np.zeros((8, 1, 28, 28), "float32")
before = keras.ops.convert_to_numpy(model(x))
model.compile("adam", "binary_crossentropy")
model.fit(x, x, verbose=0)
print(before.shape, model.encoder(x).shape, (model.predict(x, verbose=0) < before).all())
"""


@pytest.mark.slow
def test_channels_first_on_a_processor_without_onednn():
    """There TensorFlow itself cannot convolve with the channels first."""
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}
    child = subprocess.run([sys.executable, "-c", CHANNELS_FIRST], capture_output=True, text=True, env=environment)
    assert child.stdout == "(8, 1, 28, 28) (8, 2, 7, 7) True\n", child.stderr


def test_numpy_integers_are_whole_numbers():
    assert DenseAutoencoder(z_dim=np.int64(8)).count_params() == 13_336
    assert ConvAutoencoder(np.int64(2)).count_params() == 2_915


@pytest.mark.parametrize(
    "build",
    [
        lambda: DenseAutoencoder(z_dim=0),
        lambda: ConvAutoencoder(code_filters=0),
        lambda: ConvAutoencoder(data_format="first"),
        lambda: ConvAutoencoder(data_format=""),
    ],
)
def test_bad_sizes(build):
    with pytest.raises(InputError):
        build()
