"""The command ``python -m aebook sweep``: a notebook with many settings, or the experiments of a file."""

import argparse
import contextlib
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import dask
from dask.system import CPU_COUNT
from dask.utils import format_bytes
from distributed import Client, LocalCluster
from distributed.system import MEMORY_LIMIT
from pandas.api.types import infer_dtype

from aebook.parameters import InputError
from aebook.rerun import cluster, report, worker
from aebook.rerun.experiments import Experiment, read_experiments
from aebook.rerun.plan import make_plan, read_settings
from aebook.rerun.store import Store

MEMORY_PER_RUN = 3 * 2**30
"""What a worker should have, in bytes: chapter 6.2 needs 2.3 GB."""

WORKER_START = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Ctrl-C reaches the workers too; the sweep is what it is for, and that ends them."""


def main(arguments: Sequence[str]) -> str | int:
    """Run the command; returns what `sys.exit` takes."""
    parser = argparse.ArgumentParser(
        prog="python -m aebook sweep",
        description="Run a notebook once for every combination of values, or make the "
        "tables that a file of experiments names. The same command again runs only what is missing or has failed.",
    )
    parser.add_argument("what", type=Path, metavar="NOTEBOOK.ipynb|EXPERIMENTS.yml")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE,...",
        dest="settings",
        help="notebook: the values of one parameter; may be given for several",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="notebook: where the runs go")
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="notebook: repeat complete runs whose code has changed since, as experiments always do",
    )
    parser.add_argument("--parquet", action="store_true", help="notebook: write the table as runs.parquet too")
    parser.add_argument("--only", metavar="NAME", help="experiments: make this table only")
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="runs at a time on this machine (default: as many as its cores and memory allow)",
    )
    parser.add_argument("--scheduler", metavar="tcp://HOST:8786", help="use the workers of a Dask scheduler instead")
    options = parser.parse_args(arguments)
    try:
        _check(options)
        if options.what.suffix == ".yml":
            return _run_experiments(options)
        return _run_notebook(options)
    except KeyboardInterrupt:
        return "interrupted; the runs that are complete are stored, and the same command goes on with the rest"
    except (InputError, OSError) as error:
        return str(error)


def _check(options: argparse.Namespace) -> None:
    if options.what.suffix == ".yml":
        for name in ("settings", "out", "rerun", "parquet"):
            if getattr(options, name):
                option = name.removesuffix("tings")  # settings are --set
                raise InputError(f"--{option} is for a notebook; {options.what.name} says it itself")
    elif options.only:
        raise InputError(f"--only is for a file of experiments, such as experiments.yml; got {options.what}")
    elif not options.out:
        raise InputError(f"--out must name a folder for the runs of {options.what}")
    if options.workers is not None and options.scheduler:
        raise InputError("--workers is for this machine and --scheduler for a cluster; name one of them")
    if options.scheduler and not re.fullmatch(r"(tcp|tls|ws|wss)://.+:\d+", options.scheduler):
        raise InputError(f"--scheduler must look like tcp://host:8786, got {options.scheduler}")
    if options.workers is not None and options.workers < 1:
        raise InputError(f"--workers must be at least 1, got {options.workers}")


def _run_notebook(options: argparse.Namespace) -> str | int:
    plan = make_plan(options.what, read_settings(options.settings))
    with Store(options.out) as store:
        runs = cluster.Sweep(plan, store, options.rerun)
        if runs.changed and not options.rerun:
            print(f"{len(runs.changed)} of the complete runs were made with other code; --rerun repeats them")
        _run(runs, options.scheduler, options.workers)
        if options.parquet:
            table = runs.table()
            mixed = [name for name in table if infer_dtype(table[name]).startswith("mixed")]
            table.astype(dict.fromkeys(mixed, str)).to_parquet(options.out / "runs.parquet")  # one type a column
        print(f"table: {options.out / 'runs.csv'}  page: {options.out / 'index.html'}")
        return _failures(runs) or 0


def _run_experiments(options: argparse.Namespace) -> str | int:
    root = options.what.parent
    experiments = read_experiments(options.what, options.only)
    return "\n".join(filter(None, [_run_experiment(experiment, root, options) for experiment in experiments])) or 0


def _run_experiment(experiment: Experiment, root: Path, options: argparse.Namespace) -> str:
    """Run an experiment into runs/NAME, and write its table; returns what failed."""
    table = root / "results" / f"{experiment.name}.csv"
    print(f"{experiment.name}: {experiment.why}")
    with Store(root / "runs" / experiment.name) as store:
        if experiment.fresh:
            store.forget({key: row["run"] for key, row in store.rows.items()})
        runs = cluster.Sweep(experiment.plan, store, rerun=True)
        here = experiment.workers is not None
        _run(runs, None if here else options.scheduler, experiment.workers if here else options.workers)
        if failures := _failures(runs):
            return f"{experiment.name}: {failures}\n  {table} stays as it was"
        table.parent.mkdir(exist_ok=True)
        report.write_table(table, runs.table(planned_only=True))
    print(f"table: {table}")
    return ""


def _run(runs: cluster.Sweep, scheduler: str | None, workers: int | None) -> None:
    complete = len(runs.plan.runs) - len(runs.pending)
    print(f"{len(runs.plan.runs)} runs of {runs.plan.notebook.name}: {complete} complete, {len(runs.pending)} to do")
    if runs.pending:
        with _dask(scheduler, workers) as client:
            runs.run(client.get_executor(pure=False))
    else:
        runs.write()


def _failures(runs: cluster.Sweep) -> str:
    failed = runs.failed()
    lines = [f"  {run}: {why}" for run, why in failed.items()]
    return "\n".join([f"{len(failed)} of {len(runs.plan.runs)} runs failed:", *lines]) if failed else ""


@contextlib.contextmanager
def _dask(scheduler: str | None, workers: int | None) -> Iterator[Client]:
    """A client of the scheduler at an address, or of a cluster on this machine for as long as it is used."""
    if scheduler:
        with Client(scheduler, timeout=10) as client:
            threads = client.nthreads()
            print(f"{scheduler}: {len(threads)} workers, {sum(threads.values())} runs at a time")
            yield client
        return
    workers = workers or max(1, min(CPU_COUNT, MEMORY_LIMIT // MEMORY_PER_RUN))
    memory = MEMORY_LIMIT // workers
    bound = (
        f"at most {format_bytes(memory)} of memory"
        if worker.CAN_LIMIT_MEMORY
        else "as much memory as it takes, which this system cannot limit"
    )
    print(f"{workers} workers on this machine, each with one thread and {bound}")
    # One run a worker at a time, and none in waiting there: a run is long, handing it over is quick.
    with (
        dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=memory,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,  # what happens to a run stands in its row
            preload=[WORKER_START],
        ) as local,
        Client(local) as client,
    ):
        yield client
