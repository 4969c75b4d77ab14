"""Notebooks run again: with other parameters, without the real images, and as make verify does it."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import papermill
import pytest

from aebook import data
from aebook.notebooks import glued
from tools import stored
from tools.lessons import exercises

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DENSE = ROOT / "notebooks" / "6_2_dense.ipynb"
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

REAL = bool(os.environ.get("AEBOOK_DATA"))
SMALL = {
    "6_1_principle": {"z_dim": 3, "epochs": 1, "n_train": 1000},
    "6_2_dense": {"z_dim": 8, "epochs": 1, "n_train": 2000, "dataset": "fashion_mnist" if REAL else "mnist"},
    "6_3_convolutional": {
        "epochs": 1,
        "n_train": 1000,
        "code_filters": 2,
        "data_format": "channels_first",
        "batch_size": 32,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "seed": 7,
    },
    "one_model": {"model": "conv", "z_dim": 98, "epochs": 1, "n_train": 1000},
    "sweep": {"model": "pca"},
    "uses": {"z_dim": 8, "epochs": 1, "n_train": 3000},
    "claims": {"test_part": 3},
    "ledger": {"dataset": "mnist", "model": "pca", "z_dim": 2},
    "bench": {"epochs": 1, "n_train": 1000},
}


def read(path):
    return nbformat.read(path, as_version=4)


def rerun(path, tmp_path, cwd=None, **changes):
    """The notebook run by papermill with small parameters, and what it glued."""
    out = tmp_path / path.name
    notebook = papermill.execute_notebook(
        path, out, {**SMALL[path.stem], **changes}, cwd=cwd or path.parent, progress_bar=False, start_timeout=600
    )
    return notebook, glued(notebook)


def printed(notebook):
    return "".join(
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )


def test_every_notebook_has_small_parameters():
    assert {path.stem for path in NOTEBOOKS} == set(SMALL)


def solved(path, folder):
    """A copy of the notebook in which every stub is filled in with the solution."""
    notebook = read(path)
    to_fill_in = exercises(notebook)
    for stub, check, solution in to_fill_in:
        (name,) = re.findall(r"^def (\w+)", stub.source, re.MULTILINE)
        (function,) = [node for node in ast.parse(solution.source).body if getattr(node, "name", "") == name]
        imports = [line for line in solution.source.splitlines() if line.startswith(("import ", "from "))]
        stub.source = "\n".join([*imports, ast.get_source_segment(solution.source, function)])
        check.source = f"print('the check of {name}: ', end='')\n{check.source}"
    copy = folder / "solved" / path.name
    copy.parent.mkdir()
    nbformat.write(notebook, copy)
    return copy, len(to_fill_in)


@pytest.mark.slow
@each_notebook
def test_rerun_with_small_parameters(path, tmp_path):
    """And with the solutions of the exercises put in: as stored, each check says "not yet" (test_lessons)."""
    copy, checks = solved(path, tmp_path)
    notebook, results = rerun(copy, tmp_path, cwd=path.parent)
    assert len(re.findall(r"^the check of \w+: right: ", printed(notebook), re.MULTILINE)) == checks
    runs_something = path.stem != "claims"  # which judges by stored tables alone
    assert results["data_verified"] == (data.load("mnist").verified or not runs_something)
    assert results.get("data_source", "folder") in ("folder", "keras", "stand-in")
    if path == DENSE:
        assert "13,336 parameters" in printed(notebook)
        assert 0 < results["dense_best_val_bce"] < results["dense_source_val_bce"] < 1
        if REAL:
            assert results["bce_floor"] == pytest.approx(0.2422, abs=5e-5)
    if path.stem == "6_3_convolutional":
        assert results["conv_parameters"] == 2_915
    if path.stem == "uses":
        assert "not judged: " in printed(notebook) and "true: " not in printed(notebook)
    if path.stem == "ledger":
        assert f"{'true' if REAL else 'not judged'}: the run gives what the table says" in printed(notebook)


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="AEBOOK_DATA is not set: the reruns above have no real data")
def test_rerun_without_real_data_says_so(tmp_path, offline):
    """Where Keras can neither find nor download MNIST, a notebook runs on the stand-in."""
    notebook, results = rerun(ROOT / "notebooks" / "one_model.ipynb", tmp_path, model="pca", z_dim=8)
    assert results["data_source"] == "stand-in" and results["data_verified"] is False
    assert "images from: stand-in (scikit-learn's digits" in printed(notebook)


def test_a_wrong_verdict_stops_the_page(tmp_path):
    notebook = read(ROOT / "notebooks" / "claims.ipynb")
    (cell,) = [cell for cell in notebook.cells if 'answer("more_on_complex", ' in cell.source]
    cell.source = re.sub('"more_on_complex", "[^"]*"', '"more_on_complex", "stays open"', cell.source)
    del notebook.cells[notebook.cells.index(cell) + 1 :]
    nbformat.write(notebook, tmp_path / "claims.ipynb")
    message = "AssertionError: more_on_complex: the page says 'stays open', the cases '[a-z ]+'"
    with pytest.raises(papermill.PapermillExecutionError, match=message):
        papermill.execute_notebook(tmp_path / "claims.ipynb", None, cwd=ROOT / "notebooks", progress_bar=False)


def test_a_bad_parameter_ends_in_one_line(tmp_path):
    message = "InputError: z_dim must be at least 1, got 0"
    run = subprocess.run(
        [
            Path(sys.executable).parent / "papermill",
            DENSE,
            tmp_path / "out.ipynb",
            "--cwd",
            DENSE.parent,
            "-p",
            "z_dim",
            "0",
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stderr.rstrip().splitlines()[-1] == message
    errors = [o for c in read(tmp_path / "out.ipynb").cells for o in c.get("outputs", ()) if o.output_type == "error"]
    assert [error.traceback for error in errors] == [[message]]


# What verify notices, beside what test_compare.py says: the whole way once, through nbval


def verified(path, *options, **environment):
    shutil.copy(ROOT / "conftest.py", path.parent)
    (path.parent / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-v", *options, path.name],
        cwd=path.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def small(tmp_path):
    """A notebook that prints its seed, executed; and as much of MNIST as verify asks for."""
    np.savez(
        tmp_path / "mnist.npz",
        **{
            f"{name}_{part}": np.zeros((1, 28, 28) if name == "x" else 1, "uint8")
            for name in "xy"
            for part in ("train", "test")
        },
    )
    sources = ["seed: int = 0", "print('seed', seed)", "import os\nprint(os.environ['ONEDNN_MAX_CPU_ISA'])"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    outputs = [[], ["seed 0\n"], ["AVX2\n"]]
    for number, (cell, texts) in enumerate(zip(notebook.cells, outputs), 1):
        cell.execution_count = number
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in texts]
    path = tmp_path / "small.ipynb"
    nbformat.write(notebook, path)
    return path


def passed(run):
    return re.findall(r"::(stored outputs|Cell \d+) PASSED", run.stdout)


@pytest.mark.slow
def test_verify_runs_a_notebook_and_compares(small):
    """With the machine that outputs are stored on, unless another one is asked for."""
    run = verified(small, AEBOOK_DATA=str(small.parent))
    assert run.returncode == 0 and passed(run) == ["stored outputs", "Cell 0", "Cell 1", "Cell 2"], run.stdout
    run = verified(small, "--seed", "3", AEBOOK_DATA=str(small.parent), ONEDNN_MAX_CPU_ISA="SSE41")
    assert run.returncode == 1 and passed(run) == ["stored outputs", "Cell 0"]
    assert "0 in 'seed 0' is now 3" in run.stdout and "stored 'AVX2' is not there in the new run" in run.stdout


@pytest.mark.slow
def test_verify_without_real_data_is_an_error(small, offline):
    run = verified(small)
    assert run.returncode == 4 and passed(run) == [] and "there is only the stand-in" in run.stderr
    run = verified(small, AEBOOK_DATA=str(small.parent / "nowhere"))
    assert run.returncode == 4 and "there is no folder" in run.stderr


def test_what_must_be_stored(small):
    """A notebook that was stripped, excuses itself, or holds an error."""
    assert stored.faults(small) == []
    notebook = nbformat.read(small, as_version=4)
    del notebook.cells[2]
    notebook.cells[0].execution_count = None
    notebook.cells[1].execution_count = 99
    for source, metadata, outputs in [
        ("1", {"tags": ["nbval-ignore-output"]}, []),
        ("1", {}, [nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])]),
        ("1", {"mystnb": {"figure": {"name": "fig"}}}, []),
        ("glue('bce', 1)", {}, []),
        ("## NBVAL_IGNORE_OUTPUT", {}, []),
        ("1", {"tags": ["raises-exception"]}, []),
    ]:
        number = len(notebook.cells) + 1
        notebook.cells.append(
            nbformat.v4.new_code_cell(source, metadata=metadata, outputs=outputs, execution_count=number)
        )
    nbformat.write(notebook, small)
    assert stored.faults(small) == [
        "code cell 0 was never executed",
        "code cell 1 was executed out of order, as [99]",
        "code cell 2 has no stored output",
        "code cell 3 holds an error",
        "code cell 4 has no stored picture",
        "code cell 5 glues 'bce', which is not stored",
        "code cell 6 asks not to be checked; only the tag nbval-ignore-output may",
        "code cell 7 asks not to be checked; only the tag nbval-ignore-output may",
    ]
