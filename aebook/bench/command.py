"""How long training takes, measured side by side: ``python -m aebook bench`` (``make bench``).

Each training runs in a process of its own, one after another, so that no training shares the
machine, and each library starts cold. The trainings are interleaved: every contender runs once
with one seed before any runs with the next. A clock counts the training, from the call that
builds the model; it stands still while a loss is measured.

Needs the extra ``bench`` of pyproject.toml, PyTorch and JAX among it.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import tempfile
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm

from aebook import data
from aebook.bench import trainers
from aebook.bench.plan import ALL_IMAGES, plan
from aebook.bench.summary import show, summary
from aebook.bench.trainers import CONTENDERS, Run
from aebook.parameters import InputError
from aebook.rerun import provenance
from aebook.rerun.files import write_whole
from aebook.rerun.store import Store

OUT = Path("results/bench.json")
QUICK_OUT = Path("runs/bench_quick.json")
FOLDER = Path("runs/bench")
"""Where the trainings are recorded until a bench is done: one folder, so that no two benches share the machine."""


def bench(runs: Sequence[Run], store: Store, about: dict[str, Any]) -> list[dict[str, Any]]:
    """Do the trainings, each in a new process.

    What is done is recorded at once; a bench that was interrupted goes on from there, as long as
    the code, the libraries, the machine and the source of the images are the same.

    Args:
        runs: which trainings.
        store: an open store; what it holds of other trainings stays.
        about: what ``circumstances`` gave before the first of them.

    Returns:
        For each Run, in the same order: its settings, what aebook.bench.trainers.train gives, and
        when it was.

    Raises:
        RuntimeError: if a training fails, or the code has changed since.
    """
    data = os.environ.get("AEBOOK_DATA", "")
    state = {"code": about["code"], "data": data, **about["machine"], **about["versions"]}
    results = []
    with tqdm(runs, unit="training") as bar:
        for run in bar:
            bar.set_description(f"{run.model} {run.contender}")
            before = store.rows.get(_key(run), {"state": None})
            if before["state"] != state:
                before = {"state": state, "result": {"started": now(), **_train(run), "finished": now()}}
                if code() != state["code"]:  # nobody knows which of the two was trained
                    raise RuntimeError(
                        "the code was changed while the bench ran, and the last training counts for neither; with the "
                        "code as it was the same command goes on from here, with the new one it begins anew"
                    )
                store.record(_key(run), before)
            results.append({**asdict(run), **before["result"]})
    return results


def _key(run: Run) -> str:
    return hashlib.sha256(json.dumps(asdict(run)).encode()).hexdigest()[:12]


def _train(run: Run) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        log.touch()
        try:
            return trainers.train_in_new_process(run, log)
        except BrokenExecutor as error:
            said = " ".join(log.read_text(encoding="utf-8", errors="replace")[-300:].split())
            said = said or "nothing, as when the system ends it for want of memory"
            raise RuntimeError(f"the training {run} failed: its process died, and said last: {said}") from error
        except Exception as error:
            raise RuntimeError(f"the training {run} failed: {type(error).__name__}: {error}") from error


def circumstances() -> dict[str, Any]:
    """What a measurement depends on beside its Run and its images, as it is now."""
    return {"machine": machine(), "versions": versions(), "code": code()}


def code() -> str:
    """The hash of the code that a measurement depends on."""
    return provenance.module_code("aebook.bench.trainers")


def now() -> str:
    """The time in UTC, as it is stored."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """The versions of the libraries that a measurement depends on.

    Raises:
        PackageNotFoundError: if one of them is not installed.
    """
    return {name: version(name) for name in ("keras", "tensorflow", "torch", "jax", "numpy")}


def machine() -> dict[str, str | int]:
    """Processor, cores and memory of this machine, and its system."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        named = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        processor = named[1] if named else processor
    return {
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def main(arguments: Sequence[str]) -> str | int:
    """Run the command; returns what `sys.exit` takes."""
    parser = argparse.ArgumentParser(prog="python -m aebook bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"the contenders only, on a tenth of the images; the result goes to {QUICK_OUT}",
    )
    quick = parser.parse_args(arguments).quick
    runs, out = plan(), OUT
    if quick:
        runs, out = [run for run in plan(ALL_IMAGES // 10) if run.contender in CONTENDERS], QUICK_OUT
    try:
        images = data.load("mnist")
        if not (quick or images.verified):
            return f"{OUT} is made from the verified MNIST only; got {images.source} ({images.reason})"
        with Store(FOLDER) as store:
            about = circumstances()
            report = _report(bench(runs, store, about), about)
            out.parent.mkdir(exist_ok=True)
            write_whole(out, json.dumps(report, indent=1) + "\n")
            store.forget({_key(run): "" for run in runs})
    except KeyboardInterrupt:
        return "interrupted; the same command goes on from here"
    except PackageNotFoundError as error:
        return f"{error.name} is not installed; make bench installs what the bench needs"
    except (InputError, RuntimeError, OSError) as error:
        return str(error)
    print(show(report), f"\nwritten to {out}")
    return 0


def _report(results: list[dict[str, Any]], about: dict[str, Any]) -> dict[str, Any]:
    """What is stored of a bench."""
    return {
        "started": min(result["started"] for result in results),
        "finished": max(result["finished"] for result in results),
        **about,
        "images": results[0]["n_train"],
        "data_verified": all(result["verified"] for result in results),
        **summary(results),
        "runs": results,
    }
