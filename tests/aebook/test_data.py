import doctest
import os
import zipfile

import numpy as np
import pytest

from aebook import data, sources
from aebook.parameters import InputError

NAMES = list(sources.KERAS_FILES)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AEBOOK_DATA", str(tmp_path))
    return tmp_path


def test_folder(folder, arrays):
    np.savez_compressed(folder / "mnist.npz", **arrays)
    images = data.load("mnist")
    assert (images.source, images.verified, images.is_stand_in) == ("folder", False, False)
    for key, array in arrays.items():
        assert np.array_equal(getattr(images, key), array)
    assert "not verified" in str(images)
    assert str(folder) not in str(images)


def test_n_train_keeps_the_first(folder, arrays):
    np.savez(folder / "mnist.npz", **arrays)
    images = data.load("mnist", n_train=12)
    assert np.array_equal(images.x_train, arrays["x_train"][:12])
    assert np.array_equal(images.y_train, arrays["y_train"][:12])
    assert len(images.x_test) == 20


def test_n_train_beyond_the_supply(folder, arrays):
    np.savez(folder / "mnist.npz", **arrays)
    with pytest.raises(InputError, match="n_train must be at most 30, .* got 31"):
        data.load("mnist", n_train=31)


@pytest.mark.parametrize("n_train", [0, -5, 2.5])
def test_n_train_is_a_count(n_train):
    with pytest.raises(InputError, match=f"n_train must be .* got {n_train}"):
        data.load("mnist", n_train=n_train)


def test_unknown_name():
    with pytest.raises(InputError, match="dataset must be one of mnist, fashion_mnist; got 'cifar10'"):
        data.load("cifar10")


def test_missing_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("AEBOOK_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="there is no folder .*nowhere"):
        data.load("mnist")
    monkeypatch.setenv("AEBOOK_DATA", "x" * 5000)
    with pytest.raises(InputError, match="there is no folder"):
        data.load("mnist")


def test_missing_file(folder, arrays):
    np.savez(folder / "mnist.npz", **arrays)
    with pytest.raises(InputError, match="holds fashion_mnist.npz; .* has none"):
        data.load("fashion_mnist")


def test_truncated_file(folder, arrays):
    np.savez(folder / "mnist.npz", **arrays)
    whole = (folder / "mnist.npz").read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 10):
        (folder / "mnist.npz").write_bytes(whole[:size])
        with pytest.raises(InputError, match="must be a whole .npz file with the arrays"):
            data.load("mnist")


def test_damaged_values(folder, arrays):
    np.savez_compressed(folder / "mnist.npz", **arrays)
    content = bytearray((folder / "mnist.npz").read_bytes())
    content[2000:2010] = bytes(10)
    (folder / "mnist.npz").write_bytes(content)
    with pytest.raises(InputError, match="must be a whole .npz file with the arrays"):
        data.load("mnist")


def test_foreign_files(folder, arrays):
    path = folder / "mnist.npz"
    np.savez(path, images=arrays["x_train"])
    with pytest.raises(InputError, match="with the arrays x_train"):
        data.load("mnist")
    path.write_text("not an archive")
    with pytest.raises(InputError, match="with the arrays x_train"):
        data.load("mnist")
    with open(path, "wb") as file:
        np.save(file, arrays["x_train"])
    with pytest.raises(InputError, match="with the arrays x_train"):
        data.load("mnist")
    with zipfile.ZipFile(path, "w") as archive:
        for key in arrays:
            archive.writestr(f"{key}.npy", "not an array")
    with pytest.raises(InputError, match="must"):
        data.load("mnist")


