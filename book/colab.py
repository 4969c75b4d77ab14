"""Give every notebook a first cell that fetches the book: python -m book.colab ADDRESS

The workflow does this on the branch to which the buttons for Colab and Binder lead. Binder has installed the book
already; Colab opens a notebook alone.
"""

import sys
from pathlib import Path

import nbformat

BRANCH = "launch"
"""Where the notebooks with that first cell are."""

# Colab has TensorFlow and the other packages; to bring them to the versions of the lock would end its session.
CELL = """\
# Colab opens this notebook alone: fetch the rest of the book, and what Colab lacks.
# Binder has 2 GB of memory, and all 60,000 images need up to 3 GB: there, set n_train to 10_000 below, for 1.8 GB.
import importlib.util
from pathlib import Path

if importlib.util.find_spec("aebook") is None:
    !git clone --quiet --depth 1 --branch {branch} {address} book
    %pip install --quiet --no-deps ./book
    %pip install --quiet myst-nb papermill
if Path("book/notebooks").is_dir():
    %cd book/notebooks
"""


def add_first_cell(path: Path, address: str) -> None:
    """Put the cell that fetches the book from `address` before all others of a notebook."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(CELL.format(branch=BRANCH, address=address)))
    nbformat.write(notebook, path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"book.colab needs one argument, the address of the repository; got {sys.argv[1:]}")
    for path in (Path(__file__).parents[1] / "notebooks").glob("*.ipynb"):
        add_first_cell(path, sys.argv[1])
