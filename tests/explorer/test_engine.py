"""engine.js against Keras, and against damage."""

import base64
import zlib
from copy import deepcopy

import keras
import numpy as np
import pytest
from keras import layers

from aebook import data, models
from aebook.explorer.pack import encode, pack
from aebook.parameters import InputError
from tools import explorer

FLOAT32 = 1e-5
"""How far a pixel of JavaScript may be from Keras's, with the same weights."""

BOTH = """
    const model = e.load(given.packed);
    const codes = given.x.map((image) => model.encode(image));
    return { codes, pixels: codes.map((code) => model.decode(code)) };
"""


def in_keras(model, images):
    x = data.to_vectors(images).reshape(-1, *model.input_shape[1:])
    return model.predict(x, verbose=0).reshape(len(x), -1)


def furthest(javascript, packed, model, images):
    """The largest difference of a pixel between JavaScript and Keras."""
    shown = javascript(BOTH, packed=packed, x=data.to_vectors(images).tolist())
    return np.abs(np.array(shown["pixels"]) - in_keras(model, images)).max()


@pytest.fixture(scope="module")
def found(digits):
    """The models of the pages, by their names."""
    return {
        name: explorer.pca_model(digits, explorer.PCA_SIZE) if name == "pca" else models.load(name)
        for name in explorer.MODELS
    }


@pytest.mark.parametrize("name", explorer.MODELS)
def test_the_same_weights_give_the_same_pixels_as_keras(name, found, digits, javascript):
    packed = pack(found[name], digits, digits)
    assert furthest(javascript, packed, found[name], digits[:200]) < FLOAT32


@pytest.mark.parametrize("name", [name for name in explorer.MODELS if name != "pca"])
def test_the_weights_of_the_pages_move_no_pixel_beyond_the_stated_bound(name, found, digits, javascript):
    packed, model = explorer.read(explorer.SCRIPTS / f"{name}.js"), found[name]
    assert furthest(javascript, packed, model, digits[:200]) < packed["bound"] + FLOAT32
    with explorer.as_kept(model, explorer.MODELS[name]["precision"]):
        assert furthest(javascript, packed, model, digits[:200]) < FLOAT32


def test_every_layer_that_can_be_packed_computes_as_in_keras(digits, javascript):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        layers.Input((28, 28)), layers.Reshape((28, 28, 1)), layers.GaussianNoise(0.1),
        layers.Conv2D(3, (3, 5), strides=2, padding="same", activation="elu"), layers.BatchNormalization(),
        layers.MaxPooling2D((3, 2), strides=2, padding="same"), layers.Conv2D(2, 2, padding="valid", use_bias=False),
        layers.Activation("tanh"), layers.Flatten(), layers.Dropout(0.5), layers.Dense(5, name="code"),
        layers.Dense(49, activation="relu"), layers.Reshape((7, 7, 1)),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same"), layers.ReLU(), layers.UpSampling2D((2, 1)),
        layers.Conv2DTranspose(2, (2, 4), strides=(1, 2), padding="same"), layers.Dense(1), layers.ReLU(1.0),
    ])  # fmt: skip
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 0.5, w.shape) * rng.choice([1, 1, -1], w.shape) for w in model.get_weights()])
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_variance.assign(np.abs(layer.moving_variance))
    packed = pack(model, digits[:100], digits[:100])
    shown = javascript(BOTH, packed=packed, x=data.to_vectors(digits[:20]).tolist())
    np.testing.assert_allclose(shown["codes"], encode(model, digits[:20]), rtol=1e-4, atol=1e-4)
    assert furthest(javascript, packed, model, digits[:20]) < FLOAT32
    assert np.std(shown["pixels"]) > 0.05


def test_the_code_may_stand_inside_of_a_part(digits, javascript):
    """Its numbers and what is said of them are of the layer that the page turns."""
    keras.utils.set_random_seed(0)
    first = [layers.Input((784,)), layers.Dense(9, activation="tanh"), layers.Dense(4, name="code")]
    model = keras.Sequential([layers.Input((784,)), keras.Sequential(first), layers.Dense(784, name="pixels")])
    packed = pack(model, digits[:100], digits[:100])
    shown = javascript(BOTH, packed=packed, x=data.to_vectors(digits[:20]).tolist())
    np.testing.assert_allclose(shown["codes"], encode(model, digits[:20]), rtol=1e-4, atol=1e-4)
    assert furthest(javascript, packed, model, digits[:20]) < FLOAT32 and len(packed["ranges"]) == 4


