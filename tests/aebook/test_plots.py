import dataclasses
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas
import pytest

from aebook import charts, data, diagrams, plots, quotients
from aebook.parameters import InputError

NOTE = "Stand-in data: scikit-learn's digits, not MNIST"
HISTORY = SimpleNamespace(
    history={"loss": [3, 2.0], "val_loss": [3, 2.5], "accuracy": [0.1, 0.2], "val_accuracy": [0.1, 0.3]}
)
PIXELS = np.random.default_rng(0).random((12, 784))

FIGURES = {
    "reconstructions": lambda images: plots.reconstructions(images, PIXELS, {"out": PIXELS}, codes=PIXELS[:, :5]),
    "learning_curves": lambda images: charts.learning_curves(images, {"run": HISTORY}, 0.1, 0.9),
    "basis": lambda images: plots.basis(images, {"PCA": PIXELS[:8], "net": PIXELS[:8]}),
    "errors": lambda images: charts.errors(images, {"a": 1.0, "b": 0.5}, "error"),
    "pictures": lambda images: plots.pictures(images, {"a": PIXELS, "b": PIXELS}),
    "lines": lambda images: charts.lines(images, {"": {"a": ([1, 2], [3, 4])}}, "x", "y", ticks=[1, 2]),
    "ladder": lambda images: plots.ladder(images, PIXELS[0], {"PCA": {2: PIXELS[:1], 4: PIXELS[1:2]}}),
    "digit_map": lambda images: plots.digit_map(images, PIXELS[:6], np.arange(3.0), np.arange(2.0)),
    "thumbnails": lambda images: plots.thumbnails(images, {"code": PIXELS[:, :49].reshape(12, 7, 7, 1)}),
    "plane": lambda images: plots.plane(images, {"a": PIXELS[:, :2]}, np.arange(12) % 3),
    "feature_maps": lambda images: plots.feature_maps(
        images, {"encoder": [("input", np.ones((7, 7, 3)))] * 3, "decoder": [("Conv2D", np.ones((7, 7, 1)))] * 2}
    ),
}


@pytest.fixture
def real(stand_in):
    return dataclasses.replace(stand_in, source="folder")


def text(figure):
    return {artist.get_text() for artist in figure.findobj(plt.Text)}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_draws_and_says_when_it_shows_the_stand_in(name, stand_in, real, tmp_path):
    assert NOTE in text(FIGURES[name](stand_in))
    figure = FIGURES[name](real)
    assert NOTE not in text(figure)
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert plt.get_fignums() == []


def test_the_diagram_names_the_parts(tmp_path):
    figure = diagrams.autoencoder()
    assert {"input", "encoder", "code", "decoder", "reconstruction"} <= text(figure)
    figure.savefig(tmp_path / "diagram.png")


def test_points_are_found_again_in_the_color_of_their_number():
    points, numbers = PIXELS[:, :2], PIXELS[:, 2:3]
    left, right = plots.found_again(points, {"PCA": (points, numbers), "net": (points / 2, numbers)}).axes
    assert (left.get_title(), right.get_title()) == ("PCA", "net")
    gray, found = right.collections
    assert np.allclose(gray.get_offsets(), points) and np.allclose(found.get_offsets(), points / 2)
    assert np.allclose(found.get_array(), numbers.ravel())


def test_the_ladder_ends_with_the_image(real):
    figure = plots.ladder(real, PIXELS[0], {"PCA": {2: PIXELS[1:2], 4: PIXELS[2:3]}})
    assert [axis.get_title() for axis in figure.axes] == ["2 numbers", "4 numbers", "the image"]
    assert np.allclose(figure.axes[2].images[0].get_array().ravel(), PIXELS[0])


def test_the_map_has_the_lowest_row_at_the_bottom(real):
    tiles = np.repeat(np.arange(6)[:, None] / 6, 784, axis=1)
    shown = plots.digit_map(real, tiles, np.arange(3.0), np.arange(2.0)).axes[0].images[0].get_array()
    assert shown.shape == (56, 84)
    assert np.allclose(shown[::28, ::28], [[3 / 6, 4 / 6, 5 / 6], [0, 1 / 6, 2 / 6]])


