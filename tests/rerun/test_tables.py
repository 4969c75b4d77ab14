"""What the stored tables of trainings must hold for a fair comparison."""

import re
from itertools import product

import numpy as np
import pandas
import pytest
import yaml

from aebook import claims
from tests.rerun.helpers import ROOT

KIND = ["dataset", "model", "code_activation", "output", "width", "loss"]
COMPARED = ("models", "few_images", "outputs", "widths", "starts")
"""The tables of trainings; `tuning` chose their learning rates."""


def read(name):
    return pandas.read_csv(ROOT / "results" / f"{name}.csv")


@pytest.fixture(scope="module")
def trainings():
    return pandas.concat([read(name) for name in COMPARED], ignore_index=True)


@pytest.fixture(scope="module")
def tuning():
    return read("tuning")


def test_each_kind_of_model_was_tuned_alike(tuning):
    trials = tuning.groupby(KIND)[["learning_rate", "seed"]].agg(lambda values: tuple(sorted(set(values))))
    assert len(set(map(tuple, trials.values))) == 1
    assert (tuning.groupby(KIND).size() == 5 * 3).all()


def test_tuning_used_no_seed_of_the_comparison(tuning):
    assert not set(tuning["seed"]) & set().union(*claims.SEEDS.values())


def test_every_training_has_the_best_learning_rate_of_its_kind(trainings, tuning):
    error = tuning["held_out_bce"].where(tuning["loss"] != "mse", tuning["held_out_mse"])
    means = error.groupby([tuning[name] for name in [*KIND, "learning_rate"]]).mean()
    best = means.groupby(KIND).idxmin().map(lambda place: place[-1])
    trained = trainings[trainings["model"] != "pca"]
    assert set(map(tuple, trained[[*KIND, "learning_rate"]].values)) == {
        (*place, best[place]) for place in map(tuple, trained[KIND].values)
    }


def test_no_best_learning_rate_is_at_the_edge(tuning):
    error = tuning["held_out_bce"].where(tuning["loss"] != "mse", tuning["held_out_mse"])
    means = error.groupby([tuning[name] for name in [*KIND, "learning_rate"]]).mean().unstack()
    assert not set(means.idxmin(axis=1)) & {means.columns[0], means.columns[-1]}


def test_every_compared_group_has_each_seed_once_and_no_run_is_left_out(trainings):
    settings = [*KIND, "z_dim", "start", "learning_rate", "epochs", "n_train"]
    ten, twenty = claims.SEEDS.values()
    for place, group in trainings.groupby(settings):
        here = dict(zip(settings, place, strict=True))
        wanted = twenty if here["z_dim"] == 49 and here["n_train"] == 60_000 else ten
        assert tuple(sorted(group["seed"])) == wanted, here
    assert (trainings["status"] == "complete").all() and trainings["data_verified"].all()


def test_the_uses_have_each_seed_once_on_the_tenth_that_its_last_digit_chooses():
    uses = read("uses")
    [wanted] = claims.SEEDS_OF_USES.values()
    assert tuple(sorted(uses["seed"])) == wanted
    assert (uses["test_part"] == uses["seed"] % 10).all()
    assert (uses["status"] == "complete").all() and uses["data_verified"].all()


def test_every_case_can_be_judged(trainings):
    said = yaml.safe_load((ROOT / "claims.yml").read_text(encoding="utf-8"))
    cases = claims.read_cases(said, trainings, read("uses"))
    assert {case.claim for case in cases} == set(said)
    assert len({(case.claim, case.name) for case in cases}) == len(cases)


OF_AUTOENCODERS = (
    r"(plain|denoising)_autoencoder_\d+|code_bits_\d|plane_(dense|deep)|wrong_codes_\d+|auc_\w+_autoencoder"
)


def test_no_stored_baseline_beats_the_one_that_is_shown():
    """Every simple method whose result stands in the table of uses is a baseline of the cases on that result."""
    said = yaml.safe_load((ROOT / "claims.yml").read_text(encoding="utf-8"))
    uses = read("uses")
    alike = {
        "denoising": r"\w+_(10|20|30|50|70)",
        "compression": r"pca_bits_\d|(jpeg|webp)_bits_[234]",  # at other steps the quality is not equal
        "plane": r"plane_\w+",
        "labels": r"wrong_\w+_\d+",
        "strangers": r"auc_\w+",
    }
    for claim, pattern in alike.items():
        stored = {name for name in uses.columns if re.fullmatch(pattern, name)}
        stored = {name for name in stored if not re.fullmatch(OF_AUTOENCODERS, name)}
        named = {
            side.format(**dict(zip(entry.get("each", {}), place, strict=True)))
            for entry in said[claim]["cases"]
            for place in product(*entry.get("each", {}).values())
            for side in entry["b"]
        }
        assert stored == named, claim


def test_the_effect_is_that_over_the_strongest_baseline(trainings):
    """By hand, from the tables alone: the noise of level 0.5, and convolution on MNIST."""
    said = yaml.safe_load((ROOT / "claims.yml").read_text(encoding="utf-8"))
    uses = read("uses")
    cases = {(case.claim, case.name): case for case in claims.read_cases(said, trainings, uses)}
    errors = {name: 10 ** (-uses[f"{name}_50"] / 10) for name in ("noisy_image", "PCA", "best_filter", "linear_map")}
    strongest = min(errors.values(), key=lambda values: values.mean())
    pair = [10 ** (-uses["denoising_autoencoder_50"] / 10), strongest]
    expected = np.divide(*(values.groupby(uses["test_part"]).mean() for values in pair))
    assert cases["denoising", "noise 0.50"].quotients == pytest.approx(expected.to_numpy())
    here = trainings.query("dataset == 'mnist' and z_dim == 49 and epochs == 10 and loss == 'binary_crossentropy'")
    here = here[(here["n_train"] == 60_000) & (here["width"] == 256) & (here["start"] == "book")]
    excess = (
        (here["test_bce"] - here["bce_floor"])
        .groupby([here["model"], here["code_activation"], here["seed"] % 10])
        .mean()
    )
    dense = min((excess["dense", code] for code in ("relu", "linear")), key=lambda values: values.mean())
    expected = (excess["conv_dense", "linear"] / dense).to_numpy()
    assert cases["better", "convolutional with a dense code, MNIST, 49 numbers"].quotients == pytest.approx(expected)
