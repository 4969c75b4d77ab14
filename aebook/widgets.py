"""A model to touch in a notebook: the parts of the pages, with a reader's own model."""

from typing import Any

import anywidget
import keras
import numpy as np
import traitlets

from aebook import data
from aebook.data import Images
from aebook.explorer import bundle
from aebook.explorer.images import SHOWN, of_each_class, pack_images, points
from aebook.explorer.pack import pack
from aebook.parameters import SIDE


def _from_page(*shape: int) -> Any:
    """A value that the page sends: an array of this shape, or None."""

    def array(numbers: list[float] | None, widget: Any) -> np.ndarray | None:
        return None if numbers is None else np.array(numbers, dtype="float32").reshape(shape)

    return traitlets.Any().tag(sync=True, from_json=array, to_json=lambda value, widget: None)


class Explorer(anywidget.AnyWidget):
    """Draw a digit, turn the numbers of its code, walk between two digits; with two numbers, go over the map.

    It shows a trained autoencoder in JupyterLab, Colab or VS Code, and knows what the reader does:

    - ``drawing``: what the model sees of the drawing, (28, 28), values 0 to 1; None where nothing is drawn.
    - ``reconstruction``: what the model draws of it, (28, 28).
    - ``code``: the numbers as the reader has turned them, (numbers,).

    Args:
        model: a DenseAutoencoder, a ConvAutoencoder, or another ``keras.Model`` that has an ``encoder`` and a
            ``decoder``, or a layer named "code". Images have 28×28 pixels, values 0 to 1.
        images: those it was trained on and those that it was not, by default MNIST's.

    Raises:
        InputError: if the model cannot be shown; the message names the first layer that stands in the way.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    part: traitlets.List = traitlets.List().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    packs = traitlets.Dict().tag(sync=True)
    models = traitlets.List(["model"]).tag(sync=True)
    drawing = _from_page(SIDE, SIDE)
    reconstruction = _from_page(SIDE, SIDE)
    code = _from_page(-1)

    def __init__(self, model: keras.Model, images: Images | None = None) -> None:
        images = images or data.load("mnist")
        packed = pack(model, images.x_train, images.x_test)
        parts = ["draw", "turn", "walk"]
        if "map" in packed:
            packed["map"]["points"] = points(model, images)
            parts.append("map")
        chosen = of_each_class(images.y_test, SHOWN)
        test = pack_images("test", images.x_test[chosen], images.y_test[chosen], chosen, bits=8)
        packs = {"model": packed, "test": test}
        super().__init__(_esm=bundle.module(), _css=bundle.style(), part=parts, words=bundle.words(), packs=packs)
