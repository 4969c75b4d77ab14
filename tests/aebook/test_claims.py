import numpy as np
import pandas
import pytest

from aebook import claims
from aebook.claims import Case, decide, holm, read_cases, verdict
from aebook.parameters import InputError


def case(logs, name="a"):
    return Case("claim", name, {"b": 1.0}, np.exp(logs))


def drawn(effects, spread, random):
    """Cases with these true effects, measured with this spread."""
    return [case(np.log(effect) + spread * random.standard_normal(10)) for effect in effects]


def sides(effects, spread, seed=0):
    return list(decide(drawn(effects, spread, np.random.default_rng(seed)))["side"])


def test_each_side_is_found():
    assert sides([0.8, 1.2, 1.0, 1.001], 0.005) == ["for", "against", "no difference", "no difference"]
    assert sides([0.98, 1.02], 0.2) == ["open", "open"]


def test_a_difference_too_small_to_matter_is_none_however_sure_it_is():
    table = decide([case(np.log(0.99) + 0.0005 * np.arange(-5, 5))])
    assert table["p"].item() < 1e-7 and table["side"].item() == "no difference"


def test_errors_that_are_all_the_same_make_no_difference():
    table = decide([case(np.zeros(10)), case(np.log(0.5) + 0.01 * np.arange(10))])
    assert list(table["side"]) == ["no difference", "for"]
    assert table["p"][0] == 1 and table["finds"][0] == 0


def test_the_effect_is_the_geometric_mean_with_its_interval():
    table = decide([case(np.log([0.5, 2] * 5))])
    low, effect, high = table[["low", "effect", "high"]].iloc[0]
    assert effect == pytest.approx(1) and low == pytest.approx(1 / high)
    assert np.log(high) == pytest.approx(2.262 * np.log(2) * np.sqrt(10 / 9) / np.sqrt(10), rel=1e-3)  # t of 9


def test_holm_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])


CASES = 110
"""About as many as the page has."""


def test_pages_without_any_difference_are_rarely_wrong():
    random, wrong = np.random.default_rng(0), 0
    for _ in range(1_000):
        wrong += bool({"for", "against"} & set(decide(drawn(np.ones(CASES), 0.02, random))["side"]))
    print(f"{wrong} of 1,000 pages without any difference have a case for or against")
    assert wrong <= 50


def test_an_effect_of_5_percent_is_found():
    random, found = np.random.default_rng(0), []
    effects = np.repeat([0.95, 1.0], [10, CASES - 10])
    for _ in range(200):
        found += list(decide(drawn(effects, 0.02, random))["side"][:10] == "for")
    print(f"{100 * np.mean(found):.0f} % of the effects of 5 % are found")
    assert np.mean(found) >= 0.8


def test_the_effect_that_a_case_finds_is_found_four_times_in_five():
    random, spread, found = np.random.default_rng(0), 0.05, []
    measured = [case(spread * np.sqrt(0.9) * np.array([-1, 1] * 5))] * CASES  # with exactly this spread
    effects = np.repeat([1 - decide(measured)["finds"][0], 1.0], [1, CASES - 1])
    for _ in range(1_000):
        found.append(decide(drawn(effects, spread, random))["side"][0] == "for")
    assert 0.76 <= np.mean(found) <= 0.84


@pytest.mark.parametrize(
    ("sides", "says"),
    [
        (["for", "for"], "holds"),
        (["for", "open"], "holds in part"),
        (["for", "against"], "holds in part"),
        (["against", "open"], "does not hold"),
        (["no difference"], "does not hold"),
        (["open", "open"], "stays open"),
    ],
)
def test_what_the_cases_make_of_a_claim(sides, says):
    assert verdict(sides) == says


# Cases from tables


def trainings(**models):
    """A table with runs of these models, each with the errors of the seeds."""
    rows = [
        {**claims.STANDARD, "code_activation": "relu", "dataset": "mnist", "z_dim": 49, "learning_rate": 0.003}
        | {"model": model, "seed": seed, "error": error, "floor": 1.0}
        for model, errors in models.items()
        for seed, error in zip([*range(10), *range(20, 30)], errors, strict=False)
    ]
    return pandas.DataFrame(rows).sample(frac=1, random_state=0)


def comparison(**more):
    where = {"dataset": ["mnist"], "z_dim": [49]}
    known = {
        "name": "dense ÷ conv, {dataset}, {z_dim}",
        "a": {"model": "dense"},
        "b": [{"model": "conv"}],
        "measure": "error",
    }
    return {"claim": {"cases": [{**known, "each": where, **more}]}}


TEN = np.arange(10.0) + 2


