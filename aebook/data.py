"""Images in, with their name and where they came from (section 6.2.2).

Images are looked for in three places, in this order:

1. the folder that the environment variable ``AEBOOK_DATA`` names;
2. Keras's cache, which is filled by a download where it is empty;
3. for MNIST only, and only when the download fails: a stand-in, made from the real
   handwritten digits that scikit-learn ships.
"""

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
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

import numpy as np

from aebook.parameters import SIDE, InputError, check

TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
ARRAYS = ("x_train", "y_train", "x_test", "y_test")

# MD5 of the official, uncompressed IDX files: header and values.
OFFICIAL_MD5 = {
    "mnist": {
        "x_train": "6bbc9ace898e44ae57da46a324031adb",
        "y_train": "a25bea736e30d166cdddb491f175f624",
        "x_test": "2646ac647ad5339dbf082846283269ea",
        "y_test": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion_mnist": {
        "x_train": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "y_train": "9018921c3c673c538a1fc5bad174d6f9",
        "x_test": "8181f5470baa50b63fa0f6fddb340f0a",
        "y_test": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}

# What keras.datasets downloads, and the folder of its cache. Four files: one for each of ARRAYS.
KERAS_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
KERAS_FILES = {
    "mnist": ("datasets", ["mnist.npz"]),
    "fashion_mnist": (
        "datasets/fashion-mnist",
        ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
         "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"],
    ),
}

STAND_IN_TRAIN, STAND_IN_TEST = 60_000, 10_000
"""As many images as MNIST has, so that a chapter runs with its own parameters."""

_STAND_IN_FIRST_TEST_DIGIT = 1_500  # of the 1,797: earlier ones train, later ones test


@dataclass(frozen=True)
class Images:
    """A data set and its provenance.

    ``x_train`` and ``x_test`` have the shape (n, 28, 28), uint8, 0 (background) to 255;
    ``y_train`` and ``y_test`` the shape (n,), uint8, classes 0 to 9.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    source: str
    """``"folder"``, ``"keras"`` or ``"stand-in"``."""
    reason: str
    """Why this source, in words for a reader."""
    verified: bool
    """Whether all four arrays match the official checksums."""

    @property
    def is_stand_in(self):
        return self.source == "stand-in"

    @property
    def title(self):
        """The name to print in a figure."""
        return f"stand-in for {TITLES[self.name]}" if self.is_stand_in else TITLES[self.name]

    def __str__(self):
        verdict = "match" if self.verified else "do NOT match"
        return (
            f"{self.title}: {len(self.x_train):,} training images, {len(self.x_test):,} test images\n"
            f"images from: {self.source} ({self.reason})\n"
            f"{'verified' if self.verified else 'not verified'}: "
            f"the arrays as loaded {verdict} the official checksums"
        )


def load(name="mnist", n_train=None):
    """Load a data set; the module's docstring says from where.

    Args:
        name: ``"mnist"`` or ``"fashion_mnist"``.
        n_train: how many training images to keep, from the first on; all of them by default.

    Returns:
        Images, with every test image.

    Raises:
        InputError: if the name is unknown, ``n_train`` is larger than the supply,
            ``AEBOOK_DATA`` is set and does not lead to usable arrays, Keras's cached copy is
            damaged and cannot be downloaded again, or Fashion-MNIST is not to be had.

    Example:
        >>> load("mnist", n_train=1000).x_train.shape
        (1000, 28, 28)
    """
    check(dataset=name)
    if n_train is not None:
        check(n_train=n_train)
    folder = os.environ.get("AEBOOK_DATA")
    if folder:
        arrays = _from_folder(name, Path(folder))
        source, reason = "folder", "the one that AEBOOK_DATA names"
    else:
        try:
            arrays = _from_keras(name)
            source, reason = "keras", "its cache or download; AEBOOK_DATA is not set"
        except _DownloadFailed as error:
            if name != "mnist":
                raise InputError(
                    f"{name} is not to be had: AEBOOK_DATA is not set and {error}; "
                    f"set AEBOOK_DATA to a folder that holds {name}.npz"
                ) from error
            arrays = _stand_in(n_train)
            source = "stand-in"
            reason = f"scikit-learn's digits, shifted and turned; AEBOOK_DATA is not set and {error}"

    supply = len(arrays["x_train"])
    if n_train is not None and n_train > supply:
        raise InputError(f"n_train must be at most {supply}, the training images there are, got {n_train}")
    verified = all(_idx_md5(arrays[key]) == OFFICIAL_MD5[name][key] for key in ARRAYS)
    arrays["x_train"], arrays["y_train"] = arrays["x_train"][:n_train], arrays["y_train"][:n_train]
    return Images(name=name, **arrays, source=source, reason=reason, verified=verified)


def to_vectors(images):
    """Images (n, 28, 28), values 0–255, as vectors (n, 784), values 0–1.

    Section 6.2.2 explains it.
    """
    pixels = images.astype("float32") / 255
    return pixels.reshape(len(pixels), -1)


def to_channels(images, data_format="channels_last"):
    """Images (n, 28, 28), values 0–255, with a channel axis, values 0–1.

    The shape is (n, 28, 28, 1) for "channels_last" and (n, 1, 28, 28) for
    "channels_first". Section 6.3.2 explains it.
    """
    check(data_format=data_format)
    pixels = images.astype("float32") / 255
    axis = -1 if data_format == "channels_last" else 1
    return np.expand_dims(pixels, axis)


def to_grid(pixels):
    """Pixels as pictures (n, 28, 28).

    The input may have any layout of this book: (n, 784), (n, 28, 28, 1) or
    (n, 1, 28, 28). Section 6.3.3 explains it.
    """
    return np.asarray(pixels).reshape(len(pixels), SIDE, SIDE)


class _DownloadFailed(Exception):
    """Keras's cache is empty, and the download failed."""


