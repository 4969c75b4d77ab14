"""Keras's other backends, where they are installed: the tests of the models, and a chapter in small."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from aebook.notebooks import glued

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_on_another_backend(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed; make bench installs it")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    tests = [ROOT / "tests" / "aebook" / f"test_{name}.py" for name in ("models", "training")]
    unit = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *tests],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert unit.returncode == 0, unit.stdout + unit.stderr
    for chapter in ("6_2_dense", "6_3_convolutional"):
        out = tmp_path / f"{chapter}.ipynb"
        run = subprocess.run(
            [
                Path(sys.executable).parent / "papermill",
                ROOT / "notebooks" / f"{chapter}.ipynb",
                out,
                "--cwd",
                ROOT / "notebooks",
                "-p",
                "epochs",
                "1",
                "-p",
                "n_train",
                "1000",
            ],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        results = glued(nbformat.read(out, as_version=4))
        assert 0 < next(value for name, value in results.items() if name.endswith("best_val_bce")) < 0.7
