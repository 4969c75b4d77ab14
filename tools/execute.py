"""Run notebooks top to bottom and store their outputs and models: ``python -m tools.execute NOTEBOOK...``.

A cell whose metadata says ``"aebook": {"model": NAME}`` trains one model. It is stored under that
name in ``results/models``, from the same run as the outputs. After a change that touches no training, such
as a new sentence, plot or measure, ``--stored`` renews the outputs from the stored models, in seconds.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupyter_core.utils import ensure_event_loop
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from aebook import data
from aebook.notebooks import figure, glued
from aebook.parameters import InputError
from aebook.rerun.files import write_whole
from aebook.rerun.plan import make_plan
from tools import korean
from tools.machines import use_the_usual

ROOT = Path(__file__).parent.parent
MODELS = "results/models"
COVER_FIGURE = "fig-dense-rows"
COVER_FILE = "static/cover.png"
"""Where the README and the cover find that figure; like MODELS beside the folder of the notebooks."""


def run(
    notebook: NotebookNode,
    folder: Path,
    first_line: str = "",
    before_cell: Callable[[NotebookNode], None] = lambda cell: None,
    after_cell: Callable[[NotebookNode], None] = lambda cell: None,
) -> None:
    """Execute a notebook in place.

    Args:
        folder: the folder it runs in.
        first_line: Python that the kernel runs before the first cell.
        before_cell: is called with each code cell that is about to run.
        after_cell: is called with each code cell that has run.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=None,
        startup_timeout=600,  # the first line may import TensorFlow, on a machine that has other work
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        # What TensorFlow's C++ code writes to the terminal is not an output of a cell.
        extra_arguments=["--IPKernelApp.capture_fd_output=False", f"--IPKernelApp.exec_lines={first_line}"],
        on_cell_execute=lambda cell, **_: before_cell(cell),
        on_cell_executed=lambda cell, **_: after_cell(cell),
    )
    try:
        client.execute()
    except AssertionError as error:
        if client.km is not None:
            raise
        # nbclient catches the interrupt, shuts the kernel down, and fails to do so twice. Its task that watches the
        # kernel may fail, too, of which asyncio would tell after our last line.
        ensure_event_loop().set_exception_handler(lambda loop, context: None)
        raise KeyboardInterrupt from error


def in_kernel(call: str, module: str = "trainings") -> str:
    """A line that calls a function of a module of `tools` in a kernel, wherever that runs."""
    find = f"import sys; sys.path.insert(0, {str(ROOT)!r})"
    return f"{find}; from tools import {module}; {module}.{call}; del sys, {module}"


def execute(path: Path, stored: bool = False) -> None:
    """Run one notebook in its own folder and store it, outputs and models, once every cell has run.

    Args:
        path: the notebook.
        stored: put the stored models in the place of the trainings, which must be the same, and keep them.

    What is stored stays as it is when a cell fails, when the run is interrupted, and unless the
    notebook recorded that its images are the verified ones.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails, or asks for a training that is not stored.
        InputError: if a cell is to train a model, and the notebook has no parameters.
        RuntimeError: if the notebook did not record ``data_verified`` as True, or if a cell that
            should train a model trained none or several.
    """
    notebook = nbformat.read(path, as_version=4)
    has_models = any("aebook" in cell.metadata for cell in notebook.cells)
    images = dataset(path) if has_models else ""
    folder = path.absolute().parent.parent / MODELS
    with TemporaryDirectory() as temporary, tqdm(total=len(notebook.cells), desc=path.stem, unit="cell") as bar:
        done, models = [], {}

        def after_cell(cell: NotebookNode) -> None:
            new = sorted(set(Path(temporary).glob("*.json")) - set(done))
            done.extend(new)
            bar.update(notebook.cells.index(cell) + 1 - bar.n)
            if "aebook" in cell.metadata and not stored:
                if len(new) != 1:
                    raise RuntimeError(
                        f"{path}: the cell of the model {cell.metadata.aebook.model} must train once, "
                        f"it trained {len(new)} times; nothing is stored"
                    )
                models[cell.metadata.aebook.model] = new[0]

        call = f"replay({str(folder)!r}, {path.stem!r})" if stored else f"record({temporary!r})"
        lines = [in_kernel(f"record({temporary!r})", "korean"), *([in_kernel(call)] if has_models else [])]
        run(notebook, path.parent, "; ".join(lines), after_cell=after_cell)
        bar.update(bar.total - bar.n)
        results = glued(notebook)
        if results.get("data_verified") is not True:
            raise RuntimeError(
                f"{path} must record data_verified as True, got {results.get('data_verified')!r}: "
                "its images are not known to be the verified ones, so its stored outputs stay"
            )
        for name, file in models.items():
            folder.mkdir(parents=True, exist_ok=True)
            about = json.loads(file.read_text(encoding="utf-8"))
            about = {
                "notebook": path.stem,
                "dataset": images,
                "score": {key: values[-1] for key, values in about["history"].items()},
                **about,
            }
            write_whole(folder / f"{name}.json", json.dumps(about, indent=1) + "\n")
            shutil.move(file.with_suffix(".keras"), folder / f"{name}.keras")
        korean.collect(Path(temporary), path.absolute().parent.parent, path.stem)
    write_whole(path, nbformat.writes(notebook) + "\n")
    cover = figure(notebook, COVER_FIGURE)
    if cover is not None:
        (path.absolute().parent.parent / COVER_FILE).write_bytes(cover)


def dataset(path: Path) -> str:
    """The data set that the parameters of a notebook name.

    Raises:
        InputError: if the notebook has no such parameters.
    """
    (parameters,) = make_plan(path, {}).runs.values()
    return parameters["dataset"]


def main(arguments: list[str] | None = None) -> str | int:
    """Store the outputs of the named notebooks; an error, or 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.execute", description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--stored", action="store_true", help="no training: the stored models")
    options = parser.parse_args(arguments)
    paths = options.notebooks
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        return f"there is no notebook {', '.join(missing)}"
    use_the_usual()
    try:
        images = data.load("mnist")
        if not images.verified:
            return f"outputs are stored from the verified MNIST only; got {images.source} ({images.reason})"
        for path in paths:
            execute(path, options.stored)
    except (KeyboardInterrupt, DeadKernelError):  # nbclient ends the kernel itself when it is interrupted
        return "interrupted, or the kernel died; notebooks that had not ended keep their stored outputs"
    except (InputError, CellExecutionError, RuntimeError) as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
