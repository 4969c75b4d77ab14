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
import inspect
import json
import os
import platform
import re
import statistics
import tempfile
from concurrent.futures import BrokenExecutor
from dataclasses import asdict, replace
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas
from tqdm import tqdm

from aebook import contenders, data, training
from aebook.contenders import CONTENDERS, Run
from aebook.execute import write_whole
from aebook.parameters import InputError

FULL = ("source", "book", "pytorch")
FEW_EPOCHS = 3
"""The others run for fewer epochs: only their speed counts."""

SEEDS = (0, 1, 2)
ALL_IMAGES = 60_000
FEWER = 4
"""What is beside the contenders, the changes and the growth, uses so many times fewer images."""

CHANGES = {
    "dense": {
        "the source's Adadelta": {"optimizer": "adadelta", "learning_rate": 1.0, "cosine_decay": False},
        "a constant learning rate": {"cosine_decay": False},
        "biases of the code from 0": {"code_bias": 0.0},
        "without XLA": {"xla": False},
        "one step per call": {"steps_per_call": 1},
    },
    "conv": {
        "the source's Adadelta": {"optimizer": "adadelta", "learning_rate": 1.0, "cosine_decay": False},
        "a constant learning rate": {"cosine_decay": False},
        "biases of the code from 0": {"code_bias": 0.0},
        "Keras's first weights": {"kernel_initializer": "glorot_uniform"},
        "the source's batches of 128": {"batch_size": 128},
        "with XLA": {"xla": True},
        "one step per call": {"steps_per_call": 1},
    },
}
"""This book's recipes, with one part of them changed."""

MORE_EPOCHS = 5
"""How long the changes and the growth run."""

GROWTH = {
    "dense": {"n_train": (7_500, 30_000), "size": (144, 576), "batch_size": (64, 1024)},
    "conv": {"n_train": (7_500, 30_000), "size": (4, 16), "batch_size": (32, 256)},
}
"""The settings, one at a time, that show how the cost of this book's trainings grows."""

PACKAGE = Path(contenders.__file__).parent
MEASURED = ("parameters", "data", "models", "training", "metrics", "contenders")
"""The modules that a measurement depends on."""

OUT = Path("results/bench.json")
JOURNAL = Path("runs/bench.jsonl")
QUICK_OUT = Path("runs/bench_quick.json")
QUICK_JOURNAL = Path("runs/bench_quick.jsonl")


def plan(n_train=ALL_IMAGES):
    """All trainings in their order, a list of Run: first the contenders, then how the cost grows."""
    books = {
        seed: [_defaults("dense", training.train_dense, seed, n_train),
               _defaults("conv", training.train_conv, seed, n_train)]
        for seed in SEEDS
    }
    parts = ((_contenders, SEEDS), (_changes, SEEDS), (_growth, SEEDS[:1]))
    return [run for part, seeds in parts for seed in seeds for book in books[seed] for run in part(book)]


def _defaults(model, train, seed, n_train):
    """The Run of what aebook.training does when it is called without settings."""
    names = inspect.signature(train).parameters
    settings = {name: names[name].default for name in ("optimizer", "learning_rate", "epochs", "batch_size")}
    dense = model == "dense"
    return Run(
        model, "book", seed, **settings, size=names["z_dim" if dense else "code_filters"].default, n_train=n_train,
        cosine_decay=True, code_bias=training.CODE_BIAS, kernel_initializer="glorot_uniform" if dense else "he_normal",
        xla=dense, steps_per_call=inspect.signature(training.train).parameters["steps_per_call"].default,
    )


def _contenders(book):
    source = asdict(training.DENSE_SOURCE if book.model == "dense" else training.CONV_SOURCE)
    yield replace(book, contender="source", **source, code_bias=0.0, kernel_initializer="glorot_uniform",
                  xla=False, steps_per_call=1)
    for contender in list(CONTENDERS)[1:]:
        if contender == "pytorch_first" and book.model == "dense":
            continue  # no channels, so no order of them
        yield replace(book, contender=contender, epochs=book.epochs if contender in FULL else FEW_EPOCHS)


