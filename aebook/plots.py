"""Figures of images, codes and networks, and the style of every figure; aebook.charts has lines, points and bars.

Each function returns a Matplotlib figure that is not attached to pyplot: a notebook shows it
when it is the last line of a cell. A figure that shows measured things takes the Images they
were measured on, and says so when those are the stand-in.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from aebook.data import Images, to_grid
from aebook.parameters import InputError

# One thing, one color, all through the book: these for the parts of an autoencoder, RUNS for
# models and recipes set side by side (palettes of Okabe & Ito and of Tol, which the color-blind
# can tell apart). A place, a label, a line style or a marker says the same in black and white.
COLORS = {
    "encoder": "#0072B2",
    "code": "#D55E00",
    "decoder": "#009E73",
    "limit": "#555555",
}
RUNS = [("#332288", "o"), ("#CC6677", "s"), ("#999933", "^"), ("#882255", "D")]
OWN_STYLE = {
    "PCA": 0,
    "dense": 1,
    "autoencoder": 1,
    "plain autoencoder": 1,
    "codes": 1,
    "convolutional": 2,
    "denoising autoencoder": 3,
}
"""Which of RUNS a line has on every page, by its name. Other lines are dashed."""

STYLE: dict[str, Any] = {"figure.dpi": 160, "font.size": 11, "axes.spines.top": False, "axes.spines.right": False}


def new_figure(
    images: Images | None, rows: int = 1, columns: int = 1, *, size: tuple[float, float], **kwargs
) -> tuple[Figure, np.ndarray]:
    """A figure in the book's style, detached from pyplot, with a note on stand-in data."""
    with plt.rc_context(STYLE):  # type: ignore[arg-type]
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained", **kwargs)
    plt.close(figure)
    if images is not None and images.is_stand_in:
        note_stand_in(figure)
    return figure, axes


def note_stand_in(figure: Figure) -> None:
    figure.supxlabel("Stand-in data: scikit-learn's digits, not MNIST", color="#B00020", size=10)


def styles(names: Iterable[str], first: int = 0) -> dict[str, tuple[str, str]]:
    """The color and marker of each line by its name, from RUNS, beginning with the place `first`.

    Raises:
        InputError: if there are more lines than styles.
    """
    names = list(names)
    if len(names) > len(RUNS) - first:
        raise InputError(
            f"a figure must have at most {len(RUNS) - first} lines to be told apart, "
            f"got {len(names)}: {', '.join(map(str, names))}"
        )
    return dict(zip(names, RUNS[first:]))


def autoencoder_diagram() -> Figure:
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


def reconstructions(
    images: Images,
    inputs: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    codes: np.ndarray | None = None,
    count: int = 10,
) -> Figure:
    """The first `count` images in columns: input, code, reconstruction, one below the other.

    Args:
        images: the Images that the inputs belong to.
        inputs: pixels (n, 784), (n, 28, 28, 1) or (n, 1, 28, 28), values 0 to 1.
        outputs: the reconstructions of the inputs by the name of their row.
        codes: the codes of the inputs, (n, z_dim) or (n, 7, 7, channels), drawn as stems; left
            out by default.
        count: how many columns.
    """
    rows = 1 + (codes is not None) + len(outputs)
    count = min(count, len(inputs))
    figure, axes = new_figure(images, rows, count, size=(count * 1.02 + 0.6, rows * 1.12 + 0.2))
    _picture_row(axes[0], inputs, "input")
    if codes is not None:
        _stem_row(axes[1], np.reshape(codes[:count], (count, -1)))
    for row, (name, pixels) in zip(axes[rows - len(outputs) :], outputs.items()):
        _picture_row(row, pixels, name)
    return figure


def _row_label(axis, text):
    axis.set_ylabel(text, rotation=0, ha="right", va="center", labelpad=6)


def _picture_row(axes, pixels, name, **limits):
    for axis, picture in zip(axes, to_grid(pixels[: len(axes)])):
        axis.imshow(picture, **{"cmap": "gray", "vmin": 0, "vmax": 1, **limits})
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    _row_label(axes[0], name)


def _stem_row(axes, codes):
    top = max(float(codes.max()), 1e-6) * 1.05
    for axis, code in zip(axes, codes):
        markers, stems, base = axis.stem(code, linefmt=COLORS["code"], markerfmt=".", basefmt=" ")
        markers.set_markersize(2.5)
        stems.set_linewidth(0.8)
        axis.set(ylim=(min(0, float(codes.min())), top), xticks=[], yticks=[])
        axis.spines["left"].set_visible(False)
    _row_label(axes[0], f"code\n({codes.shape[1]} numbers)")


