"""Data for the tests: the stand-in, forced the way a reader without a network gets it."""

import keras
import pytest

from aebook import data


def cut_the_network(monkeypatch):
    """No AEBOOK_DATA, and Keras fails as it does without a network and without a cached file."""
    def fail():
        raise Exception("URL fetch failure on some address: None -- [Errno -2] Name or service not known")

    monkeypatch.delenv("AEBOOK_DATA", raising=False)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", fail)


@pytest.fixture
def no_network(monkeypatch):
    cut_the_network(monkeypatch)


@pytest.fixture(scope="session")
def stand_in():
    """3,000 training images of the stand-in, and all its test images."""
    with pytest.MonkeyPatch.context() as patch:
        cut_the_network(patch)
        return data.load("mnist", n_train=3000)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An environment for child processes in which MNIST is neither cached nor to be downloaded."""
    monkeypatch.delenv("AEBOOK_DATA", raising=False)
    (tmp_path / "keras").mkdir()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there: refused at once
