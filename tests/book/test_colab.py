"""The notebooks for Colab and Binder: `book.colab`."""

import nbformat
import pytest

from book import colab

ADDRESS = "https://github.com/someone/aebook"


def notebook(text):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text, id="text")])


@pytest.fixture
def root(tmp_path):
    """A book of two notebooks, and their readers' notebooks in both languages."""
    texts = {"notebooks": "{numref}`fig-one`", "_build/html/readers": "Fig. 1", "_build/html/ko/readers": "그림 1"}
    for folder, text in texts.items():
        (tmp_path / folder).mkdir(parents=True)
        for name in ("chapter", "one_model"):
            nbformat.write(notebook(text), tmp_path / folder / f"{name}.ipynb")
    nbformat.write(notebook("Words"), tmp_path / "_build" / "html" / "readers" / "glossary.ipynb")
    return tmp_path


@pytest.mark.parametrize("folder, text", [("notebooks", "Fig. 1"), ("ko", "그림 1")])
def test_the_branch_has_readers_notebooks_that_begin_with_the_cell_that_fetches_it(folder, text, root):
    colab.fill_branch(root, ADDRESS)
    assert sorted(path.name for path in (root / folder).iterdir()) == ["chapter.ipynb", "one_model.ipynb"]
    first, *rest = nbformat.read(root / folder / "chapter.ipynb", as_version=4).cells
    assert [cell.source for cell in rest] == [text]
    assert first.cell_type == "code" and f"git clone --quiet --depth 1 --branch launch {ADDRESS} book" in first.source
    assert "Binder has 2 GB of memory" in first.source
    assert not nbformat.read(root / "_build/html/readers/chapter.ipynb", as_version=4).cells[1:]


def test_without_pages_there_is_nothing_to_put_on_the_branch(tmp_path):
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook("text"), tmp_path / "notebooks" / "chapter.ipynb")
    with pytest.raises(FileNotFoundError, match="chapter.ipynb"):
        colab.fill_branch(tmp_path, ADDRESS)