@pytest.mark.parametrize("shape", [(12, 784), (12, 28, 28, 1), (12, 1, 28, 28)])
def test_rows_in_every_layout(shape, real):
    figure = plots.reconstructions(real, PIXELS.reshape(shape), {"out": PIXELS.reshape(shape)})
    assert len(figure.axes) == 20
    shown = figure.axes[13].images[0].get_array()
    assert np.allclose(shown, data.to_grid(PIXELS)[3])


def test_three_rows_with_the_code_in_the_middle(real):
    codes = np.arange(24.0).reshape(12, 2)
    figure = plots.reconstructions(real, PIXELS, {"out": PIXELS}, codes=codes)
    assert len(figure.axes) == 30
    stems = figure.axes[14].containers[0]
    assert np.allclose(stems.markerline.get_ydata(), codes[4])


def test_the_code_of_a_convolutional_model_as_stems(real):
    figure = plots.reconstructions(real, PIXELS, {"out": PIXELS}, codes=np.ones((12, 7, 7, 2)))
    assert len(figure.axes[10].containers[0].markerline.get_ydata()) == 98


def test_fewer_images_than_columns(real):
    assert len(plots.reconstructions(real, PIXELS[:3], {"out": PIXELS[:3]}).axes) == 6


def test_learning_curves_show_the_limits(real):
    figure = charts.learning_curves(real, {"run": HISTORY}, 0.1, 0.9)
    loss, accuracy = figure.axes
    assert {"run, training", "run, validation", "lowest possible"} <= text(figure)
    assert [list(line.get_ydata()) for line in loss.lines] == [[3, 2.0], [3, 2.5], [0.1, 0.1]]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.1, 0.2], [0.1, 0.3], [0.9, 0.9]]


TABLE = pandas.DataFrame(
    [
        {"model": model, "z_dim": z, "loss": 1 / z + seed, "data_source": "folder"}
        for model in ("pca", "dense")
        for z in (2, 4, 32)
        for seed in (0.0, 0.5)
    ]
)


def test_spread_shows_mean_and_range():
    figure = charts.spread(TABLE, "z_dim", {"loss": "error"}, group="model", limits={"loss": ("lowest possible", 0.01)})
    axis = figure.axes[0]
    assert [list(line.get_ydata()) for line in axis.lines[:1]] == [[0.75, 0.5, 0.28125]]
    band = axis.collections[0].get_paths()[0].vertices[:, 1]
    assert band.min() == 1 / 32 and band.max() == 1
    assert axis.get_xscale() == "log" and [label.get_text() for label in axis.get_xticklabels()] == ["2", "4", "32"]
    assert {"pca", "dense", "lowest possible", "error", "z_dim"} <= text(figure)
    assert NOTE not in text(figure)
    assert NOTE in text(charts.spread(TABLE.assign(data_source="stand-in"), "z_dim", {"loss": "error"}))


def test_spread_against_words_and_in_many_panels(tmp_path):
    results = {name: name for name in ("loss", "z_dim", "a", "b")}
    figure = charts.spread(TABLE.assign(a=1.0, b=2.0), "model", results)
    figure.savefig(tmp_path / "figure.png")
    assert len(figure.axes) == 6 and figure.axes[0].get_xscale() == "linear"
    assert plt.get_fignums() == []


def test_the_mosaic_keeps_every_channel():
    maps = np.arange(7 * 7 * 5.0).reshape(7, 7, 5)
    mosaic = plots._mosaic(maps)
    assert mosaic.shape == (15, 23)
    assert np.array_equal(mosaic[8:15, 8:15], maps[:, :, 4])


def test_a_name_has_one_colour_in_all_panels(real):
    panels = {"left": {"a": ([1], [1]), "b": ([1], [2])}, "right": {"b": ([1], [2])}}
    left, right = charts.lines(real, panels, "x", "y").axes
    assert left.lines[1].get_color() == right.lines[0].get_color() != left.lines[0].get_color()


