"""What the pages let a reader touch, as scripts in ``book/explorer``: ``python -m tools.explorer``.

Each script adds one object to ``aebookExplorer.packed``, under its name. A classic script does so from a file, too,
where ``fetch`` and modules are blocked. The models are those in ``results/models``; PCA is computed from the verified
images. The model of the map, ``6_1_map``, is trained here where it is not stored.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn.decomposition import PCA

from aebook import data, models
from aebook.data import Images
from aebook.explorer.images import SHOWN, of_each_class, pack_images, points
from aebook.explorer.pack import Packed, keep, pack, short
from aebook.parameters import SIDE, InputError
from aebook.rerun.files import write_whole
from aebook.training import Recipe, train
from tools import trainings
from tools.machines import use_the_usual

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "book" / "explorer"

MAP = "6_1_map"
MAP_RECIPE = Recipe("adam", learning_rate=0.003, epochs=40, batch_size=256, cosine_decay=True)
MAP_NOISE = 0.02

MODELS: dict[str, dict[str, Any]] = {
    "6_2_dense": {"title": "Dense", "kind": "dense", "precision": "float16"},
    "6_3_convolutional": {"title": "Convolutional", "kind": "convolutional", "precision": "float16"},
    "pca": {"title": "PCA", "kind": "pca", "precision": "float16"},
    MAP: {"title": "Map", "kind": "dense", "precision": "int8"},
}
PCA_SIZE = 36
"""As many numbers as the dense model has."""

TRAINING = 5000
TERMS = (
    "MNIST, by Yann LeCun, Corinna Cortes and Christopher J.C. Burges, who share it under the Creative Commons "
    "Attribution-ShareAlike 3.0 license: https://creativecommons.org/licenses/by-sa/3.0/"
)
HEAD = "(globalThis.aebookExplorer ??= { packed: {}, add(one) { this.packed[one.name] = one; } }).add("


def script(packed: Packed, words: str) -> str:
    """A script that adds the object; its first line says in words what it is."""
    return f"// {words} Made by `make explorer`.\n{HEAD}{json.dumps(packed, separators=(',', ':'))});\n"


def read(path: Path) -> Packed:
    """The object of a script."""
    _, _, text = path.read_text(encoding="utf-8").partition(HEAD)
    return json.loads(text.rstrip().removesuffix(");"))


def build_map() -> keras.Model:
    """The model of the map: 784 pixels, 128, 32, two numbers, and back.

    The two numbers are normalized, so that the digits fill a square instead of a few long arms, and get a little
    noise in the training, so that places beside each other look alike.
    """
    image, z = layers.Input((SIDE**2,), name="image"), layers.Input((2,), name="z")
    h = layers.Dense(32, activation="relu")(layers.Dense(128, activation="relu")(image))
    code = layers.BatchNormalization(center=False, scale=False, name="even")(layers.Dense(2, name="code")(h))
    encoder = keras.Model(image, layers.GaussianNoise(MAP_NOISE)(code), name="encoder")
    h = layers.Dense(128, activation="relu")(layers.Dense(32, activation="relu")(z))
    decoder = keras.Model(z, layers.Dense(SIDE**2, activation="sigmoid", name="pixels")(h), name="decoder")
    return keras.Model(image, decoder(encoder(image)), name=MAP)


def train_map(images: Images) -> None:
    """Train the model of the map, and store it with its recipe."""
    keras.utils.set_random_seed(0)
    model, fit = build_map(), keras.Model.fit
    x_train, x_test = data.to_vectors(images.x_train), data.to_vectors(images.x_test)
    with TemporaryDirectory() as folder:
        trainings.record(folder)
        try:
            train(model, MAP_RECIPE, x_train, validation_data=x_test)
        finally:
            keras.Model.fit = fit
        about = json.loads((Path(folder) / "0.json").read_text(encoding="utf-8"))
        shutil.copy(Path(folder) / "0.keras", models.STORED / f"{MAP}.keras")
    score = {key: values[-1] for key, values in about["history"].items()}
    about = {"made_by": "tools.explorer", "dataset": images.name, "score": score, **about}
    write_whole(models.STORED / f"{MAP}.json", json.dumps(about, indent=1) + "\n")


def pca_model(images: np.ndarray, size: int) -> keras.Model:
    """PCA as a Keras model: its two products, and pixels kept between 0 and 1."""
    pca = PCA(size, svd_solver="covariance_eigh").fit(data.to_vectors(images))
    directions, mean = pca.components_, pca.mean_
    encoder = keras.Sequential([layers.Input((SIDE**2,)), layers.Dense(size, name="code")], name="encoder")
    pixels = [layers.Dense(SIDE**2, name="pixels"), layers.ReLU(max_value=1.0, name="clip")]
    decoder = keras.Sequential([layers.Input((size,)), *pixels], name="decoder")
    encoder.set_weights([directions.T, -mean @ directions.T])
    decoder.set_weights([directions, mean])
    return keras.Sequential([layers.Input((SIDE**2,)), encoder, decoder], name="pca")


def pack_model(name: str, images: Images) -> Packed:
    """One of MODELS, with what the page says of it."""
    settings = MODELS[name]
    model = pca_model(images.x_train, PCA_SIZE) if name == "pca" else models.load(name)
    packed = pack(model, images.x_train, images.x_test, name=name, **settings)
    packed["bound"] = bound(model, settings["precision"], images.x_test)
    packed["made_from"] = "the training images of MNIST" if name == "pca" else f"results/models/{name}.keras"
    if "map" in packed:
        packed["map"]["points"] = points(model, images)
    return packed


@contextmanager
def as_kept(model: keras.Model, precision: str) -> Iterator[None]:
    """Meanwhile the model has its weights as they are packed with this precision."""
    weights = model.get_weights()
    model.set_weights([keep(array, precision, model.name)[2] for array in weights])
    yield
    model.set_weights(weights)


def bound(model: keras.Model, precision: str, images: np.ndarray) -> float:
    """How far a pixel of these images moves at most when the weights are kept so: two digits, rounded up."""
    x = data.to_vectors(images).reshape(-1, *model.input_shape[1:])
    before = model.predict(x, batch_size=1000, verbose=0)
    with as_kept(model, precision):
        furthest = float(np.abs(model.predict(x, batch_size=1000, verbose=0) - before).max())
    unit = 10.0 ** (np.floor(np.log10(furthest)) - 1)
    return short(np.ceil(furthest / unit) * unit)


def export(images: Images, folder: Path) -> None:
    """Write all scripts into the folder."""
    folder.mkdir(exist_ok=True)
    for name, settings in MODELS.items():
        packed = pack_model(name, images)
        write_whole(folder / f"{name}.js", script(packed, f"The model {name}, its weights as {settings['precision']}."))
    chosen = of_each_class(images.y_test, SHOWN)
    packed = pack_images("test", images.x_test[chosen], images.y_test[chosen], chosen, 8, terms=TERMS)
    write_whole(folder / "test.js", script(packed, f"The first {SHOWN} test images of each class. {TERMS}."))
    x, y = images.x_train[:TRAINING], images.y_train[:TRAINING]
    packed = pack_images("training", x, y, np.arange(0), 4, terms=TERMS)
    words = f"The first {TRAINING:,} training images, in 16 grays. {TERMS}."
    write_whole(folder / "training.js", script(packed, words))


def main() -> str | int:
    """Write the scripts; an error, or 0."""
    use_the_usual()
    try:
        images = data.load("mnist")
    except InputError as error:
        return str(error)
    if not images.verified:
        return f"the pages show the verified MNIST only; got {images.source} ({images.reason})"
    if not (models.STORED / f"{MAP}.json").exists():
        train_map(images)
    export(images, SCRIPTS)
    for path in sorted(SCRIPTS.glob("*.js")):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
