"""Sweeps: what is planned, what a folder survives, and the real thing on kernels and on Dask.

Where the kernel does not matter, a function takes its place. Each run leaves a line in the file
"ran", so that a test can count what was executed.
"""

import contextlib
import functools
import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import cloudpickle
import dask
import nbformat
import numpy
import pandas
import psutil
import pytest
from distributed import Client, LocalCluster
from jupyter_core.utils import ensure_event_loop
from matplotlib.figure import Figure

from aebook.rerun import cluster as sweep
from aebook.parameters import InputError

ROOT = Path(__file__).parents[2]
DENSE = ROOT / "notebooks" / "6_2_dense.ipynb"
PYTHON = Path(sys.executable)
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


def pretend(source, parameters, name, code, folder, scratch, act=bool):
    """In the place of worker.run: what it returns, without a kernel; ``act`` gets the parameters and may fail."""
    z_dim, seed = parameters["z_dim"], parameters["seed"]
    with open(Path(folder, "ran"), "a") as file:
        print(z_dim, seed, file=file)
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": 1,
            "source": f"z_dim = {z_dim}\nseed = {seed}\n"}
    text = json.dumps({"cells": [cell], "metadata": {"papermill": {}}, "nbformat": 4, "nbformat_minor": 5})
    versions = dict.fromkeys(("python", "keras", "tensorflow", "aebook"), "1.2.3")
    row = {"status": "complete", "error": "", "wall_s": 1.0, "peak_mb": 1, "worker": "here", **versions,
           "results": {"loss": 1 / z_dim + seed / 100, "note": "a, b", "z_dim": z_dim}}
    Path(scratch, f"{name}.ipynb").write_text(text)
    try:
        act(parameters)
    except ArithmeticError as error:
        row |= {"status": "failed", "error": f"cell [5]: {error!r}", "results": {}}
    Path(scratch, f"{name}.ipynb").unlink()
    return row, text


def and_then(act):
    return functools.partial(pretend, act=act)


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


@pytest.fixture(autouse=True)
def small_figures(monkeypatch):
    """What a page shows is for test_report; drawing it is slow."""
    monkeypatch.setattr(sweep.report.charts, "spread", lambda *_: Figure((1, 1)))


@pytest.fixture
def main(monkeypatch, threads):
    """The command with another function in the place of worker.run, and on threads or another executor."""
    def main(*arguments, runner=pretend, executor=threads):
        client = type("Client", (), {"get_executor": lambda *_, **__: executor})
        with monkeypatch.context() as patch:
            patch.setattr(sweep, "Sweep", functools.partial(sweep.Sweep, runner=runner))
            if "--scheduler" not in arguments:
                patch.setattr(sweep, "_dask", lambda *_: contextlib.nullcontext(client()))
            return sweep.main(list(map(str, arguments)))

    return main


def command(*arguments, errors=subprocess.PIPE):
    """Start python -m aebook sweep in a process group of its own, which heeds Ctrl-C.

    A shell's job in the background ignores it, and what it starts does so too.
    """
    return subprocess.Popen(
        [PYTHON, "-m", "aebook", "sweep", *map(str, arguments)], text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=errors, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process):
    printed, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, printed, errors


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def is_running(pid):
    try:
        return psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def assert_whole(out, count):
    """As many complete rows as there should be, each with its own notebook, and nothing else."""
    table = pandas.read_csv(out / "runs.csv")
    assert len(table) == count and set(table["status"]) == {"complete"}
    assert sorted(table["run"]) == sorted(path.name for path in out.glob("*.ipynb"))
    assert not table.duplicated(["z_dim", "learning_rate", "seed"]).any()
    assert table["loss"].tolist() == pytest.approx((1 / table["z_dim"] + table["seed"] / 100).tolist())
    for row in table.to_dict("records"):
        text = (out / row["run"]).read_text()
        assert f"z_dim = {row['z_dim']}\\n" in text and f"seed = {row['seed']}\\n" in text
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


