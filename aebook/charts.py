"""Figures of measured values: lines, points and bars. Each returns a figure as those of aebook.plots do."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from pandas import DataFrame
from pandas.api.types import is_numeric_dtype

from aebook.data import Images
from aebook.plots import COLORS, OWN_STYLE, RUNS, new_figure, note_stand_in, styles

if TYPE_CHECKING:
    from keras.callbacks import History

Lines = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""The values (x, y) of each line by its name."""


def lines(
    images: Images | None,
    panels: Mapping[str, Lines],
    xlabel: str,
    ylabel: str,
    ticks: Sequence[int] | None = None,
) -> Figure:
    """Lines in one panel or several, side by side.

    Args:
        images: the Images measured on.
        panels: for each panel's title its lines, the values (x, y) by the name of the line; at
            most four names that OWN_STYLE does not have. A line of one point is its marker.
        xlabel, ylabel: what the axes are, with their units.
        ticks: the values of x to mark, on a scale that doubles; by default the scale is even.

    Raises:
        InputError: for more names.
    """
    figure, axes = new_figure(images, 1, len(panels), size=(4.75 * len(panels) + 1.5, 4), sharey=True)
    names = dict.fromkeys(name for series in panels.values() for name in series)
    others = styles(name for name in names if name not in OWN_STYLE)
    looks = {name: ("--", run) for name, run in others.items()} | {
        name: ("-", RUNS[OWN_STYLE[name]]) for name in names if name in OWN_STYLE
    }
    for axis, (title, series) in zip(axes[0], panels.items()):
        for name, (x, y) in series.items():
            dash, (color, marker) = looks[name]
            axis.plot(
                x,
                y,
                color=color,
                linestyle=dash,
                label=name,
                markersize=5,
                linewidth=1.6,
                marker=marker if len(x) <= 12 else None,
                markerfacecolor="white" if dash == "--" else color,
            )
        axis.set(xlabel=xlabel, title=title)
        if ticks is not None:
            axis.set_xscale("log", base=2)
            axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
            axis.minorticks_off()
        elif all(float(value).is_integer() for x, _ in series.values() for value in x):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0, 0].set_ylabel(ylabel)
    axes[0, 0].legend(frameon=False, fontsize=9)
    return figure


