"""Many papermill runs of one notebook, on this machine or on a cluster: ``python -m aebook sweep``.

A run is one executed notebook and one row of a table. Dask spreads the runs; what it has
(queue, retries after the death of a worker, memory limits) is not built again here.
"""

import argparse
import contextlib
import fcntl
import hashlib
import itertools
import json
import logging
import re
import time
from ast import literal_eval
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path

import dask
import nbformat
import numpy
import pandas
import papermill
from dask.system import CPU_COUNT
from dask.utils import format_bytes
from distributed import Client, LocalCluster
from distributed.cfexecutor import ClientExecutor
from distributed.system import MEMORY_LIMIT
from pandas.api.types import infer_dtype, is_numeric_dtype
from tqdm import tqdm

from aebook.rerun import report, worker
from aebook.rerun.files import write_whole
from aebook.parameters import RULES, InputError, check, read_value

MEMORY_PER_RUN = 3 * 2**30
"""What a worker should have, in bytes: chapter 6.2 needs 2.3 GB."""

IN_FLIGHT = 1000
"""How many runs are handed to the executor at a time: enough for a cluster, little for a scheduler."""

TABLE_INTERVAL = 10
"""Seconds between two writings of the table while runs come in."""

WORKER_START = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Ctrl-C reaches the workers too; the sweep is what it is for, and that ends them."""

OUTCOME = ("run", "status", "error")
RECORD = ("wall_s", "store_s", "elapsed_s", "peak_mb", "notebook_kb", "finished", "worker",
          "python", "keras", "tensorflow", "aebook", "notebook", "notebook_code", "aebook_code")
"""Columns of the table: OUTCOME, the parameters, RECORD, and what the notebook recorded."""


# The plan: which runs, all checked before the first one starts


def read_settings(texts):
    """What ``--set`` was given, as a grid: ["z_dim=2,4", "optimizer=adam"] → {"z_dim": [2, 4], ...}.

    Raises:
        InputError: for a setting without a value, and for a name that comes twice.
    """
    grid = {}
    for text in texts:
        name, _, values = text.partition("=")
        if not name or not all(values.split(",")):
            raise InputError(f"--set must look like z_dim=2,4,8; got {text!r}")
        if name in grid:
            raise InputError(f"{name} is set twice; name all its values in one --set {name}=...")
        grid[name] = [read_value(value) for value in values.split(",")]
    return grid


def plan(notebook, grid):
    """Every combination of a grid's values, each with all parameters of the notebook.

    Args:
        notebook: path of a notebook with a cell tagged "parameters".
        grid: the values to go through by the name of their parameter.

    Returns:
        A list of dictionaries, in the order of the grid.

    Raises:
        InputError: for what is no such notebook, a name it does not have, and a value that
            aebook.parameters.check refuses.
    """
    path = Path(notebook)
    defaults = _defaults(path)
    grid = {
        name: [value.item() if isinstance(value, numpy.generic) else value for value in values]
        for name, values in grid.items()
    }
    for name, values in grid.items():
        if name not in defaults:
            raise InputError(f"{path.name} has no parameter {name!r}; it has {', '.join(defaults)}")
        if not values:
            raise InputError(f"{name} must have at least one value, got none")
        for value in values:
            if not isinstance(value, str | int | float):
                raise InputError(f"{name} must be a number, a text, True or False; got {value!r}")
    runs = {}
    for values in itertools.product(*grid.values()):
        parameters = {**defaults, **dict(zip(grid, values))}
        check(**{name: value for name, value in parameters.items() if name in RULES})
        for name, default in defaults.items():
            if isinstance(default, float) and type(parameters[name]) is int:
                parameters[name] = float(parameters[name])  # 1 and 1.0 are one run
        runs[_digest(parameters)] = parameters
    return list(runs.values())


def _defaults(path):
    """The parameters of a notebook with their default values."""
    if not path.is_file() or path.suffix != ".ipynb":
        raise InputError(f"there is no notebook {path}")
    try:
        known = papermill.inspect_notebook(worker.literally(path))
    except ValueError as error:
        raise InputError(f"{path} cannot be read as a notebook: {error}") from error
    if not known:
        raise InputError(f"{path} has no cell tagged 'parameters', so there is nothing to set")
    defaults = {}
    for name, parameter in known.items():
        try:
            defaults[name] = literal_eval(parameter["default"])
            json.dumps(defaults[name])
        except (ValueError, SyntaxError, TypeError):
            raise InputError(f"the default of {name} in {path.name} must be a plain value, "
                             f"got {parameter['default']}") from None
        if name in (*OUTCOME, *RECORD):
            raise InputError(f"{path.name} has a parameter {name!r}, which is a column of the table; rename it")
    return defaults


def _digest(parameters):
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:12]


# The folder of a sweep


class Sweep:
    """The runs of one notebook in one folder; a context manager, because a folder has one writer.

    The folder holds one executed notebook a run, ``runs.csv`` with one line a run, and
    ``index.html``, which sums them up. A run is taken as done when its row and its notebook are
    there; failed runs are tried again.

    Args:
        notebook: path of a notebook with a cell tagged "parameters".
        grid: the values to go through by the name of their parameter.
        out: the folder; it is made if it is not there, and may hold earlier runs of the notebook.
        rerun: also repeat complete runs whose notebook or package code has changed since.
        runner: what a worker calls to execute one notebook; it takes and returns what
            aebook.rerun.worker.run does, and must be picklable for an executor that pickles.

    Raises:
        InputError: see plan(); and if the folder holds runs of another notebook, or its journal
            is damaged.
        BlockingIOError: if another sweep is writing to the folder.
    """

    def __init__(self, notebook, grid, out, rerun=False, runner=worker.run):
        self.notebook, self.out, self.grid, self.rerun, self.runner = Path(notebook), Path(out), grid, rerun, runner
        self.start = time.monotonic()
        self.planned = {_digest(parameters): parameters for parameters in plan(notebook, grid)}
        if self.out.exists() and not self.out.is_dir():
            raise InputError(f"the runs need a folder, and {out} is a file")
        content = nbformat.read(notebook, as_version=4)
        code = [cell for cell in content.cells if cell.cell_type == "code"]
        for cell in code:
            cell.outputs, cell.execution_count = [], None
        self.source = nbformat.writes(content)
        self.code = {
            "notebook_code": hashlib.sha256("\n".join(cell.source for cell in code).encode()).hexdigest()[:12],
            "aebook_code": worker.aebook_code(),
        }

    def __enter__(self):
        self.own = self.out / ".sweep"
        self.own.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            lock = stack.enter_context(open(self.own / "lock", "w"))
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with this process, whoever it has forked
            except (BlockingIOError, PermissionError):
                raise BlockingIOError(f"another sweep is writing to {self.out}; "
                                      "wait until it ends, or name another folder") from None
            self._read_rows()
            self._open = stack.pop_all()
        self._read_what_is_left_to_do()
        return self

    def _read_rows(self):
        self.rows = {}
        with open(self.own / "rows.jsonl", "a+b") as journal:
            journal.seek(0)
            text = journal.read()
            whole = text.rfind(b"\n") + 1
            journal.truncate(whole)  # a row that was being written when the sweep was killed
        for number, line in enumerate(text[:whole].splitlines(), 1):
            try:
                row = json.loads(line)
                self.rows[_digest(row["parameters"])] = row
            except (ValueError, TypeError, KeyError):
                raise InputError(f"line {number} of {journal.name} is damaged; "
                                 "without that line the same command repeats its run") from None
        for row in self.rows.values():
            if row["notebook"] != self.notebook.name:
                raise InputError(f"{self.out} holds runs of {row['notebook']}; "
                                 f"name another folder for {self.notebook.name}")

    def _read_what_is_left_to_do(self):
        complete = {key for key in self.planned if self._is_complete(key)}
        self.changed = {
            key for key in complete if any(self.rows[key][name] != now for name, now in self.code.items())
        }
        repeated = self.changed if self.rerun else set()
        self.pending = {key: value for key, value in self.planned.items() if key not in complete - repeated}

    def _is_complete(self, key):
        row = self.rows.get(key)
        return row is not None and row["status"] == "complete" and (self.out / row["run"]).is_file()

    def __exit__(self, *_):
        self._open.close()

    def run(self, executor):
        """Run what is pending, and write the table and the page, also when interrupted.

        Args:
            executor: a concurrent.futures.Executor: Dask's ``client.get_executor()``, a
                ProcessPoolExecutor, or one of your own. Its workers must have aebook.

        Raises:
            ConnectionError: if a Dask executor loses its scheduler.
        """
        waiting, submitted, failed, written = iter(self.pending.items()), {}, 0, self.start
        places = str(self.notebook.absolute().parent), str(self.own.absolute())
        bar = tqdm(total=len(self.planned), initial=len(self.planned) - len(self.pending),
                   unit="run", desc=self.notebook.stem, smoothing=0, mininterval=0.5)
        try:
            while True:
                for key, parameters in itertools.islice(waiting, IN_FLIGHT - len(submitted)):
                    task = self.source, parameters, self.name(parameters), self.code["aebook_code"]
                    submitted[executor.submit(self.runner, *task, *places)] = key
                if not submitted:
                    break
                done, _ = futures.wait(submitted, timeout=1, return_when=futures.FIRST_COMPLETED)
                for future in sorted(done, key=futures.Future.cancelled):
                    key = submitted.pop(future)
                    self._record(key, future)
                    failed += self.rows[key]["status"] == "failed"
                    bar.update()
                bar.set_postfix(running=_running(executor, submitted), failed=failed)
                if time.monotonic() - written > TABLE_INTERVAL:
                    self._write_table()
                    written = time.monotonic()
        finally:
            for future in submitted:
                future.cancel()
            bar.close()
            self.write()

    def name(self, parameters):
        """File name of a run, without its ending: what was set, and what tells it from all others."""
        settings = ",".join(f"{name}={parameters[name]}" for name in self.grid)
        settings = re.sub(r"[^\w.,=+ -]", "-", settings).encode()[:150].decode(errors="ignore")
        return f"{settings},{_digest(parameters)}".lstrip(",")

    def what_changed(self):
        """Which code is no longer that of the complete runs: "notebook", "package", or both."""
        names = {"notebook_code": "notebook", "aebook_code": "package"}
        return " and the ".join(
            names[part] for part, now in self.code.items() if any(self.rows[key][part] != now for key in self.changed)
        )

    def _record(self, key, future):
        """Store a run that has ended: first its notebook, then its row, so that a row means both."""
        name, start = self.name(self.planned[key]), time.monotonic()
        try:
            outcome, text = future.result()
        except futures.CancelledError:
            raise ConnectionError("the executor gave up its runs, as when its scheduler is lost; complete runs "
                                  "are stored, and the same command goes on with the rest") from None
        except Exception as error:  # the row says so: no worker survived the run, or none could start it
            results, text = worker.take(self.own / f"{name}.ipynb")
            error = " ".join(f"{type(error).__name__}: {error}".split())
            outcome = {"status": "failed", "error": error, "results": results}
        run = f"{name}.ipynb" if text else ""
        if text:
            write_whole(self.out / run, text)
        before = self.rows.get(key)
        if before and before["run"] not in ("", run):
            (self.out / before["run"]).unlink(missing_ok=True)  # before the row: killed here, the run is done again
        self.rows[key] = {
            "run": run,
            **outcome,
            "parameters": self.planned[key],
            "notebook_kb": round(len(text.encode()) / 1000),
            "store_s": round(time.monotonic() - start, 4),
            "elapsed_s": round(time.monotonic() - self.start, 3),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "notebook": self.notebook.name,
            **self.code,
        }
        with open(self.own / "rows.jsonl", "a", encoding="utf-8") as journal:
            journal.write(json.dumps(self.rows[key], default=repr) + "\n")

    def failed(self):
        """The rows of the planned runs that failed."""
        return [row for key in self.planned if (row := self.rows.get(key)) and row["status"] == "failed"]

    def table(self):
        """All runs of the folder as a DataFrame, one row a run, ordered by their parameters.

        Columns: run (the notebook's file name), status, error, the parameters, wall_s (seconds
        the run took), store_s (seconds it took to store it), elapsed_s (seconds from the start of
        the sweep until then), peak_mb (the most memory any run of that worker took so far),
        notebook_kb, finished (UTC), worker, versions, the hashes of the code, and what the
        notebook recorded with glue, unless it has the name of one of these columns.
        """
        rows = self.rows.values()
        names = [*next(iter(self.planned.values())), *(name for row in rows for name in row["parameters"])]
        parameters = list(dict.fromkeys(names))
        results = dict.fromkeys(name for row in rows for name in row["results"])
        columns = dict.fromkeys([*OUTCOME, *parameters, *RECORD, *results])
        frame = pandas.DataFrame([{**row["results"], **row["parameters"], **row} for row in rows], columns=columns)
        return frame.sort_values(
            parameters, ignore_index=True, key=lambda values: values if is_numeric_dtype(values) else values.astype(str)
        )

    def _write_table(self):
        table = self.table()
        write_whole(self.out / "runs.csv", table.to_csv(index=False))
        return table

    def write(self):
        """Write ``runs.csv`` and ``index.html``."""
        page = report.page(f"Runs of {self.notebook.name}", self._write_table(), self.grid)
        write_whole(self.out / "index.html", page)


def _running(executor, submitted):
    """How many runs are being executed now."""
    if not isinstance(executor, ClientExecutor):
        return sum(future.running() for future in submitted)
    threads, processing = executor._client.nthreads(), executor._client.processing()
    return min(len(submitted), sum(min(len(keys), threads.get(address, 1)) for address, keys in processing.items()))


def sweep(notebook, grid, out, executor, rerun=False, runner=worker.run):
    """Run a notebook once for every combination of values, on any executor.

    Runs that are complete in the folder are not repeated, so that the same call goes on where an
    interrupted one stopped. A run that fails does not stop the others; its row holds the error.

    Args:
        executor: a concurrent.futures.Executor whose workers have aebook. With Dask:
            ``Client().get_executor(pure=False)``.
        The others: see Sweep.

    Returns:
        The table of all runs in the folder, a DataFrame; see Sweep.table.

    Raises:
        InputError, BlockingIOError: see Sweep. ConnectionError: see Sweep.run.

    Example:
        >>> with Client(n_workers=2, threads_per_worker=1) as client:
        ...     table = sweep("notebooks/6_2_dense.ipynb", {"z_dim": [2, 4], "seed": [0, 1]},
        ...                   "runs/z", client.get_executor(pure=False))
    """
    with Sweep(notebook, grid, out, rerun, runner) as runs:
        runs.run(executor)
        return runs.table()


# The command


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m aebook sweep", description="Run a notebook once for every combination of values. "
        "The same command again runs only what is missing or has failed.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE,...", dest="settings",
                        help="the values of one parameter; may be given for several")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the runs go")
    parser.add_argument("--workers", type=int, metavar="N",
                        help="runs at a time on this machine (default: as many as its cores and memory allow)")
    parser.add_argument("--scheduler", metavar="tcp://HOST:8786", help="use the workers of a Dask scheduler instead")
    parser.add_argument("--rerun", action="store_true",
                        help="repeat complete runs whose notebook or package code has changed since")
    parser.add_argument("--parquet", action="store_true", help="write the table as runs.parquet too")
    given = parser.parse_args(arguments)
    try:
        if given.workers is not None and given.scheduler:
            raise InputError("--workers is for this machine and --scheduler for a cluster; name one of them")
        if given.scheduler and not re.fullmatch(r"(tcp|tls|ws|wss)://.+:\d+", given.scheduler):
            raise InputError(f"--scheduler must look like tcp://host:8786, got {given.scheduler}")
        if given.workers is not None and given.workers < 1:
            raise InputError(f"--workers must be at least 1, got {given.workers}")
        with Sweep(given.notebook, read_settings(given.settings), given.out, given.rerun) as runs:
            return _sweep_on_dask(runs, given)
    except (InputError, OSError) as error:
        return str(error)


def _sweep_on_dask(runs, given):
    complete = len(runs.planned) - len(runs.pending)
    print(f"{len(runs.planned)} runs of {runs.notebook.name}: {complete} complete, {len(runs.pending)} to do")
    if runs.changed and not given.rerun:
        print(f"{len(runs.changed)} of the complete runs are older than the {runs.what_changed()} they would "
              "use now; --rerun repeats them")
    try:
        if runs.pending:
            with _dask(given.scheduler, given.workers) as client:
                runs.run(client.get_executor(pure=False))
        else:
            runs.write()
    except KeyboardInterrupt:
        return f"interrupted; the runs that are complete stay in {given.out}, and the same command goes on with the rest"
    if given.parquet:
        table = runs.table()
        mixed = [name for name in table if infer_dtype(table[name]).startswith("mixed")]
        table.astype(dict.fromkeys(mixed, str)).to_parquet(given.out / "runs.parquet")  # one type a column
    print(f"table: {given.out / 'runs.csv'}  page: {given.out / 'index.html'}")
    failed = runs.failed()
    if failed:
        return "\n".join([f"{len(failed)} of {len(runs.planned)} runs failed:",
                          *(f"  {runs.name(row['parameters'])}: {row['error']}" for row in failed)])
    return 0


@contextlib.contextmanager
def _dask(scheduler, workers):
    """A client of the scheduler at an address, or of a cluster on this machine for as long as it is used."""
    if scheduler:
        with Client(scheduler, timeout=10) as client:
            threads = client.nthreads()
            print(f"{scheduler}: {len(threads)} workers, {sum(threads.values())} runs at a time")
            yield client
        return
    workers = workers or max(1, min(CPU_COUNT, MEMORY_LIMIT // MEMORY_PER_RUN))
    memory = MEMORY_LIMIT // workers
    print(f"{workers} workers on this machine, each with one thread and at most {format_bytes(memory)} of memory")
    # One run a worker at a time, and none in waiting there: a run is long, handing it over is quick.
    with dask.config.set({"distributed.scheduler.worker-saturation": 1.0}), LocalCluster(
        n_workers=workers, threads_per_worker=1, memory_limit=memory, dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,  # what happens to a run stands in its row
        preload=[WORKER_START],
    ) as cluster, Client(cluster) as client:
        yield client
