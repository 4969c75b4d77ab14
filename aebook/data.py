"""Images in, with their name and where they came from (section 6.2.2).

Images are looked for in three places, in this order:

1. the folder that the environment variable ``AEBOOK_DATA`` names;
2. Keras's cache, which is filled by a download where it is empty;
3. for MNIST only, and only when the download fails: a stand-in, made from the real
   handwritten digits that scikit-learn ships.
"""

import os
import struct
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

import numpy as np

from aebook import sources
from aebook.parameters import SIDE, InputError, check
from aebook.sources import ARRAYS

TITLES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}

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
    def is_stand_in(self) -> bool:
        """Whether these are scikit-learn's digits, not the data set itself."""
        return self.source == "stand-in"

    @property
    def title(self) -> str:
        """The name to print in a figure."""
        return f"stand-in for {TITLES[self.name]}" if self.is_stand_in else TITLES[self.name]

    def __str__(self) -> str:
        verdict = "match" if self.verified else "do NOT match"
        return (
            f"{self.title}: {len(self.x_train):,} training images, {len(self.x_test):,} test images\n"
            f"images from: {self.source} ({self.reason})\n"
            f"{'verified' if self.verified else 'not verified'}: "
            f"the arrays as loaded {verdict} the official checksums"
        )


def load(name: str = "mnist", n_train: int | None = None, test_part: int = -1) -> Images:
    """Load a data set; the module's docstring says from where.

    Args:
        name: ``"mnist"`` or ``"fashion_mnist"``.
        n_train: how many training images to keep, from the first on; all of them by default.
        test_part: 0 to 9: keep every tenth test image, from this one on, so that ten runs share
            them out; -1: keep them all.

    Returns:
        Images.

    Raises:
        InputError: if the name is unknown, ``n_train`` is larger than the supply,
            ``AEBOOK_DATA`` is set and does not lead to usable arrays, Keras's cached copy is
            damaged and cannot be downloaded again, or Fashion-MNIST is not to be had.

    Example:
        >>> load("mnist", n_train=1000).x_train.shape
        (1000, 28, 28)
    """
    check(dataset=name, test_part=test_part)
    if n_train is not None:
        check(n_train=n_train)
    folder = os.environ.get("AEBOOK_DATA")
    if folder:
        arrays = sources.from_folder(name, Path(folder))
        source, reason = "folder", "the one that AEBOOK_DATA names"
    else:
        try:
            arrays = sources.from_keras(name)
            source, reason = "keras", "its cache or download; AEBOOK_DATA is not set"
        except sources.DownloadFailed as error:
            if name != "mnist":
                raise InputError(
                    f"{name} is not to be had: AEBOOK_DATA is not set and {error}; "
                    f"set AEBOOK_DATA to a folder that holds {name}.npz"
                ) from error
            arrays = sources.stand_in(n_train)
            source = "stand-in"
            reason = f"scikit-learn's digits, shifted and turned; AEBOOK_DATA is not set and {error}"

    supply = len(arrays["x_train"])
    if n_train is not None and n_train > supply:
        raise InputError(f"n_train must be at most {supply}, the training images there are, got {n_train}")
    verified = all(_idx_md5(arrays[key]) == OFFICIAL_MD5[name][key] for key in ARRAYS)
    arrays["x_train"], arrays["y_train"] = arrays["x_train"][:n_train], arrays["y_train"][:n_train]
    if test_part >= 0:
        arrays["x_test"], arrays["y_test"] = arrays["x_test"][test_part::10], arrays["y_test"][test_part::10]
    return Images(name=name, **arrays, source=source, reason=reason, verified=verified)


def to_vectors(images: np.ndarray) -> np.ndarray:
    """Images (n, 28, 28), values 0–255, as vectors (n, 784), values 0–1.

    Section 6.2.2 explains it.
    """
    pixels = images.astype("float32") / 255
    return pixels.reshape(len(pixels), -1)


def to_channels(
    images: np.ndarray,
    data_format: str = "channels_last",
) -> np.ndarray:
    """Images (n, 28, 28), values 0–255, with a channel axis, values 0–1.

    The shape is (n, 28, 28, 1) for "channels_last" and (n, 1, 28, 28) for
    "channels_first". Section 6.3.2 explains it.

    Raises:
        InputError: for another data format.
    """
    check(data_format=data_format)
    pixels = images.astype("float32") / 255
    axis = -1 if data_format == "channels_last" else 1
    return np.expand_dims(pixels, axis)


def to_grid(pixels: np.ndarray) -> np.ndarray:
    """Pixels as pictures (n, 28, 28).

    The input may have any layout of this book: (n, 784), (n, 28, 28, 1) or
    (n, 1, 28, 28). Section 6.3.3 explains it.
    """
    return np.asarray(pixels).reshape(len(pixels), SIDE, SIDE)


def _idx_md5(array: np.ndarray) -> str:
    """MD5 of an array as the official IDX file holds it: magic number, dimensions, values."""
    header = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
    return md5(header + array.tobytes(), usedforsecurity=False).hexdigest()
