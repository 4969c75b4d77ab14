import doctest
import gzip
import http.client
import io
import os
import struct
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest

from aebook import data
from aebook.parameters import InputError

NAMES = list(data.KERAS_FILES)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, 28, 28), dtype="uint8"),
        "y_train": rng.integers(0, 10, 30, dtype="uint8"),
        "x_test": rng.integers(0, 256, (20, 28, 28), dtype="uint8"),
        "y_test": rng.integers(0, 10, 20, dtype="uint8"),
    }


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


def files_of(name, arrays):
    """The arrays in the files that keras.datasets downloads: {file: content}."""
    if name == "mnist":
        npz = io.BytesIO()
        np.savez_compressed(npz, **arrays)
        return {"mnist.npz": npz.getvalue()}
    return {
        file: gzip.compress(struct.pack(f">{1 + a.ndim}I", 0x0800 + a.ndim, *a.shape) + a.tobytes())
        for file, a in zip(data.KERAS_FILES[name][1], arrays.values(), strict=True)
    }


def equal(images, arrays):
    return all(np.array_equal(getattr(images, key), array) for key, array in arrays.items())


@pytest.fixture
def cache(no_network, tmp_path):
    """The folder of a data set in Keras's cache, which is empty; there is no network."""
    return lambda name: tmp_path / "keras" / data.KERAS_FILES[name][0]


@pytest.fixture
def network(monkeypatch):
    """A network with these files; the list is of the addresses that were asked for."""
    def connect(files):
        asked = []

        def urlopen(address, timeout):
            asked.append(address)
            return io.BytesIO(files[address.removeprefix(data.KERAS_ORIGIN)])

        monkeypatch.setattr(urllib.request, "urlopen", urlopen)
        return asked

    return connect


@pytest.mark.parametrize("name", NAMES)
def test_a_download_fills_the_cache_of_keras(name, arrays, cache, network):
    files = files_of(name, arrays)
    asked = network(files)
    for _ in range(2):  # the second time there is nothing to download
        images = data.load(name)
        assert images.source == "keras" and equal(images, arrays)
        assert asked == [data.KERAS_ORIGIN + file for file in files]
    assert {path.name for path in cache(name).iterdir()} == {*files, f"{name}.lock"}
    assert all((cache(name) / file).read_bytes() == content for file, content in files.items())


def test_the_cache_is_the_one_of_keras(arrays, cache, network, monkeypatch, tmp_path):
    """Keras asks for the same addresses, and reads what was downloaded here."""
    import keras

    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    for name in NAMES:
        (tmp_path / "keras").mkdir(exist_ok=True)
        asked = []
        monkeypatch.setattr(urllib.request, "urlopen", lambda address, *more: asked.append(address) or 1 / 0)
        with pytest.raises(ZeroDivisionError):
            getattr(keras.datasets, name).load_data()
        assert asked[0].removeprefix(data.KERAS_ORIGIN) in data.KERAS_FILES[name][1]
    network(files_of("fashion_mnist", arrays))
    data.load("fashion_mnist")
    train, test = keras.datasets.fashion_mnist.load_data()
    assert all(map(np.array_equal, (*train, *test), arrays.values()))


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_copy_is_downloaded_again_or_an_error(name, arrays, cache, network):
    """Half a file may be one that another program is writing: it is left alone, and no stand-in takes its place."""
    files = files_of(name, arrays)
    cache(name).mkdir(parents=True)
    for file, content in files.items():
        (cache(name) / file).write_bytes(content)
    for half in (b"", content[:len(content) // 2], b"<html>"):
        (cache(name) / file).write_bytes(half)
        for _ in range(2):
            with pytest.raises(InputError, match=f"Keras's cached copy of {name} must be whole: .* failed .*not known"):
                data.load(name)
        assert (cache(name) / file).read_bytes() == half
    network(files)
    assert equal(data.load(name), arrays)
    assert (cache(name) / file).read_bytes() == content


@pytest.mark.parametrize("error", [
    ConnectionResetError("reset"), TimeoutError("timed out"), http.client.IncompleteRead(b""),
    urllib.error.HTTPError("address", 503, "Service Unavailable", {}, None),
])
def test_a_broken_connection_is_a_failed_download(error, cache, monkeypatch):
    monkeypatch.setattr(data, "_stand_in", lambda n_train: dict.fromkeys(data.ARRAYS, np.zeros(1, "uint8")))
    for break_off in ("urllib.request.urlopen", "shutil.copyfileobj"):
        with monkeypatch.context() as patch:
            patch.setattr("urllib.request.urlopen", lambda *more, **named: io.BytesIO(b"half"))
            patch.setattr(break_off, lambda *more, **named: (_ for _ in ()).throw(error))
            images = data.load("mnist")
        assert images.is_stand_in and f"the download failed ({error})" in images.reason
    assert [path.name for path in cache("mnist").iterdir()] == ["mnist.lock"]


@pytest.mark.parametrize("error", [PermissionError("no"), MemoryError(), ValueError("other"), Exception("x")])
def test_only_a_failed_download_leads_to_the_stand_in(no_network, monkeypatch, error):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *more, **named: (_ for _ in ()).throw(error))
    with pytest.raises(type(error)):
        data.load("mnist")


def test_a_page_instead_of_the_data_is_a_failed_download(cache, network):
    """As a network sends it that wants a login first."""
    network({file: b"<html>Log in</html>" for _, files in data.KERAS_FILES.values() for file in files})
    with pytest.raises(InputError, match="fashion_mnist is not to be had: .* the download failed"):
        data.load("fashion_mnist")
    assert [path.name for path in cache("fashion_mnist").iterdir()] == ["fashion_mnist.lock"]


CHILD = """
import io, os, sys, time, urllib.request
from pathlib import Path
from aebook import data

folder, name, number, of, dies = Path(sys.argv[1]), sys.argv[2], *sys.argv[3:]

class Slow(io.BytesIO):
    # A download that brings half a file, and the rest when all processes have begun.

    def read(self, size=-1):
        if self.tell() == 0:
            return super().read(len(self.getbuffer()) // 2)
        for _ in range(600):
            if len(list(folder.glob("begun-*"))) == int(of):
                break
            time.sleep(0.1)
        time.sleep(0.5)  # so that they meet the half, if it is where they look
        if dies and len(list(folder.glob("asked-*"))) == 1:
            os._exit(9)
        return super().read()

def urlopen(address, *more, **named):
    file = address.rsplit("/", 1)[1]
    (folder / f"asked-{number}-{file}").touch()
    return Slow((folder / "served" / file).read_bytes())

urllib.request.urlopen = urlopen
(folder / f"begun-{number}").touch()
images = data.load(name)
print(images.source, *(data._idx_md5(getattr(images, key)) for key in data.ARRAYS))
"""


@pytest.mark.parametrize(("name", "dies"), [("mnist", ""), ("fashion_mnist", ""), ("mnist", "dies"), ("fashion_mnist", "dies")])
def test_processes_that_start_together_download_once_and_meet_no_half(name, dies, arrays, cache, tmp_path):
    """Where the first dies in the middle of it, another one downloads, and nobody waits for the dead."""
    files = files_of(name, arrays)
    (tmp_path / "served").mkdir()
    for file, content in files.items():
        (tmp_path / "served" / file).write_bytes(content)
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, tmp_path, name, str(number), "3", dies],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(3)
    ]
    ends = [(*child.communicate(), child.returncode) for child in children]
    loaded = " ".join(["keras", *map(data._idx_md5, arrays.values())]) + "\n"
    assert sorted(ends, key=lambda end: end[2]) == [(loaded, "", 0)] * (2 if dies else 3) + [("", "", 9)] * bool(dies)
    asked = [Path(path).name for path in tmp_path.glob("asked-*")]
    assert len({path.split("-")[1] for path in asked}) == (2 if dies else 1)
    assert len(asked) == len(files) + bool(dies)
    assert equal(data.load(name), arrays)  # without a network


