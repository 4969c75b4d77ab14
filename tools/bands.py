"""How far each output moves with the seed and the processor: ``make bands``.

Runs every notebook with several seeds and as several machines would compute, keeps the executed
notebooks in ``runs/bands``, and stores in ``results/bands.json`` what `tools.compare.Bands` reads.
A run that is there is not made again; delete the folder of a notebook to measure it anew.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode
from tqdm import tqdm

from aebook.notebooks import glued
from aebook.rerun.files import write_whole
from tools import compare
from tools.machines import MACHINES

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "runs" / "bands"

IN_TURN = ("avx2", "one-core", "sse41")

TRAINED = {
    "6_3_convolutional": 3 * ("avx2", "one-core", "one-core") + ("one-core",),  # the others take an hour a run
    "6_2_dense": 3 * IN_TURN + ("avx2",),
    "6_1_principle": 3 * IN_TURN + ("avx2",),
    "one_model": 3 * IN_TURN + ("avx2",),
    "uses": 3 * IN_TURN + ("avx2",),
    "bench": 5 * ("avx2", "one-core"),
}
"""For each notebook that trains with a seed of its own, the machines of the seeds 0, 1, 2 and so on."""

ALSO = {
    "eigen": ("6_2_dense", "6_1_principle", "one_model"),
}
"""Notebooks that run with seed 0 on these machines too."""

REPEATED = {"claims": ("avx2", "one-core"), "ledger": ("avx2", "one-core", "eigen"), "sweep": ("avx2", "one-core")}
"""Notebooks that make one run of a stored table again: the seed stays, the machine changes."""


def plan() -> Iterator[tuple[str, str, int]]:
    """Triples of a notebook's name, a machine and a seed."""
    for stem, machines in TRAINED.items():
        yield from ((stem, machine, seed) for seed, machine in enumerate(machines))
    for machine, stems in ALSO.items():
        yield from ((stem, machine, 0) for stem in stems)
    for stem, machines in REPEATED.items():
        yield from ((stem, machine, 0) for machine in machines)


def run(stem: str, machine: str, seed: int) -> str | None:
    """Execute a notebook in a process of its own, as a machine and with a seed; returns an error or None."""
    path = RUNS / stem / f"{machine}-{seed}.ipynb"
    if path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tools.bands", "--one", stem, str(seed), str(path)],
        cwd=ROOT,
        env={**os.environ, **MACHINES[machine]},
        capture_output=True,
        encoding="utf-8",
    )
    return None if done.returncode == 0 else f"{path}: {done.stderr.strip().splitlines()[-1]}"


def one(stem: str, seed: str, path: str) -> None:
    """Execute a notebook in this process, and put it at the path once it has ended."""
    unfinished = Path(path).with_suffix(".unfinished")
    source = ROOT / "notebooks" / f"{stem}.ipynb"
    papermill.execute_notebook(
        source,
        unfinished,
        {"seed": int(seed)},
        cwd=source.parent,
        progress_bar=False,
        start_timeout=600,
    )
    unfinished.replace(path)


def spread(runs: list[NotebookNode]) -> dict[str, Any]:
    """What was seen of one notebook, as `tools.compare.Bands` takes it.

    Args:
        runs: the executed notebooks; pictures are compared with those of the first.
    """
    results, lines, pictures = {}, {}, {}
    for cells in zip(*(notebook_cells(notebook) for notebook in runs), strict=True):
        figure = cells[0].metadata.get("mystnb", {}).get("figure", {}).get("name", "")
        pieces = [[piece for piece in compare.pieces(cell.outputs, figure) if piece[0] != "stderr"] for cell in cells]
        for same in zip_longest(*pieces, fillvalue=("", "", "")):
            (kind, name, first) = same[0]
            if kind == "picture":
                pictures[name] = min(
                    [pictures.get(name, 1.0), *(compare.similarity(first, other) for _, _, other in same[1:])]
                )
            elif kind not in compare.EXACT and {piece[1] for piece in same} == {name}:
                numbers = [[compare.to_number(token) for token in compare.split(text)[1]] for _, _, text in same]
                seen = [compare.difference(min(values), max(values)) for values in zip(*numbers, strict=True)]
                before = lines.get(name, [0.0] * len(seen))
                lines[name] = [max(pair) for pair in zip(before, seen, strict=True)]
    recorded = [glued(notebook) for notebook in runs]
    for name in set.intersection(*map(set, recorded)):
        values = [values[name] for values in recorded]
        if all(map(compare.is_number, values)):
            lines.pop(name, None)
            if min(values) < max(values):
                results[name] = [min(values), max(values)]
    return {
        "results": dict(sorted(results.items())),
        "lines": {kind: [rounded_up(value) for value in seen] for kind, seen in sorted(lines.items()) if any(seen)},
        "pictures": {name: round(least, 4) for name, least in sorted(pictures.items()) if least < compare.SAME_PICTURE},
    }


def rounded_up(value: float) -> float:
    """The value with six decimals, not below it."""
    return round(value * 1.0001 + 5e-7, 6) if value else 0.0


def notebook_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells, without the one that papermill adds."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", ())
    ]


def store() -> None:
    """Sum the runs of each notebook up in `tools.compare.FILE`, once all of them are there; the others keep theirs."""
    notebooks = json.loads(compare.FILE.read_text(encoding="utf-8"))["notebooks"]
    for stem in sorted({stem for stem, _, _ in plan()}):
        names = [f"{machine}-{seed}" for planned, machine, seed in plan() if planned == stem]
        paths = [RUNS / stem / f"{name}.ipynb" for name in names]
        if all(path.exists() for path in paths):
            notebooks[stem] = {"runs": names, **spread([nbformat.read(path, as_version=4) for path in paths])}
    text = json.dumps(
        {
            "measured": str(date.today()),
            "versions": {
                package: version(package) for package in ("keras", "tensorflow", "numpy", "scikit-learn", "matplotlib")
            },
            "notebooks": dict(sorted(notebooks.items())),
        },
        indent=1,
        ensure_ascii=False,
    )
    write_whole(compare.FILE, text + "\n")


def main() -> str | int:
    """Make the runs that are not there; the failures, one line each."""
    parser = argparse.ArgumentParser(prog="python -m tools.bands", description=__doc__)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return 0
    planned = list(plan())
    failed = []
    with ThreadPoolExecutor(2) as workers, tqdm(total=len(planned), unit="run") as bar:
        for done in as_completed([workers.submit(run, *each) for each in planned]):
            bar.update()
            if done.result():
                failed.append(done.result())
                tqdm.write(done.result(), file=sys.stderr)
    store()
    return "\n".join(failed) or 0


if __name__ == "__main__":
    sys.exit(main())
