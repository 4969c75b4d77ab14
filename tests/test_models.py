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


@pytest.fixture(params=BUILDERS)
def model(request):
    keras.utils.set_random_seed(0)
    return BUILDERS[request.param]()


@pytest.fixture
def x(model):
    return np.random.default_rng(0).random((20, *model.input_shape[1:]), dtype="float32")


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


def test_conv_follows_keras_when_no_format_is_given():
    keras.config.set_image_data_format("channels_first")
    try:
        assert ConvAutoencoder().input_shape == (None, 1, 28, 28)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_both_data_formats_compute_the_same():
    last, first = ConvAutoencoder(2, "channels_last"), ConvAutoencoder(2, "channels_first")
    first.set_weights(last.get_weights())
    x = np.random.default_rng(0).random((4, 28, 28, 1), dtype="float32")
    y = first.predict(np.moveaxis(x, -1, 1), verbose=0)
    assert np.allclose(np.moveaxis(y, 1, -1), last.predict(x, verbose=0), atol=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_feature_maps(data_format):
    model = ConvAutoencoder(2, data_format)
    image = np.random.default_rng(0).random((1, *model.input_shape[1:]), dtype="float32")
    maps = feature_maps(model, image)
    assert [(name, values.shape) for name, values in maps["encoder"]] == [
        ("input", (28, 28, 1)),
        ("Conv2D", (28, 28, 4)), ("MaxPooling2D", (14, 14, 4)),
        ("Conv2D", (14, 14, 8)), ("MaxPooling2D", (7, 7, 8)),
        ("code", (7, 7, 2)),
    ]
    assert [(name, values.shape) for name, values in maps["decoder"]] == [
        ("Conv2D", (7, 7, 16)), ("UpSampling2D", (14, 14, 16)),
        ("Conv2D", (14, 14, 8)), ("UpSampling2D", (28, 28, 8)),
        ("Conv2D", (28, 28, 4)),
        ("reconstruction", (28, 28, 1)),
    ]
    assert np.allclose(maps["encoder"][0][1].ravel(), image.ravel())
    assert np.allclose(maps["decoder"][-1][1].ravel(), model.predict(image, verbose=0).ravel(), atol=1e-6)


def test_the_halves_make_the_whole(model, x):
    model.compile("adam", "binary_crossentropy")
    model.fit(x, x, epochs=1, verbose=0)
    halves = model.decoder.predict(model.encoder.predict(x, verbose=0), verbose=0)
    assert np.allclose(halves, model.predict(x, verbose=0), atol=1e-6)


def test_the_halves_share_their_weights(model, x):
    before = model.encoder.predict(x, verbose=0)
    model.set_weights([w + 0.1 for w in model.get_weights()])
    assert not np.allclose(model.encoder.predict(x, verbose=0), before)
    whole = {id(w) for w in model.weights}
    assert {id(w) for w in model.encoder.weights + model.decoder.weights} == whole


def test_save_and_load(model, x, tmp_path):
    model.compile("adam", "binary_crossentropy", metrics=[keras.metrics.BinaryAccuracy()])
    model.fit(x, x, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model) and loaded.name == model.name
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert np.array_equal(loaded.encoder.predict(x, verbose=0), model.encoder.predict(x, verbose=0))
    assert loaded.optimizer.iterations.numpy() == 2
    loaded.fit(x, x, epochs=1, verbose=0)
    halves = loaded.decoder.predict(loaded.encoder.predict(x, verbose=0), verbose=0)
    assert np.allclose(halves, loaded.predict(x, verbose=0), atol=1e-6)


def test_weights_alone(model, x, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    other = type(model).from_config(model.get_config())
    assert not np.allclose(other.predict(x, verbose=0), model.predict(x, verbose=0))
    other.load_weights(tmp_path / "model.weights.h5")
    assert np.array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))


def test_numpy_integers_are_whole_numbers():
    assert DenseAutoencoder(z_dim=np.int64(8)).count_params() == 13_336
    assert ConvAutoencoder(np.int64(2)).count_params() == 2_915


@pytest.mark.parametrize("build", [
    lambda: DenseAutoencoder(z_dim=0),
    lambda: ConvAutoencoder(code_filters=0),
    lambda: ConvAutoencoder(data_format="first"),
    lambda: ConvAutoencoder(data_format=""),
])
def test_bad_sizes(build):
    with pytest.raises(InputError):
        build()