def test_pickled_arrays_are_never_loaded(folder, arrays, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    trap = np.empty(30, dtype=object)
    trap[:] = Trap()
    np.savez(folder / "mnist.npz", **{**arrays, "x_train": trap})
    with pytest.raises(InputError, match="none of them pickled"):
        data.load("mnist")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("x_train", np.zeros((30, 784), "uint8"), r"x_train .* shape \(n, 28, 28\), got \(30, 784\)"),
        ("x_test", np.zeros((20, 32, 32), "uint8"), r"x_test .* shape \(n, 28, 28\), got \(20, 32, 32\)"),
        ("x_test", np.zeros((0, 28, 28), "uint8"), r"x_test .* shape \(n, 28, 28\), got \(0, 28, 28\)"),
        ("x_train", np.full((30, 28, 28), 256), "x_train .* from 0 to 255, got 256 to 256"),
        ("x_train", np.full((30, 28, 28), -1), "x_train .* from 0 to 255, got -1 to -1"),
        ("x_train", np.full((30, 28, 28), 0.5), "x_train .* whole numbers .* got the type float64"),
        ("x_train", np.full((30, 28, 28), "1"), "x_train .* whole numbers .* got the type <U1"),
        ("x_train", np.full((30, 28, 28), 1, "timedelta64[s]"), "x_train .* got the type timedelta64"),
        ("y_train", np.zeros(29, "uint8"), r"y_train .* shape \(30,\), one class for each image, got \(29,\)"),
        ("y_test", np.full(20, 10), "y_test .* from 0 to 9, got 10 to 10"),
    ],
)
def test_arrays_that_cannot_be_images(folder, arrays, key, value, message):
    np.savez(folder / "mnist.npz", **{**arrays, key: value})
    with pytest.raises(InputError, match=message):
        data.load("mnist")


def test_the_examples_of_the_module(no_network):
    results = doctest.testmod(data)
    assert results.attempted and not results.failed


def test_an_empty_variable_counts_as_not_set(no_network, monkeypatch):
    monkeypatch.setenv("AEBOOK_DATA", "")
    assert data.load("mnist", n_train=10).is_stand_in


# The second source: Keras's cache and its download


@pytest.mark.parametrize("name", NAMES)
def test_the_official_arrays_are_verified(name):
    if not os.environ.get("AEBOOK_DATA"):
        pytest.skip("AEBOOK_DATA is not set")
    images = data.load(name)
    assert images.verified
    assert "\nverified" in str(images)
    assert (len(images.x_train), len(images.x_test)) == (60_000, 10_000)


@pytest.mark.parametrize("key", sources.ARRAYS)
def test_one_changed_value_is_not_verified(folder, arrays, monkeypatch, key):
    """With the checksums of these small arrays in place of the official ones."""
    checksums = {name: data._idx_md5(array) for name, array in arrays.items()}
    monkeypatch.setitem(data.OFFICIAL_MD5, "mnist", checksums)
    np.savez(folder / "mnist.npz", **arrays)
    assert data.load("mnist").verified
    assert data.load("mnist", n_train=12).verified
    arrays[key].flat[7] ^= 1
    np.savez(folder / "mnist.npz", **arrays)
    assert not data.load("mnist").verified


def test_idx_checksum_of_a_known_file():
    """An IDX file by hand: two zero bytes, type 8, dimensions, sizes, values."""
    from hashlib import md5

    images = np.arange(2 * 28 * 28, dtype="uint8").reshape(2, 28, 28)
    file = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + images.tobytes()
    assert data._idx_md5(images) == md5(file).hexdigest()
    labels = np.array([3, 1], dtype="uint8")
    assert data._idx_md5(labels) == md5(bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 1])).hexdigest()


def test_layouts(arrays):
    x = arrays["x_train"]
    vectors = data.to_vectors(x)
    assert vectors.shape == (30, 784) and vectors.dtype == "float32"
    assert np.allclose(vectors[3].reshape(28, 28) * 255, x[3])
    last, first = data.to_channels(x), data.to_channels(x, "channels_first")
    assert last.shape == (30, 28, 28, 1) and first.shape == (30, 1, 28, 28)
    for pixels in (vectors, last, first):
        assert np.allclose(data.to_grid(pixels) * 255, x)
    with pytest.raises(InputError, match="data_format must be one of"):
        data.to_channels(x, "first")
