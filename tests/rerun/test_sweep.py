"""One folder, on an executor of one's own; another function takes the kernel's place where that does not matter."""

import dataclasses
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

import nbformat
import pandas
import pytest
from distributed.cfexecutor import ClientExecutor

from aebook.parameters import InputError
from aebook.rerun import cluster, worker
from aebook.rerun.cluster import Sweep, sweep
from aebook.rerun.plan import make_plan
from aebook.rerun.store import Store
from tests.rerun.helpers import add_word, and_then, assert_whole, notebooks, pretend

pytestmark = pytest.mark.usefixtures("small_figures")


def test_a_run_is_a_notebook_and_a_row(write, out, threads, ran):
    """On kernels, each on one thread."""
    notebook = write("import os\nassert os.environ['TF_NUM_INTRAOP_THREADS'] == os.environ['OMP_NUM_THREADS'] == '1'")
    table = sweep(notebook, {"z_dim": [2], "seed": [0, 1]}, out, threads)
    assert sorted(ran()) == ["2 0", "2 1"]
    stored = assert_whole(out, 2)
    assert list(stored["run"]) == list(table["run"])
    assert set(stored["note"]) == {"a, b"}
    for name in ("python", "keras", "tensorflow", "aebook", "wall_s", "store_s", "finished", "peak_mb", "worker"):
        assert stored[name].notna().all()
    assert set(stored["code"]) == {make_plan(notebook).code}
    for row in table.to_dict("records"):
        notebook = nbformat.read(out / row["run"], as_version=4)
        assert f"z_dim = {row['z_dim']}\nlearning_rate = 0.5\nseed = {row['seed']}" in notebook.cells[1].source
        assert notebook.metadata.papermill.output_path == row["run"]


def test_complete_runs_are_not_repeated(write, out, threads, ran):
    notebook = write()
    sweep(notebook, {"z_dim": [2, 4]}, out, threads, runner=pretend)
    sweep(notebook, {"z_dim": [2, 4, 8]}, out, threads, runner=pretend)
    sweep(notebook, {"seed": [0], "z_dim": [8]}, out, threads, runner=pretend)
    assert sorted(ran()) == ["2 0", "4 0", "8 0"]
    assert_whole(out, 3)
    next(out.glob("z_dim=4*")).unlink()
    sweep(notebook, {"seed": [0], "z_dim": [2, 4]}, out, threads, runner=pretend)
    assert sorted(ran()) == ["2 0", "4 0", "4 0", "8 0"]
    assert_whole(out, 3)


def test_the_page_of_a_run_is_linked_until_the_run_is_repeated(write, out, threads):
    again = partial(sweep, write(), {"z_dim": [2, 4]}, out, threads, runner=pretend)
    run = out / again()["run"][0]
    link = f'<a href="{quote(run.stem)}.html">page</a>'
    run.with_suffix(".html").touch()
    again()
    assert (out / "index.html").read_text().count(link) == 1
    run.unlink()
    again()
    assert link not in (out / "index.html").read_text()


def test_a_failed_run_is_recorded_and_tried_again(write, out, threads, ran):
    runner = and_then(lambda parameters: 1 / (parameters["z_dim"] - 4))
    table = sweep(write(), {"z_dim": [2, 4, 8]}, out, threads, runner=runner)
    assert list(table["status"]) == ["complete", "failed", "complete"]
    assert table["error"][1] == "cell [5]: ZeroDivisionError('division by zero')"
    assert (out / table["run"][1]).exists()
    page = (out / "index.html").read_text()
    assert "2 complete, 1 failed" in page and "cell [5]: ZeroDivisionError" in page
    sweep(write(), {"seed": [0], "z_dim": [2, 4, 8]}, out, threads, runner=pretend)
    assert sorted(ran()) == ["2 0", "4 0", "4 0", "8 0"]
    assert_whole(out, 3)


def test_a_worker_with_another_package_is_not_used(write, out, threads, ran):
    plan = dataclasses.replace(make_plan(write(), {"z_dim": [2]}), code="other")
    with Store(out) as store:
        runs = Sweep(plan, store)
        runs.run(threads)
        [error] = runs.failed().values()
    assert "another version of aebook" in error and ran() == []


def test_another_notebook_needs_another_folder(write, out, threads, tmp_path):
    notebook = write()
    sweep(notebook, {"z_dim": [2]}, out, threads, runner=pretend)
    other = notebook.rename(tmp_path / "other.ipynb")
    with pytest.raises(InputError, match="holds runs of small.ipynb; name another folder for other.ipynb"):
        sweep(other, {"z_dim": [2]}, out, threads, runner=pretend)


def test_the_folder_of_the_bench_is_not_for_sweeps(write, out, threads):
    with Store(out) as store:
        store.record("a", {"state": {}, "result": {}})
    with pytest.raises(InputError, match="holds runs of the bench; name another folder for small.ipynb"):
        sweep(write(), {}, out, threads, runner=pretend)


