"""How long training takes, measured side by side: ``python -m aebook bench`` (``make bench``).

Each training runs in a process of its own, one after another, so that no training shares the
machine, and each library starts cold. The trainings are interleaved: every contender runs once
with one seed before any runs with the next. A clock counts the training, from the call that
builds the model; it stands still while a loss is measured.

Needs the extras ``book`` and ``bench`` of pyproject.toml; the second one is PyTorch and JAX.
"""

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import tempfile
from concurrent.futures import BrokenExecutor
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tqdm import tqdm

import aebook
from aebook import data
from aebook.bench import trainers
from aebook.bench.plan import ALL_IMAGES, plan
from aebook.bench.summary import show, summary
from aebook.bench.trainers import CONTENDERS
from aebook.rerun.files import write_whole
from aebook.parameters import InputError

PACKAGE = Path(aebook.__file__).parent
MEASURED = ("parameters", "data", "sources", "models", "training", "metrics", "bench/trainers")
"""The modules that a measurement depends on."""

OUT = Path("results/bench.json")
JOURNAL = Path("runs/bench.jsonl")
QUICK_OUT = Path("runs/bench_quick.json")
QUICK_JOURNAL = Path("runs/bench_quick.jsonl")


def bench(runs, journal):
    """Do the trainings, each in a new process, and return their measurements in the same order.

    What is done goes into the journal at once; a bench that was interrupted goes on from there,
    as long as the code, the libraries, the machine and the source of the images are the same.

    Args:
        runs: a list of Run.
        journal: the path of the journal; it is made if it is not there.

    Returns:
        For each Run a dictionary: its settings, what ``measure`` gives, and when it was.

    Raises:
        RuntimeError: if a training fails, if the journal is damaged, and if another bench has its
            journal in the same folder: no training shares the machine.
    """
    code = hashlib.sha256(b"".join((PACKAGE / f"{name}.py").read_bytes() for name in MEASURED)).hexdigest()[:12]
    state = {"code": code, "data": os.environ.get("AEBOOK_DATA", ""), **machine(), **versions()}
    journal.parent.mkdir(exist_ok=True)
    done, lock = {}, (journal.parent / "bench.lock").open("w")
    with lock, journal.open("a+b") as log, tqdm(runs, unit="training") as bar:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another bench is running; its journal is in {journal.parent}") from None
        log.seek(0)
        text = log.read()
        whole = text.rfind(b"\n") + 1
        log.truncate(whole)  # the last line may have been cut short
        for number, line in enumerate(text[:whole].splitlines(), 1):
            try:
                entry = json.loads(line)
                if entry["state"] == state:
                    done[json.dumps(entry["run"])] = entry["result"]
            except (ValueError, TypeError, KeyError):
                raise RuntimeError(f"line {number} of {journal} is damaged; "
                                   "without that line the same command repeats its training") from None
        for run in bar:
            key = json.dumps(asdict(run))
            bar.set_description(f"{run.model} {run.contender}")
            if key not in done:
                done[key] = {"started": now(), **_measure(run), "finished": now()}
                entry = {"state": state, "run": asdict(run), "result": done[key]}
                log.write(json.dumps(entry).encode() + b"\n")
                log.flush()
    return [{**asdict(run), **done[json.dumps(asdict(run))]} for run in runs]


def _measure(run):
    with tempfile.NamedTemporaryFile("r", errors="replace") as log:
        try:
            return trainers.in_new_process(run, log.name)
        except BrokenExecutor as error:
            said = " ".join(log.read()[-300:].split()) or "nothing, as when the system ends it for want of memory"
            raise RuntimeError(f"the training {run} failed: its process died, and said last: {said}") from error
        except Exception as error:
            raise RuntimeError(f"the training {run} failed: {type(error).__name__}: {error}") from error


def now():
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def versions():
    return {name: version(name) for name in ("keras", "tensorflow", "torch", "jax", "numpy")}


def machine():
    """Processor, cores and memory of this machine, and its system."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        processor = named[1] if named else processor
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m aebook bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true",
                        help=f"the contenders only, on a tenth of the images; the result goes to {QUICK_OUT}")
    quick = parser.parse_args(arguments).quick
    runs, out, journal = plan(), OUT, JOURNAL
    if quick:
        runs = [run for run in plan(ALL_IMAGES // 10) if run.contender in CONTENDERS]
        out, journal = QUICK_OUT, QUICK_JOURNAL
    out.parent.mkdir(exist_ok=True)
    try:
        images = data.load("mnist")
        if not (quick or images.verified):
            return f"{OUT} is made from the verified MNIST only; got {images.source} ({images.reason})"
        results = bench(runs, journal)
    except KeyboardInterrupt:
        return "interrupted; the same command goes on from here"
    except PackageNotFoundError as error:
        return f"{error.name} is not installed; make bench installs what the bench needs"
    except (InputError, RuntimeError) as error:
        return str(error)
    report = {
        "started": min(result["started"] for result in results),
        "finished": max(result["finished"] for result in results),
        "machine": machine(), "versions": versions(), "images": runs[0].n_train,
        "data_verified": all(result["verified"] for result in results),
        **summary(results), "runs": results,
    }
    write_whole(out, json.dumps(report, indent=1) + "\n")
    journal.unlink()
    print(show(report), f"\nwritten to {out}")
    return 0
