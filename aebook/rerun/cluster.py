"""The runs of a plan, on any executor: Dask's, for this machine or a cluster, or one of your own.

A run is one executed notebook and one row of a table. The executor spreads the runs; what Dask has
(queue, retries after the death of a worker, memory limits) is not built again here.
"""

import itertools
import shutil
import time
from collections.abc import Callable
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
from distributed.cfexecutor import ClientExecutor
from tqdm import tqdm

from aebook.parameters import InputError
from aebook.rerun import report, worker
from aebook.rerun.files import write_whole
from aebook.rerun.plan import OUTCOME, RECORD, Grid, Plan, make_plan
from aebook.rerun.store import Store

Runner = Callable[..., tuple[dict[str, Any], str]]
"""What executes one notebook, as aebook.rerun.worker.run does."""

IN_FLIGHT = 1000
"""How many runs are handed to the executor at a time: enough for a cluster, little for a scheduler."""

SCHEDULER_LOST = (
    "the executor gave up its runs, as when its scheduler is lost; "
    "complete runs are stored, and the same command goes on with the rest"
)

TABLE_INTERVAL = 10
"""Seconds between two writings of the table while runs come in."""


class Sweep:
    """The runs of a plan, in the folder of a store.

    The folder holds one executed notebook a run, ``runs.csv`` with one line a run, and
    ``index.html``, which sums them up. A run is taken as done when its row and its notebook are
    there; failed runs are tried again.

    Args:
        plan: which runs.
        store: an open store; it may hold earlier runs of the notebook.
        rerun: also repeat complete runs whose code has changed since.
        runner: what a worker calls to execute one notebook; it takes and returns what
            aebook.rerun.worker.run does, and must be picklable for an executor that pickles.

    Raises:
        InputError: if the folder holds runs of another notebook.
    """

    def __init__(self, plan: Plan, store: Store, rerun: bool = False, runner: Runner = worker.run) -> None:
        for row in store.rows.values():
            other = row.get("notebook", "the bench")
            if other != plan.notebook.name:
                raise InputError(f"{store.folder} holds runs of {other}; name another folder for {plan.notebook.name}")
        self.plan, self.store, self.runner = plan, store, runner
        self.partial = store.folder / ".partial" / str(time.time_ns())
        self.start = time.monotonic()
        complete = {key for key in plan.runs if self._is_complete(key)}
        self.changed = {key for key in complete if store.rows[key]["code"] != plan.code}
        repeated = self.changed if rerun else set()
        self.pending = {key: run for key, run in plan.runs.items() if key not in complete - repeated}

    def _is_complete(self, key: str) -> bool:
        row = self.store.rows.get(key)
        return row is not None and row["status"] == "complete" and (self.store.folder / row["run"]).is_file()

    def run(self, executor: futures.Executor) -> None:
        """Run what is pending, and write the table and the page, also when interrupted.

        Args:
            executor: Dask's ``client.get_executor(pure=False)``, a ProcessPoolExecutor, or one of
                your own. Its workers must have aebook.

        Raises:
            ConnectionError: if a Dask executor loses its scheduler.
        """
        # Workers of a sweep that was killed may write for a moment more: into a folder of their own.
        shutil.rmtree(self.partial.parent, ignore_errors=True)
        self.partial.mkdir(parents=True)
        folders = str(self.plan.notebook.absolute().parent), str(self.partial.absolute())
        waiting, failed, written = iter(self.pending.items()), 0, self.start
        submitted: dict[futures.Future, str] = {}
        total, title = len(self.plan.runs), self.plan.notebook.stem
        done_before = total - len(self.pending)
        bar = tqdm(total=total, initial=done_before, unit="run", desc=title, smoothing=0, mininterval=0.5)
        try:
            while True:
                for key, parameters in itertools.islice(waiting, IN_FLIGHT - len(submitted)):
                    task = self.plan.source, parameters, self._file(key), self.plan.code, *folders
                    submitted[executor.submit(self.runner, *task)] = key
                if not submitted:
                    break
                done, _ = futures.wait(submitted, timeout=1, return_when=futures.FIRST_COMPLETED)
                for future in sorted(done, key=futures.Future.cancelled):
                    key = submitted.pop(future)
                    self._record(key, future)
                    failed += self.store.rows[key]["status"] == "failed"
                    bar.update()
                bar.set_postfix(running=_running(executor, submitted), failed=failed)
                if time.monotonic() - written > TABLE_INTERVAL:
                    report.write_table(self.store.folder / "runs.csv", self.table())
                    written = time.monotonic()
            shutil.rmtree(self.partial.parent, ignore_errors=True)
        finally:
            for future in submitted:
                future.cancel()
            bar.close()
            self.write()

    def _file(self, key: str) -> str:
        """The name of a run's notebook, which stays the same when the run is repeated."""
        before = self.store.rows.get(key)
        return (before and before["run"]) or self.plan.file_name(key)

    def _record(self, key: str, future: futures.Future) -> None:
        """Store a run that has ended."""
        file = self._file(key)
        outcome, text = _result(future, self.partial / file)
        row = {
            "run": file if text else "",
            **outcome,
            "parameters": self.plan.runs[key],
            "notebook_kb": round(len(text.encode()) / 1000),
            "elapsed_s": round(time.monotonic() - self.start, 3),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "notebook": self.plan.notebook.name,
            "code": self.plan.code,
        }
        (self.store.folder / file).with_suffix(".html").unlink(missing_ok=True)  # the page of an earlier run
        self.store.record(key, row, file, text)

    def failed(self) -> dict[str, str]:
        """The planned runs that failed, and why."""
        rows = ((key, self.store.rows.get(key)) for key in self.plan.runs)
        return {self._file(key): row["error"] for key, row in rows if row and row["status"] == "failed"}

    def table(self, planned_only: bool = False) -> pandas.DataFrame:
        """All runs of the folder, or those of the plan; see aebook.rerun.report.make_table."""
        rows = [row for key, row in self.store.rows.items() if key in self.plan.runs or not planned_only]
        return report.make_table(rows, self.plan.parameters)

    def write(self) -> None:
        """Write ``runs.csv`` and ``index.html``."""
        table, title = self.table(), f"Runs of {self.plan.notebook.name}"
        report.write_table(self.store.folder / "runs.csv", table)
        results = {name for row in self.store.rows.values() for name in row["results"]}
        results -= {*OUTCOME, *RECORD, *self.plan.parameters}
        pages = {page.stem for page in self.store.folder.glob("*.html")}
        write_whole(self.store.folder / "index.html", report.page(title, table, self.plan.settings, results, pages))