def test_a_case_divides_seed_by_seed():
    [found] = read_cases(comparison(), trainings(dense=TEN, conv=2 * TEN), pandas.DataFrame())
    assert found.name == "dense ÷ conv, MNIST, 49" and found.quotients == pytest.approx(0.5 * np.ones(10))
    [found] = read_cases(comparison(measure="error - floor"), trainings(dense=TEN, conv=2 * TEN), pandas.DataFrame())
    assert found.quotients == pytest.approx((TEN - 1) / (2 * TEN - 1))


def test_swapped_models_turn_the_case_round():
    cases = [
        read_cases(comparison(), trainings(**{a: TEN, b: 2 * TEN}), pandas.DataFrame())[0]
        for a, b in (("dense", "conv"), ("conv", "dense"))
    ]
    assert [decide([found])["side"].item() for found in cases] == ["for", "against"]


def test_the_strongest_baseline_counts():
    table = trainings(dense=TEN, conv=2 * TEN, pca=0.5 * TEN)
    [found] = read_cases(comparison(b=[{"model": "conv"}, {"model": "pca"}]), table, pandas.DataFrame())
    assert found.strongest == "pca" and found.baselines == {"conv": 13.0, "pca": 3.25}
    assert found.quotients == pytest.approx(2 * np.ones(10))


@pytest.mark.parametrize("errors", [TEN[:9], [*TEN, 3.0]])
def test_a_seed_that_is_missing_or_one_too_many(errors):
    says = r"^dense ÷ conv, MNIST, 49: .*dense.* needs the seeds 0 to 9, or 0 to 9 and 20 to 29, each once; got"
    with pytest.raises(InputError, match=says):
        read_cases(comparison(), trainings(dense=errors, conv=TEN), pandas.DataFrame())


def test_both_sides_need_the_same_seeds():
    twenty = [*TEN, *3 * TEN]
    [found] = read_cases(comparison(), trainings(dense=twenty, conv=[*TEN, *TEN]), pandas.DataFrame())
    assert found.quotients == pytest.approx(2 * np.ones(10))
    with pytest.raises(
        InputError, match=r"^dense ÷ conv, MNIST, 49: conv needs the seeds \[0, .* 29\], too; got \[0, "
    ):
        read_cases(comparison(), trainings(dense=twenty, conv=TEN), pandas.DataFrame())


def test_an_error_of_0_has_no_quotient():
    with pytest.raises(InputError, match="needs errors above 0, got"):
        read_cases(comparison(), trainings(dense=TEN, conv=TEN - 2), pandas.DataFrame())


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"then": {}}, "^claim: a case has no key 'then'; there are name, a, b, "),
        ({"scale": "snr"}, "^claim: scale must be one of error, psnr, right, auc; got 'snr'$"),
    ],
)
def test_a_word_that_the_file_does_not_know(more, says):
    with pytest.raises(InputError, match=says):
        read_cases(comparison(**more), trainings(dense=TEN, conv=TEN), pandas.DataFrame())


def test_a_quotient_of_quotients():
    first = trainings(dense=TEN, conv=TEN)
    second = trainings(dense=TEN, conv=2 * TEN).assign(dataset="fashion_mnist")
    [found] = read_cases(
        comparison(than={"dataset": "fashion_mnist"}), pandas.concat([first, second]), pandas.DataFrame()
    )
    assert found.quotients == pytest.approx(2 * np.ones(10))


@pytest.mark.parametrize(
    ("scale", "a", "b", "quotient"),
    [("psnr", 20.0, 10.0, 0.1), ("right", 90.0, 80.0, 0.5), ("auc", 0.9, 0.8, 0.5), ("error", 2.0, 4.0, 0.5)],
)
def test_what_the_uses_record_becomes_an_error(scale, a, b, quotient):
    uses = pandas.DataFrame({"seed": range(40), "a_3": a, "b_3": b})
    entry = {"name": "a ÷ b", "a": "a_{n}", "b": ["b_{n}"], "scale": scale, "each": {"n": [3]}}
    [found] = read_cases({"claim": {"cases": [entry]}}, pandas.DataFrame(), uses)
    assert found.quotients == pytest.approx(quotient * np.ones(10))


def test_the_errors_of_the_seeds_on_the_same_test_images_are_averaged():
    uses = pandas.DataFrame({"seed": range(40), "a": [*TEN, *3 * TEN, *TEN, *3 * TEN], "b": [*TEN] * 4})
    entry = {"claim": {"cases": [{"name": "a ÷ b", "a": "a", "b": ["b"]}]}}
    [found] = read_cases(entry, pandas.DataFrame(), uses.sample(frac=1, random_state=0))
    assert found.quotients == pytest.approx(2 * np.ones(10))
    with pytest.raises(InputError, match=r"^a ÷ b: a needs the seeds 0 to 39, each once; got"):
        read_cases(entry, pandas.DataFrame(), uses[:10])
