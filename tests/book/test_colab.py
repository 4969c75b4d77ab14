"""The first cell of a notebook in Colab: `book.colab`."""

import shutil
from pathlib import Path

import nbformat
import pytest

from book import colab

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_for_colab_begins_with_the_cell_that_fetches_its_branch(path, tmp_path):
    copy = Path(shutil.copy(path, tmp_path))
    colab.add_first_cell(copy, "https://github.com/someone/aebook")
    before, after = nbformat.read(path, as_version=4), nbformat.read(copy, as_version=4)
    assert after.cells[1:] == before.cells
    assert "git clone --quiet --depth 1 --branch launch https://github.com/someone/aebook book" in after.cells[0].source
    assert "Binder has 2 GB of memory" in after.cells[0].source
