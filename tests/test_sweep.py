"""Sweeps: on threads, on local Dask workers, on a scheduler; and what they survive.

The runs are of a notebook that needs no TensorFlow. Each run leaves a line in the file "ran", so
that a test can count what was executed.
"""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pandas
import pytest

from aebook import sweep
from aebook.parameters import InputError

ROOT = Path(__file__).parent.parent
DENSE = ROOT / "notebooks" / "6_2_dense.ipynb"
PYTHON = Path(sys.executable)

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


@pytest.fixture
def write(tmp_path):
    """Write the notebook, with a cell of one's own, and return its path."""
    def write(cell="#"):
        cells = [nbformat.v4.new_code_cell(cell if source == "#" else source) for source in SOURCES]
        cells[0].metadata["tags"] = ["parameters"]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        path = tmp_path / "small.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
        return path

    return write


@pytest.fixture
def ran(tmp_path):
    """What was executed so far: one "z_dim seed" for each."""
    return lambda: (tmp_path / "ran").read_text().splitlines() if (tmp_path / "ran").exists() else []


@pytest.fixture
def out(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def command(*arguments, **kwargs):
    """Start python -m aebook sweep in a process group of its own."""
    return subprocess.Popen(
        [PYTHON, "-m", "aebook", "sweep", *map(str, arguments)], text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs,
    )


def finish(process, timeout=120):
    printed, errors = process.communicate(timeout=timeout)
    return process.returncode, printed, errors


def wait_until(condition, timeout=60):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


def assert_whole(out, count):
    """As many complete rows as there should be, each with its own notebook, and nothing else."""
    table = pandas.read_csv(out / "runs.csv")
    assert len(table) == count and set(table["status"]) == {"complete"}
    assert sorted(table["run"]) == sorted(path.name for path in out.glob("*.ipynb"))
    assert not table.duplicated(["z_dim", "learning_rate", "seed"]).any()
    assert table["loss"].tolist() == pytest.approx((1 / table["z_dim"] + table["seed"] / 100).tolist())
    return table


# The plan


def test_settings_are_read_as_values():
    grid = sweep.read_settings(["z_dim=2,4", "learning_rate=1e-3", "optimizer=adam,sgd"])
    assert grid == {"z_dim": [2, 4], "learning_rate": [0.001], "optimizer": ["adam", "sgd"]}


@pytest.mark.parametrize(("settings", "message"), [
    (["z_dim"], "--set must look like z_dim=2,4,8; got 'z_dim'"),
    (["z_dim=2,,4"], "--set must look like z_dim=2,4,8; got 'z_dim=2,,4'"),
    (["=2"], "--set must look like z_dim=2,4,8; got '=2'"),
    (["z_dim=2", "z_dim=4"], "z_dim is set twice"),
])
def test_unreadable_settings(settings, message):
    with pytest.raises(InputError, match=message):
        sweep.read_settings(settings)


def test_the_plan_is_every_combination_with_all_parameters(write):
    runs = sweep.plan(write(), {"z_dim": [2, 4], "seed": [0, 1]})
    assert runs == [{"z_dim": z, "learning_rate": 0.5, "seed": s} for z in (2, 4) for s in (0, 1)]
    assert sweep.plan(write(), {"learning_rate": [1, 1.0]}) == [{"z_dim": 8, "learning_rate": 1.0, "seed": 0}]


@pytest.mark.parametrize(("grid", "message"), [
    ({"z_dim": [8, 0]}, "z_dim must be at least 1, got 0"),
    ({"z_dim": ["a"]}, "z_dim must be a whole number, got 'a'"),
    ({"code_filters": [1]}, "6_2_dense.ipynb has no parameter 'code_filters'; it has dataset, z_dim"),
    ({"z_dim": []}, "z_dim must have at least one value, got none"),
])
def test_what_cannot_work_is_refused(grid, message):
    with pytest.raises(InputError, match=message):
        sweep.plan(DENSE, grid)


def test_combinations_that_cannot_work_are_refused():
    notebook = ROOT / "notebooks" / "one_model.ipynb"
    with pytest.raises(InputError, match="z_dim must be a multiple of 49 for the model conv.*got 50"):
        sweep.plan(notebook, {"model": ["dense", "conv"], "z_dim": [49, 50]})


@pytest.mark.parametrize(("cell", "message"), [
    ("scale = 1 / 255", "the default of scale in odd.ipynb must be a plain value, got 1 / 255"),
    ("scale = {1, 2}", "the default of scale in odd.ipynb must be a plain value, got"),
    ("error = 0.1", "odd.ipynb has a parameter 'error', which is a column of the table; rename it"),
])
def test_parameters_that_cannot_be_in_a_table(write, tmp_path, cell, message):
    notebook = nbformat.read(write(), as_version=4)
    notebook.cells[0].source += f"\n{cell}"
    nbformat.write(notebook, tmp_path / "odd.ipynb")
    with pytest.raises(InputError, match=re.escape(message)):
        sweep.plan(tmp_path / "odd.ipynb", {})


def test_values_must_be_plain(write):
    with pytest.raises(InputError, match=re.escape("z_dim must be a number, a text, True or False; got (1, 2)")):
        sweep.plan(write(), {"z_dim": [(1, 2)]})


def test_what_is_no_notebook(tmp_path):
    (tmp_path / "text.ipynb").write_text("text")
    with pytest.raises(InputError, match="text.ipynb cannot be read as a notebook"):
        sweep.plan(tmp_path / "text.ipynb", {})


def test_a_missing_notebook_and_one_without_parameters(tmp_path, write):
    with pytest.raises(InputError, match="there is no notebook nowhere.ipynb"):
        sweep.plan("nowhere.ipynb", {})
    notebook = nbformat.read(write(), as_version=4)
    notebook.cells[0].metadata["tags"] = []
    nbformat.write(notebook, tmp_path / "plain.ipynb")
    with pytest.raises(InputError, match="no cell tagged 'parameters'"):
        sweep.plan(tmp_path / "plain.ipynb", {})


# One folder, on an executor of one's own


def test_a_run_is_a_notebook_and_a_row(write, out, threads, ran):
    table = sweep.sweep(write(), {"z_dim": [2, 4], "seed": [0, 1]}, out, threads)
    assert sorted(ran()) == ["2 0", "2 1", "4 0", "4 1"]
    stored = assert_whole(out, 4)
    assert list(stored["run"]) == list(table["run"])
    assert set(stored["note"]) == {"a, b"}
    for name in ("python", "keras", "tensorflow", "aebook", "wall_s", "finished", "peak_mb", "worker"):
        assert stored[name].notna().all()
    for row in table.to_dict("records"):
        notebook = nbformat.read(out / row["run"], as_version=4)
        assert f"z_dim = {row['z_dim']}" in notebook.cells[1].source
        assert notebook.metadata.papermill.output_path == row["run"]


def test_complete_runs_are_not_repeated(write, out, threads, ran):
    notebook = write()
    sweep.sweep(notebook, {"z_dim": [2, 4]}, out, threads)
    sweep.sweep(notebook, {"z_dim": [2, 4, 8]}, out, threads)
    sweep.sweep(notebook, {"seed": [0], "z_dim": [8]}, out, threads)
    assert sorted(ran()) == ["2 0", "4 0", "8 0"]
    assert_whole(out, 3)
    next(out.glob("z_dim=4*")).unlink()
    sweep.sweep(notebook, {"z_dim": [2, 4]}, out, threads)
    assert sorted(ran()) == ["2 0", "4 0", "4 0", "8 0"]
    assert_whole(out, 3)


def test_a_failed_run_is_recorded_and_tried_again(write, out, threads, ran):
    notebook = write("if z_dim == 4:\n    raise FloatingPointError('the loss\\nwas nan')")
    table = sweep.sweep(notebook, {"z_dim": [2, 4, 8]}, out, threads)
    assert list(table["status"]) == ["complete", "failed", "complete"]
    assert table["error"][1] == "cell [5]: FloatingPointError: the loss was nan"
    partial = nbformat.read(out / table["run"][1], as_version=4)
    assert any(output.output_type == "error" for cell in partial.cells for output in cell.get("outputs", ()))
    page = (out / "index.html").read_text()
    assert "2 complete, 1 failed" in page and "FloatingPointError: the loss was nan" in page
    write()
    sweep.sweep(notebook, {"seed": [0], "z_dim": [2, 4, 8]}, out, threads)
    assert sorted(ran()) == ["2 0", "4 0", "4 0", "8 0"]
    assert_whole(out, 3)


@pytest.mark.slow
def test_changed_code_is_noticed_and_rerun_on_request(write, out, threads, ran, capsys):
    sweep.sweep(write(), {"z_dim": [2, 4]}, out, threads)
    notebook = write("changed = True")
    arguments = [str(notebook), "--set", "z_dim=2,4", "--out", str(out)]
    assert sweep.main(arguments) == 0
    assert "2 of the complete runs are older than the notebook they would use now" in capsys.readouterr().out
    assert len(ran()) == 2
    assert sweep.main([*arguments, "--rerun"]) == 0
    assert len(ran()) == 4
    assert_whole(out, 2)
    assert sweep.main([*arguments, "--rerun"]) == 0
    assert "older" not in capsys.readouterr().out and len(ran()) == 4


def test_a_changed_package_is_noticed(write, out, threads, monkeypatch):
    sweep.sweep(write(), {"z_dim": [2]}, out, threads)
    monkeypatch.setattr(sweep.worker, "aebook_code", lambda: "other")
    with sweep.Sweep(write(), {"z_dim": [2]}, out) as runs:
        assert len(runs.changed) == 1 and runs.what_changed() == "package"


def test_a_worker_with_another_package_is_not_used(write, out, threads, monkeypatch, ran):
    monkeypatch.setattr(sweep.worker, "aebook_code", iter(["here", "there"]).__next__)
    table = sweep.sweep(write(), {"z_dim": [2]}, out, threads)
    assert table["status"][0] == "failed" and "another version of aebook" in table["error"][0]
    assert ran() == []


def test_a_row_cut_short_is_dropped(write, out, threads, ran):
    sweep.sweep(write(), {"z_dim": [2, 4]}, out, threads)
    journal = out / ".sweep" / "rows.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    sweep.sweep(write(), {"z_dim": [2, 4]}, out, threads)
    assert len(ran()) == 3
    assert_whole(out, 2)


def test_another_notebook_needs_another_folder(write, out, threads, tmp_path):
    notebook = write()
    sweep.sweep(notebook, {"z_dim": [2]}, out, threads)
    other = notebook.rename(tmp_path / "other.ipynb")
    with pytest.raises(InputError, match="holds runs of small.ipynb; name another folder for other.ipynb"):
        sweep.sweep(other, {"z_dim": [2]}, out, threads)


def test_each_run_has_one_thread(write, out, threads):
    table = sweep.sweep(write("import os\nassert os.environ['TF_NUM_INTRAOP_THREADS'] == "
                              "os.environ['OMP_NUM_THREADS'] == '1'"), {"seed": [0]}, out, threads)
    assert table["status"][0] == "complete", table["error"][0]


@pytest.mark.slow
def test_a_kernel_that_dies_is_recorded(write, out, threads):
    notebook = write("import os\nif seed == 1:\n    os.write(2, b'no memory left')\n    os.abort()")
    table = sweep.sweep(notebook, {"seed": [0, 1]}, out, threads)
    assert list(table["status"]) == ["complete", "failed"]
    assert table["error"][1].startswith("DeadKernelError: Kernel died") and "no memory left" in table["error"][1]
    assert (out / table["run"][1]).exists()


@pytest.mark.slow
def test_odd_values_results_and_places(write, tmp_path, threads):
    """Braces are for papermill, a slash for the file system, and not every result is a number."""
    notebook = nbformat.read(write("name = word"), as_version=4)
    notebook.cells[0].source += "\nword: str = 'a'\nsizes: list = [1, 2]"
    notebook.cells[-1].source = (
        "import numpy\nfrom myst_nb import glue\nglue('nan', float('nan'))\nglue('sizes', {1, 2})\n"
        "glue('half', numpy.float32(0.5), display=False)\nglue('text', '…')"
    )
    (tmp_path / "{o}").mkdir()
    nbformat.write(notebook, tmp_path / "{o}" / "odd.ipynb")
    words = ["{z_dim}", "a/b", "…" * 300, "a,b"]
    table = sweep.sweep(tmp_path / "{o}" / "odd.ipynb", {"word": words}, tmp_path / "{o}" / "runs", threads)
    assert list(table["status"]) == ["complete"] * 4, list(table["error"])
    assert sorted(table["word"]) == sorted(words) and table["run"].nunique() == 4
    stored = pandas.read_csv(tmp_path / "{o}" / "runs" / "runs.csv")
    assert stored["nan"].isna().all() and set(stored["half"]) == {0.5} and set(stored["text"]) == {"…"}
    assert table["nan"].dtype == float


@pytest.mark.slow
def test_a_failed_rerun_keeps_the_folder_whole(write, out, threads, monkeypatch):
    """A complete run that is repeated and dies without a notebook: its row says so, no old file stays."""
    sweep.sweep(write(), {"z_dim": [2]}, out, threads)
    monkeypatch.setattr(sweep.worker, "run", None)
    table = sweep.sweep(write("changed = True"), {"z_dim": [2]}, out, threads, rerun=True)
    assert list(table["status"]) == ["failed"] and list(table["run"]) == [""]
    assert not list(out.glob("*.ipynb"))


def test_a_partial_notebook_cut_short_is_no_notebook(out):
    out.mkdir()
    (out / "cut.ipynb").write_text('{"cells": [')
    assert sweep.worker.take(out / "cut.ipynb") == ({}, "")
    assert not list(out.iterdir())


def test_an_interrupted_start_leaves_an_empty_table(write, out):
    class Interrupted(ThreadPoolExecutor):
        def submit(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep.sweep(write(), {}, out, Interrupted())
    assert len(pandas.read_csv(out / "runs.csv")) == 0 and "0 complete, 0 failed" in (out / "index.html").read_text()


@pytest.mark.slow
def test_processes_as_workers(write, out, ran):
    with ProcessPoolExecutor(2) as executor:
        sweep.sweep(write(), {"z_dim": [2, 4]}, out, executor)
    assert_whole(out, 2)


@pytest.mark.slow
def test_parquet_is_the_same_table(write, out, threads):
    sweep.sweep(write(), {"z_dim": [2, 4]}, out, threads)
    assert sweep.main([str(write()), "--set", "z_dim=2,4", "--out", str(out), "--parquet"]) == 0
    pandas.testing.assert_frame_equal(
        pandas.read_parquet(out / "runs.parquet"), pandas.read_csv(out / "runs.csv", keep_default_na=False),
        check_dtype=False,
    )


# The command, on workers of this machine


@pytest.mark.slow
def test_six_runs_on_two_workers(write, out, ran):
    status, printed, errors = finish(
        command(write(), "--set", "z_dim=2,4,8", "--set", "seed=0,1", "--out", out, "--workers", 2)
    )
    assert status == 0, errors
    assert "2 workers on this machine, each with one thread and at most" in printed
    assert "running=2" in errors and "6/6" in errors
    assert_whole(out, 6)
    assert len(ran()) == 6


@pytest.mark.parametrize(("arguments", "message"), [
    (["--set", "z_dim=0,8"], "z_dim must be at least 1, got 0"),
    (["--set", "depth=3"], "small.ipynb has no parameter 'depth'; it has z_dim, learning_rate, seed"),
    (["--workers", "0"], "--workers must be at least 1, got 0"),
    (["--workers", "2", "--scheduler", "tcp://127.0.0.1:9"], "name one of them"),
    (["--scheduler", "host"], "--scheduler must look like tcp://host:8786, got host"),
    pytest.param(["--scheduler", "tcp://127.0.0.1:9"], "Timed out trying to connect to tcp://127.0.0.1:9 after 10 s",
                 marks=pytest.mark.slow),
])
def test_refusals_are_one_line(write, out, arguments, message, capsys):
    answer = sweep.main([str(write()), "--out", str(out), *arguments])
    assert message in answer and "\n" not in answer
    assert not list(out.glob("*.ipynb"))
    assert "--set" not in arguments or not out.exists()


@pytest.mark.slow
def test_two_sweeps_cannot_share_a_folder(write, out, tmp_path):
    notebook = write()
    with sweep.Sweep(notebook, {"z_dim": [2]}, out):
        status, printed, errors = finish(command(notebook, "--set", "z_dim=2", "--out", out))
        assert status == 1 and printed == "" and errors.count("\n") == 1
        assert errors.startswith("another sweep is writing to")


@pytest.mark.slow
def test_failures_make_the_exit_status_and_do_not_stop_the_others(write, out):
    notebook = write("if z_dim == 4:\n    raise ValueError('late')")
    status, _, errors = finish(command(notebook, "--set", "z_dim=2,4,8", "--out", out, "--workers", 2))
    assert status == 1
    assert "1 of 3 runs failed:\n  z_dim=4," in errors and errors.endswith(": cell [5]: ValueError: late\n")
    assert sorted(pandas.read_csv(out / "runs.csv")["status"]) == ["complete", "complete", "failed"]


@pytest.mark.slow
def test_memory_is_bounded(write, out):
    notebook = write("if z_dim == 4:\n    block = bytearray(2 ** 40)")
    status, _, errors = finish(command(notebook, "--set", "z_dim=2,4", "--out", out, "--workers", 2))
    assert status == 1 and "MemoryError" in errors


@pytest.mark.slow
def test_killed_and_started_again(write, out, ran):
    """SIGKILL of the sweep itself: its workers and kernels end too, and nothing complete is repeated."""
    arguments = (write("import time\ntime.sleep(1.5)"), "--set", "z_dim=2,4,8", "--set", "seed=0,1",
                 "--out", out, "--workers", 2)
    first = command(*arguments)
    wait_until(lambda: len(list(out.glob("*.ipynb"))) >= 2)
    first.kill()
    first.wait()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.ipynb")}
    before = len(ran())
    status, printed, errors = finish(command(*arguments))
    assert status == 0, errors
    assert f"{len(kept)} complete, {6 - len(kept)} to do" in printed
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    assert len(ran()) - before == 6 - len(kept)
    assert_whole(out, 6)


@pytest.mark.slow
def test_interrupted_and_started_again(write, out):
    """Ctrl-C, which reaches the whole process group."""
    arguments = (write("import time\ntime.sleep(1.5)"), "--set", "seed=0,1,2,3", "--out", out, "--workers", 2)
    first = command(*arguments)
    wait_until(lambda: len(list(out.glob("*.ipynb"))) >= 1)
    os.killpg(first.pid, signal.SIGINT)
    status, _, errors = finish(first, timeout=30)
    assert status == 1 and "interrupted; the runs that are complete stay in" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    table = pandas.read_csv(out / "runs.csv")
    assert 1 <= len(table) < 4 and set(table["status"]) == {"complete"}
    assert finish(command(*arguments))[0] == 0
    assert_whole(out, 4)


# The command, on a cluster


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, each a process of its own on this machine."""
    dask = PYTHON.parent / "dask"
    address = tmp_path / "scheduler.json"
    log = open(tmp_path / "dask.log", "w")
    start = {"stdout": log, "stderr": log, "cwd": tmp_path, "start_new_session": True}
    processes = [subprocess.Popen([dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                                   "--scheduler-file", address], **start)]
    wait_until(address.exists)
    processes += [
        subprocess.Popen([dask, "worker", "--scheduler-file", address, "--nthreads", "1", "--no-dashboard",
                          "--host", "127.0.0.1"], **start)
        for _ in range(2)
    ]
    scheduler = nbformat.from_dict(pandas.read_json(address, typ="series").to_dict())["address"]
    yield scheduler, processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    log.close()


@pytest.mark.slow
def test_a_worker_of_the_cluster_is_killed(write, out, cluster):
    address, (_, worker, _) = cluster
    notebook = write("import time\ntime.sleep(2)")
    running = command(notebook, "--set", "z_dim=2,4,8", "--set", "seed=0,1", "--out", out, "--scheduler", address)
    wait_until(lambda: len(list((out / ".sweep").glob("*.ipynb"))) == 2)
    os.killpg(worker.pid, signal.SIGKILL)
    status, _, errors = finish(running)
    assert status == 0, errors
    assert_whole(out, 6)


@pytest.mark.slow
def test_a_run_that_kills_its_workers_is_recorded_with_its_partial_notebook(write, out, cluster):
    notebook = write("import os, signal\nprint('so far')\nif seed == 1:\n    os.kill(os.getppid(), signal.SIGKILL)")
    status, _, errors = finish(command(notebook, "--set", "seed=0,1", "--out", out, "--scheduler", cluster[0]))
    assert status == 1 and "1 of 2 runs failed" in errors and "KilledWorker" in errors
    table = pandas.read_csv(out / "runs.csv")
    assert list(table["status"]) == ["complete", "failed"]
    partial = nbformat.read(out / table["run"][1], as_version=4)
    assert partial.cells[3].execution_count == 4 and not partial.cells[-1].outputs


@pytest.mark.slow
def test_the_scheduler_is_killed(write, out, cluster):
    address, (scheduler, *_) = cluster
    notebook = write("import time\ntime.sleep(seed)")
    running = command(notebook, "--set", "seed=0,30", "--out", out, "--scheduler", address)
    wait_until(lambda: len(list(out.glob("*.ipynb"))) == 1)
    os.killpg(scheduler.pid, signal.SIGKILL)
    status, _, errors = finish(running)
    assert status == 1 and "the executor gave up its runs" in errors.splitlines()[-1]
    assert len(pandas.read_csv(out / "runs.csv")) == 1
