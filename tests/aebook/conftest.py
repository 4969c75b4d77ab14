"""A small data set."""

import numpy as np
import pytest


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, 28, 28), dtype="uint8"),
        "y_train": rng.integers(0, 10, 30, dtype="uint8"),
        "x_test": rng.integers(0, 256, (20, 28, 28), dtype="uint8"),
        "y_test": rng.integers(0, 10, 20, dtype="uint8"),
    }
