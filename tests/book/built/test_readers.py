"""The notebooks for readers: `book.readers`, `book.markdown`. `make book` makes them beside the pages."""

import re
from collections import Counter
from copy import copy
from functools import cache
from urllib.parse import urldefrag, urljoin

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbconvert import HTMLExporter

from book import cells
from book.editions import EDITIONS
from tools import built

PAGES = [name for name in built.all_pages() if not name.endswith(("search", "genindex"))]
CHAPTERS = [name for name in PAGES if "notebooks/" in name]
each_page = pytest.mark.parametrize("name", PAGES)
each_chapter = pytest.mark.parametrize("name", CHAPTERS)
BLOCKS = "p, li, td, th, h1, h2, h3, h4, dt, dd, blockquote, table, pre, div.math, br"


def path_of(name):
    """The notebook of a page, such as ko/notebooks/6_2_dense."""
    folder = next(edition.folder for edition in reversed(EDITIONS.values()) if name.startswith(edition.folder))
    return built.HTML / folder / "readers" / f"{name.rpartition('/')[2]}.ipynb"


@cache
def cells_of(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook.cells


def of_kind(kind, cells):
    return [cell for cell in cells if cell.cell_type == kind]


def texts_of(path):
    return [cell.source for cell in of_kind("markdown", cells_of(path))]


def rendered(path):
    """The texts of a notebook as HTML, with CommonMark, tables and formulas, and nothing else."""
    markdown = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, double_inline=True)
    return BeautifulSoup("".join(markdown.render(text) for text in texts_of(path)), "html.parser")


def lines(soup):
    """How often each line of a text stands in it; formulas are signs, and spaces are one space."""
    for fold in soup.select("details:not([class])"):
        fold.p.insert(0, f"{fold.summary.extract().get_text()} ")
    for formula in soup.select("math, .math"):
        formula.string = "∎"
    for block in soup.select(BLOCKS):
        block.insert_before("\0")
        block.insert_after("\0")
    return Counter(filter(None, (" ".join(line.split()) for line in soup.get_text().split("\0"))))


def sentences(page):
    """The lines of a page without code, outputs and what leads around in the book."""
    article = copy(page.article)
    for label in article.select(".citation .label"):  # a block here, a part of the line there
        label.next_sibling.find_next("p").insert(0, f"{label.get_text()} ")
        label.decompose()
    for output in article.select(".cell_output"):
        output.replace_with(*output.select("figcaption > p:first-child"))
    for element in article.select(
        ".headerlink, .reading-time, .cell_input, summary, script, .toctree-wrapper, .eqno, .backrefs, .explorer-wait"
    ):
        element.decompose()
    return lines(article)


@each_page
def test_every_sentence_number_and_caption_of_the_page_stands_in_its_notebook_and_nothing_else(name, soup):
    page, notebook = sentences(soup(name)), lines(rendered(path_of(name)))
    assert (sorted((page - notebook).elements()), sorted((notebook - page).elements())) == ([], [])
    numbers = re.findall(r"\d[\d,.]*", " ".join(page))
    assert len(numbers) > 20 or not name.endswith("6_2_dense")


@each_page
def test_its_text_is_plain_markdown(name):
    for text in texts_of(path_of(name)):
        assert not re.search(r"\{[\w:-]+\}`|^\s*(`{3,}|:{3,}|~{3,})\{|^\(\S+\)=$|\\\*\*", text, re.MULTILINE), text
        assert "fig-" not in re.sub(r"\(\S+\)|<a id=\S+>", "", text), text  # a number that is no number


@each_page
def test_each_of_its_links_leads_to_a_place(name):
    path = path_of(name)
    for link in rendered(path).select("a[href], img[src]"):
        address = link.get("href") or link["src"]
        if address.startswith(("https://", "http://")):
            continue
        target, place = urldefrag(urljoin(path.name, address))
        assert (path.parent / target).is_file(), f"{name}: {address} leads to no file"
        if place.startswith("cell-id="):
            assert place.partition("=")[2] in [cell.id for cell in cells_of(path.parent / target)], address
        elif place:
            assert f'<a id="{place}"></a>' in "".join(texts_of(path.parent / target)), address


@each_chapter
def test_its_code_outputs_settings_and_metadata_are_those_of_the_source(name):
    """In Korean the outputs are those that `tests/book/test_cells.py` looks at, and a cell more loads the language."""
    source = nbformat.read(built.ROOT / "notebooks" / path_of(name).name, as_version=4)
    notebook = nbformat.read(path_of(name), as_version=4)
    if name.startswith("ko/"):
        cells.translate(source, "ko", cells.figures_of(cells.ROOT, name))
        assert notebook.cells.pop(1) == cells.load_cell("ko")
    assert notebook.metadata == source.metadata
    assert of_kind("code", notebook.cells) == of_kind("code", source.cells)
    mine = [cell for cell in notebook.cells if not cell.id.endswith("-caption")]
    assert [(cell.id, cell.metadata) for cell in mine] == [(cell.id, cell.metadata) for cell in source.cells]


@each_chapter
def test_each_figure_has_its_caption_below(name):
    cells = cells_of(path_of(name))
    for cell, after in zip(cells, [*cells[1:], None]):
        if figure := cell.metadata.get("mystnb", {}).get("figure"):
            assert after.source.startswith(f'<a id="{figure["name"]}"></a>')
            assert ("<details>" in after.source) == cell.metadata.get("jupyter", {}).get("outputs_hidden", False)
            assert name.startswith("ko/") or figure["caption"].split("{")[0].split("'")[0][:20] in after.source


@each_page
def test_nbconvert_shows_every_sentence_whole(name):
    notebook = nbformat.v4.new_notebook(cells=of_kind("markdown", cells_of(path_of(name))))
    page = BeautifulSoup(HTMLExporter(template_name="basic").from_notebook_node(notebook)[0], "html.parser")
    for link in page.select(".anchor-link"):
        link.decompose()
    formula = re.compile(r"\$\$.+?\$\$|(?<!\\)\$[^$]+\$", re.DOTALL)
    text = " ".join(BeautifulSoup(formula.sub("∎", str(page)), "html.parser").get_text(" ").split())
    for line in lines(rendered(path_of(name))):
        assert squeezed(line) in squeezed(text), line


def squeezed(text):
    return re.sub(r"\s+", "", text)


@each_chapter
def test_the_download_button_leads_to_the_notebook_of_its_language(name, soup):
    (link,) = soup(name).select(".dropdown-download-buttons a[href$='.ipynb']")
    assert (built.HTML / name).parent.joinpath(link["href"]).resolve() == path_of(name)


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("ko/")])
def test_both_editions_have_the_same_cells(name):
    english, korean = cells_of(path_of(name)), cells_of(path_of(f"ko/{name}"))
    more = ["language"] if name.startswith("notebooks/") else []
    assert sorted([*(cell.id for cell in english), *more]) == sorted(cell.id for cell in korean)


@pytest.mark.parametrize("edition", EDITIONS.values(), ids=list(EDITIONS))
def test_no_other_notebook_lies_beside_them(edition):
    """The experiment of the sweeps is no page; its notebook lies there, because a page offers it."""
    folder = built.HTML / edition.folder / "readers"
    pages = {path_of(edition.folder + name) for name in PAGES if not name.startswith("ko/")}
    notebooks = {path for path in folder.glob("*.ipynb") if "," not in path.name}  # without those of make rerun
    assert notebooks == pages | {folder / "one_model.ipynb"}
    assert not re.search(r"\{[\w:-]+\}`", "".join(texts_of(folder / "one_model.ipynb")))
