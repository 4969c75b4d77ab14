"""Images packed for the explorer: runs of black are counted, and the rest are grays of 8 or 4 bits."""

from collections.abc import Iterator

import keras
import numpy as np

from aebook.data import Images
from aebook.explorer.pack import Packed, as_text, encode, short

POINTS = 50
SHOWN = 6
"""How many test images of each class the map has as points, and a reader has to choose from."""


def of_each_class(labels: np.ndarray, n: int) -> np.ndarray:
    """Where the first n images of each class stand."""
    return np.concatenate([np.flatnonzero(labels == digit)[:n] for digit in range(10)])


def points(model: keras.Model, images: Images) -> list[Packed]:
    """Where the codes of POINTS test images of each class lie, for the map of a model with two numbers."""
    chosen = of_each_class(images.y_test, POINTS)
    return [
        {"code": short(code), "label": int(images.y_test[index]), "index": int(index)}
        for code, index in zip(encode(model, images.x_test[chosen]), chosen)
    ]


def pack_images(
    name: str, pixels: np.ndarray, labels: np.ndarray, indices: np.ndarray, bits: int, **more: object
) -> Packed:
    """Pack images; engine.js has the way back.

    Args:
        name: that of the pack.
        pixels: (n, 28, 28), values 0 to 255.
        labels: (n,), the class of each.
        indices: where they stand in their data set; may be empty.
        bits: 8 or 4, for each gray.
        more: what else is said of them.
    """
    grays = pixels.reshape(-1) if bits == 8 else np.rint(pixels.reshape(-1) / 17).astype("u1")
    found = np.array(list(_symbols(grays, bits)), dtype="u1")
    if bits == 4:
        found = np.append(found, np.zeros(len(found) % 2, "u1"))
        found = found[::2] * 16 + found[1::2]
    about = {"count": len(pixels), "bits": bits, "labels": "".join(map(str, labels)), "indices": indices.tolist()}
    return {"name": name, **more, **about, **as_text("pixels", found.tobytes())}


def _symbols(grays: np.ndarray, bits: int) -> Iterator[int]:
    """Each gray that is not 0, and for each row of zeros a 0 and, in 8 bits, how many more follow it."""
    end = 0
    for place in [*np.flatnonzero(grays), len(grays)]:
        zeros = int(place) - end
        while zeros > 0:
            more = min(zeros, 256) - 1
            yield from (0, more) if bits == 8 else (0, *divmod(more, 16))
            zeros -= more + 1
        if place < len(grays):
            yield int(grays[place])
        end = int(place) + 1
