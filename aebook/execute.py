"""Run notebooks top to bottom and store their outputs: ``python -m aebook execute NOTEBOOK...``."""

import argparse
import base64
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from aebook import data
from aebook.parameters import InputError, read_value

GLUE_PREFIX = "application/papermill.record/"
COVER_FIGURE = "fig-dense-rows"
COVER_FILE = "static/cover.png"
"""Where the README and the cover find that figure; beside the folder of the notebooks."""


def glued(notebook):
    """What the cells of an executed notebook recorded with ``glue``, as a dictionary.

    Numbers and truth values come back as such, NumPy's numbers as Python's, all else as the text it prints as.
    """
    values = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name is not None:
                shown = output["data"].get(f"{GLUE_PREFIX}text/plain") or output["data"].get("text/plain", "")
                values[name] = read_value(re.sub(r"^np\.\w+\((.*)\)$", r"\1", shown))
    return values


def figure(notebook, name):
    """The stored PNG of the figure that carries `name` in its cell's metadata, as bytes, or None."""
    for cell in notebook.cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == name:
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    return None


def write_whole(path, text):
    """Write a file so that it is there whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def execute(path):
    """Run one notebook in its own folder and store it, outputs included, once every cell has run.

    The stored file stays as it is when a cell fails, when the run is interrupted, and when the
    notebook recorded that its images are not the verified ones.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
        RuntimeError: if the notebook ran on other images than the verified ones.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tqdm(total=len(notebook.cells), desc=path.stem, unit="cell") as bar:
        client = NotebookClient(
            notebook,
            timeout=None,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(path.parent)}},
            # What TensorFlow's C++ code writes to the terminal is not an output of a cell.
            extra_arguments=["--IPKernelApp.capture_fd_output=False"],
            on_cell_start=lambda cell_index, **_: bar.update(cell_index - bar.n),
        )
        try:
            client.execute()
        except AssertionError as error:
            if client.km is not None:
                raise
            # nbclient catches the interrupt, shuts the kernel down, and fails to do so twice.
            raise KeyboardInterrupt from error
        bar.update(bar.total - bar.n)
    if not glued(notebook).get("data_verified", True):
        raise RuntimeError(f"{path} did not run on verified images; its stored outputs stay")
    write_whole(path, nbformat.writes(notebook) + "\n")
    cover = figure(notebook, COVER_FIGURE)
    if cover is not None:
        (path.absolute().parent.parent / COVER_FILE).write_bytes(cover)


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m aebook execute", description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path)
    paths = parser.parse_args(arguments).notebooks
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        return f"there is no notebook {', '.join(missing)}"
    try:
        images = data.load("mnist")
        if not images.verified:
            return f"outputs are stored from the verified MNIST only; got {images.source} ({images.reason})"
        for path in paths:
            execute(path)
    except KeyboardInterrupt:
        return "interrupted; notebooks that had not ended keep their stored outputs"
    except (InputError, CellExecutionError, RuntimeError) as error:
        return str(error)
    return 0
