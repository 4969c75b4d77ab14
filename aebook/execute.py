"""Run notebooks top to bottom and store their outputs: ``python -m aebook.execute NOTEBOOK...``."""

import argparse
import base64
import sys
from ast import literal_eval
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from aebook import data

GLUE_PREFIX = "application/papermill.record/"
COVER_FIGURE = "fig-dense-rows"
COVER_FILE = "static/cover.png"


def glued(notebook):
    """What the cells of an executed notebook recorded with ``glue``, as a dictionary."""
    values = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name is not None:
                values[name] = literal_eval(output["data"][f"{GLUE_PREFIX}text/plain"])
    return values


def figure(notebook, name):
    """The stored PNG of the figure that carries `name` in its cell's metadata, as bytes, or None."""
    for cell in notebook.cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == name:
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    return None


def execute(path):
    """Run one notebook in its own folder and store it, outputs included, once every cell has run.

    The stored file stays as it is when a cell fails, when the run is interrupted, and when the
    notebook recorded that its images came from the stand-in.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
        RuntimeError: if the notebook ran on the stand-in.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tqdm(total=len(notebook.cells), desc=path.stem, unit="cell") as bar:
        NotebookClient(
            notebook,
            timeout=None,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(path.parent)}},
            # What TensorFlow's C++ code writes to the terminal is not an output of a cell.
            extra_arguments=["--IPKernelApp.capture_fd_output=False"],
            on_cell_complete=lambda **_: bar.update(),
        ).execute()
        bar.update(bar.total - bar.n)
    if glued(notebook).get("data_source") == "stand-in":
        raise RuntimeError(f"{path} ran on the stand-in, not on real data; its stored outputs stay")
    nbformat.write(notebook, path)
    cover = figure(notebook, COVER_FIGURE)
    if cover is not None:
        Path(COVER_FILE).write_bytes(cover)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m aebook.execute", description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path)
    paths = parser.parse_args(arguments).notebooks
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        return f"there is no notebook {', '.join(missing)}"
    images = data.load("mnist")
    if images.is_stand_in:
        return f"outputs are stored from real data only, and MNIST is not to be had: {images.reason}"
    for path in paths:
        try:
            execute(path)
        except (CellExecutionError, RuntimeError) as error:
            return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
