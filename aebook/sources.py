"""The three places that aebook.data looks for images in: a folder, Keras's cache or its download, the stand-in."""

import gzip
import http.client
import os
import shutil
import sqlite3
import ssl
import struct
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from aebook.parameters import SIDE, InputError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
Arrays = dict[str, np.ndarray]
"""Images (n, 28, 28) and classes (n,), uint8, by the names in ARRAYS."""

# What keras.datasets downloads, and the folder of its cache. Four files: one for each of ARRAYS.
KERAS_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
KERAS_FILES = {
    "mnist": ("datasets", ["mnist.npz"]),
    "fashion_mnist": (
        "datasets/fashion-mnist",
        [
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
        ],
    ),
}

STAND_IN_TRAIN, STAND_IN_TEST = 60_000, 2_000
"""As many training images as MNIST has, so that a chapter runs with its own parameters; the test images are
some variations of each of the digits that there are for it."""

_STAND_IN_FIRST_TEST_DIGIT = 1_500  # of the 1,797: earlier ones train, later ones test


class DownloadFailed(Exception):
    """Keras's cache is empty, and the download failed."""


class _Damaged(Exception):
    """There are files in Keras's cache, and no whole data set."""


def from_folder(name: str, folder: Path) -> Arrays:
    """What the file of a data set in a folder holds.

    Raises:
        InputError: if there is no such file, or it does not hold such arrays.
    """
    path = folder / f"{name}.npz"
    if not os.path.isdir(folder):
        raise InputError(
            f"AEBOOK_DATA must name a folder that holds {name}.npz; there is no folder {folder.absolute()}"
        )
    if not os.path.isfile(path):
        raise InputError(f"AEBOOK_DATA must name a folder that holds {name}.npz; {folder.absolute()} has none")
    try:
        arrays = _read_npz(path)
    except Exception as error:  # a damaged archive can fail in every way its libraries know
        raise InputError(
            f"{path} must be a whole .npz file with the arrays {', '.join(ARRAYS)}, "
            f"none of them pickled: {error or type(error).__name__}"
        ) from error
    return _check_arrays(path, arrays)


def _read_npz(path):
    with np.load(path, allow_pickle=False) as archive:
        return {key: np.asarray(archive[key]) for key in ARRAYS}


def _check_arrays(origin, arrays):
    """The arrays as uint8, once they are what their names say."""
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.ndim != 3 or x.shape[1:] != (SIDE, SIDE) or len(x) == 0:
            raise InputError(f"x_{part} in {origin} must have the shape (n, {SIDE}, {SIDE}), got {x.shape}")
        if y.shape != (len(x),):
            raise InputError(
                f"y_{part} in {origin} must have the shape ({len(x)},), one class for each image, got {y.shape}"
            )
    for key, array in arrays.items():
        largest = 255 if key.startswith("x") else 9
        if array.dtype.kind not in "iu":
            raise InputError(
                f"{key} in {origin} must hold whole numbers from 0 to {largest}, got the type {array.dtype}"
            )
        if array.min() < 0 or array.max() > largest:
            raise InputError(
                f"{key} in {origin} must hold whole numbers from 0 to {largest}, got {array.min()} to {array.max()}"
            )
    return {key: array.astype("uint8", copy=False) for key, array in arrays.items()}


def from_keras(name: str) -> Arrays:
    """What Keras's cache holds, or else a download.

    Keras itself would write a download to the place where other processes look for it, and
    they would find half of it. Here it takes that place once it is whole. One process
    downloads; those that want the same wait and read what it brought.

    Raises:
        DownloadFailed: if the cache is empty, and the download fails.
        InputError: if the cache is damaged, and the download fails.
    """
    folder, files = KERAS_FILES[name]
    cache = _keras_home() / folder
    try:
        return _read_cache(cache, files)
    except (FileNotFoundError, _Damaged):
        cache.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(cache / f"{name}.lock"):
            return _download(name, cache, files)


def _keras_home():
    """Where keras.utils.get_file keeps its downloads."""
    home = Path(os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras")))
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    if os.access(home, os.W_OK):
        return home
    return Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir(), ".keras")


