"""What lies in book/explorer belongs to the stored models and to MNIST: `tools.explorer`."""

import numpy as np
import pytest

from aebook import data, models
from aebook.explorer.pack import pack
from aebook.notebooks import glued
from tools import explorer, real
from tests.explorer.conftest import unpack

WEIGHTS = [name for name in explorer.MODELS if name != "pca"]


@pytest.fixture(scope="module")
def mnist():
    if reason := real.why_no_mnist():
        pytest.skip(reason)
    return data.load("mnist")
