"""The page of another run: `book.rerun`, `book.runs`. Its numbers are made up here, so that nothing has to run."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from aebook.notebooks import GLUE_PREFIX, glued
from aebook.parameters import InputError
from book import rerun, runs
from tools import built

CHAPTER = built.ROOT / "notebooks" / "6_2_dense.ipynb"
SET = {"z_dim": 8, "epochs": 3, "dataset": "fashion_mnist"}


@pytest.fixture
def executed(tmp_path):
    """The chapter as papermill leaves it, with a sign of its own in every recorded number."""
    notebook = nbformat.read(CHAPTER, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if name := output.get("metadata", {}).get("scrapbook", {}).get("name"):
                value = glued(notebook)[name]
                new = SET.get(name, 0.7777 if isinstance(value, float) else value)
                output.data[f"{GLUE_PREFIX}text/plain"] = repr(new)
    notebook.metadata["papermill"] = {"parameters": SET}
    nbformat.write(notebook, tmp_path / "out.ipynb")
    return tmp_path / "out.ipynb"


@pytest.mark.parametrize("language, about", [("en", "Written about the stored run"), ("ko", "저장된 실행")])
def test_a_run_becomes_a_page_and_a_readers_notebook_with_its_own_numbers(language, about, executed, tmp_path):
    html = tmp_path / "html"
    for folder in ("notebooks", "readers"):
        (html / folder).mkdir(parents=True)
    (tmp_path / "runs.sqlite").touch()  # as if it were a run of a sweep
    page, readers = rerun.build(executed, language, html)
    assert 'url=html/notebooks/6_2_dense%2Cout.html"' in executed.with_suffix(".html").read_text()
    assert (page.name, readers.name) == ("6_2_dense,out.html", "6_2_dense,out.ipynb")
    article = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    (button,) = article.select(".dropdown-download-buttons a[href$='.ipynb']")
    assert button["href"] == "../readers/6_2_dense,out.ipynb"
    set_here = [code.get_text() for code in article.select("article .admonition.attention code")]
    assert set_here == sorted(SET)
    assert all((html / "notebooks" / image["src"]).is_file() and about in image["alt"]
               for image in article.select("article figure:not(noscript *) img"))  # fmt: skip
    texts = [cell.source for cell in nbformat.read(readers, as_version=4).cells if cell.cell_type == "markdown"]
    page_texts = [text.get_text() for text in article.select("article :is(p, li)")]
    stored = {f"{value:.4f}" for value in glued(nbformat.read(CHAPTER, as_version=4)).values() if type(value) is float}
    for text in [*page_texts, *"\n\n".join(texts).split("\n\n")]:
        numbers = set(re.findall(r"\d+\.\d+", text)) & stored | set(re.findall(r"\b36\b", text))
        assert not numbers or about in text or text.startswith("!["), text  # a still figure is of the book's model
    for sentences in (" ".join(page_texts), " ".join(texts)):
        assert "0.7777" in sentences and "Fashion-MNIST" in sentences
        assert re.search(r"784 pixels be turned into 8 numbers|784개로 된 .* 값 8개", sentences)
    assert not (html / "notebooks" / "6_2_dense.html").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("en", str(CHAPTER), "z_dim=0"), "z_dim must be at least 1, got 0"),
        (("en", str(CHAPTER), "z_dim=4,8"), "z_dim must have one value here; a sweep takes several"),
        (("en", str(CHAPTER), "width=4"), "6_2_dense.ipynb has no parameter 'width'"),
        (("en", "a.ipynb", "b.ipynb"), "NB must name one notebook"),
        (("fr", str(CHAPTER), "z_dim=8"), "LANGUAGE must be one of en, ko, got fr"),
        (("en", "no.ipynb"), "No such file"),
        (("en", str(built.ROOT / "README.md")), "README.md cannot be read as a notebook: "),
        (("en", str(CHAPTER)), "has no settings of its own"),
    ],
)
def test_what_cannot_be_run_is_one_line_and_nothing_is_made(arguments, message, tmp_path, monkeypatch):
    monkeypatch.setattr(rerun.papermill, "execute_notebook", lambda *_, **__: pytest.fail("it ran"))
    before = set(built.ROOT.glob("runs/*"))
    answer = rerun.main(*arguments)
    assert message in answer and "\n" not in answer
    assert set(built.ROOT.glob("runs/*")) == before


def test_what_sphinx_says_of_a_page_it_cannot_build_is_told(executed, monkeypatch):
    def fail(*_):
        raise RuntimeError("out.ipynb could not become a page:\nwhat Sphinx said")

    monkeypatch.setattr(rerun, "build", fail)
    assert rerun.main("en", str(executed)) == "out.ipynb could not become a page:\nwhat Sphinx said"


def test_a_notebook_of_something_else_is_no_run_of_a_chapter():
    notebook = nbformat.v4.new_notebook(metadata={"papermill": {"parameters": {"n": 1}}})
    with pytest.raises(InputError, match="must have the cells of a chapter"):
        rerun.chapter_of(notebook, CHAPTER)


def test_sentences_are_the_chapters_and_code_is_the_runs():
    """A reader's notebook has plain sentences and captions in cells; the page has those of the chapter again."""
    new, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    chapter = nbformat.v4.new_notebook(cells=[new("# Title\n\nTen of {glue:text}`n`", id="a"), code("n = 1", id="b")])
    cells = [new("# Title\n\nTen of 1", id="a"), code("n = 2", id="b"), new("Fig. 1", id="b-caption"),
             new("My note", id="mine")]  # fmt: skip
    run = nbformat.v4.new_notebook(cells=cells, metadata={"papermill": {"parameters": {"n": 2}}})
    merged = runs.merged(run, chapter).cells
    assert [cell.id for cell in merged] == ["title", "another-run", "a", "b", "mine"]
    assert [merged[place].source for place in (0, 2, 3, 4)] == ["# Title", "Ten of {glue:text}`n`", "n = 2", "My note"]
    assert "`n` = 2" in merged[1].source
