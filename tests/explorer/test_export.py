"""What lies in book/explorer belongs to the stored models and to MNIST: `tools.explorer`."""

import base64
from copy import deepcopy

import numpy as np
import pytest

from aebook import data, models
from aebook.explorer.pack import SEEN, pack
from tools import explorer, mutations, real

NETWORKS = [name for name in explorer.MODELS if name != "pca"]


@pytest.fixture(scope="module")
def mnist():
    if reason := real.why_no_mnist():
        pytest.skip(reason)
    return data.load("mnist")


def packed_as(name):
    return explorer.read(explorer.SCRIPTS / f"{name}.js")


def belongs(packed, name, digits):
    """Whether a packed object holds the layers and the weights of the stored model."""
    again = pack(models.load(name), digits[:2], digits[:2], explorer.MODELS[name]["precision"])
    return all(packed[key] == again[key] for key in ("shape", "layers", "weights", "adler32"))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_packed_model_is_the_stored_one(name, digits):
    assert belongs(packed_as(name), name, digits), f"{name}.js is stale: make explorer"


ANSWER = """
    try {
        const model = e.load(given.packed);
        return given.x.map((image) => model.decode(model.encode(image)));
    } catch (error) { return error.message; }
"""


@pytest.mark.parametrize("change", mutations.OF_EXPORT.values(), ids=mutations.OF_EXPORT)
def test_a_changed_export_is_noticed(change, digits, javascript):
    name = "6_3_convolutional"
    packed = packed_as(name)
    changed = deepcopy(packed)
    change(changed)
    assert not belongs(changed, name, digits)
    x = data.to_vectors(digits[:20]).tolist()
    right, wrong = (javascript(ANSWER, packed=one, x=x) for one in (packed, changed))
    assert isinstance(wrong, str) or np.abs(np.subtract(right, wrong)).max() > packed["bound"]


@pytest.mark.slow
@pytest.mark.parametrize("name", explorer.MODELS)
def test_what_is_said_of_a_model_follows_from_mnist(name, mnist):
    packed, again = packed_as(name), explorer.pack_model(name, mnist)
    assert packed.keys() == again.keys() and packed["dead"] == again["dead"]
    np.testing.assert_allclose(packed["ranges"], again["ranges"], rtol=1e-3, atol=1e-3)
    for part in ("mean", "seen"):
        assert packed["error"][part] == pytest.approx(again["error"][part], rel=1e-3)
    assert packed["bound"] == pytest.approx(again["bound"], rel=0.2)
    if name == "pca":
        numbers = [np.frombuffer(base64.b64decode(one["weights"])[: 784 * 36 * 2], "<f2") for one in (packed, again)]
        np.testing.assert_allclose(*numbers, atol=1e-3)
    if "map" in packed:
        codes = [[point.pop("code") for point in one["map"]["points"]] for one in (packed, again)]
        np.testing.assert_allclose(*codes, atol=1e-3)
        assert packed["map"]["points"] == again["map"]["points"]
        assert all(mnist.y_test[point["index"]] == point["label"] for point in packed["map"]["points"])


def test_the_sample_is_mnist_s(mnist, unpack):
    test, training = packed_as("test"), packed_as("training")
    np.testing.assert_array_equal(unpack(test), mnist.x_test[test["indices"]])
    assert test["labels"] == "".join(map(str, mnist.y_test[test["indices"]]))
    grays = unpack(training).astype(int)
    assert np.abs(grays - mnist.x_train[: training["count"]]).max() <= 8  # of 255: half a step between 16 grays
    assert training["labels"] == "".join(map(str, mnist.y_train[: training["count"]]))


def test_the_sample_is_unpacked_alike_in_javascript(unpack, javascript):
    for name, count in (("test", 60), ("training", 5000)):
        packed = packed_as(name)
        pixels = unpack(packed).reshape(count, -1)
        found = javascript(
            """
            const { count, pixels, labels, indices, image } = e.images(given.packed);
            const sums = Array.from({ length: count }, (_, i) => pixels.subarray(i * 784, i * 784 + 784).join());
            return [sums[0], sums.at(-1), pixels.reduce((a, b) => a + b), labels, indices, image(count - 1)];
            """,
            packed=packed,
        )
        first, last, total, labels, indices, image = found
        assert [first, last] == [",".join(map(str, row)) for row in (pixels[0], pixels[-1])]
        assert total == pixels.sum() and "".join(map(str, labels)) == packed["labels"] and indices == packed["indices"]
        np.testing.assert_allclose(image, pixels[-1] / 255, atol=1e-7)
    assert sorted(packed_as("test")["labels"]) == sorted("0123456789" * 6)


def test_the_files_are_light_and_name_the_terms():
    sizes = {path.stem: path.stat().st_size for path in explorer.SCRIPTS.glob("*.js")}
    assert set(sizes) == {*explorer.MODELS, "test", "training"}
    assert sizes.pop("training") < 1_000_000
    assert sizes["6_1_map"] < 400_000 and sum(sizes.values()) < 750_000
    for name in ("test", "training"):
        assert "BY-SA" in packed_as(name)["terms"] or "by-sa/3.0" in packed_as(name)["terms"]
        assert "Burges" in (explorer.SCRIPTS / f"{name}.js").read_text(encoding="utf-8").splitlines()[0]


def test_the_map_knows_where_images_live(javascript):
    packed = packed_as("6_1_map")
    lived, outside, share = javascript(
        """
        const { map } = e.load(given.packed);
        const beyond = [map.high, map.low, [map.high[0] + 1, 0], [0, map.low[1] - 9], [NaN, 0], []];
        const inhabited = map.counts.filter((count) => count >= map.limit).length / map.counts.length;
        return [map.points.map(({ code }) => e.lives(map, code)), beyond.map((code) => e.lives(map, code)), inhabited];
        """,
        packed=packed,
    )
    assert len(lived) == 500 and np.mean(lived) > 0.97
    assert not any(outside) and 0.7 < share < 0.95
    low, high = np.array(packed["map"]["low"]), np.array(packed["map"]["high"])
    counts = np.frombuffer(base64.b64decode(packed["map"]["counts"]), "u1").reshape(packed["map"]["side"], -1)
    codes = np.array([point["code"] for point in packed["map"]["points"]])
    inside = codes[((codes >= low) & (codes < high)).all(axis=1)]
    across, up = np.floor((inside - low) / (high - low) * packed["map"]["side"]).astype(int).T
    assert sum(lived) == sum(counts[up, across] >= packed["map"]["limit"])


def test_one_image_in_a_hundred_is_not_seen_before(digits, javascript):
    body = """
        const error = (model) => given.x.map((x) => e.mse(x, model.decode(model.encode(x))));
        return given.all.map((packed) => error(e.load(packed)));
    """
    every = [packed_as(name) for name in explorer.MODELS]
    for packed, errors in zip(every, np.array(javascript(body, all=every, x=data.to_vectors(digits).tolist()))):
        assert np.mean(errors <= packed["error"]["seen"]) == pytest.approx(SEEN, abs=0.02)
        # Of images that it was trained on, which are taken where there is no MNIST, a model has less error.
        assert errors.mean() == pytest.approx(packed["error"]["mean"], rel=0.15 if real.why_no_mnist() else 0.1)


def test_another_data_set_is_not_exported(monkeypatch, stand_in):
    monkeypatch.setattr(data, "load", lambda name: stand_in)
    assert explorer.main().startswith("the pages show the verified MNIST only; got stand-in")
