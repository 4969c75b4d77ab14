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

from aebook.data import Images, to_grid
from aebook.parameters import SIDE, InputError

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
    """Write below a figure that it shows the stand-in."""
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


def reconstructions(
    images: Images,
    inputs: np.ndarray,
    outputs: Mapping[str, np.ndarray],
    codes: np.ndarray | None = None,
) -> Figure:
    """The first ten images in columns: input, code, reconstruction, one below the other.

    Args:
        images: the Images that the inputs belong to.
        inputs: pixels (n, 784), (n, 28, 28, 1) or (n, 1, 28, 28), values 0 to 1.
        outputs: the reconstructions of the inputs by the name of their row.
        codes: the codes of the inputs, (n, z_dim) or (n, 7, 7, channels), drawn as stems; left
            out by default.
    """
    rows = 1 + (codes is not None) + len(outputs)
    count = min(10, len(inputs))
    figure, axes = new_figure(images, rows, count, size=(count * 1.02 + 0.6, rows * 1.12 + 0.2))
    _picture_row(axes[0], to_grid(inputs[:count]), "input")
    if codes is not None:
        _stem_row(axes[1], np.reshape(codes[:count], (count, -1)))
    for row, (name, pixels) in zip(axes[rows - len(outputs) :], outputs.items()):
        _picture_row(row, to_grid(pixels[:count]), name)
    return figure


def _row_label(axis, text):
    axis.set_ylabel(text, rotation=0, ha="right", va="center", labelpad=6)


def _picture_row(axes, pictures, name, **limits):
    for axis, picture in zip(axes, pictures):
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


def pictures(
    images: Images | None, rows: Mapping[str, np.ndarray], titles: Sequence[str] = (), **limits: float
) -> Figure:
    """Pixels as pictures, one row for each name.

    Args:
        images: the Images that the pixels belong to.
        rows: pixels (n, 784), values 0 to 1, by the name of their row; n is the same in all.
        titles: what stands above each column.
        limits: vmin and vmax, the values that are black and white, if not 0 and 1.
    """
    count = len(next(iter(rows.values())))
    figure, axes = new_figure(images, len(rows), count, size=(count * 1.02 + 1.2, len(rows) * 1.12 + 0.2))
    for row, (name, pixels) in zip(axes, rows.items()):
        _picture_row(row, to_grid(pixels), name, **limits)
    for axis, title in zip(axes[0], titles):
        axis.set_title(title, size=10)
    return figure


def thumbnails(images: Images, rows: Mapping[str, np.ndarray]) -> Figure:
    """Pictures of any size, one row for each name: black is 0, white the largest value of the row.

    Args:
        images: the Images that they belong to.
        rows: pictures (n, height, width, 1) by the name of their row; n is the same in all.
    """
    count = len(next(iter(rows.values())))
    figure, axes = new_figure(images, len(rows), count, size=(count * 1.02 + 1.2, len(rows) * 1.12 + 0.2))
    for row, (name, values) in zip(axes, rows.items()):
        _picture_row(row, values, name, vmax=np.max(values))
    return figure


def found_again(points: np.ndarray, methods: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Points of the plane, and where each method puts them after it has kept one number of each.

    Args:
        points: an array (n, 2).
        methods: by its name what a method makes of the points, (n, 2), and the numbers it kept, (n, 1).
    """
    figure, axes = new_figure(None, 1, len(methods), size=(4.2 * len(methods), 4), sharey=True)
    for axis, (name, (found, numbers)) in zip(axes[0], methods.items()):
        axis.scatter(*points.T, color="0.75", s=14, linewidths=0)
        axis.scatter(*found.T, c=numbers.ravel(), cmap="viridis", s=9, linewidths=0)
        axis.set(title=name, xlabel="first number", aspect="equal")
    axes[0, 0].set_ylabel("second number")
    return figure


def ladder(images: Images, image: np.ndarray, methods: Mapping[str, Mapping[int, np.ndarray]]) -> Figure:
    """One image from codes of growing size, one row for each method; the image itself stands last.

    Args:
        images: the Images that it belongs to.
        image: its pixels, (784,).
        methods: by the name of its row and by the code size what a method makes of the image, (1, 784).
    """
    rows = {name: np.concatenate([*made.values(), image[None]]) for name, made in methods.items()}
    sizes = next(iter(methods.values()))
    return pictures(images, rows, [*(f"{size} numbers" for size in sizes), "the image"])


def digit_map(images: Images, tiles: np.ndarray, across: np.ndarray, up: np.ndarray) -> Figure:
    """Pictures side by side without gaps, each at its place in the plane of a code of two numbers.

    Args:
        images: the Images that the decoder has learned from.
        tiles: pixels (len(up) · len(across), 784), row by row, from the lowest row up.
        across, up: the first and the second number of the codes, in even steps.
    """
    figure, axes = new_figure(images, size=(6.4, 6.4))
    rows = to_grid(tiles).reshape(len(up), len(across), SIDE, SIDE)[::-1]
    edges = [edge for line in (across, up) for edge in (line[0], line[-1])]
    picture = np.concatenate(np.concatenate(rows, axis=1), axis=1)
    look: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 1, "interpolation": "nearest"}
    axes[0, 0].imshow(picture, extent=edges, aspect="auto", **look)
    axes[0, 0].set(xlabel="first number of the code", ylabel="second number of the code")
    return figure


def plane(images: Images, codes: Mapping[str, np.ndarray], labels: np.ndarray, axes_show: str = "number") -> Figure:
    """Codes of two numbers as points, colored by class; each class is named at its middle.

    Args:
        images: the Images that were encoded.
        codes: for each panel's title the codes, (n, 2).
        labels: the class of each code, (n,).
        axes_show: what the axes are: the first and the second of these.
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
            xlabel=f"first {axes_show}",
        )
    axes[0, 0].set_ylabel(f"second {axes_show}")
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
