"""The real thing: kernels, and workers in processes of their own."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import nbformat
import pandas
import psutil
import pytest
from distributed import Client, LocalCluster
from jupyter_core.utils import ensure_event_loop

from aebook.rerun import command, worker
from aebook.rerun.cluster import sweep
from tests.rerun.helpers import PATIENCE, and_then, assert_whole, lines, notebooks, rows, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_figures")]

PYTHON = Path(sys.executable)

WAIT = """import os, resource, time
assert os.path.exists('go') or resource.getrlimit(resource.RLIMIT_DATA)[0] != resource.RLIM_INFINITY
with open('pids', 'a') as file:
    print(os.getpid(), file=file)
while open('ran').readline().strip() != f'{z_dim} {seed}' and not os.path.exists('go'):
    time.sleep(0.05)"""
"""Of all runs the first one goes through; the others wait for the file "go". A Dask worker bounds their memory."""


def start(*arguments, errors=subprocess.PIPE):
    """Start python -m aebook sweep in a process group of its own, which heeds Ctrl-C.

    A shell's job in the background ignores it, and what it starts does so too.
    """
    return subprocess.Popen(
        [PYTHON, "-m", "aebook", "sweep", *map(str, arguments)],
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=errors,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process):
    printed, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, printed, errors


def is_running(pid):
    try:
        return psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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
    with (
        dask.config.set(off),
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            memory_limit=2**31,
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster) as client,
    ):
        table = sweep(notebook, {"seed": [0, 1, 2, 3]}, out, client.get_executor(pure=False))
    assert list(table["status"]) == ["complete", "failed", "failed", "failed"]
    assert table["error"][1] == "cell [5]: FloatingPointError: the loss was nan"
    assert table["error"][2].startswith("cell [5]: MemoryError")
    assert table["error"][3].startswith("DeadKernelError: Kernel died") and "no memory left" in table["error"][3]
    partial = [nbformat.read(out / run, as_version=4) for run in table["run"]]
    for notebook in partial[1:3]:
        assert any(output.output_type == "error" for cell in notebook.cells for output in cell.get("outputs", ()))
    assert len(partial) == len(notebooks(out)) == 4


def test_killed_interrupted_and_started_again(write, out, main, ran, tmp_path, capsys):
    """The sweep's workers and kernels end with it, and nothing complete is repeated."""
    arguments = write(WAIT), "--set", "seed=0,1,2", "--out", out, "--workers"
    pids, progress = tmp_path / "pids", tmp_path / "progress"

    with open(progress, "w", encoding="utf-8") as errors:
        first = start(*arguments, 2, errors=errors)
    wait_until(lambda: len(lines(pids)) == 3 and len(notebooks(out)) == 1 and "running=2" in progress.read_text())
    assert command.main(list(map(str, [*arguments, 2]))).startswith("another sweep or bench is writing to")
    first.kill()
    _, printed, _ = finish(first)
    assert "3 runs of small.ipynb: 0 complete, 3 to do" in printed
    assert "2 workers on this machine, each with one thread and at most" in printed
    [row] = rows(out).values()
    dask_worker = row["worker"].rpartition("-")[2]
    wait_until(lambda: not any(map(is_running, [dask_worker, *lines(pids)])))
    partial = [nbformat.read(path, as_version=4) for path in (out / ".partial").glob("*/*.ipynb")]
    assert [notebook.cells[3].execution_count for notebook in partial] == [4, 4], "what was done so far is kept"
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*.ipynb")}
    assert len(kept) == 1

    second = start(*arguments, 1)
    wait_until(lambda: len(lines(pids)) == 4)
    os.killpg(second.pid, signal.SIGINT)  # as Ctrl-C does
    status, printed, errors = finish(second)
    assert status == 1 and errors.splitlines()[-1].startswith("interrupted; the runs that are complete are stored")
    assert "Traceback" not in errors
    assert "1 complete, 2 to do" in printed
    wait_until(lambda: not any(map(is_running, lines(pids))))
    assert list(pandas.read_csv(out / "runs.csv")["run"]) == notebooks(out)

    (tmp_path / "go").touch()
    assert main(*arguments, 1, runner=worker.run) == 0
    printed, errors = capsys.readouterr()
    assert "1 complete, 2 to do" in printed and "3/3" in errors
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    assert len(ran()) == 3 + 1 + 2
    assert_whole(out, 3)


def test_killed_at_random_moments(write, out):
    """Two runs at the end, none repeated. (test_store dies more often.)"""
    arguments = write("import time\ntime.sleep(1)"), "--set", "z_dim=2,4", "--out", out
    moments, kept = random.Random(0), {}
    for _ in range(3):
        process = start(*arguments)
        try:
            process.wait(timeout=moments.uniform(0, 8))
        except subprocess.TimeoutExpired:
            process.kill()
        _, printed, _ = finish(process)
        if (out / "runs.sqlite").exists():
            recorded = {run: row["finished"] for run, row in rows(out).items()}
            assert kept.items() <= recorded.items(), "a recorded run was lost or repeated"
            kept = recorded
    status, printed, errors = finish(start(*arguments))
    assert status == 0, printed + errors
    recorded = {run: row["finished"] for run, row in rows(out).items()}
    table = pandas.read_csv(out / "runs.csv")
    assert kept.items() <= recorded.items() and list(table["z_dim"]) == [2, 4]
    assert sorted(table["run"]) == sorted(recorded) == notebooks(out)


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, each a process of its own on this machine; a run may kill one worker."""
    dask = PYTHON.parent / "dask"
    address = tmp_path / "scheduler.json"
    options = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": tmp_path,
        "start_new_session": True,
        "env": {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"},
    }
    processes = [
        subprocess.Popen(
            [dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", address],
            **options,
        )
    ]
    processes += [
        subprocess.Popen(
            [dask, "worker", "--scheduler-file", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"],
            **options,
        )
        for _ in range(2)
    ]
    wait_until(lambda: address.exists() and address.read_text().endswith("}"))
    yield json.loads(address.read_text())["address"], processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_cluster_loses_a_worker_all_workers_of_a_run_and_its_scheduler(write, out, cluster, main, ran, tmp_path):
    address, (scheduler, *_) = cluster
    scheduler, lost = scheduler.pid, tmp_path / "lost"

    def act(parameters):
        if parameters["seed"] == 0 and not lost.exists():
            lost.touch()
            os.killpg(0, signal.SIGKILL)  # this worker, and who would start it again
        if parameters["seed"] == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if parameters["seed"] == 5:
            wait_until(lambda: len(notebooks(out)) == 5)  # the run before is stored
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
