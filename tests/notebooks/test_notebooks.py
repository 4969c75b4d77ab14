"""The notebooks: what is stored in them, and how they run with other parameters."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas
import papermill
import pytest

from aebook import claims, data, models, notebooks, parameters, training
from aebook.notebooks import glued
from tools import stored

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
    "claims": {"dataset": "mnist", "model": "pca", "n_train": 1000},
    "bench": {"epochs": 1, "n_train": 1000},
}
FROM_TABLES = {"sweep", "claims", "bench"}  # notebooks that show what is stored, and run a little once more
CHAPTERS = [path for path in NOTEBOOKS if path.stem[0] == "6"]


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def rerun(path, tmp_path, **changes):
    """The notebook run by papermill with small parameters, and what it glued."""
    out = tmp_path / path.name
    notebook = papermill.execute_notebook(
        path, out, {**SMALL[path.stem], **changes}, cwd=path.parent, progress_bar=False
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


# What is stored


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} == set(SMALL)


@each_notebook
def test_stored_outputs_are_whole(path):
    assert stored.faults(path) == []


def test_exempt_cells():
    """Only the cell that says where the data came from is exempt from comparison, once per notebook."""
    exempt = [
        (path.stem, cell.source.partition("images = ")[2])
        for path in NOTEBOOKS
        for cell in code_cells(path)
        if "nbval-ignore-output" in cell.metadata.get("tags", ())
    ]
    provenance = (
        "data.load(dataset, n_train)\n"
        'glue("data_source", images.source, display=False)\n'
        'glue("data_verified", images.verified, display=False)\n'
        "print(images)"
    )
    assert exempt == [(path.stem, provenance) for path in NOTEBOOKS if path.stem not in FROM_TABLES]


@each_notebook
def test_stored_outputs_come_from_verified_real_data(path):
    stored = glued(read(path))
    assert stored["data_verified"] is True
    assert path.stem in FROM_TABLES or stored["data_source"] in ("folder", "keras")
    assert path.stem in FROM_TABLES or "\nverified: the arrays as loaded match" in printed(read(path))


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
    assert stored["dense_source_val_bce"] == pytest.approx(claims.PUBLISHED["source_dense"].value, abs=0.004)
    assert stored["conv_source_val_bce"] == pytest.approx(claims.PUBLISHED["source_conv"].value, abs=0.0015)
    assert stored["dense_best_val_bce"] <= 0.090
    assert stored["conv_best_val_bce"] <= 0.089
    assert stored["dense_default_val_bce"] > 0.69 and stored["conv_default_val_bce"] > 0.5
    assert abs(stored["linear_error_ratio"] - 1) < 0.02
    assert stored["linear_angle_bound"] <= 5
    assert stored["nonlinear_mse"] < stored["pca_mse"]


@each_notebook
def test_stored_listings_are_the_code_that_runs(path):
    stored = [
        (cell.source, output.data["text/markdown"])
        for cell in code_cells(path)
        for output in cell.outputs
        if "text/markdown" in output.get("data", {})
    ]
    modules = {"models": models, "training": training, "data": data}
    for source, listing in stored:
        module, name = re.fullmatch(r"notebooks\.listing\((\w+)\.(\w+)\)", source).groups()
        assert listing == notebooks.listing(getattr(modules[module], name)).data
    has_model = any("Autoencoder(models.Model)" in text for _, text in stored)
    assert has_model == (path.stem in ("6_2_dense", "6_3_convolutional"))


@each_notebook
def test_cells_are_short_and_figures_and_tables_have_words(path):
    for cell in code_cells(path):
        lines = cell.source.splitlines()
        listings = [output.data.get("text/markdown", "") for output in cell.outputs if "data" in output]
        assert len(lines) <= 20
        for line in lines + "\n".join(listings).splitlines():
            assert len(line) <= 84, f"wider than the page: {line}"
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            words = cell.metadata.mystnb
            assert words.figure.caption and words.figure.name.startswith("fig-") and len(words.image.alt) > 40
        if any("text/html" in output.get("data", {}) for output in cell.outputs):
            words = cell.metadata.mystnb.figure
            assert words.caption and words.name.startswith("tab-") and words.caption_before


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_figure_comes_before_any_training(path):
    """So that a reader who runs a chapter sees something in seconds."""
    sources = [(cell.source, "figure" in cell.metadata.get("mystnb", {})) for cell in code_cells(path)]
    first_figure = next(place for place, (_, is_figure) in enumerate(sources) if is_figure)
    trainings = [place for place, (source, _) in enumerate(sources) if "training.train(" in source or ".fit(" in source]
    assert trainings and first_figure < trainings[0]


def stored_table(name):
    return pandas.read_csv(ROOT / "results" / f"{name}.csv")


def test_stored_tables_are_whole():
    tables = {path.stem: pandas.read_csv(path) for path in (ROOT / "results").glob("*.csv")}
    assert set(tables) == {"tuning", "code_size", "claims", "uses", "principle", "one_worker", "two_workers"}
    for table in tables.values():
        assert set(table["status"]) == {"complete"} and table["data_verified"].all()
        settings = table.columns[3 : list(table.columns).index("wall_s")]
        assert table["run"].is_unique and not table.duplicated(list(settings)).any()
    for name in ("uses", "principle"):
        assert sorted(tables[name]["seed"]) == [0, 1, 2]
    assert list(tables["one_worker"]["seed"]) == list(tables["two_workers"]["seed"]) == list(range(8))
    for table in (tables["one_worker"], tables["two_workers"]):
        assert list(table["dense_best_val_bce"]) == list(tables["one_worker"]["dense_best_val_bce"])


def test_comparisons_have_three_seeds_and_equal_settings():
    sizes = stored_table("code_size").groupby("model")["z_dim"].unique().apply(sorted).to_dict()
    assert sizes["pca"] == sizes["dense"] == [2, 4, 8, 16, 32, 49, 98, 196]
    assert sizes["conv"] == [49, 98]
    trained = pandas.concat([stored_table("code_size"), stored_table("claims")]).query("model != 'pca'")
    settings = ["dataset", "model", "z_dim", "output", "loss", "epochs", "n_train"]
    kept = trained[trained["epochs_until_near"] > 1]  # the others collapsed; see the page on claims
    for _, runs in trained.groupby(settings):
        assert sorted(runs["seed"]) in ([0, 1, 2], [0, 1, 2, 3])
        assert len(kept[kept["run"].isin(runs["run"])]) == 3
    equal = trained[
        (trained["epochs"] == 20)
        & (trained["n_train"] == 60_000)
        & (trained["output"] == "sigmoid")
        & (trained["loss"] == "binary_crossentropy")
        & trained["z_dim"].isin([49, 98])
    ]
    assert set(equal.groupby(["dataset", "model"])["z_dim"].apply(lambda sizes: tuple(sorted(set(sizes))))) == {
        (49, 98)
    }
    assert equal.groupby(["dataset", "model"]).ngroups == 4
    tuning = (
        stored_table("tuning").groupby([*settings, "optimizer", "learning_rate"])["seed"].apply(sorted).apply(tuple)
    )
    for _, tried in tuning.groupby(settings):
        assert sorted(tried) == [(0,)] * 3 + [(0, 1, 2)] * 3
        assert set(tried.reset_index(settings, drop=True).index) == {
            (optimizer, rate) for optimizer in ("adam", "nadam") for rate in (0.001, 0.003, 0.01)
        }
    assert tuning.groupby(settings).ngroups == 8


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
    call = ast.parse(following).body[1].value
    assert ast.unparse(call.func) == "parameters.check"
    assert {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords} == {n: n for n in defaults}


def test_defaults_are_those_of_the_function_for_the_whole():
    for stem, function in (("6_2_dense", training.train_dense), ("6_3_convolutional", training.train_conv)):
        namespace = {}
        exec(parameters_cell(ROOT / "notebooks" / f"{stem}.ipynb")[0], namespace)
        code = function.__code__
        names = code.co_varnames[1 : code.co_argcount]
        assert dict(zip(names, function.__defaults__)) == {name: namespace[name] for name in names}


# Reruns


@pytest.mark.slow
@each_notebook
def test_rerun_with_small_parameters(path, tmp_path):
    notebook, results = rerun(path, tmp_path)
    assert results["data_verified"] == data.load("mnist").verified
    assert path.stem in FROM_TABLES or results["data_source"] in ("folder", "keras", "stand-in")
    if path == DENSE:
        assert "13,336 parameters" in printed(notebook)
        assert 0 < results["dense_best_val_bce"] < results["dense_source_val_bce"] < 1
        if REAL:
            assert results["bce_floor"] == pytest.approx(0.2422, abs=5e-5)
    if path.stem == "6_3_convolutional":
        assert results["conv_parameters"] == 2_915
    if path.stem == "uses":
        assert "not judged: " in printed(notebook) and "true: " not in printed(notebook)
    if path.stem == "claims":
        assert "not judged: the run gives what the table says" in printed(notebook)


@pytest.mark.slow
def test_rerun_without_real_data_says_so(tmp_path, offline):
    """Where Keras can neither find nor download MNIST, a notebook runs on the stand-in."""
    notebook, results = rerun(ROOT / "notebooks" / "one_model.ipynb", tmp_path, model="pca", z_dim=8)
    assert results["data_source"] == "stand-in" and results["data_verified"] is False
    assert "images from: stand-in (scikit-learn's digits" in printed(notebook)


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="AEBOOK_DATA is not set: the tables are of the real images")
def test_an_old_table_stops_the_page(tmp_path):
    """Where a stored result is another one than today's, the cell that checks it fails."""
    shutil.copytree(ROOT / "results", tmp_path / "results")
    (tmp_path / "notebooks").mkdir()
    for stem in ("one_model", "sweep"):
        shutil.copy(ROOT / "notebooks" / f"{stem}.ipynb", tmp_path / "notebooks")
    table = pandas.read_csv(tmp_path / "results" / "code_size.csv")
    table.loc[(table["model"] == "pca") & (table["z_dim"] == 8), "test_bce"] *= 1.015
    table.to_csv(tmp_path / "results" / "code_size.csv", index=False)
    with pytest.raises(papermill.PapermillExecutionError, match="the table is old: run make sweep"):
        rerun(tmp_path / "notebooks" / "sweep.ipynb", tmp_path)


@pytest.mark.slow
def test_a_wrong_verdict_stops_the_page(tmp_path):
    right, wrong = '"complex", "does not hold"', '"complex", "holds"'
    notebook = read(ROOT / "notebooks" / "claims.ipynb")
    (cell,) = [cell for cell in notebook.cells if right in cell.source]
    cell.source = cell.source.replace(right, wrong)
    del notebook.cells[notebook.cells.index(cell) + 1 :]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "results").symlink_to(ROOT / "results")
    nbformat.write(notebook, tmp_path / "notebooks" / "claims.ipynb")
    with pytest.raises(papermill.PapermillExecutionError, match="the verdict says .*, but the measurements are for"):
        rerun(tmp_path / "notebooks" / "claims.ipynb", tmp_path)


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
    errors = [o for c in code_cells(tmp_path / "out.ipynb") for o in c.outputs if o.output_type == "error"]
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
