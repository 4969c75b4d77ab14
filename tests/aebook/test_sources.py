"""Where images come from: a download into the cache of Keras, and the stand-in."""

import gzip
import http.client
import io
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from aebook import data, sources
from aebook.parameters import InputError

NAMES = list(sources.KERAS_FILES)


def files_of(name, arrays):
    """The arrays in the files that keras.datasets downloads: {file: content}."""
    if name == "mnist":
        npz = io.BytesIO()
        np.savez_compressed(npz, **arrays)
        return {"mnist.npz": npz.getvalue()}
    return {
        file: gzip.compress(struct.pack(f">{1 + a.ndim}I", 0x0800 + a.ndim, *a.shape) + a.tobytes())
        for file, a in zip(sources.KERAS_FILES[name][1], arrays.values(), strict=True)
    }


def equal(images, arrays):
    return all(np.array_equal(getattr(images, key), array) for key, array in arrays.items())


@pytest.fixture
def cache(no_network, tmp_path):
    """The folder of a data set in Keras's cache, which is empty; there is no network."""
    return lambda name: tmp_path / "keras" / sources.KERAS_FILES[name][0]


@pytest.fixture
def network(monkeypatch):
    """A network with these files; the list is of the addresses that were asked for."""

    def connect(files):
        asked = []

        def urlopen(address, timeout):
            asked.append(address)
            return io.BytesIO(files[address.removeprefix(sources.KERAS_ORIGIN)])

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
        assert asked == [sources.KERAS_ORIGIN + file for file in files]
    assert {path.name for path in cache(name).iterdir()} == {*files, f"{name}.lock"}
    assert all((cache(name) / file).read_bytes() == content for file, content in files.items())


def test_the_cache_is_the_one_of_keras(arrays, cache, network, monkeypatch, tmp_path):
    """Keras asks for the same addresses, and reads what was downloaded here."""
    import keras

    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    for name in NAMES:
        (tmp_path / "keras").mkdir(exist_ok=True)
        asked = []
        monkeypatch.setattr(
            urllib.request, "urlopen", lambda address, *more, asked=asked: asked.append(address) or 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            getattr(keras.datasets, name).load_data()
        assert asked[0].removeprefix(sources.KERAS_ORIGIN) in sources.KERAS_FILES[name][1]
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
    for half in (b"", content[: len(content) // 2], b"<html>"):
        (cache(name) / file).write_bytes(half)
        for _ in range(2):
            with pytest.raises(InputError, match=f"Keras's cached copy of {name} must be whole: .* failed .*not known"):
                data.load(name)
        assert (cache(name) / file).read_bytes() == half
    network(files)
    assert equal(data.load(name), arrays)
    assert (cache(name) / file).read_bytes() == content


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        TimeoutError("timed out"),
        http.client.IncompleteRead(b""),
        urllib.error.HTTPError("address", 503, "Service Unavailable", {}, None),
    ],
)
def test_a_broken_connection_is_a_failed_download(error, cache, monkeypatch):
    monkeypatch.setattr(sources, "stand_in", lambda n_train: dict.fromkeys(sources.ARRAYS, np.zeros(1, "uint8")))
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
    network({file: b"<html>Log in</html>" for _, files in sources.KERAS_FILES.values() for file in files})
    with pytest.raises(InputError, match="fashion_mnist is not to be had: .* the download failed"):
        data.load("fashion_mnist")
    assert [path.name for path in cache("fashion_mnist").iterdir()] == ["fashion_mnist.lock"]


CHILD = """
import io, os, sys, time, urllib.request
from pathlib import Path
from aebook import data, sources

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


@pytest.mark.parametrize(
    ("name", "dies"), [("mnist", ""), ("fashion_mnist", ""), ("mnist", "dies"), ("fashion_mnist", "dies")]
)
def test_processes_that_start_together_download_once_and_meet_no_half(name, dies, arrays, cache, tmp_path):
    """Where the first dies in the middle of it, another one downloads, and nobody waits for the dead."""
    files = files_of(name, arrays)
    (tmp_path / "served").mkdir()
    for file, content in files.items():
        (tmp_path / "served" / file).write_bytes(content)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, tmp_path, name, str(number), "3", dies],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
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
    assert stand_in.x_test.shape == (sources.STAND_IN_TEST, 28, 28)
    assert stand_in.x_train.min() == 0 and stand_in.x_train.max() == 255
    assert set(np.unique(stand_in.y_train)) == set(range(10))
    assert "not verified" in str(stand_in)


def test_the_stand_in_is_the_same_each_time(no_network, stand_in, monkeypatch):
    """However many images are asked for, the first are the same."""
    again = data.load("mnist", n_train=300)
    assert np.array_equal(again.x_train, stand_in.x_train[:300])
    assert np.array_equal(again.y_train, stand_in.y_train[:300])
    assert np.array_equal(again.x_test, stand_in.x_test)
    assert np.array_equal(again.y_test, stand_in.y_test)
    monkeypatch.setattr(sources, "STAND_IN_TRAIN", 12)
    with pytest.raises(InputError, match="n_train must be at most 12, .* got 13"):
        data.load("mnist", n_train=13)


def test_the_stand_in_parts_training_and_test_digits(monkeypatch):
    seen = []
    monkeypatch.setattr(
        sources, "_vary", lambda digits, labels, count, seed, keep=None: seen.append(digits) or (digits, labels)
    )
    sources.stand_in()
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
