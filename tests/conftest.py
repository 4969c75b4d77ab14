"""Data for the tests: the stand-in, forced the way a reader without a network gets it."""

import shutil
import urllib.error
import urllib.request

import pytest

from aebook import data
from tools import built


def cut_the_network(monkeypatch, home):
    """No AEBOOK_DATA, nothing in Keras's cache, and no network to fill it."""

    def fail(*arguments, **more):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.delenv("AEBOOK_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setattr(urllib.request, "urlopen", fail)


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    cut_the_network(monkeypatch, tmp_path / "keras")


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    """3,000 training images of the stand-in, and all its test images."""
    with pytest.MonkeyPatch.context() as patch:
        cut_the_network(patch, tmp_path_factory.mktemp("keras"))
        return data.load("mnist", n_train=3000)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An environment for child processes in which MNIST is neither cached nor to be downloaded."""
    monkeypatch.delenv("AEBOOK_DATA", raising=False)
    (tmp_path / "keras").mkdir()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there: refused at once


@pytest.fixture(scope="session")
def chromium():
    """The browser: one for all tests of a process, because Playwright starts only once in it."""
    if shutil.which("chromium") is None:
        pytest.skip("there is no Chromium; Debian's package chromium has it")
    with built.chromium() as found:
        yield found