# Bad input


MESSAGE = """
    try { e.load(given.packed); } catch (error) { return [error.reason, error.layer ?? "", error.message]; }
"""


def with_bytes(packed, change):
    """The same object with other weights, and the right sum."""
    content = change(base64.b64decode(packed["weights"]))
    return {**packed, "weights": base64.b64encode(content).decode(), "adler32": zlib.adler32(content)}


def with_layer(packed, **more):
    changed = deepcopy(packed)
    changed["layers"]["decoder"][0].update(more)
    return changed


@pytest.mark.parametrize(
    ("change", "reason", "layer", "said"),
    [
        (lambda p: {**p, "weights": p["weights"][:-7]}, "damaged", "", "its text cannot be read"),
        (lambda p: {**p, "weights": "?" + p["weights"][1:]}, "damaged", "", "its text cannot be read"),
        (lambda p: {**p, "weights": p["weights"][4:]}, "damaged", "", "its sum is wrong"),
        (lambda p: {**p, "weights": p["weights"].swapcase()}, "damaged", "", "its sum is wrong"),
        (lambda p: with_bytes(p, lambda content: content[:-4]), "shapes", "pixels", "do not fit the layer pixels"),
        (lambda p: with_bytes(p, lambda content: content + b"0000"), "shapes", "pixels", "do not fit the layer pixels"),
        (lambda p: with_bytes(p, lambda content: content[:90]), "shapes", "code", "do not fit the layer code"),
        (lambda p: {**p, "shape": [783]}, "shapes", "code", "do not fit the layer code"),
        (lambda p: {**p, "dead": p["dead"][1:]}, "shapes", "code", "do not fit the layer code"),
        (lambda p: with_layer(p, arrays=[]), "shapes", "pixels", "do not fit the layer pixels"),
        (lambda p: with_layer(p, kind="lstm"), "unknown layer", "pixels", "the layer pixels is of the kind lstm"),
        (lambda p: with_layer(p, activation="gelu"), "unknown activation", "pixels", "pixels has the activation gelu"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_a_sentence(change, reason, layer, said, javascript):
    packed = change(explorer.read(explorer.SCRIPTS / "6_2_dense.js"))
    got, named, sentence = javascript(MESSAGE, packed=packed)
    assert (got, named) == (reason, layer)
    assert said.lower() in sentence.lower() and sentence.endswith(".") and sentence.count(".") <= 2


def dense(*more, name="code", activation="relu"):
    return keras.Sequential([
        layers.Input((784,)), *more, layers.Dense(3, activation=activation, name=name), layers.Dense(784, name="pixels")
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: dense(layers.LayerNormalization(name="even")), "the layer even is a LayerNormalization, which the"),
        (lambda: dense(activation="gelu"), "the layer code has the activation gelu, which the explorer cannot show"),
        (lambda: dense(name="middle"), "must be made of two models, .* or name a layer code; got the layers middle"),
        (lambda: keras.Sequential([layers.Input((9,)), layers.Dense(2, name="code"), layers.Dense(9)]), "28×28 pixels"),
        (
            lambda: keras.Sequential([
                layers.Input((28, 28, 1)), layers.Conv2D(2, 3, dilation_rate=2, name="code"), layers.Dense(1)
            ]),
            r"the layer code has dilation_rate=\(2, 2\), which",
        ),
        (lambda: models.ConvAutoencoder(data_format="channels_first"), "the layer permute.* is a Permute, which the"),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_shown_is_refused_by_its_first_layer(model, said, digits):
    with pytest.raises(InputError, match=said):
        pack(model(), digits, digits)


def test_a_layer_that_takes_part_twice_is_refused(digits):
    x, twice = layers.Input((784,)), layers.Dense(784, name="twice")
    model = keras.Model(x, twice(layers.Dense(784, name="code")(twice(x))))
    with pytest.raises(InputError, match="the layer twice must take part once"):
        pack(model, digits, digits)


def test_numbers_that_are_none_are_refused(digits):
    model = dense()
    model.set_weights([np.full(w.shape, 70_000.0) for w in model.get_weights()])
    with pytest.raises(InputError, match="the weights of the layer code must be finite numbers that a float16 can"):
        pack(model, digits, digits, precision="float16")
    with pytest.raises(InputError, match="precision must be one of float32, float16, int8; got 'int4'"):
        pack(model, digits, digits, precision="int4")
