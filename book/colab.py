"""The notebooks for readers, each with a first cell that fetches the book: python -m book.colab ADDRESS

The workflow does this on the branch to which the buttons for Colab and Binder lead, once the pages are built. Binder
has installed the book already; Colab opens a notebook alone.
"""

import shutil
import sys
from pathlib import Path

import nbformat

from book.editions import EDITIONS

ROOT = Path(__file__).parents[1]
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
    %pip install --quiet myst-nb papermill{more}
if Path("book/notebooks").is_dir():
    %cd book/notebooks
"""

MORE = {"en": "", "ko": "\n    !apt-get -qq install fonts-nanum > /dev/null; rm -rf ~/.cache/matplotlib"}
"""What an edition needs beside: a font, and Matplotlib to look for it."""


def folder_on_branch(language: str) -> str:
    """Where an edition's notebooks are on the branch: in a folder from which they find `../results`."""
    return EDITIONS[language].folder.rstrip("/") or "notebooks"


def add_first_cell(path: Path, address: str, language: str) -> None:
    """Put the cell that fetches the book from `address` before all others of a notebook."""
    notebook = nbformat.read(path, as_version=4)
    source = CELL.format(branch=BRANCH, address=address, more=MORE[language])
    cell = nbformat.v4.new_code_cell(source, id="fetch-the-book")
    notebook.cells.insert(0, cell)
    nbformat.write(notebook, path)


def fill_branch(root: Path, address: str) -> None:
    """Put the notebooks of all editions in their places.

    Args:
        root: the folder of the book, with the built pages.
        address: that of the repository.

    Raises:
        FileNotFoundError: if the pages are not built.
    """
    names = [path.name for path in (root / "notebooks").glob("*.ipynb")]
    for language, edition in EDITIONS.items():
        built = root / "_build" / "html" / edition.folder / "readers"
        folder = root / folder_on_branch(language)
        folder.mkdir(exist_ok=True)
        for name in names:
            add_first_cell(Path(shutil.copy(built / name, folder)), address, language)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"book.colab needs one argument, the address of the repository; got {sys.argv[1:]}")
    fill_branch(ROOT, sys.argv[1])
