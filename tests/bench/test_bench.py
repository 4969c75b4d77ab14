"""The bench: what it plans, how it measures, what it makes of the measurements, and what is stored."""

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from aebook import data, metrics, training
from aebook.bench import plan, summary, trainers
from aebook.bench.trainers import CONTENDERS, Run

ROOT = Path(__file__).parents[2]
MODELS = ("dense", "conv")
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed; make bench installs it"
)


@pytest.fixture(scope="module")
def stored():
    return json.loads((ROOT / "results" / "bench.json").read_text(encoding="utf-8"))


def book(model):
    return next(run for run in plan.plan() if (run.model, run.contender) == (model, "book"))


# The plan


def test_every_contender_runs_once_before_any_runs_again():
    runs = [run for run in plan.plan() if run.contender in CONTENDERS]
    rounds = [[(run.model, run.contender) for run in runs if run.seed == seed] for seed in plan.SEEDS]
    assert rounds[0] == rounds[1] == rounds[2] and len(set(rounds[0])) == len(rounds[0]) == 5 + 6
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)


def test_the_contenders_have_the_recipes_they_stand_for():
    for run in plan.plan():
        recipe = training.DENSE_SOURCE if run.model == "dense" else training.CONV_SOURCE
        if run.contender == "source":
            assert (run.optimizer, run.learning_rate, run.epochs, run.batch_size, run.cosine_decay) == (
                recipe.optimizer,
                recipe.learning_rate,
                recipe.epochs,
                recipe.batch_size,
                recipe.cosine_decay,
            )
            assert (run.code_bias, run.kernel_initializer) == (0, "glorot_uniform")  # as Keras has them
        elif run.contender in plan.FULL:
            assert run == replace(book(run.model), contender=run.contender, seed=run.seed)
            assert run.epochs == recipe.epochs
        elif run.contender in CONTENDERS:
            assert run == replace(book(run.model), contender=run.contender, seed=run.seed, epochs=plan.FEW_EPOCHS)


@pytest.mark.parametrize("model", MODELS)
def test_a_change_changes_one_thing(model):
    runs = {run.contender: run for run in plan.plan() if run.model == model and run.seed == 0}
    assert runs["nothing"] == replace(book(model), contender="nothing", epochs=plan.MORE_EPOCHS, n_train=15_000)
    for name, change in plan.CHANGES[model].items():
        same = replace(runs["nothing"], contender=name)
        assert runs[name] == replace(same, **change) != same


# One training


@pytest.fixture
def eagerly():
    """Without graphs: tracing and compiling them takes longer than a small training."""
    tensorflow = pytest.importorskip("tensorflow")
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_the_books_contender_is_the_function_of_its_chapter(model, eagerly):
    """What is timed as this book's recipe gives the same model as train_dense and train_conv."""
    squares = np.zeros((300, 28, 28), "uint8")
    for image, (x, y) in zip(squares, np.random.default_rng(0).integers(0, 16, (300, 2)), strict=True):
        image[x : x + 12, y : y + 12] = 255
    images = SimpleNamespace(x_train=squares[:250], x_test=squares[250:])
    settings = {"epochs": 1, "batch_size": 50, "seed": 5}
    watch = trainers._keras(replace(book(model), **settings), images)
    if model == "dense":
        trained, _ = training.train_dense(images, **settings)
        x_test = data.to_vectors(images.x_test)
    else:
        trained, _ = training.train_conv(images, **settings)
        x_test = data.to_channels(images.x_test, "channels_last")
    assert watch.losses == [pytest.approx(metrics.bce(x_test, trained.predict(x_test, verbose=0)), rel=1e-5)]


@pytest.mark.slow
@needs_torch
@pytest.mark.parametrize("model", MODELS)
def test_the_pytorch_loop_trains_the_same_model(stand_in, model):
    run = replace(book(model), contender="pytorch", epochs=2, batch_size=128)
    counts = {"dense": 57_268, "conv": 2_378}
    make = trainers._torch_dense if model == "dense" else trainers._torch_conv
    assert sum(part.numel() for part in make(run.size, 1.0).parameters()) == counts[model]
    in_keras, in_torch = trainers._keras(run, stand_in).losses, trainers._pytorch(run, stand_in).losses
    assert in_torch[-1] < in_torch[0]
    assert in_torch[-1] == pytest.approx(in_keras[-1], rel=0.08)


def test_the_clock_stands_still_while_a_loss_is_measured(monkeypatch):
    now = 0

    def passes(seconds):
        nonlocal now
        now += seconds

    monkeypatch.setattr(trainers, "time", SimpleNamespace(perf_counter=lambda: now))
    watch = trainers.Stopwatch()
    passes(1)
    watch.end_epoch(lambda: passes(50) or 0.5)
    passes(2)
    watch.pause()
    passes(50)
    watch.resume()
    passes(4)
    watch.end_epoch(lambda: passes(50) or 0.5)
    assert watch.losses == [0.5, 0.5] and watch.ends == [1, 7]