def _result(future: futures.Future, partial: Path) -> tuple[dict[str, Any], str]:
    """What a run that has ended gives, as aebook.rerun.worker.run does, also where no worker survived it."""
    try:
        return future.result()
    except futures.CancelledError:
        raise ConnectionError(SCHEDULER_LOST) from None
    except Exception as error:  # the row says so: no worker survived the run, or none could start it
        results, text = worker.collect(partial)
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return {"status": "failed", "error": words, "results": results}, text


def _running(executor: futures.Executor, submitted: dict[futures.Future, str]) -> int:
    """How many runs are being executed now."""
    if not isinstance(executor, ClientExecutor):
        return sum(future.running() for future in submitted)
    try:
        threads, processing = executor._client.nthreads(), executor._client.processing()
    except OSError as error:
        raise ConnectionError(SCHEDULER_LOST) from error
    return min(len(submitted), sum(min(len(keys), threads.get(address, 1)) for address, keys in processing.items()))


def sweep(
    notebook: str | Path,
    grid: Grid,
    out: str | Path,
    executor: futures.Executor,
    rerun: bool = False,
    runner: Runner = worker.run,
) -> pandas.DataFrame:
    """Run a notebook once for every combination of values, on any executor.

    Runs that are complete in the folder are not repeated, so that the same call goes on where an
    interrupted one stopped. A run that fails does not stop the others; its row holds the error.

    Args:
        notebook: path of a notebook with a cell tagged "parameters".
        grid: the values to go through by the name of their parameter.
        out: the folder; it is made if it is not there, and may hold earlier runs of the notebook.
        executor: a concurrent.futures.Executor whose workers have aebook. With Dask:
            ``Client().get_executor(pure=False)``.
        rerun, runner: see Sweep.

    Returns:
        The table of all runs in the folder; see aebook.rerun.report.make_table.

    Raises:
        InputError: for what aebook.rerun.plan.make_plan refuses, a folder that holds runs of another
            notebook, and a damaged store.
        BlockingIOError: if another sweep is writing to the folder.
        ConnectionError: if a Dask executor loses its scheduler.

    Example:
        >>> with Client(n_workers=2, threads_per_worker=1) as client:  # doctest: +SKIP
        ...     table = sweep("notebooks/6_2_dense.ipynb", {"z_dim": [2, 4], "seed": [0, 1]},
        ...                   "runs/z", client.get_executor(pure=False))
    """
    plan = make_plan(notebook, grid)
    with Store(Path(out)) as store:
        runs = Sweep(plan, store, rerun, runner)
        runs.run(executor)
        return runs.table()
