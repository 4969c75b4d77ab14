"""MNIST's frame: what is drawn anywhere and at any size becomes an image as MNIST's are."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

from tools import explorer, real

SIDE = 168


def placed(image, zoom, left, top):
    """A picture of SIDE×SIDE pixels with the image in it: each of its pixels covers zoom×zoom, not at whole pixels."""

    def covers(start):
        """How much of each pixel of the picture (rows) each pixel of the image (columns) covers along one axis."""
        low = start + np.arange(28) * zoom
        edges = np.arange(SIDE)[:, None]
        return np.clip(np.minimum(low + zoom, edges + 1) - np.maximum(low, edges), 0, 1)

    return covers(top) @ image @ covers(left).T


@pytest.fixture(scope="module")
def pictures(digits):
    """Each digit at a size and a place of its own."""
    rng = np.random.default_rng(0)
    zooms = rng.uniform(3, 6, len(digits))
    return [
        placed(image / 255, zoom, *rng.uniform(-2 * zoom, SIDE - 26 * zoom, 2)) for image, zoom in zip(digits, zooms)
    ]


def brought_back(javascript, call, pictures):
    """The pictures, each gray a byte as on a canvas, as JavaScript brings them back."""
    texts = [base64.b64encode(np.rint(255 * picture).astype("u1").tobytes()).decode() for picture in pictures]
    body = f"""
        const grays = (text) => Float32Array.from(atob(text), (letter) => letter.charCodeAt(0) / 255);
        return given.texts.map((text) => {call}(grays(text), {SIDE}, {SIDE}));
    """
    return np.array(javascript(body, texts=texts))


def test_real_digits_enlarged_and_moved_are_brought_back(digits, pictures, javascript):
    x = digits.reshape(-1, 784) / 255
    framed = brought_back(javascript, "e.frameOf", pictures)
    errors = np.abs(framed - x).mean(axis=1)
    limit = 0.011 if real.why_no_mnist() else 0.01  # the training images that the pages have are in 16 grays
    assert np.median(errors) < limit and np.quantile(errors, 0.85) < 0.02
    shrunk = brought_back(javascript, "e.naive", pictures[:100])
    assert np.median(np.abs(shrunk - x[:100]).mean(axis=1)) > 0.1  # it does matter


def test_a_frame_is_as_mnist_s_are(pictures, javascript):
    framed = brought_back(javascript, "e.frameOf", pictures[:100]).reshape(-1, 28, 28)
    for image in framed:
        rows, columns = np.flatnonzero(image.max(axis=1) > 0.02), np.flatnonzero(image.max(axis=0) > 0.02)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
        assert image.max() == 1
        middle = np.array([image.sum(axis=axis) @ (np.arange(28) + 0.5) for axis in (0, 1)]) / image.sum()
        assert (middle > 13.99).all() and (middle < 15.01).all()


def test_digits_drawn_with_a_pen_have_the_error_of_something_seen_before(javascript):
    """Each digit three times. The limit is no proof of a digit: a house, a star and an A pass it, too."""
    packs = [explorer.read(explorer.SCRIPTS / f"{name}.js") for name in ("6_2_dense", "6_3_convolutional", "pca")]
    strokes = json.loads((Path(__file__).parent / "strokes.json").read_text(encoding="utf-8"))
    assert [len(drawings) for drawings in strokes.values()] == [3] * 10
    body = """
        const framed = given.drawings.map((strokes) =>
            e.frame(strokes.map((stroke) => stroke.map(([x, y]) => ({ x: x / 100, y: y / 100 })))));
        const error = (model) => framed.map((x) => e.mse(x, model.decode(model.encode(x))));
        return given.packs.map((packed) => error(e.load(packed)));
    """
    errors = np.array(javascript(body, packs=packs, drawings=sum(strokes.values(), [])))
    seen = np.array([packed["error"]["seen"] for packed in packs])
    assert errors.shape == (3, 30) and (errors < seen[:, None]).all()


def test_without_ink_there_is_no_image(javascript):
    assert javascript("return [e.frame([]), e.frame([[]]), e.frameOf(new Float32Array(9), 3, 3)]") == [None] * 3


def test_a_dot_a_line_and_a_wild_drawing_have_a_frame(javascript):
    dot, line, corner = javascript("""
        const line = [{ x: 0.1, y: 0.2 }, { x: 0.1, y: 0.9 }];
        return [e.frame([[{ x: 0.99, y: 0.01 }]]), e.frame([line], 0.05), e.frame([line, [{ x: 0.9, y: 0.9 }]], 0.02)];
    """)
    assert np.count_nonzero(dot) > 200
    rows, columns = np.nonzero(np.reshape(line, (28, 28)) > 0.02)
    assert np.ptp(rows) + 1 == 20 and np.ptp(columns) + 1 in (1, 2, 3)
    assert np.reshape(corner, (28, 28))[:, -2:].sum() > 0.3  # far from the center of the ink, and not lost


def test_the_pen_s_edge_is_smooth_and_its_line_as_wide_as_it_is(javascript):
    slanted = javascript("return e.ink([[{ x: 0.21, y: 0.3 }, { x: 0.8, y: 0.57 }]], 0.08, 100)")
    length, width = 100 * np.hypot(0.59, 0.27), 8
    assert np.sum(slanted) == pytest.approx(length * width + np.pi * (width / 2) ** 2, rel=0.01)
    assert np.min(slanted) == 0 and np.max(slanted) == 1
    assert len(np.unique(slanted)) > 20


def test_the_size_of_a_drawing_does_not_change_its_frame(javascript):
    small, large = javascript("""
        const bow = Array.from({ length: 40 }, (_, i) => ({ x: 0.4 + Math.sin(i / 7) / 3, y: i / 40 }));
        return [0.3, 0.75].map((size) => e.frame([bow.map(({ x, y }) => ({ x: 0.2 + x * size, y: 0.1 + y * size }))]));
    """)
    assert np.abs(np.subtract(small, large)).mean() < 0.02


def test_the_error_is_that_of_the_book(digits, javascript):
    from aebook import metrics

    x, y = digits[0].reshape(1, -1) / 255, np.random.default_rng(0).random((1, 784)).round(4)
    mse = javascript("return e.mse(given.x, given.y)", x=x[0].tolist(), y=y[0].tolist())
    assert mse == pytest.approx(metrics.mse(x, y), rel=1e-6)