def learning_curves(images: Images, histories: Mapping[str, History], floor: float, ceiling: float) -> Figure:
    """Loss and accuracy after each epoch, with the best values that are possible at all.

    Args:
        images: the Images trained on.
        histories: the Keras History of each run by its name.
        floor: lowest possible loss on the validation images, in nats.
        ceiling: highest possible accuracy there, 0 to 1.
    """
    figure, axes = new_figure(images, 1, 2, size=(9.5, 3.9))
    panels = (
        (axes[0, 0], "loss", "binary cross-entropy (nats per pixel)", floor, "lowest possible"),
        (axes[0, 1], "accuracy", "binary accuracy (share of pixels)", ceiling, "highest possible"),
    )
    for axis, key, label, limit, limit_name in panels:
        for (color, marker), (name, history) in zip(itertools.cycle(RUNS), histories.items()):
            values = history.history
            epochs = np.arange(1, len(values[key]) + 1)
            axis.plot(
                epochs,
                values[key],
                color=color,
                marker=marker,
                markersize=4,
                linewidth=1,
                linestyle=":",
                markerfacecolor="white",
                label=f"{name}, training",
            )
            axis.plot(
                epochs,
                values[f"val_{key}"],
                color=color,
                marker=marker,
                markersize=4,
                linewidth=1.6,
                label=f"{name}, validation",
            )
        line = axis.axhline(limit, color=COLORS["limit"], linestyle="--", linewidth=1, label=limit_name)
        axis.set(xlabel="epoch", ylabel=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes[0, 0].set_title("Loss: lower is better")
    axes[0, 1].set_title("Accuracy: higher is better")
    axes[0, 0].legend(frameon=False, fontsize=9)
    axes[0, 1].legend(handles=[line], frameon=False, fontsize=9, loc="lower right")
    return figure


def errors(images: Images, values: Mapping[str, float], label: str) -> Figure:
    """One bar per model: its reconstruction error.

    Args:
        images: the Images measured on.
        values: the error by the name of the model; the first is the one to beat.
        label: what the error is, with its unit.
    """
    figure, axes = new_figure(images, size=(7, 0.55 * len(values) + 1.1))
    axis = axes[0, 0]
    names, heights = list(values), list(values.values())
    bars = axis.barh(names, heights, color="white", edgecolor="black", linewidth=0.8)
    bars[0].set_facecolor("#999999")
    for bar, (color, _) in zip(bars[1:], itertools.cycle(RUNS)):
        bar.set_facecolor(color)
    axis.bar_label(bars, fmt="%.4f", padding=4)
    axis.axvline(heights[0], color=COLORS["limit"], linestyle="--", linewidth=1)
    axis.set(xlabel=label, xlim=(0, max(heights) * 1.15))
    axis.invert_yaxis()
    return figure


def race(panels: Mapping[str, Lines], limits: Mapping[str, float]) -> Figure:
    """The loss on the test images against the seconds of training: a mark at the end of each epoch.

    Args:
        panels: for each panel's title its lines, the values (seconds, loss) by the name of the line.
        limits: for each panel's title the loss to reach.

    Raises:
        InputError: for more than four lines in a panel.
    """
    figure, axes = new_figure(None, 1, len(panels), size=(4.75 * len(panels) + 1.5, 4.2))
    for axis, (title, lines) in zip(axes[0], panels.items()):
        looks = styles(lines)
        for name, (seconds, loss) in lines.items():
            color, marker = looks[name]
            axis.plot(seconds, loss, color=color, marker=marker, markersize=4, linewidth=1.6, label=name)
        limit = limits[title]
        axis.axhline(limit, color=COLORS["limit"], linestyle="--", linewidth=1, label="to reach")
        axis.set(title=title, xlabel="seconds of training, preparation included", xscale="log", yscale="log")
        for scale, ticks in ((axis.xaxis, (1, 2, 5)), (axis.yaxis, (1, 1.5, 2, 3, 5, 8))):
            scale.set_major_locator(LogLocator(subs=ticks))
            scale.set_major_formatter("{x:g}")
            scale.set_minor_locator(NullLocator())
    axes[0, 0].set_ylabel("binary cross-entropy (nats per pixel)")
    axes[0, 0].legend(frameon=False, fontsize=9)
    return figure


def growth(table: DataFrame, settings: Mapping[str, str], results: Mapping[str, str]) -> Figure:
    """How what a training costs grows with one setting at a time: a row for each cost, a column for each setting.

    Args:
        table: a DataFrame with a column for each cost, and the columns "model", "setting" and "times",
            how many times the usual value of this setting was used.
        settings: the title of each column, by its name in "setting".
        results: the axis label of each cost, by its column.

    Raises:
        InputError: for more than three models.
    """
    figure, axes = new_figure(
        None, len(results), len(settings), size=(3.6 * len(settings), 3 * len(results)), sharey="row", sharex="col"
    )
    for row, (result, label) in zip(axes, results.items()):
        for axis, setting in zip(row, settings):
            chosen = table[table["setting"] == setting]
            looks = styles(chosen["model"].unique(), first=1)
            for model, runs in chosen.groupby("model", sort=False):
                color, marker = looks[model]
                values = runs.set_index("times")[result].sort_index()
                axis.plot(values.index, values, color=color, marker=marker, markersize=5, label=model)
            _parameter_axis(axis, chosen["times"])
            if table[result].max() >= 4 * table[result].min():
                axis.set_yscale("log")
                axis.yaxis.set_major_formatter("{x:g}")
            else:
                axis.set_ylim(bottom=0)
        row[0].set_ylabel(label)
    for axis, title in zip(axes[0], settings.values()):
        axis.set_title(title)
    for axis in axes[-1]:
        axis.set_xlabel("times the usual value")
    axes[0, 0].legend(frameon=False, fontsize=9)
    return figure


def spread(
    table: DataFrame,
    x: str,
    results: Mapping[str, str],
    group: str | None = None,
    limits: Mapping[str, tuple[str, float]] | None = None,
) -> Figure:
    """Results against a parameter: the mean of all runs at each value, and from lowest to highest.

    Args:
        table: a DataFrame with one run a row, such as aebook.rerun.cluster gives.
        x: the column of the parameter.
        results: the axis label of each column to show, by the column; one panel each.
        group: a column; runs that differ in it get lines of their own.
        limits: for some results, by their column, what to call a value to reach, and the value.
    """
    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    figure, axes = new_figure(None, rows, columns, size=(4.75 * columns, 3.9 * rows))
    if "data_source" in table and "stand-in" in set(table["data_source"]):
        note_stand_in(figure)
    lines = [(None, table)] if group is None else list(table.groupby(group, observed=True))
    for axis, (result, label) in zip(axes.flat, results.items()):
        for (color, marker), (name, runs) in zip(itertools.cycle(RUNS), lines):
            values = runs.groupby(x)[result].agg(["mean", "min", "max"])
            axis.plot(values.index, values["mean"], color=color, marker=marker, markersize=5, label=name)
            axis.fill_between(values.index, values["min"], values["max"], color=color, alpha=0.25, linewidth=0)
        if limits and result in limits:
            name, value = limits[result]
            line = axis.axhline(value, color=COLORS["limit"], linestyle="--", linewidth=1, label=name)
            axis.legend(handles=[line], frameon=False, fontsize=9)
        _parameter_axis(axis, table[x])
        axis.set(xlabel=x, ylabel=label)
    for axis in axes.flat[len(results) :]:
        axis.axis("off")
    if group is not None:
        axes[0, 0].legend(title=group, frameon=False, fontsize=9)
    return figure


def _parameter_axis(axis, values):
    """A doubling axis with a tick at each value, for a few values that span a factor of 4 or more."""
    few = values.nunique() <= 12
    if few and is_numeric_dtype(values) and values.min() > 0 and values.max() >= 4 * values.min():
        axis.set_xscale("log", base=2)
        axis.set_xticks(sorted(values.unique()), [f"{value:g}" for value in sorted(values.unique())])
        axis.minorticks_off()
        axis.tick_params(axis="x", labelsize=9)