def test_two_sweeps_of_one_process_into_one_folder(write, out, threads, ran):
    """The second is refused in one line, and the first goes on."""
    notebook = write()

    def again(parameters):
        with pytest.raises(BlockingIOError) as caught:
            sweep(notebook, {"seed": [7]}, out, None, runner=pretend)
        assert str(caught.value) == f"another sweep or bench is writing to {out}; wait until it ends"

    sweep(notebook, {"seed": [0]}, out, threads, runner=and_then(again))
    assert_whole(out, 1)
    assert ran() == ["8 0"]


WORDS = ["{z_dim}", "a/b", "…" * 300, "a,b", "$a$", 1, True]


def test_odd_values_get_runs_of_their_own(write, out, threads):
    table = sweep(add_word(write(), write()), {"word": WORDS}, out, threads, runner=pretend)
    assert list(table["status"]) == ["complete"] * 7
    assert set(table["word"]) == set(WORDS) and table["run"].nunique() == len(notebooks(out)) == 7


@pytest.mark.slow
def test_odd_values_results_and_folders(write, tmp_path, threads):
    """Braces are for papermill, a slash for the file system, and not every result is a number."""
    (tmp_path / "{o}").mkdir()
    notebook, word = add_word(write("name = word"), tmp_path / "{o}" / "odd.ipynb"), "{z_dim},a/b" + "…" * 300
    table = sweep(notebook, {"word": [word]}, tmp_path / "{o}" / "runs", threads)
    assert list(table["status"]) == ["complete"], list(table["error"])
    assert list(table["word"]) == [word]
    stored = pandas.read_csv(tmp_path / "{o}" / "runs" / "runs.csv")
    assert stored["nan"].isna().all() and set(stored["half"]) == {0.5} and set(stored["text"]) == {"…"}
    assert table["nan"].dtype == float


def test_a_failed_rerun_keeps_the_folder_whole(write, out, threads):
    """A complete run that is repeated and dies without a notebook: its row says so, no old file stays."""
    sweep(write(), {"z_dim": [2]}, out, threads, runner=pretend)
    table = sweep(write("changed = True"), {"z_dim": [2]}, out, threads, rerun=True, runner=None)
    assert list(table["status"]) == ["failed"] and list(table["run"]) == [""]
    assert notebooks(out) == []


def test_a_partial_notebook_cut_short_is_no_notebook(out):
    out.mkdir()
    (out / "cut.ipynb").write_text('{"cells": [')
    assert worker.collect(out / "cut.ipynb") == ({}, "")
    assert not list(out.iterdir())


def test_an_interrupted_start_leaves_an_empty_table(write, out):
    class Interrupted(ThreadPoolExecutor):
        def submit(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(write(), {}, out, Interrupted())
    assert len(pandas.read_csv(out / "runs.csv")) == 0 and "0 complete, 0 failed" in (out / "index.html").read_text()


class Lost:
    """A Dask client whose scheduler is gone."""

    def nthreads(self):
        raise OSError("in <TCP (closed) ConnectionPool.ncores>")


def test_a_scheduler_that_is_lost_while_it_is_asked():
    executor = ClientExecutor.__new__(ClientExecutor)
    executor._client = Lost()
    with pytest.raises(
        ConnectionError, match="^the executor gave up its runs, as when its scheduler is lost; complete"
    ):
        cluster._running(executor, {})


def test_processes_as_workers(write, out, ran):
    with ProcessPoolExecutor(2) as executor:
        sweep(write(), {"z_dim": [2, 4]}, out, executor, runner=pretend)
    assert sorted(ran()) == ["2 0", "4 0"]
    assert_whole(out, 2)


@pytest.mark.parametrize("depth", [0, 1, 200])
def test_a_kernel_is_reached_from_any_temporary_folder(write, out, tmp_path, monkeypatch, depth):
    """The path of a socket must be short."""
    folder = tmp_path / ("d" * depth)
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with ThreadPoolExecutor(1) as thread:
        table = sweep(write(), {}, out, thread)
    assert list(table["error"]) == [""]
    assert worker.transport("t")["transport"] == "ipc" and worker.transport("t" * 100) == {"transport": "tcp"}


def test_where_memory_cannot_be_limited(write, out, threads, monkeypatch):
    """As on Windows, where there is no module resource."""
    monkeypatch.setattr(worker, "CAN_LIMIT_MEMORY", False)
    monkeypatch.setattr(worker, "_memory_limit", lambda: 2**20)
    monkeypatch.setitem(sys.modules, "resource", None)
    table = sweep(write(), {}, out, threads)
    assert list(table["error"]) == [""] and table["peak_mb"].isna().all()
