import keras
import numpy as np
import pytest

from aebook import contenders
from aebook.models import ConvAutoencoder, DenseAutoencoder
from aebook.parameters import InputError
from aebook.training import CODE_BIAS

PARAMETERS = {"dense": 77_665, "conv": 2_378, "conv_dense": 81_098, "deep": 441_921}


def built(model, z_dim=49, seed=0, **settings):
    keras.utils.set_random_seed(seed)
    return contenders.build(model, z_dim, **settings)


@pytest.mark.parametrize("model", PARAMETERS)
def test_images_go_in_and_out(model):
    network = built(model)
    x = np.random.default_rng(0).random((3, *((784,) if contenders.is_flat(model) else (28, 28, 1))), dtype="float32")
    y = keras.ops.convert_to_numpy(network(x))
    assert y.shape == x.shape and y.min() >= 0 and y.max() <= 1
    assert np.array_equal(keras.ops.convert_to_numpy(network.decoder(network.encoder(x))), y)
    assert network.count_params() == PARAMETERS[model]
    assert np.prod(network.encoder.output_shape[1:]) == 49


def weights(model):
    return [weight.numpy() for weight in model.weights]


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_dense_and_conv_are_those_of_the_lessons():
    keras.utils.set_random_seed(0)
    dense = DenseAutoencoder(z_dim=49, code_bias=CODE_BIAS)
    assert equal(built("dense"), dense)
    keras.utils.set_random_seed(0)
    conv = ConvAutoencoder(1, kernel_initializer="he_normal", code_bias=CODE_BIAS)
    assert equal(built("conv"), conv)


def test_the_start_that_keras_gives():
    for model in ("dense", "conv", "conv_dense", "deep"):
        ours, plain = built(model), built(model, start="keras")
        assert not equal(ours, plain)
        assert all(not weight.any() for weight in weights(plain) if weight.ndim == 1)
    assert not any(weight.any() for weight in weights(built("deep", code_activation="linear")) if weight.ndim == 1)


def test_what_can_be_chosen():
    assert built("dense", code_activation="linear").encoder.layers[-1].activation is keras.activations.linear
    assert built("dense", output="linear").decoder.layers[-1].activation is keras.activations.linear
    assert built("deep", width=64).count_params() < 784 * 64 * 2 + 10_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "conv", "z_dim": 50}, "z_dim must be a multiple of 49"),
        ({"model": "conv", "code_activation": "linear"}, "code_activation must be relu for the model conv"),
        ({"model": "conv_dense", "output": "linear"}, "output must be sigmoid for the model conv_dense"),
        ({"model": "pca"}, "pca is computed, not trained"),
        ({"model": "vae"}, "model must be one of"),
        ({"model": "deep", "width": 3}, "width must be at least 4, got 3"),
    ],
)
def test_what_cannot_be_built(settings, message):
    with pytest.raises(InputError, match=message):
        contenders.build(**{"z_dim": 49, **settings})
