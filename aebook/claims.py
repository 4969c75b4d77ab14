"""The rule by which a claim is judged (the page on claims).

The cases stand in the file ``claims.yml``. A case compares two errors of the same seeds. The last digit
of a seed chooses the tenth of the test images that both are measured on. Errors on the same tenth are
averaged. So each tenth gives a quotient, and the ten quotients differ in the training and in the test
images: one t-test covers both. The training images are the same for all ten.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas
from numpy.typing import ArrayLike
from scipy import optimize, stats

from aebook.data import TITLES
from aebook.parameters import InputError

SEEDS = {"0 to 9": (*range(10),), "0 to 9 and 20 to 29": (*range(10), *range(20, 30))}
"""What the trainings have been run with. All of a case have the same. (The seeds 10 to 12 chose the learning rates.)"""

SEEDS_OF_USES = {"0 to 39": (*range(40),)}
"""The same for the uses."""

ERROR_RATE = 0.05
"""How often a page without any true difference may have a case *for* or *against* (Holm 1979)."""

SMALLEST = 0.02
"""The smallest effect that matters: less than 2 % more or less error is *no difference that matters*."""

POWER = 0.8
"""How often a case finds its minimum detectable effect, at least."""

SCALES = {
    "error": lambda values: values,
    "psnr": lambda values: 10 ** (-values / 10),
    "right": lambda values: 100 - values,
    "auc": lambda values: 1 - values,
}
"""How a recorded result becomes an error, which is better when it is lower: the mean squared error of a
PSNR in decibels, the wrong answers of a percentage of right ones, one minus the area under a ROC curve."""


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        claim: the name of the claim that it belongs to.
        name: what is compared, and on what.
        baselines: the mean error of each that the claim's side might be compared with, the least first.
        quotients: for each tenth of the test images, the error of the claim's side divided by that of
            the strongest baseline.
    """

    claim: str
    name: str
    baselines: Mapping[str, float]
    quotients: np.ndarray

    @property
    def strongest(self) -> str:
        """The baseline with the least mean error."""
        return next(iter(self.baselines))


def read_cases(claims: Mapping[str, Any], trainings: pandas.DataFrame, uses: pandas.DataFrame) -> list[Case]:
    """All cases of all claims.

    Args:
        claims: what the file ``claims.yml`` holds.
        trainings: the runs of ``one_model.ipynb``, one in a row.
        uses: the runs of ``uses.ipynb``.

    Raises:
        InputError: if a case has a key or a scale that there is not, a compared group does not have each
            of its seeds once, or an error is not above 0.
    """
    return [
        case
        for claim, entry in claims.items()
        for comparison in entry["cases"]
        for case in _cases(claim, comparison, trainings, uses)
    ]


KEYS = ("name", "a", "b", "measure", "scale", "each", "than")
"""What a comparison may hold."""


def _cases(claim: str, comparison: Mapping[str, Any], trainings: pandas.DataFrame, uses: pandas.DataFrame) -> Iterator:
    for key in comparison:
        if key not in KEYS:
            raise InputError(f"{claim}: a case has no key {key!r}; there are {', '.join(KEYS)}")
    if (scale := comparison.get("scale", "error")) not in SCALES:
        raise InputError(f"{claim}: scale must be one of {', '.join(SCALES)}; got {scale!r}")
    table = uses if isinstance(comparison["a"], str) else trainings
    each = comparison.get("each", {})
    for values in product(*each.values()):
        place = dict(zip(each, values, strict=True))
        name = comparison["name"].format(**{**place, "dataset": TITLES.get(place.get("dataset", ""))})
        baselines, quotients = _quotients(comparison, table, place, name)
        if "than" in comparison:
            elsewhere = {**place, **comparison["than"]}
            quotients = quotients / _quotients(comparison, table, elsewhere, name)[1]
        yield Case(claim, name, baselines, quotients)


def _quotients(
    comparison: Mapping[str, Any], table: pandas.DataFrame, place: Mapping[str, Any], name: str
) -> tuple[dict[str, float], np.ndarray]:
    measure, scale = comparison.get("measure", ""), SCALES[comparison.get("scale", "error")]

    def errors(side: str | Mapping[str, Any]) -> pandas.Series:
        if isinstance(side, str):
            column = side.format(**place)
            return _by_seed(scale(table[column]), table["seed"], SEEDS_OF_USES, f"{name}: {column}")
        chosen = table[_matches(table, {**STANDARD, **place, **side})]
        values = chosen.eval(measure) if len(chosen) else chosen["seed"]
        return _by_seed(scale(values), chosen["seed"], SEEDS, f"{name}: {side}")

    ours = errors(comparison["a"])
    baselines = [(_in_words(side, place), errors(side)) for side in comparison["b"]]
    for words, values in baselines:
        if not values.index.equals(ours.index):
            raise InputError(f"{name}: {words} needs the seeds {list(ours.index)}, too; got {list(values.index)}")
    baselines.sort(key=lambda baseline: baseline[1].mean())
    quotients = _of_every_tenth(ours) / _of_every_tenth(baselines[0][1])
    return {words: float(values.mean()) for words, values in baselines}, quotients


