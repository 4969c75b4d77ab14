"""Trainings kept, and put in the place of new ones: what runs inside the kernel of a notebook.

A training is known by what goes into it: the layers and their first weights, the optimizer, the loss,
the images, the epochs and the batches. `record` keeps what comes out of each, `replay` gives it back
where a notebook asks for the same training again. So a notebook runs in seconds, and what it prints
follows from the stored weights; and where its code asks for another training, it says what differs.
"""

import json
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import keras
import numpy as np

from aebook import models

SAME_DIGITS = 1e-4
"""Relative: how near a loss must be that another processor computes from the same weights."""


def description(
    model: keras.Model,
    x: np.ndarray,
    y: np.ndarray,
    batch_size: int | None = None,
    epochs: int = 1,
    shuffle: bool = True,
    validation_split: float = 0.0,
    validation_data: tuple[np.ndarray, np.ndarray] | None = None,
    **others: Any,
) -> dict[str, Any]:
    """What goes into a training, as plain values. The arguments are those of `keras.Model.fit`."""
    others.pop("verbose", None)
    others.pop("callbacks", None)
    checked, _ = _validation(x, y, validation_split, validation_data)
    training = {
        "layers": [[type(layer).__name__, _plain(layer.get_config())] for layer in _layers(model)],
        "first_weights": [[*w.shape, float(np.mean(w)), float(np.std(w))] for w in model.get_weights()],
        "optimizer": _plain(keras.optimizers.serialize(model.optimizer)),
        "loss": _plain(model.loss),
        "epochs": epochs,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "images": _images(x[: _trained_on(x, validation_split)]),
        "targets": "the images" if y is x else _images(y),
        "validation_images": _images(checked),
        **_plain(others),
    }
    return json.loads(json.dumps(training))


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    """Where two descriptions differ, one line each. First weights may differ by rounding."""
    if isinstance(a, dict) and isinstance(b, dict):
        return [
            line for key in {**a, **b} for line in differences(a.get(key), b.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [line for n, (x, y) in enumerate(zip(a, b)) for line in differences(x, y, f"{path}[{n}]")]
    if isinstance(a, float) and isinstance(b, float):
        return [] if np.isclose(a, b, rtol=1e-4, atol=1e-6) else [f"{path}: {a:.6g}, stored {b:.6g}"]
    return [] if a == b else [f"{path}: {a}, stored {b}"]


def record(folder: str) -> None:
    """From now on keep each training in the folder: 0.keras with the weights, 0.json with the rest, and so on."""
    fit, numbers = keras.Model.fit, count()

    def recorded_fit(model, x=None, y=None, **options):
        training = description(model, x, y, **options)
        history = fit(model, x, y, **options)
        kind = getattr(models, type(model).__name__, type(model))  # the package's class for the same one of a lesson
        copy = kind.from_config(model.get_config())  # without the optimizer, which is three times as large
        copy.set_weights(model.get_weights())
        path = Path(folder) / str(next(numbers))
        copy.save(path.with_suffix(".keras"))
        path.with_suffix(".json").write_text(
            json.dumps({"training": training, "history": history.history}, indent=1), encoding="utf-8"
        )
        return history

    keras.Model.fit = recorded_fit


def replay(folder: str, prefix: str) -> None:
    """From now on give back the stored trainings of the folder whose names begin with the prefix: nothing trains."""
    stored = {
        path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob(f"{prefix}*.json"))
    }
    checked = set()

    def replayed_fit(model, x=None, y=None, **options):
        asked = description(model, x, y, **options)
        differing = {path: differences(asked, entry["training"]) for path, entry in stored.items()}
        path = min(differing, key=lambda path: len(differing[path]))
        if differing[path]:
            raise ValueError(
                f"this training is not stored; from {path.stem} it differs in " + "; ".join(differing[path][:5])
            )
        history = stored[path]["history"]
        model.set_weights(keras.models.load_model(path.with_suffix(".keras"), compile=False).get_weights())
        if path not in checked:
            checked.add(path)
            _check_loss(path.stem, model, x, y, history, options)
        callbacks = keras.callbacks.CallbackList(
            options.get("callbacks"),
            add_history=True,
            model=model,
            epochs=options.get("epochs", 1),
        )
        callbacks.on_train_begin()
        for epoch, values in enumerate(zip(*history.values())):
            callbacks.on_epoch_begin(epoch)
            logs = dict(zip(history, values))
            callbacks.on_epoch_end(epoch, logs)
        callbacks.on_train_end(logs)
        return model.history

    keras.Model.fit = replayed_fit


def _check_loss(name, model, x, y, history, options):
    """Compare the last validation loss with what the stored weights give."""
    if "val_loss" not in history:
        return
    images, targets = _validation(x, y, options.get("validation_split", 0.0), options.get("validation_data"))
    now = model.evaluate(images, targets, batch_size=1000, verbose=0, return_dict=True)
    for key, value in now.items():
        then = history[f"val_{key}"][-1]
        if abs(value - then) > SAME_DIGITS * abs(then):
            raise ValueError(f"{name}: the stored weights give a validation {key} of {value:.5f}, stored is {then:.5f}")


def _trained_on(x, validation_split):
    """How many of the images Keras trains on; it holds out the last ones."""
    return int(len(x) * (1 - validation_split))


def _validation(x, y, split, given):
    """The images that a training is validated on, and their targets; without validation both are empty."""
    if given is not None:
        return given
    return x[_trained_on(x, split) :], y[_trained_on(x, split) :]


def _layers(model: Any) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield layer


def _plain(value):
    """A Keras configuration without the names, which count up, and without what says nothing of a training."""
    if isinstance(value, dict):
        return {
            key: _plain(part)
            for key, part in value.items()
            if key not in ("name", "registered_name", "module", "dtype")
        }
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return (
        value
        if isinstance(value, (str, int, float, bool, type(None)))
        else _plain(keras.saving.serialize_keras_object(value))
    )


def _images(array):
    return {
        "shape": list(array.shape),
        "mean": float(np.mean(array, dtype="float64")) if array.size else 0.0,
        "crc32": f"{zlib.crc32(np.ascontiguousarray(array)):08x}",
    }
