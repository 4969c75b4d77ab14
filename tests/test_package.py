import ast
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import aebook
from aebook import listings, models

ROOT = Path(__file__).parent.parent
ORDER = ["parameters", "published", "data", "models", "training", "metrics", "claims", "plots", "listings", "execute",
         "report", "worker", "sweep", "contenders", "bench"]


def test_importing_aebook_is_cheap():
    command = "import sys, aebook; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout
    for heavy in ("tensorflow", "keras", "numpy", "matplotlib"):
        assert f"'{heavy}'" not in loaded


@pytest.mark.parametrize("module", ["parameters", "published", "data", "metrics", "claims", "plots", "listings", "sweep"])
def test_tensorflow_comes_in_with_models_only(module):
    command = f"import sys, aebook.{module}; print('tensorflow' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"


def test_data_flows_one_way():
    """No module imports one to its right, and the list above is complete."""
    assert {path.stem for path in (ROOT / "aebook").glob("*.py")} - {"__init__", "__main__"} == set(ORDER)
    for place, module in enumerate(ORDER):
        tree = ast.parse((ROOT / "aebook" / f"{module}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aebook":
                imported = (
                    [node.module.split(".")[1]] if "." in node.module else [alias.name for alias in node.names]
                )
                for name in imported:
                    assert ORDER.index(name) < place, f"{module} imports {name}"


@pytest.mark.slow
def test_the_commands():
    def run(*arguments):
        return subprocess.run([sys.executable, "-m", "aebook", *arguments], capture_output=True, text=True)

    assert run().returncode == 1 and run().stderr == run("train").stderr
    assert run().stderr.startswith("usage: python -m aebook {execute,sweep,bench}")
    assert run("sweep", "--help").stdout.startswith("usage: python -m aebook sweep")
    assert run("execute", "--help").stdout.startswith("usage: python -m aebook execute")
    assert run("bench", "--help").stdout.startswith("usage: python -m aebook bench")


def test_version():
    assert version("aebook") == aebook.__version__


def test_a_listing_is_the_source_itself():
    listing = listings.show(models.DenseAutoencoder).data
    assert listing.startswith("```python\n@keras") and listing.endswith("\n```")
    source = (ROOT / "aebook" / "models.py").read_text()
    assert listing.removeprefix("```python\n").removesuffix("\n```") in source


def test_the_lock_pins_every_dependency():
    def lock(name):
        lines = [
            line.split(";")[0].strip()
            for line in (ROOT / name).read_text().splitlines() if line and not line.lstrip().startswith("#")
        ]
        assert lines and all("==" in line for line in lines)
        return {line.split("==")[0]: {other for other in lines if other.startswith(line.split("==")[0] + "==")}
                for line in lines}

    pinned, for_the_bench = lock("requirements.txt"), lock("requirements-bench.txt")
    for name in set(pinned) & set(for_the_bench):
        assert pinned[name] == for_the_bench[name]
    assert for_the_bench["torch"] == {"torch==2.13.0"} and not {"torch", "jax"} & set(pinned)
    for name in ("jupyter-book", "jupyterlab", "keras", "tensorflow", "matplotlib", "nbval", "papermill"):
        assert name in pinned
    project = (ROOT / "pyproject.toml").read_text()
    for name in re.findall(r'^    "([a-z-]+)[><=]', project, re.MULTILINE):
        assert name in pinned or name in for_the_bench, f"{name} is in pyproject.toml and not in requirements.txt"


def test_make_help_lists_every_verb():
    out = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True).stdout
    for verb in ("help", "book", "test", "check", "verify", "execute", "sweep", "bench", "lab", "translate", "clean"):
        assert f"make {verb} " in out
