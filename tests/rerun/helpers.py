"""A small notebook, and what takes the place of a kernel where that does not matter.

Each run leaves a line in the file "ran", so that a test can count what was executed.
"""

import functools
import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import cloudpickle
import nbformat
import pandas
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 600
"""Seconds after which a test that hangs ends: many times what it takes on a busy machine."""

SOURCES = [
    "z_dim: int = 8  # code size\nlearning_rate: float = 0.5  # rate\nseed: int = 0  # seed",
    "from aebook import parameters\nparameters.check(z_dim=z_dim, learning_rate=learning_rate, seed=seed)",
    "with open('ran', 'a') as file:\n    print(z_dim, seed, file=file)",
    "#",  # what a test wants to happen
    """from IPython.display import display
for name, value in {"loss": 1 / z_dim + seed / 100, "note": "a, b", "z_dim": z_dim}.items():
    display({"application/papermill.record/text/plain": repr(value)}, raw=True,
            metadata={"scrapbook": {"name": name}})""",
]

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # a Dask worker cannot import this file


def pretend(source, parameters, file, code, folder, partial, act=bool):
    """In the place of worker.run: what it returns, without a kernel; ``act`` gets the parameters and may fail."""
    z_dim, seed = parameters["z_dim"], parameters["seed"]
    with open(Path(folder, "ran"), "a", encoding="utf-8") as ran:
        print(z_dim, seed, file=ran)
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "outputs": [],
        "execution_count": 1,
        "source": f"z_dim = {z_dim}\nseed = {seed}\n",
    }
    text = json.dumps({"cells": [cell], "metadata": {"papermill": {}}, "nbformat": 4, "nbformat_minor": 5})
    versions = dict.fromkeys(("python", "keras", "tensorflow", "aebook"), "1.2.3")
    row = {
        "status": "complete",
        "error": "",
        "wall_s": 1.0,
        "peak_mb": 1,
        "worker": "here",
        **versions,
        "results": {"loss": 1 / z_dim + seed / 100, "note": "a, b", "z_dim": z_dim},
    }
    Path(partial, file).write_text(text, encoding="utf-8")
    try:
        act(parameters)
    except ArithmeticError as error:
        row |= {"status": "failed", "error": f"cell [5]: {error!r}", "results": {}}
    Path(partial, file).unlink()
    return row, text


def and_then(act):
    return functools.partial(pretend, act=act)


def add_word(path, new):
    """The notebook with one more parameter, which may be any text, and with odd results."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += "\nword: str = 'a'\nsizes: list = [1, 2]"
    notebook.cells[-1].source = (
        "import numpy\nfrom myst_nb import glue\nglue('nan', float('nan'))\nglue('sizes', {1, 2})\n"
        "glue('half', numpy.float32(0.5), display=False)\nglue('text', '…')"
    )
    nbformat.write(notebook, new)
    return new


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def notebooks(out):
    return sorted(path.name for path in out.glob("*.ipynb"))


def rows(out):
    """What the store of a folder holds that nothing is writing to: the row of each run, by its file."""
    with closing(sqlite3.connect(out / "runs.sqlite")) as database:
        found = [json.loads(row) for (row,) in database.execute("SELECT row FROM runs")]
    return {row["run"]: row for row in found}


def assert_whole(out, count):
    """As many complete rows as there should be, each with its own notebook, and nothing else."""
    table = pandas.read_csv(out / "runs.csv")
    assert len(table) == count and set(table["status"]) == {"complete"}, list(table["error"])
    assert sorted(table["run"]) == sorted(rows(out)) == notebooks(out)
    assert not table.duplicated(["z_dim", "learning_rate", "seed"]).any()
    assert table["loss"].tolist() == pytest.approx((1 / table["z_dim"] + table["seed"] / 100).tolist())
    for row in table.to_dict("records"):
        text = (out / row["run"]).read_text()
        assert f"z_dim = {row['z_dim']}\\n" in text and f"seed = {row['seed']}\\n" in text
    assert sorted(path.name for path in out.iterdir() if path.suffix != ".ipynb") == [
        "index.html",
        "runs.csv",
        "runs.sqlite",
    ]
    return table