def _changes(book):
    book = replace(book, epochs=MORE_EPOCHS, n_train=book.n_train // FEWER)
    yield replace(book, contender="nothing")
    for name, change in CHANGES[book.model].items():
        yield replace(book, contender=name, **change)


def _growth(book):
    """One setting at a time; the book's own setting is among the values of each."""
    book = replace(book, contender="growth", epochs=MORE_EPOCHS, n_train=book.n_train // FEWER)
    yield book
    for name, values in GROWTH[book.model].items():
        for value in values:
            yield replace(book, **{name: value})


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
            return contenders.in_new_process(run, log.name)
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


def measured(result, target):
    """What one training says, beside the loss that the source's recipe ended with.

    Returns:
        ``epoch_s``: the median of all epochs but the first; ``preparation_s``: by how much the
        first took longer; ``epochs_to_source``: after how many epochs the loss on the test images
        was at most the target, or None; ``to_source_s``: so many times ``epoch_s``;
        ``to_source_prepared_s``: the same with the preparation; ``test_bce`` at the end; ``peak_mb``.
        What is about the loss is None for a contender that runs for a few epochs only.
    """
    first, *others = result["epoch_s"]
    epoch = statistics.median(others)
    preparation = max(0.0, first - epoch)
    in_full = result["contender"] in FULL
    reached = [place for place, loss in enumerate(result["test_bce"], 1) if loss <= target]
    needed = reached[0] if reached and in_full else None
    return {
        "epoch_s": epoch,
        "preparation_s": preparation,
        "epochs_to_source": needed,
        "to_source_s": needed and needed * epoch,
        "to_source_prepared_s": needed and needed * epoch + preparation,
        "test_bce": result["test_bce"][-1] if in_full else None,
        "peak_mb": result["peak_mb"],
    }


def summary(results):
    """The table, the ratios and the quality of a bench, as they stand in results/bench.json.

    Args:
        results: what ``bench`` gives.

    Returns:
        ``table``: for each model and contender the medians over the seeds of what ``measured``
        gives; ``ratios`` and ``quality``: each as min, median and max over the seeds.
    """
    runs = {}
    for result in results:
        if result["contender"] in CONTENDERS:
            source = next(other for other in results if other["contender"] == "source"
                          and (other["model"], other["seed"]) == (result["model"], result["seed"]))
            runs[result["model"], result["contender"], result["seed"]] = {
                "epochs": result["epochs"], **measured(result, source["test_bce"][-1])
            }
    table, ratios, quality = [], {}, {}
    for model, epochs in (("dense", training.DENSE_SOURCE.epochs), ("conv", training.CONV_SOURCE.epochs)):
        for contender in CONTENDERS:
            of_seeds = [run for (m, c, _), run in runs.items() if (m, c) == (model, contender)]
            if of_seeds:
                table.append({"model": model, "contender": contender, "epochs": of_seeds[0]["epochs"]} | {
                    name: _median([run[name] for run in of_seeds]) for name in list(of_seeds[0])[1:]
                })
        seeds = sorted({seed for m, _, seed in runs if m == model})
        book, source = ([runs[model, who, seed] for seed in seeds] for who in ("book", "source"))
        torch = [min(run["epoch_s"] for (m, c, s), run in runs.items()
                     if m == model and s == seed and c.startswith("pytorch")) for seed in seeds]
        for name, key in (("to_source", "to_source_s"), ("to_source_with_preparation", "to_source_prepared_s")):
            if all(run[key] for run in book):
                ratios[f"{model}_time_{name}"] = _range([a[key] / b[key] for a, b in zip(source, book)])
        ratios[f"{model}_epoch_vs_torch"] = _range([run["epoch_s"] / best for run, best in zip(book, torch)])
        quality[f"{model}_bce_{epochs}_epochs"] = _range([run["test_bce"] for run in book])
    return {"table": table, "ratios": ratios, "quality": quality}


def _median(values):
    """The median, or None if a value is None: one training did not get there."""
    return None if None in values else statistics.median(values)


def _range(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def show(report):
    """The table and the ratios of a bench as text, and where and when it was measured."""
    table = pandas.DataFrame(report["table"])
    table["contender"] = table["contender"].map(CONTENDERS)
    lines = [table.to_string(index=False, float_format="{:.4g}".format, na_rep="-"), ""]
    for group in ("ratios", "quality"):
        for name, value in report[group].items():
            lines.append(f"{name:40}{value['median']:8.4g}  ({value['min']:.4g} to {value['max']:.4g})")
    lines += ["", f"{report['started']} to {report['finished']}"]
    lines += [", ".join(f"{name} {value}" for name, value in report[part].items()) for part in ("machine", "versions")]
    return "\n".join(lines)


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