def test_numpys_values_are_pythons(write):
    grid = {"z_dim": numpy.array([2, 4]), "seed": [numpy.uint8(1)], "learning_rate": [numpy.float32(0.25)]}
    runs = sweep.plan(write(), grid)
    assert repr(runs) == repr(sweep.plan(write(), {"z_dim": [2, 4], "seed": [1], "learning_rate": [0.25]}))


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
    """On kernels, each on one thread."""
    notebook = write("import os\nassert os.environ['TF_NUM_INTRAOP_THREADS'] == os.environ['OMP_NUM_THREADS'] == '1'")
    table = sweep.sweep(notebook, {"z_dim": [2], "seed": [0, 1]}, out, threads)
    assert sorted(ran()) == ["2 0", "2 1"]
    stored = assert_whole(out, 2)
    assert list(stored["run"]) == list(table["run"])
    assert set(stored["note"]) == {"a, b"}
    for name in ("python", "keras", "tensorflow", "aebook", "wall_s", "finished", "peak_mb", "worker"):
        assert stored[name].notna().all()
    for row in table.to_dict("records"):
        notebook = nbformat.read(out / row["run"], as_version=4)
        assert f"z_dim = {row['z_dim']}\nlearning_rate = 0.5\nseed = {row['seed']}" in notebook.cells[1].source
        assert notebook.metadata.papermill.output_path == row["run"]


def test_complete_runs_are_not_repeated(write, out, threads, ran):
    notebook = write()
    sweep.sweep(notebook, {"z_dim": [2, 4]}, out, threads, runner=pretend)
    sweep.sweep(notebook, {"z_dim": [2, 4, 8]}, out, threads, runner=pretend)
    sweep.sweep(notebook, {"seed": [0], "z_dim": [8]}, out, threads, runner=pretend)
    assert sorted(ran()) == ["2 0", "4 0", "8 0"]
    assert_whole(out, 3)
    next(out.glob("z_dim=4*")).unlink()
    sweep.sweep(notebook, {"z_dim": [2, 4]}, out, threads, runner=pretend)
    assert sorted(ran()) == ["2 0", "4 0", "4 0", "8 0"]
    assert_whole(out, 3)


def test_a_failed_run_is_recorded_and_tried_again(write, out, threads, ran):
    runner = and_then(lambda parameters: 1 / (parameters["z_dim"] - 4))
    table = sweep.sweep(write(), {"z_dim": [2, 4, 8]}, out, threads, runner=runner)
    assert list(table["status"]) == ["complete", "failed", "complete"]
    assert table["error"][1] == "cell [5]: ZeroDivisionError('division by zero')"
    assert (out / table["run"][1]).exists()
    page = (out / "index.html").read_text()
    assert "2 complete, 1 failed" in page and "cell [5]: ZeroDivisionError" in page
    sweep.sweep(write(), {"seed": [0], "z_dim": [2, 4, 8]}, out, threads, runner=pretend)
    assert sorted(ran()) == ["2 0", "4 0", "4 0", "8 0"]
    assert_whole(out, 3)


def test_changed_code_is_noticed_and_rerun_on_request(write, out, main, ran, capsys):
    arguments = [write(), "--set", "z_dim=2,4", "--out", out]
    assert main(*arguments) == 0
    write("changed = True")
    assert main(*arguments) == 0
    assert "2 of the complete runs are older than the notebook they would use now" in capsys.readouterr().out
    assert len(ran()) == 2
    assert main(*arguments, "--rerun") == 0
    assert len(ran()) == 4
    assert_whole(out, 2)
    assert main(*arguments, "--rerun") == 0
    assert "older" not in capsys.readouterr().out and len(ran()) == 4