def _in_words(side: str | Mapping[str, Any], place: Mapping[str, Any]) -> str:
    if isinstance(side, str):
        return side.format(**place).replace("_", " ")
    return ", ".join(map(str, side.values()))


STANDARD = {
    "code_activation": None,
    "output": "sigmoid",
    "start": "book",
    "width": 256,
    "loss": "binary_crossentropy",
    "epochs": 10,
    "n_train": 60_000,
}
"""How a training is set where a case says nothing else; None: the code that the model has in this book (CODES)."""

CODES = {"dense": "relu", "conv": "relu", "conv_dense": "linear", "deep": "linear"}


def _matches(table: pandas.DataFrame, settings: Mapping[str, Any]) -> pandas.Series:
    if settings["model"] == "pca":
        settings = {name: settings[name] for name in ("model", "dataset", "z_dim", "n_train")}
    elif settings["code_activation"] is None:
        settings = {**settings, "code_activation": CODES[settings["model"]]}
    return (table[list(settings)] == list(settings.values())).all(axis=1)


def _by_seed(
    values: pandas.Series, seeds: pandas.Series, known: Mapping[str, Sequence[int]], name: str
) -> pandas.Series:
    """The errors in the order of their seeds."""
    if tuple(sorted(seeds)) not in known.values():
        raise InputError(f"{name} needs the seeds {', or '.join(known)}, each once; got {sorted(seeds)}")
    if not (values > 0).all():
        raise InputError(f"{name} needs errors above 0, got {values.tolist()}")
    return values.astype("float64").set_axis(seeds.to_numpy()).sort_index()


def _of_every_tenth(errors: pandas.Series) -> np.ndarray:
    """The mean error on each tenth of the test images: of the seeds with the same last digit."""
    return errors.groupby(errors.index % 10).mean().to_numpy()


def holm(p: ArrayLike) -> np.ndarray:
    """P-values adjusted for their number (Holm 1979), so that below a rate the chance of any wrong one is below it."""
    values = np.asarray(p, dtype="float64")
    order = np.argsort(values)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1)
    return adjusted


def decide(cases: Sequence[Case]) -> pandas.DataFrame:
    """Decide all cases of a page together.

    A case is *for* its claim if the quotient is below 1, *against* it if it is above 1, by a t-test of
    the logarithms; *no difference* if two one-sided t-tests (Schuirmann 1987) say that it lies within the
    smallest effect of 1, whatever the first says; and *open* otherwise. The p-values of each kind are
    adjusted with `holm`.

    Args:
        cases: all cases of the page.

    Returns:
        A row for each case: claim, case, effect (the geometric mean of the quotients), low and
        high (its 95 % confidence interval, of this case alone), finds (the minimum detectable effect of
        quotients that lie this far apart: the share by which one side's error is less), p, p_same (both
        adjusted), side.
    """
    logs = np.log([case.quotients for case in cases])
    edge = np.log1p(SMALLEST)
    different = stats.ttest_1samp(logs, 0, axis=1)
    above = stats.ttest_1samp(logs, -edge, axis=1, alternative="greater").pvalue
    below = stats.ttest_1samp(logs, edge, axis=1, alternative="less").pvalue
    interval = different.confidence_interval(0.95)
    table = pandas.DataFrame(
        {
            "claim": [case.claim for case in cases],
            "case": [case.name for case in cases],
            "effect": np.exp(logs.mean(axis=1)),
            "low": np.exp(interval.low),
            "high": np.exp(interval.high),
            "finds": 1 - np.exp(-_detectable(*logs.shape) * logs.std(axis=1, ddof=1)),
            "p": holm(np.nan_to_num(different.pvalue, nan=1.0)),  # ten quotients of exactly 1 have none
            "p_same": holm(np.maximum(above, below)),
        }
    )
    found = np.where(table["effect"] < 1, "for", "against")
    side = np.where(table["p"] < ERROR_RATE, found, "open")
    table["side"] = np.where(table["p_same"] < ERROR_RATE, "no difference", side)
    return table


def _detectable(cases: int, quotients: int) -> float:
    """The minimum detectable effect in standard deviations, by the first and strictest of the tests of `holm`."""
    degrees = quotients - 1
    least = stats.t.isf(ERROR_RATE / cases / 2, degrees)
    distance = optimize.brentq(lambda away: stats.nct.sf(least, degrees, away) - POWER, 0, 3 * least)
    return distance / np.sqrt(quotients)


def verdict(sides: Sequence[str]) -> str:
    """What the sides of a claim's cases make of it.

    It "holds" if all cases are for it, and "holds in part" if some are. Without any it "does not hold",
    or, as long as all are open, "stays open".
    """
    if "for" in sides:
        return "holds" if set(sides) == {"for"} else "holds in part"
    return "stays open" if set(sides) <= {"open"} else "does not hold"
