"""What others have published, and what the measurements say about a claim (the page on claims)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aebook.parameters import InputError

VERDICTS = ("holds", "does not hold", "stays open", "holds only when ")
"""What a verdict may say. The last one goes on with the condition."""


@dataclass(frozen=True)
class Published:
    """A result as it was published, with the entry of references.bib that it comes from."""

    value: float
    metric: str
    setting: str
    citation: str


PUBLISHED = {
    "source_dense": Published(0.1631, "validation BCE", "MNIST, dense, 36 numbers, 10 epochs", "keraspp"),
    "source_conv": Published(0.0912, "validation BCE", "MNIST, convolutional, 49 numbers, 20 epochs", "keraspp"),
    "blog_dense": Published(0.09, "BCE", "MNIST, dense, 32 numbers, 50 epochs", "chollet2016building"),
    "blog_conv": Published(0.094, "BCE", "MNIST, convolutional, 128 numbers, 50 epochs", "chollet2016building"),
    "book_dense": Published(0.0132, "MSE", "Fashion-MNIST, dense with 100 and 30 numbers, 20 epochs", "geron2022hands"),
    "book_conv": Published(0.0121, "MSE", "Fashion-MNIST, convolutional, 30 numbers, 10 epochs", "geron2022hands"),
}
"""The validation losses of ``keraspp`` are those of the code repository of the source's textbook, chapter 6."""


@dataclass(frozen=True)
class Effect:
    """How large the error of one group of runs is, divided by that of another group.

    Below 1 it speaks for the first group. ``low`` and ``high`` are the smallest and the largest
    quotient of any run of the first group and any run of the second.
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def effect(a: ArrayLike, b: ArrayLike) -> Effect:
    """The Effect of the errors `a` over the errors `b`, each with one number per seed.

    Raises:
        InputError: unless all errors are above 0.
    """
    a, b = np.asarray(a, dtype="float64"), np.asarray(b, dtype="float64")
    if a.size == 0 or b.size == 0 or not (np.all(a > 0) and np.all(b > 0)):
        raise InputError(f"an effect needs errors above 0, got {a} and {b}")
    return Effect(float(a.mean() / b.mean()), float(a.min() / b.max()), float(a.max() / b.min()))


def judge(verdict: str, effects: Mapping[str, Effect], when: Collection[str] = (), limit: float = 1) -> str:
    """Print the effects of a claim, case by case, and check the verdict on it.

    A case is for the claim when every quotient is below the limit, against it when every one is
    above, and open otherwise. A claim "holds" if all its cases are for it, and "holds only when ..."
    for some, those that `when` names. If none is, it "does not hold" if at least one is against it,
    and "stays open" if all are open.

    Args:
        verdict: one of VERDICTS.
        effects: an Effect by the name of its case; below 1 is for the claim.
        when: the names of the cases that meet the condition.
        limit: what an effect must stay below; 1 means less error.

    Returns:
        The verdict.

    Raises:
        InputError: for words that are no verdict, cases that there are not, and no effects.
        AssertionError: if the effects say something else.
    """
    *whole, conditional = VERDICTS
    has_condition = verdict.startswith(conditional) and len(verdict) > len(conditional)
    if verdict not in whole and not has_condition:
        raise InputError(f"a verdict must be one of {', '.join(map(repr, VERDICTS))}; got {verdict!r}")
    if unknown := set(when) - set(effects):
        raise InputError(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(effects)}")
    if not effects or has_condition != bool(when):
        raise InputError(
            f"{verdict!r} needs effects, and names of cases if it has a condition; "
            f"got {len(effects)} effects and the names {list(when)}"
        )
    sides = {
        name: "for" if value.high < limit else "against" if value.low > limit else "open"
        for name, value in effects.items()
    }
    for name, value in effects.items():
        print(f"{name:{max(map(len, effects))}}  {value}  {sides[name]}")
    found = {name for name, side in sides.items() if side == "for"}
    if found == set(effects):
        right = verdict == "holds"
    elif found:
        right = has_condition and found == set(when)
    else:
        right = verdict == ("does not hold" if "against" in sides.values() else "stays open")
    if not right:
        raise AssertionError(
            f"the verdict says {verdict!r}, but the measurements are for the claim in: "
            f"{', '.join(sorted(found)) or 'no case'}"
        )
    print(f"verdict: {verdict}")
    return verdict


def confirm(statement: str, true: bool, judged: bool = True) -> None:
    """Print a statement and whether it is judged.

    Args:
        statement: what the prose says of a measurement.
        true: whether the measurement agrees.
        judged: False for a rerun with other settings or other data, whose figures decide nothing.

    Raises:
        AssertionError: if the statement is judged and not true.
    """
    if judged and not true:
        raise AssertionError(f"the measurements do not agree: {statement}")
    print(f"{'true' if judged else 'not judged'}: {statement}")
