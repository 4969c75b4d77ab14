"""How long each lesson runs, and how soon its first picture is there: `make bench LESSONS=1`.

Every lesson is executed in full, once, one after another, as in a reader's JupyterLab. Let the machine do nothing else
meanwhile. The times stand in `results/lessons.json`, from where the page for teachers has them.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from aebook import data
from aebook.bench.command import machine
from aebook.notebooks import glued
from aebook.parameters import InputError
from aebook.rerun.files import write_whole
from book import times
from tools import execute
from tools.built import ROOT, lessons

OUT = ROOT / times.FILE


def measure(
    path: Path, run: Callable[..., None] = execute.run, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """The seconds from the start of a lesson's first cell to the end of its last, and to its first picture.

    Args:
        path: the lesson's notebook; what is stored in it stays.
        run: executes a notebook, as `tools.execute.run` does.
        clock: gives the time in seconds.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
        RuntimeError: if the lesson did not record ``data_verified`` as True.
    """
    notebook = nbformat.read(path, as_version=4)
    starts, ends, pictures = [], [], []
    with tqdm(total=len(notebook.cells), desc=path.stem, unit="cell") as bar:

        def after_cell(cell: NotebookNode) -> None:
            ends.append(clock())
            if any("image/png" in output.get("data", ()) for output in cell.outputs):
                pictures.append(ends[-1])
            bar.update(notebook.cells.index(cell) + 1 - bar.n)

        run(notebook, path.parent, before_cell=lambda cell: starts.append(clock()), after_cell=after_cell)
        bar.update(bar.total - bar.n)
    if glued(notebook).get("data_verified") is not True:
        raise RuntimeError(f"{path} must record data_verified as True: times are of the verified images only")
    return {"run_s": round(ends[-1] - starts[0], 1), "first_picture_s": round(pictures[0] - starts[0], 1)}


def main() -> str | int:
    """Measure every lesson and store the times; an error, or 0."""
    try:
        images = data.load("mnist")
        if not images.verified:
            return f"{times.FILE} is made from the verified MNIST only; got {images.source} ({images.reason})"
        measured = {name: measure(ROOT / f"{name}.ipynb") for name in lessons()}
    except (KeyboardInterrupt, DeadKernelError):  # nbclient ends the kernel itself when it is interrupted
        return f"interrupted, or the kernel died; {times.FILE} stays as it was"
    except (InputError, CellExecutionError, RuntimeError) as error:
        return str(error)
    about = {"measured": str(date.today()), "machine": machine(), "data_verified": True}
    write_whole(OUT, json.dumps({**about, "lessons": measured}, indent=1) + "\n")
    for name, seconds in measured.items():
        print(f"{name:30} {seconds['run_s']:7.1f} s, {seconds['first_picture_s']:5.1f} s to the first picture")
    return 0


if __name__ == "__main__":
    sys.exit(main())
