"""What is planned, and what is refused before anything starts."""

import re

import nbformat
import numpy
import pytest

from aebook.parameters import InputError
from aebook.rerun.plan import make_plan, read_settings
from tests.rerun.helpers import ROOT

DENSE = ROOT / "notebooks" / "6_2_dense.ipynb"


def runs(notebook, *grids):
    return list(make_plan(notebook, *grids).runs.values())


def test_settings_are_read_as_values():
    grid = read_settings(["z_dim=2,4", "learning_rate=1e-3", "optimizer=adam,sgd", "name=1,a"])
    assert grid == {"z_dim": [2, 4], "learning_rate": [0.001], "optimizer": ["adam", "sgd"], "name": [1, "a"]}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["z_dim"], "--set must look like z_dim=2,4,8; got 'z_dim'"),
        (["z_dim=2,,4"], "--set must look like z_dim=2,4,8; got 'z_dim=2,,4'"),
        (["=2"], "--set must look like z_dim=2,4,8; got '=2'"),
        (["z_dim=2", "z_dim=4"], "z_dim is set twice"),
    ],
)
def test_unreadable_settings(settings, message):
    with pytest.raises(InputError, match=message):
        read_settings(settings)


def test_the_plan_is_every_combination_with_all_parameters(write):
    every = runs(write(), {"z_dim": [2, 4], "seed": [0, 1]})
    assert every == [{"z_dim": z, "learning_rate": 0.5, "seed": s} for z in (2, 4) for s in (0, 1)]
    assert runs(write(), {"learning_rate": [1, 1.0]}) == [{"z_dim": 8, "learning_rate": 1.0, "seed": 0}]


def test_several_grids_are_combined_each_for_itself(write):
    plan = make_plan(write(), {"z_dim": [2]}, {"seed": [0, 1], "z_dim": [2]}, {"seed": [3]})
    assert [(run["z_dim"], run["seed"]) for run in plan.runs.values()] == [(2, 0), (2, 1), (8, 3)]
    assert plan.settings == ("z_dim", "seed")
    assert [plan.file_name(key) for key in plan.runs][1] == f"z_dim=2,seed=1,{list(plan.runs)[1]}.ipynb"


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"z_dim": [8, 0]}, "z_dim must be at least 1, got 0"),
        ({"z_dim": ["a"]}, "z_dim must be a whole number, got 'a'"),
        ({"code_filters": [1]}, "6_2_dense.ipynb has no parameter 'code_filters'; it has dataset, z_dim"),
        ({"z_dim": []}, "z_dim must have at least one value, got none"),
        ({"z_dim": 2}, "z_dim must be a list of values, got 2"),
        ({"optimizer": "adam"}, "optimizer must be a list of values, got 'adam'"),
    ],
)
def test_what_cannot_work_is_refused(grid, message):
    with pytest.raises(InputError, match=message):
        make_plan(DENSE, {"z_dim": [4]}, grid)


def test_combinations_that_cannot_work_are_refused():
    notebook = ROOT / "notebooks" / "one_model.ipynb"
    with pytest.raises(InputError, match="z_dim must be a multiple of 49 for the model conv.*got 50"):
        make_plan(notebook, {"model": ["dense", "conv"], "z_dim": [49, 50]})


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("scale = 1 / 255", "the default of scale in odd.ipynb must be a plain value, got 1 / 255"),
        ("scale = {1, 2}", "the default of scale in odd.ipynb must be a plain value, got"),
        ("error = 0.1", "odd.ipynb has a parameter 'error', which is a column of the table; rename it"),
    ],
)
def test_parameters_that_cannot_be_in_a_table(write, tmp_path, cell, message):
    notebook = nbformat.read(write(), as_version=4)
    notebook.cells[0].source += f"\n{cell}"
    nbformat.write(notebook, tmp_path / "odd.ipynb")
    with pytest.raises(InputError, match=re.escape(message)):
        make_plan(tmp_path / "odd.ipynb")


def test_values_must_be_plain(write):
    with pytest.raises(InputError, match=re.escape("z_dim must be a number, a text, True or False; got (1, 2)")):
        make_plan(write(), {"z_dim": [(1, 2)]})


def test_numpys_values_are_pythons(write):
    grid = {"z_dim": numpy.array([2, 4]), "seed": [numpy.uint8(1)], "learning_rate": [numpy.float32(0.25)]}
    assert repr(runs(write(), grid)) == repr(runs(write(), {"z_dim": [2, 4], "seed": [1], "learning_rate": [0.25]}))


def test_what_is_no_notebook(tmp_path, write):
    (tmp_path / "text.ipynb").write_text("text")
    with pytest.raises(InputError, match="text.ipynb cannot be read as a notebook"):
        make_plan(tmp_path / "text.ipynb")
    with pytest.raises(InputError, match="there is no notebook nowhere.ipynb"):
        make_plan("nowhere.ipynb")
    with pytest.raises(InputError, match="small.ipynb: a cell cannot be read as Python: .*for in"):
        make_plan(write("for in"))
    notebook = nbformat.read(write(), as_version=4)
    notebook.cells[0].metadata["tags"] = []
    nbformat.write(notebook, tmp_path / "plain.ipynb")
    with pytest.raises(InputError, match="no cell tagged 'parameters'"):
        make_plan(tmp_path / "plain.ipynb")
