"""What the stored tables of trainings must hold for a fair comparison."""

import pandas
import pytest
import yaml

from aebook import claims
from tests.rerun.helpers import ROOT

KIND = ["dataset", "model", "code_activation", "output", "loss"]
COMPARED = ("models", "few_images", "outputs", "longer", "widths", "starts")
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
    assert not set(tuning["seed"]) & set(claims.SEEDS)


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
    settings = [*KIND, "z_dim", "start", "width", "learning_rate", "epochs", "n_train"]
    for _, group in trainings.groupby(settings):
        assert sorted(group["seed"]) == list(claims.SEEDS)
    assert (trainings["status"] == "complete").all() and trainings["data_verified"].all()


def test_every_case_can_be_judged(trainings):
    said = yaml.safe_load((ROOT / "claims.yml").read_text(encoding="utf-8"))
    cases = claims.read_cases(said, trainings, read("uses"))
    assert {case.claim for case in cases} == set(said)
    assert len({(case.claim, case.name) for case in cases}) == len(cases)