def pictures(images: Images, rows: Mapping[str, np.ndarray], **limits: float) -> Figure:
    """Pixels as pictures, one row for each name.

    Args:
        images: the Images that the pixels belong to.
        rows: pixels (n, 784), values 0 to 1, by the name of their row; n is the same in all.
        limits: vmin and vmax, the values that are black and white, if not 0 and 1.
    """
    count = len(next(iter(rows.values())))
    figure, axes = new_figure(images, len(rows), count, size=(count * 1.02 + 1.2, len(rows) * 1.12 + 0.2))
    for row, (name, pixels) in zip(axes, rows.items()):
        _picture_row(row, pixels, name, **limits)
    return figure


def plane(images: Images, codes: Mapping[str, np.ndarray], labels: np.ndarray) -> Figure:
    """Codes of two numbers as points, colored by class; each class is named at its middle.

    Args:
        images: the Images that were encoded.
        codes: for each panel's title the codes, (n, 2).
        labels: the class of each code, (n,).
    """
    figure, axes = new_figure(images, 1, len(codes), size=(4.2 * len(codes), 4.2))
    for axis, (title, points) in zip(axes[0], codes.items()):
        axis.scatter(*points.T, c=labels, cmap="tab10", s=2, alpha=0.5, linewidths=0, rasterized=True)
        for label in np.unique(labels):
            middle = np.median(points[labels == label], axis=0)
            axis.text(
                *middle,
                label,
                weight="bold",
                ha="center",
                va="center",
                size=12,
                bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "alpha": 0.8},
            )
        low, high = np.percentile(points, (0.5, 99.5), axis=0)
        margin = 0.05 * (high - low)
        axis.set(
            title=title,
            xticks=[],
            yticks=[],
            xlim=(low[0] - margin[0], high[0] + margin[0]),
            ylim=(low[1] - margin[1], high[1] + margin[1]),
            xlabel="first number",
        )
    axes[0, 0].set_ylabel("second number")
    return figure


def basis(images: Images, rows: Mapping[str, np.ndarray]) -> Figure:
    """Directions in pixel space as pictures, one row per model: black below 0, white above.

    Args:
        images: the Images they were learned from.
        rows: for each name an array (k, 784); each direction is scaled to its own largest value.
    """
    scaled = {name: rows[name] / np.abs(rows[name]).max(axis=1, keepdims=True) for name in rows}
    return pictures(images, scaled, vmin=-1, vmax=1)


def feature_maps(images: Images, maps: Mapping[str, Sequence[tuple[str, np.ndarray]]]) -> Figure:
    """The arrays that one image passes through in a network, each channel as a picture.

    Args:
        images: the Images that the image belongs to.
        maps: what aebook.models.feature_maps gives: one row for the encoder, one for the decoder.
    """
    columns = max(map(len, maps.values()))
    figure, axes = new_figure(images, len(maps), columns, size=(columns * 1.6 + 0.5, len(maps) * 1.95))
    for axis in axes.flat:
        axis.axis("off")
    for row, (half, steps) in zip(axes, maps.items()):
        for axis, (name, array) in zip(row, steps):
            height, width, channels = array.shape
            axis.imshow(_mosaic(array), cmap="gray", interpolation="nearest")
            axis.set_title(
                f"{name}\n{height}×{width}×{channels}", size=10, weight="bold" if name == "code" else "normal"
            )
        row[0].text(
            -0.12,
            0.5,
            half,
            rotation=90,
            transform=row[0].transAxes,
            weight="bold",
            color=COLORS[half],
            ha="right",
            va="center",
        )
    return figure


def _mosaic(array):
    """The channels of (height, width, channels) side by side in a near-square, parted by a gap."""
    height, width, channels = array.shape
    across = int(np.ceil(np.sqrt(channels)))
    down = -(-channels // across)
    mosaic = np.full((down * (height + 1) - 1, across * (width + 1) - 1), np.nan)
    for channel in range(channels):
        row, column = divmod(channel, across)
        top, left = row * (height + 1), column * (width + 1)
        mosaic[top : top + height, left : left + width] = array[:, :, channel]
    return mosaic
