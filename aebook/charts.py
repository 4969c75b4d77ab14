"""Figures of many runs: what a sweep, a bench or a claim compares. Each returns a figure as those of aebook.plots."""

import itertools

from matplotlib.ticker import LogLocator, NullLocator
from pandas.api.types import is_numeric_dtype

from aebook.plots import COLOURS, RUNS, new_figure, note_stand_in


def race(panels, limits):
    """The loss on the test images against the seconds of training: a mark at the end of each epoch.

    Args:
        panels: for each panel's title its lines, the values (seconds, loss) by the name of the line.
        limits: for each panel's title the loss to reach.
    """
    figure, axes = new_figure(None, 1, len(panels), size=(4.75 * len(panels) + 1.5, 4.2))
    for axis, (title, lines) in zip(axes[0], panels.items()):
        for (colour, marker), (name, (seconds, loss)) in zip(RUNS, lines.items()):
            axis.plot(seconds, loss, color=colour, marker=marker, markersize=4, linewidth=1.6, label=name)
        limit = limits[title]
        axis.axhline(limit, color=COLOURS["limit"], linestyle="--", linewidth=1, label="to reach")
        axis.set(title=title, xlabel="seconds of training, preparation included", xscale="log", yscale="log")
        for scale, ticks in ((axis.xaxis, (1, 2, 5)), (axis.yaxis, (1, 1.5, 2, 3, 5, 8))):
            scale.set_major_locator(LogLocator(subs=ticks))
            scale.set_major_formatter("{x:g}")
            scale.set_minor_locator(NullLocator())
    axes[0, 0].set_ylabel("binary cross-entropy (nats per pixel)")
    axes[0, 0].legend(frameon=False, fontsize=9)
    return figure


def growth(table, settings, results):
    """How what a training costs grows with one setting at a time: a row for each cost, a column for each setting.

    Args:
        table: a DataFrame with a column for each cost, and the columns "model", "setting" and "times",
            how many times the usual value of this setting was used.
        settings: the title of each column, by its name in "setting".
        results: the axis label of each cost, by its column.
    """
    figure, axes = new_figure(None, len(results), len(settings), size=(3.6 * len(settings), 3 * len(results)),
                           sharey="row", sharex="col")
    for row, (result, label) in zip(axes, results.items()):
        for axis, setting in zip(row, settings):
            chosen = table[table["setting"] == setting]
            for (colour, marker), (model, runs) in zip(RUNS[1:], chosen.groupby("model", sort=False)):
                values = runs.set_index("times")[result].sort_index()
                axis.plot(values.index, values, color=colour, marker=marker, markersize=5, label=model)
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


def effects(effects, label, limit=1):
    """Effects as points, each with its range over the seeds, beside the line of no effect.

    Args:
        effects: what aebook.claims.effect gives, by the name of the case.
        label: what is divided by what.
        limit: what an effect must stay below to be for the claim.
    """
    figure, axes = new_figure(None, size=(8, 0.42 * len(effects) + 1.3))
    axis = axes[0, 0]
    axis.axvline(limit, color=COLOURS["limit"], linestyle="--", linewidth=1)
    for place, effect in enumerate(effects.values()):
        side = RUNS[0] if effect.high < limit else RUNS[1] if effect.low > limit else (COLOURS["limit"], "D")
        colour, marker = side
        axis.plot([effect.low, effect.high], [place, place], color=colour, linewidth=3, alpha=0.5,
                  solid_capstyle="butt")
        axis.plot(effect.mean, place, color=colour, marker=marker, markersize=7)
        axis.annotate(f"{effect.mean:.3f}", (effect.mean, place), (0, 7), textcoords="offset points",
                      ha="center", fontsize=9, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    axis.set_yticks(range(len(effects)), list(effects))
    for words, side in (("← for the claim  ", "right"), ("  against it →", "left")):
        axis.annotate(words, (limit, 1.02), xycoords=("data", "axes fraction"), ha=side, va="bottom", fontsize=9)
    axis.set(xlabel=label, ylim=(len(effects) - 0.4, -0.9))
    axis.margins(x=0.1)
    return figure


def spread(table, x, results, group=None, limits=None):
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
        for (colour, marker), (name, runs) in zip(itertools.cycle(RUNS), lines):
            values = runs.groupby(x)[result].agg(["mean", "min", "max"])
            axis.plot(values.index, values["mean"], color=colour, marker=marker, markersize=5, label=name)
            axis.fill_between(values.index, values["min"], values["max"], color=colour, alpha=0.25, linewidth=0)
        if limits and result in limits:
            name, value = limits[result]
            line = axis.axhline(value, color=COLOURS["limit"], linestyle="--", linewidth=1, label=name)
            axis.legend(handles=[line], frameon=False, fontsize=9)
        _parameter_axis(axis, table[x])
        axis.set(xlabel=x, ylabel=label)
    for axis in axes.flat[len(results):]:
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