class _Damaged(Exception):
    """There are files in Keras's cache, and no whole data set."""


def _from_folder(name, folder):
    path = folder / f"{name}.npz"
    if not os.path.isdir(folder):
        raise InputError(f"AEBOOK_DATA must name a folder that holds {name}.npz; "
                         f"there is no folder {folder.absolute()}")
    if not os.path.isfile(path):
        raise InputError(f"AEBOOK_DATA must name a folder that holds {name}.npz; "
                         f"{folder.absolute()} has none")
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
            raise InputError(f"y_{part} in {origin} must have the shape ({len(x)},), one class for "
                             f"each image, got {y.shape}")
    for key, array in arrays.items():
        largest = 255 if key.startswith("x") else 9
        if array.dtype.kind not in "iu":
            raise InputError(f"{key} in {origin} must hold whole numbers from 0 to {largest}, "
                             f"got the type {array.dtype}")
        if array.min() < 0 or array.max() > largest:
            raise InputError(f"{key} in {origin} must hold whole numbers from 0 to {largest}, "
                             f"got {array.min()} to {array.max()}")
    return {key: array.astype("uint8", copy=False) for key, array in arrays.items()}


def _from_keras(name):
    """What Keras's cache holds, or else a download.

    Keras itself would write a download to the place where other processes look for it, and
    they would find half of it. Here it takes that place once it is whole. One process
    downloads; those that want the same wait and read what it brought.
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
                with urllib.request.urlopen(KERAS_ORIGIN + file, timeout=60) as answer:
                    with open(fresh / file, "wb") as copy:
                        shutil.copyfileobj(answer, copy)
            arrays = _read_cache(fresh, files)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError,
                ssl.SSLError, _Damaged) as error:
            if damage:
                raise InputError(
                    f"Keras's cached copy of {name} must be whole: {damage}; another program may still be "
                    f"writing it, or {cache / files[0]} is to be deleted; downloading it again failed ({error})"
                ) from error
            raise _DownloadFailed(f"the download failed ({error})") from error
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


def _stand_in(n_train=None):
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


def _idx_md5(array):
    """MD5 of an array as the official IDX file holds it: magic number, dimensions, values."""
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
    return md5(header + array.tobytes(), usedforsecurity=False).hexdigest()