def test_a_changed_package_is_noticed(write, out, threads, monkeypatch):
    sweep.sweep(write(), {"z_dim": [2]}, out, threads, runner=pretend)
    monkeypatch.setattr(sweep.worker, "aebook_code", lambda: "other")
    with sweep.Sweep(write(), {"z_dim": [2]}, out) as runs:
        assert len(runs.changed) == 1 and runs.what_changed() == "package"


def test_a_worker_with_another_package_is_not_used(write, out, threads, monkeypatch, ran):
    monkeypatch.setattr(sweep.worker, "aebook_code", iter(["here", "there"]).__next__)
    table = sweep.sweep(write(), {"z_dim": [2]}, out, threads)
    assert table["status"][0] == "failed" and "another version of aebook" in table["error"][0]
    assert ran() == []


@pytest.mark.parametrize("damage", [b"{", b"[]", b"{}", b"\xff\0"])
def test_a_row_cut_short_is_dropped_and_a_damaged_one_is_a_clear_error(write, out, threads, main, ran, damage):
    sweep.sweep(write(), {"z_dim": [2, 4]}, out, threads, runner=pretend)
    journal = out / ".sweep" / "rows.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    sweep.sweep(write(), {"z_dim": [2, 4]}, out, threads, runner=pretend)
    assert len(ran()) == 3
    assert_whole(out, 2)
    first, second = journal.read_bytes().splitlines()
    journal.write_bytes(first + b"\n" + damage + b"\n" + second + b"\n")
    answer = main(write(), "--set", "z_dim=2,4", "--out", out)
    assert answer == f"line 2 of {journal} is damaged; without that line the same command repeats its run"


class Killed(BaseException):
    """What a killed process does not even notice."""