@contextmanager
def _one_at_a_time(path):
    """Hold a lock of SQLite: every system has it, and it ends with the process that holds it.

    Where a folder knows no locks, each process goes on, and downloads for itself.
    """
    lock = sqlite3.connect(path, timeout=1, isolation_level=None)
    try:
        for _ in range(1000):
            with suppress(sqlite3.Error):  # a second has passed, and another process still holds it
                lock.execute("BEGIN EXCLUSIVE")
                break
        yield
    finally:
        lock.close()


def _download(name, cache, files):
    damage = None
    try:
        return _read_cache(cache, files)  # brought by another process, for which this one waited
    except FileNotFoundError:
        pass
    except _Damaged as error:
        damage = error
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=cache, ignore_cleanup_errors=True) as fresh:
        fresh = Path(fresh)
        try:
            for file in files:
                with (
                    urllib.request.urlopen(KERAS_ORIGIN + file, timeout=60) as answer,
                    open(fresh / file, "wb") as copy,
                ):
                    shutil.copyfileobj(answer, copy)
            arrays = _read_cache(fresh, files)
        except (
            urllib.error.URLError,
            http.client.HTTPException,
            ConnectionError,
            TimeoutError,
            ssl.SSLError,
            _Damaged,
        ) as error:
            if damage:
                raise InputError(
                    f"Keras's cached copy of {name} must be whole: {damage}; another program may still be "
                    f"writing it, or {cache / files[0]} is to be deleted; downloading it again failed ({error})"
                ) from error
            raise DownloadFailed(f"the download failed ({error})") from error
        for file in files:
            with suppress(PermissionError):  # Windows replaces no file that another process has open
                os.replace(fresh / file, cache / file)
    return arrays


def _read_cache(folder, files):
    """The arrays in the files of Keras; FileNotFoundError if one is missing, _Damaged if they are not whole."""
    try:
        if files[0].endswith(".npz"):
            arrays = _read_npz(folder / files[0])
        else:
            arrays = {key: _read_idx(folder / file) for key, file in zip(ARRAYS, files)}
        return _check_arrays("Keras's cached copy", arrays)
    except (FileNotFoundError, MemoryError):
        raise
    except Exception as error:  # as a damaged archive in a folder
        raise _Damaged(str(error) or type(error).__name__) from error


def _read_idx(path):
    """An IDX file, zipped: three bytes, the number of dimensions, the dimensions, the values."""
    with gzip.open(path) as file:
        content = file.read()
    shape = struct.unpack_from(f">{content[3]}I", content, 4)
    return np.frombuffer(content, "uint8", offset=4 + 4 * len(shape)).reshape(shape)


def stand_in(n_train: int | None = None) -> Arrays:
    """scikit-learn's 8×8 digits as 28×28 images; training and test digits are never mixed.

    Of the training images only the first n_train are made.
    """
    from sklearn.datasets import load_digits

    digits, labels = load_digits(return_X_y=True)
    digits = digits.reshape(-1, 8, 8) * (255 / 16)
    first = _STAND_IN_FIRST_TEST_DIGIT
    x_train, y_train = _vary(digits[:first], labels[:first], STAND_IN_TRAIN, seed=0, keep=n_train)
    x_test, y_test = _vary(digits[first:], labels[first:], STAND_IN_TEST, seed=1)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def _vary(digits, labels, count, seed, keep=None):
    """`count` images, or the first `keep` of them: each digit in turn, enlarged, shifted by up to
    2 pixels, turned by up to 10°."""
    from scipy.ndimage import affine_transform

    rng = np.random.default_rng(seed)
    angles = np.deg2rad(rng.uniform(-10, 10, count))
    shifts = rng.uniform(-2, 2, (count, 2))
    which = np.arange(count)[:keep] % len(digits)
    images = np.empty((len(which), SIDE, SIDE), "uint8")
    for image, digit, angle, shift in zip(images, digits[which], angles, shifts):
        # From a pixel of the image to its place on the 8×8 digit, which covers 20×20 pixels.
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * 8 / 20
        offset = 3.5 - turn @ ((SIDE - 1) / 2 + shift)
        affine_transform(digit, turn, offset, image.shape, output=image, order=1)
    return images, labels[which].astype("uint8")