def decided(sides):
    """Rows as aebook.claims.decide gives them, one for each side."""
    effects = {"for": 0.5, "against": 2.0, "no difference": 1.001, "open": 1.1}
    return pandas.DataFrame(
        [
            {"case": f"case {side}", "effect": effects[side], "low": effects[side] - 0.1, "high": effects[side] + 0.1}
            | {"side": side}
            for side in sides
        ]
    )


def looks(figure):
    """The color, marker and filling of each point."""
    points = [line for line in figure.axes[0].lines if line.get_marker() != "None" and len(line.get_xdata())]
    return {(line.get_color(), line.get_marker(), line.get_markerfacecolor()) for line in points}


def test_effects_show_their_side_of_the_line(tmp_path):
    sides = ("for", "against", "no difference", "open")
    figure = quotients.effects(decided(sides), "a ÷ b")
    assert len(looks(figure)) == 4
    assert {"0.50", "2.00", "1.00", "1.10", *(f"case {side}" for side in sides)} <= text(figure)
    assert {"one", "two"} <= text(quotients.effects(decided(["for", "open"]), "a ÷ b", ["one", "two"]))
    figure.savefig(tmp_path / "effects.png")


def test_strips_have_a_row_for_each_claim(tmp_path):
    figure = quotients.strips({"first": decided(["for", "for"]), "second": decided(["against", "open"])})
    assert {"first", "second"} <= text(figure) and len(looks(figure)) == 3
    figure.savefig(tmp_path / "strips.png")


def test_a_case_shows_each_seed_its_mean_and_what_does_not_matter(tmp_path):
    figure = quotients.case([0.5, 2.0], 0.4, 2.5, 0.02)
    seeds, interval, mean = figure.axes[0].lines[1:]
    assert list(seeds.get_xdata()) == [0.5, 2.0] and list(interval.get_xdata()) == [0.4, 2.5]
    assert mean.get_xdata() == pytest.approx(1)
    figure.savefig(tmp_path / "case.png")


def test_a_race_has_a_line_to_reach_in_each_panel(tmp_path):
    lines = {"a": ([1, 2, 3], [0.3, 0.2, 0.1]), "b": ([2, 4], [0.4, 0.3])}
    figure = charts.race({"left": lines, "right": lines}, {"left": 0.2, "right": 0.3})
    assert [[list(line.get_ydata())[0] for line in axis.lines] for axis in figure.axes] == [
        [0.3, 0.4, 0.2],
        [0.3, 0.4, 0.3],
    ]
    assert {"a", "b", "to reach", "left", "right"} <= text(figure)
    figure.savefig(tmp_path / "race.png")


def test_growth_has_a_row_for_each_cost_and_a_column_for_each_setting(tmp_path):
    table = pandas.DataFrame(
        [
            {"model": model, "setting": setting, "times": times, "seconds": seconds, "memory": 1.0}
            for model in ("dense", "conv")
            for setting in ("size", "images")
            for times, seconds in ((4, 8.0), (1, 3.0))
        ]
    )
    figure = charts.growth(table, {"images": "images", "size": "code size"}, {"seconds": "s", "memory": "GB"})
    assert len(figure.axes) == 4 and {"images", "code size", "s", "GB", "dense", "conv"} <= text(figure)
    dense, conv = figure.axes[0].lines
    assert list(dense.get_ydata()) == list(conv.get_ydata()) == [3, 8] and dense.get_color() != conv.get_color()
    figure.savefig(tmp_path / "growth.png")


def test_more_lines_than_styles_is_one_clear_error(real):
    """No line is left out without a word."""
    five = {name: ([1, 2], [3, 4]) for name in "abcde"}
    table = pandas.DataFrame([{"model": name, "setting": "size", "times": 1, "seconds": 1.0} for name in "abcd"])
    for draw, most in (
        (lambda: charts.race({"": five}, {"": 1}), "4 lines to be told apart, got 5: a, b, c, d, e"),
        (lambda: charts.lines(real, {"": five}, "x", "y"), "4 lines to be told apart, got 5: a, b, c, d, e"),
        (
            lambda: charts.growth(table, {"size": "size"}, {"seconds": "s"}),
            "3 lines to be told apart, got 4: a, b, c, d",
        ),
    ):
        with pytest.raises(InputError, match=f"at most {most}"):
            draw()
