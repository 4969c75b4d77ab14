"""What makes a stored number stale, and that none is."""

import gc
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pandas
import pytest

from aebook.bench import command as bench
from aebook.parameters import InputError
from aebook.rerun import provenance
from aebook.rerun.experiments import read_experiments
from aebook.rerun.provenance import module_code, notebook_code
from tests.rerun.helpers import ROOT


def test_no_stored_result_is_stale():
    codes = {path.stem: set(pandas.read_csv(path).get("code", [None])) for path in (ROOT / "results").glob("*.csv")}
    codes["bench"] = {json.loads((ROOT / "results" / "bench.json").read_text()).get("code")}
    now = {experiment.name: experiment.plan.code for experiment in read_experiments(ROOT / "experiments.yml")}
    now["bench"] = bench.code()
    assert set(now) == set(codes)
    stale = [name for name in now if codes[name] != {now[name]}]
    assert not stale, f"the code of {', '.join(stale)} has changed: measure again, by make sweep or make bench"


# On copies of the sources


@pytest.fixture
def package(tmp_path):
    return shutil.copytree(ROOT / "aebook", tmp_path / "aebook")


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def stored(stem):
    return (ROOT / "notebooks" / f"{stem}.ipynb").read_text(encoding="utf-8")


NOTEBOOKS = ("6_1_principle", "6_2_dense", "one_model", "uses")


def codes(package):
    of_notebooks = {stem: notebook_code(stored(stem), package) for stem in NOTEBOOKS}
    return {**of_notebooks, "bench": module_code("aebook.bench.trainers", package)}


def test_what_a_figure_looks_like_makes_nothing_stale(package):
    before = codes(package)
    for name in ("plots", "charts", "diagrams", "quotients", "notebooks"):
        with open(package / f"{name}.py", "a", encoding="utf-8") as file:
            file.write("\nCOLOR = 'red'\n")
    assert codes(package) == before


def test_a_training_line_makes_every_trained_number_stale(package):
    before = codes(package)
    change(package / "training.py", "learning_rate: float = ", "learning_rate: float = 7 + ")
    after = codes(package)
    assert all(before[name] != after[name] for name in before)


def test_what_a_module_imports_counts(package):
    before = codes(package)
    change(package / "sources.py", "def ", "extra = 1\n\ndef ")  # training needs data, which needs sources
    assert all(before[name] != code for name, code in codes(package).items())
    assert codes(ROOT / "aebook") == before


def test_another_module_of_the_package_does_not_count(package):
    before = codes(package)
    change(package / "rerun" / "store.py", "def ", "extra = 1\n\ndef ")
    assert codes(package) == before


SAME = """
from math import pi, tau
import numpy as np

class Model:
    rate = 0.5
    size

def area(r, *, n=1):
    if r:
        return pi * r ** 2 * np.float64(n)
"""

ALSO_THE_SAME = '''"""A docstring."""
from __future__ import annotations
import typing as t
from math import (
    pi,
)
from typing import TYPE_CHECKING

import numpy as np  # arrays
if TYPE_CHECKING:
    from aebook.training import Recipe

class Model:
    """Another."""
    rate: float = .5
    """What it is."""
    size: int

def area(r: t.Any,
         *, n: "Recipe" = 0x1) -> float:
    """A third."""
    # a comment
    if (r):
        """A fourth."""
        return (pi * r**2
                * np.float64(n))
'''


def code_of(source):
    return notebook_code(nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])))


def test_comments_docstrings_annotations_and_formatting_do_not_count():
    assert code_of(SAME) == code_of(ALSO_THE_SAME)
    for old, new in [
        ("0.5", "0.6"),
        ("pi * r", "tau * r"),
        ("n=1", "n=2"),
        ("numpy as np", "numpy.random as np"),
        ("from math import pi", "from cmath import pi"),
        ("    size\n", "    other\n"),
    ]:
        assert old in SAME and code_of(SAME.replace(old, new)) != code_of(SAME)


def test_the_hash_is_the_same_everywhere():
    """Python's versions differ in how they write and hold a tree. Change this text only with _shape."""
    assert code_of(SAME + "print(f'{area(2)!r:>{9}} of {Model.rate=}', [], None, ...)") == "2f7fd4ec4cc8"


def test_cells_may_hold_what_only_ipython_knows():
    assert code_of("%time\n!ls\nx = 1") != code_of("%time\n!ls\nx = 2")
    with pytest.raises(InputError, match="^a cell cannot be read as Python: invalid syntax: for in$"):
        code_of("for in")


def test_outputs_and_prose_do_not_count():
    notebook = nbformat.reads(stored("uses"), as_version=4)
    for cell in notebook.cells:
        cell.metadata["tags"], cell.outputs = [], []
        if cell.cell_type == "markdown":
            cell.source = "other"
    assert notebook_code(nbformat.writes(notebook)) == notebook_code(stored("uses"))


def test_the_modules_without_numbers_are_there():
    for name in provenance.NO_NUMBERS:
        assert (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()


def test_threads_may_ask_at_the_same_time():
    """Python 3.11 mixes up the trees of two threads if one takes over while the other's is made, as in a collection."""
    text = (ROOT / "notebooks" / "one_model.ipynb").read_text(encoding="utf-8")
    often = gc.get_threshold()
    gc.callbacks.append(lambda *_: time.sleep(0))
    gc.set_threshold(200)
    try:
        with ThreadPoolExecutor(4) as executor:
            assert len(set(executor.map(notebook_code, [text] * 8))) == 1
    finally:
        gc.set_threshold(*often)
        gc.callbacks.pop()