@pytest.fixture
def kill_at(monkeypatch):
    """Run a function whose process is killed at its nth change of a file: half of that is done, nothing after."""
    def kill_at(step, call):
        steps = itertools.count(1)

        def dying(change, half):
            def change_or_die(first, *arguments, **kwargs):
                now = next(steps)
                if now == step:
                    half(first, *arguments)
                if now >= step:
                    raise Killed
                return change(first, *arguments, **kwargs)

            return change_or_die

        def open_dying(path, mode, **kwargs):
            file = open(path, mode, **kwargs)
            if mode == "a":  # the journal: all that is written without pathlib
                file.write = dying(file.write, lambda text: io.TextIOWrapper.write(file, text[: len(text) // 2]))
            return file

        with monkeypatch.context() as patch:
            text = Path.write_text
            patch.setattr(Path, "write_text", dying(text, lambda path, new: text(path, new[: len(new) // 2])))
            patch.setattr(Path, "replace", dying(Path.replace, lambda *_: None))
            patch.setattr(Path, "unlink", dying(Path.unlink, lambda *_: None))
            patch.setattr(sweep, "open", open_dying, raising=False)
            with contextlib.suppress(Killed):
                call()
        return next(steps) > step

    return kill_at


def test_killed_at_any_step_and_started_again(write, tmp_path, ran, kill_at):
    """Runs that were complete, had failed, are repeated and are new: none is lost, none done twice."""
    first, both = {"z_dim": [2, 4]}, {"seed": [0], "z_dim": [2, 4, 8]}
    for step in itertools.count(1):
        out = tmp_path / str(step)
        with ThreadPoolExecutor(1) as thread:
            runner = and_then(lambda parameters: 1 / (parameters["z_dim"] - 4))
            sweep.sweep(write(), first, out, thread, runner=runner)
            again = functools.partial(sweep.sweep, write("changed"), both, out, thread, rerun=True, runner=pretend)
            killed = kill_at(step, again)
            kept = {json.loads(line)["run"] for line in lines(out / ".sweep" / "rows.jsonl")[2:] if line.endswith("}")}
            for path in out.glob("*.ipynb"):
                json.loads(path.read_text())  # no file that a reader would open is half
            pandas.read_csv(out / "runs.csv")
            before = len(ran())
            again()
        assert_whole(out, 3)
        assert {path.name for path in (out / ".sweep").iterdir()} == {"lock", "rows.jsonl"}
        assert len(ran()) - before == 3 - len(kept)
        if not killed:
            break
    assert step > 10


def test_another_notebook_needs_another_folder(write, out, threads, tmp_path):
    notebook = write()
    sweep.sweep(notebook, {"z_dim": [2]}, out, threads, runner=pretend)
    other = notebook.rename(tmp_path / "other.ipynb")
    with pytest.raises(InputError, match="holds runs of small.ipynb; name another folder for other.ipynb"):
        sweep.sweep(other, {"z_dim": [2]}, out, threads, runner=pretend)


WORDS = ["{z_dim}", "a/b", "…" * 300, "a,b", "$a$", 1, True]


def add_word(path, new):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source += "\nword: str = 'a'\nsizes: list = [1, 2]"
    notebook.cells[-1].source = (
        "import numpy\nfrom myst_nb import glue\nglue('nan', float('nan'))\nglue('sizes', {1, 2})\n"
        "glue('half', numpy.float32(0.5), display=False)\nglue('text', '…')"
    )
    nbformat.write(notebook, new)
    return new


def test_odd_values_get_runs_of_their_own(write, out, threads):
    table = sweep.sweep(add_word(write(), write()), {"word": WORDS}, out, threads, runner=pretend)
    assert list(table["status"]) == ["complete"] * 7
    assert set(table["word"]) == set(WORDS) and table["run"].nunique() == len(list(out.glob("*.ipynb"))) == 7


@pytest.mark.slow
def test_odd_values_results_and_places(write, tmp_path, threads):
    """Braces are for papermill, a slash for the file system, and not every result is a number."""
    (tmp_path / "{o}").mkdir()
    notebook, word = add_word(write("name = word"), tmp_path / "{o}" / "odd.ipynb"), "{z_dim},a/b" + "…" * 300
    table = sweep.sweep(notebook, {"word": [word]}, tmp_path / "{o}" / "runs", threads)
    assert list(table["status"]) == ["complete"], list(table["error"])
    assert list(table["word"]) == [word]
    stored = pandas.read_csv(tmp_path / "{o}" / "runs" / "runs.csv")
    assert stored["nan"].isna().all() and set(stored["half"]) == {0.5} and set(stored["text"]) == {"…"}
    assert table["nan"].dtype == float


def test_a_failed_rerun_keeps_the_folder_whole(write, out, threads):
    """A complete run that is repeated and dies without a notebook: its row says so, no old file stays."""
    sweep.sweep(write(), {"z_dim": [2]}, out, threads, runner=pretend)
    table = sweep.sweep(write("changed = True"), {"z_dim": [2]}, out, threads, rerun=True, runner=None)
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


def test_processes_as_workers(write, out, ran):
    with ProcessPoolExecutor(2) as executor:
        sweep.sweep(write(), {"z_dim": [2, 4]}, out, executor, runner=pretend)
    assert sorted(ran()) == ["2 0", "4 0"]
    assert_whole(out, 2)


# The command


def test_parquet_is_the_same_table(write, out, main):
    assert main(add_word(write(), write()), "--set", "word=a,1", "--out", out, "--parquet") == 0
    pandas.testing.assert_frame_equal(
        pandas.read_parquet(out / "runs.parquet"), pandas.read_csv(out / "runs.csv", keep_default_na=False),
        check_dtype=False,
    )


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


def test_failures_make_the_exit_status_and_do_not_stop_the_others(write, out, main):
    runner = and_then(lambda parameters: 1 / (parameters["z_dim"] - 4))
    answer = main(write(), "--set", "z_dim=2,4,8", "--out", out, runner=runner)
    assert answer.startswith("1 of 3 runs failed:\n  z_dim=4,")
    assert answer.endswith(": cell [5]: ZeroDivisionError('division by zero')")
    assert sorted(pandas.read_csv(out / "runs.csv")["status"]) == ["complete", "complete", "failed"]


def test_interrupted_whatever_the_values(write, out, main, monkeypatch):
    """The page of what is complete must not be in the way, and the same command goes on."""
    monkeypatch.undo()  # with the figures themselves
    arguments = add_word(write(), write()), "--set", "word=1,a,b", "--set", "seed=0,1", "--out", out

    def interrupt(parameters):
        if parameters["word"] == "b":
            wait_until(lambda: len(lines(out / ".sweep" / "rows.jsonl")) == 4)
            raise KeyboardInterrupt

    answer = main(*arguments, runner=and_then(interrupt))
    assert answer.startswith(f"interrupted; the runs that are complete stay in {out}, and the same command goes on")
    assert set(pandas.read_csv(out / "runs.csv")["word"]) == {"1", "a"}
    assert main(*arguments) == 0
    assert set(pandas.read_csv(out / "runs.csv")["word"]) == {"1", "a", "b"}


# The real thing: kernels, and workers in processes of their own

WAIT = """import os, resource, time
assert os.path.exists('go') or resource.getrlimit(resource.RLIMIT_DATA)[0] != resource.RLIM_INFINITY
with open('pids', 'a') as file:
    print(os.getpid(), file=file)
while open('ran').readline().strip() != f'{z_dim} {seed}' and not os.path.exists('go'):
    time.sleep(0.05)"""
"""Of all runs the first one goes through; the others wait for the file "go". A Dask worker bounds their memory."""


@pytest.mark.slow
def test_what_goes_wrong_in_a_kernel_is_recorded(write, out):
    """A cell that fails, one that wants more memory than a run may take, a kernel that dies."""
    notebook = write("""import os
if seed == 1:
    raise FloatingPointError('the loss\\nwas nan')
if seed == 2:
    block = bytearray(2 ** 31)
if seed == 3:
    os.write(2, b'no memory left')
    os.abort()""")
    ensure_event_loop()  # as in a process that has run a notebook before
    off = {f"distributed.worker.memory.{name}": False for name in ("target", "spill", "pause", "terminate")}
    with dask.config.set(off), LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, memory_limit=2**31, dashboard_address="127.0.0.1:0",
    ) as cluster, Client(cluster) as client:
        table = sweep.sweep(notebook, {"seed": [0, 1, 2, 3]}, out, client.get_executor(pure=False))
    assert list(table["status"]) == ["complete", "failed", "failed", "failed"]
    assert table["error"][1] == "cell [5]: FloatingPointError: the loss was nan"
    assert table["error"][2].startswith("cell [5]: MemoryError")
    assert table["error"][3].startswith("DeadKernelError: Kernel died") and "no memory left" in table["error"][3]
    partial = [nbformat.read(out / run, as_version=4) for run in table["run"]]
    for notebook in partial[1:3]:
        assert any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", ()))
    assert len(partial) == len(list(out.glob("*.ipynb"))) == 4


@pytest.mark.slow
def test_killed_interrupted_and_started_again(write, out, main, ran, tmp_path, capsys):
    """The sweep's workers and kernels end with it, and nothing complete is repeated."""
    arguments = write(WAIT), "--set", "seed=0,1,2", "--out", out, "--workers"
    pids, journal, progress = tmp_path / "pids", out / ".sweep" / "rows.jsonl", tmp_path / "progress"

    with open(progress, "w") as errors:
        first = command(*arguments, 2, errors=errors)
    wait_until(lambda: len(lines(pids)) == 3 and len(lines(journal)) == 1 and "running=2" in progress.read_text())
    assert sweep.main(list(map(str, [*arguments, 2]))).startswith("another sweep is writing to")
    first.kill()
    _, printed, _ = finish(first)
    assert "3 runs of small.ipynb: 0 complete, 3 to do" in printed
    assert "2 workers on this machine, each with one thread and at most" in printed
    worker = json.loads(lines(journal)[0])["worker"].rpartition("-")[2]
    wait_until(lambda: not any(map(is_running, [worker, *lines(pids)])))
    partial = [nbformat.read(path, as_version=4) for path in (out / ".sweep").glob("*.ipynb")]
    assert [notebook.cells[3].execution_count for notebook in partial] == [4, 4], "what was done so far is kept"
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.ipynb")}
    assert len(kept) == 1

    second = command(*arguments, 1)
    wait_until(lambda: len(lines(pids)) == 4)
    os.killpg(second.pid, signal.SIGINT)  # as Ctrl-C does
    status, printed, errors = finish(second)
    assert status == 1 and "interrupted; the runs that are complete stay in" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert "1 complete, 2 to do" in printed
    wait_until(lambda: not any(map(is_running, lines(pids))))
    assert_whole(out, 1)

    (tmp_path / "go").touch()
    assert main(*arguments, 1, runner=sweep.worker.run) == 0
    printed, errors = capsys.readouterr()
    assert "1 complete, 2 to do" in printed and "3/3" in errors
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    assert len(ran()) == 3 + 1 + 2
    assert_whole(out, 3)
    assert sorted(path.name for path in (out / ".sweep").iterdir()) == ["lock", "rows.jsonl"]


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, each a process of its own on this machine; a run may kill one worker."""
    dask = PYTHON.parent / "dask"
    address = tmp_path / "scheduler.json"
    log = open(tmp_path / "dask.log", "w")
    start = {"stdout": log, "stderr": log, "cwd": tmp_path, "start_new_session": True,
             "env": {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}}
    processes = [subprocess.Popen([dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                                   "--scheduler-file", address], **start)]
    processes += [
        subprocess.Popen([dask, "worker", "--scheduler-file", address, "--nthreads", "1", "--no-dashboard",
                          "--host", "127.0.0.1"], **start)
        for _ in range(2)
    ]
    wait_until(lambda: address.exists() and address.read_text().endswith("}"))
    yield json.loads(address.read_text())["address"], processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    log.close()


@pytest.mark.slow
def test_a_cluster_loses_a_worker_all_workers_of_a_run_and_its_scheduler(write, out, cluster, main, ran, tmp_path):
    address, (scheduler, *_) = cluster
    scheduler, lost, journal = scheduler.pid, tmp_path / "lost", out / ".sweep" / "rows.jsonl"

    def act(parameters):
        if parameters["seed"] == 0 and not lost.exists():
            lost.touch()
            os.killpg(0, signal.SIGKILL)  # this worker, and who would start it again
        if parameters["seed"] == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if parameters["seed"] == 5:
            wait_until(lambda: len(lines(journal)) == 5)  # the run before is stored
            os.kill(scheduler, signal.SIGKILL)
            time.sleep(10**6)

    arguments = write(), "--out", out, "--scheduler", address
    assert main(*arguments, "--set", "seed=0,1,2", runner=and_then(act)) == 0
    assert sorted(ran()) == ["8 0", "8 0", "8 1", "8 2"]
    assert_whole(out, 3)

    answer = main(*arguments, "--set", "seed=0,3", runner=and_then(act))
    assert answer.startswith("1 of 2 runs failed") and "KilledWorker" in answer
    table = pandas.read_csv(out / "runs.csv")
    assert list(table["status"]) == ["complete"] * 3 + ["failed"]
    assert "seed = 3" in (out / table["run"][3]).read_text(), "its partial notebook"

    answer = main(*arguments, "--set", "seed=4,5", runner=and_then(act))
    assert answer.startswith("the executor gave up its runs")
    table = pandas.read_csv(out / "runs.csv")
    assert list(table["seed"]) == [0, 1, 2, 3, 4] and table["status"][4] == "complete"
