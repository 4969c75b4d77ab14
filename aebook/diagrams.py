"""Drawings of networks, made of nodes and arrows: nothing in them is measured."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from aebook.plots import COLORS, new_figure


def autoencoder() -> Figure:
    """Two autoencoders as columns of nodes: with one hidden layer, and with three."""
    figure, axes = new_figure(None, 1, 2, size=(9, 3.9), width_ratios=(3, 5))
    _draw_network(axes[0, 0], [8, 3, 8], "One hidden layer")
    _draw_network(axes[0, 1], [8, 5, 3, 5, 8], "Several hidden layers")
    return figure


def _draw_network(axis, widths, title):
    middle = len(widths) // 2
    places = [(column, np.linspace(-(n - 1) / 2, (n - 1) / 2, n)) for column, n in enumerate(widths)]
    for (left, left_ys), (right, right_ys) in zip(places, places[1:]):
        part = "encoder" if right <= middle else "decoder"
        starts, ends = np.meshgrid(left_ys, right_ys)
        axis.plot([left, right], [starts.ravel(), ends.ravel()], color=COLORS[part], linewidth=0.5, alpha=0.6, zorder=1)
    for column, ys in places:
        is_code = column == middle
        axis.scatter(
            np.full(len(ys), column),
            ys,
            s=130 if is_code else 90,
            marker="s" if is_code else "o",
            edgecolor="black",
            zorder=2,
            color=COLORS["code"] if is_code else "white",
        )
    last, height = len(widths) - 1, max(widths) / 2
    for column, name in ((0, "input"), (middle, "code"), (last, "reconstruction")):
        axis.text(column, height + 0.35, name, ha="center", va="bottom", weight="bold")
    for start, end, part in ((0, middle, "encoder"), (middle, last, "decoder")):
        axis.add_patch(
            FancyArrowPatch(
                (start + 0.08, -height - 0.35),
                (end - 0.08, -height - 0.35),
                arrowstyle="-|>",
                mutation_scale=14,
                linewidth=1.6,
                color=COLORS[part],
            )
        )
        axis.text((start + end) / 2, -height - 0.65, part, color=COLORS[part], ha="center", va="top", weight="bold")
    axis.set(xlim=(-0.75, last + 0.75), ylim=(-height - 1.8, height + 1.2))
    axis.set_title(title, pad=12)
    axis.axis("off")
