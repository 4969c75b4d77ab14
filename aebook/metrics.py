"""Reconstruction quality, its floor and its ceiling (sections 6.1 and 6.2.4).

All functions take pixels in any layout and return one float: the mean over all pixels of all
images. `x` is the image, `y` its reconstruction. For everything but the mean squared error the
values of x must lie between 0 and 1.
"""

import numpy as np
from scipy.special import entr
from skimage.measure import blur_effect
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from aebook.data import to_grid
from aebook.parameters import InputError

EPSILON = 1e-7
"""Keras moves predictions this far away from 0 and 1 before it takes a logarithm."""


def bce(x: np.ndarray, y: np.ndarray) -> float:
    """Binary cross-entropy in nats: −x ln y − (1 − x) ln(1 − y).

    Raises:
        InputError: for values of x outside of 0 to 1, and for x and y of different shapes.
    """
    x, y = _pair(_unit_range(x), y)
    y = np.clip(y, EPSILON, 1 - EPSILON)
    return float(-np.mean(x * np.log(y) + (1 - x) * np.log1p(-y)))


def bce_floor(x: np.ndarray) -> float:
    """The lowest binary cross-entropy any reconstruction of x can reach, in nats.

    It is reached by y = x, and is the mean entropy of the pixels: 0 only for images
    without any gray.

    Raises:
        InputError: for values of x outside of 0 to 1.
    """
    x = _unit_range(x)
    return float(np.mean(entr(x) + entr(1 - x)))


def mse(x: np.ndarray, y: np.ndarray) -> float:
    """Mean squared error.

    Raises:
        InputError: for x and y of different shapes.
    """
    x, y = _pair(x, y)
    return float(np.mean((x - y) ** 2))


def accuracy(x: np.ndarray, y: np.ndarray) -> float:
    """The share of pixels where y, rounded to 0 or 1, equals x: keras.metrics.BinaryAccuracy.

    Raises:
        InputError: for values of x outside of 0 to 1, and for x and y of different shapes.
    """
    x, y = _pair(_unit_range(x), y)
    return float(np.mean(x == (y > 0.5)))


def accuracy_ceiling(x: np.ndarray) -> float:
    """The highest accuracy any reconstruction of x can reach: the share of pixels that are 0 or 1.

    Raises:
        InputError: for values of x outside of 0 to 1.
    """
    x = _unit_range(x)
    return float(np.mean((x == 0) | (x == 1)))


def psnr(x: np.ndarray, y: np.ndarray) -> float:
    """Peak signal-to-noise ratio in decibels, −10 log10 of the mean squared error of all images.

    Raises:
        InputError: for x and y of different shapes.
    """
    return float(peak_signal_noise_ratio(*_pair(x, y), data_range=1))


def ssim(x: np.ndarray, y: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004), the mean over the images: 1 for images that are equal.

    Raises:
        InputError: for x and y of different shapes.
    """
    x, y = _pair(to_grid(x), to_grid(y))
    return float(np.mean([structural_similarity(a, b, data_range=1) for a, b in zip(x, y)]))


def blur(y: np.ndarray) -> float:
    """Perceived blur (Crete et al. 2007), the mean over the images: from 0, sharp, to 1.

    It looks at one set of images only; compare it with the blur of the originals.
    """
    return float(np.mean([blur_effect(image) for image in np.asarray(to_grid(y), dtype="float64")]))


def _unit_range(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, dtype="float64")
    if x.size == 0 or not (x.min() >= 0 and x.max() <= 1):
        found = f"{x.min()} to {x.max()}" if x.size else "no pixels"
        raise InputError(f"pixels must have values from 0 to 1, got {found}")
    return x


def _pair(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, dtype="float64"), np.asarray(y, dtype="float64")
    if x.shape != y.shape:
        raise InputError(f"image and reconstruction must have one shape, got {x.shape} and {y.shape}")
    return x, y