# What the measurements say


def result(model, contender, seed, epoch_s, test_bce):
    return {
        "model": model,
        "contender": contender,
        "seed": seed,
        "epochs": len(epoch_s),
        "epoch_s": epoch_s,
        "test_bce": test_bce,
        "peak_mb": 100,
    }


def test_one_training_in_numbers():
    one = summary.key_figures(result("dense", "book", 0, [5.0, 1.0, 7.0, 1.0], [0.3, 0.2, 0.1, 0.15]), target=0.1)
    assert one == {
        "epoch_s": 1.0,
        "preparation_s": 4.0,
        "epochs_to_source": 3,
        "to_source_s": 3.0,
        "to_source_prepared_s": 7.0,
        "test_bce": 0.15,
        "peak_mb": 100,
    }
    few = summary.key_figures(result("dense", "keras_jax", 0, [5.0, 1.0], [0.3, 0.1]), target=0.2)
    assert few["epoch_s"] == 1.0 and few["epochs_to_source"] is few["to_source_s"] is few["test_bce"] is None
    never = summary.key_figures(result("dense", "book", 0, [5.0, 1.0], [0.3, 0.2]), target=0.1)
    assert never["epochs_to_source"] is never["to_source_s"] is never["to_source_prepared_s"] is None


def test_ratios_are_taken_seed_by_seed():
    results = []
    for seed, factor in ((0, 1), (1, 2), (2, 4)):
        for model in MODELS:
            results += [
                result(model, "source", seed, [10.0, 8.0, 8.0], [0.5, 0.3, 0.2]),
                result(model, "book", seed, [3.0, 2.0, 2.0], [0.2, 0.15, 0.1 * factor]),
                result(model, "pytorch", seed, [2.0, 1.0 * factor, 1.0 * factor], [0.3, 0.2, 0.1]),
                result(model, "growth", seed, [9.0, 9.0, 9.0], [0.3, 0.2, 0.1]),
            ]
            if model == "conv":
                results.append(result(model, "pytorch_first", seed, [2.0, 0.5], [0.3, 0.2]))
    found = summary.summary(results)
    assert found["ratios"]["dense_time_to_source"] == {"min": 12, "median": 12, "max": 12}  # 24 s and 2 s
    assert found["ratios"]["dense_time_to_source_with_preparation"]["median"] == pytest.approx(26 / 3)
    assert found["ratios"]["dense_epoch_vs_torch"] == {"min": 0.5, "median": 1, "max": 2}
    assert found["ratios"]["conv_epoch_vs_torch"] == {"min": 4, "median": 4, "max": 4}  # the best order counts
    assert found["quality"]["dense_bce_10_epochs"] == {"min": 0.1, "median": 0.2, "max": 0.4}
    assert len(found["table"]) == 3 + 4


# What is stored


def test_the_stored_bench_is_whole(stored):
    assert stored["data_verified"] and stored["images"] == 60_000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*", stored["started"]) and stored["started"] < stored["finished"]
    assert set(stored["machine"]) == {"processor", "cores", "memory_gb", "system", "python"}
    assert {"keras", "tensorflow", "torch", "jax"} <= set(stored["versions"])
    settings = list(Run.__dataclass_fields__)
    assert [Run(**{name: run[name] for name in settings}) for run in stored["runs"]] == plan.plan()
    for run in stored["runs"]:
        assert len(run["epoch_s"]) == len(run["test_bce"]) == run["epochs"] and run["verified"]


def test_the_stored_figures_are_those_of_the_stored_trainings(stored):
    assert json.loads(json.dumps(summary.summary(stored["runs"]))) == {
        name: stored[name] for name in ("table", "ratios", "quality")
    }


def test_this_books_recipes_are_fast(stored):
    ratios, quality = stored["ratios"], stored["quality"]
    assert ratios["dense_time_to_source"]["median"] >= 10
    assert ratios["dense_epoch_vs_torch"]["median"] <= 1.5
    assert ratios["conv_time_to_source"]["median"] >= 4
    assert ratios["conv_epoch_vs_torch"]["median"] <= 1.2
    assert quality["dense_bce_10_epochs"]["max"] <= 0.0875
    assert quality["conv_bce_20_epochs"]["max"] <= 0.0850


def test_the_stored_table_can_be_shown(stored):
    shown = summary.show(stored)
    assert "PyTorch loop, channels first" in shown and "conv_epoch_vs_torch" in shown
    assert stored["machine"]["processor"] in shown
