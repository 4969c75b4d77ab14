"""The stored models: what the pages print of them follows from their weights; and they can be loaded."""

import json
import os

import keras
import numpy as np
import pytest

from aebook import models
from aebook.parameters import InputError
from tools import execute, replay, trainings

STEMS = replay.stems()
x = np.random.default_rng(0).random((40, 784), dtype="float32")


@pytest.mark.skipif(
    not os.environ.get("AEBOOK_DATA"),
    reason="AEBOOK_DATA is not set: without the test images nothing follows from a model",
)
@pytest.mark.parametrize("stem", STEMS)
def test_what_a_page_prints_follows_from_its_stored_models(stem):
    faults = replay.faults(stem)
    assert not faults, "\n".join(faults)


def test_each_chapter_with_a_model_has_both_recipes():
    assert STEMS == ["6_2_dense", "6_3_convolutional"]
    for stem in STEMS:
        assert models.describe(stem)["score"]["val_loss"] < models.describe(f"{stem}_source")["score"]["val_loss"]


@pytest.mark.parametrize("name", sorted(path.stem for path in models.STORED.glob("*.json")))
def test_a_stored_model_is_small_and_complete(name):
    model, about = models.load(name), models.describe(name)
    assert model.count_params() == {"6_1": 210_134, "6_2": 57_268, "6_3": 2_378}[name[:3]]
    assert (models.STORED / f"{name}.keras").stat().st_size < 4 * model.count_params() + 60_000
    assert about["dataset"] == "mnist"
    assert {len(values) for values in about["history"].values()} == {about["training"]["epochs"]}
    assert about["score"] == {key: values[-1] for key, values in about["history"].items()}


def test_a_model_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(InputError, match="name must be one of 6_1_map, 6_2_dense, .*; got '6_2'"):
        models.load("6_2")


# Recording and replaying, on a training of seconds


def small(units=4, rate=0.01):
    keras.utils.set_random_seed(0)
    model = models.DenseAutoencoder(z_dim=units, code_bias=1.0)
    model.compile(
        keras.optimizers.Nadam(rate), "binary_crossentropy", metrics=[keras.metrics.BinaryAccuracy(name="accuracy")]
    )
    return model


def fit(model, images=x, **options):
    return model.fit(
        images, images, **{"epochs": 2, "batch_size": 16, "validation_split": 0.25, "verbose": 0, **options}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainings")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "fit", keras.Model.fit)
        trainings.record(folder)
        model = small()
        history = fit(model)
    np.savez(folder / "weights.npz", *model.get_weights())
    return folder, history.history


@pytest.fixture
def replayed(folder, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", keras.Model.fit)
    trainings.replay(folder[0], "")
    return folder


def test_a_replayed_training_gives_the_stored_weights_and_history(replayed):
    folder, history = replayed
    seen = []
    model = small()
    again = fit(
        model, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, logs)))]
    )
    assert again.history == history and again is model.history
    assert [epoch for epoch, _ in seen] == [0, 1] and seen[-1][1]["val_loss"] == history["val_loss"][-1]
    stored = np.load(folder / "weights.npz")
    assert all(np.array_equal(a, stored[name]) for a, name in zip(model.get_weights(), stored.files))


@pytest.mark.parametrize(
    ("ask", "difference"),
    [
        (lambda: fit(small(), epochs=3), "epochs: 3, stored 2"),
        (lambda: fit(small(), batch_size=8), "batch_size: 8, stored 16"),
        (lambda: fit(small(), shuffle=False), "shuffle: False, stored True"),
        (lambda: fit(small(rate=0.02)), r"optimizer.config.learning_rate: 0.02, stored 0.01"),
        (lambda: fit(small(units=5)), "units: 5, stored 4"),
        (lambda: fit(small(), images=x * 255 / 256), "images.crc32"),
        (lambda: fit(small(), validation_split=0.0, validation_data=(x[:10], x[:10])), "validation_images.crc32"),
    ],
)
def test_another_training_than_the_stored_one_is_named(replayed, ask, difference):
    with pytest.raises(ValueError, match=f"this training is not stored; from 0 it differs in .*{difference}"):
        ask()


def test_another_start_is_another_training(replayed):
    keras.utils.set_random_seed(1)
    model = models.DenseAutoencoder(z_dim=4)
    model.compile(keras.optimizers.Nadam(0.01), "binary_crossentropy")
    with pytest.raises(ValueError, match=r"first_weights"):
        fit(model)


def test_weights_of_another_run_do_not_give_the_stored_loss(folder, tmp_path, monkeypatch):
    other = small()
    other.set_weights([w * 2 for w in np.load(folder[0] / "weights.npz").values()])
    other.save(tmp_path / "0.keras")
    (tmp_path / "0.json").write_text((folder[0] / "0.json").read_text())
    monkeypatch.setattr(keras.Model, "fit", keras.Model.fit)
    trainings.replay(tmp_path, "")
    with pytest.raises(ValueError, match="0: the stored weights give a validation loss of"):
        fit(small())


@pytest.mark.slow
def test_the_models_of_a_notebook_are_stored_with_its_outputs(tmp_path):
    """A cell that names a model must train exactly one."""
    import nbformat

    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks" / "small.ipynb"
    train = """import keras, numpy
keras.utils.set_random_seed(0)
x = numpy.ones((8, 784), "float32")
model = keras.Sequential([keras.layers.Input((784,)), keras.layers.Dense(784)])
model.compile("sgd", "mse")
history = model.fit(x, x, verbose=0)"""
    named = {"aebook": {"model": "small_one"}}
    sources = [
        ('dataset: str = "mnist"  # data', {"tags": ["parameters"]}),
        (train, named),
        ("from myst_nb import glue\nglue('data_verified', True)", {}),
    ]

    def write(sources):
        cells = [nbformat.v4.new_code_cell(source, metadata=metadata) for source, metadata in sources]
        nbformat.write(
            nbformat.v4.new_notebook(
                cells=cells,
                metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            ),
            path,
        )

    write([*sources, ("pass", named)])
    with pytest.raises(RuntimeError, match="the cell of the model small_one must train once, it trained 0 times"):
        execute.execute(path)
    assert not (tmp_path / "results").exists()
    write(sources)
    execute.execute(path)
    about = json.loads((tmp_path / "results" / "models" / "small_one.json").read_text())
    assert about["notebook"] == "small" and about["training"]["batch_size"] is None
    assert keras.models.load_model(tmp_path / "results" / "models" / "small_one.keras").count_params() == 784 * 785
