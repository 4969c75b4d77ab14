"""The built book: `make book` makes it, `make test` then looks at it."""

import re

import nbformat
import pytest

from aebook import execute
from tools.browser import HTML, ROOT, TOC

PAGES = [TOC["root"], *(chapter["file"] for chapter in TOC["chapters"])]
NOTEBOOKS = [page for page in PAGES if page.startswith("notebooks/")]


def html(page):
    return (HTML / f"{page}.html").read_text()


def test_every_notebook_has_a_page():
    assert {f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")} == set(NOTEBOOKS)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole(page):
    text = html(page)
    assert "<h1>" in text
    assert "{glue:" not in text and "{numref}" not in text and "{doc}" not in text and "{cite}" not in text


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_page_shows_every_stored_figure_with_its_words(page):
    cells = nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells
    words = [cell.metadata.mystnb for cell in cells if "figure" in cell.metadata.get("mystnb", {})]
    figures = [one for one in words if one.figure.name.startswith("fig-")]
    text = html(page)
    assert len(figures) >= (1 if page == "notebooks/one_model" else 2)
    for figure in figures:
        place = text.index(f'id="{figure.figure.name}"')
        (alt, source), = re.findall(r'<img alt="([^"]*)"[^>]* src="([^"]*)"', text[place : place + 2000])[:1]
        assert alt == figure.image.alt
        assert ((HTML / page).parent / source).resolve().is_file()
    assert len(re.findall(r'src="[^"]*_images/[0-9a-f]{40,}', text)) == len(figures)


@pytest.mark.parametrize("page", ["notebooks/6_2_dense", "notebooks/6_3_convolutional"])
def test_the_models_code_is_on_the_page(page):
    text = re.sub(r"<[^>]+>", "", html(page))
    assert "(models.Model):" in text and "super().__init__(x, decoder(encoder(x)), **kwargs)" in text


def test_a_number_in_the_prose_is_the_stored_one():
    stored = execute.glued(nbformat.read(ROOT / "notebooks/6_2_dense.ipynb", as_version=4))
    text = re.sub(r"<[^>]+>", "", html("notebooks/6_2_dense"))
    assert f"We end at a validation BCE of {stored['dense_source_val_bce']:.4f}." in " ".join(text.split())


def test_the_cover_is_the_stored_figure():
    notebook = nbformat.read(ROOT / "notebooks/6_2_dense.ipynb", as_version=4)
    cover = execute.figure(notebook, execute.COVER_FIGURE)
    assert (ROOT / execute.COVER_FILE).read_bytes() == cover
    assert "static/cover.png" in (ROOT / "README.md").read_text()
    assert "cover.png" in html("index")


def test_the_table_of_claims_has_verdicts_effects_and_links():
    text = html("notebooks/claims")
    table = text[text.index("<table") : text.index("</table>")]
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]
    assert len(rows) >= 9
    for row in rows:
        words = " ".join(re.sub(r"<[^>]+>", "", row).split())
        assert re.search(r"\b(holds|does not hold|holds only when .+)\b", words), words
        assert re.search(r"\d\.\d{3} \(\d\.\d{3} to \d\.\d{3}\)", words), words
        (target,) = re.findall(r'href="#([^"]+)"', row)
        assert f'id="{target}"' in text
