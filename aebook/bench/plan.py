"""Which trainings the bench does, in their order."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

from aebook import training
from aebook.bench.trainers import CONTENDERS, Run

FULL = ("source", "book", "pytorch")
FEW_EPOCHS = 3
"""The others run for fewer epochs: only their speed counts."""

SEEDS = (0, 1, 2)
ALL_IMAGES = 60_000
FEWER = 4
"""What is beside the contenders, the changes and the growth, uses so many times fewer images."""

CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "dense": {
        "the source's Adadelta": {"optimizer": "adadelta", "learning_rate": 1.0, "cosine_decay": False},
        "a constant learning rate": {"cosine_decay": False},
        "biases of the code from 0": {"code_bias": 0.0},
        "without XLA": {"xla": False},
        "one step per call": {"steps_per_call": 1},
    },
    "conv": {
        "the source's Adadelta": {"optimizer": "adadelta", "learning_rate": 1.0, "cosine_decay": False},
        "a constant learning rate": {"cosine_decay": False},
        "biases of the code from 0": {"code_bias": 0.0},
        "Keras's first weights": {"kernel_initializer": "glorot_uniform"},
        "the source's batches of 128": {"batch_size": 128},
        "with XLA": {"xla": True},
        "one step per call": {"steps_per_call": 1},
    },
}
"""This book's recipes, with one part of them changed."""

MORE_EPOCHS = 5
"""How long the changes and the growth run."""

GROWTH: dict[str, dict[str, tuple[int, ...]]] = {
    "dense": {"n_train": (7_500, 30_000), "size": (144, 576), "batch_size": (64, 1024)},
    "conv": {"n_train": (7_500, 30_000), "size": (4, 16), "batch_size": (32, 256)},
}
"""The settings, one at a time, that show how the cost of this book's trainings grows."""


def plan(n_train: int = ALL_IMAGES) -> list[Run]:
    """All trainings in their order: first the contenders, then how the cost grows."""
    books = {
        seed: [
            _defaults("dense", training.train_dense, seed, n_train),
            _defaults("conv", training.train_conv, seed, n_train),
        ]
        for seed in SEEDS
    }
    parts = ((_contenders, SEEDS), (_changes, SEEDS), (_growth, SEEDS[:1]))
    return [run for part, seeds in parts for seed in seeds for book in books[seed] for run in part(book)]


def _defaults(model: str, train: Callable[..., Any], seed: int, n_train: int) -> Run:
    """The Run of what aebook.training does when it is called without settings."""
    names = inspect.signature(train).parameters
    settings = {name: names[name].default for name in ("optimizer", "learning_rate", "epochs", "batch_size")}
    dense = model == "dense"
    return Run(
        model,
        "book",
        seed,
        **settings,
        size=names["z_dim" if dense else "code_filters"].default,
        n_train=n_train,
        cosine_decay=True,
        code_bias=training.CODE_BIAS,
        kernel_initializer="glorot_uniform" if dense else "he_normal",
        xla=dense,
        steps_per_call=inspect.signature(training.train).parameters["steps_per_call"].default,
    )


def _contenders(book: Run) -> Iterator[Run]:
    source = asdict(training.DENSE_SOURCE if book.model == "dense" else training.CONV_SOURCE)
    yield replace(
        book,
        contender="source",
        **source,
        code_bias=0.0,
        kernel_initializer="glorot_uniform",
        xla=False,
        steps_per_call=1,
    )
    for contender in list(CONTENDERS)[1:]:
        if contender == "pytorch_first" and book.model == "dense":
            continue  # no channels, so no order of them
        yield replace(book, contender=contender, epochs=book.epochs if contender in FULL else FEW_EPOCHS)


def _changes(book: Run) -> Iterator[Run]:
    book = replace(book, epochs=MORE_EPOCHS, n_train=book.n_train // FEWER)
    yield replace(book, contender="nothing")
    for name, change in CHANGES[book.model].items():
        yield replace(book, contender=name, **change)


def _growth(book: Run) -> Iterator[Run]:
    """One setting at a time; the book's own setting is among the values of each."""
    book = replace(book, contender="growth", epochs=MORE_EPOCHS, n_train=book.n_train // FEWER)
    yield book
    for name, values in GROWTH[book.model].items():
        for value in values:
            change: dict[str, Any] = {name: value}
            yield replace(book, **change)
