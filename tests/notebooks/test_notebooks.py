"""The notebooks: what is stored in them."""

import ast
import re
from pathlib import Path

import nbformat
import pandas
import pytest

from aebook import parameters, training
from aebook.notebooks import glued
from aebook.published import PUBLISHED
from tools import stored

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DENSE = ROOT / "notebooks" / "6_2_dense.ipynb"
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

FROM_TABLES = {"sweep", "claims", "ledger", "bench"}  # notebooks that show what is stored, and run a little once more
CHAPTERS = [path for path in NOTEBOOKS if path.stem[0] == "6"]


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


# What is stored


@each_notebook
def test_stored_outputs_are_whole(path):
    assert stored.faults(path) == []


def test_exempt_cells():
    """Only the cell that says where the data came from is exempt from comparison, once per notebook."""
    exempt = [
        (path.stem, cell.source.partition("glue(")[2])
        for path in NOTEBOOKS
        for cell in code_cells(path)
        if "nbval-ignore-output" in cell.metadata.get("tags", ())
    ]
    provenance = (
        '"data_source", images.source, display=False)\n'
        'glue("data_verified", images.verified, display=False)\n'
        "print(images)"
    )
    from_images = [path for path in NOTEBOOKS if path.stem not in FROM_TABLES]
    assert exempt == [(path.stem, provenance) for path in from_images]
    for path in from_images:
        assert any("images = data.load(dataset, n_train" in cell.source for cell in code_cells(path))


@each_notebook
def test_stored_outputs_come_from_verified_real_data(path):
    stored = glued(read(path))
    assert stored["data_verified"] is True
    assert path.stem in FROM_TABLES or stored["data_source"] in ("folder", "keras")
    assert path.stem in FROM_TABLES or '"verified: the arrays as loaded match' in path.read_text(encoding="utf-8")


@each_notebook
def test_stored_outputs_hold_no_progress_bar_no_stderr_and_no_path(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.get("name") != "stderr", output.text
            stored = str(output.get("text", "")) + str(
                {mime: value for mime, value in output.get("data", {}).items() if mime != "image/png"}
            )
            assert "\r" not in stored and "it/s" not in stored and "ms/step" not in stored
            assert not re.search(r"/(home|root|work|tmp|Users)/", stored)
        assert "execution" not in cell.metadata, "a timing is stored"


def test_stored_results_are_those_of_the_source_and_better():
    stored = {key: value for path in NOTEBOOKS for key, value in glued(read(path)).items()}
    assert stored["dense_source_val_bce"] == pytest.approx(PUBLISHED["source_dense"].value, abs=0.004)
    assert stored["conv_source_val_bce"] == pytest.approx(PUBLISHED["source_conv"].value, abs=0.0015)
    assert stored["dense_best_val_bce"] <= 0.090
    assert stored["conv_best_val_bce"] <= 0.089
    assert stored["dense_default_val_bce"] > 0.69 and stored["conv_default_val_bce"] > 0.5
    assert abs(stored["linear_error_ratio"] - 1) < 0.02
    assert stored["linear_angle_bound"] <= 5
    assert stored["nonlinear_mse"] < stored["pca_mse"]


@each_notebook
def test_cells_are_short_and_figures_and_tables_have_words(path):
    for cell in code_cells(path):
        lines = cell.source.splitlines()
        assert len(lines) <= 20
        for line in lines:
            assert len(line) <= 84, f"wider than the page: {line}"
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            words = cell.metadata.mystnb
            assert words.figure.caption and words.figure.name.startswith("fig-") and len(words.image.alt) > 40
        if any("text/html" in output.get("data", {}) for output in cell.outputs):
            words = cell.metadata.mystnb.figure
            assert words.caption and words.name.startswith("tab-") and words.caption_before


def test_stored_tables_are_whole():
    tables = {path.stem: pandas.read_csv(path) for path in (ROOT / "results").glob("*.csv")}
    for table in tables.values():
        assert set(table["status"]) == {"complete"} and table["data_verified"].all()
        settings = table.columns[3 : list(table.columns).index("wall_s")]
        assert table["run"].is_unique and not table.duplicated(list(settings)).any()
    assert list(tables["one_worker"]["seed"]) == list(tables["two_workers"]["seed"]) == list(range(8))
    for table in (tables["one_worker"], tables["two_workers"]):
        assert list(table["dense_best_val_bce"]) == list(tables["one_worker"]["dense_best_val_bce"])


# Parameters


def parameters_cell(path):
    cells = code_cells(path)
    (place,) = [n for n, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", ())]
    return cells[place].source, cells[place + 1].source


@each_notebook
def test_parameters_are_typed_commented_and_checked(path):
    source, following = parameters_cell(path)
    defaults = {}
    for line, node in zip(source.splitlines(), ast.parse(source).body, strict=True):
        assert isinstance(node, ast.AnnAssign) and "  # " in line, line
        defaults[node.target.id] = ast.literal_eval(node.value)
        assert type(defaults[node.target.id]).__name__ == node.annotation.id
    parameters.check(**defaults)
    if path in CHAPTERS:
        assert {"dataset", "epochs", "batch_size", "seed", "n_train"} <= set(defaults)
    (call,) = [
        node
        for node in ast.walk(ast.parse(following))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "parameters.check"
    ]
    assert {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords} == {n: n for n in defaults}


def test_defaults_are_those_of_the_function_for_the_whole():
    for stem, function in (("6_2_dense", training.train_dense), ("6_3_convolutional", training.train_conv)):
        namespace = {}
        exec(parameters_cell(ROOT / "notebooks" / f"{stem}.ipynb")[0], namespace)
        code = function.__code__
        names = code.co_varnames[1 : code.co_argcount]
        assert dict(zip(names, function.__defaults__)) == {name: namespace[name] for name in names}