# The third source: the stand-in


def test_stand_in(stand_in):
    assert stand_in.source == "stand-in" and not stand_in.verified
    assert "the download failed" in stand_in.reason
    assert stand_in.x_train.shape == (3000, 28, 28) and stand_in.x_train.dtype == "uint8"
    assert stand_in.x_test.shape == (data.STAND_IN_TEST, 28, 28)
    assert stand_in.x_train.min() == 0 and stand_in.x_train.max() == 255
    assert set(np.unique(stand_in.y_train)) == set(range(10))
    assert "not verified" in str(stand_in)


def test_the_stand_in_is_the_same_each_time(no_network, stand_in):
    """However many images are asked for, the first are the same."""
    again = data.load("mnist", n_train=300)
    assert np.array_equal(again.x_train, stand_in.x_train[:300])
    assert np.array_equal(again.y_train, stand_in.y_train[:300])
    assert np.array_equal(again.x_test, stand_in.x_test)
    assert np.array_equal(again.y_test, stand_in.y_test)
    with pytest.raises(InputError, match="n_train must be at most 12, .* got 13"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(data, "STAND_IN_TRAIN", 12)
            data.load("mnist", n_train=13)


def test_the_stand_in_parts_training_and_test_digits(monkeypatch):
    seen = []
    monkeypatch.setattr(
        data, "_vary", lambda digits, labels, count, seed, keep=None: seen.append(digits) or (digits, labels)
    )
    data._stand_in()
    train, test = ({digit.tobytes() for digit in digits} for digits in seen)
    assert len(seen[0]) + len(seen[1]) == 1797
    assert not train & test


def test_the_stand_in_shows_digits(stand_in):
    """A nearest neighbour among the training images gives the label of a test image."""
    from sklearn.neighbors import KNeighborsClassifier

    x = data.to_vectors(stand_in.x_train)
    classifier = KNeighborsClassifier(1).fit(x, stand_in.y_train)
    assert classifier.score(data.to_vectors(stand_in.x_test[:500]), stand_in.y_test[:500]) > 0.85


def test_there_is_no_stand_in_for_fashion(no_network):
    with pytest.raises(InputError, match="fashion_mnist is not to be had: AEBOOK_DATA is not set and"):
        data.load("fashion_mnist")


@pytest.mark.parametrize("name", NAMES)
def test_the_official_arrays_are_verified(name):
    if not os.environ.get("AEBOOK_DATA"):
        pytest.skip("AEBOOK_DATA is not set")
    images = data.load(name)
    assert images.verified
    assert "\nverified" in str(images)
    assert (len(images.x_train), len(images.x_test)) == (60_000, 10_000)


@pytest.mark.parametrize("key", data.ARRAYS)
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
