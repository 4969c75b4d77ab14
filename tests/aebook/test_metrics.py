import os

import keras
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from aebook import data, metrics
from aebook.parameters import InputError

RNG = np.random.default_rng(0)
X = (RNG.random((50, 784)) * RNG.integers(0, 2, (50, 784))).astype("float32")
X[:, :100] = 1.0
Y = RNG.random((50, 784), dtype="float32")
Y[0, :3] = 0, 1, 1  # where a logarithm would be infinite


def test_they_agree_with_keras():
    assert metrics.bce(X, Y) == pytest.approx(float(np.mean(keras.losses.binary_crossentropy(X, Y))), rel=1e-5)
    assert metrics.mse(X, Y) == pytest.approx(float(np.mean(keras.losses.mean_squared_error(X, Y))), rel=1e-5)
    accuracy = keras.metrics.BinaryAccuracy()
    accuracy.update_state(X, Y)
    assert metrics.accuracy(X, Y) == pytest.approx(float(accuracy.result()), rel=1e-5)


def test_the_floor_is_reached_by_the_image_itself_and_by_nothing_else():
    floor = metrics.bce_floor(X)
    assert metrics.bce(X, X) == pytest.approx(floor, abs=1e-6)
    for moved in (0.99 * X, np.clip(X + 0.01, 0, 1), Y):
        assert metrics.bce(X, moved) > floor
    assert metrics.bce_floor([0.0, 1.0]) == 0
    assert metrics.bce_floor([0.5]) == pytest.approx(np.log(2))


def test_the_ceiling_is_reached_by_the_image_itself():
    ceiling = metrics.accuracy_ceiling(X)
    assert 0 < ceiling < 1
    assert metrics.accuracy(X, X) == ceiling
    assert metrics.accuracy(X, Y) < ceiling
    assert metrics.accuracy_ceiling([0.0, 0.4, 1.0, 0.999]) == 0.5


def test_psnr_is_the_error_in_decibels():
    assert metrics.psnr(X, Y) == pytest.approx(-10 * np.log10(metrics.mse(X, Y)))


def test_ssim_and_blur_follow_a_blurred_image(stand_in):
    x = data.to_vectors(stand_in.x_test[:20])
    smooth = {s: gaussian_filter(data.to_grid(x), (0, s, s)).reshape(20, 784) for s in (0.5, 1.0, 2.0)}
    assert metrics.ssim(x, x) == pytest.approx(1)
    assert 1 > metrics.ssim(x, smooth[0.5]) > metrics.ssim(x, smooth[1.0]) > metrics.ssim(x, smooth[2.0])
    assert metrics.blur(x) < metrics.blur(smooth[1.0]) < metrics.blur(smooth[2.0])


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(50, 784\) and \(50, 28, 28\)"):
        metrics.bce(X, Y.reshape(50, 28, 28))


def test_the_limits_of_mnist():
    if not os.environ.get("AEBOOK_DATA"):
        pytest.skip("AEBOOK_DATA is not set")
    x = data.to_vectors(data.load("mnist").x_test)
    assert metrics.bce_floor(x) == pytest.approx(0.0581, abs=5e-5)
    assert metrics.accuracy_ceiling(x) == pytest.approx(0.8145, abs=5e-5)


@pytest.mark.parametrize("x", [255 * X, X - 0.1, [], [0.5, np.nan]])
def test_pixels_out_of_range(x):
    with pytest.raises(InputError, match="pixels must have values from 0 to 1, got"):
        metrics.bce_floor(x)
    with pytest.raises(InputError, match="pixels must have values from 0 to 1, got"):
        metrics.bce(x, x)


def test_mse_takes_any_values():
    assert metrics.mse([-1.0, 300.0], [1.0, 300.0]) == 2
