"""Figures of quotients: of cases, of claims, and of one case. Each returns a figure as those of aebook.plots do."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas import DataFrame

from aebook.plots import COLORS, RUNS, new_figure

SIDE_STYLES = {
    "for": RUNS[0],
    "against": RUNS[1],
    "no difference": (COLORS["limit"], "D"),
    "open": (COLORS["limit"], "D"),
}
"""The color and the marker of a case by the side that it is on; the marker of an open one is hollow."""


def _quotients(size: tuple[float, float]) -> tuple[Figure, Axes]:
    """A figure of quotients, with the line of no effect, and what each of its sides means."""
    figure, axes = new_figure(None, size=size)
    axis = axes[0, 0]
    axis.axvline(1, color=COLORS["limit"], linestyle="--", linewidth=1)
    for words, side in (("← for the claim  ", "right"), ("  against it →", "left")):
        axis.annotate(words, (1, 1.02), xycoords=("data", "axes fraction"), ha=side, va="bottom", fontsize=9)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("{x:g}")
    axis.tick_params(axis="x", which="minor", labelsize=9)
    axis.margins(x=0.1)
    return figure, axis


def effects(cases: DataFrame, label: str, names: Sequence[str] | None = None) -> Figure:
    """The effects of some cases, each with its 95 % confidence interval, beside the line of no effect.

    Args:
        cases: rows of what aebook.claims.decide gives.
        label: what is divided by what.
        names: what the cases are called in the figure; their own names by default.
    """
    figure, axis = _quotients((8, 0.36 * len(cases) + 1.3))
    for place, case in enumerate(cases.itertuples()):
        color, marker = SIDE_STYLES[case.side]
        filled = "none" if case.side == "open" else color
        axis.plot([case.low, case.high], [place, place], color=color, linewidth=3, alpha=0.5, solid_capstyle="butt")
        axis.plot(case.effect, place, color=color, marker=marker, markersize=7, markerfacecolor=filled)
        axis.annotate(
            f"{case.effect:.2f}",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
        )
    axis.set_yticks(range(len(cases)), names or list(cases["case"]))
    axis.set(xlabel=label, ylim=(len(cases) - 0.4, -0.9))
    return figure


def strips(claims: Mapping[str, DataFrame]) -> Figure:
    """Each claim as a row of dots, one for each case, beside the line of no effect.

    Args:
        claims: rows of what aebook.claims.decide gives, by what the claim is called in the figure.
    """
    figure, axis = _quotients((8, 0.25 * len(claims) + 0.7))
    for place, cases in enumerate(claims.values()):
        for side, (color, marker) in SIDE_STYLES.items():
            found = cases.loc[cases["side"] == side, "effect"]
            filled = "none" if side == "open" else color
            axis.plot(found, [place] * len(found), marker, color=color, markersize=7, alpha=0.7, markerfacecolor=filled)
    axis.set_yticks(range(len(claims)), claims)
    axis.set(xlabel="error ÷ error of the other", ylim=(len(claims) - 0.4, -0.9))
    return figure


def case(quotients: Sequence[float], low: float, high: float, smallest: float) -> Figure:
    """One case, tenth by tenth, with the interval of its mean.

    Args:
        quotients: one for each tenth of the test images.
        low: the lower end of the 95 % confidence interval.
        high: its upper end.
        smallest: the effect that does not matter, such as 0.02: a band on both sides of 1.
    """
    figure, axis = _quotients((8, 2.4))
    axis.axvspan(1 / (1 + smallest), 1 + smallest, color=COLORS["limit"], alpha=0.2, linewidth=0)
    color, marker = RUNS[0]
    axis.plot(quotients, [0] * len(quotients), "|", color=color, markersize=14)
    axis.plot([low, high], [1, 1], color=color, linewidth=3, alpha=0.5, solid_capstyle="butt")
    axis.plot(np.exp(np.log(quotients).mean()), 1, marker, color=color, markersize=7)
    axis.set_yticks([0, 1], ["each tenth", "mean"])
    axis.set(xlabel="error ÷ error of the other", ylim=(1.6, -0.9))
    return figure
